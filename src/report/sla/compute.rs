//! Computes the report.

use std::collections::HashMap;

use super::distribution::DistributionBuilder;
use super::figures::{GroupTotals, Sample};
use super::groups::{GroupBy, GroupNames, Membership};
use super::options::{PeriodAnchor, Resolution, SlaOptions};
use super::rows::SlaRow;
use super::sla_report::{MissingData, SlaReport};
use crate::mirror::Store;
use crate::report::business_hours::SlaClock;
use crate::report::error::Error;
use crate::report::timeline_cache::{self, ResponseTimes, TimelineQuery, is_within};

/// Computes the report.
///
/// # Errors
/// [`Error::NothingSynced`] if conversations or their parts were never synced, and if the store cannot be read.
pub fn sla(store: &Store, options: &SlaOptions) -> Result<SlaReport, Error> {
    // Use one transaction, so that a concurrent sync is not half visible.
    let transaction = store.connection().unchecked_transaction()?;
    let mut missing = MissingData::read(store, options.since)?;
    let as_of = missing.as_of();
    let mut counter = SlaCounter::new(options, as_of);
    let mut membership = Membership::new(&transaction, options.group_by)?;
    timeline_cache::read(&transaction, &query(options), |times| {
        if !times.flags.has_parts {
            let in_period = options.until.is_none() || is_within(times.began_at, None, options.until);
            missing.without_parts += u64::from(in_period);
            return Ok(());
        }
        if !is_in_period(times, options) {
            return Ok(());
        }
        missing.stale_parts += u64::from(times.flags.stale);
        counter.add(times, &mut membership)
    })?;
    let names = GroupNames::read(&transaction, options.group_by)?;
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
    is_within(moment(times, options), options.since, options.until)
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
            distribution: options.distribution.then(|| DistributionBuilder::new(options.zone.clone())),
        }
    }

    fn add(&mut self, times: &ResponseTimes<'_>, membership: &mut Membership<'_>) -> Result<(), Error> {
        if times.first_contact_at.is_none() && !times.flags.opened_by_contact {
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
