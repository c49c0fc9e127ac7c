//! `tail`: prints new and changed records as they appear, one JSON line each.
//!
//! Queries the API, not the mirror. Each query overlaps the one before, because new records can take a while to appear
//! in searches; unchanged records are not printed again. A record with a time of change in the future must never make
//! the next query skip changes until then.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, List, Output, warn};
use crate::cli::{preview, time};
use crate::data::lenient;

/// Overlap of two queries in seconds, before the newest change seen.
const OVERLAP: i64 = 120;
const DAY: i64 = 86_400;
const PAGE: u32 = 100;

pub fn command() -> Command {
    Command::new("tail")
        .about("Follow new and changed records as JSON lines until interrupted")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .value_parser(["conversations", "contacts", "tickets"])
                .default_value("conversations")
                .help("Resource to follow"),
        )
        .arg(
            Arg::new("interval")
                .long("interval")
                .value_name("DURATION")
                .default_value("10s")
                .help("Time between two queries"),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Start with changes since then instead of now, for example 2024-01-01 or 1h"),
        )
        .arg(
            Arg::new("polls")
                .long("polls")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("Stop after N queries"),
        )
        .after_help(
            "Example: intercom-pp-cli tail conversations --since 30d --polls 1 --select id,state,updated_at",
        )
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let resource = matches.get_one::<String>("resource").map_or("conversations", String::as_str);
    let text = matches.get_one::<String>("interval").map_or("10s", String::as_str);
    let interval = time::duration(text).map_err(|reason| Error::usage(format!("--interval: {reason}")))?;
    let interval = interval.max(Duration::from_secs(1));
    let since = time::since(context, matches.get_one::<String>("since").map(String::as_str), 0)?
        .unwrap_or_else(|| Timestamp::now().as_second());
    let polls = matches.get_one::<u64>("polls").copied();
    if context.globals.consent.dry_run {
        let client = context.client_for_preview()?;
        let query = change_query(resource, since);
        let request = client.first_page_request(operation(query.search)?, &query.arguments(), Some(PAGE))?;
        return preview::show(context, &client, &request).await;
    }
    let client = context.client()?;
    let flags = context.globals.output.clone();
    let format = flags.format().filter(|format| *format != Format::Json).unwrap_or(Format::Ndjson);
    let globals = flags.with_format(format);
    let mut records = TailOutput { output: Some(Output::open(&globals)?), list: None, resource };
    let mut follower = Follower { client: &client, resource, since, newest: since, seen: HashMap::new() };
    let mut polled = 0;
    let failure = loop {
        polled += 1;
        let is_last = polls == Some(polled);
        let stop = tokio::signal::ctrl_c();
        let result = tokio::select! {
            result = follower.poll() => result,
            _ = stop => break None,
        };
        let result = result.and_then(|changed| records.write(&changed));
        match result {
            Ok(()) if is_last => break None,
            Ok(()) => {}
            Err(Error::Api(error)) if !is_last && is_temporary(&error) => {
                warn(&format!("{error}; retrying in {} s", interval.as_secs()));
            }
            Err(error) => break Some(error),
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = tokio::signal::ctrl_c() => break None,
        }
    };
    records.end().await?;
    failure.map_or(Ok(()), Err)
}

/// Writes the records. The list begins with the first changes, which determine its columns.
struct TailOutput<'a> {
    output: Option<Output<'a>>,
    list: Option<List<'a>>,
    resource: &'a str,
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
            self.list = Some(output.list(self.resource, first)?);
        }
        Ok(())
    }

    async fn end(mut self) -> Result<(), Error> {
        self.begin(&[])?;
        match self.list {
            Some(list) => {
                let extent = Extent::complete(self.resource.to_owned())
                    .when_empty(format!("no {} changed", self.resource));
                list.end(json!({ "source": "live" }), &extent).await
            }
            None => Ok(()),
        }
    }
}

/// Whether a later query may succeed.
fn is_temporary(error: &api::Error) -> bool {
    !matches!(error.status(), Some(400..=407 | 409..=428))
}

struct Follower<'a> {
    client: &'a Client,
    resource: &'a str,
    /// Older changes are never printed.
    since: i64,
    /// Time of the latest change seen, but never later than the server's clock.
    newest: i64,
    /// For records within the overlap: the time of change, and a hash of the document.
    seen: HashMap<String, (i64, u64)>,
}

impl Follower<'_> {
    /// The records that changed since the last poll, oldest change first.
    async fn poll(&mut self) -> Result<Vec<Box<RawValue>>, Error> {
        let from = (self.newest - OVERLAP).max(self.since);
        let (mut changed, now) = self.changed_since(from).await?;
        changed.sort_by_key(|(at, _)| *at);
        let mut new = Vec::new();
        for (at, raw) in changed {
            let document: Value = serde_json::from_str(raw.get()).unwrap_or_default();
            let Some(id) = lenient::id(&document["id"]) else { continue };
            let mut hasher = DefaultHasher::new();
            raw.get().hash(&mut hasher);
            let version = (at, hasher.finish());
            if self.seen.insert(id, version) != Some(version) {
                new.push(raw);
            }
            self.newest = self.newest.max(at.min(now));
        }
        let oldest = self.newest - OVERLAP;
        self.seen.retain(|_, (at, _)| *at >= oldest);
        Ok(new)
    }

    /// The records that changed at or after a time, with their times of change, and the server's time of the query.
    /// All times are in epoch seconds.
    async fn changed_since(&self, from: i64) -> Result<(Vec<(i64, Box<RawValue>)>, i64), Error> {
        let by_day = self.resource == "contacts";
        let query = change_query(self.resource, from);
        let search = operation(query.search)?;
        let mut pages = std::pin::pin!(self.client.pages(search, query.arguments(), Some(PAGE)));
        let mut changed = Vec::new();
        let mut asked_at = None;
        while let Some(page) = pages.try_next().await? {
            page.require_list()?;
            let mut older = 0;
            asked_at = asked_at.or_else(|| page.reply.date());
            let count = page.items.len();
            for raw in page.items {
                let document: Value = serde_json::from_str(raw.get()).unwrap_or_default();
                match lenient::time(&document["updated_at"]) {
                    Some(at) if at >= from => changed.push((at, raw)),
                    _ => older += 1,
                }
            }
            if by_day && older == count {
                break;
            }
        }
        Ok((changed, asked_at.unwrap_or_else(|| Timestamp::now().as_second())))
    }
}

/// A search for records that changed at or after a time.
struct ChangeQuery {
    search: &'static str,
    body: Value,
}

impl ChangeQuery {
    fn arguments(&self) -> Arguments {
        Arguments { body: Some(self.body.to_string().into_bytes()), ..Arguments::default() }
    }
}

fn change_query(resource: &str, from: i64) -> ChangeQuery {
    let (search, after, order) = match resource {
        // This search compares whole days in the workspace's time zone: request more and stop early.
        "contacts" => ("SearchContacts", from - 2 * DAY, "descending"),
        "tickets" => ("searchTickets", from - 1, "ascending"),
        _ => ("searchConversations", from - 1, "ascending"),
    };
    let body = json!({
        "query": { "field": "updated_at", "operator": ">", "value": after.max(0) },
        "sort": { "field": "updated_at", "order": order },
    });
    ChangeQuery { search, body }
}
