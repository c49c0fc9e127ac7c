//! Records that refer to others, and are not updated when those are merged, deleted or linked.

use intercom::sandbox::model::plain::PlainRecord;
use serde_json::json;

use super::*;

/// Id, contact and document of every call, as stored.
fn stored_calls(store: &Store) -> Vec<(String, Option<String>, String)> {
    let mut statement =
        store.connection().prepare("SELECT id, contact_id, raw FROM calls ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

fn assert_calls(store: &Store, fixture: &Fixture) {
    let mut expected: Vec<_> = fixture.sandbox.with_workspace(|workspace| {
        let calls = workspace.calls.iter();
        let contact = |call: &PlainRecord| call.document["contact_id"].as_str().map(str::to_owned);
        calls.map(|call| (call.id.clone(), contact(call), call.document.to_string())).collect()
    });
    expected.sort();
    assert_eq!(stored_calls(store), expected);
}

#[tokio::test]
async fn calls_follow_merged_and_deleted_contacts() {
    let fixture = Fixture::new(Options { calls: 60, ..small() }).await;
    let mut store = fixture.store("one.db");
    let (leads, user, gone) = fixture.sandbox.with_workspace(|workspace| {
        let ids = |is_user: bool| {
            let people = workspace.contacts.iter().filter(|contact| contact.is_user == is_user);
            let mut ids: Vec<String> = people.map(|contact| contact.id.clone()).collect();
            ids.sort();
            ids
        };
        let (leads, users) = (ids(false), ids(true));
        // Old calls are not in a list of recent ones.
        let mut calls: Vec<String> = workspace.calls.newest_first().map(|call| call.id.clone()).collect();
        calls.reverse();
        for (place, contact) in
            [&leads[0], &leads[0], &leads[1], &users[1], &users[1]].into_iter().enumerate()
        {
            workspace.calls.get_mut(&calls[place]).unwrap().document["contact_id"] = json!(contact);
        }
        ([leads[0].clone(), leads[1].clone()], users[0].clone(), users[1].clone())
    });
    assert!(fixture.sync(&mut store).await.complete);
    assert_calls(&store, &fixture);
    let merge = |lead: &str| Some(crate::support::merge_body(lead, &user));
    let named = |contact: &str| count(&store, &format!("calls WHERE contact_id = '{contact}'"));
    let affected = named(&leads[0]) + named(&gone);

    fixture.sandbox.advance(2 * HOUR);
    call(&fixture, "MergeContact", &[], merge(&leads[0])).await;
    call(&fixture, "DeleteContact", &[&gone], None).await;
    fixture.sandbox.forget_requests();
    assert!(fixture.sync_with(&mut fixture.store("one.db"), &options()).await.0.complete);
    assert_calls(&store, &fixture);
    assert_eq!(fixture.calls("showCall"), affected, "only the changed calls");
    assert_eq!(count(&store, "sync_rereads WHERE resource = 'calls'"), 0);

    // The calls may be left to a later run.
    fixture.sandbox.advance(2 * HOUR);
    call(&fixture, "MergeContact", &[], merge(&leads[1])).await;
    fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    assert!(count(&store, &format!("calls WHERE contact_id = '{}'", leads[1])) > 0);
    fixture.sync_with(&mut store, &only(ResourceName::Calls)).await;
    assert_calls(&store, &fixture);
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("showCall"), 0);
}

/// Linking and unlinking do not change `updated_at` of the conversation.
#[tokio::test]
async fn a_conversation_shows_its_linked_tickets() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let (conversation, ticket) = fixture.sandbox.with_workspace(|workspace| {
        let newest = workspace.conversations.iter().max_by(|one, other| one.id.cmp(&other.id)).unwrap();
        let (id, contacts) = (newest.id.clone(), newest.contacts.clone());
        let ticket = workspace.tickets.iter_mut().next().unwrap();
        ticket.contacts = contacts;
        (id, ticket.id.clone())
    });
    assert!(fixture.sync(&mut store).await.complete);
    fixture.sandbox.advance(2 * HOUR);
    fixture.sandbox.with_workspace(|workspace| {
        workspace.conversations.get_mut(&conversation).unwrap().tickets.push(ticket.clone());
    });
    fixture.sandbox.advance(25 * HOUR);
    fixture.sandbox.forget_requests();
    assert!(fixture.sync(&mut store).await.complete);
    let read = fixture.calls("retrieveConversation");
    assert!((1..=11).contains(&read), "{read} of 60");
    assert_same(&store, &fixture.sandbox);
    let linked = format!("conversations WHERE id = '{conversation}' AND instr(raw, '\"{ticket}\"') > 0");
    assert_eq!(count(&store, &linked), 1);

    fixture.sandbox.advance(2 * HOUR);
    call(&fixture, "deleteTicket", &[&ticket], None).await;
    // Tickets are synced after conversations, so the next run finds it.
    for _ in 0..2 {
        assert!(fixture.sync(&mut store).await.complete);
    }
    assert_eq!(count(&store, &linked), 0);
    assert_same(&store, &fixture.sandbox);
}
