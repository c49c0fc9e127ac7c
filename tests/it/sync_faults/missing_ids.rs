//! Incomplete responses: records without ids, null in place of lists, unpaired surrogates.

use std::collections::BTreeMap;

use intercom::mirror::ResourceName;
use intercom::mirror::conversation::OF_CONVERSATIONS;
use intercom::sandbox::model::conversation::{Author, ConversationEvent};
use intercom::sandbox::{Options, Workspace};

use super::completeness::{count, outcome, quirk, run, small, watermark};
use super::*;
use crate::sandboxed::{expected, some_conversation, stored};
use crate::support::{document, stderr};

fn add_comment(fixture: &Fixture, conversation: &str) {
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        let comment = ConversationEvent::new("comment", Author::Bot, at).with_body("<p>More</p>");
        workspace.apply_event(conversation, comment).unwrap();
    });
}

#[tokio::test]
async fn a_list_with_a_record_without_an_id_is_incomplete_and_names_its_position() {
    for (paths, resource, place) in [
        (&["/contacts"][..], ResourceName::Contacts, "record 20 of page 1"),
        (&["/conversations/search"], ResourceName::Conversations, "record 20 of page 1"),
        (&["/tickets/search"], ResourceName::Tickets, "record 20 of page 1"),
        (&["/articles"], ResourceName::Articles, "record 20 of page 1"),
        (&["/companies/scroll", "/companies/list"], ResourceName::Companies, "record 20 of page 1"),
        (&["/tags"], ResourceName::Tags, "of page 1"),
    ] {
        let fixture = Fixture::new(small()).await;
        let mut store = fixture.store("one.db");
        let quirks: Vec<String> = paths.iter().map(|path| format!("nameless={path}")).collect();
        quirk(&fixture, &quirks.iter().map(String::as_str).collect::<Vec<_>>());
        let summary = fixture.sync(&mut store).await;
        let found = outcome(&summary, resource);
        let reason = found.reason.clone().unwrap_or_default();
        assert!(!found.complete && reason.contains("without an id"), "{resource}: {found:?}");
        assert!(reason.contains(place), "{resource}: {reason}");
        assert_eq!(watermark(&store, resource), None, "{resource}");
        if resource == ResourceName::Tags {
            let name = fixture
                .sandbox
                .with_workspace(|workspace| workspace.tags.last().unwrap().text("name").to_owned());
            assert!(reason.contains(&format!("{name:?}")), "{reason}");
        }
        quirk(&fixture, &[]);
        assert!(fixture.sync(&mut store).await.complete, "{resource}");
        assert_same(&store, &fixture.sandbox);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_without_an_id_are_named_on_stderr_and_end_the_run_with_6() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    quirk(&fixture, &["nameless=/tags"]);
    let output = run(home.path(), &fixture.sandbox, "sync --json --db one.db");
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let name =
        fixture.sandbox.with_workspace(|workspace| workspace.tags.last().unwrap().text("name").to_owned());
    let text = stderr(&output);
    assert!(text.contains("1 record came without an id") && text.contains(&name), "{text}");
    assert_eq!(document(&output)["meta"]["complete"], false);
}

/// The notes of a contact and the parts of a conversation are lists as well.
#[tokio::test]
async fn parts_and_notes_without_an_id_make_their_owner_incomplete() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let conversation = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let parts = format!("conversation_parts WHERE conversation_id = '{conversation}'");
    let before = count(&store, &parts);
    add_comment(&fixture, &conversation);
    quirk(&fixture, &[&format!("nameless=/conversations/{conversation}")]);
    for round in 1..=3 {
        let summary = fixture.sync(&mut store).await;
        let found = outcome(&summary, ResourceName::ConversationParts);
        assert!(!found.complete, "{found:?}");
        assert_eq!(found.quarantined.contains(&conversation), round == 3, "{found:?}");
        assert_eq!(count(&store, &parts), before, "the new one cannot be stored, and none is removed");
    }
    assert!(fixture.sync(&mut store).await.complete, "it is quarantined");
    quirk(&fixture, &[]);
    add_comment(&fixture, &conversation);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);

    let contact = fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().max_by_key(|contact| contact.notes.len()).unwrap().id.clone();
        workspace.clock.advance(Duration::from_secs(9_000));
        workspace.touch_contact(&id).unwrap().phone = Some("+15550000009".into());
        id
    });
    let notes = format!("contact_notes WHERE contact_id = '{contact}'");
    let before = count(&store, &notes);
    quirk(&fixture, &[&format!("nameless=/contacts/{contact}/notes")]);
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(!outcome(&summary, ResourceName::Contacts).complete, "{summary:?}");
    assert!(format!("{events:?}").contains(&format!("contact {contact}: ")), "{events:?}");
    assert_eq!(count(&store, &notes), before);
    quirk(&fixture, &[]);
    assert!(fixture.sync(&mut store).await.complete);
}

/// Number of contacts, tags and parts of conversations and tickets.
fn links(store: &Store) -> BTreeMap<&'static str, usize> {
    let tables = [
        "conversation_contacts",
        "conversation_tags",
        "conversation_parts",
        "ticket_contacts",
        "ticket_parts",
    ];
    tables.map(|table| (table, count(store, table))).into()
}

#[tokio::test]
async fn null_lists_in_a_list_response_are_fetched_per_record() {
    let fixture = Fixture::new(small()).await;
    let mut plain = fixture.store("plain.db");
    assert!(fixture.sync(&mut plain).await.complete);
    let whole = links(&plain);
    assert!(whole.values().all(|count| *count > 0), "{whole:?}");
    quirk(&fixture, &["null-links=/conversations/search", "null-links=/tickets/search"]);
    let mut store = fixture.store("null.db");
    fixture.sandbox.forget_requests();
    assert!(fixture.sync(&mut store).await.complete);
    assert_eq!(links(&store), whole);
    assert_eq!(fixture.calls("getTicket"), 20, "lists of tickets do not show what is linked");
    // Later runs do not fetch them again.
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.forget_requests();
    assert!(fixture.sync(&mut store).await.complete);
    assert_eq!((fixture.calls("getTicket"), fixture.calls("retrieveConversation")), (0, 0));
    assert_eq!(links(&store), whole);
}

#[tokio::test]
async fn null_lists_in_a_record_remove_nothing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let whole = links(&store);
    fixture.sandbox.advance(Duration::from_secs(9_000));
    let touch = |workspace: &mut Workspace| {
        let now = workspace.now();
        workspace.conversations.iter_mut().for_each(|conversation| conversation.updated_at = now);
        workspace.tickets.iter_mut().for_each(|ticket| ticket.updated_at = now);
    };
    fixture.sandbox.with_workspace(touch);
    let everywhere = ["/conversations/search", "/conversations/*", "/tickets/search", "/tickets/*"];
    let quirks = everywhere.map(|path| format!("null-links={path}"));
    quirk(&fixture, &quirks.each_ref().map(String::as_str));
    let summary = fixture.sync(&mut store).await;
    let parts = outcome(&summary, ResourceName::ConversationParts);
    assert!(!parts.complete, "parts are counted, and none came: {parts:?}");
    assert_eq!(links(&store), whole);
    assert!(store.parts_due(&OF_CONVERSATIONS).unwrap() > 0, "they are fetched again");
    quirk(&fixture, &[]);
    assert!(fixture.sync(&mut store).await.complete, "and come");
    // The document is stored as received until a newer version arrives.
    fixture.sandbox.advance(Duration::from_secs(9_000));
    fixture.sandbox.with_workspace(touch);
    assert!(fixture.sync(&mut store).await.complete);
    assert_eq!(links(&store), whole);
    assert_same(&store, &fixture.sandbox);
}

/// SQLite text and JSON readers cannot represent an unpaired surrogate.
#[tokio::test]
async fn only_unpaired_surrogates_are_replaced() {
    let fixture = Fixture::new(Options { quirks: vec!["lone-surrogates".parse().unwrap()], ..small() }).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let stored = stored(&store);
    let (mut replaced, mut same) = (0, 0);
    for (key, document) in expected(&fixture.sandbox) {
        let document_here = document.replace("</p>\"", "\\ufffd</p>\"");
        assert_eq!(stored[&key], document_here, "{key:?}");
        if document_here == document { same += 1 } else { replaced += 1 }
    }
    assert!(replaced > 50 && same > 50, "{replaced} {same}");
    store.index().unwrap();
    let sql = "SELECT count(*) FROM texts WHERE body LIKE '%\u{fffd}%'";
    assert!(store.connection().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() > 50);
}
