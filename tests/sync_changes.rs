//! Later runs of a sync: what changed, what was deleted, what was left out, and how little it costs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod sandboxed;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use intercom::api::executor::{Arguments, operation};
use intercom::mirror::conversation::OF_TICKETS;
use intercom::mirror::resources::ResourceName;
use intercom::mirror::write::Written;
use intercom::mirror::{Error, Event, Store, Summary, SyncOptions, status, sync};
use intercom::sandbox::model::conversation::{Author, Happening};
use intercom::sandbox::{Fault, Options};

use sandboxed::{Fixture, NOW, assert_same, dump, options, some_conversation};

const HOUR: Duration = Duration::from_secs(3_600);

fn small() -> Options {
    Options { contacts: 70, companies: 30, conversations: 60, tickets: 30, ..Options::default() }
}

fn only(resource: ResourceName) -> SyncOptions {
    SyncOptions { resources: vec![resource], ..options() }
}

fn written(summary: &Summary, resource: ResourceName) -> Written {
    summary.resources.iter().find(|it| it.resource == resource).unwrap().written
}

fn count(store: &Store, table: &str) -> usize {
    let sql = format!("SELECT count(*) FROM {table}");
    store.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
}

fn comment(fixture: &Fixture, conversation: &str) {
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        workspace.happen(conversation, Happening::new("comment", Author::Bot, at).saying("More")).unwrap();
    });
}

async fn call(fixture: &Fixture, id: &str, path: &[&str], body: Option<String>) {
    let path = path.iter().map(|it| (*it).to_owned()).collect();
    let arguments = Arguments { path, query: Vec::new(), body: body.map(String::into_bytes) };
    fixture.client.execute(operation(id).unwrap(), &arguments).await.unwrap();
}

#[tokio::test]
async fn a_run_without_changes_costs_a_handful_of_requests() {
    let fixture = Fixture::new(Options { contacts: 600, conversations: 300, tickets: 100, ..small() }).await;
    let mut store = fixture.store("one.db");
    let large = SyncOptions { per_page: None, ..options() };
    assert!(fixture.sync_with(&mut store, &large).await.0.complete);
    let before = dump(&store);
    fixture.sandbox.advance(3 * HOUR);
    fixture.sandbox.forget_requests();
    let (summary, _) = fixture.sync_with(&mut store, &large).await;
    assert!(summary.complete, "{summary:?}");
    let requests = fixture.sandbox.requests();
    assert!(requests.len() <= 28, "{}: {requests:#?}", requests.len());
    assert_eq!(
        requests.iter().map(|it| u64::from(it.operation != Some("identifyAdmin"))).sum::<u64>(),
        summary.resources.iter().map(|it| it.requests).sum::<u64>()
    );
    assert_eq!(dump(&store), before);
}

#[tokio::test]
async fn changes_of_every_kind_are_found() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    fixture.sandbox.advance(5 * HOUR);
    let (contact, ticket, article) = fixture.sandbox.with_workspace(|workspace| {
        let first = |ids: Vec<String>| ids.into_iter().min().unwrap();
        (
            first(workspace.contacts.iter().map(|it| it.id.clone()).collect()),
            first(workspace.tickets.iter().map(|it| it.id.clone()).collect()),
            first(workspace.articles.iter().map(|it| it.id.clone()).collect()),
        )
    });
    let conversation = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    comment(&fixture, &conversation);
    call(&fixture, "UpdateContact", &[&contact], Some(r#"{"phone":"+15550000001"}"#.into())).await;
    call(&fixture, "CreateContact", &[], Some(r#"{"email":"new@person.example"}"#.into())).await;
    call(&fixture, "updateTicket", &[&ticket], Some(r#"{"open":true,"is_shared":true}"#.into())).await;
    call(&fixture, "updateArticle", &[&article], Some(r#"{"title":"Better"}"#.into())).await;
    call(&fixture, "createTag", &[], Some(r#"{"name":"Fresh"}"#.into())).await;
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    let changed = |resource| (written(&summary, resource).inserted, written(&summary, resource).updated);
    assert_eq!(changed(ResourceName::Contacts), (1, 1));
    assert_eq!(changed(ResourceName::Conversations), (0, 1));
    assert_eq!(changed(ResourceName::ConversationParts), (1, 0));
    assert_eq!(changed(ResourceName::Tickets), (0, 1));
    assert_eq!(changed(ResourceName::Articles), (0, 1));
    assert_eq!(changed(ResourceName::Tags), (1, 0));
    let title: String = store
        .connection()
        .query_row("SELECT title FROM articles WHERE id = ?1", [&article], |row| row.get(0))
        .unwrap();
    assert_eq!(title, "Better");
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn what_changes_behind_the_reader_is_found_in_the_same_run_or_the_next() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    // Contacts are listed newest first: what changes while the list is read moves to its beginning.
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("ListContacts") && pages.fetch_add(1, Ordering::Relaxed) == 1 {
            let oldest = workspace.contacts.newest_first().last().unwrap().id.clone();
            workspace.touch_contact(&oldest).unwrap().phone = Some("+15550000002".into());
        }
        None
    });
    fixture.sync(&mut store).await;
    assert_same(&store, &fixture.sandbox);

    // A change in the last moment of a run: the watermark is the start of it, not its end.
    fixture.sandbox.advance(2 * HOUR);
    let conversation = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let id = conversation.clone();
    let done = AtomicUsize::new(0);
    fixture.sandbox.disturb(move |workspace, served| {
        if served.operation == Some("listTags") && done.fetch_add(1, Ordering::Relaxed) == 0 {
            let at = workspace.now();
            workspace.happen(&id, Happening::new("comment", Author::Bot, at).saying("Late")).unwrap();
            workspace.clock.advance(Duration::from_secs(7_200));
        }
        None
    });
    fixture.sync(&mut store).await;
    fixture.sync(&mut store).await;
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn no_contact_is_lost_around_midnight() {
    for zone in ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"] {
        let fixture =
            Fixture::new(Options { timezone: zone.into(), conversations: 0, tickets: 0, ..small() }).await;
        let mut store = fixture.store("one.db");
        fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
        let ids: Vec<String> =
            fixture.sandbox.with_workspace(|it| it.contacts.iter().map(|it| it.id.clone()).collect());
        // A change every 50 minutes for two days, and a run every few of them.
        for (step, id) in ids.iter().cycle().take(58).enumerate() {
            fixture.sandbox.advance(Duration::from_secs(3_000));
            fixture.sandbox.with_workspace(|workspace| {
                workspace.touch_contact(id).unwrap().name = Some(format!("{zone} {step}"));
            });
            if step % 5 == 0 {
                fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
            }
        }
        fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
        let mut statement = store.connection().prepare("SELECT id, name FROM contacts").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut stored: Vec<(String, Option<String>)> = rows.map(|row| row.unwrap()).collect();
        let mut real: Vec<(String, Option<String>)> = fixture
            .sandbox
            .with_workspace(|it| it.contacts.iter().map(|it| (it.id.clone(), it.name.clone())).collect());
        stored.sort();
        real.sort();
        assert_eq!(stored, real, "{zone}");
    }
}

#[tokio::test]
async fn an_interrupted_later_run_moves_no_watermark() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let watermark = |store: &Store| store.sync_state(ResourceName::Conversations).unwrap().unwrap().watermark;
    let before = watermark(&store);
    fixture.sandbox.advance(5 * HOUR);
    let ids: Vec<String> =
        fixture.sandbox.with_workspace(|it| it.conversations.iter().map(|it| it.id.clone()).collect());
    ids.iter().for_each(|id| comment(&fixture, id));
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |_, served| {
        let late =
            served.operation == Some("searchConversations") && pages.fetch_add(1, Ordering::Relaxed) >= 1;
        late.then_some(401)
    });
    assert!(!fixture.sync(&mut store).await.complete);
    assert_eq!(watermark(&store), before);
    fixture.sandbox.intercept(|_, _| None);
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete && summary.resources.iter().any(|it| it.resumed));
    assert!(watermark(&store) > before);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_cap_on_pages_is_no_silent_one() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let capped = SyncOptions { max_pages: Some(2), ..only(ResourceName::Contacts) };
    let (summary, _) = fixture.sync_with(&mut store, &capped).await;
    assert!(!summary.complete);
    assert_eq!(summary.resources[0].reason.as_deref(), Some("stopped after 2 pages"));
    assert_eq!(count(&store, "contacts"), 40);
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().watermark, None);
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    assert!(summary.complete && summary.resources[0].resumed);
    assert_eq!(count(&store, "contacts"), 70);
}

#[tokio::test]
async fn since_leaves_older_records_for_another_run() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = NOW - 10 * 86_400;
    let recent = SyncOptions { since: Some(since), ..options() };
    assert!(fixture.sync_with(&mut store, &recent).await.0.complete);
    let expected = fixture
        .sandbox
        .with_workspace(|it| it.conversations.iter().filter(|it| it.updated_at >= since).count());
    assert!(expected > 0 && expected < 60);
    assert_eq!(count(&store, "conversations"), expected);
    let state = store.sync_state(ResourceName::Contacts).unwrap().unwrap();
    assert_eq!((state.complete, state.floor), (true, Some(since)));
    // The same again asks for changes only.
    fixture.sandbox.advance(5 * HOUR);
    let (summary, _) = fixture.sync_with(&mut store, &recent).await;
    assert_eq!(written(&summary, ResourceName::Conversations).inserted, 0);
    // Without a limit everything comes.
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().floor, None);
}

#[tokio::test]
async fn deleted_and_merged_records_are_pruned_with_counts() {
    what_is_gone_is_removed(&SyncOptions { prune: true, ..options() }).await;
}

/// The workspace counts fewer records than are stored: that is worth a listing of everything.
#[tokio::test]
async fn a_later_run_notices_what_is_gone() {
    what_is_gone_is_removed(&options()).await;
}

async fn what_is_gone_is_removed(options: &SyncOptions) {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let (lead, user, gone, conversation, company, article, ticket) =
        fixture.sandbox.with_workspace(|workspace| {
            let mut contacts: Vec<_> =
                workspace.contacts.iter().map(|it| (it.id.clone(), it.is_user)).collect();
            contacts.sort();
            let lead = contacts.iter().find(|it| !it.1).unwrap().0.clone();
            let mut users = contacts.iter().filter(|it| it.1).map(|it| it.0.clone());
            (
                lead,
                users.next().unwrap(),
                users.next().unwrap(),
                some_conversation(workspace),
                workspace.companies.iter().map(|it| it.id.clone()).max().unwrap(),
                workspace.articles.iter().map(|it| it.id.clone()).max().unwrap(),
                workspace.tickets.iter().map(|it| it.id.clone()).max().unwrap(),
            )
        });
    fixture.sandbox.advance(2 * HOUR);
    let merge = format!(r#"{{"from":"{lead}","into":"{user}"}}"#);
    call(&fixture, "MergeContact", &[], Some(merge)).await;
    call(&fixture, "DeleteContact", &[&gone], None).await;
    call(&fixture, "deleteConversation", &[&conversation], None).await;
    call(&fixture, "deleteCompany", &[&company], None).await;
    call(&fixture, "deleteArticle", &[&article], None).await;
    call(&fixture, "deleteTicket", &[&ticket], None).await;
    let (summary, _) = fixture.sync_with(&mut store, options).await;
    assert!(summary.complete, "{summary:?}");
    let deleted = |resource| written(&summary, resource).deleted;
    assert_eq!((deleted(ResourceName::Contacts), deleted(ResourceName::Companies)), (2, 1));
    assert_eq!(deleted(ResourceName::Conversations), 1);
    assert_eq!((deleted(ResourceName::Articles), deleted(ResourceName::Tickets)), (1, 1));
    assert_same(&store, &fixture.sandbox);
    let orphans = "conversation_parts_state WHERE conversation_id NOT IN (SELECT id FROM conversations)";
    assert_eq!(count(&store, orphans), 0);
    assert_eq!(count(&store, "sync_seen"), 0);
}

/// Counts and lists that do not agree must not have everything listed in every run.
#[tokio::test]
async fn a_count_that_is_too_low_is_looked_into_once() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let change = |sql: &str| store.connection().execute(sql, []).unwrap();
    change("INSERT INTO contacts (id, synced_at, raw) VALUES ('beyond the count', 0, '{}')");
    change("UPDATE sync_state SET surplus = 1, pruned_at = unixepoch() WHERE resource = 'contacts'");
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("ListContacts"), 1, "the count alone");
    // A day later it is looked into again.
    store.connection().execute("UPDATE sync_state SET pruned_at = pruned_at - 86400", []).unwrap();
    assert_eq!(written(&fixture.sync(&mut store).await, ResourceName::Contacts).deleted, 1);
    assert_same(&store, &fixture.sandbox);
}

/// The first record of the second page slips into the first one.
#[tokio::test]
async fn a_numbered_list_that_shrinks_is_read_again() {
    let fixture = Fixture::new(Options { articles: 50, ..small() }).await;
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("listArticles") && pages.fetch_add(1, Ordering::Relaxed) == 1 {
            let newest = workspace.articles.newest_first().next().unwrap().id.clone();
            workspace.articles.remove(&newest);
        }
        None
    });
    let mut store = fixture.store("one.db");
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Articles)).await;
    assert!(summary.complete, "{summary:?}");
    let missing = fixture.sandbox.with_workspace(|workspace| {
        let stored = |id: &str| {
            let sql = "SELECT count(*) FROM articles WHERE id = ?1";
            store.connection().query_row(sql, [id], |row| row.get::<_, i64>(0)).unwrap()
        };
        workspace.articles.iter().filter(|it| stored(&it.id) == 0).count()
    });
    assert_eq!(missing, 0);
}

/// What a shaky server refused for as long as the transport tried is asked for once more.
#[tokio::test]
async fn a_conversation_that_fails_at_first_is_tried_again() {
    let fixture = Fixture::new(small()).await;
    let bad = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let (path, calls) = (format!("/conversations/{bad}"), AtomicUsize::new(0));
    fixture.sandbox.intercept(move |_, served| {
        (served.path == path && calls.fetch_add(1, Ordering::Relaxed) < 3).then_some(500)
    });
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
}

/// A success without a body is neither the end of a list nor a conversation without parts.
#[tokio::test]
async fn empty_answers_are_asked_for_again() {
    let fixture = Fixture::new(small()).await;
    let asked = Mutex::new(BTreeSet::new());
    fixture.sandbox.disturb(move |_, served| {
        let scrolls = served.operation == Some("scrollOverAllCompanies");
        let is_first = || asked.lock().unwrap().insert((served.path.clone(), served.query.clone()));
        (!scrolls && is_first()).then_some(Fault::Blank)
    });
    let mut store = fixture.store("one.db");
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{summary:?} {events:?}");
    assert_same(&store, &fixture.sandbox);
}

/// The first page of a list may show already that nothing further has changed.
#[tokio::test]
async fn a_cap_that_cuts_nothing_is_no_cut() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    fixture.sandbox.advance(72 * HOUR);
    let capped = SyncOptions { max_pages: Some(1), ..only(ResourceName::Contacts) };
    let (summary, _) = fixture.sync_with(&mut store, &capped).await;
    assert!(summary.complete, "{summary:?}");
}

#[tokio::test]
async fn links_to_what_is_gone_are_gone() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let one = |sql: &str| store.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let company =
        one("SELECT company_id FROM contact_companies GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
    let tag = one("SELECT tag_id FROM conversation_tags GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
    fixture.sandbox.with_workspace(|workspace| {
        // Nothing else changes: neither the contacts nor the conversations come again.
        workspace.companies.remove(&company).unwrap();
        workspace.tags.retain(|it| it.id != tag);
    });
    fixture.sandbox.advance(3 * HOUR);
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    for table in [
        format!("companies WHERE id = '{company}'"),
        format!("contact_companies WHERE company_id = '{company}'"),
        format!("tags WHERE id = '{tag}'"),
        format!("contact_tags WHERE tag_id = '{tag}'"),
        format!("conversation_tags WHERE tag_id = '{tag}'"),
    ] {
        assert_eq!(count(&store, &table), 0, "{table}");
    }
    assert!(count(&store, "conversation_tags") > 0);
}

/// The count stays the same.
#[tokio::test]
async fn who_takes_a_place_in_a_segment_is_found_within_a_day() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let (segment, leaver, joiner) = fixture.sandbox.with_workspace(|workspace| {
        let leaver = workspace.contacts.iter().find(|it| !it.segments.is_empty()).unwrap();
        let segment = leaver.segments[0].clone();
        let joiner = workspace.contacts.iter().find(|it| !it.segments.contains(&segment)).unwrap();
        let (leaver, joiner) = (leaver.id.clone(), joiner.id.clone());
        workspace.contacts.get_mut(&leaver).unwrap().segments.retain(|it| *it != segment);
        workspace.contacts.get_mut(&joiner).unwrap().segments.push(segment.clone());
        (segment, leaver, joiner)
    });
    let is_in = |contact: &str| {
        count(
            &store,
            &format!("contact_segments WHERE segment_id = '{segment}' AND contact_id = '{contact}'"),
        )
    };
    assert_eq!((is_in(&leaver), is_in(&joiner)), (1, 0));
    fixture.sandbox.advance(25 * HOUR);
    fixture.sync_with(&mut fixture.store("one.db"), &only(ResourceName::Contacts)).await;
    assert_eq!((is_in(&leaver), is_in(&joiner)), (0, 1));
}

/// A document may come in that names what was found gone a moment before.
#[tokio::test]
async fn links_to_nothing_are_settled() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let change = |sql: &str| assert!(store.connection().execute(sql, []).unwrap() > 0, "{sql}");
    change("INSERT INTO contact_companies SELECT id, 'gone' FROM contacts LIMIT 3");
    change("INSERT INTO conversation_tags SELECT id, '404' FROM conversations LIMIT 2");
    let before = (count(&store, "contact_companies"), count(&store, "conversation_tags"));
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!((fixture.calls("RetrieveACompanyById"), fixture.calls("findTag")), (1, 1));
    assert_eq!(
        (count(&store, "contact_companies"), count(&store, "conversation_tags")),
        (before.0 - 3, before.1 - 2)
    );
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!((fixture.calls("RetrieveACompanyById"), fixture.calls("findTag")), (0, 0));
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn an_incomplete_listing_prunes_nothing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let before = count(&store, "contacts");
    fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.newest_first().next().unwrap().id.clone();
        workspace.contacts.remove(&id).unwrap();
    });
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |_, served| {
        let late = served.operation == Some("ListContacts") && pages.fetch_add(1, Ordering::Relaxed) >= 2;
        late.then_some(401)
    });
    let prune = SyncOptions { prune: true, ..only(ResourceName::Contacts) };
    assert!(!fixture.sync_with(&mut store, &prune).await.0.complete);
    assert_eq!(count(&store, "contacts"), before);
    // An existence that cannot be asked about is no absence either.
    fixture.sandbox.intercept(|_, served| (served.operation == Some("ShowContact")).then_some(403));
    assert!(!fixture.sync_with(&mut store, &prune).await.0.complete);
    assert_eq!(count(&store, "contacts"), before);
    fixture.sandbox.intercept(|_, _| None);
    let (summary, _) = fixture.sync_with(&mut store, &prune).await;
    assert_eq!((summary.complete, written(&summary, ResourceName::Contacts).deleted), (true, 1));
    assert_eq!(count(&store, "contacts"), before - 1);
}

#[tokio::test]
async fn lists_of_a_contact_are_followed_beyond_the_tenth() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let compare = |store: &Store| {
        fixture.sandbox.with_workspace(|workspace| {
            let crowded = workspace.contacts.iter().max_by_key(|it| it.notes.len()).unwrap();
            assert!(crowded.tags.len() > 10 && crowded.notes.len() > 10 && crowded.companies.len() > 10);
            let own = |table: &str| count(store, &format!("{table} WHERE contact_id = '{}'", crowded.id));
            assert_eq!(own("contact_tags"), crowded.tags.len());
            assert_eq!(own("contact_notes"), crowded.notes.len());
            assert_eq!(own("contact_companies"), crowded.companies.len());
            let all = |of: fn(&intercom::sandbox::model::contact::Contact) -> usize| {
                workspace.contacts.iter().map(of).sum::<usize>()
            };
            assert_eq!(count(store, "contact_tags"), all(|it| it.tags.len()));
            assert_eq!(count(store, "contact_notes"), all(|it| it.notes.len()));
            assert_eq!(count(store, "contact_companies"), all(|it| it.companies.len()));
            assert_eq!(count(store, "contact_segments"), all(|it| it.segments.len()));
        });
    };
    compare(&store);
    fixture.sandbox.advance(2 * HOUR);
    fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().max_by_key(|it| it.notes.len()).unwrap().id.clone();
        workspace.touch_contact(&id).unwrap().tags.pop();
    });
    fixture.sync(&mut store).await;
    compare(&store);
}

#[tokio::test]
async fn what_the_workspace_does_not_offer_is_skipped() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| match served.operation {
        Some("listNewsItems") => Some(403),
        Some("listInternalArticles") => Some(404),
        _ => None,
    });
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    let skipped: Vec<_> = summary.resources.iter().filter(|it| it.skipped).map(|it| it.resource).collect();
    assert_eq!(skipped, [ResourceName::InternalArticles, ResourceName::NewsItems, ResourceName::Calls]);
    let known = status(&store, NOW).unwrap();
    let news = known.iter().find(|it| it.resource == ResourceName::NewsItems).unwrap();
    assert_eq!((news.state, news.rows), ("skipped", 0));
    assert!(news.reason.as_ref().unwrap().contains("403"));
    let contacts = known.iter().find(|it| it.resource == ResourceName::Contacts).unwrap();
    assert_eq!((contacts.state, contacts.rows, contacts.floor), ("complete", 70, None));
    assert!(contacts.bytes.unwrap() > 70_000 && contacts.age.unwrap() < 60);
}

#[tokio::test]
async fn tickets_without_all_their_parts_are_asked_for_them() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sandbox.advance(HOUR);
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("getTicket"), 0, "lists of tickets show the parts");
    let sql = "UPDATE ticket_parts_state SET updated_at = 1 WHERE parts > 0";
    let stale = store.connection().execute(sql, []).unwrap();
    store.connection().execute("DELETE FROM ticket_parts", []).unwrap();
    assert_eq!(store.parts_due(&OF_TICKETS).unwrap() as usize, stale);
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::TicketParts)).await;
    assert!(summary.complete);
    assert_eq!(fixture.calls("getTicket"), stale);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn pages_that_are_too_large_are_halved() {
    for fault in [Fault::Status(504), Fault::Truncate] {
        let fixture = Fixture::new(Options { contacts: 330, ..small() }).await;
        fixture.sandbox.disturb(move |_, served| {
            let large = served.operation == Some("ListContacts") && served.query.contains("per_page=150");
            large.then_some(fault)
        });
        let mut store = fixture.store("one.db");
        let large = SyncOptions { per_page: None, ..only(ResourceName::Contacts) };
        let (summary, _) = fixture.sync_with(&mut store, &large).await;
        assert!(summary.complete, "{summary:?}");
        assert_eq!(count(&store, "contacts"), 330);
    }
}

#[tokio::test]
async fn one_sync_at_a_time() {
    let fixture = Fixture::new(small()).await;
    let (mut first, mut second) = (fixture.store("one.db"), fixture.store("one.db"));
    let options = options();
    let mut refusal = None;
    let (mut nothing, mut silence) = (|_: &Event| {}, |_: &Event| {});
    tokio::select! {
        biased;
        done = sync(&fixture.client, &mut first, &options, &mut nothing) => { done.unwrap(); }
        refused = sync(&fixture.client, &mut second, &options, &mut silence) => {
            refusal = Some(refused.unwrap_err());
        }
    }
    let refusal = refusal.expect("the second one gives way at once");
    assert!(
        matches!(&refusal, Error::Locked { holder: Some(holder), .. } if holder.pid == std::process::id())
    );
    assert!(refusal.to_string().contains(&format!("process {}, since 20", std::process::id())), "{refusal}");
    // The first was dropped, and the lock with it; what its process wrote there holds nobody up.
    assert!(fixture.sync(&mut second).await.complete);
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages + 60).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error}");
    assert!(error.to_string().contains("no room left"), "{error}");
    store.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

/// What is created while everything is listed must not stand in for what is deleted later.
#[tokio::test]
async fn deletions_are_noticed_after_a_busy_listing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let lose = |count: usize| {
        fixture.sandbox.with_workspace(|workspace| {
            let mut ids: Vec<String> = workspace.conversations.iter().map(|it| it.id.clone()).collect();
            ids.sort();
            ids.iter().take(count).for_each(|id| drop(workspace.conversations.remove(id)));
        });
    };
    for prune in [false, true] {
        fixture.sandbox.advance(2 * HOUR);
        lose(1);
        let pages = AtomicUsize::new(0);
        fixture.sandbox.intercept(move |workspace, served| {
            let listing = served.operation == Some("searchConversations");
            if listing && (3..6).contains(&pages.fetch_add(1, Ordering::Relaxed)) {
                let one = workspace.conversations.newest_first().next().unwrap().clone();
                let now = workspace.now();
                let id = format!("9{}", one.id);
                let copy = intercom::sandbox::model::conversation::Conversation {
                    id: id.clone(),
                    created_at: now,
                    updated_at: now,
                    parts: Vec::new(),
                    ..one
                };
                workspace.conversations.insert(copy);
            }
            None
        });
        let busy = SyncOptions { prune, ..options() };
        assert!(fixture.sync_with(&mut store, &busy).await.0.complete);
        fixture.sandbox.intercept(|_, _| None);
        fixture.sandbox.advance(2 * HOUR);
        lose(3);
        for _ in 0..2 {
            assert!(fixture.sync(&mut store).await.complete);
        }
        assert_same(&store, &fixture.sandbox);
    }
}

#[tokio::test]
async fn a_mirror_of_the_last_days_does_not_call_itself_complete() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = SyncOptions { since: Some(NOW - 20 * 86_400), ..only(ResourceName::Conversations) };
    assert!(fixture.sync_with(&mut store, &since).await.0.complete);
    let state = |store: &Store| {
        let known = status(store, NOW).unwrap();
        known.iter().find(|it| it.resource == ResourceName::Conversations).unwrap().state
    };
    assert_eq!(state(&store), "partial");
    let full = SyncOptions { full: true, ..only(ResourceName::Conversations) };
    fixture.sync_with(&mut store, &full).await;
    assert_eq!(state(&store), "complete");
}
