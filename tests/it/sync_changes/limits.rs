//! Runs that are limited, partial, refused or out of disk space report it.

use super::*;

#[tokio::test]
async fn a_page_limit_is_reported() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let capped = SyncOptions { max_pages: Some(2), ..only(ResourceName::Contacts) };
    let (summary, _) = fixture.sync_with(&mut store, &capped).await;
    assert!(!summary.complete);
    assert_eq!(summary.resources[0].reason.as_deref(), Some("stopped after 2 pages"));
    assert_eq!(count(&store, "contacts"), 40);
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().watermark, None);
    let (summary, _) = fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    assert!(summary.complete && summary.resources[0].resumed);
    assert_eq!(count(&store, "contacts"), 70);
}

#[tokio::test]
async fn since_leaves_older_records_for_a_later_run() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = NOW - 10 * 86_400;
    let recent = SyncOptions { since: Some(since), ..options() };
    assert!(fixture.sync_with(&mut store, &recent).await.0.complete);
    let expected = fixture.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().filter(|conversation| conversation.updated_at >= since).count()
    });
    assert!(expected > 0 && expected < 60);
    assert_eq!(count(&store, "conversations"), expected);
    let state = store.sync_state(ResourceName::Contacts).unwrap().unwrap();
    assert_eq!((state.complete, state.floor), (true, Some(since)));
    // The next run fetches changes only.
    fixture.sandbox.advance(5 * HOUR);
    let (summary, _) = fixture.sync_with(&mut store, &recent).await;
    assert_eq!(written(&summary, ResourceName::Conversations).inserted, 0);
    // Without a limit everything is fetched.
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().floor, None);
}

/// The first page may already show that nothing else changed.
#[tokio::test]
async fn a_limit_that_cuts_nothing_is_not_reported() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    fixture.sandbox.advance(72 * HOUR);
    let capped = SyncOptions { max_pages: Some(1), ..only(ResourceName::Contacts) };
    let (summary, _) = fixture.sync_with(&mut store, &capped).await;
    assert!(summary.complete, "{summary:?}");
}

#[tokio::test]
async fn unavailable_resources_are_skipped() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| match served.operation {
        Some("listNewsItems") => Some(403),
        Some("listInternalArticles") => Some(404),
        _ => None,
    });
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    let skipped: Vec<_> =
        summary.resources.iter().filter(|outcome| outcome.skipped).map(|outcome| outcome.resource).collect();
    assert_eq!(skipped, [ResourceName::InternalArticles, ResourceName::NewsItems, ResourceName::Calls]);
    let statuses = status(&store, NOW).unwrap();
    let news = statuses.iter().find(|status| status.resource == ResourceName::NewsItems).unwrap();
    assert_eq!((news.state, news.rows), ("skipped", 0));
    assert!(news.reason.as_ref().unwrap().contains("403"));
    let contacts = statuses.iter().find(|status| status.resource == ResourceName::Contacts).unwrap();
    assert_eq!((contacts.state, contacts.rows, contacts.floor), ("complete", 70, None));
    assert!(contacts.bytes.unwrap() > 70_000 && contacts.age.unwrap() < 60);
}

#[tokio::test]
async fn pages_that_are_too_large_are_halved() {
    for fault in [Fault::Status(504), Fault::Truncate] {
        let fixture = Fixture::new(Options { contacts: 330, ..small() }).await;
        fixture.sandbox.inject_faults(move |_, served| {
            let large = served.operation == Some("ListContacts") && served.query.contains("per_page=150");
            large.then_some(fault)
        });
        let mut store = fixture.store("one.db");
        let large = SyncOptions { per_page: None, ..only(ResourceName::Contacts) };
        let (summary, _) = fixture.sync_with(&mut store, &large).await;
        assert!(summary.complete, "{summary:?}");
        assert_eq!(count(&store, "contacts"), 330);
    }
}

#[tokio::test]
async fn only_one_sync_runs_at_a_time() {
    let fixture = Fixture::new(small()).await;
    let (mut first, mut second) = (fixture.store("one.db"), fixture.store("one.db"));
    let options = options();
    let mut refusal = None;
    let (mut nothing, mut silence) = (|_: &Event| {}, |_: &Event| {});
    tokio::select! {
        biased;
        done = sync(&fixture.client, &mut first, &options, &mut nothing) => { done.unwrap(); }
        refused = sync(&fixture.client, &mut second, &options, &mut silence) => {
            refusal = Some(refused.unwrap_err());
        }
    }
    let refusal = refusal.expect("the second one gives way at once");
    assert!(
        matches!(&refusal, Error::Locked { holder: Some(holder), .. } if holder.pid == std::process::id())
    );
    assert!(refusal.to_string().contains(&format!("process {}, since 20", std::process::id())), "{refusal}");
    // Dropping the first store released its lock; the process id in the lock file does not block.
    assert!(fixture.sync(&mut second).await.complete);
}

#[tokio::test]
async fn a_full_disk_is_reported_and_leaves_the_store_intact() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages + 60).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error}");
    assert!(error.to_string().contains("no space left"), "{error}");
    store.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_mirror_with_since_is_partial() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = SyncOptions { since: Some(NOW - 20 * 86_400), ..only(ResourceName::Conversations) };
    assert!(fixture.sync_with(&mut store, &since).await.0.complete);
    let state = |store: &Store| {
        let statuses = status(store, NOW).unwrap();
        statuses.iter().find(|status| status.resource == ResourceName::Conversations).unwrap().state
    };
    assert_eq!(state(&store), "partial");
    let full = SyncOptions { full: true, ..only(ResourceName::Conversations) };
    fixture.sync_with(&mut store, &full).await;
    assert_eq!(state(&store), "complete");
}
