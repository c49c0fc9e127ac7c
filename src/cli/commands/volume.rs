//! `conversations volume`: how many conversations begin when, and through what.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::sla::outbound;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output};
use crate::cli::{mirrored, stores, time};
use crate::mirror::ResourceName;
use crate::report::timelines::Start;
use crate::report::volume::{By, Count, Options, volume};

/// Characters of the longest bar.
const BAR: u64 = 40;

pub fn command() -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    Command::new("volume")
        .about("How many conversations began by day, hour of the day or channel, from the mirror")
        .arg(value("by", "WHAT").value_parser(["day", "hour", "channel"]).default_value("day").help("One row for each"))
        .arg(value("since", "TIME").help("Begun since then: a date, or 28d"))
        .arg(value("until", "TIME").help("Begun before then"))
        .arg(value("timezone", "ZONE").help("IANA time zone of days and hours [default: that of the office hours, else UTC]"))
        .arg(outbound())
        .arg(stores::argument())
        .after_help("A conversation begins with its opening message. One that the team or a workflow began counts \
             when a contact first wrote in it, and when it was created while none has; --outbound created counts all of \
             them by their creation.\n\n\
             Example: intercom-pp-cli conversations volume --by hour --since 2024-01-01 --timezone Europe/Dublin")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let zone = context.zone()?;
    let (since, until) = time::period(context, matches, time::SHORTEST_PERIOD)?;
    let start = match matches.get_one::<String>("outbound").map(String::as_str) {
        Some("created") => Start::Created,
        _ => Start::FirstContact,
    };
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("hour") => By::Hour,
        Some("channel") => By::Channel,
        _ => By::Day,
    };
    let options = Options { by, start, since, until, zone: zone.clone() };
    let store = mirrored::with_timelines(&stores::for_reading(context, matches)?)?;
    let counts = volume(&store, &options)?;
    let synced_at = mirrored::say_how_old(context, &store, &[ResourceName::Conversations])?;
    let extent = Extent::whole("rows").or("no conversation began in this period");
    if Format::of(&context.globals) == Format::Table && context.globals.select.is_none() {
        let output = Output::open(&context.globals)?.of(extent, counts.len() as u64);
        return output.text(&chart(&counts)).await;
    }
    let row = |count: &Count| -> Value {
        let mut row = Map::from_iter([(by.column().to_owned(), json!(count.name))]);
        if let Ok(Value::Object(counts)) = serde_json::to_value(count) {
            row.extend(counts);
        }
        row.into()
    };
    let rows: Vec<Value> = counts.iter().map(row).collect();
    let total: u64 = counts.iter().map(|count| count.conversations).sum();
    let meta = json!({
        "source": "local", "synced_at": synced_at, "by": by, "outbound": start, "since": options.since, "until": options.until,
        "timezone": zone.iana_name().unwrap_or("UTC"), "conversations": total,
    });
    Output::open(&context.globals)?.table(meta, &rows, &extent).await
}

fn chart(counts: &[Count]) -> String {
    let most = counts.iter().map(|count| count.conversations).max().unwrap_or(0).max(1);
    let clean =
        |name: &str| name.chars().map(|it| if it.is_control() { ' ' } else { it }).collect::<String>();
    let width = counts.iter().map(|count| count.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for count in counts {
        let bar = (count.conversations * BAR).div_ceil(most);
        let name = clean(&count.name);
        let _ = writeln!(
            text,
            "{name:<width$}  {:>7}  {}",
            count.conversations,
            "█".repeat(usize::try_from(bar).unwrap_or(0))
        );
    }
    text
}
