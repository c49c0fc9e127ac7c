//! The store and the sync, against a sandbox.

mod forget;
mod interruptions;
mod migration;
mod sizes;
mod store_file;
mod versions;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use intercom::mirror::conversation::{Detail, OF_CONVERSATIONS};
use intercom::mirror::{Error, Event, ResourceName, Store, SyncOptions, Workspace, schema, sync};
use intercom::sandbox::Options;
use intercom::sandbox::model::conversation::{Author, ConversationEvent};

use crate::sandboxed::{Fixture, assert_same, dump, options, some_conversation, stored};

fn small() -> Options {
    Options { contacts: 70, companies: 30, conversations: 90, ..Options::default() }
}

fn text(store: &Store, sql: &str) -> Option<String> {
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn number(store: &Store, sql: &str) -> i64 {
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn add_comment(fixture: &Fixture, conversation: &str, author: Author) {
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        workspace
            .apply_event(conversation, ConversationEvent::new("comment", author, at).with_body("<p>More</p>"))
            .unwrap();
    });
}

#[tokio::test]
async fn a_sync_mirrors_the_workspace() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
    for outcome in &summary.resources {
        assert_eq!(
            outcome.written.inserted,
            number(&store, &format!("SELECT count(*) FROM {}", outcome.resource)) as u64
        );
        let state = store.sync_state(outcome.resource).unwrap().unwrap();
        if outcome.resource == ResourceName::Calls {
            assert!(outcome.skipped && state.skipped && state.reason.unwrap().contains("listCalls"));
            continue;
        }
        assert_eq!((state.complete, state.watermark, state.cursor), (true, Some(state.started_at), None));
    }
    let names: Vec<String> = events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.first().map(String::as_str), Some("sync_start"));
    assert_eq!(names.last().map(String::as_str), Some("sync_summary"));
    assert_eq!(names.iter().filter(|name| *name == "sync_complete").count(), ResourceName::ALL.len());
    assert!(names.iter().any(|name| name == "sync_progress"));
    assert_eq!(names.iter().filter(|name| *name == "sync_warning").count(), 1, "only that calls are skipped");
    assert!(!names.iter().any(|name| name == "sync_error"), "{events:?}");
    let links =
        "SELECT count(*) FROM conversation_tags t LEFT JOIN tags ON tags.id = t.tag_id WHERE tags.id IS NULL";
    assert_eq!(number(&store, links), 0);
    let applied = fixture.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().map(|conversation| conversation.tags.len()).sum::<usize>()
    });
    assert_eq!(number(&store, "SELECT count(*) FROM conversation_tags") as usize, applied);
}

#[tokio::test]
async fn a_second_sync_fetches_only_changed_parts() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let before = dump(&store);
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("retrieveConversation"), 0);
    assert!(summary.resources.iter().all(|outcome| outcome.written.inserted + outcome.written.updated == 0));
    assert_eq!(dump(&store), before);

    let id = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    add_comment(&fixture, &id, Author::Bot);
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("retrieveConversation"), 1);
    let parts =
        summary.resources.iter().find(|outcome| outcome.resource == ResourceName::ConversationParts).unwrap();
    assert_eq!(parts.written.inserted, 1);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_conversation_of_more_than_500_parts_is_marked_truncated() {
    let fixture = Fixture::new(Options { conversations: 3, ..small() }).await;
    let id = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let talk = |until: usize| {
        while fixture
            .sandbox
            .with_workspace(|workspace| workspace.conversations.get(&id).unwrap().parts.len())
            < until
        {
            add_comment(&fixture, &id, Author::Bot);
        }
        fixture.sandbox.advance(Duration::from_secs(10));
    };
    let state = |store: &Store| {
        let sql = "SELECT parts || '/' || expected || ' ' || truncated FROM conversation_parts_state WHERE conversation_id = ?1";
        store.connection().query_row(sql, [&id], |row| row.get::<_, String>(0)).unwrap()
    };
    talk(490);
    let mut early = fixture.store("early.db");
    fixture.sync(&mut early).await;
    talk(520);
    fixture.sync(&mut early).await;
    assert_eq!(state(&early), "520/520 0", "parts fetched earlier are kept");
    let mut late = fixture.store("late.db");
    assert!(fixture.sync(&mut late).await.complete);
    assert_eq!(state(&late), "500/520 1");
    assert_eq!(
        stored(&early).keys().filter(|(table, _)| *table == "conversation_parts").count(),
        stored(&late).keys().filter(|(table, _)| *table == "conversation_parts").count() + 20
    );
}

#[tokio::test]
async fn a_change_in_the_same_second_as_the_fetch_is_found() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let id = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let sql = "UPDATE conversation_parts_state SET fetched_at = updated_at WHERE conversation_id = ?1";
    store.connection().execute(sql, [&id]).unwrap();
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 1);
    fixture.sync(&mut store).await;
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 0);
}

#[tokio::test]
async fn a_slightly_too_high_part_count_is_not_a_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("store.db")).unwrap();
    let document = |parts: &str| {
        format!(
            r#"{{"id":"7","updated_at":5,"statistics":{{"count_conversation_parts":4}},
                "conversation_parts":{{"conversation_parts":[{parts}],"total_count":4}}}}"#
        )
    };
    let mut sync = |document: String| {
        let detail = Detail::read(&OF_CONVERSATIONS, &document, Some(5), 9).unwrap();
        store.store_details(&[detail], 9).unwrap();
        let sql =
            "SELECT parts || ' ' || truncated FROM conversation_parts_state WHERE conversation_id = '7'";
        text(&store, sql).unwrap()
    };
    assert_eq!(sync(document(r#"{"id":"1"},{"id":"2"},{"id":"3"}"#)), "3 0");
    assert_eq!(sync(document(r#"{"id":"1"},{"id":"3"}"#)), "2 0", "a deleted part is removed");
}
