//! `tail`: new and changed records as they appear, one JSON line each.
//!
//! Asks the API, not the mirror. Every question overlaps the one before, because records can take a
//! while to be found; what has been shown in that form is not shown again. A record that claims to be
//! changed in the future must never make the next question skip what changes until then.

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
use crate::cli::globals::Globals;
use crate::cli::output::{Extent, List, Output, warn};
use crate::cli::{preview, time};
use crate::mirror::fields;

/// Seconds that a question reaches back behind the newest record seen.
const OVERLAP: i64 = 120;
const DAY: i64 = 86_400;
const PAGE: u32 = 100;

pub fn command() -> Command {
    Command::new("tail")
        .about("Follow new and changed records, one JSON line each, until interrupted")
        .arg(
            Arg::new("resource")
                .value_name("RESOURCE")
                .value_parser(["conversations", "contacts", "tickets"])
                .default_value("conversations")
                .help("What to follow"),
        )
        .arg(
            Arg::new("interval")
                .long("interval")
                .value_name("DURATION")
                .default_value("10s")
                .help("Time between two questions"),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Begin with what changed since then instead of now: a date, or 1h"),
        )
        .arg(
            Arg::new("polls")
                .long("polls")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("Ask N times, then end"),
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
    let since = time::since(context, matches, "since", 0)?.unwrap_or_else(|| Timestamp::now().as_second());
    let polls = matches.get_one::<u64>("polls").copied();
    if context.globals.dry_run {
        let client = context.client_for_preview()?;
        let question = question(resource, since);
        let request =
            client.first_page_request(operation(question.search)?, &question.arguments(), Some(PAGE))?;
        return preview::show(context, &client, &request).await;
    }
    let client = context.client()?;
    let lines = !context.globals.csv && !context.globals.plain && !context.globals.quiet;
    let globals = Globals { ndjson: lines, ..context.globals.clone() };
    let mut told = Told { output: Some(Output::open(&globals)?), list: None, resource };
    let mut follower = Follower { client: &client, resource, since, newest: since, seen: HashMap::new() };
    let mut asked = 0;
    let failure = loop {
        asked += 1;
        let last = polls == Some(asked);
        let stop = tokio::signal::ctrl_c();
        let result = tokio::select! {
            result = follower.poll() => result,
            _ = stop => break None,
        };
        let result = result.and_then(|changed| told.tell(&changed));
        match result {
            Ok(()) if last => break None,
            Ok(()) => {}
            Err(Error::Api(error)) if !last && passes(&error) => {
                warn(&format!("{error}; asking again in {} s", interval.as_secs()));
            }
            Err(error) => break Some(error),
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = tokio::signal::ctrl_c() => break None,
        }
    };
    told.end().await?;
    failure.map_or(Ok(()), Err)
}

/// What is written, from the first change on: that one tells which columns there are.
struct Told<'a> {
    output: Option<Output<'a>>,
    list: Option<List<'a>>,
    resource: &'a str,
}

impl Told<'_> {
    fn tell(&mut self, changed: &[Box<RawValue>]) -> Result<(), Error> {
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
                let extent =
                    Extent::whole(self.resource.to_owned()).or(format!("no {} changed", self.resource));
                list.end(json!({ "source": "live" }), &extent).await
            }
            None => Ok(()),
        }
    }
}

/// Whether asking again later may help.
fn passes(error: &api::Error) -> bool {
    !matches!(error.status(), Some(400..=407 | 409..=428))
}

struct Follower<'a> {
    client: &'a Client,
    resource: &'a str,
    /// Nothing older is shown.
    since: i64,
    /// The latest change that was seen, but never later than the server's clock.
    newest: i64,
    /// When the records within the overlap changed, and a hash of what they were then.
    seen: HashMap<String, (i64, u64)>,
}

impl Follower<'_> {
    /// What has changed since the last time, the oldest change first.
    async fn poll(&mut self) -> Result<Vec<Box<RawValue>>, Error> {
        let from = (self.newest - OVERLAP).max(self.since);
        let (mut changed, now) = self.changed_since(from).await?;
        changed.sort_by_key(|(at, _)| *at);
        let mut new = Vec::new();
        for (at, raw) in changed {
            let document: Value = serde_json::from_str(raw.get()).unwrap_or_default();
            let Some(id) = fields::id(&document["id"]) else { continue };
            let mut hasher = DefaultHasher::new();
            raw.get().hash(&mut hasher);
            let form = (at, hasher.finish());
            if self.seen.insert(id, form) != Some(form) {
                new.push(raw);
            }
            self.newest = self.newest.max(at.min(now));
        }
        let kept = self.newest - OVERLAP;
        self.seen.retain(|_, (at, _)| *at >= kept);
        Ok(new)
    }

    /// The records that changed at or after a moment, with the moment of their change; and what the time
    /// was for the server when it was asked.
    async fn changed_since(&self, from: i64) -> Result<(Vec<(i64, Box<RawValue>)>, i64), Error> {
        let by_day = self.resource == "contacts";
        let question = question(self.resource, from);
        let search = operation(question.search)?;
        let mut pages = std::pin::pin!(self.client.pages(search, question.arguments(), Some(PAGE)));
        let mut changed = Vec::new();
        let mut asked_at = None;
        while let Some(page) = pages.try_next().await? {
            page.require_list()?;
            let mut older = 0;
            asked_at = asked_at.or_else(|| page.reply.date());
            let count = page.items.len();
            for raw in page.items {
                let document: Value = serde_json::from_str(raw.get()).unwrap_or_default();
                match fields::time(&document["updated_at"]) {
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

/// A search for what changed at or after a moment.
struct Question {
    search: &'static str,
    body: Value,
}

impl Question {
    fn arguments(&self) -> Arguments {
        Arguments { body: Some(self.body.to_string().into_bytes()), ..Arguments::default() }
    }
}

fn question(resource: &str, from: i64) -> Question {
    let (search, after, order) = match resource {
        // Days are compared, in the workspace's time zone: ask for more and stop early.
        "contacts" => ("SearchContacts", from - 2 * DAY, "descending"),
        "tickets" => ("searchTickets", from - 1, "ascending"),
        _ => ("searchConversations", from - 1, "ascending"),
    };
    let body = json!({
        "query": { "field": "updated_at", "operator": ">", "value": after.max(0) },
        "sort": { "field": "updated_at", "order": order },
    });
    Question { search, body }
}
