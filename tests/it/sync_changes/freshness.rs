//! Changes that do not move `updated_at` are found in daily slices, at a limited cost.

use super::*;
use intercom::mirror::ResourceOutcome;
use intercom::sandbox::model::plain::PlainRecord;
use intercom::sandbox::{IdSequence, Workspace, WorkspaceRecord};
use serde_json::json;

fn outcome(summary: &Summary, resource: ResourceName) -> &ResourceOutcome {
    summary.resources.iter().find(|outcome| outcome.resource == resource).unwrap()
}

/// Ids of all conversations, sorted.
fn conversations(workspace: &Workspace) -> Vec<String> {
    let mut ids: Vec<String> =
        workspace.conversations.iter().map(|conversation| conversation.id.clone()).collect();
    ids.sort();
    ids
}

fn delete_conversations(fixture: &Fixture, most: usize) {
    fixture.sandbox.with_workspace(|workspace| {
        for id in conversations(workspace).iter().take(most) {
            workspace.conversations.remove(id).unwrap();
        }
    });
}

fn full() -> SyncOptions {
    SyncOptions { per_page: None, ..options() }
}

/// Work beyond the budget of one run is left to the next, and reported.
#[tokio::test]
async fn many_deletions_are_removed_over_several_runs() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync_with(&mut store, &full()).await;
    store
        .connection()
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1200)
             INSERT INTO contacts (id, synced_at, raw) SELECT 'gone ' || i, 0, '{}' FROM n",
        )
        .unwrap();
    let contacts = SyncOptions { members: false, ..full() };
    let contacts = SyncOptions { resources: vec![ResourceName::Contacts], ..contacts };
    let (first, _) = fixture.sync_with(&mut store, &contacts).await;
    let first = outcome(&first, ResourceName::Contacts);
    assert!(first.complete && first.requests <= 1_010, "{first:?}");
    assert!(first.written.deleted > 900 && first.gone == 1_200 - first.written.deleted, "{first:?}");
    let checks = status(&store, NOW).unwrap();
    let check = checks.iter().find(|status| status.resource == ResourceName::Contacts).unwrap();
    assert_eq!((check.gone, check.deletions_under_way), (first.gone, true));
    let (second, _) = fixture.sync_with(&mut store, &contacts).await;
    let second = outcome(&second, ResourceName::Contacts);
    assert_eq!((second.written.deleted, second.gone), (first.gone, 0));
    assert_eq!(count(&store, "contacts"), 70);
    let checks = status(&store, NOW).unwrap();
    let check = checks.iter().find(|status| status.resource == ResourceName::Contacts).unwrap();
    assert!(check.deletions_checked_at.unwrap() >= NOW && !check.deletions_under_way, "{check:?}");
}

/// A hundred deletions among many records cost about one request per page, not one per record.
#[tokio::test]
async fn a_deletion_check_costs_one_request_per_page_and_runs_daily() {
    let fixture = Fixture::new(Options { contacts: 600, ..small() }).await;
    let mut store = fixture.store("one.db");
    let contacts = SyncOptions { per_page: None, ..only(ResourceName::Contacts) };
    fixture.sync_with(&mut store, &contacts).await;
    // One record is deleted and a new one is not searchable yet, so the counts agree.
    let (gone, hidden) = fixture.sandbox.with_workspace(|workspace| {
        let mut ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).collect();
        ids.sort();
        (ids[10].clone(), ids[20].clone())
    });
    store.connection().execute("DELETE FROM contacts WHERE id = ?1", [&hidden]).unwrap();
    fixture.sandbox.with_workspace(|workspace| drop(workspace.contacts.remove(&gone)));
    fixture.sandbox.advance(3 * HOUR);
    let stays = format!("contacts WHERE id = '{gone}'");
    fixture.sync_with(&mut store, &contacts).await;
    assert_eq!(count(&store, &stays), 1, "nothing shows the deletion");
    fixture.sandbox.advance(22 * HOUR);
    let (summary, _) = fixture.sync_with(&mut store, &contacts).await;
    assert_eq!(count(&store, &stays), 0);
    let requests = outcome(&summary, ResourceName::Contacts).requests;
    assert!(requests <= 30, "{requests}");
    fixture.sandbox.forget_requests();
    fixture.sync_with(&mut store, &contacts).await;
    assert!(fixture.calls("SearchContacts") <= 2, "{:?}", fixture.sandbox.requests());
}

#[tokio::test]
async fn a_mirror_with_since_removes_deletions_and_keeps_its_range() {
    for quirks in [vec![], vec!["no-search-by-ids".parse().unwrap()]] {
        let fixture = Fixture::new(Options { quirks, ..small() }).await;
        let mut store = fixture.store("one.db");
        let recent = SyncOptions { since: Some(NOW - 10 * 86_400), ..options() };
        fixture.sync_with(&mut store, &recent).await;
        let held = count(&store, "conversations");
        assert!(held > 4 && held < 60);
        let lose_held = |store: &Store, most: usize| {
            let sql = format!("SELECT id FROM conversations ORDER BY id LIMIT {most}");
            let mut statement = store.connection().prepare(&sql).unwrap();
            let ids: Vec<String> =
                statement.query_map([], |row| row.get(0)).unwrap().map(|id| id.unwrap()).collect();
            fixture.sandbox.with_workspace(|workspace| {
                ids.iter().for_each(|id| drop(workspace.conversations.remove(id).unwrap()));
            });
        };
        lose_held(&store, 2);
        fixture.sandbox.advance(25 * HOUR);
        assert!(fixture.sync_with(&mut store, &recent).await.0.complete);
        assert_eq!(count(&store, "conversations"), held - 2, "found by age");
        for prune in [
            SyncOptions { prune: true, ..recent.clone() },
            // The mirror remembers its --since.
            SyncOptions { prune: true, ..options() },
        ] {
            let before = count(&store, "conversations");
            lose_held(&store, 1);
            let (summary, _) = fixture.sync_with(&mut store, &prune).await;
            assert!(summary.complete, "{summary:?}");
            assert_eq!(count(&store, "conversations"), before - 1, "found when asked for, and nothing came");
            let state = store.sync_state(ResourceName::Conversations).unwrap().unwrap();
            assert_eq!(state.floor, recent.since);
        }
    }
}

#[tokio::test]
async fn an_interrupted_first_sync_removes_records_deleted_meanwhile() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let capped = SyncOptions { max_pages: Some(2), ..options() };
    assert!(!fixture.sync_with(&mut store, &capped).await.0.complete);
    let stored: Vec<String> = {
        let mut statement = store.connection().prepare("SELECT id FROM conversations LIMIT 15").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|id| id.unwrap()).collect()
    };
    fixture.sandbox.with_workspace(|workspace| {
        stored.iter().for_each(|id| drop(workspace.conversations.remove(id).unwrap()));
        let mut contacts: Vec<String> =
            workspace.contacts.newest_first().map(|contact| contact.id.clone()).collect();
        contacts.truncate(20);
        contacts.iter().for_each(|id| drop(workspace.contacts.remove(id).unwrap()));
        let tickets: Vec<String> = workspace.tickets.iter().take(5).map(|ticket| ticket.id.clone()).collect();
        tickets.iter().for_each(|id| drop(workspace.tickets.remove(id).unwrap()));
    });
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_server_without_search_by_id_is_listed_instead() {
    let quirks = vec!["no-search-by-ids".parse().unwrap()];
    let fixture = Fixture::new(Options { quirks, ..small() }).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    fixture.sandbox.advance(2 * HOUR);
    delete_conversations(&fixture, 3);
    let summary = fixture.sync(&mut store).await;
    assert_eq!(written(&summary, ResourceName::Conversations).deleted, 3);
    assert_same(&store, &fixture.sandbox);
}

/// None of these changes moves `updated_at` of the record.
#[tokio::test]
async fn renamed_authors_and_reply_times_are_found_at_once() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    fixture.sandbox.advance(2 * HOUR);
    let conversation = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let contact = fixture.sandbox.with_workspace(|workspace| {
        let contact = workspace.conversations.get(&conversation).unwrap().contacts[0].clone();
        workspace.touch_contact(&contact).unwrap().name = Some("Renamed Person".into());
        let admin = workspace.admins.iter_mut().next().unwrap();
        admin.name = "Renamed Teammate".into();
        contact
    });
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert!(count(&store, "conversations WHERE raw LIKE '%Renamed Person%'") > 0);
    // Teammates are synced alongside conversations, so the next run uses their new names.
    fixture.sync(&mut store).await;
    assert!(count(&store, "conversation_parts WHERE raw LIKE '%Renamed Teammate%'") > 0);
    assert_same(&store, &fixture.sandbox);

    fixture.sandbox.advance(2 * HOUR);
    fixture.sandbox.with_workspace(|workspace| {
        let at = workspace.now();
        let said =
            ConversationEvent::new("comment", Author::Contact(contact.clone()), at).with_body("Hello?");
        workspace.apply_event(&conversation, said).unwrap();
        workspace.contacts.get_mut(&contact).unwrap().last_replied_at = Some(at);
    });
    fixture.sync(&mut store).await;
    assert_same(&store, &fixture.sandbox);
}

/// Undetectable changes are found by reading a slice of all records again each day.
#[tokio::test]
async fn old_conversations_are_refetched_in_daily_slices() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    for _ in 0..8 {
        fixture.sandbox.advance(25 * HOUR);
        fixture.sandbox.forget_requests();
        assert!(fixture.sync(&mut store).await.complete);
        let read = fixture.calls("retrieveConversation");
        assert!((1..=12).contains(&read), "{read} of 60");
    }
    let day = 25 * 3_600;
    let old = format!("conversation_parts_state WHERE fetched_at < {}", NOW + day);
    assert_eq!(count(&store, &old), 0, "all of them have been read again");
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("retrieveConversation"), 0, "once a day");
}

#[tokio::test]
async fn article_statistics_are_refreshed_daily() {
    let fixture = Fixture::new(Options { articles: 12, ..small() }).await;
    let mut store = fixture.store("one.db");
    let articles = only(ResourceName::Articles);
    fixture.sync_with(&mut store, &articles).await;
    let compare = |store: &Store| {
        fixture.sandbox.with_workspace(|workspace| {
            for article in workspace.articles.iter() {
                let sql = "SELECT statistics_views || ' ' || statistics_conversations || ' ' || statistics_reactions
                                  || ' ' || typeof(statistics_happy_reaction_percentage) || ' ' || title
                           FROM articles WHERE id = ?1";
                let stored: String =
                    store.connection().query_row(sql, [&article.id], |row| row.get(0)).unwrap();
let statistics = article.statistics();
                let expected = format!(
                    "{} {} {} real {}",
                    statistics["views"], statistics["conversations"], statistics["reactions"], article.title
                );
                assert_eq!(stored, expected);
            }
        });
    };
    compare(&store);
    fixture.sandbox.advance(HOUR);
    fixture.sandbox.forget_requests();
    fixture.sync_with(&mut store, &articles).await;
    assert_eq!(fixture.calls("retrieveArticle"), 0);
    compare(&store);
    // A changed article is fetched at once.
    let id = fixture.sandbox.with_workspace(|workspace| workspace.articles.iter().next().unwrap().id.clone());
    call(&fixture, "updateArticle", &[&id], Some(r#"{"title":"Better"}"#.into())).await;
    fixture.sandbox.advance(HOUR);
    fixture.sandbox.forget_requests();
    fixture.sync_with(&mut store, &articles).await;
    assert_eq!(fixture.calls("retrieveArticle"), 1);
    compare(&store);
    // Views do not change `updated_at`.
    fixture.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.articles.iter().map(|article| article.id.clone()).collect();
        ids.iter().for_each(|id| workspace.articles.get_mut(id).unwrap().views += 80);
    });
    fixture.sandbox.advance(25 * HOUR);
    fixture.sync_with(&mut store, &articles).await;
    compare(&store);
}

#[tokio::test]
async fn unchanged_large_lists_are_refetched_in_proportion_to_their_cost() {
    let fixture = Fixture::new(Options { companies: 2_500, conversations: 0, ..small() }).await;
    let mut store = fixture.store("one.db");
    let companies = only(ResourceName::Companies);
    fixture.sync_with(&mut store, &companies).await;
    let name = |store: &Store| {
        let sql = "SELECT name FROM companies ORDER BY id LIMIT 1";
        store.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.companies.iter().map(|company| company.id.clone()).min().unwrap();
        workspace.companies.get_mut(&id).unwrap().name = Some("Fresh".into());
    });
    fixture.sandbox.forget_requests();
    let (summary, _) = fixture.sync_with(&mut store, &companies).await;
    let quiet = outcome(&summary, ResourceName::Companies);
    assert!(quiet.complete && quiet.requests == 0 && quiet.fresh_until.unwrap() > NOW, "{quiet:?}");
    assert_ne!(name(&store), "Fresh");
    let now = SyncOptions { refresh: Some(Duration::ZERO), ..companies.clone() };
    let (summary, _) = fixture.sync_with(&mut store, &now).await;
    assert!(outcome(&summary, ResourceName::Companies).requests > 20);
    assert_eq!(name(&store), "Fresh");
    fixture.sandbox.advance(Duration::from_secs(600));
    let (summary, _) = fixture.sync_with(&mut store, &companies).await;
    assert!(outcome(&summary, ResourceName::Companies).requests > 20, "{summary:?}");
}

#[tokio::test]
async fn an_unchanged_large_list_of_calls_is_not_read_again_at_once() {
    let fixture = Fixture::new(Options { calls: 500, conversations: 10, ..small() }).await;
    let mut store = fixture.store("one.db");
    let calls = only(ResourceName::Calls);
    let (summary, _) = fixture.sync_with(&mut store, &calls).await;
    assert!(outcome(&summary, ResourceName::Calls).requests > 20, "{summary:?}");
    add_call(&fixture);
    let oldest = change_the_oldest_call(&fixture);
    fixture.sandbox.forget_requests();
    let (summary, _) = fixture.sync_with(&mut store, &calls).await;
    let quiet = outcome(&summary, ResourceName::Calls);
    assert!(quiet.complete && quiet.requests == 0 && quiet.fresh_until.unwrap() > NOW, "{quiet:?}");
    assert_eq!(fixture.calls("listCalls"), 0);
    assert_eq!(count(&store, "calls"), 500);
    fixture.sandbox.advance(Duration::from_secs(600));
    let (summary, _) = fixture.sync_with(&mut store, &calls).await;
    assert!(summary.complete && outcome(&summary, ResourceName::Calls).requests > 0, "{summary:?}");
    assert_eq!(count(&store, "calls"), 501);
    assert_eq!(count(&store, &format!("calls WHERE id = '{oldest}' AND admin_id = '7'")), 1);
}

#[tokio::test]
async fn calls_listed_oldest_first_are_mirrored_completely() {
    let quirks = vec!["oldest-calls-first".parse().unwrap()];
    let fixture = Fixture::new(Options { calls: 90, conversations: 10, quirks, ..small() }).await;
    let mut store = fixture.store("one.db");
    let calls = only(ResourceName::Calls);
    assert!(fixture.sync_with(&mut store, &calls).await.0.complete);
    assert_eq!(count(&store, "calls"), 90);
    fixture.sandbox.advance(2 * HOUR);
    // The count stays the same, and the call is now the last of the list.
    let changed = change_the_oldest_call(&fixture);
    assert!(fixture.sync_with(&mut store, &calls).await.0.complete);
    assert_eq!(count(&store, &format!("calls WHERE id = '{changed}' AND admin_id = '7'")), 1);
    fixture.sandbox.advance(2 * HOUR);
    add_call(&fixture);
    let (summary, _) = fixture.sync_with(&mut store, &calls).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!(count(&store, "calls"), 91);
}

fn add_call(fixture: &Fixture) {
    fixture.sandbox.with_workspace(|workspace| {
        let (id, now) = (workspace.next_id(IdSequence::Call), workspace.now());
        let mut document = workspace.calls.first().unwrap().document.clone();
        for (field, value) in [("id", json!(id)), ("created_at", json!(now)), ("updated_at", json!(now))] {
            document[field] = value;
        }
        workspace.calls.insert(PlainRecord::new(document));
    });
}

/// Makes the oldest call the newest, and returns its id.
fn change_the_oldest_call(fixture: &Fixture) -> String {
    fixture.sandbox.with_workspace(|workspace| {
        let now = workspace.now();
        let id = workspace.calls.newest_first().last().unwrap().id.clone();
        let call = workspace.calls.get_mut(&id).unwrap();
        call.document["admin_id"] = json!("7");
        call.touch(now);
        id
    })
}

#[tokio::test]
async fn only_the_segments_of_a_new_contact_are_fetched() {
    let fixture = Fixture::new(Options { contacts: 400, ..small() }).await;
    let mut store = fixture.store("one.db");
    let people = SyncOptions { resources: vec![ResourceName::Contacts, ResourceName::Segments], ..options() };
    fixture.sync_with(&mut store, &people).await;
    store.index().unwrap();
    call(&fixture, "CreateContact", &[], Some(r#"{"email":"new@person.example"}"#.into())).await;
    fixture.sandbox.with_workspace(|workspace| {
        let segment = workspace.segments[0].id.clone();
        let id = workspace.contacts.newest_first().next().unwrap().id.clone();
        workspace.touch_contact(&id).unwrap().segments.push(segment);
    });
    fixture.sandbox.forget_requests();
    fixture.sync_with(&mut store, &people).await;
    let compare = |store: &Store| {
        let members = fixture.sandbox.with_workspace(|workspace| {
            workspace.contacts.iter().map(|contact| contact.segments.len()).sum::<usize>()
        });
        assert_eq!(count(store, "contact_segments"), members);
    };
    compare(&store);
    let asked = fixture.calls("listSegmentsForAContact");
    assert!((1..=2).contains(&asked), "{asked}");
    assert!(fixture.calls("SearchContacts") <= 3, "{:?}", fixture.sandbox.requests());
    // With members: false no segments are requested.
    fixture.sandbox.advance(25 * HOUR);
    fixture.sandbox.forget_requests();
    let without = SyncOptions { members: false, ..only(ResourceName::Contacts) };
    fixture.sync_with(&mut store, &without).await;
    assert_eq!(fixture.calls("listSegments") + fixture.calls("listSegmentsForAContact"), 0);
}
