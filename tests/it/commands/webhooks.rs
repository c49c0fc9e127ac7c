//! `sandbox serve --webhooks` and `sandbox trigger`, with `listen` or a small server as the receiver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use intercom::sandbox::TOKEN;
use intercom::webhooks::{Notification, SIGNATURE_HEADER};

use super::listen::{Listening, SECRET, lines, wait_until};
use super::*;
use crate::support::response;

/// A running `sandbox serve`.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(home: &Path, words: &[&str]) -> Self {
        let mut command = binary(home);
        command.args(["sandbox", "serve", "--contacts", "30", "--conversations", "30"]).args(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        let found = started.pointer("/base_url").or(started.pointer("/results/base_url"));
        Serving { child, url: found.unwrap().as_str().unwrap().to_owned() }
    }

    fn run(&self, home: &Path, words: &[&str]) -> Output {
        let mut command = binary(home);
        command.env("INTERCOM_BASE_URL", &self.url).env("INTERCOM_ACCESS_TOKEN", TOKEN);
        command.args(words).output().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn changes_of_a_sandbox_arrive_at_listen_once() {
    let home = tempfile::tempdir().unwrap();
    let listening = Listening::start(home.path(), "out", &[]);
    let address = format!("http://{}/", listening.address);
    let words =
        ["--webhooks", &address, "--client-secret", SECRET, "--webhook-repeat", "100", "--webhook-shuffle"];
    let serving = Serving::start(home.path(), &words);
    let created =
        serving.run(home.path(), &["contacts", "create", "--role", "lead", "--name", "Ann", "--json"]);
    assert_eq!(code(&created), 0, "{}", stderr(&created));
    let id = document(&created)["results"]["id"].as_str().unwrap().to_owned();
    for words in [
        &["api", "PUT", &format!("/contacts/{id}"), "--field", "name=Bea", "--yes"][..],
        &["api", "POST", &format!("/contacts/{id}/archive"), "--yes"],
        &["api", "DELETE", &format!("/contacts/{id}"), "--yes"],
    ] {
        let output = serving.run(home.path(), words);
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
    }
    wait_until("four lines", || lines(home.path(), "out").len() == 4);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let (exit, rest) = listening.terminate();
    assert_eq!(exit, Some(0), "{rest}");
    let mut events: Vec<String> = lines(home.path(), "out")
        .iter()
        .map(|line| format!("{} {}", line["topic"].as_str().unwrap(), line["event"].as_str().unwrap()))
        .collect();
    events.sort();
    let expected = [
        "contact.archived archived",
        "contact.deleted deleted",
        "contact.lead.created changed",
        "contact.lead.updated changed",
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_trigger_sends_one_signed_notification_with_the_given_values() {
    let home = tempfile::tempdir().unwrap();
    let receiver = Server::start(|_| response(200, "text/plain", ""));
    let url = format!("{}/hook", receiver.url);
    let words = [
        "sandbox",
        "trigger",
        "conversation.user.replied",
        "--to",
        &url,
        "--client-secret",
        SECRET,
        "--override",
        "id=123",
        "--override",
        "conversation_parts.conversation_parts.0.body=hi",
    ];
    let output = binary(home.path()).args(words).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let result = document(&output)["results"].clone();
    let requests = receiver.take();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let signature = request.header(&SIGNATURE_HEADER.to_lowercase()).unwrap();
    let notification = Notification::receive(SECRET, &request.body, signature).unwrap();
    let expected = json!({
        "id": notification.id, "topic": "conversation.user.replied", "url": url, "status": 200, "error": null,
    });
    assert_eq!(result, expected);
    assert_eq!(notification.item["id"], 123);
    assert_eq!(notification.item["conversation_parts"]["conversation_parts"][0]["body"], "hi");
    let again = binary(home.path()).args(words).output().unwrap();
    assert_ne!(document(&again)["results"]["id"], result["id"], "not a repeat");
}

#[test]
fn a_running_sandbox_sends_what_is_triggered() {
    let home = tempfile::tempdir().unwrap();
    let receiver = Server::start(|request| {
        response(if request.json()["topic"] == "ticket.created" { 500 } else { 200 }, "text/plain", "")
    });
    let serving = Serving::start(home.path(), &["--webhooks", &receiver.url, "--client-secret", SECRET]);
    let output =
        serving.run(home.path(), &["sandbox", "trigger", "contact.deleted", "--override", "id=\"c1\""]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(document(&output)["results"]["status"], 200);
    let requests = receiver.take();
    let sent = requests.last().unwrap().json();
    assert_eq!((&sent["topic"], &sent["data"]["item"]["id"]), (&json!("contact.deleted"), &json!("c1")));

    let refused = serving.run(home.path(), &["sandbox", "trigger", "ticket.created"]);
    assert_eq!(code(&refused), 5);
    assert_eq!(document(&refused)["results"]["status"], 500);
    assert!(stderr(&refused).contains("not accepted: the receiver answered 500"), "{}", stderr(&refused));
}

#[test]
fn what_cannot_be_triggered_is_an_error_that_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let serving = Serving::start(home.path(), &[]);
    let to = ["--to", "http://127.0.0.1:1/", "--client-secret", SECRET];
    let with_receiver = |words: &[&'static str]| [words, &to].concat();
    for (words, exit, expected) in [
        (with_receiver(&["contact.delted"]), 2, "did you mean \"contact.deleted\"?"),
        (with_receiver(&["zebra"]), 2, "sandbox trigger --list"),
        (with_receiver(&["contact.deleted"]), 5, "not accepted: the receiver cannot be reached"),
        (with_receiver(&["contact.deleted", "--override", "id"]), 2, "expected PATH=VALUE"),
        (with_receiver(&["contact.deleted", "--override", "id.x=1"]), 2, "neither an object nor a list"),
        (
            vec!["contact.deleted", "--to", "example.com"],
            2,
            "expected one that begins with http:// or https://",
        ),
        (vec!["contact.deleted", "--to", "http://127.0.0.1:1/"], 10, "no client secret"),
        (vec!["contact.deleted"], 10, "started without --webhooks"),
        (vec![], 2, "TOPIC"),
    ] {
        let output = serving.run(home.path(), &[&["sandbox", "trigger"][..], &words].concat());
        assert_eq!(code(&output), exit, "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{words:?}: {}", stderr(&output));
    }
    let nowhere = binary(home.path()).args(["sandbox", "trigger", "contact.deleted"]).output().unwrap();
    assert_eq!(code(&nowhere), 2);
    assert!(stderr(&nowhere).contains("no running sandbox"), "{}", stderr(&nowhere));
    let list = binary(home.path()).args(["sandbox", "trigger", "--list"]).output().unwrap();
    let topics = document(&list)["results"].clone();
    assert!(
        topics.as_array().unwrap().contains(&json!({ "topic": "conversation.user.replied" })),
        "{topics}"
    );
    for words in
        [&["--webhooks", "http://127.0.0.1:1/"][..], &["--client-secret", "x"], &["--webhook-shuffle"]]
    {
        let output = binary(home.path()).args(["sandbox", "serve"]).args(words).output().unwrap();
        assert_eq!(code(&output), 2, "{words:?}");
    }
}
