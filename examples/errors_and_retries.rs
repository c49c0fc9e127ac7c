//! What can fail, what to do about it, and what the client retries by itself.
//!
//! `cargo run --example errors_and_retries` runs against a sandbox, which fails as ordered.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use std::time::Duration;

use intercom::sandbox::{Fault, Sandbox};
use intercom::{Client, Error, Token, types};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = workspace::sandbox().await?;
    if let Some(sandbox) = &workspace.sandbox {
        for line in run(sandbox).await? {
            println!("{line}");
        }
    }
    Ok(())
}

/// Says what to do about an error.
fn advice(error: &Error) -> String {
    match error {
        Error::Unauthorized { .. } => "check the token and its permissions".to_owned(),
        Error::RateLimited { retry_after, .. } => format!("try again after {retry_after:?}"),
        Error::Timeout { .. } => "try again later".to_owned(),
        // The request may have been processed. Read the record before sending it again.
        Error::OutcomeUnknown { .. } => "look whether it happened".to_owned(),
        Error::NotFound { .. } => "skip the record".to_owned(),
        Error::Api { status, code, .. } => format!("give up: status {status}, code {code:?}"),
        error => format!("give up: {error}"),
    }
}

/// Provokes errors, and returns what to do about each.
pub async fn run(sandbox: &Sandbox) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let client = Client::builder()
        .token(Token::new(sandbox.token())?)
        .base_url(sandbox.base_url())?
        .timeout(Duration::from_secs(10))
        .max_attempts(3)
        .build()?;
    let mut advised = Vec::new();
    let mut note = |what: &str, result: Result<(), Error>| match result {
        Ok(()) => advised.push(format!("{what}: done")),
        Err(error) => advised.push(format!("{what}: {}", advice(&error))),
    };

    note("a contact that does not exist", client.contacts().get("nobody").await.map(drop));

    // Reads are sent again after a failure, here twice.
    let mut failures = 2;
    sandbox.inject_faults(move |_, request| {
        let fails = request.method == "GET" && failures > 0;
        failures -= u32::from(fails);
        fails.then_some(Fault::Status(503))
    });
    note("a read that fails twice", client.me().await.map(drop));

    // A change is never sent twice: the connection breaks after the server has processed it.
    sandbox.inject_faults(|_, request| (request.method == "POST").then_some(Fault::Drop));
    let request = types::CreateContactRequest::default().email("grace@example.com");
    note("a change without a response", client.contacts().create(&request).await.map(drop));
    sandbox.inject_faults(|_, _| None);

    let stranger =
        Client::builder().token(Token::new("not-the-token")?).base_url(sandbox.base_url())?.build()?;
    note("a wrong token", stranger.me().await.map(drop));
    Ok(advised)
}
