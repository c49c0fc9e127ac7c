//! Checks that the mirror equals the workspace at full size: 20,000 contacts, 2,000 companies, 20,000
//! conversations with 5 parts each, 2,000 tickets.
//!
//! Run `cargo bench --bench equality`, or add `-- --small` for a tenth of the size. The tests do the same with a
//! few hundred records; this catches faults that appear only in large workspaces. Fails at the first difference.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/it/sandboxed/mod.rs"]
mod sandboxed;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use intercom::mirror::{Store, SyncOptions};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use sandboxed::faults::{Dice, apply_random_change, break_every_fifth, killed_after, merge};
use sandboxed::{Fixture, assert_same};

/// Number of records to change, delete or merge.
const CHANGES: usize = 500;
const KILLS: usize = 10;

fn report(case: &str, started: Instant) {
    println!("{case:64} equal after {:.1} s", started.elapsed().as_secs_f64());
}

/// Syncs until the mirror is complete, and returns the number of syncs.
async fn sync_until_complete(fixture: &Fixture, store: &mut Store) -> usize {
    let options = SyncOptions { concurrency: 64, ..SyncOptions::default() };
    for syncs in 1..=10 {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        if fixture.sync_with(store, &options).await.0.complete {
            return syncs;
        }
    }
    panic!("not complete after ten syncs");
}

async fn first_sync(fixture: &Fixture) -> Store {
    let (mut store, started) = (fixture.store("one.db"), Instant::now());
    assert_eq!(sync_until_complete(fixture, &mut store).await, 1);
    assert_same(&store, &fixture.sandbox);
    report("first sync", started);
    store
}

async fn changes_between_syncs(fixture: &Fixture, store: &mut Store) {
    let (mut dice, started) = (Dice(3), Instant::now());
    fixture.sandbox.advance(Duration::from_secs(7_200));
    for change in 0..CHANGES {
        fixture.sandbox.with_workspace(|workspace| apply_random_change(workspace, &mut dice));
        if change % 25 == 0 {
            merge(&fixture.client, &fixture.sandbox).await;
        }
    }
    fixture.sandbox.advance(Duration::from_secs(7_200));
    sync_until_complete(fixture, store).await;
    assert_same(store, &fixture.sandbox);
    report(&format!("{CHANGES} changes between two syncs"), started);
}

async fn changes_during_a_sync(fixture: &Fixture) {
    let (mut store, mut dice, started) = (fixture.store("during.db"), Dice(5), Instant::now());
    let mut remaining = CHANGES;
    fixture.sandbox.inject_faults(move |workspace, _| {
        if remaining > 0 && dice.below(8) == 0 {
            remaining -= 1;
            apply_random_change(workspace, &mut dice);
        }
        None
    });
    sync_until_complete(fixture, &mut store).await;
    fixture.sandbox.inject_faults(|_, _| None);
    fixture.sandbox.advance(Duration::from_secs(3_000));
    // The second sync must find records that were changed or deleted after their page was read.
    sync_until_complete(fixture, &mut store).await;
    assert_same(&store, &fixture.sandbox);
    report(&format!("{CHANGES} changes during a first sync, then another sync"), started);
}

async fn faults(fixture: &Fixture) {
    let (mut store, started) = (fixture.store("faults.db"), Instant::now());
    break_every_fifth(&fixture.sandbox, 1);
    let syncs = sync_until_complete(fixture, &mut store).await;
    fixture.sandbox.inject_faults(|_, _| None);
    assert_same(&store, &fixture.sandbox);
    report(&format!("one request in five fails, syncs needed: {syncs}"), started);
}

fn command(home: &Path, sandbox: &Sandbox) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"));
    command
        .args(["sync", "--json", "--db", "mirror.db"])
        .env("HOME", home)
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url())
        .current_dir(home);
    command
}

fn kills(fixture: &Fixture) {
    let (home, mut dice, started) = (tempfile::tempdir().unwrap(), Dice(11), Instant::now());
    let mut killed = 0;
    for _ in 0..KILLS {
        let limit = Duration::from_millis(100 + dice.below(900));
        killed += usize::from(killed_after(command(home.path(), &fixture.sandbox), limit));
        // The scroll left open by the killed process would block the next sync for a minute.
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    }
    let output = command(home.path(), &fixture.sandbox).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store = Store::open_read_only(&home.path().join("mirror.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
    report(&format!("{killed} kills at random moments"), started);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let size = if std::env::args().any(|argument| argument == "--small") { 2_000 } else { 20_000 };
    let options = Options {
        contacts: size,
        companies: size / 10,
        conversations: size,
        tickets: size / 10,
        rate_limit: u32::MAX,
        ..Options::default()
    };
    println!("{size} contacts and conversations");
    let fixture = Fixture::new(options).await;
    let mut store = first_sync(&fixture).await;
    faults(&fixture).await;
    kills(&fixture);
    changes_between_syncs(&fixture, &mut store).await;
    changes_during_a_sync(&fixture).await;
}
