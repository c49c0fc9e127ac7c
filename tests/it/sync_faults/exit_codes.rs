//! Exit codes: they reflect the kind of failure, whenever it happens during a run.

use std::process::{Child, Stdio};
use std::time::Instant;

use intercom::sandbox::{Fault, Options};
use serde_json::json;

use super::completeness::{count, quirk, run, small};
use super::*;
use crate::support::{Server, against, binary, document, json as reply, stderr, stdout};

fn outcome<'a>(summary: &'a serde_json::Value, resource: &str) -> &'a serde_json::Value {
    let outcomes = summary["results"]["resources"].as_array().unwrap();
    outcomes.iter().find(|outcome| outcome["resource"] == resource).unwrap()
}

/// The token is revoked at each stage of the run.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_revoked_during_a_run_ends_with_exit_code_4() {
    let fixture = Fixture::new(small()).await;
    for (operation, first) in [
        ("ListContacts", 1),
        ("listNotes", 2),
        ("searchConversations", 1),
        ("retrieveConversation", 5),
        ("listArticles", 1),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut calls = 0;
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        fixture.sandbox.intercept(move |_, served| {
            calls += usize::from(served.operation == Some(operation));
            (calls >= first).then_some(401)
        });
        let output = run(home.path(), &fixture.sandbox, "sync --json --db one.db");
        assert_eq!(output.status.code(), Some(4), "{operation}: {}", stderr(&output));
        assert_eq!(document(&output)["meta"]["complete"], false, "{operation}");
    }
}

/// After conversations are listed, every request is rate limited for longer than the program waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_permanent_rate_limit_ends_with_exit_code_7() {
    let server = Server::start(|request| {
        let limited =
            json!({"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "Too many"}]});
        let limited = limited.to_string();
        match request.path.as_str() {
            "/me" => reply(200, r#"{"type":"admin","id":"1","app":{"id_code":"abc","region":"US"}}"#),
            "/conversations/search" => {
                let page = json!({
                    "type": "conversation.list", "total_count": 2, "pages": {"type": "pages", "next": null},
                    "conversations": [
                        {"type": "conversation", "id": "1", "updated_at": 1_700_000_000},
                        {"type": "conversation", "id": "2", "updated_at": 1_700_000_001},
                    ],
                });
                reply(200, &page.to_string())
            }
            _ => {
                let head = format!(
                    "HTTP/1.1 429 X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 120\r\nconnection: close\r\n\r\n",
                    limited.len()
                );
                [head, limited].concat().into_bytes()
            }
        }
    });
    let home = tempfile::tempdir().unwrap();
    for (resources, missing) in [
        ("conversations,conversation_parts", "conversation_parts"),
        ("tags", "tags"),
        ("contacts", "contacts"),
    ] {
        let output = against(home.path(), &server.url)
            .args(["sync", "--json", "--db", "one.db", "--resources", resources])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(7), "{resources}: {}", stderr(&output));
        assert_eq!(outcome(&document(&output), missing)["cause"], "rate_limited", "{resources}");
        assert!(stderr(&output).contains("--rate-limit"), "{}", stderr(&output));
    }
    let store = Store::open_read_only(&home.path().join("one.db")).unwrap();
    let kept: i64 =
        store.connection().query_row("SELECT count(*) FROM conversations", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 2, "fetched records are kept");
}

/// The network fails between two conversations.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_network_ends_with_exit_code_5() {
    let fixture = Fixture::new(Options { latency: Duration::from_millis(20), ..medium() }).await;
    let home = tempfile::tempdir().unwrap();
    let mut command = binary(home.path());
    command
        .args(["sync", "--json", "--db", "one.db", "--resources", "conversations,conversation_parts"])
        .args(["--concurrency", "4"])
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", fixture.sandbox.base_url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for(|| fixture.calls("retrieveConversation") > 5).await;
    drop(fixture);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let summary = document(&output);
    assert_eq!(outcome(&summary, "conversation_parts")["cause"], "network");
    assert!(outcome(&summary, "conversations")["complete"].as_bool().unwrap());
}

/// A truncated response is a lost connection.
#[tokio::test]
async fn truncated_responses_are_network_errors() {
    let fixture = Fixture::new(small()).await;
    let mut store = fixture.store("one.db");
    for fault in [Fault::Truncate, Fault::Drop] {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        fixture
            .sandbox
            .inject_faults(move |_, served| (served.operation == Some("listTags")).then_some(fault));
        let summary = fixture.sync(&mut store).await;
        let tags = summary.resources.iter().find(|outcome| outcome.resource.as_str() == "tags").unwrap();
        assert_eq!(tags.cause, Some(intercom::mirror::Cause::Network), "{fault:?}: {tags:?}");
    }
}

async fn wait_for(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "timed out");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A resource that needs another API version counts as unavailable.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_requires_another_api_version_is_not_an_outage() {
    let fixture = Fixture::new(small()).await;
    let home = tempfile::tempdir().unwrap();
    let sync = |words: &str| {
        fixture.sandbox.with_workspace(|workspace| workspace.scroll = None);
        let output = run(home.path(), &fixture.sandbox, &format!("sync --json {words}"));
        (output.status.code().unwrap(), document(&output), stderr(&output))
    };
    quirk(&fixture, &["wrong-version=/articles", "wrong-version=/segments"]);
    let (code, summary, text) = sync("--db fresh.db");
    assert_eq!((code, &summary["meta"]["complete"]), (0, &true.into()), "{text}");
    for resource in ["articles", "segments"] {
        let skipped = outcome(&summary, resource);
        assert_eq!(skipped["skipped"], true, "{skipped}");
        assert!(skipped["reason"].as_str().unwrap().contains("version 2.14"), "{skipped}");
        let warning = format!(r#""event":"sync_warning","resource":"{resource}","message":"skipped: "#);
        assert!(text.contains(&warning), "{text}");
    }
    assert_eq!(outcome(&summary, "contacts")["complete"], true);

    let (code, summary, _) = sync("--db named.db --resources articles");
    assert_eq!((code, &outcome(&summary, "articles")["cause"]), (6, &"refused".into()));

    quirk(&fixture, &[]);
    assert_eq!(sync("--db later.db").0, 0);
    quirk(
        &fixture,
        &["wrong-version=/conversations/search", "wrong-version=/conversations", "wrong-version=/segments"],
    );
    let (code, summary, text) = sync("--db later.db");
    assert_eq!(code, 6, "{text}");
    for resource in ["conversations", "contacts", "segments"] {
        let missing = outcome(&summary, resource);
        assert_eq!(
            (&missing["complete"], &missing["cause"]),
            (&false.into(), &"refused".into()),
            "{missing}"
        );
    }
    assert_eq!(outcome(&summary, "tickets")["complete"], true);
    let store = Store::open_read_only(&home.path().join("later.db")).unwrap();
    assert_same(&store, &fixture.sandbox);
}

fn scrolling(home: &std::path::Path, sandbox: &Sandbox, words: &str) -> Child {
    let mut command = binary(home);
    command
        .args(["sync", "--db", "one.db", "--resources", "companies"])
        .args(words.split_whitespace())
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The scroll of a killed process stays open for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_the_scroll_of_a_killed_run_is_reported_unless_quiet() {
    let mut waiting = Vec::new();
    for words in ["", "--quiet", "--progress json", "--quiet --progress none"] {
        let fixture = Fixture::new(medium()).await;
        let home = tempfile::tempdir().unwrap();
        fixture.sandbox.inject_faults(|_, served| {
            if served.operation == Some("scrollOverAllCompanies") {
                std::thread::sleep(Duration::from_millis(100));
            }
            None
        });
        let mut killed = scrolling(home.path(), &fixture.sandbox, "--quiet");
        wait_for(|| fixture.calls("scrollOverAllCompanies") > 0).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
        let mut refused = 0;
        fixture.sandbox.inject_faults(move |workspace, served| {
            if served.operation == Some("scrollOverAllCompanies") && served.query.is_empty() {
                refused += 1;
                // The retry comes after a minute.
                if refused == 2 {
                    workspace.clock.advance(Duration::from_secs(61));
                }
            }
            None
        });
        waiting.push((words, scrolling(home.path(), &fixture.sandbox, words), fixture, home));
    }
    for (words, child, fixture, home) in waiting {
        let output = child.wait_with_output().unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{words}: {text}");
        let store = Store::open_read_only(&home.path().join("one.db")).unwrap();
        let all = fixture.sandbox.with_workspace(|workspace| workspace.companies.len());
        assert_eq!(count(&store, "companies"), all, "{words}");
        match words {
            "" => assert!(
                text.contains("companies: another scroll is open") && text.contains("waiting up to 65 s"),
                "{text}"
            ),
            "--progress json" => {
                let waits = text.lines().filter(|line| line.contains(r#""event":"sync_waiting""#)).count();
                assert_eq!(waits, 1, "{text}");
            }
            _ => assert_eq!((text.as_str(), stdout(&output).as_str()), ("", ""), "{words}"),
        }
    }
}
