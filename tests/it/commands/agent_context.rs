//! `which`, `describe`, `agent-context`, and the hints of errors.

use std::process::Output;

use serde_json::Value;

use crate::commands::{code, run, sandbox};
use crate::support::{document, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn which_ranks_commands_by_description() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let output = run(home.path(), &sandbox, &["which", "merge two contacts", "--json"]);
    let commands = document(&output)["results"]["commands"].as_array().unwrap().clone();
    assert_eq!(commands[0]["command"], "contacts merge");
    assert!(commands[0]["example"].as_str().unwrap().starts_with("intercom-pp-cli contacts merge"));
    let scores: Vec<f64> = commands.iter().map(|command| command["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    let none = run(home.path(), &sandbox, &["which", "bake a chocolate cake", "--json"]);
    assert_eq!(code(&none), 2);
    let error: Value = serde_json::from_str(&stderr(&none)).unwrap();
    assert!(error["error"]["hint"].as_str().unwrap().contains("intercom-pp-cli which"));
}

#[tokio::test(flavor = "multi_thread")]
async fn describe_prints_one_command() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let output = run(home.path(), &sandbox, &["describe", "conversations", "bulk-close", "--json"]);
    assert!(output.stdout.len() < 2_500, "{}", output.stdout.len());
    let described = document(&output)["results"].clone();
    assert_eq!(
        (&described["effect"], &described["command"]),
        (&"write".into(), &"conversations bulk-close".into())
    );
    let rows = described["output"].as_str().unwrap();
    let preview = ["conversations", "bulk-close", "--where", "state = open", "--limit", "1", "--json"];
    let answer = document(&run(home.path(), &sandbox, &preview));
    let path = format!("/{}", rows.trim_end_matches("[]").replace('.', "/"));
    assert!(answer.pointer(&path).is_some_and(Value::is_array), "{rows}: {answer}");
    let text = run(home.path(), &sandbox, &["describe", "contacts search", "--format", "table"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("\noutput") && text.contains("--where"), "{text}");
    let unknown = run(home.path(), &sandbox, &["describe", "contacts", "serach", "--json"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("`intercom-pp-cli contacts search`"), "{}", stderr(&unknown));
}

/// The shapes that `describe` states for hand-written reads that work in an empty workspace.
#[tokio::test(flavor = "multi_thread")]
async fn described_rows_are_where_the_answer_has_them() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync"])), 0);
    for line in [
        &["conversations", "sla"][..],
        &["conversations", "stale"],
        &["conversations", "volume"],
        &["contacts", "dupes"],
        &["articles", "translations"],
        &["status"],
        &["bulk", "runs"],
        &["profile", "list"],
        &["auth", "list"],
        &["conversations", "close", "215470000000003", "--dry-run"],
        &["tickets", "note", "7300001", "text", "--dry-run"],
        &["doctor"],
        &["search", "refund"],
        &["sql", "SELECT 1 AS one"],
        &["analytics", "conversations", "--by", "state"],
        &["which", "tag a contact"],
        &["sync", "--resources", "tags"],
    ] {
        let words = line.iter().take_while(|word| !word.contains(' ') && !word.starts_with('-'));
        let words: Vec<&str> = words
            .copied()
            .filter(|word| !["refund", "text"].contains(word) && word.parse::<u64>().is_err())
            .collect();
        let words = if words[0] == "analytics" { vec!["analytics"] } else { words };
        let described =
            document(&run(home.path(), &sandbox, &[&["describe", "--json"], &words[..]].concat()));
        let rows = described["results"]["output"].as_str().unwrap_or_else(|| panic!("{line:?}: {described}"));
        let answer = document(&run(home.path(), &sandbox, &[line, &["--json"]].concat()));
        let path = format!("/{}", rows.trim_end_matches("[]").replace('.', "/"));
        assert!(answer.pointer(&path).is_some_and(Value::is_array), "{line:?}: {rows}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_context_describes_everything() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let full = document(&run(home.path(), &sandbox, &["agent-context", "--json"]));
    let results = &full["results"];
    let commands = results["commands"].as_array().unwrap();
    assert!(commands.len() > 150, "{}", commands.len());
    let create = commands.iter().find(|command| command["name"] == "tags delete").unwrap();
    assert_eq!((&create["effect"], &create["arguments"][0]["name"]), (&"destructive".into(), &"<id>".into()));
    assert_eq!(results["exit_codes"]["7"], "still rate limited after retries");
    for key in ["global_flags", "envelopes", "profiles", "mirror", "environment", "conventions"] {
        assert!(!results[key].is_null(), "{key}");
    }
    assert_eq!(results["mirror"]["state"], "none");
    assert_eq!(code(&run(home.path(), &sandbox, &["sync", "--resources", "tags"])), 0);
    let output = run(home.path(), &sandbox, &["agent-context", "--compact"]);
    assert!(output.stdout.len() < 8 * 1024, "{}", output.stdout.len());
    let compact = document(&output);
    assert_eq!(compact["results"]["mirror"]["state"], "complete");
    let contacts = compact["results"]["commands"]["contacts"].as_str().unwrap();
    assert!(contacts.contains("list") && contacts.contains("delete <id>!"), "{contacts}");
    let agent = run(home.path(), &sandbox, &["agent-context", "--agent"]);
    let without_age = |output: &Output| {
        let mut whole = document(output);
        whole["results"]["mirror"]["age_seconds"].take();
        whole
    };
    assert_eq!(without_age(&agent), without_age(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_has_a_hint() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    for line in [
        &["contacts", "fly"][..],
        &["contacts", "show"],
        &["contacts", "show", "nobody"],
        &["contacts", "list", "--per-page", "x"],
        &["contacts", "list", "--region", "mars"],
        &["contacts", "list", "--deliver", "nowhere"],
        &["contacts", "list", "--deliver", "file:/no/such/folder/x.json"],
        &["contacts", "list", "--format", "xml"],
        &["contacts", "list", "--profile", "nobody"],
        &["tags", "create", "--body-json", "{"],
        &["tags", "delete", "5000001"],
        &["sql", "SELECT 1"],
        &["search", "x"],
        &["conversations", "sla"],
        &["api", "FETCH", "/me"],
        &["api", "GET", "https://example.com/me"],
        &["import", "contacts", "--input", "missing.jsonl"],
        &["workflow", "run", "missing.toml"],
        &["sync", "--resources", "nothing"],
        &["sync", "--since", "someday"],
    ] {
        let output = run(home.path(), &sandbox, &[line, &["--json"]].concat());
        assert_ne!(code(&output), 0, "{line:?}");
        let error: Value = serde_json::from_str(&stderr(&output))
            .unwrap_or_else(|_| panic!("{line:?}: {}", stderr(&output)));
        let hint = error["error"]["hint"].as_str().unwrap_or_else(|| panic!("{line:?}: {error}"));
        assert!(!hint.is_empty() && error["error"]["exit_code"] == code(&output), "{line:?}: {error}");
    }
}
