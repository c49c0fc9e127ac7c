//! What a report about response times covers.

use std::time::Duration;

use super::Error;
use crate::Timestamp;
use crate::data::times::zone::zone;
use crate::report::business_hours::Schedule;
use crate::report::sla;
use crate::report::sla::{GroupBy, Metric, PeriodAnchor, Resolution};

/// What to report. The default covers all conversations in the mirror by team, with the first response and the
/// resolution, and counts all hours.
#[derive(Debug, Clone, Default)]
pub struct SlaOptions(sla::SlaOptions);

impl SlaOptions {
    /// All conversations, by team.
    pub fn new() -> Self {
        SlaOptions::default()
    }

    /// What the rows are grouped by.
    pub fn group_by(mut self, group_by: GroupBy) -> Self {
        self.0.group_by = group_by;
        self
    }

    /// What is measured.
    pub fn metrics(mut self, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.0.metrics = metrics.into_iter().collect();
        self
    }

    /// Only conversations from this time on.
    pub fn since(mut self, since: impl Into<Timestamp>) -> Self {
        self.0.since = Some(since.into().as_second());
        self
    }

    /// Only conversations before this time.
    pub fn until(mut self, until: impl Into<Timestamp>) -> Self {
        self.0.until = Some(until.into().as_second());
        self
    }

    /// The moment of a conversation that must be in the period; its start by default.
    pub fn period_by(mut self, anchor: PeriodAnchor) -> Self {
        self.0.by = anchor;
        self
    }

    /// The target of a metric, in whole seconds. Rows then have the share of conversations that met it, and the number of
    /// those past it.
    pub fn target(mut self, metric: Metric, target: Duration) -> Self {
        self.0.targets.set(metric, i64::try_from(target.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// The fewest samples for a percentile, which is `None` with less; 5 by default.
    pub fn min_samples(mut self, samples: usize) -> Self {
        self.0.min_samples = samples;
        self
    }

    /// The close that counts as the resolution; the last one by default.
    pub fn resolution(mut self, resolution: Resolution) -> Self {
        self.0.resolution = resolution;
        self
    }

    /// Do not count the time in which a conversation was snoozed.
    pub fn without_snoozed(mut self) -> Self {
        self.0.without_snoozed = true;
        self
    }

    /// Count only the time in these hours: seven lists of spans such as `09:00-17:30`, Monday first, in the time zone with
    /// this IANA name, and dates such as `2026-12-25` on which nobody works.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption) if the zone is unknown, or a span or date is invalid.
    pub fn office_hours(
        mut self,
        time_zone: &str,
        days: [&[&str]; 7],
        holidays: &[&str],
    ) -> Result<Self, Error> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        let days = days.map(owned);
        let zone = zone(time_zone).map_err(Error::option)?;
        let days = std::array::from_fn(|day| &days[day][..]);
        self.0.business_hours = Some(Schedule::new(zone, days, &owned(holidays)).map_err(Error::option)?);
        Ok(self)
    }

    pub(super) fn into_inner(self) -> sla::SlaOptions {
        self.0
    }
}
