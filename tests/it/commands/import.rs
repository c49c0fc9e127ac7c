//! `import`: creates each record once.

use super::*;

/// Runs `import contacts` against a server. Returns the exit code and the results.
fn import(home: &std::path::Path, url: &str, more: &[&str]) -> (i32, Vec<Value>) {
    let words =
        [&["import", "contacts", "--input", "in.jsonl", "--ndjson", "--concurrency", "1"], more].concat();
    let output = against(home, url).args(words).output().unwrap();
    (code(&output), stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn statuses(results: &[Value]) -> Vec<String> {
    let mut lines: Vec<&Value> = results.iter().collect();
    lines.sort_by_key(|line| line["line"].as_u64());
    lines.iter().map(|line| line["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_import_creates_each_record_once() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match (request.path.as_str(), request.json()["email"].as_str()) {
        ("/me", _) => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        (_, Some("bad@x")) => {
            answer(422, r#"{"type":"error.list","errors":[{"code":"parameter_invalid","message":"no"}]}"#)
        }
        (_, Some("odd@x")) => answer(502, "{}"),
        _ => answer(200, r#"{"type":"contact","id":"c1"}"#),
    });
    let lines = ["a@x", "bad@x", "odd@x", "a@x"].map(|email| format!("{}\n", json!({ "email": email })));
    std::fs::write(home.path().join("in.jsonl"), format!("{}\n[1]\n", lines.concat())).unwrap();
    let sent = || server.take().iter().filter(|request| request.method == "POST").count();

    let (exit, preview) = import(home.path(), &server.url, &["--dry-run"]);
    assert_eq!((exit, sent()), (2, 0), "a line is not an object");
    assert_eq!(preview[0]["body"]["email"], "a@x");
    assert!(!home.path().join("in.jsonl.journal").exists());

    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, sent()), (6, 4), "nothing is sent twice");
    assert_eq!(statuses(&results), ["created", "failed", "unknown", "created", "failed"]);
    assert!(results.iter().any(|result| result["line"] == 6 && result["status"] == "failed"));

    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, sent()), (6, 1), "only definite failures are sent again");
    assert_eq!(statuses(&results), ["skipped", "failed", "unknown", "skipped", "failed"]);
    assert_eq!(results.iter().find(|result| result["line"] == 1).unwrap()["id"], "c1");

    import(home.path(), &server.url, &["--retry-unknown"]);
    assert_eq!(sent(), 2);

    let numbers: Vec<&Value> = results.iter().map(|result| &result["line"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 6], "in the order of the input");

    std::fs::write(home.path().join("in.jsonl"), lines[1].as_str()).unwrap();
    assert_eq!(import(home.path(), &server.url, &["--journal", "other"]).0, 5, "nothing was created at all");
    let elsewhere = Server::always(200, r#"{"type":"admin","app":{"id_code":"w2"}}"#);
    assert_eq!(import(home.path(), &elsewhere.url, &[]).0, 2, "the journal belongs to another workspace");
}

#[test]
fn an_import_from_stdin_needs_a_journal() {
    use std::io::Write;
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        _ => {
            // The first line takes longest.
            let first = request.json()["email"] == "0@x";
            std::thread::sleep(std::time::Duration::from_millis(if first { 300 } else { 0 }));
            answer(200, r#"{"type":"contact","id":"c1"}"#)
        }
    });
    let lines: String = (0..5).map(|at| format!("{{\"email\":\"{at}@x\"}}\n")).collect();
    let import = |more: &[&str]| {
        let mut child = against(home.path(), &server.url)
            .args([&["import", "contacts", "--input", "-", "--ndjson"], more].concat())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Without a journal stdin is not read.
        let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
        child.wait_with_output().unwrap()
    };
    let refused = import(&[]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--journal"), "{}", stderr(&refused));
    for status in ["created", "skipped"] {
        let output = import(&["--journal", "people.journal"]);
        let results: Vec<Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let rows: Vec<_> =
            results.iter().map(|result| (result["line"].as_u64(), result["status"].as_str())).collect();
        assert_eq!(rows, (1..=5).map(|at| (Some(at), Some(status))).collect::<Vec<_>>());
    }
    assert_eq!(server.take().iter().filter(|request| request.method == "POST").count(), 5);
    assert_eq!(code(&import(&["--dry-run"])), 0);
}

#[test]
fn a_line_with_invalid_utf8_fails_alone() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        _ => answer(200, r#"{"type":"contact","id":"c1"}"#),
    });
    let input = b"\xEF\xBB\xBF{\"email\":\"a@x\"}\r\n{\"email\":\"\xff\"}\n\n{\"email\":\"b@x\"}";
    std::fs::write(home.path().join("in.jsonl"), input).unwrap();
    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, statuses(&results)), (6, ["created", "failed", "created"].map(str::to_owned).to_vec()));
    assert_eq!(results[1]["line"], 2);
    let sent: Vec<_> = server
        .take()
        .iter()
        .filter(|request| request.method == "POST")
        .map(|request| request.json())
        .collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.contains(&json!({"email": "a@x"})), "{sent:?}");
}

#[test]
fn more_than_100_records_need_yes_also_with_agent() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        _ => answer(200, r#"{"type":"company","id":"c1"}"#),
    });
    let lines: String =
        (0..150).map(|number| format!("{}\n", json!({ "company_id": number.to_string() }))).collect();
    std::fs::write(home.path().join("in.jsonl"), lines).unwrap();
    let import = |more: &[&str]| {
        let words = [&["import", "companies", "--input", "in.jsonl"], more].concat();
        against(home.path(), &server.url).args(words).output().unwrap()
    };
    let sent = || server.take().iter().filter(|request| request.method == "POST").count();
    let refused = import(&["--agent"]);
    assert_eq!((code(&refused), sent()), (2, 0));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--yes"));
    assert_eq!((code(&import(&["--agent", "--yes"])), sent()), (0, 150));
}

#[test]
fn the_journal_and_the_mirror_agree_on_a_workspace_without_a_code() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","id":"1"}"#),
        "/tags" => answer(200, r#"{"type":"list","data":[]}"#),
        _ => answer(200, r#"{"type":"contact","id":"c1"}"#),
    });
    std::fs::write(home.path().join("in.jsonl"), "{\"email\":\"a@x\"}\n").unwrap();
    assert_eq!(import(home.path(), &server.url, &[]).0, 0);
    let journal = std::fs::read_to_string(home.path().join("in.jsonl.journal")).unwrap();
    let head: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    let (workspace, resource) = head["journal"].as_str().unwrap().split_once(' ').unwrap();
    assert_eq!((workspace, resource), ("unknown", "contacts"));

    let synced = against(home.path(), &server.url).args(["sync", "--resources", "tags"]).output().unwrap();
    assert_eq!(code(&synced), 0, "{}", stderr(&synced));
    let store = document(&synced)["meta"]["store"].as_str().unwrap().to_owned();
    assert!(store.ends_with(&format!("/{workspace}.db")), "{store}");
    // A second run reads the journal.
    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, statuses(&results)), (0, vec!["skipped".to_owned()]));
}
