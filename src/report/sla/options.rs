//! What a report is about: its metrics, groups, period and targets.

#![deny(missing_docs)]

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::groups::GroupBy;
use crate::report::business_hours::Schedule;
use crate::report::timeline_cache::Start;

/// What is measured. `docs/sla.md` has the definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// From the first message of a contact to the first response of a teammate.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    #[default]
    FirstResponse,
    /// From the first message of a contact to the close that counts.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Resolution,
    /// From each later message of a contact to the next response.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    NextResponse,
    /// How long teammates handled a closed conversation.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Handle,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Metric; 4] =
        [Metric::FirstResponse, Metric::Resolution, Metric::NextResponse, Metric::Handle];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::FirstResponse => "first-response",
            Metric::Resolution => "resolution",
            Metric::NextResponse => "next-response",
            Metric::Handle => "handle",
        }
    }

    /// The prefix of its column names.
    pub const fn column(self) -> &'static str {
        match self {
            Metric::FirstResponse => "first_response",
            Metric::Resolution => "resolution",
            Metric::NextResponse => "next_response",
            Metric::Handle => "handle",
        }
    }

    /// The unit of its figures.
    pub const fn unit(self) -> Unit {
        match self {
            Metric::Resolution => Unit::Hours,
            _ => Unit::Minutes,
        }
    }

    /// Whether it is computed from spans.
    pub(super) const fn needs_spans(self) -> bool {
        matches!(self, Metric::NextResponse | Metric::Handle)
    }
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Minutes, to two decimal places.
    Minutes,
    /// Hours, to three decimal places.
    Hours,
}

impl Unit {
    /// The unit in column names.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
        }
    }

    /// The unit for people.
    pub const fn symbol(self) -> &'static str {
        match self {
            Unit::Minutes => "min",
            Unit::Hours => "h",
        }
    }

    /// Converts seconds, rounding to 0.01 minutes or 0.001 hours.
    pub fn of(self, seconds: i64) -> f64 {
        match self {
            Unit::Minutes => (seconds as f64 / 60.0 * 100.0).round() / 100.0,
            Unit::Hours => (seconds as f64 / 3600.0 * 1000.0).round() / 1000.0,
        }
    }
}

/// The moment of a conversation that must be in the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum PeriodAnchor {
    /// When it started.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Start,
    /// The first response.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Reply,
    /// The close that resolves it.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Close,
}

/// The close that counts as the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The last one, if the conversation is closed now.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    LastClose,
    /// The first one, even if the conversation was reopened.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    FirstClose,
}

/// The target of each metric, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Targets([Option<i64>; 4]);

impl Targets {
    /// The target of a metric.
    pub fn of(&self, metric: Metric) -> Option<i64> {
        self.0[metric as usize]
    }

    /// Sets the target of a metric.
    pub fn set(&mut self, metric: Metric, seconds: i64) {
        self.0[metric as usize] = Some(seconds);
    }
}

/// The targets that are set, by metric.
impl Serialize for Targets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let targets = Metric::ALL.into_iter().map(|metric| (metric.column(), self.of(metric)));
        serializer.collect_map(targets.filter(|(_, seconds)| seconds.is_some()))
    }
}

/// What to report.
#[derive(Debug, Clone)]
pub struct SlaOptions {
    /// What the rows are grouped by.
    pub group_by: GroupBy,
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// The moment that must be in the period.
    pub by: PeriodAnchor,
    /// The start of a conversation that the team started.
    pub start: Start,
    /// Start of the period, in epoch seconds.
    pub since: Option<i64>,
    /// End of the period (exclusive), in epoch seconds.
    pub until: Option<i64>,
    /// Only time in these hours counts; `None` counts all time.
    pub business_hours: Option<Schedule>,
    /// The targets.
    pub targets: Targets,
    /// With fewer samples, percentiles are null.
    pub min_samples: usize,
    /// The close that counts.
    pub resolution: Resolution,
    /// Whether to exclude the time in which a conversation was snoozed.
    pub without_snoozed: bool,
    /// The time zone of weeks, and of times in texts.
    pub zone: TimeZone,
    /// Whether to compute the distribution.
    pub distribution: bool,
}

impl Default for SlaOptions {
    fn default() -> Self {
        SlaOptions {
            group_by: GroupBy::Team,
            metrics: vec![Metric::FirstResponse, Metric::Resolution],
            by: PeriodAnchor::Start,
            start: Start::default(),
            since: None,
            until: None,
            business_hours: None,
            targets: Targets::default(),
            min_samples: 5,
            resolution: Resolution::LastClose,
            without_snoozed: false,
            zone: TimeZone::UTC,
            distribution: false,
        }
    }
}
