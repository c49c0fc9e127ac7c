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

/// Conversations per transaction, so that other processes can write in between.
const BATCH: usize = 4000;

/// Properties of a conversation's current state: the bits of the column `marks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationFlags(i64);

impl ConversationFlags {
    const CLOSED: i64 = 1;
    const SNOOZED: i64 = 2;
    const OPENED_BY_CONTACT: i64 = 4;
    const HAS_PARTS: i64 = 8;
    const STALE: i64 = 16;
    const TRUNCATED: i64 = 32;
    const REOPENED: i64 = 64;

    fn has(self, flag: i64) -> bool {
        self.0 & flag != 0
    }

    pub fn closed(self) -> bool {
        self.has(ConversationFlags::CLOSED)
    }

    pub fn snoozed(self) -> bool {
        self.has(ConversationFlags::SNOOZED)
    }

    pub fn opened_by_contact(self) -> bool {
        self.has(ConversationFlags::OPENED_BY_CONTACT)
    }

    /// Whether the parts were ever fetched.
    pub fn has_parts(self) -> bool {
        self.has(ConversationFlags::HAS_PARTS)
    }

    /// Whether it has changed since its parts were fetched.
    pub fn stale(self) -> bool {
        self.has(ConversationFlags::STALE)
    }

    pub fn truncated(self) -> bool {
        self.has(ConversationFlags::TRUNCATED)
    }

    pub fn reopened(self) -> bool {
        self.has(ConversationFlags::REOPENED)
    }
}

/// The column to group conversations by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    Team,
    Admin,
    Channel,
    /// No column of the table.
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
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// When a contact first wrote, or when it was created as long as none has.
    #[default]
    FirstContact,
    /// When it was created; for a campaign, when it was sent.
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
#[derive(Debug, Clone, Copy)]
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
            if (query.since.is_some() || query.until.is_some())
                && !found.began_at(query.start).is_some_and(|at| {
                    query.since.is_none_or(|since| at >= since) && query.until.is_none_or(|until| at < until)
                })
            {
                continue;
            }
            each(&found.response_times(query))?;
        }
    }
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
    let list = |at: usize| {
        let spans = text(at)?.and_then(|text| serde_json::from_str::<Vec<Span>>(text).ok());
        Ok::<_, rusqlite::Error>(spans.unwrap_or_default())
    };
    Ok(ResponseTimes {
        id: text(0)?.unwrap_or_default(),
        group: text(1)?,
        began_at: moment(2)?,
        flags: ConversationFlags(moment(3)?.unwrap_or(0)),
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
