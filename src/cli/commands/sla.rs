//! `conversations sla`: how long customers wait, from the mirror.

use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Output, warn};
use crate::cli::{stores, time};
use crate::mirror::Store;
use crate::report::sla::{GroupBy, Missing, SlaOptions, SlaReport, sla};

/// The definitions, as they are printed beside the figures.
const DEFINITIONS: [(&str, &str); 6] = [
    ("conversations", "conversations started in the window in which a contact wrote something"),
    ("excluded", "started by the team and never answered by the contact; in no other figure"),
    (
        "first_response",
        "first message of a contact to the first visible message of a human teammate after it: a comment, or an assignment, \
         close, snooze or reopening that carries text; not notes, bots, AI agents or workflows; calendar minutes",
    ),
    (
        "resolution",
        "first message of a contact to the last close, of conversations that are closed now; calendar hours",
    ),
    ("percentiles", "nearest rank; null with fewer samples than --min-samples"),
    ("truncated", "over 500 parts, of which the API hands out the newest; without a first response time"),
];

pub fn command() -> Command {
    let definitions: String = DEFINITIONS.iter().map(|(name, text)| format!("\n  {name}: {text}")).collect();
    Command::new("sla")
        .about("First response and resolution times by team, teammate, tag or channel, from the mirror")
        .arg(
            Arg::new("group-by")
                .long("group-by")
                .value_name("GROUP")
                .value_parser(["team", "admin", "tag", "channel", "none"])
                .default_value("team")
                .help("One row for each of these"),
        )
        .arg(Arg::new("since").long("since").value_name("TIME").help("Conversations started since then: a date, or 7d"))
        .arg(Arg::new("until").long("until").value_name("TIME").help("Conversations started before then"))
        .arg(
            Arg::new("min-samples")
                .long("min-samples")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("5")
                .help("No percentiles from fewer samples"),
        )
        .arg(stores::argument())
        .after_help(format!(
            "Definitions:{definitions}\n\nExample: intercom-pp-cli conversations sla --group-by team --select \
             team,first_response_p50_minutes,resolution_p90_hours"
        ))
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let options = SlaOptions {
        group_by: group_by(matches),
        since: moment(matches, "since")?,
        until: moment(matches, "until")?,
        min_samples: matches.get_one::<u32>("min-samples").map_or(5, |it| *it as usize),
    };
    let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
    let report = sla(&store, &options)?;
    say_what_is_missing(context, &report.missing);
    let rows = serde_json::to_string(&report.rows).unwrap_or_default();
    Output::open(&context.globals)?.document(meta(&report), &rows, None).await
}

fn group_by(matches: &ArgMatches) -> GroupBy {
    match matches.get_one::<String>("group-by").map(String::as_str) {
        Some("admin") => GroupBy::Admin,
        Some("tag") => GroupBy::Tag,
        Some("channel") => GroupBy::Channel,
        Some("none") => GroupBy::None,
        _ => GroupBy::Team,
    }
}

fn moment(matches: &ArgMatches, name: &str) -> Result<Option<i64>, Error> {
    let text = matches.get_one::<String>(name);
    let moment = text.map(|text| time::epoch_seconds(text, Timestamp::now())).transpose();
    moment.map_err(|reason| Error::usage(format!("--{name}: {reason}")))
}

fn meta(report: &SlaReport) -> Value {
    let definitions: serde_json::Map<String, Value> =
        DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    json!({
        "source": "local",
        "synced_at": report.missing.synced_until,
        "group_by": report.group_by,
        "since": report.since,
        "until": report.until,
        "total": report.total,
        "missing": report.missing,
        "definitions": definitions,
    })
}

fn say_what_is_missing(context: &Context, missing: &Missing) {
    if missing.incomplete {
        warn("the last sync did not reach its end; run `intercom-pp-cli sync`");
    }
    if missing.without_parts + missing.stale_parts > 0 {
        warn(&format!(
            "{} conversations have no parts yet and {} have changed since theirs were fetched; run `intercom-pp-cli sync`",
            missing.without_parts, missing.stale_parts
        ));
    }
    stores::warn_of_age(context, missing.synced_until);
}
