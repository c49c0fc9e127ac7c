//! Incremental syncs: changes, deletions, limits, and the number of requests.

mod calls;
mod deletions;
mod details;
mod freshness;
mod limits;
mod many_deletions;
mod nightly;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use intercom::api::request_builder::{Arguments, operation};
use intercom::mirror::conversation::OF_TICKETS;
use intercom::mirror::{Error, Event, ResourceName, Store, Summary, SyncOptions, WriteCounts, status, sync};
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use intercom::sandbox::{Fault, Options};

use crate::sandboxed::{Fixture, NOW, assert_same, dump, options, some_conversation};

const HOUR: Duration = Duration::from_secs(3_600);

fn small() -> Options {
    Options { contacts: 70, companies: 30, conversations: 60, tickets: 30, ..Options::default() }
}

fn only(resource: ResourceName) -> SyncOptions {
    SyncOptions { resources: vec![resource], ..options() }
}

fn written(summary: &Summary, resource: ResourceName) -> WriteCounts {
    summary.resources.iter().find(|outcome| outcome.resource == resource).unwrap().written
}

fn count(store: &Store, table: &str) -> usize {
    let sql = format!("SELECT count(*) FROM {table}");
    store.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
}

fn comment(fixture: &Fixture, conversation: &str) {
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        workspace
            .apply_event(conversation, ConversationEvent::new("comment", Author::Bot, at).with_body("More"))
            .unwrap();
    });
}

async fn call(fixture: &Fixture, id: &str, path: &[&str], body: Option<String>) {
    let path = path.iter().map(|segment| (*segment).to_owned()).collect();
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
    assert!(requests.len() <= 29, "{}: {requests:#?}", requests.len());
    assert_eq!(
        requests.iter().map(|request| u64::from(request.operation != Some("identifyAdmin"))).sum::<u64>(),
        summary.resources.iter().map(|outcome| outcome.requests).sum::<u64>()
    );
    assert_eq!(dump(&store), before);
}

#[tokio::test]
async fn every_kind_of_change_is_found() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    fixture.sandbox.advance(5 * HOUR);
    let (contact, ticket, article) = fixture.sandbox.with_workspace(|workspace| {
        let first = |ids: Vec<String>| ids.into_iter().min().unwrap();
        (
            first(workspace.contacts.iter().map(|contact| contact.id.clone()).collect()),
            first(workspace.tickets.iter().map(|ticket| ticket.id.clone()).collect()),
            first(workspace.articles.iter().map(|article| article.id.clone()).collect()),
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
async fn changes_made_while_listing_are_found_in_this_run_or_the_next() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    // Contacts are listed newest first, so a contact that changes during the list moves to its start.
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

    // A change at the end of a run: the watermark is the start of the run.
    fixture.sandbox.advance(2 * HOUR);
    let conversation = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let id = conversation.clone();
    let done = AtomicUsize::new(0);
    fixture.sandbox.inject_faults(move |workspace, served| {
        if served.operation == Some("listTags") && done.fetch_add(1, Ordering::Relaxed) == 0 {
            let at = workspace.now();
            workspace
                .apply_event(&id, ConversationEvent::new("comment", Author::Bot, at).with_body("Late"))
                .unwrap();
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
        let ids: Vec<String> = fixture.sandbox.with_workspace(|workspace| {
            workspace.contacts.iter().map(|contact| contact.id.clone()).collect()
        });
        // A change every 50 minutes for two days, and a sync after every few of them.
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
        let mut real: Vec<(String, Option<String>)> = fixture.sandbox.with_workspace(|workspace| {
            workspace.contacts.iter().map(|contact| (contact.id.clone(), contact.name.clone())).collect()
        });
        stored.sort();
        real.sort();
        assert_eq!(stored, real, "{zone}");
    }
}

#[tokio::test]
async fn an_interrupted_run_does_not_move_the_watermark() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let watermark = |store: &Store| store.sync_state(ResourceName::Conversations).unwrap().unwrap().watermark;
    let before = watermark(&store);
    fixture.sandbox.advance(5 * HOUR);
    let ids: Vec<String> = fixture.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().map(|conversation| conversation.id.clone()).collect()
    });
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
    assert!(summary.complete && summary.resources.iter().any(|outcome| outcome.resumed));
    assert!(watermark(&store) > before);
    assert_same(&store, &fixture.sandbox);
}
