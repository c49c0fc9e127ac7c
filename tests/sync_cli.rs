//! `sync` and `status` as people and cron run them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod sandboxed;
mod support;

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use intercom::mirror::{Store, Workspace};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::Value;

use sandboxed::assert_same;
use support::{binary, document, stderr, stdout};

async fn sandbox() -> Sandbox {
    let options =
        Options { contacts: 330, companies: 12, conversations: 40, tickets: 8, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

fn command(home: &Path, sandbox: &Sandbox, arguments: &str) -> std::process::Command {
    let mut command = binary(home);
    command.args(arguments.split_whitespace()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    command.env("INTERCOM_BASE_URL", sandbox.base_url());
    command
}

fn run(home: &Path, sandbox: &Sandbox, arguments: &str) -> Output {
    command(home, sandbox, arguments).output().unwrap()
}

fn outcome<'a>(summary: &'a Value, resource: &str) -> &'a Value {
    let outcomes = summary["results"]["resources"].as_array().unwrap();
    outcomes.iter().find(|it| it["resource"] == resource).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_and_its_status() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let synced = run(home.path(), &sandbox, "sync --json --exclude teams,news-items");
    assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
    let summary = document(&synced);
    let contacts = outcome(&summary, "contacts");
    for (field, value) in [("fetched", 330), ("inserted", 330), ("updated", 0), ("deleted", 0)] {
        assert!(contacts[field].as_u64().unwrap() >= value, "{field}: {contacts}");
    }
    assert!(contacts["requests"].as_u64().unwrap() > 3 && contacts["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(contacts["complete"], true);
    assert_eq!(outcome(&summary, "calls")["skipped"], true);
    assert!(outcome(&summary, "calls")["reason"].as_str().unwrap().contains("501"));
    let events: Vec<Value> =
        stderr(&synced).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for name in ["sync_start", "sync_progress", "sync_warning", "sync_complete", "sync_summary"] {
        assert!(events.iter().any(|event| event["event"] == name), "{name}: {events:?}");
    }

    let status = document(&run(home.path(), &sandbox, "status --json"));
    assert_eq!(
        (status["meta"]["source"].clone(), status["meta"]["complete"].clone()),
        ("local".into(), true.into())
    );
    let row = |name: &str| {
        status["results"].as_array().unwrap().iter().find(|it| it["resource"] == name).unwrap().clone()
    };
    assert_eq!(
        (row("contacts")["rows"].clone(), row("contacts")["state"].clone()),
        (330.into(), "complete".into())
    );
    assert!(row("contacts")["watermark"].as_str().unwrap().starts_with("20"));
    assert!(row("contacts")["bytes"].as_u64().unwrap() > 100_000);
    assert!(row("contacts")["age_seconds"].as_u64().unwrap() < 300);
    assert_eq!(
        (row("teams")["state"].clone(), row("calls")["state"].clone()),
        ("never".into(), "skipped".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_is_partly_done() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let cut = run(home.path(), &sandbox, "sync --json --resources contacts --max-pages 1");
    assert_eq!(cut.status.code(), Some(6), "{}", stderr(&cut));
    assert_eq!(outcome(&document(&cut), "contacts")["reason"], "stopped after 1 pages");
    assert_eq!(outcome(&document(&cut), "contacts")["fetched"], 150);
    let rest = run(home.path(), &sandbox, "sync --json --resources contacts");
    assert_eq!(
        (rest.status.code(), outcome(&document(&rest), "contacts")["resumed"].clone()),
        (Some(0), true.into())
    );

    for wrong in [
        "sync --prune --since 3d",
        "sync --resources nonsense",
        "sync --since soon",
        "sync --watch never",
        "sync --resources tags --exclude tags",
        "sync --max-pages 0",
    ] {
        assert_eq!(run(home.path(), &sandbox, wrong).status.code(), Some(2), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_use_and_one_of_somebody_else() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.disturb(|_, _| {
        std::thread::sleep(Duration::from_millis(20));
        None
    });
    let mut first = command(home.path(), &sandbox, "sync --db m.db").spawn().unwrap();
    let began = Instant::now();
    while sandbox.requests().len() < 5 && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = run(home.path(), &sandbox, "sync --db m.db");
    assert_eq!(second.status.code(), Some(5), "{}", stderr(&second));
    assert!(stderr(&second).contains(&format!("(process {}, since 20", first.id())), "{}", stderr(&second));
    // A dead process holds nothing.
    first.kill().unwrap();
    first.wait().unwrap();
    sandbox.disturb(|_, _| None);
    sandbox.with_workspace(|workspace| workspace.scroll = None);
    let third = run(home.path(), &sandbox, "sync --db m.db");
    assert_eq!(third.status.code(), Some(0), "{}", stderr(&third));
    assert_same(&Store::open_read_only(&home.path().join("m.db")).unwrap(), &sandbox);

    let mut theirs = Store::open(&home.path().join("theirs.db")).unwrap();
    theirs
        .bind(&Workspace { id_code: "theirs".into(), name: Some("Acme".into()), ..Workspace::default() })
        .unwrap();
    let refused = run(home.path(), &sandbox, "sync --db theirs.db");
    assert_eq!(refused.status.code(), Some(10));
    assert!(stderr(&refused).contains("theirs (Acme)") && stderr(&refused).contains("sandbox1 (Sandbox)"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn watching_goes_on_until_it_is_stopped() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut watching = command(home.path(), &sandbox, "sync --json --db m.db --watch 50ms");
    let child =
        watching.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let runs = || sandbox.requests().iter().filter(|it| it.operation == Some("listTags")).count();
    let began = Instant::now();
    while runs() < 3 && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let summaries: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(summaries.len() >= 2 && summaries[0]["results"]["complete"] == true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_mirror_is_warned_of_when_an_age_is_asked_for() {
    let (home, sandbox) = (tempfile::tempdir().unwrap(), sandbox().await);
    let synced = run(home.path(), &sandbox, "sync --resources tags --db mirror.db");
    assert!(synced.status.success(), "{}", stderr(&synced));
    let ask = |age: &str| {
        let output = run(home.path(), &sandbox, &format!("analytics tags --by name --db mirror.db {age}"));
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(!ask("--max-age 30m").contains("the mirror is"), "it is new");
    let store = Store::open(&home.path().join("mirror.db")).unwrap();
    store.connection().execute("UPDATE sync_state SET watermark = watermark - 7200", []).unwrap();
    let warned = ask("--max-age 30m");
    assert!(warned.contains("the mirror is 2 hours old; run `intercom-pp-cli sync`"), "{warned}");
    assert!(!ask("--max-age 3h").contains("the mirror is"), "it is not that old");
    assert!(!ask("").contains("the mirror is"), "nobody asked");
}

/// In a folder that is read-only SQLite cannot make the file that readers and writers share.
#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_in_a_read_only_place_is_read_and_a_damaged_one_is_named() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let synced = run(home.path(), &sandbox, "sync --db m%20?#.db --resources contacts --json");
    assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
    std::fs::create_dir(home.path().join("m%20?#.db-shm")).unwrap();
    let mut counted = command(home.path(), &sandbox, "sql --db m%20?#.db --quiet");
    let counted = counted.arg("SELECT count(*) FROM contacts").output().unwrap();
    assert_eq!(stdout(&counted).trim().parse::<u32>().unwrap(), 330, "{}", stderr(&counted));
    // Pages that a writer left beside the file would be missed.
    std::fs::write(home.path().join("m%20?#.db-wal"), [1; 40]).unwrap();
    let refused = run(home.path(), &sandbox, "status --db m%20?#.db --json");
    assert_eq!(refused.status.code(), Some(5), "{}", stdout(&refused));

    std::fs::write(home.path().join("text.db"), "no database at all, but long enough to be one").unwrap();
    let refused = run(home.path(), &sandbox, "sync --db text.db --json");
    assert_eq!(refused.status.code(), Some(5));
    assert!(stderr(&refused).contains("damaged"), "{}", stderr(&refused));
}
