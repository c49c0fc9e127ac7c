//! `sandbox serve`: serves a simulated workspace on this machine, to try commands without an account.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedI64ValueParser;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Output, notice};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::sandbox::{Options, QUIRK_NAMES, Quirk, Sandbox, TOKEN};

/// Serve a workspace from memory until interrupted, and print how to connect to it
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli sandbox serve --port 8080")]
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
        sandbox.stop().await;
        Ok(())
    }
}

impl ServeSandbox {
    fn options(self) -> Options {
        let base = if self.bare { Options::default() } else { Options::default().with_story() };
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
            ..base
        }
    }
}
