//! `sync`: brings the local mirror up to date, and reports how far it got.
//!
//! An interrupted or failed run must never exit with success, and the next run resumes it.

mod progress;

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::output::{DocumentList, Extent, Format, Output, warn};
use crate::cli::signals::stop_on_signals;
use crate::cli::{mirror_paths, time};
use crate::data::workspace::id_code;
use crate::mirror::{self, Cause, ResourceName, Store, Summary, SyncOptions, sync};
use crate::report::timeline_cache;

pub fn command() -> Command {
    let names: Vec<&str> = ResourceName::ALL.iter().map(|resource| resource.as_str()).collect();
    let list = |name: &'static str| Arg::new(name).long(name).value_name("NAMES").value_delimiter(',');
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("sync")
        .about("Mirror the workspace to a local SQLite file; run again to update it")
        .arg(
            list("resources")
                .help(format!("Only these resources (comma-separated): {}", names.join(", "))),
        )
        .arg(list("exclude").help("All resources except these (comma-separated)"))
        .arg(
            Arg::new("since").long("since").value_name("TIME").help(
                "Only records changed since then (for example 2024-01-01 or 30d), for resources with a time of change",
            ),
        )
        .arg(flag("full").help("Fetch all records again, including those already mirrored"))
        .arg(
            flag("prune")
                .conflicts_with("max-pages")
                .help("Check every mirrored record, and remove those that the workspace no longer has"),
        )
        .arg(
            Arg::new("max-pages")
                .long("max-pages")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("Maximum number of pages per resource [default: no limit]"),
        )
        .arg(mirror_paths::argument())
        .arg(
            Arg::new("concurrency")
                .long("concurrency")
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(1..=256))
                .default_value("32")
                .help("Requests in parallel, never above the rate limit"),
        )
        .arg(Arg::new("refresh").long("refresh").value_name("DURATION").help(
            "Minimum time between reads of lists without times of change; 0 for every run [default: lists of up to 20 \
             requests in every run, others after 6 s per request, at most a day]",
        ))
        .arg(
            Arg::new("progress")
                .long("progress")
                .value_name("FORM")
                .value_parser(["auto", "json", "none"])
                .default_value("auto")
                .help("Progress on stderr: bars on a terminal and only warnings elsewhere (auto), one JSON event per line, or none"),
        )
        .arg(
            Arg::new("watch")
                .long("watch")
                .value_name("INTERVAL")
                .help("Keep syncing until interrupted, waiting this long between runs (for example 60s)"),
        )
        .after_help(
            "Prints a summary on stdout, unless --quiet is given. Each run also checks part of the mirrored records for deletions and \
             unreported changes: every resource is checked at least once a day, with at most 200 requests per run, or \
             1,000 if the workspace has fewer records than the mirror. --prune checks all records at once.\n\n\
             Exit codes: 0 complete, 4 for 401 and 403, 5 network error, 6 incomplete, 7 rate limited, 8 another sync \
             is using the mirror.\n\nExample: intercom-pp-cli sync --resources conversations,conversation_parts,teams",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = options(context, matches)?;
    let interval = interval(matches)?;
    if context.globals.consent.dry_run {
        return Output::open(&context.globals.output)?.value(&plan(context, &options)?).await;
    }
    let client = context.client()?;
    let path = match mirror_paths::explicit(context, &mirror_paths::MirrorFlag::of(matches))? {
        Some(path) => path,
        None => mirror_paths::for_writing(
            context,
            &mirror_paths::MirrorFlag::of(matches),
            &workspace(&client).await?,
        )?,
    };
    let mut store = Store::open(&path)?;
    // An interrupted run keeps what it has fetched.
    stop_on_signals(options.cancel.clone(), "stopping; the next sync resumes from here");
    let mode = progress::ProgressMode::of(matches);
    let Some(interval) = interval else {
        return once(context, &client, &mut store, &options, mode).await;
    };
    while !options.cancel.is_cancelled() {
        match once(context, &client, &mut store, &options, mode).await {
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

/// Runs one sync and prints its summary.
async fn once(
    context: &Context,
    client: &Client,
    store: &mut Store,
    options: &SyncOptions,
    mode: progress::ProgressMode,
) -> Result<(), Error> {
    let summary = sync(
        client,
        store,
        options,
        &mut progress::observer(mode, context.globals.output.format() == Some(Format::Quiet)),
    )
    .await?;
    if !summary.interrupted {
        store.index()?;
        timeline_cache::refresh(store)?;
    }
    store.checkpoint()?;
    if context.globals.output.format() == Some(Format::Quiet) {
        return result(&summary);
    }
    let quarantined: usize = summary.resources.iter().map(|outcome| outcome.quarantined.len()).sum();
    let meta = json!({
        "source": "live", "store": store.path(), "complete": summary.complete, "quarantined": quarantined,
    });
    let document = serde_json::to_string(&summary).unwrap_or_default();
    let shown = summary.resources.len() as u64;
    let records = DocumentList { key: "resources", extent: Extent::complete("resources"), shown };
    Output::open(&context.globals.output)?.document(meta, &document, Some(records)).await?;
    result(&summary)
}

/// Whether the next run may succeed without user action.
fn is_temporary(error: &Error) -> bool {
    match error {
        Error::Failed { .. } | Error::Mirror(mirror::Error::Locked { .. }) => true,
        Error::Mirror(mirror::Error::Api(error)) => error.status() != Some(401),
        _ => false,
    }
}

async fn workspace(client: &Client) -> Result<String, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    Ok(id_code(&me))
}

fn options(context: &Context, matches: &ArgMatches) -> Result<SyncOptions, Error> {
    let since =
        time::since(context, matches.get_one::<String>("since").map(String::as_str), time::SHORTEST_PERIOD)?;
    let excluded = named(matches, "exclude")?.unwrap_or_default();
    let mut resources = named(matches, "resources")?.unwrap_or_else(|| ResourceName::ALL.to_vec());
    resources.retain(|resource| !excluded.contains(resource));
    if resources.is_empty() {
        return Err(Error::usage_with_hint(
            "no resources left to sync",
            format!("known resources: {}", resource_names()),
        ));
    }
    Ok(SyncOptions {
        named: matches.contains_id("resources"),
        since,
        full: matches.get_flag("full"),
        prune: matches.get_flag("prune"),
        refresh: refresh(matches, &resources)?,
        members: !excluded.contains(&ResourceName::Segments),
        max_pages: matches.get_one::<u64>("max-pages").copied(),
        concurrency: matches
            .get_one::<u16>("concurrency")
            .map_or(32, |concurrency| usize::from(*concurrency)),
        resources,
        ..SyncOptions::default()
    })
}

/// The maximum age of a list. Resources given by name are always read.
fn refresh(matches: &ArgMatches, resources: &[ResourceName]) -> Result<Option<Duration>, Error> {
    let Some(text) = matches.get_one::<String>("refresh") else {
        let by_name = matches.contains_id("resources") && !resources.is_empty();
        return Ok(by_name.then_some(Duration::ZERO));
    };
    let refresh = time::duration(text).map_err(|reason| Error::usage(format!("--refresh: {reason}")))?;
    Ok(Some(refresh))
}

fn interval(matches: &ArgMatches) -> Result<Option<Duration>, Error> {
    let interval = matches.get_one::<String>("watch").map(|text| time::duration(text)).transpose();
    let interval = interval.map_err(|reason| Error::usage(format!("--watch: {reason}")))?;
    // Without a pause, requests would never stop.
    Ok(interval.map(|interval| interval.max(Duration::from_secs(1))))
}

fn resource_names() -> String {
    ResourceName::ALL.iter().map(|resource| resource.as_str()).collect::<Vec<_>>().join(", ")
}

/// The resources given with a flag; `None` without the flag.
fn named(matches: &ArgMatches, flag: &str) -> Result<Option<Vec<ResourceName>>, Error> {
    let Some(names) = matches.get_many::<String>(flag) else { return Ok(None) };
    let parsed = names.filter(|name| !name.trim().is_empty()).map(|name| {
        name.parse().map_err(|error| {
            Error::usage_with_hint(
                format!("--{flag}: {error}"),
                format!("known resources: {}", resource_names()),
            )
        })
    });
    parsed.collect::<Result<_, _>>().map(Some)
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
