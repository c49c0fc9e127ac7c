//! Details that lists omit: links of contacts, members of segments, parts of tickets.

use super::*;

/// A request that failed after all retries is repeated later in the run.
#[tokio::test]
async fn a_conversation_that_fails_at_first_is_retried() {
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

/// An empty response is neither the end of a list nor a conversation without parts.
#[tokio::test]
async fn empty_responses_are_retried() {
    let fixture = Fixture::new(small()).await;
    let asked = Mutex::new(BTreeSet::new());
    fixture.sandbox.inject_faults(move |_, served| {
        let scrolls = served.operation == Some("scrollOverAllCompanies");
        let is_first = || asked.lock().unwrap().insert((served.path.clone(), served.query.clone()));
        (!scrolls && is_first()).then_some(Fault::Blank)
    });
    let mut store = fixture.store("one.db");
    let (summary, events) = fixture.sync_with(&mut store, &options()).await;
    assert!(summary.complete, "{summary:?} {events:?}");
    assert_same(&store, &fixture.sandbox);
}

/// The count of the segment stays the same.
#[tokio::test]
async fn a_replaced_segment_member_is_found_within_a_day() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let (segment, leaver, joiner) = fixture.sandbox.with_workspace(|workspace| {
        let leaver = workspace.contacts.iter().find(|contact| !contact.segments.is_empty()).unwrap();
        let segment = leaver.segments[0].clone();
        let joiner = workspace.contacts.iter().find(|contact| !contact.segments.contains(&segment)).unwrap();
        let (leaver, joiner) = (leaver.id.clone(), joiner.id.clone());
        workspace.contacts.get_mut(&leaver).unwrap().segments.retain(|other| *other != segment);
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

#[tokio::test]
async fn lists_of_a_contact_are_fetched_beyond_ten_entries() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let compare = |store: &Store| {
        fixture.sandbox.with_workspace(|workspace| {
            let crowded = workspace.contacts.iter().max_by_key(|contact| contact.notes.len()).unwrap();
            assert!(crowded.tags.len() > 10 && crowded.notes.len() > 10 && crowded.companies.len() > 10);
            let own = |table: &str| count(store, &format!("{table} WHERE contact_id = '{}'", crowded.id));
            assert_eq!(own("contact_tags"), crowded.tags.len());
            assert_eq!(own("contact_notes"), crowded.notes.len());
            assert_eq!(own("contact_companies"), crowded.companies.len());
            let all = |of: fn(&intercom::sandbox::model::contact::ContactRecord) -> usize| {
                workspace.contacts.iter().map(of).sum::<usize>()
            };
            assert_eq!(count(store, "contact_tags"), all(|contact| contact.tags.len()));
            assert_eq!(count(store, "contact_notes"), all(|contact| contact.notes.len()));
            assert_eq!(count(store, "contact_companies"), all(|contact| contact.companies.len()));
            assert_eq!(count(store, "contact_segments"), all(|contact| contact.segments.len()));
        });
    };
    compare(&store);
    fixture.sandbox.advance(2 * HOUR);
    fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().max_by_key(|contact| contact.notes.len()).unwrap().id.clone();
        workspace.touch_contact(&id).unwrap().tags.pop();
    });
    fixture.sync(&mut store).await;
    compare(&store);
}

#[tokio::test]
async fn missing_ticket_parts_are_fetched() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sandbox.advance(HOUR);
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("getTicket"), 0, "the list of tickets includes their parts");
    let sql = "UPDATE ticket_parts_state SET updated_at = 1 WHERE parts > 0";
    let stale = store.connection().execute(sql, []).unwrap();
    store.connection().execute("DELETE FROM ticket_parts", []).unwrap();
    assert_eq!(store.parts_due(&OF_TICKETS).unwrap() as usize, stale);
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::TicketParts)).await;
    assert!(summary.complete);
    assert_eq!(fixture.calls("getTicket"), stale);
    assert_same(&store, &fixture.sandbox);
}
