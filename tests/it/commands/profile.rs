//! `profile`: several workspaces.

use serde_json::json;

use crate::support::{Server, binary, document, stderr, stdout};

#[test]
fn a_profile_selects_its_own_workspace() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (
        Server::always(200, r#"{"type":"admin","id":"1"}"#),
        Server::always(200, r#"{"type":"admin","id":"2"}"#),
    );
    let run = |arguments: &[&str]| {
        let mut command = binary(home.path());
        command
            .env("TOKEN_ONE", "dG9rOm9uZQ")
            .env("TOKEN_TWO", "dG9rOnR3bw")
            .args(arguments)
            .output()
            .unwrap()
    };
    for (name, server, token) in [("one", &one, "TOKEN_ONE"), ("two", &two, "TOKEN_TWO")] {
        let flags =
            ["profile", "save", name, "--base-url", &server.url, "--token-env", token, "--compact", "--json"];
        let saved = run(&flags);
        assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));
        assert_eq!(document(&saved)["results"]["token"], format!("environment variable {token}"));
    }
    let me = |flags: &[&str]| document(&run(&[&["me", "--json"], flags].concat()))["results"]["id"].clone();
    assert_eq!((me(&["--profile", "one"]), me(&["--profile", "two"])), (json!("1"), json!("2")));
    let sent = two.take();
    assert_eq!(sent[0].header("authorization"), Some("Bearer dG9rOnR3bw"));
    assert_eq!(run(&["profile", "use", "two"]).status.code(), Some(0));
    assert_eq!(me(&[]), "2");
    assert_eq!(me(&["--profile", "one"]), "1");
    let listed = document(&run(&["profile", "list", "--json"]));
    let rows = listed["results"]["profiles"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["current"] == true).collect::<Vec<_>>(), [false, true]);
    assert!(!stdout(&run(&["profile", "show", "one", "--json"])).contains("dG9r"));
    let refused = run(&["profile", "delete", "two", "--json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(run(&["profile", "delete", "two", "--yes"]).status.code(), Some(0));
    assert_eq!(run(&["profile", "show", "two"]).status.code(), Some(10));
    assert_eq!(run(&["profile", "delete", "two", "--yes", "--ignore-missing"]).status.code(), Some(0));
    let nothing = run(&["me", "--json"]);
    assert_eq!(nothing.status.code(), Some(4), "no profile is in use any more: {}", stderr(&nothing));
}

#[test]
fn profile_defaults_apply_and_typed_flags_override_them() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::always(
        200,
        r#"{"type":"list","data":[{"type":"tag","id":"1","name":"vip","blob":{"a":1}}]}"#,
    );
    let run = |arguments: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", "dG9rOm9uZQ").args(arguments).output().unwrap()
    };
    let saved = run(&[
        "profile",
        "save",
        "quick",
        "--base-url",
        &server.url,
        "--format",
        "csv",
        "--rate-limit",
        "50",
    ]);
    assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));
    assert!(
        stderr(&saved).contains("INTERCOM_ACCESS_TOKEN"),
        "a token in the environment goes before: {}",
        stderr(&saved)
    );
    let tags = |flags: &[&str]| stdout(&run(&[&["tags", "list", "--profile", "quick"], flags].concat()));
    assert_eq!(tags(&["--select", "id,name"]), "id,name\n1,vip\n");
    assert_eq!(tags(&["--quiet"]), "1\n");
    let dry = document(&run(&["profile", "save", "x", "--region", "eu", "--dry-run", "--json"]));
    assert_eq!(dry["values"]["region"], "eu");
    assert_eq!(run(&["profile", "show", "x"]).status.code(), Some(10), "a dry run saves nothing");
    let path = home.path().join(".config/intercom-pp-cli/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n[profiles.bad.defaults]\nyes = true\n")).unwrap();
    assert_eq!(
        run(&["tags", "list", "--profile", "bad"]).status.code(),
        Some(10),
        "--yes cannot be a default"
    );
}

#[test]
fn a_profile_stores_or_refuses_every_flag() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| binary(home.path()).args(arguments).output().unwrap();
    let kept = ["json", "idempotent", "ignore-missing", "no-input", "quiet", "verbose"];
    let flags: Vec<String> = kept.iter().map(|name| format!("--{name}")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let saved = run(&[&["profile", "save", "p"], &flags[..]].concat());
    assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));
    let shown = document(&run(&["profile", "show", "p", "--json"]));
    for name in kept {
        assert_eq!(shown["results"]["defaults"][name], true, "{name}: {shown}");
    }
    for flag in [["--select", "id"], ["--jq", "."]] {
        let refused = run(&[&["profile", "save", "q"], &flag[..]].concat());
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(flag[0]), "{}", stderr(&refused));
    }
    assert_eq!(run(&["profile", "show", "q"]).status.code(), Some(10));
}
