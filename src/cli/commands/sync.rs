//! `sync`: brings the local mirror up to date, and reports how far it got.
//!
//! An interrupted or failed run must never exit with success, and the next run resumes it.

mod progress;
mod summary;

use std::time::Duration;

use clap::{ArgAction, Args};
use serde_json::{Value, json};

use self::progress::SyncDisplay;
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::operation;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::clock::Clock;
use crate::cli::output::progress::ProgressDisplay;
use crate::cli::output::{DocumentList, Extent, Output, OutputFlags, notice, to_json_text, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::signals::stop_on_signals;
use crate::cli::{duration, streams, time};
use crate::mirror::read::RecordQuery;
use crate::mirror::{self, Cause, ResourceName, Store, Summary, SyncOptions, sync};
use crate::report::timeline_cache;

/// Mirror the workspace to a local SQLite file; run again to update it
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints one line on a terminal, and with --format table the counts of each resource; elsewhere a JSON \
        summary on stdout and the line on stderr. --quiet prints only warnings and errors. Each run also checks part of the mirrored \
        records for deletions and unreported changes: every resource is checked at least once a day, with at most \
        200 requests per run, or 1,000 if the workspace has fewer records than the mirror. --prune checks all records \
        at once.\n\n\
        Exit codes: 0 complete, 4 for 401 and 403, 5 network error, 6 incomplete, 7 rate limited, 8 another sync \
        is using the mirror.\n\nExample: intercom-pp-cli sync --resources conversations,conversation_parts,teams"
)]
pub struct SyncMirror {
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        action = ArgAction::Set,
        help = format!("Only these resources (comma-separated): {}", ResourceName::all_names())
    )]
    resources: Option<Vec<String>>,
    /// All resources except these (comma-separated)
    #[arg(long, value_name = "NAMES", value_delimiter = ',', action = ArgAction::Set)]
    exclude: Option<Vec<String>>,
    /// Only records changed since then (for example 2024-01-01 or 30d), for resources with a time of change
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Fetch all records again, including those already mirrored
    #[arg(long)]
    full: bool,
    /// Check every mirrored record, and remove those that the workspace no longer has
    #[arg(long, conflicts_with = "max_pages")]
    prune: bool,
    /// Maximum number of pages per resource [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_pages: Option<u64>,
    #[command(flatten)]
    mirror: MirrorFlag,
    /// Requests in parallel, never above the rate limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), default_value = "32")]
    concurrency: u16,
    /// Minimum time between reads of lists without times of change; 0 for every run [default: lists of up to 20
    /// requests in every run, others after 6 s per request, at most a day]
    #[arg(long, value_name = "DURATION")]
    refresh: Option<String>,
    /// Keep syncing until interrupted, waiting this long between runs (for example 60s)
    #[arg(long, value_name = "INTERVAL")]
    watch: Option<String>,
}

impl HandwrittenCommand for SyncMirror {
    const WORDS: &'static str = "sync";
    const EFFECT: Effect = Effect::Local;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = self.options(context)?;
        let interval = self.interval()?;
        if context.globals.consent.dry_run {
            return Output::open(&context.globals.output)?.value(&plan(context, &options)?).await;
        }
        let client = context.client()?;
        let path = match mirror_paths::explicit(context, &self.mirror)? {
            Some(path) => path,
            None => mirror_paths::for_writing(context, &identity(&client).await?.workspace)?,
        };
        let mut store = Store::open(&path)?;
        // An interrupted run keeps what it has fetched.
        stop_on_signals(options.cancel.clone(), "stopping; the next sync resumes from here");
        let Some(interval) = interval else {
            return once(context, &client, &mut store, &options, None).await;
        };
        let clock = Clock::of(&context.globals.output);
        while !options.cancel.is_cancelled() {
            match once(context, &client, &mut store, &options, Some(&clock)).await {
                Err(error) if !is_temporary(&error) => return Err(error),
                Err(error) if !options.cancel.is_cancelled() => warn(&error.to_string()),
                _ => {}
            }
            tokio::select! {
                () = options.cancel.cancelled() => {}
                () = tokio::time::sleep(interval) => {}
            }
        }
        Ok(())
    }
}

impl SyncMirror {
    fn options(&self, context: &Context) -> Result<SyncOptions, Error> {
        let since = time::since(context, self.since.as_deref(), time::SHORTEST_PERIOD)?;
        let excluded = named("exclude", self.exclude.as_deref())?.unwrap_or_default();
        let mut resources =
            named("resources", self.resources.as_deref())?.unwrap_or_else(|| ResourceName::ALL.to_vec());
        resources.retain(|resource| !excluded.contains(resource));
        if resources.is_empty() {
            return Err(Error::usage_with_hint(
                "no resources left to sync",
                format!("known resources: {}", ResourceName::all_names()),
            ));
        }
        Ok(SyncOptions {
            named: self.resources.is_some(),
            since,
            full: self.full,
            prune: self.prune,
            refresh: self.refresh()?,
            members: !excluded.contains(&ResourceName::Segments),
            max_pages: self.max_pages,
            concurrency: usize::from(self.concurrency),
            resources,
            ..SyncOptions::default()
        })
    }

    /// The maximum age of a list. Resources given by name are always read.
    fn refresh(&self) -> Result<Option<Duration>, Error> {
        let Some(text) = &self.refresh else { return Ok(self.resources.is_some().then_some(Duration::ZERO)) };
        let refresh = duration::parse(text).map_err(|reason| Error::usage(format!("--refresh: {reason}")))?;
        Ok(Some(refresh))
    }

    fn interval(&self) -> Result<Option<Duration>, Error> {
        let interval = self.watch.as_deref().map(duration::parse).transpose();
        let interval = interval.map_err(|reason| Error::usage(format!("--watch: {reason}")))?;
        // Without a pause, requests would never stop.
        Ok(interval.map(|interval| interval.max(Duration::from_secs(1))))
    }
}

/// The requests that each resource would be fetched with, in order of preference.
fn plan(context: &Context, options: &SyncOptions) -> Result<Value, Error> {
    let settings = context.settings()?;
    let base_url = context.api_server(&settings)?.base_url;
    let resources = options.resources.iter().map(|name| {
        let routes = name.resource().routes.iter().filter_map(|route| operation(route.operation).ok());
        let routes: Vec<String> =
            routes.map(|route| format!("{} {}", route.method.as_str(), route.path)).collect();
        json!({ "resource": name, "requests": routes })
    });
    let resources: Vec<Value> = resources.collect();
    Ok(json!({ "dry_run": true, "base_url": base_url.as_str(), "resources": resources }))
}

/// Runs one sync and prints its summary. With a clock, the sentence begins with the time of day.
async fn once(
    context: &Context,
    client: &Client,
    store: &mut Store,
    options: &SyncOptions,
    clock: Option<&Clock>,
) -> Result<(), Error> {
    let flags = &context.globals.output;
    let form = flags.progress();
    let mut display = SyncDisplay::new(form, flags.is_quiet() || !flags.has_progress_reader());
    let summary = sync(client, store, options, &mut display).await?;
    if !summary.interrupted {
        display.finish_with("Updating the search index");
        store.index()?;
        timeline_cache::refresh(store)?;
    }
    store.checkpoint()?;
    drop(display);
    if flags.is_quiet() {
        return result(&summary);
    }
    let stored = |resource| store.count(resource, &RecordQuery::default()).unwrap_or_default();
    let sentence = summary::sentence(&summary, stored).map(|sentence| match clock {
        Some(clock) => format!("{} {sentence}", clock.time_of_day()),
        None => sentence,
    });
    if flags.format().is_none() && flags.is_for_people() {
        if let Some(sentence) = sentence {
            Output::open(flags)?.text(&format!("{sentence}\n")).await?;
        }
        return result(&summary);
    }
    if flags.is_for_people() {
        Output::open(flags)?.text(&summary::table(flags, &summary)).await?;
    } else {
        print_document(flags, store, &summary).await?;
    }
    let is_read = matches!(form, ProgressDisplay::Live | ProgressDisplay::Lines)
        && flags.has_progress_reader()
        && streams::current().is_none();
    if let Some(sentence) = sentence.filter(|_| is_read) {
        notice(&sentence);
    }
    result(&summary)
}

async fn print_document(flags: &OutputFlags, store: &Store, summary: &Summary) -> Result<(), Error> {
    let quarantined: usize = summary.resources.iter().map(|outcome| outcome.quarantined.len()).sum();
    let meta = json!({
        "source": "live", "store": store.path(), "complete": summary.complete, "quarantined": quarantined,
    });
    let document = to_json_text(summary)?;
    let shown = summary.resources.len() as u64;
    let records = DocumentList { key: "resources", extent: Extent::complete("resources"), shown };
    Output::open(flags)?.document(meta, &document, Some(records)).await
}

/// Whether the next run may succeed without user action.
fn is_temporary(error: &Error) -> bool {
    match error {
        Error::Failed { .. } | Error::Mirror(mirror::Error::Locked { .. }) => true,
        Error::Mirror(mirror::Error::Api(error)) => error.status() != Some(401),
        _ => false,
    }
}

/// The resources given with a flag; `None` without the flag.
fn named(flag: &str, names: Option<&[String]>) -> Result<Option<Vec<ResourceName>>, Error> {
    let parsed = |name: &String| name.parse().map_err(|error| Error::usage(format!("--{flag}: {error}")));
    let all = |names: &[String]| names.iter().filter(|name| !name.trim().is_empty()).map(parsed).collect();
    names.map(all).transpose()
}

/// # Errors
/// Unless everything requested is complete.
fn result(summary: &Summary) -> Result<(), Error> {
    let incomplete = || summary.resources.iter().filter(|outcome| !outcome.complete && !outcome.skipped);
    let failed: Vec<String> = incomplete()
        .map(|outcome| {
            format!("{} ({})", outcome.resource, outcome.reason.as_deref().unwrap_or("unknown reason"))
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let is_failure = incomplete().count() == summary.resources.len()
        && incomplete().all(|outcome| outcome.written.fetched == 0);
    let (exit, hint) = match incomplete().filter_map(|outcome| outcome.cause).min() {
        _ if summary.interrupted => (Exit::Partial, resume_hint()),
        Some(Cause::Unauthorized) => {
            (Exit::Authentication, Hint::new("check the token and its permissions with ").run("doctor"))
        }
        Some(Cause::RateLimited) => {
            (Exit::RateLimited, Hint::new("wait a minute").or("lower ").flag("rate-limit").for_owner())
        }
        Some(Cause::Network) => (Exit::Failure, Hint::new("check the connection with ").run("doctor")),
        Some(Cause::Refused) => (
            Exit::Partial,
            Hint::new("the workspace does not support it: leave it out with ")
                .flag("exclude")
                .or("check your Intercom plan"),
        ),
        _ if is_failure => (Exit::Failure, resume_hint()),
        _ => (Exit::Partial, resume_hint()),
    };
    let message = format!("incomplete: {}", failed.join(", "));
    Err(Error::Failed { message, exit, hint: Some(hint) })
}

fn resume_hint() -> Hint {
    Hint::new("run ").run("sync").text(" again to resume")
}
