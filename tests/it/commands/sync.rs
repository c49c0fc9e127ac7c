//! `sync`, `status` and `mirror`, at a terminal and under cron.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use intercom::mirror::{Store, Workspace};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::Value;

use crate::sandboxed::assert_same;
use crate::support::{binary, document, stderr, stdout};

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
    outcomes.iter().find(|outcome| outcome["resource"] == resource).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_and_its_status() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let synced = run(home.path(), &sandbox, "sync --json --exclude teams,news-items --progress json");
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
    assert!(events.iter().all(|event| event["time"].as_str().is_some_and(|time| time.starts_with("20"))));

    let status = document(&run(home.path(), &sandbox, "status --json"));
    assert_eq!(
        (status["meta"]["source"].clone(), status["meta"]["complete"].clone()),
        ("local".into(), true.into())
    );
    let row = |name: &str| {
        status["results"].as_array().unwrap().iter().find(|row| row["resource"] == name).unwrap().clone()
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
async fn a_page_limit_ends_with_exit_code_6() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let cut = run(home.path(), &sandbox, "sync --json --resources contacts --max-pages 1");
    assert_eq!(cut.status.code(), Some(6), "{}", stderr(&cut));
    assert_eq!(outcome(&document(&cut), "contacts")["reason"], "stopped after 1 page");
    assert_eq!(outcome(&document(&cut), "contacts")["fetched"], 150);
    let rest = run(home.path(), &sandbox, "sync --json --resources contacts");
    assert_eq!(
        (rest.status.code(), outcome(&document(&rest), "contacts")["resumed"].clone()),
        (Some(0), true.into())
    );

    for wrong in [
        "sync --prune --max-pages 3",
        "sync --refresh soon",
        "status --fail-if old",
        "status --fail-if stale",
        "status --fail-if stale=soon",
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
async fn a_busy_store_and_one_of_another_workspace_are_refused() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.inject_faults(|_, _| {
        std::thread::sleep(Duration::from_millis(20));
        None
    });
    let mut first = command(home.path(), &sandbox, "sync --db m.db").spawn().unwrap();
    let began = Instant::now();
    while sandbox.requests().len() < 5 && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = run(home.path(), &sandbox, "sync --db m.db");
    assert_eq!(second.status.code(), Some(8), "{}", stderr(&second));
    assert!(stderr(&second).contains(&format!("(process {}, since 20", first.id())), "{}", stderr(&second));
    // A dead process does not hold the lock.
    first.kill().unwrap();
    first.wait().unwrap();
    sandbox.inject_faults(|_, _| None);
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
async fn watch_continues_until_stopped() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut watching = command(home.path(), &sandbox, "sync --json --db m.db --watch 50ms");
    let child =
        watching.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let runs = || sandbox.requests().iter().filter(|request| request.operation == Some("listTags")).count();
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
async fn max_age_warns_about_an_old_mirror() {
    let (home, sandbox) = (tempfile::tempdir().unwrap(), sandbox().await);
    let synced = run(home.path(), &sandbox, "sync --resources tags --db mirror.db");
    assert!(synced.status.success(), "{}", stderr(&synced));
    let ask = |age: &str| {
        let output = run(home.path(), &sandbox, &format!("analytics tags --by name --db mirror.db {age}"));
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(!ask("--max-age 30m").contains("the mirror is"), "the mirror is new");
    let store = Store::open(&home.path().join("mirror.db")).unwrap();
    store.connection().execute("UPDATE sync_state SET watermark = watermark - 7200", []).unwrap();
    let warned = ask("--max-age 30m");
    assert!(warned.contains("the mirror is 2 hours old; run `intercom-pp-cli sync`"), "{warned}");
    assert!(!ask("--max-age 3h").contains("the mirror is"), "the mirror is younger than that");
    assert!(!ask("").contains("the mirror is"), "--max-age was not given");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_warn_when_the_last_sync_did_not_finish_a_resource() {
    let (home, sandbox) = (tempfile::tempdir().unwrap(), sandbox().await);
    let sync = |quirks: &[&str]| {
        sandbox.with_workspace(|workspace| {
            workspace.quirks = quirks.iter().map(|quirk| quirk.parse().unwrap()).collect();
        });
        run(home.path(), &sandbox, "sync --resources contacts,tags --db m.db --quiet").status.code()
    };
    let assert_warns = |is_warned: bool| {
        for reader in ["sql VALUES(1)", "export contacts", "search a*"] {
            let output = run(home.path(), &sandbox, &format!("{reader} --db m.db"));
            assert_eq!(output.status.code(), Some(0), "{reader}: {}", stderr(&output));
            let warning = "the last sync of contacts did not finish; run `intercom-pp-cli sync`";
            assert_eq!(stderr(&output).contains(warning), is_warned, "{reader}: {}", stderr(&output));
        }
        let other = run(home.path(), &sandbox, "export tags --db m.db");
        assert!(!stderr(&other).contains("did not finish"), "{}", stderr(&other));
    };
    assert_eq!(sync(&["short-page=/contacts"]), Some(6));
    assert_warns(true);
    assert_eq!(sync(&[]), Some(0));
    assert_warns(false);
    assert_eq!(sync(&["refuse=/contacts:403", "refuse=/contacts/search:403"]), Some(4));
    assert_warns(true);
}

/// In a read-only folder SQLite cannot create its shared-memory file.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_mirror_can_be_read_and_a_damaged_one_is_reported() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let synced = run(home.path(), &sandbox, "sync --db m%20?#.db --resources contacts --json");
    assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
    std::fs::create_dir(home.path().join("m%20?#.db-shm")).unwrap();
    let mut counted = command(home.path(), &sandbox, "sql --db m%20?#.db --quiet");
    let counted = counted.arg("SELECT count(*) FROM contacts").output().unwrap();
    assert_eq!(stdout(&counted).trim().parse::<u32>().unwrap(), 330, "{}", stderr(&counted));
    // Pages in a leftover write-ahead log would be missed.
    std::fs::write(home.path().join("m%20?#.db-wal"), [1; 40]).unwrap();
    let refused = run(home.path(), &sandbox, "status --db m%20?#.db --json");
    assert_eq!(refused.status.code(), Some(5), "{}", stdout(&refused));

    std::fs::write(home.path().join("text.db"), "no database at all, but long enough to be one").unwrap();
    let refused = run(home.path(), &sandbox, "sync --db text.db --json");
    assert_eq!(refused.status.code(), Some(5));
    assert!(stderr(&refused).contains("damaged"), "{}", stderr(&refused));
}

/// Cron mails any output, so only problems may be printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_successful_run_is_quiet() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let first = run(home.path(), &sandbox, "sync --db m.db --quiet");
    assert_eq!((first.status.code(), stdout(&first).as_str()), (Some(0), ""), "{}", stderr(&first));
    assert_eq!(stderr(&first).lines().count(), 1, "that calls are not offered: {}", stderr(&first));
    let second = run(home.path(), &sandbox, "sync --db m.db --quiet");
    assert_eq!((second.status.code(), stdout(&second).as_str(), stderr(&second).as_str()), (Some(0), "", ""));
    let summary = document(&run(home.path(), &sandbox, "sync --db m.db"));
    assert_eq!(summary["results"]["complete"], true);
    assert_eq!(outcome(&summary, "contacts")["gone"], 0);
    assert!(outcome(&summary, "contacts")["deletions_checked_at"].as_i64().unwrap() > 0);

    sandbox.intercept(|_, served| (served.operation == Some("listTags")).then_some(500));
    let failed = run(home.path(), &sandbox, "sync --db m.db --quiet");
    assert_eq!((failed.status.code(), stdout(&failed).as_str()), (Some(6), ""));
    assert!(stderr(&failed).contains("error: tags:"), "{}", stderr(&failed));
    let silent = run(home.path(), &sandbox, "sync --db m.db --quiet --progress none");
    assert!(!stderr(&silent).contains("error: tags:"), "{}", stderr(&silent));
    assert!(stderr(&silent).contains("error: incomplete: tags"), "{}", stderr(&silent));
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_if_reports_stale_and_missing_resources_by_exit_code() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let synced = run(home.path(), &sandbox, "sync --db m.db --resources contacts,tags");
    assert!(synced.status.success(), "{}", stderr(&synced));
    let ask = |conditions: &str| {
        run(home.path(), &sandbox, &format!("status --db m.db --json --fail-if {conditions}"))
    };
    assert_eq!(ask("stale=1h,incomplete,partial,gone").status.code(), Some(0));
    let store = Store::open(&home.path().join("m.db")).unwrap();
    let change = |sql: &str| store.connection().execute(sql, []).unwrap();
    change("UPDATE sync_state SET watermark = watermark - 7200 WHERE resource = 'tags'");
    let stale = ask("stale=1h,incomplete");
    assert_eq!(stale.status.code(), Some(6));
    assert!(
        stderr(&stale).contains("stale: tags") && !stderr(&stale).contains("contacts"),
        "{}",
        stderr(&stale)
    );
    assert!(document(&stale)["results"].as_array().unwrap().len() > 5, "the status is still printed");
    assert_eq!(ask("stale=3h").status.code(), Some(0));
    change("UPDATE sync_state SET complete = 0, gone = 3 WHERE resource = 'contacts'");
    for (condition, exit) in [("incomplete", 6), ("gone", 6), ("partial", 0)] {
        assert_eq!(ask(condition).status.code(), Some(exit), "{condition}");
    }
    change("DELETE FROM sync_state");
    assert_eq!(ask("incomplete").status.code(), Some(6), "nothing was synced");
    // Every command that reads the mirror gives the same warning.
    let old = run(home.path(), &sandbox, "sync --db m.db --resources contacts,tags");
    assert!(old.status.success(), "{}", stderr(&old));
    change("UPDATE sync_state SET watermark = watermark - 7200");
    for command in
        ["status", "export tags", "analytics tags --by name", "search the", "sql --schema", "sql VALUES(1)"]
    {
        let output = run(home.path(), &sandbox, &format!("{command} --db m.db --max-age 1h"));
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert_eq!(
            stderr(&output).contains("2 hours old"),
            command != "sql --schema",
            "{command}: {}",
            stderr(&output)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_database_is_refused_and_a_moved_mirror_is_found() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let path = home.path().join("theirs.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE contacts (id)").unwrap();
    let before = std::fs::read(&path).unwrap();
    for command in ["sync", "sql --schema", "status", "mirror vacuum"] {
        let refused = run(home.path(), &sandbox, &format!("{command} --db theirs.db"));
        assert_eq!(refused.status.code(), Some(10), "{command}: {}", stderr(&refused));
        assert!(stderr(&refused).contains("another program's database"), "{}", stderr(&refused));
    }
    assert!(std::fs::read(&path).unwrap() == before);

    let none = run(home.path(), &sandbox, "status");
    assert_eq!(none.status.code(), Some(3));
    assert!(stderr(&none).contains("no mirror found in"), "{}", stderr(&none));
    let summary = document(&run(home.path(), &sandbox, "sync --resources tags"));
    let store = summary["meta"]["store"].as_str().unwrap();
    std::fs::rename(store, home.path().join("moved.db")).unwrap();
    let moved = run(home.path(), &sandbox, "status");
    assert_eq!(moved.status.code(), Some(3));
    assert!(
        stderr(&moved).contains(store) && stderr(&moved).contains("no longer exists"),
        "{}",
        stderr(&moved)
    );
    assert!(run(home.path(), &sandbox, "status --db moved.db").status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn mirror_forget_erases_a_person() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert!(run(home.path(), &sandbox, "sync --db m.db --quiet").status.success());
    let (id, email): (String, String) = Store::open_read_only(&home.path().join("m.db"))
        .unwrap()
        .connection()
        .query_row("SELECT id, email FROM contacts WHERE email LIKE '%@%' ORDER BY id LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let is_left = || {
        let bytes = std::fs::read(home.path().join("m.db")).unwrap();
        bytes.windows(email.len()).any(|at| at == email.as_bytes())
    };
    let unasked = run(home.path(), &sandbox, &format!("mirror forget {email} --db m.db"));
    assert_eq!(unasked.status.code(), Some(2), "{}", stderr(&unasked));
    let shown = document(&run(home.path(), &sandbox, &format!("mirror forget {id} --db m.db --dry-run")));
    assert_eq!(
        (shown["dry_run"].clone(), shown["forgotten"]["ids"][0].as_str()),
        (true.into(), Some(id.as_str()))
    );
    assert!(is_left());
    let done = document(&run(home.path(), &sandbox, &format!("mirror forget {email} --db m.db --yes")));
    assert_eq!(done["forgotten"], shown["forgotten"]);
    assert!(!is_left());
    let again = run(home.path(), &sandbox, &format!("mirror forget {email} --db m.db --yes"));
    assert_eq!(again.status.code(), Some(3), "{}", stderr(&again));
    let vacuumed = document(&run(home.path(), &sandbox, "mirror vacuum --db m.db"));
    assert!(vacuumed["bytes"].as_u64().unwrap() > 100_000);
    assert_eq!(run(home.path(), &sandbox, "mirror vacuum --db none.db").status.code(), Some(3));
    assert!(!home.path().join("none.db").exists());
}

/// Root ignores permissions, so another user has to read.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn another_user_can_read_a_readable_mirror() {
    use std::os::unix::fs::PermissionsExt;
    let setpriv = |words: &[&str]| {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(words);
        command.env_clear();
        command
    };
    let binary = Path::new(env!("CARGO_BIN_EXE_intercom-pp-cli"));
    let public = tempfile::Builder::new().prefix("readable").tempdir_in("/tmp").unwrap();
    let copy = public.path().join("intercom-pp-cli");
    let reachable =
        std::fs::hard_link(binary, &copy).or_else(|_| std::fs::copy(binary, &copy).map(drop)).is_ok();
    std::fs::set_permissions(public.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = copy.to_str().unwrap();
    if !reachable || !setpriv(&[copy, "--version"]).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user cannot become another one");
        return;
    }
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let path = public.path().join("m.db");
    let path = path.to_str().unwrap();
    assert!(run(home.path(), &sandbox, &format!("sync --quiet --db {path}")).status.success());
    let readable = |ending: &str, mode: u32| {
        let path = format!("{path}{ending}");
        let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
    };
    let statement = "SELECT count(*) AS n FROM contacts";
    let ask = |words: &[&str]| {
        setpriv(&[&[copy], words, &["--db", path, "--json"]].concat())
            .env("HOME", public.path())
            .output()
            .unwrap()
    };
    let commands: [&[&str]; 6] = [
        &["sql", statement],
        &["search", "the"],
        &["status"],
        &["export", "contacts"],
        &["conversations", "sla"],
        &["analytics", "contacts", "--by", "role"],
    ];
    readable("", 0o644);
    for command in commands {
        let output = ask(command);
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
        assert!(!output.stdout.is_empty(), "{command:?}");
    }
    // First while the owner has it open for writing, so that a log exists, then after it was closed.
    let store = Store::open(Path::new(path)).unwrap();
    readable("", 0o644);
    for command in commands {
        assert_eq!(ask(command).status.code(), Some(0), "{command:?}: {}", stderr(&ask(command)));
    }
    store
        .connection()
        .execute("UPDATE contacts SET name = 'Newest' WHERE id = (SELECT min(id) FROM contacts)", [])
        .unwrap();
    for ending in ["-wal", "-shm"] {
        readable(ending, 0o600);
    }
    let hidden = ask(&["sql", statement]);
    assert_eq!(hidden.status.code(), Some(5), "{}", stdout(&hidden));
    assert!(stderr(&hidden).contains("cannot be read by this user while"), "{}", stderr(&hidden));
    for ending in ["-wal", "-shm"] {
        readable(ending, 0o644);
    }
    let newest = ask(&["sql", "SELECT count(*) AS n FROM contacts WHERE name = 'Newest'"]);
    assert_eq!(newest.status.code(), Some(0), "{}", stderr(&newest));
    assert_eq!(document(&newest)["results"]["rows"][0]["n"], 1);
    drop(store);
    readable("", 0o600);
    let refused = ask(&["sql", statement]);
    assert_eq!(refused.status.code(), Some(5), "{}", stdout(&refused));
}

/// The lines of stderr that are not JSON.
fn sentences(output: &std::process::Output) -> Vec<String> {
    stderr(output).lines().filter(|line| !line.starts_with('{')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_gets_one_sentence_and_programs_get_events() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let first = run(home.path(), &sandbox, "sync --resources contacts,tags");
    let lines = sentences(&first);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("Synced 330 contacts and ") && lines[0].contains(" tags in "), "{lines:?}");
    assert_eq!(outcome(&document(&first), "contacts")["inserted"], 330, "stdout stays JSON");
    let again = run(home.path(), &sandbox, "sync --resources contacts,tags");
    assert!(sentences(&again)[0].starts_with("Up to date: 330 contacts and "), "{}", stderr(&again));
    for words in ["--json", "--progress json", "--format json"] {
        let output = run(home.path(), &sandbox, &format!("sync --resources tags {words}"));
        assert!(sentences(&output).is_empty(), "{words}: {}", stderr(&output));
        assert!(stderr(&output).contains(r#""event":"sync_summary""#), "{words}: {}", stderr(&output));
        document(&output);
    }
    for words in ["--quiet", "--progress none", "--json --progress none"] {
        let output = run(home.path(), &sandbox, &format!("sync --resources tags {words}"));
        assert_eq!(stderr(&output), "", "{words}");
    }
    // An agent reads the result only.
    let output = run(home.path(), &sandbox, "sync --resources tags --agent");
    assert_eq!(stderr(&output), "");
    let output = run(home.path(), &sandbox, "sync --resources tags --progress bars");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected auto, text, json or none"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_sync_says_what_is_missing_and_what_to_type() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.inject_faults(|_, served| {
        (served.operation == Some("listTags")).then_some(intercom::sandbox::Fault::Status(422))
    });
    let output = run(home.path(), &sandbox, "sync --resources contacts,tags");
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("Partly synced: 330 contacts in "), "{text}");
    assert!(text.contains("error: incomplete: tags (") && text.contains("`intercom-pp-cli sync`"), "{text}");
}
