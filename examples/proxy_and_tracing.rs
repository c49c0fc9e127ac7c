//! A client for a network with a proxy, which reports every request to the program's own metrics and to `tracing`.
//!
//! `cargo run --example proxy_and_tracing` runs against a sandbox. Set `EXAMPLE_PROXY` to go through a proxy.

#![allow(clippy::print_stdout, reason = "the example prints its results")]

mod workspace;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use intercom::api::observer::{Attempt, Observer, Outcome};
use intercom::{Client, Token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Each request is a span `intercom.request`; show them with RUST_LOG=intercom=debug in a program of your own.
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).init();
    let workspace = workspace::sandbox().await?;
    if let Some(sandbox) = &workspace.sandbox {
        let proxy = std::env::var("EXAMPLE_PROXY").ok();
        for line in run(&sandbox.base_url(), sandbox.token(), proxy.as_deref()).await? {
            println!("{line}");
        }
    }
    Ok(())
}

/// Counts requests, as a metrics library would.
#[derive(Default)]
struct Metrics(Mutex<Vec<String>>);

impl Observer for Metrics {
    fn on_finish(&self, outcome: &Outcome<'_>) {
        let Attempt { operation, number, .. } = outcome.attempt;
        let line = format!("{}: {:?} in attempt {number}", operation.unwrap_or("?"), outcome.status);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// Sends requests to a server, through a proxy if there is one, and returns what was observed.
pub async fn run(
    base_url: &str,
    token: &str,
    proxy: Option<&str>,
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let metrics = Arc::new(Metrics::default());
    let mut builder = Client::builder()
        .token(Token::new(token)?)
        .base_url(base_url)?
        .user_agent_suffix("example/1.0")
        .timeout(Duration::from_secs(30))
        .observer(Arc::clone(&metrics));
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy)?;
    }
    let client = builder.build()?;
    client.me().await?;
    client.contacts().list().per_page(10).page().await?;
    let observed = metrics.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(observed)
}
