//! A sync reports itself complete only when everything was fetched, and otherwise the kind of failure.

use std::path::Path;
use std::process::Output;

use intercom::mirror::conversation::OF_CONVERSATIONS;
use intercom::mirror::{Cause, ResourceName, Store, Summary, SyncOptions, status};
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use intercom::sandbox::{Options, Quirk, Sandbox};
use serde_json::Value;

use super::{Duration, TOKEN};
use crate::sandboxed::{Fixture, NOW, assert_same, options, some_conversation};
use crate::support::{binary, document, stderr};

pub fn small() -> Options {
    Options { contacts: 70, companies: 130, conversations: 60, tickets: 20, ..Options::default() }
}

pub fn quirk(fixture: &Fixture, quirks: &[&str]) {
    let quirks: Vec<Quirk> = quirks.iter().map(|quirk| quirk.parse().unwrap()).collect();
    fixture.sandbox.with_workspace(|workspace| {
        workspace.quirks = quirks;
        workspace.scroll = None;
    });
}

fn only(resource: ResourceName) -> SyncOptions {
    SyncOptions { resources: vec![resource], ..options() }
}

pub fn outcome(summary: &Summary, resource: ResourceName) -> &intercom::mirror::ResourceOutcome {
    summary.resources.iter().find(|outcome| outcome.resource == resource).unwrap()
}

pub fn watermark(store: &Store, resource: ResourceName) -> Option<i64> {
    store.sync_state(resource).unwrap().and_then(|state| state.watermark)
}

pub fn count(store: &Store, table: &str) -> usize {
    let sql = format!("SELECT count(*) FROM {table}");
    store.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
}

pub fn run(home: &Path, sandbox: &Sandbox, arguments: &str) -> Output {
    let mut command = binary(home);
    command.args(arguments.split_whitespace()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    command.env("INTERCOM_BASE_URL", sandbox.base_url()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirrored_resource_that_is_refused_is_missing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let both = [ResourceName::Conversations, ResourceName::ConversationParts];
    let before = both.map(|resource| watermark(&store, resource));
    for (refusal, cause) in
        [(403, Cause::Unauthorized), (402, Cause::Refused), (404, Cause::Refused), (501, Cause::Refused)]
    {
        fixture.sandbox.advance(Duration::from_secs(9_000));
        quirk(
            &fixture,
            &[
                &format!("refuse=/conversations/search:{refusal}"),
                &format!("refuse=/conversations:{refusal}"),
            ],
        );
        let summary = fixture.sync(&mut store).await;
        assert!(!summary.complete, "{refusal}");
        let conversations = outcome(&summary, ResourceName::Conversations);
        assert!(!conversations.complete && !conversations.skipped, "{conversations:?}");
        assert_eq!(conversations.cause, Some(cause), "{refusal}");
        assert!(!outcome(&summary, ResourceName::ConversationParts).complete);
        assert!(outcome(&summary, ResourceName::Tickets).complete);
        assert_eq!(both.map(|resource| watermark(&store, resource)), before, "both are as old as before");
        let states = status(&store, NOW).unwrap();
        for resource in both {
            let state = states.iter().find(|one| one.resource == resource).unwrap();
            assert_eq!(state.state, "incomplete", "{resource}");
        }
    }
    quirk(&fixture, &[]);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_resource_that_was_named_is_a_failure() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    for (refusal, code) in [(403, 4), (402, 6), (404, 6), (501, 6)] {
        quirk(&fixture, &[&format!("refuse=/contacts:{refusal}")]);
        let db = format!("{refusal}.db");
        let output =
            run(home.path(), &fixture.sandbox, &format!("sync --json --resources contacts --db {db}"));
        assert_eq!(output.status.code(), Some(code), "{refusal}: {}", stderr(&output));
        assert_eq!(document(&output)["meta"]["complete"], false);
        let status = run(home.path(), &fixture.sandbox, &format!("status --json --db {db}"));
        assert_eq!(document(&status)["meta"]["complete"], false, "{refusal}");
        // It was not requested, and never mirrored.
        let output = run(home.path(), &fixture.sandbox, &format!("sync --json --db all-{db}"));
        assert_eq!(output.status.code(), Some(0), "{refusal}: {}", stderr(&output));
        quirk(&fixture, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_reflect_the_kind_of_failure() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    let sync = |db: &str| run(home.path(), &fixture.sandbox, &format!("sync --json --db {db}")).status.code();
    for (status, code) in [(401, 4), (403, 4), (400, 6)] {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        let db = format!("{status}.db");
        assert_eq!(sync(&db), Some(0));
        fixture.sandbox.intercept(move |_, served| (served.operation == Some("listTags")).then_some(status));
        assert_eq!(sync(&db), Some(code), "{status}");
        fixture.sandbox.intercept(|_, _| None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_without_conversations_are_an_error() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &fixture.sandbox, "sync --json --resources conversation_parts --db one.db");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("no conversations in the mirror"), "{}", stderr(&output));
}

#[tokio::test]
async fn errors_and_other_arrays_are_not_pages() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    quirk(&fixture, &["errors-in-success=/conversations/search", "errors-in-success=/contacts"]);
    let summary = fixture.sync(&mut store).await;
    for resource in [ResourceName::Conversations, ResourceName::Contacts] {
        assert!(!outcome(&summary, resource).complete, "{summary:?}");
        assert_eq!((watermark(&store, resource), count(&store, resource.as_str())), (None, 0));
    }
    quirk(&fixture, &[]);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_short_list_is_incomplete_and_filled_later() {
    for path in ["/contacts", "/conversations/search", "/tickets/search", "/articles"] {
        let fixture = Fixture::new(small()).await;
        let mut store = fixture.store("one.db");
        quirk(&fixture, &[&format!("short-page={path}")]);
        let summary = fixture.sync(&mut store).await;
        let resource = match path {
            "/contacts" => ResourceName::Contacts,
            "/articles" => ResourceName::Articles,
            "/tickets/search" => ResourceName::Tickets,
            _ => ResourceName::Conversations,
        };
        if path == "/tickets/search" {
            assert!(summary.complete, "all fit on one page");
            continue;
        }
        let short = outcome(&summary, resource);
        assert!(!short.complete && short.reason.as_ref().unwrap().contains("counts"), "{path}: {short:?}");
        assert_eq!(watermark(&store, resource), None, "{path}");
        quirk(&fixture, &[]);
        assert!(fixture.sync(&mut store).await.complete, "{path}");
        assert_same(&store, &fixture.sandbox);
    }
}

/// A mirror that an earlier run considered complete.
#[tokio::test]
async fn missing_records_are_listed_again() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    store.connection().pragma_update(None, "foreign_keys", true).unwrap();
    for table in ["contacts", "conversations", "tickets", "articles"] {
        let sql = format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT 5)");
        assert_eq!(store.connection().execute(&sql, []).unwrap(), 5, "{table}");
    }
    fixture.sandbox.advance(Duration::from_secs(90_000));
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
    // When the list does not contain them either, the mirror is not complete.
    store.connection().execute("DELETE FROM contacts WHERE id = (SELECT min(id) FROM contacts)", []).unwrap();
    quirk(&fixture, &["short-page=/contacts"]);
    let before = watermark(&store, ResourceName::Contacts);
    fixture.sandbox.advance(Duration::from_secs(90_000));
    let summary = fixture.sync(&mut store).await;
    assert!(!outcome(&summary, ResourceName::Contacts).complete, "{summary:?}");
    assert_eq!(watermark(&store, ResourceName::Contacts), before);
}

#[tokio::test]
async fn lists_that_repeat_or_end_with_a_null_cursor_end() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    quirk(&fixture, &["repeating-page=/contacts", "null-cursor"]);
    let summary = fixture.sync(&mut store).await;
    let contacts = outcome(&summary, ResourceName::Contacts);
    assert!(
        !contacts.complete && contacts.reason.as_ref().unwrap().contains("pagination loop"),
        "{contacts:?}"
    );
    assert!(outcome(&summary, ResourceName::Conversations).complete, "{summary:?}");
    quirk(&fixture, &["null-cursor"]);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn too_large_pages_are_requested_smaller() {
    let fixture = Fixture::new(small()).await;
    quirk(&fixture, &["page-cap=7"]);
    let mut store = fixture.store("one.db");
    let summary = fixture.sync_with(&mut store, &SyncOptions { per_page: None, ..options() }).await.0;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_lost_or_stuck_scroll_is_incomplete() {
    for name in ["lost-scroll", "stuck-scroll"] {
        let fixture = Fixture::new(small()).await;
        let mut store = fixture.store("one.db");
        quirk(&fixture, &[name]);
        let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Companies)).await;
        assert!(!summary.complete, "{name}");
        assert!(fixture.calls("scrollOverAllCompanies") < 10, "{name}");
        quirk(&fixture, &[]);
        let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Companies)).await;
        assert!(summary.complete && count(&store, "companies") == 130, "{name}: {summary:?}");
    }
}

#[tokio::test]
async fn lists_missing_from_a_contact_are_fetched() {
    let fixture = Fixture::new(small()).await;
    let mut plain = fixture.store("plain.db");
    assert!(fixture.sync(&mut plain).await.complete);
    let tables = ["contact_notes", "contact_tags", "contact_companies"];
    let whole = tables.map(|table| count(&plain, table));
    assert!(whole.iter().all(|count| *count > 0), "{whole:?}");
    quirk(&fixture, &["null-lists"]);
    let mut store = fixture.store("null.db");
    assert!(fixture.sync(&mut store).await.complete);
    assert_eq!(tables.map(|table| count(&store, table)), whole);
    // A later version of a contact without lists does not remove them either.
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
        for id in ids {
            workspace.touch_contact(&id).unwrap().phone = Some("+15550000009".into());
        }
    });
    assert!(fixture.sync(&mut plain).await.complete);
    assert_eq!(tables.map(|table| count(&plain, table)), whole);
}

#[tokio::test]
async fn lists_missing_as_keys_are_fetched_and_delete_nothing() {
    let contacts = only(ResourceName::Contacts);
    for (field, table, lister) in [
        ("tags", "contact_tags", "listTagsForAContact"),
        ("companies", "contact_companies", "listCompaniesForAContact"),
        ("notes", "contact_notes", "listNotes"),
        ("opted_in_subscription_types", "contact_subscriptions", "listSubscriptionsForAContact"),
    ] {
        let fixture = Fixture::new(small()).await;
        let mut plain = fixture.store("plain.db");
        assert!(fixture.sync_with(&mut plain, &contacts).await.0.complete, "{field}");
        let expected = count(&plain, table);
        assert!(expected > 0 || field.starts_with("opted"), "{field}");
        quirk(&fixture, &[&format!("without={field}")]);
        fixture.sandbox.forget_requests();
        let mut store = fixture.store("without.db");
        assert!(fixture.sync_with(&mut store, &contacts).await.0.complete, "{field}");
        assert!(fixture.calls(lister) >= 70, "{field}: {}", fixture.calls(lister));
        assert_eq!(count(&store, table), expected, "{field}");
        // A newer document without the key deletes nothing either.
        fixture.sandbox.advance(Duration::from_secs(9_000));
        fixture.sandbox.with_workspace(|workspace| {
            let ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
            for id in ids {
                workspace.touch_contact(&id).unwrap().phone = Some("+15550000009".into());
            }
        });
        assert!(fixture.sync_with(&mut plain, &contacts).await.0.complete, "{field}");
        assert_eq!(count(&plain, table), expected, "{field}");
    }
}

#[tokio::test]
async fn a_list_that_answers_404_deletes_nothing() {
    let fixture = Fixture::new(small()).await;
    quirk(&fixture, &["null-lists"]);
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    fixture.sandbox.advance(Duration::from_secs(9_000));
    let id = fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().map(|contact| contact.id.clone()).min().unwrap();
        workspace.touch_contact(&id).unwrap().phone = Some("+15550000009".into());
        id
    });
    quirk(&fixture, &["null-lists", &format!("refuse=/contacts/{id}/tags:404")]);
    let summary = fixture.sync(&mut store).await;
    let contacts = outcome(&summary, ResourceName::Contacts);
    assert!(!contacts.complete && contacts.written.deleted == 0, "{contacts:?}");
    assert_eq!(count(&store, "contacts"), 70);
    // Deleted contacts are removed.
    fixture.sandbox.advance(Duration::from_secs(9_000));
    quirk(&fixture, &["null-lists"]);
    let mut fetched = false;
    let gone = id.clone();
    fixture.sandbox.intercept(move |workspace, served| {
        if served.path == format!("/contacts/{gone}/tags") && !fetched {
            fetched = true;
            workspace.contacts.remove(&gone);
        }
        None
    });
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!(count(&store, "contacts"), 69);
}

#[tokio::test]
async fn a_record_that_always_fails_is_quarantined_and_named() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let bad = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    quirk(&fixture, &[&format!("refuse=/conversations/{bad}:500")]);
    for run in 1..=3 {
        let summary = fixture.sync(&mut store).await;
        let parts = outcome(&summary, ResourceName::ConversationParts);
        assert!(!parts.complete, "run {run}");
        assert_eq!(parts.reason.as_ref().unwrap().contains(&bad), run == 3, "{parts:?}");
        assert_eq!(parts.quarantined.contains(&bad), run == 3, "{parts:?}");
    }
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!(outcome(&summary, ResourceName::ConversationParts).quarantined, std::slice::from_ref(&bad));
    assert_eq!(fixture.calls("retrieveConversation"), 0, "it rests");
    let states = status(&store, NOW).unwrap();
    let parts = states.iter().find(|one| one.resource == ResourceName::ConversationParts).unwrap();
    assert_eq!((parts.state, &parts.quarantined), ("complete", &vec![bad.clone()]));
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 0);
    // It is retried when it is due, and when it changes.
    store.connection().execute("UPDATE sync_failures SET retry_at = 1", []).unwrap();
    fixture.sandbox.forget_requests();
    assert!(fixture.sync(&mut store).await.complete, "it still fails");
    assert!(fixture.calls("retrieveConversation") > 0);
    quirk(&fixture, &[]);
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        workspace
            .apply_event(&bad, ConversationEvent::new("comment", Author::Bot, at).with_body("More"))
            .unwrap();
    });
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete && outcome(&summary, ResourceName::ConversationParts).quarantined.is_empty());
    assert_eq!(count(&store, "sync_failures"), 0);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn all_conversations_answering_404_are_not_deleted() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    quirk(&fixture, &["refuse=/conversations/*:404"]);
    let everything = SyncOptions { full: true, ..options() };
    let (summary, _) = fixture.sync_with(&mut store, &everything).await;
    assert!(!outcome(&summary, ResourceName::ConversationParts).complete, "{summary:?}");
    assert_eq!(count(&store, "conversations"), 60);
    quirk(&fixture, &[]);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn meta_counts_quarantined_records() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    let bad = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    quirk(&fixture, &[&format!("refuse=/conversations/{bad}:422")]);
    let mut codes = Vec::new();
    let mut last = Value::Null;
    for _ in 0..4 {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        let output = run(home.path(), &fixture.sandbox, "sync --json --db one.db");
        codes.push(output.status.code().unwrap());
        last = document(&output);
    }
    assert_eq!(codes, [6, 6, 6, 0]);
    assert_eq!((&last["meta"]["quarantined"], &last["meta"]["complete"]), (&1.into(), &true.into()));
    let status = document(&run(home.path(), &fixture.sandbox, "status --json --db one.db"));
    assert_eq!(status["meta"]["quarantined"], 1);
    let rows = status["results"].as_array().unwrap();
    let parts = rows.iter().find(|row| row["resource"] == "conversation_parts").unwrap();
    assert_eq!(parts["quarantined"], serde_json::json!([bad]));
}

/// `tail` uses search responses, too.
#[tokio::test(flavor = "multi_thread")]
async fn tail_detects_errors_sent_with_status_200() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    quirk(&fixture, &["errors-in-success=/conversations/search"]);
    let output = run(home.path(), &fixture.sandbox, "tail conversations --since 30d --polls 1 --json");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("The gateway could not reach the service"), "{}", stderr(&output));
}
