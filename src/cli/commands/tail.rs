//! `tail`: prints new and changed records as they appear, one JSON line each.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, List, Output, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{duration, preview, time};
use crate::filter::Searchable;
use crate::mirror::follow::{Follower, is_temporary};

/// Follow new and changed records as JSON lines until interrupted
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli tail conversations --since 30d --polls 1 --select id,state,updated_at"
)]
pub struct TailRecords {
    /// Resource to follow
    #[arg(value_name = "RESOURCE", default_value = "conversations")]
    resource: Searchable,
    /// Time between two queries
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    interval: String,
    /// Start with changes since then instead of now, for example 2024-01-01 or 1h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Stop after N queries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    polls: Option<u64>,
}

impl HandwrittenCommand for TailRecords {
    const WORDS: &'static str = "tail";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let interval = duration::parse(&self.interval)
            .map_err(|reason| Error::usage(format!("--interval: {reason}")))?;
        let interval = interval.max(Duration::from_secs(1));
        let since =
            time::since(context, self.since.as_deref(), 0)?.unwrap_or_else(|| Timestamp::now().as_second());
        if context.globals.consent.dry_run {
            let client = context.client_for_preview()?;
            let request = Follower::new(&client, self.resource, since).request()?;
            return preview::show(context, &client, &request).await;
        }
        let client = context.client()?;
        let flags = context.globals.output.clone().for_stream();
        let mut records =
            TailOutput { output: Some(Output::open(&flags)?), list: None, resource: self.resource };
        let mut follower = Follower::new(&client, self.resource, since);
        let mut polled = 0;
        let failure = loop {
            polled += 1;
            let is_last = self.polls == Some(polled);
            let result = tokio::select! {
                result = follower.poll() => result,
                _ = tokio::signal::ctrl_c() => break None,
            };
            match result {
                Ok(changed) => match records.write(&changed) {
                    Ok(()) if is_last => break None,
                    Ok(()) => {}
                    Err(error) => break Some(error),
                },
                Err(error) if !is_last && is_temporary(&error) => {
                    warn(&format!("{error}; retrying in {} s", interval.as_secs()));
                }
                Err(error) => break Some(error.into()),
            }
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                _ = tokio::signal::ctrl_c() => break None,
            }
        };
        records.end().await?;
        failure.map_or(Ok(()), Err)
    }
}

/// Writes the records. The list begins with the first changes, which determine its columns.
struct TailOutput<'a> {
    output: Option<Output<'a>>,
    list: Option<List<'a>>,
    resource: Searchable,
}

impl TailOutput<'_> {
    fn write(&mut self, changed: &[Box<RawValue>]) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        self.begin(changed)?;
        let Some(list) = &mut self.list else { return Ok(()) };
        changed.iter().try_for_each(|raw| list.raw(raw))?;
        list.flush()
    }

    fn begin(&mut self, first: &[Box<RawValue>]) -> Result<(), Error> {
        if let Some(output) = self.output.take() {
            self.list = Some(output.list(self.resource.as_str(), first)?);
        }
        Ok(())
    }

    async fn end(mut self) -> Result<(), Error> {
        self.begin(&[])?;
        match self.list {
            Some(list) => {
                let extent = Extent::complete(self.resource.as_str())
                    .when_empty(format!("no {} changed", self.resource));
                list.end(json!({ "source": "live" }), &extent).await
            }
            None => Ok(()),
        }
    }
}
