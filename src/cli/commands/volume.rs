//! `conversations volume`: how many conversations begin when, and through what.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Format, Output};
use crate::cli::{mirrored, stores, time};
use crate::config::Config;
use crate::mirror::{ResourceName, Store};
use crate::report::office;
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
        .arg(stores::argument())
        .after_help("Example: intercom-pp-cli conversations volume --by hour --since 2024-01-01 --timezone Europe/Dublin")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let zone = zone(context, matches)?;
    let moment = |name: &str| {
        let text = matches.get_one::<String>(name);
        let moment = text.map(|text| time::epoch_seconds_in(text, Timestamp::now(), &zone)).transpose();
        moment.map_err(|reason| Error::usage(format!("--{name}: {reason}")))
    };
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("hour") => By::Hour,
        Some("channel") => By::Channel,
        _ => By::Day,
    };
    let options = Options { by, since: moment("since")?, until: moment("until")?, zone: zone.clone() };
    time::check_period(options.since, options.until)?;
    let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
    let counts = volume(&store, &options)?;
    let synced_at = mirrored::say_how_old(context, &store, &[ResourceName::Conversations])?;
    if Format::of(&context.globals) == Format::Table && context.globals.select.is_none() {
        return Output::open(&context.globals)?.text(&chart(&counts)).await;
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
        "source": "local", "synced_at": synced_at, "by": by, "since": options.since, "until": options.until,
        "timezone": zone.iana_name().unwrap_or("UTC"), "conversations": total,
    });
    Output::open(&context.globals)?.table(meta, &rows).await
}

fn zone(context: &Context, matches: &ArgMatches) -> Result<TimeZone, Error> {
    if let Some(name) = matches.get_one::<String>("timezone") {
        return office::zone(name).map_err(|reason| Error::usage(format!("--timezone: {reason}")));
    }
    let configured = Config::read(&context.config_path()?)?.office_hours.and_then(|hours| hours.timezone);
    let zone = configured.map(|name| office::zone(&name)).transpose();
    let zone =
        zone.map_err(|reason| Error::Config(crate::config::Error::Value(format!("office_hours: {reason}"))))?;
    Ok(zone.unwrap_or(TimeZone::UTC))
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
