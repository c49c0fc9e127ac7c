//! The store and the sync, against a sandbox whose state is known.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod sandboxed;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use intercom::mirror::conversation::{Detail, OF_CONVERSATIONS};
use intercom::mirror::resources::ResourceName;
use intercom::mirror::{Error, Event, Store, SyncOptions, Workspace, schema, sync};
use intercom::sandbox::Options;
use intercom::sandbox::model::conversation::{Author, Happening};

use sandboxed::{Fixture, assert_same, dump, options, some_conversation, stored};

fn small() -> Options {
    Options { contacts: 70, companies: 30, conversations: 90, ..Options::default() }
}

fn text(store: &Store, sql: &str) -> Option<String> {
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn number(store: &Store, sql: &str) -> i64 {
    store.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn say(fixture: &Fixture, conversation: &str, author: Author) {
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        workspace.happen(conversation, Happening::new("comment", author, at).saying("<p>More</p>")).unwrap();
    });
}

#[test]
fn a_store_is_made_once_and_only_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/intercom/one.db");
    let tables = |store: &Store| text(store, "SELECT group_concat(sql) FROM sqlite_schema").unwrap();
    let mut first = Store::open(&path).unwrap();
    let before = tables(&first);
    first
        .bind(&Workspace { id_code: "abc".into(), name: Some("Acme".into()), ..Workspace::default() })
        .unwrap();
    let second = Store::open(&path).unwrap();
    assert_eq!(tables(&second), before);
    assert_eq!(number(&second, "PRAGMA user_version"), schema::VERSION);
    assert_eq!(second.workspace().unwrap().unwrap().id_code, "abc");

    let refused = first.bind(&Workspace { id_code: "xyz".into(), ..Workspace::default() }).unwrap_err();
    assert!(matches!(refused, Error::OtherWorkspace { .. }));
    assert!(refused.to_string().contains("abc (Acme)") && refused.to_string().contains("xyz"), "{refused}");

    first.connection().pragma_update(None, "user_version", 999).unwrap();
    for later in [Store::open(&path), Store::open_read_only(&path)] {
        assert!(matches!(later.unwrap_err(), Error::LaterSchema { found: 999, .. }));
    }
}

/// What an earlier version worked out otherwise must not be shown by this one.
#[test]
fn timelines_of_an_earlier_version_are_worked_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    let store = Store::open(&path).unwrap();
    let insert = "INSERT INTO conversation_timelines (conversation_id, marks) VALUES ('1', 0)";
    store.connection().execute(insert, []).unwrap();
    store.connection().pragma_update(None, "user_version", 8).unwrap();
    assert_eq!(number(&Store::open(&path).unwrap(), "SELECT count(*) FROM conversation_timelines"), 0);
}

#[test]
fn reading_needs_a_store_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    assert!(matches!(Store::open_read_only(&path).unwrap_err(), Error::Missing { .. }));
    assert!(!path.exists());
    drop(Store::open(&path).unwrap());
    let mut store = Store::open_read_only(&path).unwrap();
    assert!(store.begin(ResourceName::Tags, 1).is_err());
    assert_eq!(store.sync_state(ResourceName::Tags).unwrap(), None);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private/one.db");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut store = Store::open(&path).unwrap();
    store.begin(ResourceName::Tags, 1).unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&path.with_file_name(format!("one.db{suffix}"))), 0o600, "{suffix}");
    }
    drop(store);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(Store::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("one.db")).unwrap();
    let contacts = ResourceName::Contacts.resource();
    let mut put = |document: &str| store.store_page(contacts, [document], None, 1).unwrap();
    let first = put(r#"{"id": "a", "name": "New", "updated_at": 20}"#);
    assert_eq!((first.inserted, first.updated), (1, 0));
    assert_eq!(put(r#"{"id": "a", "name": "Old", "updated_at": 19}"#).updated, 0);
    assert_eq!(put(r#"{"id": "a", "name": "Same second", "updated_at": "20"}"#).updated, 1);
    assert_eq!(put(r#"{"id": "a", "name": "Same second", "updated_at": "20"}"#).updated, 0);
    assert_eq!(put(r#"{"id": "a", "name": "Timeless"}"#).updated, 1);
    assert_eq!(text(&store, "SELECT name FROM contacts").as_deref(), Some("Timeless"));
}

#[test]
fn odd_documents_are_stored_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("one.db")).unwrap();
    let documents = [
        r#"{ "id":12345678901234567 , "email":null,"created_at":"1663597223","owner_id":0,"x":1.50}"#,
        r#"{"name": "nobody"}"#,
        "null",
        r#"{"id": "b", "created_at": "2022-09-19T14:20:23Z", "role": {"odd": true}}"#,
    ];
    let written = store.store_page(ResourceName::Contacts.resource(), documents, None, 1).unwrap();
    assert_eq!((written.fetched, written.inserted, written.unidentified), (4, 2, 2));
    let rows = "SELECT group_concat(id || ' ' || created_at || ' ' || coalesce(owner_id, '-') || ' ' || raw, char(10))
                FROM (SELECT * FROM contacts ORDER BY id)";
    let expected =
        format!("12345678901234567 1663597223 - {}\nb 1663597223 - {}", documents[0], documents[3]);
    assert_eq!(text(&store, rows).unwrap(), expected);
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
async fn a_second_sync_fetches_only_the_parts_that_changed() {
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
    say(&fixture, &id, Author::Bot);
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("retrieveConversation"), 1);
    let parts = summary.resources.iter().find(|it| it.resource == ResourceName::ConversationParts).unwrap();
    assert_eq!(parts.written.inserted, 1);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_killed_sync_goes_on_where_it_stopped() {
    let fixture = Fixture::new(small()).await;
    let mut whole = fixture.store("whole.db");
    fixture.sync(&mut whole).await;

    let mut store = fixture.store("killed.db");
    for stop_after in [1, 2, 4, 7, 11, 16, 22, 23, 24] {
        // The companies' scroll of a killed run would be in the way for a minute.
        let resources = ResourceName::ALL.iter().copied().filter(|it| *it != ResourceName::Companies);
        let options = SyncOptions { resources: resources.collect(), ..options() };
        let (sender, mut killed) = tokio::sync::mpsc::unbounded_channel();
        let seen = AtomicUsize::new(0);
        let mut observer = |event: &Event| {
            if matches!(event, Event::SyncProgress { .. })
                && seen.fetch_add(1, Ordering::Relaxed) + 1 == stop_after
            {
                sender.send(()).unwrap();
            }
        };
        tokio::select! {
            biased;
            _ = killed.recv() => {}
            done = sync(&fixture.client, &mut store, &options, &mut observer) => { done.unwrap(); }
        }
    }
    let (summary, _) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!(dump(&store), dump(&whole));
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn an_interrupted_walk_resumes_and_keeps_its_start() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let only = SyncOptions { resources: vec![ResourceName::Conversations], ..options() };
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |_, served| {
        let late =
            served.operation == Some("searchConversations") && pages.fetch_add(1, Ordering::Relaxed) >= 2;
        late.then_some(401)
    });
    let (summary, events) = fixture.sync_with(&mut store, &only).await;
    assert!(!summary.complete);
    assert!(events.iter().any(|event| matches!(event, Event::SyncError { .. })));
    let interrupted = store.sync_state(ResourceName::Conversations).unwrap().unwrap();
    assert_eq!((interrupted.rows, interrupted.watermark, interrupted.complete), (40, None, false));
    assert!(interrupted.cursor.is_some() && interrupted.reason.unwrap().contains("401"));

    store.connection().execute("UPDATE sync_state SET started_at = 1000", []).unwrap();
    fixture.sandbox.intercept(|_, _| None);
    fixture.sandbox.forget_requests();
    let (summary, _) = fixture.sync_with(&mut store, &only).await;
    assert!(summary.complete && summary.resources[0].resumed);
    assert_eq!(fixture.calls("searchConversations"), 3);
    let state = store.sync_state(ResourceName::Conversations).unwrap().unwrap();
    assert_eq!((state.rows, state.watermark), (90, Some(1000)), "the start of the first run");
}

#[tokio::test]
async fn an_expired_cursor_starts_its_resource_over() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    for (resource, operation) in
        [(ResourceName::Contacts, "ListContacts"), (ResourceName::Conversations, "searchConversations")]
    {
        store.begin(resource, 5).unwrap();
        let cursor = format!(r#"{{"operation":"{operation}","position":{{"starting_after":"expired"}}}}"#);
        store
            .connection()
            .execute("UPDATE sync_state SET cursor = ?1 WHERE resource = ?2", (cursor, resource.as_str()))
            .unwrap();
    }
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
    let warned = |wanted| {
        events
            .iter()
            .filter(|event| matches!(event, Event::SyncWarning { resource, .. } if *resource == Some(wanted)))
            .count()
    };
    assert_eq!((warned(ResourceName::Contacts), warned(ResourceName::Conversations)), (1, 1));
    assert!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().watermark.unwrap() > 5);
}

#[tokio::test]
async fn what_moves_or_vanishes_during_the_walk_is_not_missed() {
    let fixture = Fixture::new(small()).await;
    let (moved, deleted) = fixture.sandbox.with_workspace(|workspace| {
        let mut ids: Vec<_> = workspace.conversations.newest_first().map(|it| it.id.clone()).collect();
        (ids.pop().unwrap(), ids.swap_remove(0))
    });
    let pages = AtomicUsize::new(0);
    let (first, last) = (moved.clone(), deleted.clone());
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("searchConversations") && pages.fetch_add(1, Ordering::Relaxed) == 1 {
            let at = workspace.now();
            workspace.happen(&first, Happening::new("comment", Author::Bot, at).saying("Late")).unwrap();
        }
        if served.operation == Some("retrieveConversation") {
            workspace.conversations.remove(&last);
        }
        None
    });
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    let late = format!(
        "SELECT count(*) FROM conversation_parts WHERE conversation_id = '{moved}' AND raw LIKE '%Late%'"
    );
    assert_eq!(number(&store, &late), 1);
    let listed = format!("SELECT count(*) FROM conversations WHERE id = '{deleted}'");
    assert_eq!(number(&store, &listed), 0);
    assert_eq!(summary.resources.iter().map(|it| it.written.deleted).sum::<u64>(), 1);
    assert_same(&store, &fixture.sandbox);
    fixture.sandbox.advance(Duration::from_secs(10));
    fixture.sync(&mut store).await;
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 0);
}

#[tokio::test]
async fn one_resource_that_fails_does_not_stop_the_others() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| (served.operation == Some("ListContacts")).then_some(500));
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(!summary.complete);
    for outcome in &summary.resources {
        let failed = outcome.resource == ResourceName::Contacts;
        assert_eq!(outcome.complete || outcome.skipped, !failed, "{outcome:?}");
        assert_eq!(outcome.reason.is_none(), outcome.complete);
    }
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().watermark, None);
    fixture.sandbox.intercept(|_, _| None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn conversations_that_fail_are_due_again() {
    let fixture = Fixture::new(small()).await;
    let bad = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let path = format!("/conversations/{bad}");
    fixture.sandbox.intercept(move |_, served| (served.path == path).then_some(500));
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    let parts = summary.resources.iter().find(|it| it.resource == ResourceName::ConversationParts).unwrap();
    assert_eq!(parts.reason.as_deref(), Some("1 conversations could not be fetched"));
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 1);
    fixture.sandbox.intercept(|_, _| None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_refused_search_is_replaced_by_the_list() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| (served.operation == Some("searchConversations")).then_some(400));
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    assert!(fixture.calls("listConversations") > 1);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_scroll_that_breaks_begins_again() {
    let fixture = Fixture::new(Options { companies: 250, conversations: 5, ..small() }).await;
    let scrolls = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("scrollOverAllCompanies") && scrolls.fetch_add(1, Ordering::Relaxed) == 1
        {
            // Long enough for the broken scroll to be forgotten.
            workspace.clock.advance(Duration::from_secs(90));
            return Some(400);
        }
        None
    });
    let mut store = fixture.store("one.db");
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{events:?}");
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::SyncWarning { resource: Some(ResourceName::Companies), .. }))
    );
    assert_eq!(number(&store, "SELECT count(*) FROM companies"), 250);
}

#[tokio::test]
async fn a_scroll_held_by_somebody_else_leaves_the_list() {
    let fixture = Fixture::new(small()).await;
    let hold = |workspace: &mut intercom::sandbox::Workspace| {
        let scroll = intercom::sandbox::Scroll {
            token: "theirs".into(),
            remaining: vec!["x".into()],
            used_at: workspace.now(),
        };
        workspace.scroll = Some(scroll);
    };
    fixture.sandbox.with_workspace(hold);
    let mut store = fixture.store("one.db");
    let only = SyncOptions {
        resources: vec![ResourceName::Companies],
        scroll_patience: Duration::ZERO,
        ..options()
    };
    let (summary, _) = fixture.sync_with(&mut store, &only).await;
    let (all, listed) = fixture
        .sandbox
        .with_workspace(|workspace| (workspace.companies.len(), workspace.company_sizes().len()));
    assert_eq!(number(&store, "SELECT count(*) FROM companies") as usize, listed);
    assert!(listed < all, "some companies have no users");
    assert!(!summary.complete);
    assert!(summary.resources[0].reason.as_ref().unwrap().contains("companies without users"));
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    assert!(fixture.sync_with(&mut store, &only).await.0.complete);
    assert_eq!(number(&store, "SELECT count(*) FROM companies") as usize, all);
}

#[tokio::test]
async fn parts_beyond_the_newest_500_are_missed_visibly() {
    let fixture = Fixture::new(Options { conversations: 3, ..small() }).await;
    let id = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let talk = |until: usize| {
        while fixture
            .sandbox
            .with_workspace(|workspace| workspace.conversations.get(&id).unwrap().parts.len())
            < until
        {
            say(&fixture, &id, Author::Bot);
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
    assert_eq!(state(&early), "520/520 0", "what was seen before stays");
    let mut late = fixture.store("late.db");
    assert!(fixture.sync(&mut late).await.complete);
    assert_eq!(state(&late), "500/520 1");
    assert_eq!(
        stored(&early).keys().filter(|(table, _)| *table == "conversation_parts").count(),
        stored(&late).keys().filter(|(table, _)| *table == "conversation_parts").count() + 20
    );
}

#[tokio::test]
async fn a_change_in_the_second_of_the_fetch_is_not_missed() {
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
async fn a_store_takes_one_workspace_only() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    store.bind(&Workspace { id_code: "other".into(), ..Workspace::default() }).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    let given = fixture.sandbox.with_workspace(|workspace| workspace.id.clone());
    assert!(matches!(error, Error::OtherWorkspace { .. }));
    assert!(error.to_string().contains("other") && error.to_string().contains(&given), "{error}");
    assert!(stored(&store).is_empty());
}

#[tokio::test]
async fn a_count_that_promises_more_than_is_handed_out_is_no_truncation() {
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
    assert_eq!(sync(document(r#"{"id":"1"},{"id":"3"}"#)), "2 0", "a part that is gone is gone here too");
}
