//! `sync`: brings the local mirror up to date and says how far it got.

use std::collections::HashMap;
use std::io::IsTerminal;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::api::executor::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Output, tell};
use crate::cli::stores;
use crate::mirror::{Event, ResourceName, Store, Summary, SyncOptions, sync};

pub fn command() -> Command {
    let names: Vec<&str> = ResourceName::ALL.iter().map(|it| it.as_str()).collect();
    Command::new("sync")
        .about("Mirror the workspace into a local SQLite file; run again to bring it up to date")
        .arg(
            Arg::new("resources")
                .long("resources")
                .value_name("NAMES")
                .value_delimiter(',')
                .help(format!("Only these, separated by commas: {}", names.join(", "))),
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
        .after_help("Example: intercom-pp-cli sync --resources conversations,conversation_parts,teams")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = SyncOptions {
        resources: resources(matches)?,
        concurrency: matches.get_one::<u16>("concurrency").map_or(32, |it| usize::from(*it)),
        ..SyncOptions::default()
    };
    if context.globals.dry_run {
        return Err(Error::usage_with_hint(
            "sync changes nothing in the workspace, so it has no dry run",
            "leave out --dry-run",
        ));
    }
    let client = context.client()?;
    let path = match stores::named(matches) {
        Some(path) => path,
        None => {
            let reply = client.execute(operation("identifyAdmin")?, &Arguments::default()).await?;
            let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
            let workspace = me["app"]["id_code"].as_str().unwrap_or("default");
            stores::for_writing(context, matches, workspace)?
        }
    };
    let mut store = Store::open(&path)?;
    let mut observer = observer();
    let summary = sync(&client, &mut store, &options, &mut observer).await?;
    let meta = json!({ "source": "live", "store": path, "complete": summary.complete });
    let document = serde_json::to_string(&summary).unwrap_or_default();
    Output::open(&context.globals)?.document(meta, &document, Some("resources")).await?;
    verdict(&summary)
}

fn resources(matches: &ArgMatches) -> Result<Vec<ResourceName>, Error> {
    let Some(names) = matches.get_many::<String>("resources") else { return Ok(ResourceName::ALL.to_vec()) };
    let known = || ResourceName::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
    let parsed = names.filter(|name| !name.trim().is_empty()).map(|name| {
        name.parse().map_err(|error| {
            Error::usage_with_hint(format!("--resources: {error}"), format!("known: {}", known()))
        })
    });
    let resources: Vec<ResourceName> = parsed.collect::<Result<_, _>>()?;
    match resources.is_empty() {
        true => {
            Err(Error::usage_with_hint("--resources: no resource is named", format!("known: {}", known())))
        }
        false => Ok(resources),
    }
}

/// Progress for people on a terminal, one JSON event per line for everything else.
pub fn observer() -> impl FnMut(&Event) + Send {
    let for_people = std::io::stderr().is_terminal();
    let mut told: HashMap<ResourceName, u64> = HashMap::new();
    move |event: &Event| match for_people {
        false => tell(&serde_json::to_string(event).unwrap_or_default()),
        true => {
            if let Some(line) = line(event, &mut told) {
                tell(&line);
            }
        }
    }
}

/// One line per event; of progress only every thousandth record.
fn line(event: &Event, told: &mut HashMap<ResourceName, u64>) -> Option<String> {
    match event {
        Event::SyncProgress { resource, rows, total } => {
            let last = told.entry(*resource).or_default();
            if rows / 1000 == *last / 1000 {
                return None;
            }
            *last = *rows;
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            Some(format!("{resource}: {rows}{of}"))
        }
        Event::SyncWarning { resource, message } => {
            Some(format!("warning: {}{message}", resource.map(|it| format!("{it}: ")).unwrap_or_default()))
        }
        Event::SyncError { resource, message } => Some(format!("error: {resource}: {message}")),
        Event::SyncComplete(outcome) if outcome.complete => Some(format!(
            "{}: done, {} fetched, {} new, {} changed, {:.1} s",
            outcome.resource,
            outcome.written.fetched,
            outcome.written.inserted,
            outcome.written.updated,
            outcome.seconds
        )),
        _ => None,
    }
}

/// Success only when everything that was asked for is complete.
fn verdict(summary: &Summary) -> Result<(), Error> {
    let failed: Vec<String> = summary
        .resources
        .iter()
        .filter(|outcome| !outcome.complete)
        .map(|outcome| {
            format!("{} ({})", outcome.resource, outcome.reason.as_deref().unwrap_or("unknown reason"))
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let exit = if failed.len() == summary.resources.len() { Exit::Failure } else { Exit::Partial };
    let hint = "run `intercom-pp-cli sync` again: it goes on where this run stopped".to_owned();
    Err(Error::Finding { message: format!("incomplete: {}", failed.join(", ")), exit, hint: Some(hint) })
}
