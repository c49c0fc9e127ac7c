//! Declares and parses the flags of `conversations sla`.

use std::cmp::Ordering;

use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::DEFINITIONS;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, HintTopic};
use crate::cli::files::{self, OutputFile};
use crate::cli::{mirror_paths, time};
use crate::config::{self, Config};
use crate::report::business_hours::{self, Schedule};
use crate::report::sla::{GroupBy, Metric, PeriodAnchor, Resolution, SlaOptions, SlaRow, Targets, columns};
use crate::report::timeline_cache::Start;

const OFFICE_HOURS: &str = "\
Office hours are set in the config file:

  [office_hours]
  timezone = \"Europe/Dublin\"
  hours = \"09:00-17:30\"                 # Monday to Friday
  friday = [\"09:00-12:00\", \"13:00-16:00\"] # overrides one day; \"closed\" for a day off
  holidays = [\"2026-12-25\", \"2026-12-26\"]
";

pub fn command() -> Command {
    let definitions: String = DEFINITIONS.iter().map(|(name, text)| format!("\n  {name}: {text}")).collect();
    let value = |name: &'static str, shape: &'static str| Arg::new(name).long(name).value_name(shape);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new("sla")
        .about("Report first response and resolution times by team, teammate, tag, channel or company, from the mirror")
        .arg(
            value("group-by", "GROUP")
                .value_parser(["team", "admin", "tag", "channel", "company", "none"])
                .default_value("team")
                .help("Group rows by this"),
        )
        .arg(
            value("metric", "METRICS")
                .value_delimiter(',')
                .value_parser(Metric::ALL.map(Metric::name))
                .default_value("first-response,resolution")
                .help("Times to measure"),
        )
        .arg(value("since", "TIME").help("Start of the period: a date, or for example 7d"))
        .arg(value("until", "TIME").help("End of the period"))
        .arg(
            value("week", "WEEK")
                .conflicts_with_all(["since", "until"])
                .help("Use this ISO week as the period, for example 2026-W20"),
        )
        .arg(
            value("by", "MOMENT")
                .value_parser(["start", "reply", "close"])
                .default_value("start")
                .help("Moment of a conversation that must be in the period: its start, first response or close"),
        )
        .arg(outbound())
        .arg(
            value("hours", "HOURS")
                .value_parser(["calendar", "office"])
                .default_value("calendar")
                .help("Count all hours, or office hours only"),
        )
        .arg(value("timezone", "ZONE").help(
            "IANA time zone of dates, weeks and office hours [default: time zone of the office hours, else UTC]",
        ))
        .arg(
            value("target", "METRIC=TIME")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Maximum time per metric, for example first-response=1h,resolution=24h"),
        )
        .arg(
            value("resolution", "CLOSE")
                .value_parser(["last-close", "first-close"])
                .default_value("last-close")
                .help("Close that resolves a conversation"),
        )
        .arg(flag("without-snoozed").help("Exclude snoozed time"))
        .arg(
            value("min-samples", "N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("5")
                .help("Minimum number of samples for percentiles"),
        )
        .arg(value("sort", "COLUMN").allow_hyphen_values(true).help(
            "Sort by this column of the result; prefix it with - for descending order [default: name of the group]",
        ))
        .arg(
            value("limit", "N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("Show only the first N rows; meta.total still covers all of them"),
        )
        .arg(files::output("html").value_name("PATH").conflicts_with_all(["explain", "reconcile"]).help(
            "Also write a self-contained HTML page with charts, weeks and definitions",
        ))
        .arg(
            value("explain", "ID")
                .conflicts_with("reconcile")
                .help("Explain how each part of one conversation was counted"),
        )
        .arg(flag("reconcile").help("List differences from Intercom's statistics, and their causes"))
        .arg(mirror_paths::argument())
        .after_help(format!(
            "Definitions:{definitions}\n\n{OFFICE_HOURS}\nExample: intercom-pp-cli conversations sla --group-by team \
             --select team,first_response_p50_minutes,resolution_p90_hours\n\nExample: intercom-pp-cli conversations sla \
             --week 2026-W20 --target first-response=1h,resolution=24h --sort -first_response_p90_minutes"
        ))
}

/// Defines the start of conversations that the team began. Also used by `volume`.
pub fn outbound() -> Arg {
    Arg::new("outbound")
        .long("outbound")
        .value_name("START")
        .value_parser(["first-contact", "created"])
        .default_value("first-contact")
        .help("Start of conversations that the team began: the first message of a contact, or their creation")
}

pub struct SlaRequest {
    pub options: SlaOptions,
    pub zone: TimeZone,
    pub sort: Option<(String, bool)>,
    pub limit: Option<usize>,
    pub html: Option<OutputFile>,
    pub explain: Option<String>,
    pub reconcile: bool,
}

impl SlaRequest {
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    pub fn targets(&self) -> Value {
        let targets = Metric::ALL.map(|metric| (metric.column().to_owned(), self.options.targets.of(metric)));
        let set = targets.into_iter().filter_map(|(name, seconds)| Some((name, json!(seconds?))));
        set.collect::<serde_json::Map<_, _>>().into()
    }

    /// Sorts and limits the rows. Rows without a value come last.
    pub fn arrange(&self, rows: &mut Vec<SlaRow>) {
        if let Some((column, is_descending)) = &self.sort {
            rows.sort_by_cached_key(|row| {
                let value = serde_json::to_value(row).unwrap_or_default()[column].clone();
                SortKey { value, is_descending: *is_descending }
            });
        }
        rows.truncate(self.limit.unwrap_or(usize::MAX));
    }
}

struct SortKey {
    value: Value,
    is_descending: bool,
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.value, &other.value) {
            (Value::Null, Value::Null) => return Ordering::Equal,
            (Value::Null, _) => return Ordering::Greater,
            (_, Value::Null) => return Ordering::Less,
            (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
            (one, other) => one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default()),
        };
        if self.is_descending { order.reverse() } else { order }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SortKey {}

pub fn request(context: &Context, matches: &ArgMatches) -> Result<SlaRequest, Error> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let config = Config::read(&context.config_path()?)?.office_hours;
    let zone = context.zone()?;
    let (since, until) = match text("week") {
        Some(week) => {
            let week = business_hours::week(week, &zone)
                .map_err(|reason| Error::usage(format!("--week: {reason}")))?;
            if week.0 > Timestamp::now().as_second() {
                return Err(Error::usage("--week is in the future"));
            }
            (Some(week.0), Some(week.1))
        }
        None => time::period(
            context,
            matches.get_one::<String>("since").map(String::as_str),
            matches.get_one::<String>("until").map(String::as_str),
            time::SHORTEST_PERIOD,
        )?,
    };
    let metrics = metrics(matches);
    let group_by = group_by(text("group-by"));
    let html = matches.get_one::<OutputFile>("html").cloned();
    Ok(SlaRequest {
        sort: text("sort").map(|text| sort(text, group_by, &metrics)).transpose()?,
        options: SlaOptions {
            group_by,
            by: match text("by") {
                Some("reply") => PeriodAnchor::Reply,
                Some("close") => PeriodAnchor::Close,
                _ => PeriodAnchor::Start,
            },
            start: match text("outbound") {
                Some("created") => Start::Created,
                _ => Start::FirstContact,
            },
            since,
            until,
            business_hours: match text("hours") {
                Some("office") => Some(schedule(config.as_ref(), &zone)?),
                _ => None,
            },
            targets: targets(matches)?,
            min_samples: matches.get_one::<u32>("min-samples").map_or(5, |count| *count as usize),
            resolution: match text("resolution") {
                Some("first-close") => Resolution::FirstClose,
                _ => Resolution::LastClose,
            },
            without_snoozed: matches.get_flag("without-snoozed"),
            distribution_zone: html.is_some().then(|| zone.clone()),
            metrics,
        },
        zone,
        limit: matches.get_one::<u32>("limit").map(|count| *count as usize),
        html,
        explain: text("explain").map(str::to_owned),
        reconcile: matches.get_flag("reconcile"),
    })
}

fn schedule(config: Option<&config::OfficeHours>, zone: &TimeZone) -> Result<Schedule, Error> {
    let Some(config) = config else {
        return Err(Error::usage_with_hint(
            "--hours office: the config file has no [office_hours]",
            Hint::new("add [office_hours] with timezone = \"Europe/Dublin\" and hours = \"09:00-17:30\"")
                .then("see ")
                .run("conversations sla --help")
                .about(HintTopic::Arguments),
        ));
    };
    Schedule::new(zone.clone(), config.days(), &config.holidays).map_err(|reason| in_config(&reason))
}

fn in_config(reason: &str) -> Error {
    Error::Config(config::Error::Value(format!("office_hours: {reason}")))
}

fn metrics(matches: &ArgMatches) -> Vec<Metric> {
    let names: Vec<&String> = matches.get_many::<String>("metric").into_iter().flatten().collect();
    let mut metrics = Metric::ALL.to_vec();
    metrics.retain(|metric| names.iter().any(|name| *name == metric.name()));
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
        let invalid = |reason: &str| {
            let names = Metric::ALL.map(Metric::name).join(", ");
            Error::usage(format!(
                "--target: invalid {text:?}: {reason}; use METRIC=TIME, for example first-response=1h (metrics: {names})"
            ))
        };
        let (name, limit) = text.split_once('=').ok_or_else(|| invalid("no = found"))?;
        let name = name.trim().replace('_', "-");
        let metric = Metric::ALL.into_iter().find(|metric| metric.name() == name);
        let metric = metric.ok_or_else(|| invalid("unknown metric"))?;
        let limit = time::duration(limit).map_err(|_| invalid("expected a duration after ="))?;
        if limit.as_secs() == 0 {
            return Err(invalid("the time must not be zero"));
        }
        targets.set(metric, i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
    }
    Ok(targets)
}

fn sort(text: &str, group_by: GroupBy, metrics: &[Metric]) -> Result<(String, bool), Error> {
    let (name, is_descending) =
        match (text.strip_prefix('-'), text.strip_suffix(":desc"), text.strip_suffix(":asc")) {
            (Some(name), ..) | (None, Some(name), _) => (name, true),
            (None, None, Some(name)) => (name, false),
            (None, None, None) => (text, false),
        };
    let group_columns = group_by.column().into_iter().chain(group_by.id_column()).map(str::to_owned);
    let known: Vec<String> = group_columns.chain(columns(metrics)).collect();
    if known.iter().any(|known| known == name) {
        return Ok((name.to_owned(), is_descending));
    }
    Err(Error::usage(format!("--sort: unknown column {name:?}: expected one of {}", known.join(", "))))
}
