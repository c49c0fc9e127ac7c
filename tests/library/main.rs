//! Uses the library as a program would, against the sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]
#![allow(clippy::duplicate_mod, reason = "the examples share a module")]

mod errors;
mod examples;
mod lists;
mod observing;
mod settings;
mod text_filters;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use intercom::api::observer::{Attempt, Observer, Outcome};
use intercom::api::request_builder::{Arguments, operation};
use intercom::sandbox::{Options, Sandbox, TOKEN};
use intercom::{Client, ClientBuilder, List, Token, types};

/// A small workspace.
async fn workspace() -> Sandbox {
    let options = Options { contacts: 57, conversations: 34, companies: 23, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder()
        .base_url(sandbox.base_url())
        .unwrap()
        .token(Token::new(TOKEN).unwrap())
        .retry_delay(Duration::from_millis(1))
}

fn client(sandbox: &Sandbox) -> Client {
    builder(sandbox).build().unwrap()
}

fn contacts(client: &Client) -> List<types::Contact> {
    client.list(operation("ListContacts").unwrap(), Arguments::default())
}

/// One line per event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Log {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let Attempt { operation, method, path, number, .. } = attempt;
        self.add(format!("send {number} {method} {path} {}", operation.unwrap_or("-")));
    }

    fn on_response(&self, outcome: &Outcome<'_>) {
        assert!(outcome.duration < Duration::from_secs(60));
        assert_eq!(outcome.request_id.is_some(), outcome.status.is_some(), "{outcome:?}");
        self.add(format!("response {:?} again: {}", outcome.status, outcome.retry_in.is_some()));
    }

    fn on_finish(&self, outcome: &Outcome<'_>) {
        let Outcome { status, error, bytes, .. } = outcome;
        let size = bytes.map_or("no body", |bytes| if bytes > 0 { "body" } else { "empty" });
        self.add(format!("finish {} {status:?} {size} failed: {}", outcome.attempt.number, error.is_some()));
    }
}
