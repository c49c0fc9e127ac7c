//! A workspace that hangs, and a server without a token.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::mcp::client::Client;
use crate::support::{self, Server};

#[test]
fn hanging_calls_time_out_and_do_not_block_local_ones() {
    let slow = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(90));
        support::json(200, "{}")
    });
    let home = tempfile::tempdir().unwrap();
    let mut client = Client::start(home.path(), &slow.url, "dG9rOnRlc3Q", &[]);
    let began = Instant::now();
    let hanging: Vec<u64> = (0..12)
        .map(|_| client.begin("tools/call", json!({ "name": "contacts_list", "arguments": {} })))
        .collect();
    client.content("filter_explain", json!({ "filter": "state = open" }));
    client.content("bulk_runs", json!({}));
    client.content("which", json!({ "need": ["tag", "a", "contact"] }));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let answer = client.answer(hanging[0]);
    assert!(began.elapsed() < Duration::from_secs(58), "{:?}", began.elapsed());
    let error = &answer["result"]["structuredContent"]["error"];
    assert!(error["message"].as_str().unwrap().contains("within 45 s"), "{answer}");
}

#[test]
fn without_a_token_the_hint_addresses_the_owner() {
    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_intercom-pp-mcp"));
    command.env_clear().env("HOME", home.path());
    let mut client = Client::of(command);
    let error = client.error("me", json!({}));
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("INTERCOM_ACCESS_TOKEN") && hint.contains("env"), "{hint}");
    assert!(!hint.contains("demo") && !hint.contains("sandbox"), "{hint}");
}
