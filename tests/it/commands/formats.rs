//! `--format`, `--select`, `--jq` and `--compact`.

use std::path::Path;

use intercom::sandbox::Sandbox;
use serde_json::Value;

use crate::commands::{code, run, sandbox};
use crate::support::{document, stderr, stdout};

fn list(home: &Path, sandbox: &Sandbox, flags: &[&str]) -> std::process::Output {
    let output = run(home, sandbox, &[&["conversations", "list", "--per-page", "10"], flags].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_renames_and_takes_patterns() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let flags = ["--json", "--select", "id,contact:source.author.email,*_AT"];
    let records = document(&list(home.path(), &sandbox, &flags))["results"]["conversations"].clone();
    for record in records.as_array().unwrap() {
        let keys: Vec<&String> = record.as_object().unwrap().keys().collect();
        assert!(
            keys.len() >= 4
                && keys.iter().all(|key| ["id", "contact"].contains(&key.as_str()) || key.ends_with("_at")),
            "{record}"
        );
        assert!(record["contact"].is_null() || record["contact"].as_str().unwrap().contains('@'), "{record}");
    }
    let csv = stdout(&list(
        home.path(),
        &sandbox,
        &["--csv", "--select", "id,contact:source.author.email,created_*"],
    ));
    assert_eq!(csv.lines().next(), Some("id,contact,created_at"));
    assert_eq!(csv.lines().count(), 11);
    let none = list(home.path(), &sandbox, &["--json", "--select", "id,*_nope"]);
    assert!(stderr(&none).contains("*_nope"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_can_be_named() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let select = ["--select", "id,contact:source.author.email"];
    for (format, flag) in [
        ("json", "--json"),
        ("ndjson", "--ndjson"),
        ("csv", "--csv"),
        ("plain", "--plain"),
        ("quiet", "--quiet"),
        ("table", "--human-friendly"),
    ] {
        let named = list(home.path(), &sandbox, &[&select[..], &["--format", format]].concat());
        let flagged = list(home.path(), &sandbox, &[&select[..], &[flag]].concat());
        assert_eq!(stdout(&named), stdout(&flagged), "{format}");
    }
    let toon = stdout(&list(home.path(), &sandbox, &[&select[..], &["--format", "toon"]].concat()));
    assert!(toon.contains("conversations[10]{id,contact}:"), "{toon}");
    let agent = stdout(&list(home.path(), &sandbox, &["--agent", "--format", "toon"]));
    assert!(agent.starts_with("meta:"), "{agent}");
    let wrong = run(home.path(), &sandbox, &["me", "--format", "xml", "--json"]);
    assert_eq!(code(&wrong), 2);
    // A command's own `--format` flag takes precedence.
    let synced = run(home.path(), &sandbox, &["sync", "--resources", "tags"]);
    assert_eq!(code(&synced), 0);
    let exported = run(home.path(), &sandbox, &["export", "tags", "--format", "csv", "--select", "id,name"]);
    assert!(stdout(&exported).starts_with("id,name"), "{}", stderr(&exported));
}

#[tokio::test(flavor = "multi_thread")]
async fn jq_receives_the_document() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let ids = stdout(&list(home.path(), &sandbox, &["--jq", ".results.conversations[].id"]));
    let plain = stdout(&list(home.path(), &sandbox, &["--plain", "--jq", ".results.conversations[].id"]));
    assert_eq!(ids.lines().count(), 10);
    assert_eq!(plain, ids.replace('"', ""));
    let all = run(
        home.path(),
        &sandbox,
        &["contacts", "list", "--all", "--jq", "[(.results.data | length), .meta.complete]"],
    );
    assert_eq!(stdout(&all), "[60,true]\n");
    let wrong = run(home.path(), &sandbox, &["contacts", "list", "--jq", ".["]);
    assert_eq!((code(&wrong), wrong.stdout.len()), (2, 0));
    let failed = run(home.path(), &sandbox, &["contacts", "list", "--jq", ".results.data.id"]);
    assert_eq!(code(&failed), 5);
    let both = run(home.path(), &sandbox, &["contacts", "list", "--csv", "--jq", "."]);
    assert_eq!(code(&both), 2);
    let calls = sandbox.requests().iter().filter(|request| request.path == "/contacts").count();
    let full_pages = 1;
    assert_eq!(calls, full_pages + 1, "an invalid combination sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn compact_keeps_the_declared_fields() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let raw = list(home.path(), &sandbox, &["--json"]);
    let compact = list(home.path(), &sandbox, &["--json", "--compact"]);
    let toon = list(home.path(), &sandbox, &["--compact", "--format", "toon"]);
    let record = document(&compact)["results"]["conversations"][0].clone();
    assert!(
        record["id"].is_string() && record["state"].is_string() && record["created_at"].is_i64(),
        "{record}"
    );
    assert!(record["source"]["author"]["id"].is_string() && record["source"]["body"].is_null(), "{record}");
    assert!(compact.stdout.len() * 2 < raw.stdout.len() && toon.stdout.len() < compact.stdout.len());
    let cursor = |output| document(output)["results"]["pages"]["next"].clone();
    assert_eq!(cursor(&compact), cursor(&raw));
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_written_commands_support_every_format() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync"])), 0);
    let sla = |flags: &[&str]| {
        let output =
            run(home.path(), &sandbox, &[&["conversations", "sla", "--min-samples", "1"], flags].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        output
    };
    let agent = document(&sla(&["--agent"]));
    assert!(agent["results"][0]["first_response_p50_minutes"].is_number(), "a report stays whole: {agent}");
    let chosen = document(&sla(&["--json", "--select", "team,p50:first_response_p50_minutes"]));
    assert_eq!(chosen["results"][0].as_object().unwrap().len(), 2);
    assert!(stdout(&sla(&["--csv"])).starts_with("team,"));
    assert!(stdout(&sla(&["--quiet"])).lines().count() >= 2);
    let teams = stdout(&sla(&["--jq", ".results | length"]));
    assert_eq!(
        teams.trim().parse::<usize>().unwrap(),
        document(&sla(&["--json"]))["results"].as_array().unwrap().len()
    );
    let hits: Value =
        document(&run(home.path(), &sandbox, &["search", "refund OR invoice", "--agent", "--limit", "2"]));
    assert!(hits["results"]["hits"][0]["snippet"].is_string(), "{hits}");
    let toon = stdout(&run(home.path(), &sandbox, &["sql", "SELECT 1 AS a, 'x' AS b", "--format", "toon"]));
    assert!(toon.contains("rows[1]{a,b}:\n    1,x"), "{toon}");
}
