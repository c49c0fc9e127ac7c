//! Runs that are cut, partial, refused or out of room say so.

use super::*;

#[tokio::test]
async fn a_cap_on_pages_is_no_silent_one() {
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
async fn since_leaves_older_records_for_another_run() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = NOW - 10 * 86_400;
    let recent = SyncOptions { since: Some(since), ..options() };
    assert!(fixture.sync_with(&mut store, &recent).await.0.complete);
    let expected = fixture
        .sandbox
        .with_workspace(|it| it.conversations.iter().filter(|it| it.updated_at >= since).count());
    assert!(expected > 0 && expected < 60);
    assert_eq!(count(&store, "conversations"), expected);
    let state = store.sync_state(ResourceName::Contacts).unwrap().unwrap();
    assert_eq!((state.complete, state.floor), (true, Some(since)));
    // The same again asks for changes only.
    fixture.sandbox.advance(5 * HOUR);
    let (summary, _) = fixture.sync_with(&mut store, &recent).await;
    assert_eq!(written(&summary, ResourceName::Conversations).inserted, 0);
    // Without a limit everything comes.
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
    assert_eq!(store.sync_state(ResourceName::Contacts).unwrap().unwrap().floor, None);
}

/// The first page of a list may show already that nothing further has changed.
#[tokio::test]
async fn a_cap_that_cuts_nothing_is_no_cut() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    fixture.sync_with(&mut store, &only(ResourceName::Contacts)).await;
    fixture.sandbox.advance(72 * HOUR);
    let capped = SyncOptions { max_pages: Some(1), ..only(ResourceName::Contacts) };
    let (summary, _) = fixture.sync_with(&mut store, &capped).await;
    assert!(summary.complete, "{summary:?}");
}

#[tokio::test]
async fn what_the_workspace_does_not_offer_is_skipped() {
    let fixture = Fixture::new(small()).await;
    fixture.sandbox.intercept(|_, served| match served.operation {
        Some("listNewsItems") => Some(403),
        Some("listInternalArticles") => Some(404),
        _ => None,
    });
    let mut store = fixture.store("one.db");
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete, "{summary:?}");
    let skipped: Vec<_> = summary.resources.iter().filter(|it| it.skipped).map(|it| it.resource).collect();
    assert_eq!(skipped, [ResourceName::InternalArticles, ResourceName::NewsItems, ResourceName::Calls]);
    let known = status(&store, NOW).unwrap();
    let news = known.iter().find(|it| it.resource == ResourceName::NewsItems).unwrap();
    assert_eq!((news.state, news.rows), ("skipped", 0));
    assert!(news.reason.as_ref().unwrap().contains("403"));
    let contacts = known.iter().find(|it| it.resource == ResourceName::Contacts).unwrap();
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
async fn one_sync_at_a_time() {
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
    // The first was dropped, and the lock with it; what its process wrote there holds nobody up.
    assert!(fixture.sync(&mut second).await.complete);
}

#[tokio::test]
async fn a_full_disk_is_told_and_survived() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection().pragma_update(None, "max_page_count", pages + 60).unwrap();
    let error = sync(&fixture.client, &mut store, &options(), &mut |_: &Event| {}).await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error}");
    assert!(error.to_string().contains("no room left"), "{error}");
    store.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    assert!(fixture.sync(&mut store).await.complete);
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_mirror_of_the_last_days_does_not_call_itself_complete() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    let since = SyncOptions { since: Some(NOW - 20 * 86_400), ..only(ResourceName::Conversations) };
    assert!(fixture.sync_with(&mut store, &since).await.0.complete);
    let state = |store: &Store| {
        let known = status(store, NOW).unwrap();
        known.iter().find(|it| it.resource == ResourceName::Conversations).unwrap().state
    };
    assert_eq!(state(&store), "partial");
    let full = SyncOptions { full: true, ..only(ResourceName::Conversations) };
    fixture.sync_with(&mut store, &full).await;
    assert_eq!(state(&store), "complete");
}
