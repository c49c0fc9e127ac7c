//! The counts and percentiles of one row.

#![deny(missing_docs)]

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::options::{Metric, Resolution, SlaOptions};
use crate::report::business_hours::SlaClock;
use crate::report::percentile::nearest_rank;
use crate::report::timeline::Span;
use crate::report::timeline_cache::ResponseTimes;

/// The counts and metrics of the conversations of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Conversations in which a contact wrote.
    pub conversations: u64,
    /// With a response of a teammate.
    pub answered: u64,
    /// Without one.
    pub unanswered: u64,
    /// Closed now.
    pub closed: u64,
    /// Open or snoozed.
    pub open: u64,
    /// Snoozed now.
    pub snoozed: u64,
    /// Reopened at least once after a close.
    pub reopened: u64,
    /// Started by the team, without a message of a contact; not in any other figure.
    pub excluded: u64,
    /// With more parts than the API returns, so that the first response is unknown.
    pub truncated: u64,
    /// Open, and past a target. `None` without a target.
    pub breached: Option<u64>,
    /// One for each requested metric.
    pub measured: Vec<MetricFigures>,
}

/// The figures of one metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricFigures {
    /// The metric.
    pub metric: Metric,
    /// The median, rounded, in the unit of the metric (minutes; hours for resolutions). `None` with too few samples.
    pub p50: Option<f64>,
    /// The 90th percentile, in the same way.
    pub p90: Option<f64>,
    /// The two percentiles in seconds.
    pub(super) seconds: [Option<i64>; 2],
    /// The number of samples.
    pub n: usize,
    /// Still waiting, and past the target. `None` without a target.
    pub breached: Option<u64>,
    /// The share of samples within the target, in percent of all samples and all breached ones. `None` without a target.
    pub target_met_pct: Option<f64>,
}

impl MetricFigures {
    /// The median, to the second. `None` with too few samples.
    pub fn median(&self) -> Option<Duration> {
        self.seconds[0].and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }

    /// The 90th percentile, to the second. `None` with too few samples.
    pub fn percentile_90(&self) -> Option<Duration> {
        self.seconds[1].and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
    }
}

impl Figures {
    /// The figures of a metric, if it was requested.
    pub fn of(&self, metric: Metric) -> Option<&MetricFigures> {
        self.measured.iter().find(|measured| measured.metric == metric)
    }

    /// The counts with the names of their columns, in order.
    fn counts(&self) -> [(&'static str, u64); 9] {
        [
            ("conversations", self.conversations),
            ("answered", self.answered),
            ("unanswered", self.unanswered),
            ("closed", self.closed),
            ("open", self.open),
            ("snoozed", self.snoozed),
            ("reopened", self.reopened),
            ("excluded", self.excluded),
            ("truncated", self.truncated),
        ]
    }

    /// The count in this column.
    pub fn count(&self, column: &str) -> Option<u64> {
        self.counts().into_iter().find(|(name, _)| *name == column).map(|(_, count)| count)
    }

    /// The columns of the row, in order.
    pub(super) fn columns(&self) -> Vec<(String, Value)> {
        let mut columns: Vec<(String, Value)> =
            self.counts().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        columns.push(("breached".to_owned(), json!(self.breached)));
        for measured in &self.measured {
            let (name, unit) = (measured.metric.column(), measured.metric.unit().name());
            columns.push((format!("{name}_p50_{unit}"), json!(measured.p50)));
            columns.push((format!("{name}_p90_{unit}"), json!(measured.p90)));
            columns.push((format!("{name}_n"), json!(measured.n)));
        }
        for measured in &self.measured {
            let name = measured.metric.column();
            columns.push((format!("{name}_target_met_pct"), json!(measured.target_met_pct)));
            columns.push((format!("{name}_breached"), json!(measured.breached)));
        }
        columns
    }
}

/// The column names, in order.
pub(super) fn column_names(metrics: &[Metric]) -> impl Iterator<Item = String> {
    let empty = |metric: &Metric| MetricFigures { metric: *metric, ..MetricFigures::default() };
    let figures = Figures { measured: metrics.iter().map(empty).collect(), ..Figures::default() };
    figures.columns().into_iter().map(|(name, _)| name)
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns())
    }
}

/// The times of one conversation that are over and known, in seconds.
#[derive(Debug, Default)]
pub struct Sample {
    first_response: Option<i64>,
    resolution: Option<i64>,
    next_responses: Vec<i64>,
    handle: Option<i64>,
    /// The times still running, in the order of [`Metric::ALL`].
    pending: [Option<i64>; 4],
}

impl Sample {
    pub fn of(&self, metric: Metric) -> &[i64] {
        match metric {
            Metric::FirstResponse => self.first_response.as_slice(),
            Metric::Resolution => self.resolution.as_slice(),
            Metric::NextResponse => &self.next_responses,
            Metric::Handle => self.handle.as_slice(),
        }
    }

    /// Measures a conversation in which a contact wrote. `as_of` is the end of the data, in epoch seconds.
    pub fn measure(
        times: &ResponseTimes<'_>,
        options: &SlaOptions,
        clock: &mut SlaClock,
        as_of: i64,
    ) -> Self {
        let flags = times.flags;
        let snoozes: &[Span] = if options.without_snoozed { &times.spans.snoozes } else { &[] };
        let mut length = |from: Option<i64>, to: Option<i64>| Some(clock.outside(from?, to?, snoozes));
        // Without the oldest parts, the apparent first response may be a later one. So may the contact's apparent
        // first message, if the team wrote first.
        let is_complete = !flags.truncated;
        let is_start_known = is_complete || flags.opened_by_contact;
        let first = times.first_contact_at;
        let resolved = match options.resolution {
            Resolution::LastClose => times.last_close_at.filter(|_| flags.closed),
            Resolution::FirstClose => times.first_close_at,
        };
        let now = Some(as_of).filter(|_| !flags.closed);
        let unanswered = times.first_response_at.is_none();
        let mut sample = Sample {
            first_response: length(first, times.first_response_at).filter(|_| is_complete),
            resolution: length(first, resolved).filter(|_| is_start_known),
            pending: [
                length(first.filter(|_| unanswered && is_complete), now),
                length(first.filter(|_| resolved.is_none() && is_start_known), now),
                length(times.waiting_since.filter(|_| !unanswered), now),
                None,
            ],
            ..Sample::default()
        };
        for (from, to) in &times.spans.next_responses {
            sample.next_responses.extend(length(Some(*from), *to));
        }
        if flags.closed && !times.spans.handled.is_empty() {
            let handled = times.spans.handled.iter();
            sample.handle = Some(handled.map(|(from, to)| clock.between(*from, to.unwrap_or(*from))).sum());
        }
        sample
    }
}

/// The totals of one row.
#[derive(Debug, Default)]
pub struct GroupTotals {
    figures: Figures,
    /// In the order of [`Metric::ALL`].
    metrics: [Samples; 4],
    breached: u64,
}

#[derive(Debug, Default)]
struct Samples {
    /// Seconds.
    seconds: Vec<i64>,
    met: u64,
    breached: u64,
}

impl GroupTotals {
    pub fn exclude(&mut self) {
        self.figures.excluded += 1;
    }

    pub fn add(&mut self, times: &ResponseTimes<'_>, sample: &Sample, options: &SlaOptions) {
        let (flags, is_answered) = (times.flags, times.first_response_at.is_some());
        let figures = &mut self.figures;
        figures.conversations += 1;
        figures.answered += u64::from(is_answered);
        figures.unanswered += u64::from(!is_answered);
        figures.closed += u64::from(flags.closed);
        figures.open += u64::from(!flags.closed);
        figures.snoozed += u64::from(flags.snoozed);
        figures.reopened += u64::from(flags.reopened);
        figures.truncated += u64::from(flags.truncated);
        let mut breached = false;
        for metric in &options.metrics {
            let samples = &mut self.metrics[*metric as usize];
            let seconds = sample.of(*metric);
            samples.seconds.extend(seconds);
            let Some(target) = options.targets.of(*metric) else { continue };
            samples.met += seconds.iter().filter(|seconds| **seconds <= target).count() as u64;
            if sample.pending[*metric as usize].is_some_and(|seconds| seconds > target) {
                samples.breached += 1;
                breached = true;
            }
        }
        self.breached += u64::from(breached);
    }

    /// The samples of a metric so far, in seconds.
    pub fn seconds(&self, metric: Metric) -> &[i64] {
        &self.metrics[metric as usize].seconds
    }

    pub fn figures(&mut self, options: &SlaOptions) -> Figures {
        let has_target = options.metrics.iter().any(|metric| options.targets.of(*metric).is_some());
        let measured =
            options.metrics.iter().map(|metric| self.metrics[*metric as usize].measured(*metric, options));
        Figures {
            measured: measured.collect(),
            breached: has_target.then_some(self.breached),
            ..self.figures.clone()
        }
    }
}

impl Samples {
    fn measured(&mut self, metric: Metric, options: &SlaOptions) -> MetricFigures {
        let n = self.seconds.len();
        let mut percentile =
            |percent| nearest_rank(&mut self.seconds, percent).filter(|_| n >= options.min_samples.max(1));
        let seconds = [percentile(50), percentile(90)];
        let [p50, p90] = seconds.map(|seconds| seconds.map(|seconds| metric.unit().of(seconds)));
        let has_target = options.targets.of(metric).is_some();
        let total = n as u64 + self.breached;
        let share = self.met as f64 / total as f64 * 100.0;
        MetricFigures {
            metric,
            p50,
            p90,
            seconds,
            n,
            breached: has_target.then_some(self.breached),
            target_met_pct: (has_target && total > 0).then(|| (share * 10.0).round() / 10.0),
        }
    }
}
