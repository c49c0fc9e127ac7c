//! A sync on a bad day: failing answers, lost connections, kills, and a workspace that does not hold
//! still. In the end the store equals the workspace, record for record.

mod contradiction;
mod cut;
mod exits;
mod nameless;
mod verdict;

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::Duration;

use intercom::mirror::{Event, Stop, Store, SyncOptions, sync};
use intercom::sandbox::{Options, Sandbox, TOKEN};

use crate::sandboxed::faults::{Dice, apply_random_change, break_every_fifth, killed_after, merge};
use crate::sandboxed::{Fixture, assert_same, dump, options};
use crate::support::{binary, document, stderr};

fn middling() -> Options {
    Options { contacts: 300, companies: 250, conversations: 200, tickets: 60, ..Options::default() }
}

#[tokio::test]
async fn every_fifth_call_fails() {
    for seed in [1, 2, 3] {
        let mut told = Vec::new();
        let fixture = Fixture::new(middling()).await;
        break_every_fifth(&fixture.sandbox, seed);
        let mut store = fixture.store("one.db");
        let options = SyncOptions { concurrency: 8, ..options() };
        let (mut summary, _) = fixture.sync_with(&mut store, &options).await;
        // Two retries are few for so many failures; what they leave over is due again.
        for _ in 0..6 {
            if !summary.complete {
                fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
                (summary, told) = fixture.sync_with(&mut store, &options).await;
            }
        }
        assert!(summary.complete, "{summary:?} {told:?}");
        assert_same(&store, &fixture.sandbox);
    }
}

#[tokio::test]
async fn a_workspace_that_does_not_hold_still() {
    let fixture = Fixture::new(middling()).await;
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
async fn a_sync_that_is_asked_to_stop_says_how_far_it_got() {
    let fixture = Fixture::new(middling()).await;
    let mut store = fixture.store("one.db");
    let stop = Stop::default();
    let asker = stop.clone();
    let mut pages = 0;
    let mut observer = |event: &Event| {
        pages += u32::from(matches!(event, Event::SyncProgress { .. }));
        if pages == 25 {
            asker.ask();
        }
    };
    let stopped = SyncOptions { stop, ..options() };
    let summary = sync(&fixture.client, &mut store, &stopped, &mut observer).await.unwrap();
    assert!(summary.interrupted && !summary.complete);
    assert!(summary.resources.iter().any(|it| it.reason.as_deref() == Some("interrupted")));
    assert!(summary.resources.iter().any(|it| it.complete));
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    let summary = fixture.sync(&mut store).await;
    assert!(summary.complete && summary.resources.iter().any(|it| it.resumed), "{summary:?}");
    assert_same(&store, &fixture.sandbox);
}

/// A sync of the binary, until it ends or the time is up.
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
async fn a_process_that_is_killed_again_and_again() {
    let fixture = Fixture::new(middling()).await;
    fixture.sandbox.inject_faults(|_, _| {
        // Slow enough that the kills come in the middle.
        std::thread::sleep(Duration::from_millis(2));
        None
    });
    let home = tempfile::tempdir().unwrap();
    let mut dice = Dice(11);
    for _ in 0..10 {
        sync_until(home.path(), &fixture.sandbox, Some(Duration::from_millis(60 + dice.below(400))));
        // The scroll of a dead process would be in the way for a minute.
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
    // As the command does after its sync.
    intercom::report::timelines::refresh(&fresh).unwrap();
    // The search index is made from the rest, in the order in which that came.
    let kept = |store: &Store| -> BTreeSet<String> {
        dump(store).into_iter().filter(|row| !row.starts_with("texts")).collect()
    };
    let (interrupted, whole) = (kept(&store), kept(&fresh));
    let short = |row: &&String| row.chars().take(300).collect::<String>();
    let more: Vec<String> = interrupted.difference(&whole).take(3).map(|it| short(&it)).collect();
    let less: Vec<String> = whole.difference(&interrupted).take(3).map(|it| short(&it)).collect();
    assert_eq!((more, less), (vec![], vec![]), "as if it had never been interrupted");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_process_ends_with_its_summary() {
    let fixture = Fixture::new(middling()).await;
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
    assert!(stderr(&output).contains("continues where this run stopped"));
    fixture.sandbox.inject_faults(|_, _| None);
    fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    let output = sync_until(home.path(), &fixture.sandbox, None).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let store = Store::open_read_only(&home.path().join("mirror.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
}
