//! Syncs with failing requests, lost connections, kills, and a changing workspace. At the end the store must equal
//! the workspace, record by record.

mod completeness;
mod contradictions;
mod exit_codes;
mod missing_ids;
mod truncation;

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::Duration;

use intercom::mirror::{Event, Store, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use tokio_util::sync::CancellationToken;

use crate::sandboxed::faults::{Dice, apply_random_change, break_every_fifth, killed_after, merge};
use crate::sandboxed::{Fixture, assert_same, dump, options};
use crate::support::{binary, document, stderr};

fn medium() -> Options {
    Options { contacts: 300, companies: 250, conversations: 200, tickets: 60, ..Options::default() }
}

#[tokio::test]
async fn a_sync_completes_although_every_fifth_request_fails() {
    for seed in [1, 2, 3] {
        let mut events = Vec::new();
        let fixture = Fixture::new(medium()).await;
        break_every_fifth(&fixture.sandbox, seed);
        let mut store = fixture.store("one.db");
        let options = SyncOptions { concurrency: 8, ..options() };
        let (mut summary, _) = fixture.sync_with(&mut store, &options).await;
        // Two retries do not suffice for this failure rate; the rest is fetched by later runs.
        for _ in 0..6 {
            if !summary.complete {
                fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
                (summary, events) = fixture.sync_with(&mut store, &options).await;
            }
        }
        assert!(summary.complete, "{summary:?} {events:?}");
        assert_same(&store, &fixture.sandbox);
    }
}

#[tokio::test]
async fn a_changing_workspace_is_mirrored() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    let mut dice = Dice(7);
    for round in 0..4 {
        let mut busy = Dice(round);
        fixture.sandbox.inject_faults(move |workspace, _| {
            if busy.below(4) == 0 {
                apply_random_change(workspace, &mut busy);
                workspace.clock.advance(Duration::from_secs(1));
            }
            None
        });
        fixture.sync(&mut store).await;
        fixture.sandbox.inject_faults(|_, _| None);
        for _ in 0..20 {
            fixture.sandbox.with_workspace(|workspace| apply_random_change(workspace, &mut dice));
        }
        merge(&fixture.client, &fixture.sandbox).await;
        fixture.sandbox.advance(Duration::from_secs(3_000));
    }
    let prune = SyncOptions { prune: true, ..options() };
    let (summary, _) = fixture.sync_with(&mut store, &prune).await;
    assert!(summary.complete, "{summary:?}");
    assert_same(&store, &fixture.sandbox);
}

#[tokio::test]
async fn a_stopped_sync_reports_its_progress() {
    let fixture = Fixture::new(medium()).await;
    let mut store = fixture.store("one.db");
    let cancel = CancellationToken::default();
    let asker = cancel.clone();
    let mut pages = 0;
    let mut observer = |event: &Event| {
        pages += u32::from(matches!(event, Event::SyncProgress { .. }));
        if pages == 25 {
            asker.cancel();
        }
    };
    let stopped = SyncOptions { cancel, ..options() };
    let summary = sync(&fixture.client, &mut store, &stopped, &mut observer).await.unwrap();
    assert!(summary.interrupted && !summary.complete);
    assert!(summary.resources.iter().any(|outcome| outcome.reason.as_deref() == Some("interrupted")));
    assert!(summary.resources.iter().any(|outcome| outcome.complete));
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete && summary.resources.iter().any(|outcome| outcome.resumed), "{summary:?}");
    assert_same(&store, &fixture.sandbox);
}

/// Runs `sync` with the binary; kills it after the time limit.
fn sync_until(home: &std::path::Path, sandbox: &Sandbox, limit: Option<Duration>) -> Option<Output> {
    let mut command = binary(home);
    command
        .args(["sync", "--json", "--db", "mirror.db"])
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url());
    match limit {
        None => Some(command.output().unwrap()),
        Some(limit) => {
            killed_after(command, limit);
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatedly_killed_sync_completes() {
    let fixture = Fixture::new(medium()).await;
    fixture.sandbox.inject_faults(|_, _| {
        // Slow enough to be killed before the end.
        std::thread::sleep(Duration::from_millis(2));
        None
    });
    let home = tempfile::tempdir().unwrap();
    let mut dice = Dice(11);
    for _ in 0..10 {
        sync_until(home.path(), &fixture.sandbox, Some(Duration::from_millis(60 + dice.below(400))));
        // The scroll of a dead process blocks the next one for a minute.
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    }
    let output = sync_until(home.path(), &fixture.sandbox, None).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let summary = document(&output)["results"].clone();
    assert_eq!(summary["complete"], true);
    let store = Store::open_read_only(&home.path().join("mirror.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
    let mut fresh = fixture.store("whole.db");
    let summary = fixture.sync(&mut fresh).await;
    assert!(summary.complete, "{summary:?}");
    // The command does this after its sync.
    intercom::report::timeline_cache::refresh(&fresh).unwrap();
    // The search index depends on insertion order.
    let kept = |store: &Store| -> BTreeSet<String> {
        dump(store).into_iter().filter(|row| !row.starts_with("texts")).collect()
    };
    let (interrupted, whole) = (kept(&store), kept(&fresh));
    let short = |row: &&String| row.chars().take(300).collect::<String>();
    let more: Vec<String> = interrupted.difference(&whole).take(3).map(|row| short(&row)).collect();
    let less: Vec<String> = whole.difference(&interrupted).take(3).map(|row| short(&row)).collect();
    assert_eq!((more, less), (vec![], vec![]), "equal to an uninterrupted sync");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_process_ends_with_its_summary() {
    let fixture = Fixture::new(medium()).await;
    fixture.sandbox.inject_faults(|_, _| {
        std::thread::sleep(Duration::from_millis(10));
        None
    });
    let home = tempfile::tempdir().unwrap();
    let mut command = binary(home.path());
    command
        .args(["sync", "--json", "--db", "mirror.db"])
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", fixture.sandbox.base_url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    while fixture.calls("retrieveConversation") < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let killed = std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let summary = document(&output)["results"].clone();
    assert_eq!((summary["complete"].clone(), summary["interrupted"].clone()), (false.into(), true.into()));
    assert!(stderr(&output).contains("again to resume"));
    fixture.sandbox.inject_faults(|_, _| None);
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    let output = sync_until(home.path(), &fixture.sandbox, None).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let store = Store::open_read_only(&home.path().join("mirror.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
}
