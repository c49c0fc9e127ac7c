//! Declares and parses the flags of `conversations sla`.

use clap::{ArgAction, Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::definitions::DEFINITIONS;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, HintTopic};
use crate::cli::files::OutputFile;
use crate::cli::mirror_paths::MirrorFlag;
use crate::cli::{duration, time};
use crate::config::{self, Config};
use crate::report::business_hours::Schedule;
use crate::report::sla::{GroupBy, Metric, PeriodAnchor, Resolution, RowOrder, SlaOptions, Targets};
use crate::report::timeline_cache::Start;
use crate::report::week;

/// Report first response and resolution times by team, teammate, tag, channel or company, from the mirror
#[derive(Args)]
#[group(skip)]
#[command(after_help = after_help())]
pub struct ConversationsSla {
    /// Group rows by this
    #[arg(long, value_name = "GROUP", default_value = "team")]
    group_by: GroupBy,
    /// Times to measure
    #[arg(
        long,
        value_name = "METRICS",
        value_delimiter = ',',
        action = ArgAction::Set,
        default_value = "first-response,resolution"
    )]
    metric: Vec<Metric>,
    /// Start of the period: a date, or for example 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End of the period
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Use one week as the period: this, last, or an ISO week, for example 2026-W20
    #[arg(long, value_name = "WEEK", conflicts_with_all = ["since", "until"])]
    week: Option<String>,
    /// Moment of a conversation that must be in the period: its start, first response or close
    #[arg(long, value_name = "MOMENT", default_value = "start")]
    by: PeriodAnchor,
    #[command(flatten)]
    outbound: OutboundFlag,
    /// Count all hours, or office hours only
    #[arg(long, value_name = "HOURS", default_value = "calendar")]
    hours: CountedHours,
    /// IANA time zone of dates, weeks and office hours [default: time zone of the office hours, else UTC]
    // The global flag with another help text: cli/globals.rs reads it by its id.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Maximum time per metric, for example first-response=1h,resolution=24h
    #[arg(long, value_name = "METRIC=TIME", value_delimiter = ',')]
    target: Vec<String>,
    /// Close that resolves a conversation
    #[arg(long, value_name = "CLOSE", default_value = "last-close")]
    resolution: Resolution,
    /// Exclude snoozed time
    #[arg(long)]
    without_snoozed: bool,
    /// Minimum number of samples for percentiles
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value = "5")]
    min_samples: u32,
    /// Sort by this column of the result; prefix it with - for descending order [default: name of the group]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Show only the first N rows; meta.total still covers all of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Also write a self-contained HTML page with charts, weeks and definitions
    #[arg(long, value_name = "PATH", conflicts_with_all = ["explain", "reconcile"])]
    pub html: Option<OutputFile>,
    /// Explain how each part of one conversation was counted
    #[arg(long, value_name = "ID", conflicts_with = "reconcile")]
    pub explain: Option<String>,
    /// List differences from Intercom's statistics, and their causes
    #[arg(long)]
    pub reconcile: bool,
    #[command(flatten)]
    pub mirror: MirrorFlag,
}

/// `--outbound`, for reports about the start of conversations.
#[derive(Args)]
#[group(skip)]
pub struct OutboundFlag {
    /// Start of conversations that the team began: the first message of a contact, or their creation
    #[arg(long, value_name = "START", default_value = "first-contact")]
    pub outbound: Start,
}

#[derive(Clone, Copy, ValueEnum)]
enum CountedHours {
    Calendar,
    Office,
}

const OFFICE_HOURS: &str = "\
Office hours are set in the config file:

  [office_hours]
  timezone = \"Europe/Dublin\"
  hours = \"09:00-17:30\"                 # Monday to Friday
  friday = [\"09:00-12:00\", \"13:00-16:00\"] # or \"closed\"
  holidays = [\"2026-12-25\", \"2026-12-26\"]
";

fn after_help() -> String {
    let definitions: String = DEFINITIONS.iter().map(|(name, text)| format!("\n  {name}: {text}")).collect();
    format!(
        "Definitions:{definitions}\n\n{OFFICE_HOURS}\nExample: intercom-pp-cli conversations sla --group-by team \
         --select team,first_response_p50_minutes,resolution_p90_hours\n\nExample: intercom-pp-cli conversations sla \
         --week 2026-W20 --target first-response=1h,resolution=24h --sort -first_response_p90_minutes"
    )
}

impl ConversationsSla {
    /// The options of the report, and the order of its rows.
    pub fn options(&self, context: &Context) -> Result<(SlaOptions, Option<RowOrder>), Error> {
        let config = Config::read(&context.config_path()?)?.office_hours;
        let zone = context.zone()?;
        let (since, until) = self.period(context, &zone)?;
        let mut metrics = Metric::ALL.to_vec();
        metrics.retain(|metric| self.metric.contains(metric));
        let order = self.sort.as_deref().map(|text| RowOrder::parse(text, self.group_by, &metrics));
        let order = order.transpose().map_err(|reason| Error::usage(format!("--sort: {reason}")))?;
        let options = SlaOptions {
            group_by: self.group_by,
            by: self.by,
            start: self.outbound.outbound,
            since,
            until,
            business_hours: match self.hours {
                CountedHours::Office => Some(schedule(config.as_ref(), &zone)?),
                CountedHours::Calendar => None,
            },
            targets: targets(&self.target)?,
            min_samples: self.min_samples as usize,
            resolution: self.resolution,
            without_snoozed: self.without_snoozed,
            zone,
            distribution: self.html.is_some(),
            metrics,
        };
        Ok((options, order))
    }

    /// Start and end in epoch seconds.
    fn period(&self, context: &Context, zone: &TimeZone) -> Result<(Option<i64>, Option<i64>), Error> {
        let Some(week) = &self.week else {
            let (since, until) = (self.since.as_deref(), self.until.as_deref());
            return time::period(context, since, until, time::SHORTEST_PERIOD);
        };
        let now = Timestamp::now().as_second();
        let bounds = week::named(week, now, zone).map_or_else(|| week::parse(week, zone), Ok);
        let (start, end) = bounds.map_err(|reason| Error::usage(format!("--week: {reason}")))?;
        if start > now {
            let monday = Timestamp::from_second(start)
                .map_or_else(|_| start.to_string(), |start| start.to_zoned(zone.clone()).date().to_string());
            return Err(Error::usage(format!(
                "--week: {week:?} is in the future (it starts on {monday}): expected a past week, this or last"
            )));
        }
        Ok((Some(start), Some(end)))
    }
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
    let schedule = Schedule::new(zone.clone(), config.days(), &config.holidays);
    schedule.map_err(|reason| Error::Config(config::Error::Value(format!("office_hours: {reason}"))))
}

fn targets(typed: &[String]) -> Result<Targets, Error> {
    let mut targets = Targets::default();
    for text in typed {
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
        let limit = duration::parse(limit).map_err(|_| invalid("expected a duration after ="))?;
        if limit.as_secs() == 0 {
            return Err(invalid("the time must not be zero"));
        }
        targets.set(metric, i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
    }
    Ok(targets)
}
