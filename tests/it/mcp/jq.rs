//! jq programs that are malicious or endless.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use intercom::sandbox::{Sandbox, TOKEN};
use serde_json::json;

use crate::commands::{code, run, sandbox};
use crate::mcp::client::Client;
use crate::support::{self, binary, stderr, stdout};

/// A server that stops programs after one second.
fn server_with_short_timeout(home: &Path, sandbox: &Sandbox) -> Client {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-mcp"));
    let variables = [
        ("HOME", home.to_str().unwrap()),
        ("INTERCOM_BASE_URL", &sandbox.base_url()),
        ("INTERCOM_ACCESS_TOKEN", TOKEN),
        ("INTERCOM_JQ_SECONDS", "1"),
    ];
    command.env_clear().envs(variables).current_dir(home);
    Client::of(command)
}

/// The number of running child processes.
#[cfg(target_os = "linux")]
fn children(process: u32) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let parent = |stat: &String| {
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1).is_some_and(|parent| parent == process.to_string())
    };
    stats.filter(parent).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_access_to_its_document_only() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &[]);
    for program in ["env", "$ENV", "env.INTERCOM_ACCESS_TOKEN", "$ENV.HOME", "input", "input_filename"] {
        let output = run(home.path(), &sandbox, &["me", "--jq", program]);
        assert_eq!((code(&output), output.stdout.len()), (2, 0), "{program}");
        assert!(!stderr(&output).contains(TOKEN));
        let error = client.error("me", json!({ "jq": program }));
        assert_eq!(error["kind"], "usage", "{error}");
    }
    assert!(sandbox.requests().is_empty(), "an invalid program sends nothing");
    for program in ["1 | debug", "1 | stderr"] {
        let output = run(home.path(), &sandbox, &["me", "--jq", program]);
        assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), ("1\n", ""), "{program}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_halts_does_not_stop_the_server() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &[]);
    for (program, reason) in [
        ("\"nothing here\" | halt_error", "nothing here"),
        ("halt(3)", "exit code 3"),
        ("def f: 1 + f; f", "too deeply"),
        ("\"x\" * 100000000000", "memory"),
    ] {
        let output = run(home.path(), &sandbox, &["me", "--jq", program]);
        assert_eq!((code(&output), output.stdout.len()), (5, 0), "{program}");
        assert!(stderr(&output).contains(reason), "{program}: {}", stderr(&output));
        let error = client.error("me", json!({ "jq": program }));
        assert!(error["message"].as_str().unwrap().contains(reason), "{program}: {error}");
    }
    assert_eq!(stdout(&run(home.path(), &sandbox, &["me", "--jq", "1, halt, 2"])), "1\n");
    assert_eq!(client.content("me", json!({ "jq": "1, halt, 2" }))["results"], 1);
    // Nested too deeply for the stack of a normal thread.
    client.error("me", json!({ "jq": "[".repeat(16_000) }));
    assert_eq!(client.content("me", json!({}))["results"]["type"], "admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_program_is_stopped() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = server_with_short_timeout(home.path(), &sandbox);
    for program in ["def f: f; f", "[range(1e9)] | length", "range(1e12)"] {
        let began = Instant::now();
        let mut command = binary(home.path());
        command.env("INTERCOM_BASE_URL", sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
        let output = command.env("INTERCOM_JQ_SECONDS", "1").args(["me", "--jq", program]).output().unwrap();
        assert_eq!((code(&output), output.stdout.len()), (5, 0), "{program}");
        assert!(stderr(&output).contains("hint"), "{}", stderr(&output));
        let error = client.error("me", json!({ "jq": program }));
        assert!(error["message"].as_str().unwrap().starts_with("--jq: the program"), "{program}: {error}");
        assert!(began.elapsed() < Duration::from_secs(20), "{program}: {:?}", began.elapsed());
    }
    let error = client.error("me", json!({ "jq": "def f: f; f" }));
    assert!(error["message"].as_str().unwrap().contains("longer than 1 s"), "{error}");
    assert_eq!(client.content("me", json!({ "jq": ".results.type" }))["results"], "admin");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_call_stops_its_program() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let mut client = Client::start(home.path(), &sandbox.base_url(), TOKEN, &[]);
    let soon = |what: &dyn Fn() -> bool| {
        (0..120).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            what()
        })
    };
    let process = client.process_id();
    let id = client.begin("tools/call", json!({ "name": "me", "arguments": { "jq": "def f: f; f" } }));
    assert!(soon(&|| children(process) == 1));
    client.send(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } }),
    );
    assert!(soon(&|| children(process) == 0), "{} still run", children(process));
    assert_eq!(client.content("me", json!({}))["results"]["type"], "admin");
}

#[test]
fn a_worker_has_no_environment() {
    let home = tempfile::tempdir().unwrap();
    let server = support::Server::always(200, r#"{"type":"admin"}"#);
    let mut command = binary(home.path());
    command.env("INTERCOM_BASE_URL", &server.url).env("INTERCOM_ACCESS_TOKEN", "dG9rOnRlc3Q");
    let zone = command.env("TZ", "Asia/Tokyo").args(["me", "--jq", "0 | localtime | .[3]"]).output().unwrap();
    assert_eq!(stdout(&zone), "9\n", "{}", stderr(&zone));
}
