//! The flags of `conversations sla`: declared, and turned into what they mean.

use std::cmp::Ordering;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::DEFINITIONS;
use crate::cli::context::Context;
use crate::cli::door::{self, OutputFile};
use crate::cli::error::Error;
use crate::cli::{stores, time};
use crate::config::{self, Config};
use crate::report::office::{self, Schedule};
use crate::report::sla::{By, GroupBy, Metric, Resolution, Row, SlaOptions, Targets, columns};
use crate::report::timelines::Start;

const OFFICE_HOURS: &str = "\
Office hours stand in the config file:

  [office_hours]
  timezone = \"Europe/Dublin\"
  hours = \"09:00-17:30\"                 # Monday to Friday
  friday = [\"09:00-12:00\", \"13:00-16:00\"] # single days have their own; \"closed\" is none
  holidays = [\"2026-12-25\", \"2026-12-26\"]
";

pub fn command() -> Command {
    let definitions: String = DEFINITIONS.iter().map(|(name, text)| format!("\n  {name}: {text}")).collect();
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("sla")
        .about("First response and resolution times by team, teammate, tag, channel or company, from the mirror")
        .arg(
            value("group-by", "GROUP")
                .value_parser(["team", "admin", "tag", "channel", "company", "none"])
                .default_value("team")
                .help("One row for each of these"),
        )
        .arg(
            value("metric", "METRICS")
                .value_delimiter(',')
                .value_parser(Metric::ALL.map(Metric::name))
                .default_value("first-response,resolution")
                .help("Which times to measure"),
        )
        .arg(value("since", "TIME").help("Conversations of the period that begins then: a date, or 7d"))
        .arg(value("until", "TIME").help("Conversations of the period that ends then"))
        .arg(
            value("week", "WEEK")
                .conflicts_with_all(["since", "until"])
                .help("The period is this ISO week, such as 2026-W20"),
        )
        .arg(
            value("by", "MOMENT")
                .value_parser(["start", "reply", "close"])
                .default_value("start")
                .help("Which moment lies in the period: the start, the first response, or the close"),
        )
        .arg(outbound())
        .arg(
            value("hours", "HOURS")
                .value_parser(["calendar", "office"])
                .default_value("calendar")
                .help("Count every hour, or office hours only"),
        )
        .arg(value("timezone", "ZONE").help(
            "IANA time zone of dates, weeks and office hours [default: that of the office hours, else UTC]",
        ))
        .arg(
            value("target", "METRIC=TIME")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("How long each may take, as in first-response=1h,resolution=24h"),
        )
        .arg(
            value("resolution", "CLOSE")
                .value_parser(["last-close", "first-close"])
                .default_value("last-close")
                .help("Which close resolves a conversation"),
        )
        .arg(flag("without-snoozed").help("Leave out the time in which a conversation was snoozed"))
        .arg(
            value("min-samples", "N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("5")
                .help("No percentiles from fewer samples"),
        )
        .arg(value("sort", "COLUMN").allow_hyphen_values(true).help(
            "Sort by this column of the result, downwards with a minus before it [default: the group's name]",
        ))
        .arg(
            value("limit", "N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Only the first N rows; meta.total is about everything all the same"),
        )
        .arg(door::output("html").value_name("PATH").conflicts_with_all(["explain", "reconcile"]).help(
            "Also write a page with charts, weeks and definitions; it needs nothing from elsewhere",
        ))
        .arg(
            value("explain", "ID")
                .conflicts_with("reconcile")
                .help("Show one conversation step by step: which part counted as what"),
        )
        .arg(flag("reconcile").help("List where Intercom's own statistics differ, and why"))
        .arg(stores::argument())
        .after_help(format!(
            "Definitions:{definitions}\n\n{OFFICE_HOURS}\nExample: intercom-pp-cli conversations sla --group-by team \
             --select team,first_response_p50_minutes,resolution_p90_hours\n\nExample: intercom-pp-cli conversations sla \
             --week 2026-W20 --target first-response=1h,resolution=24h --sort -first_response_p90_minutes"
        ))
}

/// When a conversation starts that the team began. `volume` takes it, too.
pub fn outbound() -> Arg {
    Arg::new("outbound")
        .long("outbound")
        .value_name("START")
        .value_parser(["first-contact", "created"])
        .default_value("first-contact")
        .help("When a conversation that the team began starts: when a contact first wrote, or when it was created")
}

/// What was asked for.
pub struct Wanted {
    pub options: SlaOptions,
    pub zone: TimeZone,
    pub sort: Option<(String, bool)>,
    pub limit: Option<usize>,
    pub html: Option<OutputFile>,
    pub explain: Option<String>,
    pub reconcile: bool,
}

impl Wanted {
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    pub fn targets(&self) -> Value {
        let targets = Metric::ALL.map(|metric| (metric.column().to_owned(), self.options.targets.of(metric)));
        let set = targets.into_iter().filter_map(|(name, seconds)| Some((name, json!(seconds?))));
        set.collect::<serde_json::Map<_, _>>().into()
    }

    /// Sorts and cuts the rows as asked for. What has no value comes last.
    pub fn arrange(&self, rows: &mut Vec<Row>) {
        if let Some((column, down)) = &self.sort {
            rows.sort_by_cached_key(|row| {
                let value = serde_json::to_value(row).unwrap_or_default()[column].clone();
                Key { value, down: *down }
            });
        }
        rows.truncate(self.limit.unwrap_or(usize::MAX));
    }
}

/// The value of a row that it is sorted by.
struct Key {
    value: Value,
    down: bool,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.value, &other.value) {
            (Value::Null, Value::Null) => return Ordering::Equal,
            (Value::Null, _) => return Ordering::Greater,
            (_, Value::Null) => return Ordering::Less,
            (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
            (one, other) => one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default()),
        };
        if self.down { order.reverse() } else { order }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

pub fn wanted(context: &Context, matches: &ArgMatches) -> Result<Wanted, Error> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let config = Config::read(&context.config_path()?)?.office_hours;
    let zone = context.zone()?;
    let (since, until) = match text("week") {
        Some(week) => {
            let week =
                office::week(week, &zone).map_err(|reason| Error::usage(format!("--week: {reason}")))?;
            if week.0 > Timestamp::now().as_second() {
                return Err(Error::usage("--week: it lies in the future"));
            }
            (Some(week.0), Some(week.1))
        }
        None => time::period(context, matches, time::SHORTEST_PERIOD)?,
    };
    let metrics = metrics(matches);
    let group_by = group_by(text("group-by"));
    let html = matches.get_one::<OutputFile>("html").cloned();
    Ok(Wanted {
        sort: text("sort").map(|text| sort(text, group_by, &metrics)).transpose()?,
        options: SlaOptions {
            group_by,
            by: match text("by") {
                Some("reply") => By::Reply,
                Some("close") => By::Close,
                _ => By::Start,
            },
            start: match text("outbound") {
                Some("created") => Start::Created,
                _ => Start::FirstContact,
            },
            since,
            until,
            office: match text("hours") {
                Some("office") => Some(schedule(config.as_ref(), &zone)?),
                _ => None,
            },
            targets: targets(matches)?,
            min_samples: matches.get_one::<u32>("min-samples").map_or(5, |it| *it as usize),
            resolution: match text("resolution") {
                Some("first-close") => Resolution::FirstClose,
                _ => Resolution::LastClose,
            },
            without_snoozed: matches.get_flag("without-snoozed"),
            spread: html.is_some().then(|| zone.clone()),
            metrics,
        },
        zone,
        limit: matches.get_one::<u32>("limit").map(|it| *it as usize),
        html,
        explain: text("explain").map(str::to_owned),
        reconcile: matches.get_flag("reconcile"),
    })
}

fn schedule(config: Option<&config::OfficeHours>, zone: &TimeZone) -> Result<Schedule, Error> {
    let Some(config) = config else {
        return Err(Error::usage_with_hint(
            "--hours office: the config file has no [office_hours]",
            "add [office_hours] with timezone = \"Europe/Dublin\" and hours = \"09:00-17:30\"; `intercom-pp-cli \
             conversations sla --help` shows all of it",
        ));
    };
    Schedule::new(zone.clone(), config.days(), &config.holidays).map_err(|reason| in_config(&reason))
}

fn in_config(reason: &str) -> Error {
    Error::Config(config::Error::Value(format!("office_hours: {reason}")))
}

fn metrics(matches: &ArgMatches) -> Vec<Metric> {
    let named: Vec<&String> = matches.get_many::<String>("metric").into_iter().flatten().collect();
    let mut metrics = Metric::ALL.to_vec();
    metrics.retain(|metric| named.iter().any(|name| *name == metric.name()));
    metrics
}

fn group_by(name: Option<&str>) -> GroupBy {
    match name {
        Some("admin") => GroupBy::Admin,
        Some("tag") => GroupBy::Tag,
        Some("channel") => GroupBy::Channel,
        Some("company") => GroupBy::Company,
        Some("none") => GroupBy::None,
        _ => GroupBy::Team,
    }
}

fn targets(matches: &ArgMatches) -> Result<Targets, Error> {
    let mut targets = Targets::default();
    for text in matches.get_many::<String>("target").into_iter().flatten() {
        let wrong = |reason: &str| {
            let names = Metric::ALL.map(Metric::name).join(", ");
            Error::usage(format!(
                "--target: {text:?} {reason}; use METRIC=TIME such as first-response=1h (metrics: {names})"
            ))
        };
        let (name, limit) = text.split_once('=').ok_or_else(|| wrong("has no ="))?;
        let name = name.trim().replace('_', "-");
        let metric = Metric::ALL.into_iter().find(|metric| metric.name() == name);
        let metric = metric.ok_or_else(|| wrong("names no metric"))?;
        let limit = time::duration(limit).map_err(|_| wrong("has no length of time"))?;
        if limit.as_secs() == 0 {
            return Err(wrong("allows no time at all"));
        }
        targets.set(metric, i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
    }
    Ok(targets)
}

fn sort(text: &str, group_by: GroupBy, metrics: &[Metric]) -> Result<(String, bool), Error> {
    let (name, down) = match (text.strip_prefix('-'), text.strip_suffix(":desc"), text.strip_suffix(":asc")) {
        (Some(name), ..) | (None, Some(name), _) => (name, true),
        (None, None, Some(name)) => (name, false),
        (None, None, None) => (text, false),
    };
    let named = group_by.column().into_iter().chain(group_by.id_column()).map(str::to_owned);
    let known: Vec<String> = named.chain(columns(metrics)).collect();
    match known.iter().any(|known| known == name) {
        true => Ok((name.to_owned(), down)),
        false => {
            Err(Error::usage(format!("--sort: there is no column {name:?}; use one of {}", known.join(", "))))
        }
    }
}
