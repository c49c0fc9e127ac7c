//! The distribution of response times, and their figures per week.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::figures::{Figures, GroupTotals, Sample};
use super::options::{Metric, SlaOptions};
use crate::report::timeline_cache::ResponseTimes;
use crate::report::week;

/// In seconds.
const WEEK: i64 = 7 * 86_400;

/// Upper bounds of the bins, in seconds. The last bin has no upper bound.
const BINS: [i64; 11] =
    [60, 5 * 60, 15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 86_400, 3 * 86_400, WEEK];

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The bins of each metric.
    pub distributions: Vec<(Metric, Vec<Bin>)>,
    pub weeks: Vec<Week>,
}

/// The samples of at most `up_to` seconds that are not in the bin before; `None` for the last bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    pub up_to: Option<i64>,
    pub count: u64,
}

/// The conversations of one ISO week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Week {
    /// For example `2026-W20`.
    pub week: String,
    /// Whether the period or the data covers only part of the week.
    pub partial: bool,
    pub figures: Figures,
}

pub(super) struct DistributionBuilder {
    zone: TimeZone,
    /// Keyed by the start of the week, with its end, in epoch seconds.
    weeks: BTreeMap<i64, (i64, GroupTotals)>,
    /// The earliest time of all conversations, in epoch seconds.
    earliest: Option<i64>,
    /// The last week used. Conversations come mostly in order of time, so it is often the same.
    latest: Option<(i64, i64)>,
}

impl DistributionBuilder {
    pub fn new(zone: TimeZone) -> Self {
        DistributionBuilder { zone, weeks: BTreeMap::new(), earliest: None, latest: None }
    }

    pub fn add(&mut self, at: Option<i64>, times: &ResponseTimes<'_>, sample: &Sample, options: &SlaOptions) {
        let Some((at, (monday, end))) = at.and_then(|at| Some((at, self.week(at)?))) else { return };
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        self.weeks
            .entry(monday)
            .or_insert_with(|| (end, GroupTotals::default()))
            .1
            .add(times, sample, options);
    }

    /// The start and the end of the week of a moment, in epoch seconds.
    fn week(&mut self, at: i64) -> Option<(i64, i64)> {
        if let Some((start, end)) = self.latest
            && (start..end).contains(&at)
        {
            return Some((start, end));
        }
        let week = week::around(at, &self.zone)?;
        self.latest = Some(week);
        Some(week)
    }

    /// `as_of` is the end of the data, in epoch seconds.
    pub fn finish(self, total: &GroupTotals, options: &SlaOptions, as_of: i64) -> Distribution {
        let distribution = |metric: &Metric| (*metric, bins(total.seconds(*metric)));
        let zone = self.zone;
        let from = options.since.or(self.earliest).unwrap_or(i64::MIN);
        let to = options.until.unwrap_or(i64::MAX).min(as_of);
        let week = |(monday, (end, mut group)): (i64, (i64, GroupTotals))| Week {
            week: week::name(monday, &zone),
            partial: monday < from || end > to,
            figures: group.figures(options),
        };
        Distribution {
            distributions: options.metrics.iter().map(distribution).collect(),
            weeks: self.weeks.into_iter().map(week).collect(),
        }
    }
}

fn bins(seconds: &[i64]) -> Vec<Bin> {
    let mut counts = [0; BINS.len() + 1];
    for second in seconds {
        counts[BINS.partition_point(|end| end < second)] += 1;
    }
    let ends = BINS.iter().copied().map(Some).chain([None]);
    ends.zip(counts).map(|(up_to, count)| Bin { up_to, count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_bound_belongs_to_its_bin() {
        let found = bins(&[0, 60, 61, 300, 8 * 86_400]);
        let counts: Vec<u64> = found.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }
}
