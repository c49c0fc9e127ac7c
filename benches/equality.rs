//! Whether the mirror equals the workspace at full size: 20,000 contacts, 2,000 companies, 20,000
//! conversations with 5 parts each, 2,000 tickets.
//!
//! `cargo bench --bench equality`, `-- --small` for a tenth of it. The tests do the same with a workspace of
//! a few hundred records; what only shows in numbers shows here. It ends with an error at the first
//! difference.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/sandboxed/mod.rs"]
mod sandboxed;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use intercom::mirror::{Store, SyncOptions};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use sandboxed::trouble::{Dice, break_every_fifth, disturb, killed_after, merge};
use sandboxed::{Fixture, assert_same};

/// How often something is changed, deleted or merged.
const CHANGES: usize = 500;
const KILLS: usize = 10;

fn told(what: &str, began: Instant) {
    println!("{what:64} equal after {:.1} s", began.elapsed().as_secs_f64());
}

/// Syncs until everything is complete; what a run leaves over is due in the next one.
async fn to_the_end(fixture: &Fixture, store: &mut Store) -> usize {
    let options = SyncOptions { concurrency: 64, ..SyncOptions::default() };
    for run in 1..=10 {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        if fixture.sync_with(store, &options).await.0.complete {
            return run;
        }
    }
    panic!("not complete after ten runs");
}

async fn one_run(fixture: &Fixture) -> Store {
    let (mut store, began) = (fixture.store("one.db"), Instant::now());
    assert_eq!(to_the_end(fixture, &mut store).await, 1);
    assert_same(&store, &fixture.sandbox);
    told("one run", began);
    store
}

async fn changes_between_runs(fixture: &Fixture, store: &mut Store) {
    let (mut dice, began) = (Dice(3), Instant::now());
    fixture.sandbox.advance(Duration::from_secs(7_200));
    for change in 0..CHANGES {
        fixture.sandbox.with_workspace(|workspace| disturb(workspace, &mut dice));
        if change % 25 == 0 {
            merge(&fixture.client, &fixture.sandbox).await;
        }
    }
    fixture.sandbox.advance(Duration::from_secs(7_200));
    to_the_end(fixture, store).await;
    assert_same(store, &fixture.sandbox);
    told(&format!("{CHANGES} changes between two runs"), began);
}

async fn changes_during_a_run(fixture: &Fixture) {
    let (mut store, mut dice, began) = (fixture.store("during.db"), Dice(5), Instant::now());
    let mut left = CHANGES;
    fixture.sandbox.disturb(move |workspace, _| {
        if left > 0 && dice.below(8) == 0 {
            left -= 1;
            disturb(workspace, &mut dice);
        }
        None
    });
    to_the_end(fixture, &mut store).await;
    fixture.sandbox.disturb(|_, _| None);
    fixture.sandbox.advance(Duration::from_secs(3_000));
    // What was deleted after it had been read, and what changed on pages that were read, is due now.
    to_the_end(fixture, &mut store).await;
    assert_same(&store, &fixture.sandbox);
    told(&format!("{CHANGES} changes during a first run, then another one"), began);
}

async fn faults(fixture: &Fixture) {
    let (mut store, began) = (fixture.store("faults.db"), Instant::now());
    break_every_fifth(&fixture.sandbox, 1);
    let runs = to_the_end(fixture, &mut store).await;
    fixture.sandbox.disturb(|_, _| None);
    assert_same(&store, &fixture.sandbox);
    told(&format!("every fifth answer fails, {runs} run(s)"), began);
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
    let (home, mut dice, began) = (tempfile::tempdir().unwrap(), Dice(11), Instant::now());
    let mut killed = 0;
    for _ in 0..KILLS {
        let limit = Duration::from_millis(100 + dice.below(900));
        killed += usize::from(killed_after(command(home.path(), &fixture.sandbox), limit));
        // The scroll of a dead process would be in the way for a minute.
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
    }
    let output = command(home.path(), &fixture.sandbox).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let store = Store::open_read_only(&home.path().join("mirror.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
    told(&format!("{killed} kills at random moments"), began);
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
    let mut store = one_run(&fixture).await;
    faults(&fixture).await;
    kills(&fixture);
    changes_between_runs(&fixture, &mut store).await;
    changes_during_a_run(&fixture).await;
}
