//! A nightly sync, each time a little earlier.

use super::*;

/// Time from an extra run to the nightly one. Nightly runs are 23 hours and 59 minutes apart.
const NIGHT: Duration = Duration::from_secs(24 * 3_600 - 120);
const MINUTE: Duration = Duration::from_secs(60);

/// All members of all segments, sorted.
fn members(fixture: &Fixture) -> Vec<(String, String)> {
    let mut members: Vec<_> = fixture.sandbox.with_workspace(|workspace| {
        let contacts = workspace.contacts.iter();
        contacts
            .flat_map(|contact| contact.segments.iter().map(|segment| (segment.clone(), contact.id.clone())))
            .collect()
    });
    members.sort();
    members
}

fn stored_members(store: &Store) -> Vec<(String, String)> {
    let sql = "SELECT segment_id, contact_id FROM contact_segments ORDER BY 1, 2";
    let mut statement = store.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

/// One contact leaves a segment and another joins it, so its count stays the same.
fn swap_members(workspace: &mut intercom::sandbox::Workspace) {
    let mut ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
    ids.sort();
    let has = |id: &String, segment: &str| {
        workspace.contacts.get(id).unwrap().segments.iter().any(|own| own == segment)
    };
    let leaver = ids.iter().find(|id| !workspace.contacts.get(id).unwrap().segments.is_empty()).unwrap();
    let segment = workspace.contacts.get(leaver).unwrap().segments[0].clone();
    let joiner = ids.iter().rfind(|id| !has(id, &segment)).unwrap();
    workspace.contacts.get_mut(leaver).unwrap().segments.retain(|own| *own != segment);
    workspace.contacts.get_mut(joiner).unwrap().segments.push(segment);
}

#[tokio::test]
async fn daily_checks_run_every_night() {
    let fixture = Fixture::new(Options { articles: 12, ..small() }).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    for night in 1..=5 {
        fixture.sandbox.advance(NIGHT);
        let began = fixture.sandbox.with_workspace(|workspace| {
            workspace.articles.iter_mut().for_each(|article| article.views += 80);
            swap_members(workspace);
            workspace.now()
        });
        fixture.sandbox.forget_requests();
        assert!(fixture.sync(&mut store).await.complete, "night {night}");
        let states = status(&store, began).unwrap();
        for resource in [ResourceName::Contacts, ResourceName::Conversations, ResourceName::Tickets] {
            let state = states.iter().find(|state| state.resource == resource).unwrap();
            assert!(state.deletions_checked_at >= Some(began), "night {night}: {state:?}");
        }
        for operation in ["retrieveConversation", "getTicket"] {
            let read = fixture.calls(operation);
            assert!((10..=15).contains(&read), "night {night}: {read} of {operation}");
        }
        assert_eq!(fixture.calls("retrieveArticle"), 12, "night {night}");
        fixture.sandbox.with_workspace(|workspace| {
            for article in workspace.articles.iter() {
                let views = article.views;
                let shown = format!("articles WHERE id = '{}' AND statistics_views = {views}", article.id);
                assert_eq!(count(&store, &shown), 1, "night {night}");
            }
        });
        assert_eq!(stored_members(&store), members(&fixture), "night {night}");
        // Only once per night.
        fixture.sandbox.advance(MINUTE);
        fixture.sandbox.forget_requests();
        assert!(fixture.sync(&mut store).await.complete, "night {night}");
        for operation in ["retrieveConversation", "getTicket", "retrieveArticle"] {
            assert_eq!(fixture.calls(operation), 0, "night {night}: {operation}");
        }
    }
}
