//! Counts new conversations by day, hour of the day or channel.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::error::Error;
use super::timeline_cache::{self, Grouping, Start, TimelineQuery};
use crate::mirror::{ResourceName, Store};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeGroup {
    Day,
    /// Of the day, 00 to 23.
    Hour,
    Channel,
}

impl VolumeGroup {
    /// The name of the column.
    pub const fn column(self) -> &'static str {
        match self {
            VolumeGroup::Day => "day",
            VolumeGroup::Hour => "hour",
            VolumeGroup::Channel => "channel",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VolumeCount {
    /// The day, hour or channel.
    #[serde(skip)]
    pub name: String,
    pub conversations: u64,
    pub started_by_contacts: u64,
    /// Started by the team or a workflow, whether or not a contact answered.
    pub started_by_team: u64,
}

#[derive(Debug, Clone)]
pub struct VolumeOptions {
    pub by: VolumeGroup,
    /// The start of a conversation that the team started.
    pub start: Start,
    /// Epoch seconds.
    pub since: Option<i64>,
    /// Epoch seconds.
    pub until: Option<i64>,
    pub zone: TimeZone,
}

/// The counts, including zeros for days and hours without conversations.
///
/// # Errors
/// [`Error::NothingSynced`], and if the store cannot be read.
pub fn volume(store: &Store, options: &VolumeOptions) -> Result<Vec<VolumeCount>, Error> {
    let state = store.sync_state(ResourceName::Conversations)?;
    if state.is_none_or(|state| state.watermark.is_none()) && store.is_empty(ResourceName::Conversations)? {
        return Err(Error::NothingSynced { resource: ResourceName::Conversations });
    }
    let query = TimelineQuery {
        grouping: Grouping::Channel,
        start: options.start,
        since: options.since,
        until: options.until,
        ids: false,
        spans: false,
    };
    let mut counts = BTreeMap::<String, VolumeCount>::new();
    if options.by == VolumeGroup::Hour {
        counts.extend((0..24).map(|hour| (format!("{hour:02}"), VolumeCount::default())));
    }
    let transaction = store.connection().unchecked_transaction()?;
    timeline_cache::read(&transaction, &query, |times| {
        let moment = times.began_at.and_then(|at| Timestamp::from_second(at).ok());
        let Some(moment) = moment else { return Ok(()) };
        let name = match options.by {
            VolumeGroup::Day => moment.to_zoned(options.zone.clone()).date().to_string(),
            VolumeGroup::Hour => format!("{:02}", moment.to_zoned(options.zone.clone()).hour()),
            VolumeGroup::Channel => times.group.unwrap_or("(none)").to_owned(),
        };
        let by_contact = times.flags.opened_by_contact();
        let count = counts.entry(name).or_default();
        count.conversations += 1;
        count.started_by_contacts += u64::from(by_contact);
        count.started_by_team += u64::from(!by_contact);
        Ok(())
    })?;
    if options.by == VolumeGroup::Day {
        fill_gaps(&mut counts);
    }
    let mut counts: Vec<VolumeCount> =
        counts.into_iter().map(|(name, count)| VolumeCount { name, ..count }).collect();
    if options.by == VolumeGroup::Channel {
        counts.sort_by_key(|count| std::cmp::Reverse(count.conversations));
    }
    Ok(counts)
}

/// Adds zeros for the days in between.
fn fill_gaps(counts: &mut BTreeMap<String, VolumeCount>) {
    let date = |name: Option<&String>| name.and_then(|name| name.parse::<Date>().ok());
    let (Some(mut day), Some(last)) = (date(counts.keys().next()), date(counts.keys().next_back())) else {
        return;
    };
    while day < last {
        counts.entry(day.to_string()).or_default();
        let Ok(next) = day.checked_add(1.day()) else { return };
        day = next;
    }
}
