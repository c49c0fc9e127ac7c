//! The command line: output, confirmation, errors and exit codes, through the binary against a server with canned
//! responses.

mod api_command;
#[cfg(unix)]
mod completions;
#[cfg(target_os = "linux")]
mod confirmation;
mod error_responses;
mod help;
mod human;
mod list_totals;
mod lists;
mod login;
mod odd_invocations;
mod output;
#[cfg(target_os = "linux")]
mod pager;
mod requests;
mod settings;
#[cfg(target_os = "linux")]
mod tables;
mod view;

use crate::support;
use std::io::Write;
use std::process::{Output, Stdio};

use crate::support::{RawResponse, Server, against, json};

struct Setting {
    home: tempfile::TempDir,
    server: Server,
}

impl Setting {
    fn new(respond: impl Fn(&support::RecordedRequest) -> RawResponse + Send + 'static) -> Self {
        Setting { home: tempfile::tempdir().unwrap(), server: Server::start(respond) }
    }

    fn run(&self, words: &[&str]) -> Output {
        against(self.home.path(), &self.server.url).args(words).output().unwrap()
    }

    fn run_with_stdin(&self, words: &[&str], input: &str) -> Output {
        let mut command = against(self.home.path(), &self.server.url);
        let command = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

const CONTACTS: &str = r#"{"type":"list","data":[
  {"type":"contact","id":"a1","name":"=Ann","big":12345678901234567890,"unknown_field":{"x":1.10},"tags":{"data":[{"id":"7"}]}},
  {"type":"contact","id":"b2","name":"Bo","email":"bo@example.com","tags":{"data":[]}}],
  "total_count":2,"pages":{"type":"pages","next":null}}"#;

fn contacts() -> Setting {
    Setting::new(|_| json(200, CONTACTS))
}
