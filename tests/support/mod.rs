//! What the process-level tests share: a server that records requests and answers as told, and a
//! binary that knows nothing of the machine's own configuration.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// One request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub method: String,
    /// Path without query, still encoded.
    pub path: String,
    /// Decoded pairs in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Recorded {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The whole answer as bytes, head and body; nothing at all closes the connection at once.
pub type Answer = Vec<u8>;

/// An answer with this status and body.
pub fn answer(status: u16, content_type: &str, body: &str) -> Answer {
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n", body.len());
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

pub fn json(status: u16, body: &str) -> Answer {
    answer(status, "application/json", body)
}

/// A server on a free port of this machine, one thread, until the test process ends.
pub struct Server {
    pub url: String,
    recorded: Arc<Mutex<Vec<Recorded>>>,
}

impl Server {
    pub fn start(respond: impl Fn(&Recorded) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&recorded);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    let answer = respond(&request);
                    shared.lock().unwrap().push(request);
                    let _ = (&stream).write_all(&answer);
                }
            }
        });
        Server { url, recorded }
    }

    /// Answers every request with this JSON.
    pub fn always(status: u16, body: &'static str) -> Self {
        Server::start(move |_| json(status, body))
    }

    /// What has arrived so far, and forgets it.
    pub fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.recorded.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Option<Recorded> {
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
    let length =
        headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, it)| it.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let url = reqwest::Url::parse(&format!("http://localhost{target}")).ok()?;
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Some(Recorded { method, path, query: url.query_pairs().into_owned().collect(), headers, body })
}

/// The binary with a home of its own and no settings from this machine.
pub fn binary(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_intercom-pp-cli"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(std::process::Stdio::null())
        .current_dir(home);
    command
}

/// The binary with a token, talking to this server.
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

/// stdout as the one JSON document it must be.
pub fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {:?}, stderr: {}", stdout(output), stderr(output)))
}
