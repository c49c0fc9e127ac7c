//! Syncs that are interrupted, refused or disturbed.

use super::*;

#[tokio::test]
async fn a_killed_sync_resumes_where_it_stopped() {
    let fixture = Fixture::new(small()).await;
    let mut whole = fixture.store("whole.db");
    fixture.sync(&mut whole).await;

    let mut store = fixture.store("killed.db");
    for stop_after in [1, 2, 4, 7, 11, 16, 22, 23, 24] {
        // The company scroll of a killed run blocks the next one for a minute.
        let resources =
            ResourceName::ALL.iter().copied().filter(|resource| *resource != ResourceName::Companies);
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
async fn an_interrupted_list_resumes_and_keeps_its_start_time() {
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
    assert!(summary.complete && summary.resources[0].resumed, "{summary:?}");
    assert_eq!(fixture.calls("searchConversations"), 3);
    let state = store.sync_state(ResourceName::Conversations).unwrap().unwrap();
    assert_eq!((state.rows, state.watermark), (90, Some(1000)), "the start of the first run");
}

#[tokio::test]
async fn an_expired_cursor_restarts_its_resource() {
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
async fn records_that_move_or_vanish_while_listing_are_not_missed() {
    let fixture = Fixture::new(small()).await;
    let (moved, deleted) = fixture.sandbox.with_workspace(|workspace| {
        let mut ids: Vec<_> =
            workspace.conversations.newest_first().map(|conversation| conversation.id.clone()).collect();
        (ids.pop().unwrap(), ids.swap_remove(0))
    });
    let pages = AtomicUsize::new(0);
    let (first, last) = (moved.clone(), deleted.clone());
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("searchConversations") && pages.fetch_add(1, Ordering::Relaxed) == 1 {
            let at = workspace.now();
            workspace
                .apply_event(&first, ConversationEvent::new("comment", Author::Bot, at).with_body("Late"))
                .unwrap();
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
    assert_eq!(summary.resources.iter().map(|outcome| outcome.written.deleted).sum::<u64>(), 1);
    assert_same(&store, &fixture.sandbox);
    fixture.sandbox.advance(Duration::from_secs(10));
    fixture.sync(&mut store).await;
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 0);
}

#[tokio::test]
async fn a_failed_resource_does_not_stop_the_others() {
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
async fn failed_conversations_are_retried() {
    let fixture = Fixture::new(small()).await;
    let bad = fixture.sandbox.with_workspace(|workspace| some_conversation(workspace));
    let path = format!("/conversations/{bad}");
    fixture.sandbox.intercept(move |_, served| (served.path == path).then_some(500));
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    let parts =
        summary.resources.iter().find(|outcome| outcome.resource == ResourceName::ConversationParts).unwrap();
    assert_eq!(parts.reason.as_deref(), Some("1 conversation could not be fetched"));
    assert_eq!(store.parts_due(&OF_CONVERSATIONS).unwrap(), 1);
    fixture.sandbox.intercept(|_, _| None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_refused_search_falls_back_to_the_list() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| (served.operation == Some("searchConversations")).then_some(400));
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    assert!(fixture.calls("listConversations") > 1);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_broken_scroll_restarts() {
    let fixture = Fixture::new(Options { companies: 250, conversations: 5, ..small() }).await;
    let scrolls = AtomicUsize::new(0);
    fixture.sandbox.intercept(move |workspace, served| {
        if served.operation == Some("scrollOverAllCompanies") && scrolls.fetch_add(1, Ordering::Relaxed) == 1
        {
            // Long enough for the broken scroll to expire.
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
async fn a_scroll_held_by_another_client_falls_back_to_the_list() {
    let fixture = Fixture::new(small()).await;
    let hold = |workspace: &mut intercom::sandbox::Workspace| {
        let scroll = intercom::sandbox::CompanyScroll {
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
