//! Counts and percentiles of one row of the report.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Metric, Resolution, SlaOptions};
use crate::report::office::Clock;
use crate::report::percentile::nearest_rank;
use crate::report::timeline::Span;
use crate::report::timelines::Waiting;

/// What is counted of the conversations of a row, and how long they took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Conversations in which a contact wrote something.
    pub conversations: u64,
    pub answered: u64,
    pub unanswered: u64,
    pub closed: u64,
    /// Open or snoozed.
    pub open: u64,
    pub snoozed: u64,
    /// Closed at least once, and open again after that.
    pub reopened: u64,
    /// Begun by the team, without a word of a contact; in no other figure.
    pub excluded: u64,
    /// Longer than the API hands out: how long the first answer took is not known.
    pub truncated: u64,
    /// Not closed, and past a target: not answered, or not resolved in time. `None` without a target.
    pub breached: Option<u64>,
    /// One for each metric that was asked for.
    pub measured: Vec<Measured>,
}

/// One metric. The unit is [`Metric::unit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub metric: Metric,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub n: usize,
    /// Not over yet, and past the target already. `None` without a target.
    pub breached: Option<u64>,
    /// Of those that are over and those that are past the target already. `None` without a target.
    pub target_met_pct: Option<f64>,
}

impl Figures {
    pub fn of(&self, metric: Metric) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.metric == metric)
    }
}

/// The names of the columns, in order.
pub fn columns(metrics: &[Metric]) -> Vec<String> {
    let empty = |metric: &Metric| Measured {
        metric: *metric,
        p50: None,
        p90: None,
        n: 0,
        breached: None,
        target_met_pct: None,
    };
    let figures = Figures { measured: metrics.iter().map(empty).collect(), ..Figures::default() };
    match serde_json::to_value(figures) {
        Ok(serde_json::Value::Object(columns)) => columns.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serializer.serialize_map(None)?;
        for (name, count) in [
            ("conversations", self.conversations),
            ("answered", self.answered),
            ("unanswered", self.unanswered),
            ("closed", self.closed),
            ("open", self.open),
            ("snoozed", self.snoozed),
            ("reopened", self.reopened),
            ("excluded", self.excluded),
            ("truncated", self.truncated),
        ] {
            columns.serialize_entry(name, &count)?;
        }
        columns.serialize_entry("breached", &self.breached)?;
        for measured in &self.measured {
            let (name, unit) = (measured.metric.column(), measured.metric.unit().name());
            columns.serialize_entry(&format!("{name}_p50_{unit}"), &measured.p50)?;
            columns.serialize_entry(&format!("{name}_p90_{unit}"), &measured.p90)?;
            columns.serialize_entry(&format!("{name}_n"), &measured.n)?;
        }
        for measured in &self.measured {
            let name = measured.metric.column();
            columns.serialize_entry(&format!("{name}_target_met_pct"), &measured.target_met_pct)?;
            columns.serialize_entry(&format!("{name}_breached"), &measured.breached)?;
        }
        columns.end()
    }
}

/// How long one conversation took, as far as that is over and known. Seconds.
#[derive(Debug, Default)]
pub struct Sample {
    first_response: Option<i64>,
    resolution: Option<i64>,
    next_responses: Vec<i64>,
    handle: Option<i64>,
    /// How long the metrics that are not over yet have taken so far, in the order of [`Metric::ALL`].
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

    /// Measures a conversation in which a contact wrote. `as_of` is the moment up to which everything is
    /// known, epoch seconds.
    pub fn measure(waiting: &Waiting<'_>, options: &SlaOptions, clock: &mut Clock, as_of: i64) -> Self {
        let marks = waiting.marks;
        let snoozes: &[Span] = if options.without_snoozed { &waiting.spans.snoozes } else { &[] };
        let mut length = |from: Option<i64>, to: Option<i64>| Some(clock.outside(from?, to?, snoozes));
        // The oldest parts are missing: what seems to be the first answer may be the hundredth, and
        // where the team wrote first, so may the contact's first message.
        let whole = !marks.truncated();
        let known = whole || marks.opened_by_contact();
        let first = waiting.first_contact_at;
        let resolved = match options.resolution {
            Resolution::LastClose => waiting.last_close_at.filter(|_| marks.closed()),
            Resolution::FirstClose => waiting.first_close_at,
        };
        let now = Some(as_of).filter(|_| !marks.closed());
        let unanswered = waiting.first_response_at.is_none();
        let mut sample = Sample {
            first_response: length(first, waiting.first_response_at).filter(|_| whole),
            resolution: length(first, resolved).filter(|_| known),
            pending: [
                length(first.filter(|_| unanswered && whole), now),
                length(first.filter(|_| resolved.is_none() && known), now),
                length(waiting.waiting_since.filter(|_| !unanswered), now),
                None,
            ],
            ..Sample::default()
        };
        for (from, to) in &waiting.spans.next_responses {
            sample.next_responses.extend(length(Some(*from), *to));
        }
        if marks.closed() && !waiting.spans.handled.is_empty() {
            let handled = waiting.spans.handled.iter();
            sample.handle = Some(handled.map(|(from, to)| clock.between(*from, to.unwrap_or(*from))).sum());
        }
        sample
    }
}

/// A row while it is being counted.
#[derive(Debug, Default)]
pub struct Group {
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

impl Group {
    pub fn exclude(&mut self) {
        self.figures.excluded += 1;
    }

    pub fn add(&mut self, waiting: &Waiting<'_>, sample: &Sample, options: &SlaOptions) {
        let (marks, answered) = (waiting.marks, waiting.first_response_at.is_some());
        let figures = &mut self.figures;
        figures.conversations += 1;
        figures.answered += u64::from(answered);
        figures.unanswered += u64::from(!answered);
        figures.closed += u64::from(marks.closed());
        figures.open += u64::from(!marks.closed());
        figures.snoozed += u64::from(marks.snoozed());
        figures.reopened += u64::from(marks.reopened());
        figures.truncated += u64::from(marks.truncated());
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
        let targeted = options.metrics.iter().any(|metric| options.targets.of(*metric).is_some());
        let measured =
            options.metrics.iter().map(|metric| self.metrics[*metric as usize].measured(*metric, options));
        Figures {
            measured: measured.collect(),
            breached: targeted.then_some(self.breached),
            ..self.figures.clone()
        }
    }
}

impl Samples {
    fn measured(&mut self, metric: Metric, options: &SlaOptions) -> Measured {
        let n = self.seconds.len();
        let mut percentile = |percent| {
            let seconds =
                nearest_rank(&mut self.seconds, percent).filter(|_| n >= options.min_samples.max(1))?;
            Some(metric.unit().of(seconds))
        };
        let (p50, p90) = (percentile(50), percentile(90));
        let targeted = options.targets.of(metric).is_some();
        let of = n as u64 + self.breached;
        let share = self.met as f64 / of as f64 * 100.0;
        Measured {
            metric,
            p50,
            p90,
            n,
            breached: targeted.then_some(self.breached),
            target_met_pct: (targeted && of > 0).then(|| (share * 10.0).round() / 10.0),
        }
    }
}
