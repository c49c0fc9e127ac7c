//! `tail`: prints new and changed records as they appear, one line each: text on a terminal, JSON elsewhere.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, List, Output, OutputFlags, RecordLines, notice, parse_json, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{duration, preview, time};
use crate::filter::Searchable;
use crate::mirror::follow::{Follower, is_temporary};

/// Follow new and changed records until interrupted, as lines of text on a terminal and JSON lines elsewhere
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
        let mut records = TailOutput::open(&flags, self.resource)?;
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

/// Writes the records.
enum TailOutput<'a> {
    /// For people.
    Lines { lines: Box<RecordLines<'a>>, count: usize, resource: Searchable },
    /// For programs. The list begins with the first changes, which determine its columns.
    List { output: Option<Box<Output<'a>>>, list: Option<Box<List<'a>>>, resource: Searchable },
}

impl<'a> TailOutput<'a> {
    fn open(flags: &'a OutputFlags, resource: Searchable) -> Result<Self, Error> {
        Ok(if flags.is_for_people() {
            TailOutput::Lines { lines: Box::new(RecordLines::open(flags)?), count: 0, resource }
        } else {
            TailOutput::List { output: Some(Box::new(Output::open(flags)?)), list: None, resource }
        })
    }

    fn write(&mut self, changed: &[Box<RawValue>]) -> Result<(), Error> {
        match self {
            _ if changed.is_empty() => Ok(()),
            TailOutput::Lines { lines, count, resource } => {
                let kind = resource.as_str().trim_end_matches('s');
                for raw in changed {
                    let record = parse_json(raw.get())?;
                    lines.write(kind, &record, record["updated_at"].as_i64())?;
                    *count += 1;
                }
                lines.flush()
            }
            TailOutput::List { output, list, resource } => {
                if let Some(output) = output.take() {
                    *list = Some(Box::new(output.list(resource.as_str(), changed)?));
                }
                let Some(list) = list else { return Ok(()) };
                changed.iter().try_for_each(|raw| list.raw(raw))?;
                list.flush()
            }
        }
    }

    async fn end(self) -> Result<(), Error> {
        match self {
            TailOutput::Lines { lines, count, resource } => {
                lines.end().await?;
                if count == 0 {
                    notice(&format!("no {resource} changed"));
                }
                Ok(())
            }
            TailOutput::List { output, list, resource } => {
                let list = match (list, output) {
                    (Some(list), _) => list,
                    (None, Some(output)) => Box::new(output.list(resource.as_str(), &[])?),
                    (None, None) => return Ok(()),
                };
                let extent = Extent::complete(resource.as_str()).when_empty(format!("no {resource} changed"));
                list.end(json!({ "source": "live" }), &extent).await
            }
        }
    }
}
