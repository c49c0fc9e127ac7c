//! `listen`: every notification that was answered with 200 is worked on once, whatever happens in between.

mod apply;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use intercom::webhooks::{SIGNATURE_HEADER, sign};

use super::*;
use crate::support::response;

pub const SECRET: &str = "client-secret-of-tests";

/// A running `listen`.
pub struct Listening {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub address: String,
}

impl Listening {
    /// Starts it with its output in a file of the home directory.
    pub fn start(home: &Path, output: &str, words: &[&str]) -> Self {
        Self::start_into(home, File::create(home.join(output)).unwrap().into(), words)
    }

    fn start_into(home: &Path, stdout: Stdio, words: &[&str]) -> Self {
        Self::start_command(binary(home), stdout, words)
    }

    fn start_command(mut command: std::process::Command, stdout: Stdio, words: &[&str]) -> Self {
        command.args(["listen", "--port", "0"]).args(words).env("INTERCOM_CLIENT_SECRET", SECRET);
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let line = line_with(&mut stderr, "listening on ");
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Listening { child, stderr, address }
    }

    /// The status of a request.
    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
        stream.write_all(format!("{head}content-length: {length}\r\n\r\n").as_bytes()).unwrap();
        // A refused body is not read to its end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        answer.split(' ').nth(1).unwrap_or_else(|| panic!("{answer:?}")).parse().unwrap()
    }

    /// Sends a signed body to `/`.
    fn send(&self, body: &str) -> u16 {
        self.send_signed(body, &sign(SECRET, body.as_bytes()))
    }

    fn send_signed(&self, body: &str, signature: &str) -> u16 {
        let headers = [(SIGNATURE_HEADER, signature), ("content-type", "application/json; charset=utf-8")];
        self.request("POST", "/", &headers, body.as_bytes())
    }

    /// Stops it as a service manager does. Returns its exit code and the rest of stderr.
    pub fn terminate(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }

    /// Stops it with SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Reads stderr up to a line with this text.
fn line_with(stderr: &mut BufReader<ChildStderr>, text: &str) -> String {
    let (mut line, mut before) = (String::new(), String::new());
    while !line.contains(text) {
        before.push_str(&line);
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "listen has stopped: {before}");
    }
    line
}

fn notification(id: &str, topic: &str) -> String {
    json!({
        "type": "notification_event", "id": id, "topic": topic, "created_at": 1_779_602_400,
        "data": { "item": { "type": "conversation", "id": "8" } },
    })
    .to_string()
}

/// The lines of a file.
pub fn lines(home: &Path, output: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(home.join(output)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn printed(home: &Path, output: &str) -> Vec<String> {
    lines(home, output).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

pub fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("notif_{number}")).collect()
}

#[test]
fn only_signed_notifications_are_printed_and_each_once() {
    let home = tempfile::tempdir().unwrap();
    let listening = Listening::start(home.path(), "out", &[]);
    let body = notification("notif_1", "conversation.user.replied");
    assert_eq!(listening.send(&body), 200);
    assert_eq!(listening.send(&body), 200, "a repeat");
    assert_eq!(listening.send_signed(&body, &sign("another-secret", body.as_bytes())), 401);
    assert_eq!(listening.send_signed(&body, "sha1=00"), 401);
    assert_eq!(listening.request("POST", "/", &[], body.as_bytes()), 401);
    assert_eq!(listening.send("not JSON"), 400);
    assert_eq!(listening.send("[1]"), 400);
    assert_eq!(listening.send(&"x".repeat(5 << 20)), 413);
    assert_eq!(listening.send(&notification("notif_2", "ping")), 200);
    assert_eq!(listening.send(&notification("notif_3", "conversation.deleted")), 200);
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("warning: refused a request"), "{stderr}");
    let first = json!({
        "id": "notif_1", "topic": "conversation.user.replied", "created_at": "2026-05-24T06:00:00Z",
        "event": "changed", "records": [{ "type": "conversation", "id": "8" }],
        "item": { "type": "conversation", "id": "8" },
    });
    let lines = lines(home.path(), "out");
    assert_eq!(lines[0], first);
    assert_eq!((&lines[1]["id"], &lines[1]["event"]), (&json!("notif_3"), &json!("deleted")));
    assert_eq!(lines.len(), 2);
}

#[test]
fn health_checks_are_answered_and_other_requests_are_not() {
    let home = tempfile::tempdir().unwrap();
    let listening = Listening::start(home.path(), "out", &["--path", "/hook"]);
    for (method, path, status) in [
        ("GET", "/hook", 200),
        ("HEAD", "/hook", 200),
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("PUT", "/hook", 405),
        ("DELETE", "/healthz", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 404),
        ("POST", "/", 404),
        ("POST", "/hook/", 404),
    ] {
        assert_eq!(listening.request(method, path, &[], b""), status, "{method} {path}");
    }
    assert_eq!(listening.terminate().0, Some(0));
    assert_eq!(printed(home.path(), "out"), Vec::<String>::new());
}

#[test]
fn events_are_chosen_by_topic() {
    let home = tempfile::tempdir().unwrap();
    let words = ["--events", "conversation.*,contact.deleted,ping", "--select", "id"];
    let listening = Listening::start(home.path(), "out", &words);
    let topics =
        ["conversation.admin.open.assigned", "ticket.created", "contact.deleted", "contact.archived", "ping"];
    for (number, topic) in topics.iter().enumerate() {
        assert_eq!(listening.send(&notification(&format!("notif_{number}"), topic)), 200);
    }
    assert_eq!(listening.terminate().0, Some(0));
    assert_eq!(printed(home.path(), "out"), ["notif_0", "notif_2", "notif_4"]);
}

#[test]
fn a_signal_does_not_lose_what_was_answered() {
    let home = tempfile::tempdir().unwrap();
    let listening = Listening::start(home.path(), "out", &[]);
    for id in names(0..50) {
        assert_eq!(listening.send(&notification(&id, "ticket.created")), 200);
    }
    assert_eq!(listening.terminate().0, Some(0));
    assert_eq!(printed(home.path(), "out"), names(0..50));
}

#[test]
fn a_kill_loses_nothing_and_repeats_nothing() {
    let home = tempfile::tempdir().unwrap();
    // Nobody reads the pipe, so that most of it is not printed.
    let mut listening = Listening::start_into(home.path(), Stdio::piped(), &[]);
    let padded = |id: &str| {
        let body = notification(id, "ticket.created");
        body.replace(r#""id":"8""#, &format!(r#""id":"8","padding":"{}""#, "x".repeat(8 << 10)))
    };
    for id in names(0..40) {
        assert_eq!(listening.send(&padded(&id)), 200);
    }
    let pipe = listening.child.stdout.take().unwrap();
    listening.kill();
    let mut before = String::new();
    BufReader::new(pipe).read_to_string(&mut before).unwrap();
    let listening = Listening::start(home.path(), "out", &[]);
    for id in names(0..41) {
        assert_eq!(listening.send(&padded(&id)), 200);
    }
    assert_eq!(listening.terminate().0, Some(0));
    let after = printed(home.path(), "out");
    let first = after[0].trim_start_matches("notif_").parse().unwrap();
    assert_eq!(after, names(first..41), "in order, each once");
    assert!((0..first).all(|number| before.contains(&format!("\"notif_{number}\""))), "{first}");
    assert!(after.len() > 10, "the pipe holds less than all");
}

#[test]
fn a_notification_is_forwarded_unchanged_until_it_is_accepted() {
    let home = tempfile::tempdir().unwrap();
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => response(503, "text/plain", "busy"),
        _ => response(200, "text/plain", "ok"),
    });
    let words = ["--forward-to", &format!("{}/hook?key=1", server.url)];
    let listening = Listening::start(home.path(), "out", &words);
    let bodies = [
        "{ \"topic\" : \"ticket.created\",\n\t\"id\":\"a\", \"n\": 1.0e2, \"text\": \"\\u00e9 é\" }",
        r#"{"id":"b","topic":"ticket.closed"}"#,
    ];
    bodies.iter().for_each(|body| assert_eq!(listening.send(body), 200));
    let received = std::cell::RefCell::new(Vec::new());
    wait_until("four requests", || {
        received.borrow_mut().extend(server.take());
        received.borrow().len() == 4
    });
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    let received = received.into_inner();
    for (request, body) in received.iter().zip([bodies[0], bodies[0], bodies[0], bodies[1]]) {
        assert_eq!(String::from_utf8_lossy(&request.body), body);
        assert_eq!(request.header("x-hub-signature"), Some(sign(SECRET, body.as_bytes()).as_str()));
        assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!((request.path.as_str(), request.query("key")), ("/hook", Some("1")));
    }
    assert_eq!(stderr.matches("cannot forward: the server answered 503").count(), 1, "{stderr}");
    assert_eq!(printed(home.path(), "out"), Vec::<String>::new(), "--print is not given");
}

#[test]
fn a_refused_notification_is_named_and_does_not_hold_up_others() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| {
        let refused = request.json()["id"] == "notif_0";
        response(if refused { 410 } else { 204 }, "text/plain", "")
    });
    let words = ["--forward-to", &server.url, "--print"];
    let listening = Listening::start(home.path(), "out", &words);
    for id in names(0..3) {
        assert_eq!(listening.send(&notification(&id, "ticket.created")), 200);
    }
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("not forwarded: ticket.created notif_0: the server answered 410"), "{stderr}");
    let ids: Vec<Value> = server.take().iter().map(|request| request.json()["id"].clone()).collect();
    assert_eq!(ids, names(0..3));
    assert_eq!(printed(home.path(), "out"), names(0..3));
}

#[test]
fn what_was_not_forwarded_is_forwarded_by_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    // Nothing listens on port 1.
    let words = ["--forward-to", "http://127.0.0.1:1/", "--queue", "queue.db"];
    let listening = Listening::start(home.path(), "out", &words);
    for id in names(0..3) {
        assert_eq!(listening.send(&notification(&id, "ticket.created")), 200);
    }
    listening.kill();
    let listening = Listening::start(home.path(), "out", &words);
    assert_eq!(listening.send(&notification("notif_3", "ticket.created")), 200);
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("4 notifications wait in queue.db to be forwarded"), "{stderr}");
    let server = Server::start(|_| response(200, "text/plain", "ok"));
    let listening =
        Listening::start(home.path(), "out", &["--forward-to", &server.url, "--queue", "queue.db"]);
    for id in names(0..4) {
        assert_eq!(listening.send(&notification(&id, "ticket.created")), 200, "a repeat");
    }
    let (code, stderr) = listening.terminate();
    assert_eq!(code, Some(0), "{stderr}");
    let ids: Vec<Value> = server.take().iter().map(|request| request.json()["id"].clone()).collect();
    assert_eq!(ids, names(0..4));
}

#[test]
fn a_reader_that_leaves_is_not_an_error() {
    let home = tempfile::tempdir().unwrap();
    let mut listening = Listening::start_into(home.path(), Stdio::piped(), &[]);
    drop(listening.child.stdout.take());
    assert_eq!(listening.send(&notification("notif_1", "ticket.created")), 200);
    assert_eq!(listening.child.wait().unwrap().code(), Some(0));
    // It was not printed, so the next run prints it.
    let listening = Listening::start(home.path(), "out", &[]);
    assert_eq!(listening.terminate().0, Some(0));
    assert_eq!(printed(home.path(), "out"), ["notif_1"]);
}

#[test]
fn what_it_cannot_work_with_is_an_error_that_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("text"), "not a queue ".repeat(200)).unwrap();
    let listening = Listening::start(home.path(), "out", &["--queue", "queue.db"]);
    let port = listening.address.split(':').nth(1).unwrap().to_owned();
    for (words, exit, expected) in [
        (&["--queue", "text"][..], 10, "text is not a queue of webhooks"),
        (&["--queue", "queue.db"], 8, "in use by another process"),
        (&["--port", &port], 5, "choose another port with --port"),
        (&["--events", "Contact.Deleted"], 2, "invalid topic \"Contact.Deleted\""),
        (&["--path", "hook"], 2, "invalid path \"hook\""),
        (&["--forward-to", "example.com"], 2, "expected one that begins with http:// or https://"),
        (&["--format", "table"], 2, "listen prints lines"),
        (&["--jq", "."], 2, "listen prints lines"),
        (&["--deliver", "file:out.json"], 2, "--forward-to"),
    ] {
        let mut command = binary(home.path());
        let output =
            command.arg("listen").args(words).env("INTERCOM_CLIENT_SECRET", SECRET).output().unwrap();
        assert_eq!(code(&output), exit, "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{words:?}: {}", stderr(&output));
    }
    let without_secret = binary(home.path()).arg("listen").output().unwrap();
    assert_eq!(code(&without_secret), 10);
    assert!(stderr(&without_secret).contains("auth set-client-secret"), "{}", stderr(&without_secret));
    assert_eq!(listening.terminate().0, Some(0));
}

/// Runs `auth set-client-secret` with this text on stdin. The machine has no keyring.
fn save_secret(home: &Path, words: &[&str], text: &str) -> Output {
    let mut command = binary(home);
    command.args(["auth", "set-client-secret"]).args(words).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_saved_secret_is_used_unless_the_variable_is_set() {
    let home = tempfile::tempdir().unwrap();
    // With a port in use, it ends right after it has found a secret.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let exit = |words: &[&str]| {
        let output = binary(home.path()).args(["listen", "--port", &port]).args(words).output().unwrap();
        assert!(!stderr(&output).contains("saved-secret"));
        code(&output)
    };
    assert_eq!(exit(&[]), 10);
    let saved = save_secret(home.path(), &["-"], "saved-secret\n");
    assert_eq!(code(&saved), 0, "{}", stderr(&saved));
    assert!(!stdout(&saved).contains("saved-secret"), "{}", stdout(&saved));
    assert_eq!(exit(&[]), 5);
    let config = home.path().join(".config/intercom-pp-cli/config.toml");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "client_secret = \"saved-secret\"\n");
    // A secret given elsewhere wins.
    let listening = Listening::start(home.path(), "out", &[]);
    assert_eq!(listening.send(&notification("notif_1", "ticket.created")), 200);
    assert_eq!(listening.terminate().0, Some(0));
    assert_eq!(code(&save_secret(home.path(), &["--remove"], "")), 0);
    assert_eq!(exit(&[]), 10);
    for (words, text) in [(&["-"][..], " "), (&["-"], "two words"), (&["secret-as-argument"], ""), (&[], "")]
    {
        let refused = save_secret(home.path(), words, text);
        assert_eq!(code(&refused), 2, "{words:?}: {}", stderr(&refused));
    }
}

#[test]
fn each_profile_can_have_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/intercom-pp-cli");
    std::fs::create_dir_all(&folder).unwrap();
    let config = "client_secret = \"of-the-file\"\n[profiles.eu]\nclient_secret = \"of-eu\"\n";
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    // A typed profile overrides the variable.
    let listening = Listening::start(home.path(), "out", &["--profile", "eu"]);
    let body = notification("notif_1", "ticket.created");
    assert_eq!(listening.send(&body), 401);
    assert_eq!(listening.send_signed(&body, &sign("of-eu", body.as_bytes())), 200);
    assert_eq!(listening.terminate().0, Some(0));
    let data = home.path().join(".local/share/intercom-pp-cli/listen");
    assert!(data.join("queue-eu.db").exists() && !data.join("queue.db").exists());
    let output = binary(home.path()).args(["listen", "--port", &port]).output().unwrap();
    assert_eq!(code(&output), 5, "the secret of the file: {}", stderr(&output));
}
