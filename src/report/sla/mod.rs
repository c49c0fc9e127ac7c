//! Response and resolution times.
//!
//! Covers conversations in which a contact wrote. Those that are unanswered, open or incompletely mirrored are
//! counted, never dropped. Times are computed from timestamps only: the API's `time_to_*` values exclude the time
//! outside office hours and must never be used.

mod distribution;
mod explain;
mod figures;
mod groups;
mod reconcile;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use distribution::{Bin, Distribution, WEEK, Week};
pub use explain::{Explanation, Step, explain};
pub use figures::{Figures, MetricFigures, columns};
pub use groups::{GroupBy, NO_GROUP};
pub use reconcile::{Difference, Reconciliation, reconcile};

use super::business_hours::{Schedule, SlaClock};
use super::error::Error;
use super::timeline_cache::{self, ResponseTimes, Start, TimelineQuery};
use crate::mirror::{ResourceName, Store};
use distribution::DistributionBuilder;
use figures::{GroupTotals, Sample};
use groups::{Membership, Names};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    FirstResponse,
    Resolution,
    NextResponse,
    Handle,
}

impl Metric {
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

    pub const fn unit(self) -> Unit {
        match self {
            Metric::Resolution => Unit::Hours,
            _ => Unit::Minutes,
        }
    }

    /// Whether it is computed from spans.
    const fn needs_spans(self) -> bool {
        matches!(self, Metric::NextResponse | Metric::Handle)
    }
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Minutes,
    Hours,
}

impl Unit {
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Minutes => "minutes",
            Unit::Hours => "hours",
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
#[serde(rename_all = "snake_case")]
pub enum PeriodAnchor {
    Start,
    /// The first response.
    Reply,
    /// The close that resolves it.
    Close,
}

/// The close that counts as the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The last one, if the conversation is closed now.
    LastClose,
    /// The first one, even if the conversation was reopened.
    FirstClose,
}

/// The target of each metric, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Targets([Option<i64>; 4]);

impl Targets {
    pub fn of(&self, metric: Metric) -> Option<i64> {
        self.0[metric as usize]
    }

    pub fn set(&mut self, metric: Metric, seconds: i64) {
        self.0[metric as usize] = Some(seconds);
    }
}

#[derive(Debug, Clone)]
pub struct SlaOptions {
    pub group_by: GroupBy,
    pub metrics: Vec<Metric>,
    pub by: PeriodAnchor,
    /// The start of a conversation that the team started.
    pub start: Start,
    /// Start of the period, in epoch seconds.
    pub since: Option<i64>,
    /// End of the period (exclusive), in epoch seconds.
    pub until: Option<i64>,
    /// Only time in these hours counts; `None` counts all time.
    pub business_hours: Option<Schedule>,
    pub targets: Targets,
    /// With fewer samples, percentiles are null.
    pub min_samples: usize,
    pub resolution: Resolution,
    /// Whether to exclude the time in which a conversation was snoozed.
    pub without_snoozed: bool,
    /// Computes the distribution, with weeks in this time zone.
    pub distribution_zone: Option<jiff::tz::TimeZone>,
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
            distribution_zone: None,
        }
    }
}

/// The report. `rows` are sorted by name; the row without a group comes last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlaReport {
    pub group_by: GroupBy,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub rows: Vec<SlaRow>,
    /// All conversations. Each counts once, even if it is in several rows.
    pub total: SlaRow,
    pub missing: MissingData,
    /// The end of the waiting times still running, in epoch seconds: the last complete sync, or else now.
    pub as_of: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
}

/// What the mirror lacks, so that readers know how far to trust the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MissingData {
    /// The last sync of conversations or of their parts is not complete.
    pub incomplete: bool,
    /// Conversations of the period without parts; not in the figures.
    pub without_parts: u64,
    /// Conversations of the period that have changed since their parts were fetched.
    pub stale_parts: u64,
    /// The oldest data in the mirror, in epoch seconds, if that is after the start of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches_back_to: Option<i64>,
    /// The watermark of the mirror, in epoch seconds.
    pub synced_until: Option<i64>,
}

/// One row. In JSON, the group's name and id are in its own columns, for example `team` and `team_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct SlaRow {
    pub group_by: GroupBy,
    pub name: String,
    pub id: Option<String>,
    pub figures: Figures,
}

/// The names of the rows for people. Equal names get their ids appended.
pub fn labels(rows: &[SlaRow]) -> Vec<String> {
    let mut counts = HashMap::<String, usize>::new();
    for row in rows {
        *counts.entry(row.name.to_lowercase()).or_default() += 1;
    }
    let label = |row: &SlaRow| match &row.id {
        Some(id)
            if counts.get(&row.name.to_lowercase()).is_some_and(|count| *count > 1) && *id != row.name =>
        {
            format!("{} ({id})", row.name)
        }
        Some(_) => row.name.clone(),
        None => row.group_by.without().to_owned(),
    };
    rows.iter().map(label).collect()
}

impl Serialize for SlaRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serde_json::Map::new();
        if let Some(column) = self.group_by.column() {
            columns.insert(column.to_owned(), self.name.clone().into());
        }
        if let Some(column) = self.group_by.id_column() {
            columns.insert(column.to_owned(), self.id.clone().into());
        }
        if let Value::Object(figures) = serde_json::to_value(&self.figures).map_err(S::Error::custom)? {
            columns.extend(figures);
        }
        columns.serialize(serializer)
    }
}

/// Computes the report.
///
/// # Errors
/// [`Error::NothingSynced`] if conversations or their parts were never synced, and if the store cannot be read.
pub fn sla(store: &Store, options: &SlaOptions) -> Result<SlaReport, Error> {
    // Use one transaction, so that a concurrent sync is not half visible.
    let transaction = store.connection().unchecked_transaction()?;
    let mut missing = missing_data(store, options.since)?;
    let as_of = missing.synced_until.unwrap_or_else(|| Timestamp::now().as_second());
    let mut counter = SlaCounter::new(options, as_of);
    let mut membership = Membership::new(&transaction, options.group_by)?;
    timeline_cache::read(&transaction, &query(options), |times| {
        if !times.flags.has_parts() {
            let in_period = options.until.is_none_or(|until| times.began_at.is_some_and(|at| at < until));
            missing.without_parts += u64::from(in_period);
            return Ok(());
        }
        if !is_in_period(times, options) {
            return Ok(());
        }
        missing.stale_parts += u64::from(times.flags.stale());
        counter.add(times, &mut membership)
    })?;
    let names = Names::read(&transaction, options.group_by)?;
    let mut rows = Vec::new();
    for (id, mut group) in counter.groups.into_rows() {
        let name = names.of(id.as_deref())?;
        rows.push(SlaRow { group_by: options.group_by, name, id, figures: group.figures(options) });
    }
    rows.sort_by_cached_key(|row| (row.id.is_none(), row.name.to_lowercase(), row.id.clone()));
    let distribution = counter.distribution.map(|builder| builder.finish(&counter.total, options, as_of));
    let total = SlaRow {
        group_by: GroupBy::None,
        name: "(all)".to_owned(),
        id: None,
        figures: counter.total.figures(options),
    };
    let SlaOptions { group_by, since, until, .. } = *options;
    Ok(SlaReport { group_by, since, until, rows, total, missing, as_of, distribution })
}

/// What the sync states of the two resources say about the period.
fn missing_data(store: &Store, since: Option<i64>) -> Result<MissingData, Error> {
    let mut missing = MissingData::default();
    let mut watermarks = Vec::new();
    for resource in [ResourceName::Conversations, ResourceName::ConversationParts] {
        let state = store.sync_state(resource)?;
        let is_unsynced = state.as_ref().is_none_or(|state| state.watermark.is_none());
        if is_unsynced && store.is_empty(resource)? {
            return Err(Error::NothingSynced { resource });
        }
        missing.incomplete |= state.as_ref().is_none_or(|state| !state.complete);
        let floor = state.as_ref().and_then(|state| state.floor);
        let too_late = floor.filter(|floor| since.is_none_or(|since| since < *floor));
        missing.reaches_back_to = missing.reaches_back_to.max(too_late);
        watermarks.push(state.and_then(|state| state.watermark));
    }
    // `None` is less than any time, so the result is known only if both watermarks are.
    missing.synced_until = watermarks.into_iter().min().flatten();
    Ok(missing)
}

fn query(options: &SlaOptions) -> TimelineQuery {
    let by_start = options.by == PeriodAnchor::Start;
    TimelineQuery {
        grouping: options.group_by.grouping(),
        start: options.start,
        since: options.since.filter(|_| by_start),
        until: options.until.filter(|_| by_start),
        ids: options.group_by.links().is_some(),
        spans: options.without_snoozed || options.metrics.iter().any(|metric| metric.needs_spans()),
    }
}

fn is_in_period(times: &ResponseTimes<'_>, options: &SlaOptions) -> bool {
    if options.by == PeriodAnchor::Start || (options.since.is_none() && options.until.is_none()) {
        return true;
    }
    moment(times, options).is_some_and(|at| {
        options.since.is_none_or(|since| at >= since) && options.until.is_none_or(|until| at < until)
    })
}

/// The moment that must be in the period.
fn moment(times: &ResponseTimes<'_>, options: &SlaOptions) -> Option<i64> {
    match (options.by, options.resolution) {
        (PeriodAnchor::Start, _) => times.began_at,
        (PeriodAnchor::Reply, _) => times.first_response_at,
        (PeriodAnchor::Close, Resolution::LastClose) => times.last_close_at,
        (PeriodAnchor::Close, Resolution::FirstClose) => times.first_close_at,
    }
}

/// The report while conversations are added.
struct SlaCounter<'o> {
    options: &'o SlaOptions,
    as_of: i64,
    clock: SlaClock,
    total: GroupTotals,
    groups: GroupRows,
    distribution: Option<DistributionBuilder>,
}

impl<'o> SlaCounter<'o> {
    fn new(options: &'o SlaOptions, as_of: i64) -> Self {
        SlaCounter {
            options,
            as_of,
            clock: SlaClock::new(options.business_hours.as_ref()),
            total: GroupTotals::default(),
            groups: GroupRows::default(),
            distribution: options.distribution_zone.clone().map(DistributionBuilder::new),
        }
    }

    fn add(&mut self, times: &ResponseTimes<'_>, membership: &mut Membership<'_>) -> Result<(), Error> {
        if times.first_contact_at.is_none() && !times.flags.opened_by_contact() {
            self.total.exclude();
            return membership.each(times, |key| self.groups.of(key).exclude());
        }
        let sample = Sample::measure(times, self.options, &mut self.clock, self.as_of);
        self.total.add(times, &sample, self.options);
        if let Some(distribution) = &mut self.distribution {
            distribution.add(moment(times, self.options), times, &sample, self.options);
        }
        membership.each(times, |key| self.groups.of(key).add(times, &sample, self.options))
    }
}

/// The totals of each group, by id.
#[derive(Default)]
struct GroupRows {
    positions: HashMap<String, usize>,
    totals: Vec<GroupTotals>,
    without_group: Option<GroupTotals>,
}

impl GroupRows {
    fn of(&mut self, key: Option<&str>) -> &mut GroupTotals {
        let Some(key) = key else { return self.without_group.get_or_insert_default() };
        let position = match self.positions.get(key) {
            Some(position) => *position,
            None => {
                self.positions.insert(key.to_owned(), self.totals.len());
                self.totals.push(GroupTotals::default());
                self.totals.len() - 1
            }
        };
        &mut self.totals[position]
    }

    fn into_rows(self) -> Vec<(Option<String>, GroupTotals)> {
        let mut ids: Vec<(String, usize)> = self.positions.into_iter().collect();
        ids.sort_by_key(|(_, position)| *position);
        let rows = ids.into_iter().map(|(id, _)| Some(id)).zip(self.totals);
        rows.chain(self.without_group.map(|totals| (None, totals))).collect()
    }
}
