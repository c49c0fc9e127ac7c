//! `sync`: brings the local mirror up to date and says how far it got.

mod progress;

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Output, warn};
use crate::cli::signals::stop_on_signals;
use crate::cli::{stores, time};
use crate::mirror::{self, ResourceName, Store, Summary, SyncOptions, sync};
use crate::report::timelines;

pub fn command() -> Command {
    let names: Vec<&str> = ResourceName::ALL.iter().map(|it| it.as_str()).collect();
    let list = |name: &'static str| Arg::new(name).long(name).value_name("NAMES").value_delimiter(',');
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("sync")
        .about("Mirror the workspace into a local SQLite file; run again to bring it up to date")
        .arg(list("resources").help(format!("Only these, separated by commas: {}", names.join(", "))))
        .arg(list("exclude").help("All but these"))
        .arg(
            Arg::new("since").long("since").value_name("TIME").help(
                "Only what changed since then (a date, or 30d), of resources that tell when they changed",
            ),
        )
        .arg(flag("full").help("Fetch again what is in the mirror already"))
        .arg(
            flag("prune")
                .conflicts_with_all(["since", "max-pages"])
                .help("List everything, and remove from the mirror what the workspace no longer has"),
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
        .arg(
            Arg::new("watch")
                .long("watch")
                .value_name("INTERVAL")
                .help("Go on until interrupted, with so much time between two runs, such as 60s"),
        )
        .after_help("Example: intercom-pp-cli sync --resources conversations,conversation_parts,teams")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = options(matches)?;
    let interval = interval(matches)?;
    if context.globals.dry_run {
        return Output::open(&context.globals)?.value(&plan(context, &options)?).await;
    }
    let client = context.client()?;
    let path = match stores::named(matches) {
        Some(path) => path,
        None => stores::for_writing(context, matches, &workspace(&client).await?)?,
    };
    let mut store = Store::open(&path)?;
    // An interrupted run keeps what it has and says how far it got.
    stop_on_signals(options.stop.clone(), "stopping; the next sync goes on from here");
    let Some(interval) = interval else {
        return once(context, &client, &mut store, &options).await;
    };
    while !options.stop.is_asked() {
        match once(context, &client, &mut store, &options).await {
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
) -> Result<(), Error> {
    let summary = sync(client, store, options, &mut progress::observer()).await?;
    if !summary.interrupted {
        store.index()?;
        timelines::refresh(store)?;
    }
    let meta = json!({ "source": "live", "store": store.path(), "complete": summary.complete });
    let document = serde_json::to_string(&summary).unwrap_or_default();
    Output::open(&context.globals)?.document(meta, &document, Some("resources")).await?;
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
    Ok(me["app"]["id_code"].as_str().unwrap_or("default").to_owned())
}

fn options(matches: &ArgMatches) -> Result<SyncOptions, Error> {
    let since = matches.get_one::<String>("since");
    let since = since.map(|text| time::epoch_seconds(text, Timestamp::now())).transpose();
    let excluded = named(matches, "exclude")?.unwrap_or_default();
    let mut resources = named(matches, "resources")?.unwrap_or_else(|| ResourceName::ALL.to_vec());
    resources.retain(|resource| !excluded.contains(resource));
    if resources.is_empty() {
        return Err(Error::usage_with_hint("no resource is left to sync", format!("known: {}", known())));
    }
    Ok(SyncOptions {
        resources,
        since: since.map_err(|reason| Error::usage(format!("--since: {reason}")))?,
        full: matches.get_flag("full"),
        prune: matches.get_flag("prune"),
        max_pages: matches.get_one::<u64>("max-pages").copied(),
        concurrency: matches.get_one::<u16>("concurrency").map_or(32, |it| usize::from(*it)),
        ..SyncOptions::default()
    })
}

fn interval(matches: &ArgMatches) -> Result<Option<Duration>, Error> {
    let interval = matches.get_one::<String>("watch").map(|text| time::duration(text)).transpose();
    interval.map_err(|reason| Error::usage(format!("--watch: {reason}")))
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
    let nothing = missing().count() == summary.resources.len() && missing().all(|it| it.written.fetched == 0);
    let exit = if nothing && !summary.interrupted { Exit::Failure } else { Exit::Partial };
    let hint = "run `intercom-pp-cli sync` again: it goes on where this run stopped".to_owned();
    Err(Error::Finding { message: format!("incomplete: {}", failed.join(", ")), exit, hint: Some(hint) })
}
