//! Counts new conversations by day, hour of the day or channel.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::error::{Error, require_synced};
use super::timeline_cache::{self, Grouping, Start, TimelineQuery};
use crate::mirror::{ResourceName, Store};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum VolumeGroup {
    #[default]
    Day,
    // Of the day, 00 to 23.
    Hour,
    Channel,
}

impl VolumeGroup {
    /// The name of the column.
    const fn column(self) -> &'static str {
        match self {
            VolumeGroup::Day => "day",
            VolumeGroup::Hour => "hour",
            VolumeGroup::Channel => "channel",
        }
    }
}

/// The conversations of one day, hour or channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeCount {
    pub by: VolumeGroup,
    /// The day, hour or channel.
    pub name: String,
    pub conversations: u64,
    pub started_by_contacts: u64,
    /// Started by the team or a workflow, whether or not a contact answered.
    pub started_by_team: u64,
}

/// The name is in a column named after the group.
impl Serialize for VolumeCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serializer.serialize_map(None)?;
        columns.serialize_entry(self.by.column(), &self.name)?;
        columns.serialize_entry("conversations", &self.conversations)?;
        columns.serialize_entry("started_by_contacts", &self.started_by_contacts)?;
        columns.serialize_entry("started_by_team", &self.started_by_team)?;
        columns.end()
    }
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
    require_synced(store, ResourceName::Conversations)?;
    let VolumeOptions { start, since, until, .. } = *options;
    let query =
        TimelineQuery { grouping: Grouping::Channel, start, since, until, ..TimelineQuery::default() };
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
        let by_contact = times.flags.opened_by_contact;
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
        counts.into_iter().map(|(name, count)| VolumeCount { by: options.by, name, ..count }).collect();
    if options.by == VolumeGroup::Channel {
        counts.sort_by_key(|count| std::cmp::Reverse(count.conversations));
    }
    Ok(counts)
}

/// Adds zeros for the days in between.
fn fill_gaps(counts: &mut BTreeMap<String, VolumeCount>) {
    let date = |name: Option<&String>| name.and_then(|name| name.parse::<Date>().ok());
    let (Some(first), Some(last)) = (date(counts.keys().next()), date(counts.keys().next_back())) else {
        return;
    };
    for day in first.series(1.day()).take_while(|day| *day < last) {
        counts.entry(day.to_string()).or_default();
    }
}
