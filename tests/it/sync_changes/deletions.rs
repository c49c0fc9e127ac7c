//! Deleted, merged and unlinked records are removed, and no others.

use super::*;

#[tokio::test]
async fn deleted_and_merged_records_are_pruned_and_counted() {
    assert_deletions_are_removed(&SyncOptions { prune: true, ..options() }).await;
}

/// When the workspace counts fewer records than are stored, everything is listed.
#[tokio::test]
async fn a_later_run_detects_deletions() {
    assert_deletions_are_removed(&options()).await;
}

async fn assert_deletions_are_removed(options: &SyncOptions) {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let (lead, user, gone, conversation, company, article, ticket) =
        fixture.sandbox.with_workspace(|workspace| {
            let mut contacts: Vec<_> =
                workspace.contacts.iter().map(|contact| (contact.id.clone(), contact.is_user)).collect();
            contacts.sort();
            let lead = contacts.iter().find(|contact| !contact.1).unwrap().0.clone();
            let mut users = contacts.iter().filter(|contact| contact.1).map(|contact| contact.0.clone());
            (
                lead,
                users.next().unwrap(),
                users.next().unwrap(),
                some_conversation(workspace),
                workspace.companies.iter().map(|company| company.id.clone()).max().unwrap(),
                workspace.articles.iter().map(|article| article.id.clone()).max().unwrap(),
                workspace.tickets.iter().map(|ticket| ticket.id.clone()).max().unwrap(),
            )
        });
    fixture.sandbox.advance(2 * HOUR);
    let merge = crate::support::merge_body(&lead, &user);
    call(&fixture, "MergeContact", &[], Some(merge)).await;
    call(&fixture, "DeleteContact", &[&gone], None).await;
    call(&fixture, "deleteConversation", &[&conversation], None).await;
    call(&fixture, "deleteCompany", &[&company], None).await;
    call(&fixture, "deleteArticle", &[&article], None).await;
    call(&fixture, "deleteTicket", &[&ticket], None).await;
    let (summary, _) = fixture.sync_with(&mut store, options).await;
    assert!(summary.complete, "{summary:?}");
    let deleted = |resource| written(&summary, resource).deleted;
    assert_eq!((deleted(ResourceName::Contacts), deleted(ResourceName::Companies)), (2, 1));
    assert_eq!(deleted(ResourceName::Conversations), 1);
    assert_eq!((deleted(ResourceName::Articles), deleted(ResourceName::Tickets)), (1, 1));
    assert_same(&store, &fixture.sandbox);
    let orphans = "conversation_parts_state WHERE conversation_id NOT IN (SELECT id FROM conversations)";
    assert_eq!(count(&store, orphans), 0);
    assert_eq!(count(&store, "sync_seen"), 0);
}

/// A count that disagrees with the list must not cause a full listing in every run.
#[tokio::test]
async fn a_too_low_count_triggers_one_full_listing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let change = |sql: &str| store.connection().execute(sql, []).unwrap();
    change("INSERT INTO contacts (id, synced_at, raw) VALUES ('beyond the count', 0, '{}')");
    change("UPDATE sync_state SET surplus = 1 WHERE resource = 'contacts'");
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!(fixture.calls("ListContacts"), 1, "the count alone");
    // It is checked again a day later.
    store.connection().execute("UPDATE sync_state SET checked_at = checked_at - 86400", []).unwrap();
    assert_eq!(written(&fixture.sync(&mut store).await, ResourceName::Contacts).deleted, 1);
    assert_same(&store, &fixture.sandbox);
}

/// The first record of the second page moves to the first one.
#[tokio::test]
async fn a_shrinking_numbered_list_is_read_again() {
    let fixture = Fixture::new(Options { articles: 50, ..small() }).await;
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("listArticles") && pages.fetch_add(1, Ordering::Relaxed) == 1 {
            let newest = workspace.articles.newest_first().next().unwrap().id.clone();
            workspace.articles.remove(&newest);
        }
        None
    });
    let mut store = fixture.store("one.db");
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Articles)).await;
    assert!(summary.complete, "{summary:?}");
    let missing = fixture.sandbox.with_workspace(|workspace| {
        let stored = |id: &str| {
            let sql = "SELECT count(*) FROM articles WHERE id = ?1";
            store.connection().query_row(sql, [id], |row| row.get::<_, i64>(0)).unwrap()
        };
        workspace.articles.iter().filter(|article| stored(&article.id) == 0).count()
    });
    assert_eq!(missing, 0);
}

#[tokio::test]
async fn links_to_deleted_records_are_removed() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let one = |sql: &str| store.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let company =
        one("SELECT company_id FROM contact_companies GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
    let tag = one("SELECT tag_id FROM conversation_tags GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");
    fixture.sandbox.with_workspace(|workspace| {
        // Nothing else changes, so neither the contacts nor the conversations are fetched again.
        workspace.companies.remove(&company).unwrap();
        workspace.tags.remove(&tag).unwrap();
    });
    fixture.sandbox.advance(3 * HOUR);
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    for table in [
        format!("companies WHERE id = '{company}'"),
        format!("contact_companies WHERE company_id = '{company}'"),
        format!("tags WHERE id = '{tag}'"),
        format!("contact_tags WHERE tag_id = '{tag}'"),
        format!("conversation_tags WHERE tag_id = '{tag}'"),
    ] {
        assert_eq!(count(&store, &table), 0, "{table}");
    }
    assert!(count(&store, "conversation_tags") > 0);
}

/// A document may refer to a record that was just found to be deleted.
#[tokio::test]
async fn dangling_links_are_resolved() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let change = |sql: &str| assert!(store.connection().execute(sql, []).unwrap() > 0, "{sql}");
    change("INSERT INTO contact_companies SELECT id, 'gone' FROM contacts LIMIT 3");
    change("INSERT INTO conversation_tags SELECT id, '404' FROM conversations LIMIT 2");
    let before = (count(&store, "contact_companies"), count(&store, "conversation_tags"));
    fixture.sandbox.forget_requests();
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    assert_eq!((fixture.calls("RetrieveACompanyById"), fixture.calls("findTag")), (1, 1));
    assert_eq!(
        (count(&store, "contact_companies"), count(&store, "conversation_tags")),
        (before.0 - 3, before.1 - 2)
    );
    fixture.sandbox.forget_requests();
    fixture.sync(&mut store).await;
    assert_eq!((fixture.calls("RetrieveACompanyById"), fixture.calls("findTag")), (0, 0));
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn an_incomplete_listing_prunes_nothing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let before = count(&store, "contacts");
    fixture.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.newest_first().next().unwrap().id.clone();
        workspace.contacts.remove(&id).unwrap();
    });
    let pages = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |_, served| {
        let late = served.operation == Some("ListContacts") && pages.fetch_add(1, Ordering::Relaxed) >= 2;
        late.then_some(401)
    });
    let prune = SyncOptions { prune: true, ..only(ResourceName::Contacts) };
    assert!(!fixture.sync_with(&mut store, &prune).await.0.complete);
    assert_eq!(count(&store, "contacts"), before);
    // A failed lookup does not prove a deletion.
    fixture.sandbox.intercept(|_, served| (served.operation == Some("ShowContact")).then_some(403));
    assert!(!fixture.sync_with(&mut store, &prune).await.0.complete);
    assert_eq!(count(&store, "contacts"), before);
    fixture.sandbox.intercept(|_, _| None);
    let (summary, _) = fixture.sync_with(&mut store, &prune).await;
    assert_eq!((summary.complete, written(&summary, ResourceName::Contacts).deleted), (true, 1));
    assert_eq!(count(&store, "contacts"), before - 1);
}

/// Records created during a full listing must not hide later deletions.
#[tokio::test]
async fn deletions_are_detected_after_records_were_added_while_listing() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let lose = |count: usize| {
        fixture.sandbox.with_workspace(|workspace| {
            let mut ids: Vec<String> =
                workspace.conversations.iter().map(|conversation| conversation.id.clone()).collect();
            ids.sort();
            ids.iter().take(count).for_each(|id| drop(workspace.conversations.remove(id)));
        });
    };
    for prune in [false, true] {
        fixture.sandbox.advance(2 * HOUR);
        lose(1);
        let pages = AtomicUsize::new(0);
        fixture.sandbox.intercept(move |workspace, served| {
            let listing = served.operation == Some("searchConversations");
            if listing && (3..6).contains(&pages.fetch_add(1, Ordering::Relaxed)) {
                let one = workspace.conversations.newest_first().next().unwrap().clone();
                let now = workspace.now();
                let id = format!("9{}", one.id);
                let copy = intercom::sandbox::model::conversation::Conversation {
                    id: id.clone(),
                    created_at: now,
                    updated_at: now,
                    parts: Vec::new(),
                    ..one
                };
                workspace.conversations.insert(copy);
            }
            None
        });
        let busy = SyncOptions { prune, ..options() };
        assert!(fixture.sync_with(&mut store, &busy).await.0.complete);
        fixture.sandbox.intercept(|_, _| None);
        fixture.sandbox.advance(2 * HOUR);
        lose(3);
        for _ in 0..2 {
            assert!(fixture.sync(&mut store).await.complete);
        }
        assert_same(&store, &fixture.sandbox);
    }
}
