//! `sync`: brings the local mirror up to date and says how far it got.

mod progress;

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Extent, Output, Records, warn};
use crate::cli::signals::stop_on_signals;
use crate::cli::{stores, time};
use crate::mirror::store::UNKNOWN;
use crate::mirror::{self, Cause, ResourceName, Store, Summary, SyncOptions, fields, sync};
use crate::report::timelines;

pub fn command() -> Command {
    let names: Vec<&str> = ResourceName::ALL.iter().map(|it| it.as_str()).collect();
    let list = |name: &'static str| Arg::new(name).long(name).value_name("NAMES").value_delimiter(',');
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("sync")
        .about("Mirror the workspace into a local SQLite file; run again to bring it up to date")
        .arg(
            list("resources")
                .help(format!("Only these resources, separated by commas: {}", names.join(", "))),
        )
        .arg(list("exclude").help("All resources but these"))
        .arg(
            Arg::new("since").long("since").value_name("TIME").help(
                "Only what changed since then (a date, or 30d), of resources that tell when they changed",
            ),
        )
        .arg(flag("full").help("Fetch again what is in the mirror already"))
        .arg(
            flag("prune")
                .conflicts_with("max-pages")
                .help("Check every record of the mirror, and remove what the workspace no longer has"),
        )
        .arg(
            Arg::new("max-pages")
                .long("max-pages")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("Stop after so many pages of a resource [default: no limit]"),
        )
        .arg(stores::argument())
        .arg(
            Arg::new("concurrency")
                .long("concurrency")
                .value_name("N")
                .value_parser(clap::value_parser!(u16).range(1..=256))
                .default_value("32")
                .help("Conversations fetched at the same time; the rate limit holds whatever this is"),
        )
        .arg(Arg::new("refresh").long("refresh").value_name("DURATION").help(
            "Read lists that do not tell what changed again after this time; 0 for every run [default: lists of up to 20 \
             calls in every run, others after 6 s for each call, at most a day]",
        ))
        .arg(
            Arg::new("progress")
                .long("progress")
                .value_name("FORM")
                .value_parser(["auto", "json", "none"])
                .default_value("auto")
                .help("On stderr: bars on a terminal and warnings elsewhere (auto), one JSON event a line, or nothing"),
        )
        .arg(
            Arg::new("watch")
                .long("watch")
                .value_name("INTERVAL")
                .help("Go on until interrupted, with so much time between two runs, such as 60s"),
        )
        .after_help(
            "A summary is printed on stdout; --quiet leaves it out. Records that are gone are removed, and those that may have changed \
             without a sign of it are read again, in slices: each resource is checked at least once a day, with at \
             most 200 calls in a run, or 1,000 when the workspace counts fewer records than are stored; --prune \
             checks all of them at once.\n\n\
             Exit codes: 0 when everything is in the mirror, 4 for 401 and 403, 5 for the network, 6 for a run that is not complete, 7 for the rate limit, 8 while another sync holds the mirror.\n\nExample: intercom-pp-cli sync --resources conversations,conversation_parts,teams",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = options(context, matches)?;
    let interval = interval(matches)?;
    if context.globals.dry_run {
        return Output::open(&context.globals)?.value(&plan(context, &options)?).await;
    }
    let client = context.client()?;
    let path = match stores::named(context, matches)? {
        Some(path) => path,
        None => stores::for_writing(context, matches, &workspace(&client).await?)?,
    };
    let mut store = Store::open(&path)?;
    // An interrupted run keeps what it has and says how far it got.
    stop_on_signals(options.stop.clone(), "stopping; the next sync goes on from here");
    let form = progress::Form::of(matches);
    let Some(interval) = interval else {
        return once(context, &client, &mut store, &options, form).await;
    };
    while !options.stop.is_asked() {
        match once(context, &client, &mut store, &options, form).await {
            Err(error) if !can_pass(&error) => return Err(error),
            Err(error) if !options.stop.is_asked() => warn(&error.to_string()),
            _ => {}
        }
        tokio::select! {
            () = options.stop.asked() => {}
            () = tokio::time::sleep(interval) => {}
        }
    }
    Ok(())
}

/// Where each resource would be fetched from, the best way first.
fn plan(context: &Context, options: &SyncOptions) -> Result<Value, Error> {
    let settings = context.settings()?;
    let base_url = context.target(&settings)?.base_url;
    let fetched = options.resources.iter().map(|name| {
        let routes = name.resource().routes.iter().filter_map(|route| operation(route.operation).ok());
        let routes: Vec<String> = routes.map(|it| format!("{} {}", it.method.as_str(), it.path)).collect();
        json!({ "resource": name, "requests": routes })
    });
    let fetched: Vec<Value> = fetched.collect();
    Ok(json!({ "dry_run": true, "base_url": base_url.as_str(), "resources": fetched }))
}

/// One run, with its summary.
async fn once(
    context: &Context,
    client: &Client,
    store: &mut Store,
    options: &SyncOptions,
    form: progress::Form,
) -> Result<(), Error> {
    let summary = sync(client, store, options, &mut progress::observer(form, context.globals.quiet)).await?;
    if !summary.interrupted {
        store.index()?;
        timelines::refresh(store)?;
    }
    store.checkpoint()?;
    if context.globals.quiet {
        return verdict(&summary);
    }
    let quarantined: usize = summary.resources.iter().map(|outcome| outcome.quarantined.len()).sum();
    let meta = json!({
        "source": "live", "store": store.path(), "complete": summary.complete, "quarantined": quarantined,
    });
    let document = serde_json::to_string(&summary).unwrap_or_default();
    let shown = summary.resources.len() as u64;
    let records = Records { key: "resources", extent: Extent::whole("resources"), shown };
    Output::open(&context.globals)?.document(meta, &document, Some(records)).await?;
    verdict(&summary)
}

/// Whether the next run may succeed without anybody doing anything.
fn can_pass(error: &Error) -> bool {
    match error {
        Error::Finding { .. } | Error::Mirror(mirror::Error::Locked { .. }) => true,
        Error::Mirror(mirror::Error::Api(error)) => error.status() != Some(401),
        _ => false,
    }
}

async fn workspace(client: &Client) -> Result<String, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    Ok(fields::id(&me["app"]["id_code"]).unwrap_or_else(|| UNKNOWN.to_owned()))
}

fn options(context: &Context, matches: &ArgMatches) -> Result<SyncOptions, Error> {
    let since = time::since(context, matches, "since", time::SHORTEST_PERIOD)?;
    let excluded = named(matches, "exclude")?.unwrap_or_default();
    let mut resources = named(matches, "resources")?.unwrap_or_else(|| ResourceName::ALL.to_vec());
    resources.retain(|resource| !excluded.contains(resource));
    if resources.is_empty() {
        return Err(Error::usage_with_hint("no resource is left to sync", format!("known: {}", known())));
    }
    Ok(SyncOptions {
        named: matches.contains_id("resources"),
        since,
        full: matches.get_flag("full"),
        prune: matches.get_flag("prune"),
        refresh: refresh(matches, &resources)?,
        members: !excluded.contains(&ResourceName::Segments),
        max_pages: matches.get_one::<u64>("max-pages").copied(),
        concurrency: matches.get_one::<u16>("concurrency").map_or(32, |it| usize::from(*it)),
        resources,
        ..SyncOptions::default()
    })
}

/// How old a list may be. What is asked for by name is read.
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
    // Without a pause the workspace would be asked all the time.
    Ok(interval.map(|interval| interval.max(Duration::from_secs(1))))
}

fn known() -> String {
    ResourceName::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
}

/// The resources that a flag names; `None` without the flag.
fn named(matches: &ArgMatches, flag: &str) -> Result<Option<Vec<ResourceName>>, Error> {
    let Some(names) = matches.get_many::<String>(flag) else { return Ok(None) };
    let parsed = names.filter(|name| !name.trim().is_empty()).map(|name| {
        name.parse().map_err(|error| {
            Error::usage_with_hint(format!("--{flag}: {error}"), format!("known: {}", known()))
        })
    });
    parsed.collect::<Result<_, _>>().map(Some)
}

/// Success only when everything that was asked for is complete.
fn verdict(summary: &Summary) -> Result<(), Error> {
    let missing = || summary.resources.iter().filter(|outcome| !outcome.complete && !outcome.skipped);
    let failed: Vec<String> = missing()
        .map(|outcome| {
            format!("{} ({})", outcome.resource, outcome.reason.as_deref().unwrap_or("unknown reason"))
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let nothing =
        missing().count() == summary.resources.len() && missing().all(|outcome| outcome.written.fetched == 0);
    let (exit, hint) = match missing().filter_map(|outcome| outcome.cause).min() {
        _ if summary.interrupted => (Exit::Partial, AGAIN),
        Some(Cause::Unauthorized) => {
            (Exit::Authentication, "check the token and its permissions with `intercom-pp-cli doctor`")
        }
        Some(Cause::RateLimited) => (Exit::RateLimited, "wait a minute, or send less with --rate-limit"),
        Some(Cause::Network) => (Exit::Failure, "check the connection with `intercom-pp-cli doctor`"),
        Some(Cause::Refused) => {
            (Exit::Partial, "the workspace does not offer it: leave it out with --exclude, or check the plan")
        }
        _ if nothing => (Exit::Failure, AGAIN),
        _ => (Exit::Partial, AGAIN),
    };
    let message = format!("incomplete: {}", failed.join(", "));
    Err(Error::Finding { message, exit, hint: Some(hint.to_owned()) })
}

const AGAIN: &str = "run `intercom-pp-cli sync` again: it continues where this run stopped";
