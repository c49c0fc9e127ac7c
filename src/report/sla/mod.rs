//! How long customers wait: for a first answer, for the next ones, and for the end of their conversation.
//!
//! About conversations in which a contact wrote something. What was not answered, not closed or not fully
//! known is counted, never dropped. Only plain moments are compared: the service's own `time_to_*` values
//! leave out the time outside its office hours and must never be mixed in.

mod explain;
mod figures;
mod groups;
mod reconcile;
mod spread;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use explain::{Explained, Step, explain};
pub use figures::{Figures, Measured, columns};
pub use groups::{GroupBy, NO_GROUP};
pub use reconcile::{Difference, Reconciled, reconcile};
pub use spread::{Bin, Spread, WEEK, Week};

use super::error::Error;
use super::office::{Clock, Schedule};
use super::timelines::{self, Choice, Start, Waiting};
use crate::mirror::{ResourceName, Store};
use figures::{Group, Sample};
use groups::{Membership, Names};
use spread::Spreading;

/// What is measured.
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

    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::FirstResponse => "first-response",
            Metric::Resolution => "resolution",
            Metric::NextResponse => "next-response",
            Metric::Handle => "handle",
        }
    }

    /// How the names of its columns begin.
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

    /// Whether it needs more than the moments of a conversation.
    const fn needs_spans(self) -> bool {
        matches!(self, Metric::NextResponse | Metric::Handle)
    }
}

/// What a metric is given in.
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

    /// Seconds in this unit, rounded to less than a second of a minute and five of an hour.
    pub fn of(self, seconds: i64) -> f64 {
        match self {
            Unit::Minutes => (seconds as f64 / 60.0 * 100.0).round() / 100.0,
            Unit::Hours => (seconds as f64 / 3600.0 * 1000.0).round() / 1000.0,
        }
    }
}

/// Which moment of a conversation has to lie in the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Start,
    /// The first response.
    Reply,
    /// The close that resolves it.
    Close,
}

/// Which close resolves a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The last one, of conversations that are closed now.
    LastClose,
    /// The first one, whatever came after it.
    FirstClose,
}

/// How long each metric may take, in seconds.
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
    pub by: By,
    /// When a conversation starts that the team began.
    pub start: Start,
    /// The moment that `by` names is at or after this one, epoch seconds.
    pub since: Option<i64>,
    /// The moment that `by` names is before this one, epoch seconds.
    pub until: Option<i64>,
    /// Only the time inside these hours counts; all of it for `None`.
    pub office: Option<Schedule>,
    pub targets: Targets,
    /// With fewer samples there are no percentiles.
    pub min_samples: usize,
    pub resolution: Resolution,
    /// Whether the time in which a conversation was snoozed counts for nothing.
    pub without_snoozed: bool,
    /// Whether to work out distributions and weeks as well, in this zone.
    pub spread: Option<jiff::tz::TimeZone>,
}

impl Default for SlaOptions {
    fn default() -> Self {
        SlaOptions {
            group_by: GroupBy::Team,
            metrics: vec![Metric::FirstResponse, Metric::Resolution],
            by: By::Start,
            start: Start::default(),
            since: None,
            until: None,
            office: None,
            targets: Targets::default(),
            min_samples: 5,
            resolution: Resolution::LastClose,
            without_snoozed: false,
            spread: None,
        }
    }
}

/// The report. `rows` are in order of their names, what is in no group last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlaReport {
    pub group_by: GroupBy,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub rows: Vec<Row>,
    /// Everything in one row; each conversation counts once, also where it stands in several rows.
    pub total: Row,
    pub missing: Missing,
    /// Up to when what is not over yet has been waiting: when the mirror was last complete, else now.
    pub as_of: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// What the mirror does not have, so that the figures can be trusted as far as they go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The sync of conversations, or of their parts, has not reached its end yet, or broke off.
    pub incomplete: bool,
    /// Conversations of the period whose parts were never fetched; they are in no figure.
    pub without_parts: u64,
    /// Conversations of the period that have changed since their parts were fetched.
    pub stale_parts: u64,
    /// How far the mirror goes back, epoch seconds, where that is not all of the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches_back_to: Option<i64>,
    /// Up to when the mirror is known to have everything, epoch seconds.
    pub synced_until: Option<i64>,
}

/// One row. Its JSON has the group's name under the group's own column, e.g. `team` and `team_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub group_by: GroupBy,
    pub name: String,
    pub id: Option<String>,
    pub figures: Figures,
}

/// The rows' names for people: two of one name are told apart by their ids.
pub fn labels(rows: &[Row]) -> Vec<String> {
    let mut counts = HashMap::<String, usize>::new();
    for row in rows {
        *counts.entry(row.name.to_lowercase()).or_default() += 1;
    }
    let label = |row: &Row| match &row.id {
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

impl Serialize for Row {
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

/// Works the report out.
///
/// # Errors
/// [`Error::NothingSynced`] when conversations or their parts were never synced, and when the store
/// cannot be read.
pub fn sla(store: &Store, options: &SlaOptions) -> Result<SlaReport, Error> {
    // One transaction, so that a sync that runs meanwhile does not show half of itself.
    let transaction = store.connection().unchecked_transaction()?;
    let mut missing = provenance(store, options.since)?;
    let as_of = missing.synced_until.unwrap_or_else(|| Timestamp::now().as_second());
    let mut counting = Counting::new(options, as_of);
    let mut membership = Membership::new(&transaction, options.group_by)?;
    timelines::read(&transaction, &choice(options), |waiting| {
        if !waiting.marks.has_parts() {
            let inside = options.until.is_none_or(|until| waiting.began_at.is_some_and(|at| at < until));
            missing.without_parts += u64::from(inside);
            return Ok(());
        }
        if !is_inside(waiting, options) {
            return Ok(());
        }
        missing.stale_parts += u64::from(waiting.marks.stale());
        counting.add(waiting, &mut membership)
    })?;
    let names = Names::read(&transaction, options.group_by)?;
    let mut rows = Vec::new();
    for (id, mut group) in counting.groups.into_rows() {
        let name = names.of(id.as_deref())?;
        rows.push(Row { group_by: options.group_by, name, id, figures: group.figures(options) });
    }
    rows.sort_by_cached_key(|row| (row.id.is_none(), row.name.to_lowercase(), row.id.clone()));
    let spread = counting.spreading.map(|spreading| spreading.finish(&counting.total, options, as_of));
    let total = Row {
        group_by: GroupBy::None,
        name: "(all)".to_owned(),
        id: None,
        figures: counting.total.figures(options),
    };
    let SlaOptions { group_by, since, until, .. } = *options;
    Ok(SlaReport { group_by, since, until, rows, total, missing, as_of, spread })
}

/// What the states of the two resources say about the data of a period.
fn provenance(store: &Store, since: Option<i64>) -> Result<Missing, Error> {
    let mut missing = Missing::default();
    let mut watermarks = Vec::new();
    for resource in [ResourceName::Conversations, ResourceName::ConversationParts] {
        let state = store.sync_state(resource)?;
        let never = state.as_ref().is_none_or(|state| state.watermark.is_none());
        if never && store.is_empty(resource)? {
            return Err(Error::NothingSynced { resource });
        }
        missing.incomplete |= state.as_ref().is_none_or(|state| !state.complete);
        let floor = state.as_ref().and_then(|state| state.floor);
        let too_late = floor.filter(|floor| since.is_none_or(|since| since < *floor));
        missing.reaches_back_to = missing.reaches_back_to.max(too_late);
        watermarks.push(state.and_then(|state| state.watermark));
    }
    // `None` is less than any moment: unless both are known, neither is.
    missing.synced_until = watermarks.into_iter().min().flatten();
    Ok(missing)
}

fn choice(options: &SlaOptions) -> Choice {
    let by_start = options.by == By::Start;
    Choice {
        grouping: options.group_by.grouping(),
        start: options.start,
        since: options.since.filter(|_| by_start),
        until: options.until.filter(|_| by_start),
        ids: options.group_by.links().is_some(),
        spans: options.without_snoozed || options.metrics.iter().any(|metric| metric.needs_spans()),
    }
}

fn is_inside(waiting: &Waiting<'_>, options: &SlaOptions) -> bool {
    if options.by == By::Start || (options.since.is_none() && options.until.is_none()) {
        return true;
    }
    moment(waiting, options).is_some_and(|at| {
        options.since.is_none_or(|since| at >= since) && options.until.is_none_or(|until| at < until)
    })
}

/// The moment by which a conversation belongs to a period.
fn moment(waiting: &Waiting<'_>, options: &SlaOptions) -> Option<i64> {
    match (options.by, options.resolution) {
        (By::Start, _) => waiting.began_at,
        (By::Reply, _) => waiting.first_response_at,
        (By::Close, Resolution::LastClose) => waiting.last_close_at,
        (By::Close, Resolution::FirstClose) => waiting.first_close_at,
    }
}

/// The report while conversations come in.
struct Counting<'o> {
    options: &'o SlaOptions,
    as_of: i64,
    clock: Clock,
    total: Group,
    groups: Groups,
    spreading: Option<Spreading>,
}

impl<'o> Counting<'o> {
    fn new(options: &'o SlaOptions, as_of: i64) -> Self {
        Counting {
            options,
            as_of,
            clock: Clock::new(options.office.as_ref()),
            total: Group::default(),
            groups: Groups::default(),
            spreading: options.spread.clone().map(Spreading::new),
        }
    }

    fn add(&mut self, waiting: &Waiting<'_>, membership: &mut Membership<'_>) -> Result<(), Error> {
        if waiting.first_contact_at.is_none() && !waiting.marks.opened_by_contact() {
            self.total.exclude();
            return membership.each(waiting, |key| self.groups.of(key).exclude());
        }
        let sample = Sample::measure(waiting, self.options, &mut self.clock, self.as_of);
        self.total.add(waiting, &sample, self.options);
        if let Some(spreading) = &mut self.spreading {
            spreading.add(moment(waiting, self.options), waiting, &sample, self.options);
        }
        membership.each(waiting, |key| self.groups.of(key).add(waiting, &sample, self.options))
    }
}

/// The rows by their ids.
#[derive(Default)]
struct Groups {
    places: HashMap<String, usize>,
    named: Vec<Group>,
    without: Option<Group>,
}

impl Groups {
    fn of(&mut self, key: Option<&str>) -> &mut Group {
        let Some(key) = key else { return self.without.get_or_insert_default() };
        let place = match self.places.get(key) {
            Some(place) => *place,
            None => {
                self.places.insert(key.to_owned(), self.named.len());
                self.named.push(Group::default());
                self.named.len() - 1
            }
        };
        &mut self.named[place]
    }

    fn into_rows(self) -> Vec<(Option<String>, Group)> {
        let mut ids: Vec<(String, usize)> = self.places.into_iter().collect();
        ids.sort_by_key(|(_, place)| *place);
        let named = ids.into_iter().map(|(id, _)| Some(id)).zip(self.named);
        named.chain(self.without.map(|group| (None, group))).collect()
    }
}
