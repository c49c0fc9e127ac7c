//! A cache of all timelines in the store.
//!
//! Triggers delete a row as soon as anything it was computed from changes; missing rows are computed while reading.
//! So a report is correct whatever is cached, and fast once [`refresh`] has stored everything. This must never be
//! the only copy of anything: the table can be emptied at any time.

mod conversation;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};
use serde::Serialize;

pub use conversation::{ConversationTimeline, parts};
use conversation::{Reader, put};

use super::error::Error;
use super::timeline::Span;
use crate::mirror::Store;
use crate::mirror::read::json_cell;

/// Conversations per transaction, so that other processes can write in between.
const BATCH: usize = 4000;

/// Properties of a conversation's current state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConversationFlags {
    pub closed: bool,
    pub snoozed: bool,
    pub opened_by_contact: bool,
    /// Whether the parts were ever fetched.
    pub has_parts: bool,
    /// Whether it has changed since its parts were fetched.
    pub stale: bool,
    pub truncated: bool,
    pub reopened: bool,
}

impl ConversationFlags {
    /// From the column `marks`, which has a bit for each.
    fn from_marks(marks: i64) -> Self {
        let [closed, snoozed, opened_by_contact, has_parts, stale, truncated, reopened] =
            std::array::from_fn(|bit| marks >> bit & 1 == 1);
        ConversationFlags { closed, snoozed, opened_by_contact, has_parts, stale, truncated, reopened }
    }

    fn marks(self) -> i64 {
        let ConversationFlags { closed, snoozed, opened_by_contact, has_parts, stale, truncated, reopened } =
            self;
        let bits = [closed, snoozed, opened_by_contact, has_parts, stale, truncated, reopened];
        bits.iter().rev().fold(0, |marks, is_set| marks << 1 | i64::from(*is_set))
    }
}

/// The column to group conversations by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    Team,
    Admin,
    Channel,
    /// No column of the table.
    #[default]
    None,
}

impl Grouping {
    fn column(self) -> &'static str {
        match self {
            Grouping::Team => "team_id",
            Grouping::Admin => "admin_id",
            Grouping::Channel => "channel",
            Grouping::None => "NULL",
        }
    }
}

/// The start of a conversation opened by the team or a workflow. One opened by a contact starts with its opening
/// message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    // When a contact first wrote, or when it was created as long as none has.
    #[default]
    FirstContact,
    // When it was created; for a campaign, when it was sent.
    Created,
}

impl Start {
    fn column(self) -> &'static str {
        match self {
            Start::FirstContact => "started_at",
            Start::Created => "created_at",
        }
    }
}

/// What to read. Reading less is faster.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimelineQuery {
    pub grouping: Grouping,
    pub start: Start,
    /// Started at or after this time, in epoch seconds.
    pub since: Option<i64>,
    /// Started before this time, in epoch seconds.
    pub until: Option<i64>,
    pub ids: bool,
    pub spans: bool,
}

/// The times of one conversation, in epoch seconds.
#[derive(Debug)]
pub struct ResponseTimes<'a> {
    /// Empty unless requested.
    pub id: &'a str,
    pub group: Option<&'a str>,
    pub began_at: Option<i64>,
    pub flags: ConversationFlags,
    pub first_contact_at: Option<i64>,
    pub first_response_at: Option<i64>,
    pub first_close_at: Option<i64>,
    pub last_close_at: Option<i64>,
    pub waiting_since: Option<i64>,
    /// Empty unless requested.
    pub spans: Spans,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Spans {
    pub next_responses: Vec<Span>,
    pub snoozes: Vec<Span>,
    pub handled: Vec<Span>,
}

/// Stores all missing timelines. Returns their number.
///
/// # Errors
/// If the database cannot be written, for example because it was opened read-only.
pub fn refresh(store: &Store) -> Result<u64, Error> {
    let connection = store.connection();
    let mut stored = 0;
    let mut after = String::new();
    while !is_complete(connection)? {
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let missing = missing(&transaction, &after)?;
        let Some(last) = missing.last() else { break };
        after.clone_from(last);
        let mut reader = Reader::new(&transaction)?;
        for id in &missing {
            if let Some(found) = reader.conversation(id)? {
                put(&transaction, &found)?;
                stored += 1;
            }
        }
        drop(reader);
        transaction.commit()?;
    }
    Ok(stored)
}

/// Whether all timelines are stored.
///
/// # Errors
/// If the database cannot be read.
pub fn is_stored(store: &Store) -> Result<bool, Error> {
    is_complete(store.connection())
}

/// Stores all missing timelines through another connection, because this one may only read. If they cannot be written,
/// reports compute them, which is slower.
///
/// # Errors
/// If the database cannot be read.
pub fn prepare(store: &Store) -> Result<(), Error> {
    if is_stored(store)? {
        return Ok(());
    }
    if let Ok(writable) = Store::open(store.path()) {
        // Fails if another process is writing, or the file is read-only.
        let _ = refresh(&writable);
    }
    Ok(())
}

/// Calls `each` for every conversation that matches the query.
///
/// # Errors
/// If the database cannot be read.
pub fn read(
    connection: &Connection,
    query: &TimelineQuery,
    mut each: impl FnMut(&ResponseTimes<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let start = query.start.column();
    let sql = format!(
        "SELECT {}, {}, {start}, marks, first_contact_at, first_response_at, first_close_at, last_close_at,
                waiting_since{}
         FROM conversation_timelines{}",
        if query.ids { "conversation_id" } else { "''" },
        query.grouping.column(),
        if query.spans { ", next_responses, snoozes, handled" } else { "" },
        match (query.since, query.until) {
            (None, None) => String::new(),
            _ => format!(" WHERE {start} >= ?1 AND {start} < ?2"),
        }
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = [query.since.unwrap_or(i64::MIN), query.until.unwrap_or(i64::MAX)];
    let bounds = &bounds[..statement.parameter_count()];
    let mut rows = statement.query(rusqlite::params_from_iter(bounds))?;
    while let Some(row) = rows.next()? {
        each(&response_times(row, query.spans)?)?;
    }
    drop(rows);
    if is_complete(connection)? {
        return Ok(());
    }
    let mut reader = Reader::new(connection)?;
    let mut after = String::new();
    loop {
        let missing = missing(connection, &after)?;
        let Some(last) = missing.last() else { return Ok(()) };
        after.clone_from(last);
        for id in &missing {
            let Some(found) = reader.conversation(id)? else { continue };
            let is_unbounded = query.since.is_none() && query.until.is_none();
            if is_unbounded || is_within(found.began_at(query.start), query.since, query.until) {
                each(&found.response_times(query))?;
            }
        }
    }
}

/// Whether a moment is known, and in a period whose end is exclusive. All are epoch seconds.
pub(super) fn is_within(at: Option<i64>, since: Option<i64>, until: Option<i64>) -> bool {
    at.is_some_and(|at| since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until))
}

/// One conversation; `None` if the mirror does not have it.
///
/// # Errors
/// If the database cannot be read.
pub fn conversation(connection: &Connection, id: &str) -> Result<Option<ConversationTimeline>, Error> {
    Reader::new(connection)?.conversation(id)
}

/// Comparing counts is enough, because triggers delete the row of a deleted conversation.
fn is_complete(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT (SELECT count(*) FROM conversation_timelines) = (SELECT count(*) FROM conversations)";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn missing(connection: &Connection, after: &str) -> Result<Vec<String>, Error> {
    let sql = "SELECT id FROM conversations AS c WHERE id > ?1 AND NOT EXISTS
                   (SELECT 1 FROM conversation_timelines AS t WHERE t.conversation_id = c.id)
               ORDER BY id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map((after, BATCH as i64), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn response_times<'a>(row: &'a Row<'_>, spans: bool) -> Result<ResponseTimes<'a>, Error> {
    let text = |at: usize| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let moment = |at: usize| {
        Ok::<_, rusqlite::Error>(match row.get_ref(at)? {
            ValueRef::Integer(moment) => Some(moment),
            _ => None,
        })
    };
    let list = |at: usize| json_cell::<Vec<Span>>(row.get_ref(at)?);
    Ok(ResponseTimes {
        id: text(0)?.unwrap_or_default(),
        group: text(1)?,
        began_at: moment(2)?,
        flags: ConversationFlags::from_marks(moment(3)?.unwrap_or(0)),
        first_contact_at: moment(4)?,
        first_response_at: moment(5)?,
        first_close_at: moment(6)?,
        last_close_at: moment(7)?,
        waiting_since: moment(8)?,
        spans: if spans {
            Spans { next_responses: list(9)?, snoozes: list(10)?, handled: list(11)? }
        } else {
            Spans::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_keep_their_bits() {
        assert_eq!(ConversationFlags { closed: true, ..ConversationFlags::default() }.marks(), 1);
        assert_eq!(ConversationFlags { reopened: true, ..ConversationFlags::default() }.marks(), 64);
        for marks in 0..128 {
            assert_eq!(ConversationFlags::from_marks(marks).marks(), marks);
        }
    }
}
