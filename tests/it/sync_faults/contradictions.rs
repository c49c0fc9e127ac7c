//! Responses that contradict each other: "not found" for what lists still show, lists and scrolls that end early, and
//! counts that are too high.

use intercom::api::request_builder::{Arguments, operation};
use intercom::mirror::{ResourceName, Store, SyncOptions, status};
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use serde_json::json;

use super::Duration;
use super::completeness::{count, outcome, quirk, run, small};
use crate::sandboxed::{Fixture, NOW, assert_same, options, some_conversation};
use crate::support::{document, stderr};

const DAY: Duration = Duration::from_secs(90_000);

fn quirks(fixture: &Fixture, names: &[String]) {
    quirk(fixture, &names.iter().map(String::as_str).collect::<Vec<_>>());
}

fn text(store: &Store, sql: &str) -> String {
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_listed_record_that_answers_404_is_quarantined_after_three_runs() {
    for table in ["conversations", "tickets", "articles"] {
        let fixture = Fixture::new(small()).await;
        let mut store = fixture.store("one.db");
        let (id, resource) = fixture.sandbox.with_workspace(|workspace| match table {
            "conversations" => (some_conversation(workspace), ResourceName::ConversationParts),
            "tickets" => (workspace.tickets.iter().next().unwrap().id.clone(), ResourceName::TicketParts),
            _ => (workspace.articles.iter().next().unwrap().id.clone(), ResourceName::Articles),
        });
        // Without parts in their list, tickets are fetched one by one.
        quirks(&fixture, &[format!("refuse=/{table}/{id}:404"), "null-links=/tickets/search".to_owned()]);
        for round in 1..=3 {
            let summary = fixture.sync(&mut store).await;
            let found = outcome(&summary, resource);
            assert!(!found.complete, "{table}: {found:?}");
            assert_eq!(found.quarantined.contains(&id), round == 3, "{table}: {found:?}");
            assert_eq!(count(&store, &format!("{table} WHERE id = '{id}'")), 1, "{table}, run {round}");
        }
        assert!(fixture.sync(&mut store).await.complete, "{table}");
        // It is removed once the workspace no longer lists it.
        fixture.sandbox.with_workspace(|workspace| match table {
            "conversations" => drop(workspace.conversations.remove(&id)),
            "tickets" => drop(workspace.tickets.remove(&id)),
            _ => drop(workspace.articles.remove(&id)),
        });
        fixture.sandbox.advance(DAY);
        let summary = fixture.sync(&mut store).await;
        assert!(summary.complete, "{table}: {summary:?}");
        assert_eq!(count(&store, &format!("{table} WHERE id = '{id}'")), 0, "{table}");
    }
}

/// The search by ids finds nobody and each contact answers 404, while the list shows and counts them.
#[tokio::test]
async fn the_daily_check_keeps_records_that_are_still_listed() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let ids: Vec<String> = fixture
        .sandbox
        .with_workspace(|workspace| workspace.contacts.iter().map(|contact| contact.id.clone()).collect());
    let mut names: Vec<String> = ids.iter().map(|id| format!("refuse=/contacts/{id}:404")).collect();
    names.push("blind-search-by-ids".to_owned());
    quirks(&fixture, &names);
    fixture.sandbox.advance(DAY);
    let summary = fixture.sync(&mut store).await;
    assert_eq!(count(&store, "contacts"), 70, "{summary:?}");
    assert!(outcome(&summary, ResourceName::Contacts).complete, "{summary:?}");
    // Deleted contacts are removed.
    fixture.sandbox.with_workspace(|workspace| {
        ids.iter().take(3).for_each(|id| drop(workspace.contacts.remove(id)));
    });
    fixture.sandbox.advance(DAY);
    let summary = fixture.sync(&mut store).await;
    assert_eq!(count(&store, "contacts"), 67, "{summary:?}");
}

fn add_comment(fixture: &Fixture, conversation: &str) {
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        let comment = ConversationEvent::new("comment", Author::Bot, at).with_body("<p>More</p>");
        workspace.apply_event(conversation, comment).unwrap();
    });
}

#[tokio::test]
async fn parts_stay_when_their_list_is_empty_or_missing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    // A few missing parts are tolerated, so only a short conversation shows the difference.
    let id = fixture.sandbox.with_workspace(|workspace| {
        let short = workspace.conversations.iter().find(|one| (2..8).contains(&one.parts.len()));
        short.unwrap().id.clone()
    });
    let parts = format!("conversation_parts WHERE conversation_id = '{id}'");
    let before = count(&store, &parts);
    assert!(before > 1);
    for (name, complete) in
        [("withheld-parts=0".to_owned(), true), (format!("bare=/conversations/{id}"), false)]
    {
        add_comment(&fixture, &id);
        quirks(&fixture, std::slice::from_ref(&name));
        let summary = fixture.sync(&mut store).await;
        assert_eq!(count(&store, &parts), before, "{name}: {summary:?}");
        assert_eq!(outcome(&summary, ResourceName::ConversationParts).complete, complete, "{name}");
    }
    quirk(&fixture, &[]);
    add_comment(&fixture, &id);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);

    let before = count(&store, "ticket_parts");
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(|workspace| {
        let now = workspace.now();
        workspace.tickets.iter_mut().for_each(|ticket| ticket.updated_at = now);
    });
    quirk(&fixture, &["bare=/tickets/*", "bare=/tickets/search"]);
    let summary = fixture.sync(&mut store).await;
    assert!(!outcome(&summary, ResourceName::TicketParts).complete, "{summary:?}");
    assert_eq!(count(&store, "ticket_parts"), before);
}

#[tokio::test]
async fn a_ticket_keeps_the_parts_that_its_list_leaves_out() {
    let fixture = Fixture::new(small()).await;
    quirk(&fixture, &["null-links=/tickets/search"]);
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    fixture.sandbox.advance(DAY);
    let prune = SyncOptions { prune: true, ..options() };
    assert!(fixture.sync_with(&mut store, &prune).await.0.complete);
    assert_same(&store, &fixture.sandbox);
}

/// None of these changes moves `updated_at`.
#[tokio::test]
async fn silently_changed_lists_of_a_contact_are_refetched() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let crowded = fixture.sandbox.with_workspace(|workspace| {
        let crowded = workspace.contacts.iter().max_by_key(|contact| contact.notes.len()).unwrap().id.clone();
        let others: Vec<String> = workspace
            .contacts
            .iter()
            .filter(|contact| contact.id != crowded)
            .map(|contact| contact.id.clone())
            .collect();
        let mut note = workspace.notes[0].clone();
        note.id = "990001".to_owned();
        note.contact_id.clone_from(&others[0]);
        workspace.notes.push(note);
        workspace.contacts.get_mut(&others[0]).unwrap().notes.push("990001".to_owned());
        // The last tag and note of the contact that has more than ten of both.
        let contact = workspace.contacts.get_mut(&crowded).unwrap();
        assert!(contact.tags.len() > 10 && contact.notes.len() > 10);
        contact.tags.pop();
        let gone = contact.notes.pop().unwrap();
        workspace.notes.retain(|note| note.id != gone);
        crowded
    });
    fixture.sandbox.advance(DAY);
    assert!(fixture.sync(&mut store).await.complete);
    let compare = || {
        fixture.sandbox.with_workspace(|workspace| {
            let notes = workspace.contacts.iter().map(|contact| contact.notes.len()).sum::<usize>();
            let tags = workspace.contacts.iter().map(|contact| contact.tags.len()).sum::<usize>();
            assert_eq!((count(&store, "contact_notes"), count(&store, "contact_tags")), (notes, tags));
        });
    };
    compare();
    // An edited note leaves no sign at all: a daily slice finds it.
    let note = fixture.sandbox.with_workspace(|workspace| {
        let note = workspace.notes.iter_mut().find(|note| note.contact_id == crowded).unwrap();
        note.body = "<p>Edited</p>".to_owned();
        note.id.clone()
    });
    let mut days = 0;
    let mut later = fixture.store("one.db");
    while !text(&store, &format!("SELECT raw FROM contact_notes WHERE id = '{note}'")).contains("Edited") {
        days += 1;
        assert!(days < 10, "not found");
        fixture.sandbox.advance(DAY);
        assert!(fixture.sync(&mut later).await.complete);
    }
}

/// The count of the segment stays the same.
#[tokio::test]
async fn new_members_in_place_of_deleted_ones_are_found_in_the_same_run() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let (segment, left) = fixture.sandbox.with_workspace(|workspace| {
        let segment = workspace.contacts.iter().find_map(|contact| contact.segments.first()).unwrap().clone();
        let members: Vec<String> = workspace
            .contacts
            .iter()
            .filter(|contact| contact.segments.contains(&segment))
            .map(|contact| contact.id.clone())
            .collect();
        members.iter().take(25).for_each(|id| drop(workspace.contacts.remove(id)));
        (segment, members.len().min(25))
    });
    fixture.sandbox.advance(Duration::from_secs(9_000));
    for number in 0..left {
        let body = json!({ "email": format!("new{number}@person.example") }).to_string().into_bytes();
        let arguments = Arguments { body: Some(body), ..Arguments::default() };
        let reply = fixture.client.execute(operation("CreateContact").unwrap(), &arguments).await.unwrap();
        let contact: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        fixture.sandbox.with_workspace(|workspace| {
            let contact = workspace.contacts.get_mut(contact["id"].as_str().unwrap()).unwrap();
            contact.segments = vec![segment.clone()];
        });
    }
    assert!(fixture.sync(&mut store).await.complete);
    let stored = format!("contact_segments WHERE segment_id = '{segment}'");
    fixture.sandbox.with_workspace(|workspace| {
        let members = workspace.contacts.iter().filter(|contact| contact.segments.contains(&segment)).count();
        assert_eq!(count(&store, &stored), members);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scroll_that_ends_before_its_count_is_not_complete() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    quirk(&fixture, &["short-scroll", "scroll-page=20"]);
    let output = run(home.path(), &fixture.sandbox, "companies scroll --all --json");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    quirk(&fixture, &[]);
    let output = run(home.path(), &fixture.sandbox, "companies scroll --all --json");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(document(&output)["meta"]["complete"], true);

    for refused in [&[][..], &["refuse=/companies/list:403"]] {
        let mut store = fixture.store(&format!("{}.db", refused.len()));
        let names = [&["lost-scroll", "scroll-page=50"], refused].concat();
        quirk(&fixture, &names);
        let companies = SyncOptions { resources: vec![ResourceName::Companies], ..options() };
        let (summary, _) = fixture.sync_with(&mut store, &companies).await;
        let found = outcome(&summary, ResourceName::Companies);
        assert!(!found.complete && !found.skipped, "{found:?}");
        assert!(found.reason.as_ref().unwrap().contains("scroll"), "{found:?}");
        assert_eq!(found.cause, None, "{found:?}");
    }
}

#[tokio::test]
async fn a_count_that_is_too_high_does_not_stop_what_follows_the_list() {
    let fixture = Fixture::new(small()).await;
    let mut plain = fixture.store("plain.db");
    assert!(fixture.sync(&mut plain).await.complete);
    quirk(&fixture, &["extra-count=/contacts", "extra-count=/articles"]);
    fixture.sandbox.forget_requests();
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    for resource in [ResourceName::Contacts, ResourceName::Articles] {
        let found = outcome(&summary, resource);
        assert!(!found.complete && found.reason.as_ref().unwrap().contains("counts"), "{found:?}");
    }
    for table in ["contacts", "contact_notes", "contact_tags", "contact_segments", "articles"] {
        assert_eq!(count(&store, table), count(&plain, table), "{table}");
    }
    assert_eq!(fixture.calls("retrieveArticle"), count(&store, "articles"));
}

/// Lists without pages.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_list_that_counts_more_than_it_holds_is_not_complete_until_it_does() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    for resource in ["tags", "segments", "teams"] {
        let sync = || {
            let words = format!("sync --json --db one.db --resources {resource}");
            let output = run(home.path(), &fixture.sandbox, &words);
            let summary = document(&output);
            (output.status.code(), summary["results"]["resources"][0].clone())
        };
        quirk(&fixture, &[&format!("extra-count=/{resource}")]);
        let (code, short) = sync();
        assert_eq!((code, &short["complete"]), (Some(6), &false.into()), "{short}");
        assert!(short["reason"].as_str().unwrap().contains("the list counts"), "{short}");
        quirk(&fixture, &[]);
        let (code, whole) = sync();
        assert_eq!((code, &whole["complete"]), (Some(0), &true.into()), "{whole}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_what_is_not_offered_are_reported_once() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    let paths = ["/conversations", "/conversations/search", "/tickets/search"];
    quirks(&fixture, &paths.map(|path| format!("refuse={path}:403")));
    for round in 1..=3 {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        let output = run(home.path(), &fixture.sandbox, "sync --quiet --db one.db");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            stderr(&output).contains("conversation_parts: skipped"),
            round == 1,
            "{}",
            stderr(&output)
        );
        assert!(round == 1 || stderr(&output).is_empty(), "{}", stderr(&output));
    }
    let store = Store::open_read_only(&home.path().join("one.db")).unwrap();
    let states = status(&store, NOW).unwrap();
    for resource in [ResourceName::ConversationParts, ResourceName::TicketParts] {
        assert_eq!(states.iter().find(|state| state.resource == resource).unwrap().state, "skipped");
    }
}

#[tokio::test]
async fn the_daily_check_asks_for_many_ids_at_once_however_small_the_pages_are() {
    let fixture = Fixture::new(small()).await;
    let large = SyncOptions { per_page: None, resources: vec![ResourceName::Contacts], ..options() };
    let mut store = fixture.store("one.db");
    quirk(&fixture, &["page-cap=10"]);
    assert!(fixture.sync_with(&mut store, &large).await.0.complete);
    fixture.sandbox.advance(DAY);
    fixture.sandbox.forget_requests();
    assert!(fixture.sync_with(&mut store, &large).await.0.complete);
    assert_eq!(fixture.calls("ShowContact"), 0);
}
