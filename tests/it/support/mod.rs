//! Shared code of tests that run the binary: a server that records requests and returns canned responses, and
//! commands isolated from the configuration of this machine.

#![allow(dead_code, reason = "each test binary uses a part")]

#[cfg(target_os = "linux")]
pub mod terminal;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use intercom::api::ApiVersion;
use serde_json::Value;

/// A request as received by the server.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub method: String,
    /// Percent-encoded, without the query.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// Header names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The complete HTTP response, head and body. An empty one closes the connection immediately.
pub type RawResponse = Vec<u8>;

/// A response with this status and body.
pub fn response(status: u16, content_type: &str, body: &str) -> RawResponse {
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n", body.len());
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

pub fn json(status: u16, body: &str) -> RawResponse {
    response(status, "application/json", body)
}

/// A single-threaded server on a free local port. Runs until the test process ends.
pub struct Server {
    pub url: String,
    recorded: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Server {
    pub fn start(respond: impl Fn(&RecordedRequest) -> RawResponse + Send + 'static) -> Self {
        Server::on(TcpListener::bind("127.0.0.1:0").unwrap(), respond)
    }

    /// Answers on an address of the test's choice.
    pub fn on(
        listener: TcpListener,
        respond: impl Fn(&RecordedRequest) -> RawResponse + Send + 'static,
    ) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&recorded);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    let response = respond(&request);
                    shared.lock().unwrap().push(request);
                    let _ = (&stream).write_all(&response);
                }
            }
        });
        Server { url, recorded }
    }

    /// Returns this JSON for every request.
    pub fn always(status: u16, body: &'static str) -> Self {
        Server::start(move |_| json(status, body))
    }

    /// Removes and returns the requests received so far.
    pub fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut *self.recorded.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Option<RecordedRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let content_length = headers.iter().find(|(name, _)| name == "content-length");
    let length = content_length.and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let url = reqwest::Url::parse(&format!("http://localhost{target}")).ok()?;
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Some(RecordedRequest { method, path, query: url.query_pairs().into_owned().collect(), headers, body })
}

/// The variable with the API version of all commands and clients; without it they use the default one. The module
/// `versions` runs tests again with it.
pub const API_VERSION_VARIABLE: &str = "TEST_API_VERSION";

/// The API version that tests run with, unless it is the default one.
pub fn api_version() -> Option<String> {
    std::env::var(API_VERSION_VARIABLE).ok()
}

/// Whether tests run with this API version or a later one.
pub fn has_change(change: &ApiVersion) -> bool {
    let version = api_version().map_or_else(ApiVersion::pinned, |version| version.parse().unwrap());
    version.has(change)
}

/// The version that a request names which needs this one.
pub fn at_least(needed: &str) -> String {
    ApiVersion::pinned().max(needed.parse().unwrap()).to_string()
}

/// The body that merges a lead into a user who has nothing in common with it.
pub fn merge_body(lead: &str, user: &str) -> String {
    let mut body = serde_json::json!({"from": lead, "into": user});
    if has_change(&ApiVersion::MERGE_REQUIRES_DUPLICATES) {
        body["skip_duplicate_validation"] = true.into();
    }
    body.to_string()
}

/// The binary with its own home directory and a clean environment.
pub fn binary(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"));
    command.args(api_version().map(|version| format!("--api-version={version}")));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(std::process::Stdio::null())
        .current_dir(home);
    command
}

/// The binary with an access token, connected to the server at `url`.
pub fn against(home: &Path, url: &str) -> Command {
    let mut command = binary(home);
    command.env("INTERCOM_ACCESS_TOKEN", "dG9rOnRlc3Q").env("INTERCOM_BASE_URL", url);
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Parses stdout, which must be a single JSON document.
pub fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {:?}, stderr: {}", stdout(output), stderr(output)))
}
