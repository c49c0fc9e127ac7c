//! `sandbox serve`: serves a simulated workspace on this machine, to try commands without an account.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedI64ValueParser;
use serde_json::json;

use super::receiver;
use crate::cli::context::Context;
use crate::cli::error::{Error, InvalidValue};
use crate::cli::output::{Output, notice, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::sandbox::{Options, QUIRK_NAMES, Quirk, Sandbox, TOKEN, WebhookCounts, Webhooks};

/// Serve a workspace from memory until interrupted, and print how to connect to it
#[derive(Args)]
#[group(skip)]
#[command(after_help = "\
With --webhooks, each change that is made through the API is sent as a signed notification, as Intercom does. What is
not accepted within 5 s is sent again after 1 s, 2 s and so on.

Example: intercom-pp-cli sandbox serve --port 8080 --webhooks http://127.0.0.1:4242/ --client-secret try-it")]
pub struct ServeSandbox {
    /// Port on 127.0.0.1; 0 means any free port
    #[arg(long, value_name = "PORT", default_value = "0")]
    port: u16,
    /// Random seed; equal seeds create equal workspaces
    #[arg(long, value_name = "N", value_parser = number(), default_value = "1")]
    seed: u32,
    /// Number of contacts
    #[arg(long, value_name = "N", value_parser = number(), default_value = "200")]
    contacts: u32,
    /// Number of companies
    #[arg(long, value_name = "N", value_parser = number(), default_value = "40")]
    companies: u32,
    /// Number of conversations
    #[arg(long, value_name = "N", value_parser = number(), default_value = "300")]
    conversations: u32,
    /// Average parts per conversation
    #[arg(long, value_name = "N", value_parser = number(), default_value = "5")]
    parts: u32,
    /// Number of tickets
    #[arg(long, value_name = "N", value_parser = number(), default_value = "60")]
    tickets: u32,
    /// Number of articles
    #[arg(long, value_name = "N", value_parser = number(), default_value = "40")]
    articles: u32,
    /// Leave out the prepared cases: an incident, duplicate leads, French articles, calls
    #[arg(long)]
    bare: bool,
    /// Minimum response time in milliseconds
    #[arg(long, value_name = "N", value_parser = number(), default_value = "0")]
    latency: u32,
    /// Requests allowed per ten seconds
    #[arg(long, value_name = "N", value_parser = number(), default_value = "1667")]
    calls_per_window: u32,
    /// Access token to accept
    #[arg(long, value_name = "TOKEN", default_value = TOKEN)]
    token: String,
    #[arg(long, value_name = "QUIRK", help = quirk_help())]
    quirk: Vec<Quirk>,
    /// Send a notification of each change to this address
    #[arg(long, value_name = "URL", value_parser = webhooks, requires = "client_secret", help_heading = WEBHOOKS)]
    webhooks: Option<String>,
    /// Made-up secret that signs the notifications
    #[arg(long, value_name = "SECRET", requires = "webhooks", help_heading = WEBHOOKS)]
    client_secret: Option<String>,
    /// Send this percentage of notifications twice
    #[arg(
        long, value_name = "PERCENT", requires = "webhooks", help_heading = WEBHOOKS, default_value = "0",
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    webhook_repeat: u8,
    /// Send notifications out of order
    #[arg(long, requires = "webhooks", help_heading = WEBHOOKS)]
    webhook_shuffle: bool,
}

const WEBHOOKS: &str = "Webhooks";

fn webhooks(text: &str) -> Result<String, InvalidValue> {
    receiver("--webhooks", text)
}

fn number() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=5_000_000)
}

fn quirk_help() -> String {
    format!("Imitate this quirk of real workspaces (repeatable): {}", QUIRK_NAMES.join(", "))
}

impl HandwrittenCommand for ServeSandbox {
    const WORDS: &'static str = "sandbox serve";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            let action = "serve a sandbox on this machine";
            let shown = json!({ "dry_run": true, "action": action, "port": self.port });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let token = self.token.clone();
        let sandbox =
            Sandbox::start(self.options()).await.map_err(|error| Error::Sandbox(error.to_string()))?;
        let url = sandbox.base_url();
        notice(&format!("export INTERCOM_BASE_URL={url} INTERCOM_ACCESS_TOKEN={token}"));
        let started = json!({ "base_url": url, "token": token });
        Output::open(&context.globals.output)?.value(&started).await?;
        tokio::signal::ctrl_c().await?;
        report_undelivered(&sandbox.webhook_counts());
        sandbox.stop().await;
        Ok(())
    }
}

impl ServeSandbox {
    fn options(self) -> Options {
        let base = if self.bare { Options::default() } else { Options::default().with_story() };
        let webhooks = self.webhooks.zip(self.client_secret).map(|(url, client_secret)| {
            let mut webhooks = Webhooks::new(url, client_secret);
            webhooks.repeat_percent = self.webhook_repeat;
            webhooks.shuffle = self.webhook_shuffle;
            webhooks
        });
        Options {
            port: self.port,
            seed: self.seed.into(),
            contacts: self.contacts as usize,
            companies: self.companies as usize,
            conversations: self.conversations as usize,
            parts_per_conversation: self.parts as usize,
            tickets: self.tickets as usize,
            articles: self.articles as usize,
            latency: Duration::from_millis(self.latency.into()),
            rate_limit: self.calls_per_window,
            token: Some(self.token),
            quirks: self.quirk,
            webhooks,
            ..base
        }
    }
}

/// Says what the receiver of webhooks missed.
fn report_undelivered(counts: &WebhookCounts) {
    let missed = counts.waiting + counts.dropped;
    if missed > 0 {
        let noun = if missed == 1 { "notification was" } else { "notifications were" };
        warn(&format!("{missed} {noun} not delivered"));
    }
}
