//! Failing servers, lost connections and killed processes: every record is changed once.

use std::process::Stdio;
use std::time::Duration;

use intercom::sandbox::Fault;
use serde_json::json;

use super::{PHRASE, Scene, ids};
use crate::support::{self, stderr};

const TAG: &str = "incident";

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let words =
        ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", TAG, "--json", "--apply", "--yes"];
    words.into_iter().chain(more.iter().copied()).collect()
}

/// Every `of`th request fails, each time in a different way.
fn failing(of: u64) -> impl FnMut() -> Option<Fault> {
    let mut state = 7_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = state >> 33;
        draw.is_multiple_of(of).then(|| match (draw / of) % 5 {
            0 => Fault::Status(500),
            1 => Fault::Status(503),
            2 => Fault::Status(429),
            3 => Fault::Truncate,
            _ => Fault::Drop,
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_requests_are_retried_until_each_record_is_changed_once() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(50);
    let (mut changes, mut reads) = (failing(5), failing(10));
    let counts = scene.count_attached(move |_, method, path| match method {
        "GET" => reads(),
        _ if path.ends_with("/search") => reads(),
        _ => changes(),
    });
    let results = scene.results(&words(&[]), 0);
    assert_eq!((&results["tagged"], &results["failed"]), (&json!(50), &json!(0)));
    assert_eq!(scene.tagged(TAG), mentioned);
    let counts = counts.lock().unwrap();
    assert!(counts.len() == 50 && counts.values().all(|count| *count == 1), "{counts:?}");
    assert!(scene.sandbox.requests().iter().any(|request| request.status == 503));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_reported_and_retried_on_resume() {
    let scene = Scene::new(40).await;
    let mentioned = scene.mention(8);
    let bad = format!("/conversations/{}/tags", mentioned[3]);
    scene.sandbox.inject_faults(move |_, served| (served.path == bad).then_some(Fault::Status(422)));
    let results = scene.results(&words(&[]), 6);
    assert_eq!((&results["tagged"], &results["failed"]), (&json!(7), &json!(1)));
    assert_eq!(ids(&results, "failed"), [mentioned[3].clone()]);
    let output =
        scene.run(&["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "other", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    scene.sandbox.inject_faults(|_, _| None);
    // A run with another tag cannot be resumed.
    let other =
        ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "other", "--resume", "--json"];
    assert_eq!(scene.results(&other, 0)["would_tag"], 8);
    // The journal holds all arguments of the run.
    let results = scene.results(&["conversations", "incident-tag", "--resume", "--json"], 0);
    assert_eq!((&results["tagged"], &results["failed"]), (&json!(8), &json!(0)));
    assert_eq!(scene.tagged(TAG), mentioned);
    assert_eq!(scene.run(&["conversations", "incident-tag", "--resume"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_reports_that_everything_failed() {
    let scene = Scene::new(30).await;
    scene.mention(4);
    scene.sandbox.inject_faults(|_, served| {
        (served.operation == Some("attachTagToConversation")).then_some(Fault::Status(403))
    });
    let results = scene.results(&words(&[]), 5);
    assert_eq!((&results["tagged"], &results["failed"]), (&json!(0), &json!(4)));
    assert_eq!(results["conversations"][0]["error"]["http_status"], 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_response_is_retried() {
    let scene = Scene::new(40).await;
    let mentioned = scene.mention(8);
    let mut asked = std::collections::HashSet::new();
    scene.sandbox.inject_faults(move |_, served| {
        let is_first = served.operation == Some("retrieveConversation") && asked.insert(served.path.clone());
        is_first.then_some(Fault::Blank)
    });
    scene.results(&words(&[]), 0);
    assert_eq!(scene.tagged(TAG), mentioned);
}

/// During an outage no record is retried for long; what failed is reported and can be resumed.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_does_not_use_up_the_retries_of_every_record() {
    let scene = Scene::new(120).await;
    let mentioned = scene.mention(60);
    scene.sandbox.inject_faults(|_, served| {
        (served.operation == Some("attachTagToConversation")).then_some(Fault::Status(500))
    });
    let output = scene.run(&words(&["--concurrency", "8"]));
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let document = support::document(&output);
    let run = document["results"]["run"].as_str().unwrap();
    assert!(stderr(&output).contains(&format!("--resume={run}")), "{}", stderr(&output));
    // The records were read at the end, so no outcome is unknown.
    assert_eq!(ids(&document["results"], "failed"), mentioned);
    // All retries of all records would be 720 requests.
    let sent = scene.changing_calls().len();
    assert!(sent < 260, "{sent} calls");
    scene.sandbox.inject_faults(|_, _| None);
    let resume = format!("--resume={run}");
    scene.results(&["conversations", "incident-tag", &resume, "--json"], 0);
    assert_eq!(scene.tagged(TAG), mentioned);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_conversation_does_not_stop_the_others() {
    let scene = Scene::new(40).await;
    let mentioned = scene.mention(8);
    let all: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        workspace
            .conversations
            .iter()
            .filter(|conversation| !conversation.parts.is_empty())
            .map(|conversation| conversation.id.clone())
            .collect()
    });
    let bad = all.iter().find(|id| !mentioned.contains(id)).unwrap().clone();
    let path = format!("/conversations/{bad}");
    scene.sandbox.inject_faults(move |_, served| (served.path == path).then_some(Fault::Status(500)));
    let output = scene.run(&words(&[]));
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let document = support::document(&output);
    assert_eq!((&document["results"]["tagged"], &document["meta"]["complete"]), (&json!(8), &json!(false)));
    assert_eq!(document["meta"]["unread"][0]["id"], json!(bad));
    assert_eq!(document["meta"]["unread"][0]["error"]["http_status"], 500);
    assert!(
        stderr(&output).contains(&format!(
            "not searched: the parts of 1 conversation that could not be read, for example {bad} ("
        )),
        "{}",
        stderr(&output)
    );
    assert_eq!(scene.tagged(TAG), mentioned);
    // The same with ids.
    let named = ["conversations", "bulk-tag", &mentioned[0], &bad, "--tag", "other", "--apply", "--json"];
    let results = scene.results(&named, 6);
    assert_eq!((&results["tagged"], &results["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(results["conversations"][1]["reason"], "unreadable");
    assert_eq!(results["conversations"][1]["error"]["http_status"], 500);
    // An error only when none can be read.
    let output = scene.run(&["conversations", "bulk-tag", &bad, "--tag", "other", "--apply", "--json"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(stderr(&output).contains("\"http_status\":500"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_created_once_even_when_the_response_is_lost() {
    let scene = Scene::new(20).await;
    let mentioned = scene.mention(3);
    let mut first = true;
    scene.sandbox.inject_faults(move |_, served| {
        (served.operation == Some("createTag") && std::mem::take(&mut first)).then_some(Fault::Drop)
    });
    scene.results(&words(&[]), 0);
    assert_eq!(scene.tagged(TAG), mentioned);
    let made = scene
        .sandbox
        .with_workspace(|workspace| workspace.tags.iter().filter(|tag| tag.text("name") == TAG).count());
    assert_eq!(made, 1);
}

/// Starts a slow run and waits until it has changed some records.
async fn start_slow_run(scene: &Scene) -> std::process::Child {
    let mut child = scene
        .command(&words(&["--concurrency", "2"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..12_000 {
        if scene.tagged(TAG).len() >= 5 {
            return child;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("nothing was tagged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_can_be_resumed() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(40);
    let counts = scene.count_attached(|_, _, path| {
        std::thread::sleep(Duration::from_millis(if path.ends_with("/tags") { 10 } else { 0 }));
        None
    });
    let mut child = start_slow_run(&scene).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let before = scene.tagged(TAG).len();
    assert!(before < 40, "the run ended before it was killed");
    let runs = scene.results(&["bulk", "runs", "--json"], 0);
    assert_eq!(runs[0]["state"], "interrupted");
    let results = scene.results(&words(&["--resume"]), 0);
    assert_eq!((&results["tagged"], &results["matched"]), (&json!(40), &json!(40)));
    assert_eq!(scene.tagged(TAG), mentioned);
    let counts = counts.lock().unwrap();
    assert!(counts.len() == 40 && counts.values().all(|count| *count == 1), "{counts:?}");
    let runs = scene.results(&["bulk", "runs", "--json"], 0);
    assert_eq!((&runs[0]["state"], &runs[0]["done"]), (&json!("finished"), &json!(40)));
    assert_eq!(runs.as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_finishes_running_requests() {
    let scene = Scene::new(60).await;
    let mentioned = scene.mention(40);
    let counts = scene.count_attached(|_, _, path| {
        std::thread::sleep(Duration::from_millis(if path.ends_with("/tags") { 10 } else { 0 }));
        None
    });
    let child = start_slow_run(&scene).await;
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let results = &support::document(&output)["results"];
    assert_eq!(ids(results, "tagged"), scene.tagged(TAG), "the report matches the workspace");
    assert!(results["skipped"].as_u64().unwrap() > 0);
    let results = scene.results(&words(&["--resume"]), 0);
    assert_eq!(results["tagged"], 40);
    assert_eq!(scene.tagged(TAG), mentioned);
    assert!(counts.lock().unwrap().values().all(|count| *count == 1));
}
