//! Confirmation prompts on a terminal.

use std::io::Write;
use std::process::Stdio;

use crate::cli::{Setting, code};
use crate::support::{against, json};

/// Runs a command on a pseudo-terminal with this input. Returns the exit code and the screen.
fn typed(setting: &Setting, words: &str, input: &str) -> (i32, String) {
    let line = format!("{} {words}", env!("CARGO_BIN_EXE_intercom-pp-cli"));
    let environment = against(setting.home.path(), &setting.server.url);
    let mut command = std::process::Command::new("script");
    command.env_clear().current_dir(setting.home.path());
    command.envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut terminal = child.stdin.take().unwrap();
    terminal.write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(terminal);
    (code(&output), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_prompt_names_the_record_and_the_consequence() {
    let setting = Setting::new(|request| match request.path.as_str() {
        "/contacts/abc" => {
            json(200, r#"{"type":"contact","id":"abc","name":"Ann","email":"ann@example.com"}"#)
        }
        "/articles/7" => json(200, r#"{"type":"article","id":"7","title":"Refunds"}"#),
        _ => json(404, r#"{"type":"error.list","errors":[{"code":"not_found","message":"gone"}]}"#),
    });
    for (words, question, declined) in [
        (
            "contacts delete abc",
            "Delete contact Ann (ann@example.com)? This cannot be undone. [y/N]",
            "not deleted",
        ),
        ("articles delete 7", "Delete article Refunds? This cannot be undone. [y/N]", "not deleted"),
        (
            "contacts update abc --name Bo",
            "Update contact Ann (ann@example.com)? The current values are overwritten. [y/N]",
            "not updated",
        ),
        (
            "tags delete 99",
            "Delete tag 99? It is removed from every record. This cannot be undone. [y/N]",
            "not deleted",
        ),
        (
            "contacts tags detach abc 99",
            "Remove tag 99 from contact Ann (ann@example.com)? [y/N]",
            "not removed",
        ),
        (
            "contacts merge --from abc --into b",
            "Merge lead Ann (ann@example.com) into b? The lead is removed. This cannot be undone. [y/N]",
            "not merged",
        ),
    ] {
        let (exit, shown) = typed(&setting, words, "n\n");
        assert_eq!(exit, 2, "{words}: {shown}");
        assert!(shown.contains(question), "{words}: {shown}");
        assert!(shown.trim_end().ends_with(&format!("[y/N] {declined}")), "{words}: {shown}");
        assert!(!shown.contains("error") && !shown.contains("hint"), "{words}: {shown}");
    }
    assert!(setting.server.take().iter().all(|request| request.method == "GET"));
    let (exit, shown) = typed(&setting, "contacts delete abc", "y\n");
    assert_eq!(exit, 0, "{shown}");
    let sent: Vec<String> = setting.server.take().into_iter().map(|request| request.method).collect();
    assert_eq!(sent, ["GET", "DELETE"]);
}

/// The response may contain only an id.
#[test]
fn a_successful_change_is_reported() {
    let setting = Setting::new(|request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/contacts/abc") => json(200, r#"{"type":"contact","id":"abc","name":"Ann"}"#),
        (_, "/contacts/abc/archive") => {
            json(200, r#"{"type":"contact","id":"abc","external_id":null,"archived":true}"#)
        }
        (_, "/tags") => json(200, r#"{"type":"tag","id":"5","name":"vip"}"#),
        _ => json(200, ""),
    });
    let (exit, shown) = typed(&setting, "contacts delete abc", "y\n");
    assert!(exit == 0 && shown.contains("Deleted contact Ann"), "{shown}");
    let (exit, shown) = typed(&setting, "contacts archive abc", "");
    assert!(exit == 0 && shown.contains("Archived contact abc") && !shown.contains("null"), "{shown}");
    for (words, line) in
        [("tags delete 5 --yes", "Deleted tag 5"), ("tags create --name vip", "Saved tag vip")]
    {
        let (exit, shown) = typed(&setting, words, "");
        assert!(exit == 0 && shown.contains(line), "{words}: {shown}");
    }
    // Programs get the JSON, and nothing on stderr.
    let output = setting.run(&["contacts", "archive", "abc", "--yes", "--json"]);
    assert_eq!((code(&output), crate::support::stderr(&output).as_str()), (0, ""));
    let output = setting.run(&["me", "--human-friendly"]);
    assert!(!crate::support::stderr(&output).contains("done"));
}
