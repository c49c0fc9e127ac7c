//! How many conversations began, by day, by hour of the day, or by channel.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::error::Error;
use super::timelines::{self, Choice, Grouping, Start};
use crate::mirror::{ResourceName, Store};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Day,
    /// Of the day, 00 to 23.
    Hour,
    Channel,
}

impl By {
    /// The name of the column.
    pub const fn column(self) -> &'static str {
        match self {
            By::Day => "day",
            By::Hour => "hour",
            By::Channel => "channel",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The day, hour or channel.
    #[serde(skip)]
    pub name: String,
    pub conversations: u64,
    pub started_by_contacts: u64,
    /// Begun by the team or a workflow, whether a contact answered or not.
    pub started_by_team: u64,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub by: By,
    /// When a conversation begins that the team began.
    pub start: Start,
    /// Epoch seconds.
    pub since: Option<i64>,
    /// Epoch seconds.
    pub until: Option<i64>,
    pub zone: TimeZone,
}

/// Counts; days and hours without any are there as well, with zero.
///
/// # Errors
/// [`Error::NothingSynced`], and when the store cannot be read.
pub fn volume(store: &Store, options: &Options) -> Result<Vec<Count>, Error> {
    let state = store.sync_state(ResourceName::Conversations)?;
    if state.is_none_or(|state| state.watermark.is_none()) && store.is_empty(ResourceName::Conversations)? {
        return Err(Error::NothingSynced { resource: ResourceName::Conversations });
    }
    let choice = Choice {
        grouping: Grouping::Channel,
        start: options.start,
        since: options.since,
        until: options.until,
        ids: false,
        spans: false,
    };
    let mut counts = BTreeMap::<String, Count>::new();
    if options.by == By::Hour {
        counts.extend((0..24).map(|hour| (format!("{hour:02}"), Count::default())));
    }
    let transaction = store.connection().unchecked_transaction()?;
    timelines::read(&transaction, &choice, |waiting| {
        let moment = waiting.began_at.and_then(|at| Timestamp::from_second(at).ok());
        let Some(moment) = moment else { return Ok(()) };
        let name = match options.by {
            By::Day => moment.to_zoned(options.zone.clone()).date().to_string(),
            By::Hour => format!("{:02}", moment.to_zoned(options.zone.clone()).hour()),
            By::Channel => waiting.group.unwrap_or("(none)").to_owned(),
        };
        let by_contact = waiting.marks.opened_by_contact();
        let count = counts.entry(name).or_default();
        count.conversations += 1;
        count.started_by_contacts += u64::from(by_contact);
        count.started_by_team += u64::from(!by_contact);
        Ok(())
    })?;
    if options.by == By::Day {
        fill(&mut counts);
    }
    let mut counts: Vec<Count> = counts.into_iter().map(|(name, count)| Count { name, ..count }).collect();
    if options.by == By::Channel {
        counts.sort_by_key(|count| std::cmp::Reverse(count.conversations));
    }
    Ok(counts)
}

/// Adds the days in between.
fn fill(counts: &mut BTreeMap<String, Count>) {
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
