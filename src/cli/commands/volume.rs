//! `conversations volume`: counts conversations by day, hour or channel.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Map, Value, json};

use super::sla::outbound;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output};
use crate::cli::{mirror_paths, open_mirror, time};
use crate::mirror::ResourceName;
use crate::report::timeline_cache::Start;
use crate::report::volume::{VolumeCount, VolumeGroup, VolumeOptions, volume};

/// Length of the longest bar in characters.
const BAR: u64 = 40;

pub fn command() -> Command {
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    Command::new("volume")
        .about("Count conversations in the mirror by day, hour of the day or channel")
        .arg(value("by", "WHAT").value_parser(["day", "hour", "channel"]).default_value("day").help("Group by this"))
        .arg(value("since", "TIME").help("Only conversations begun since then, for example 2024-01-01 or 28d"))
        .arg(value("until", "TIME").help("Only conversations begun before then"))
        .arg(value("timezone", "ZONE").help("IANA time zone of days and hours [default: that of the office hours, else UTC]"))
        .arg(outbound())
        .arg(mirror_paths::argument())
        .after_help("A conversation begins with its opening message. One begun by the team or a workflow counts from the \
             first message of a contact, or from its creation if no contact wrote; --outbound created always counts \
             from the creation.\n\n\
             Example: intercom-pp-cli conversations volume --by hour --since 2024-01-01 --timezone Europe/Dublin")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let zone = context.zone()?;
    let (since, until) = time::period(
        context,
        matches.get_one::<String>("since").map(String::as_str),
        matches.get_one::<String>("until").map(String::as_str),
        time::SHORTEST_PERIOD,
    )?;
    let start = match matches.get_one::<String>("outbound").map(String::as_str) {
        Some("created") => Start::Created,
        _ => Start::FirstContact,
    };
    let by = match matches.get_one::<String>("by").map(String::as_str) {
        Some("hour") => VolumeGroup::Hour,
        Some("channel") => VolumeGroup::Channel,
        _ => VolumeGroup::Day,
    };
    let options = VolumeOptions { by, start, since, until, zone: zone.clone() };
    let store = open_mirror::with_timelines(&mirror_paths::for_reading(
        context,
        &mirror_paths::MirrorFlag::of(matches),
    )?)?;
    let counts = volume(&store, &options)?;
    let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Conversations])?;
    let extent = Extent::complete("rows").when_empty("no conversations began in this period");
    if context.globals.output.format_or_default() == Format::Table && context.globals.output.select.is_none()
    {
        let output = Output::open(&context.globals.output)?.of(extent, counts.len() as u64);
        return output.text(&chart(&counts)).await;
    }
    let row = |count: &VolumeCount| -> Value {
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
    Output::open(&context.globals.output)?.rows(meta, &rows, &extent).await
}

fn chart(counts: &[VolumeCount]) -> String {
    let most = counts.iter().map(|count| count.conversations).max().unwrap_or(0).max(1);
    let clean = |name: &str| {
        name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>()
    };
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
