//! The timelines of all conversations, kept in the store once they are worked out.
//!
//! Triggers remove a row as soon as anything it was made from changes; what has no row is worked out while
//! reading. So a report is right whatever is stored, and fast once [`refresh`] has stored everything. This
//! must never be the only copy of anything: the table can be emptied at any time.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, TransactionBehavior};

use super::error::Error;
use super::timeline::{Kind, Part, Span, Speaker, State, Timeline};
use crate::mirror::Store;

/// Conversations worked out in one transaction: others can write in between.
const BATCH: usize = 4000;

/// What is true of a conversation as it is now; the bits of the column `marks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks(i64);

impl Marks {
    const CLOSED: i64 = 1;
    const SNOOZED: i64 = 2;
    const OPENED_BY_CONTACT: i64 = 4;
    const HAS_PARTS: i64 = 8;
    const STALE: i64 = 16;
    const TRUNCATED: i64 = 32;
    const REOPENED: i64 = 64;

    fn has(self, mark: i64) -> bool {
        self.0 & mark != 0
    }

    pub fn closed(self) -> bool {
        self.has(Marks::CLOSED)
    }

    pub fn snoozed(self) -> bool {
        self.has(Marks::SNOOZED)
    }

    pub fn opened_by_contact(self) -> bool {
        self.has(Marks::OPENED_BY_CONTACT)
    }

    /// Whether the parts were ever fetched.
    pub fn has_parts(self) -> bool {
        self.has(Marks::HAS_PARTS)
    }

    /// Whether it has changed since.
    pub fn stale(self) -> bool {
        self.has(Marks::STALE)
    }

    pub fn truncated(self) -> bool {
        self.has(Marks::TRUNCATED)
    }

    pub fn reopened(self) -> bool {
        self.has(Marks::REOPENED)
    }
}

/// A column by which conversations are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    Team,
    Admin,
    Channel,
    /// By nothing that stands in the row.
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

/// What to read. The less, the faster.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub grouping: Grouping,
    /// Created at or after this moment, epoch seconds.
    pub since: Option<i64>,
    /// Created before this moment, epoch seconds.
    pub until: Option<i64>,
    pub ids: bool,
    pub spans: bool,
}

/// A conversation as reports see it. Moments are epoch seconds.
#[derive(Debug)]
pub struct Waiting<'a> {
    /// Empty unless asked for.
    pub id: &'a str,
    pub group: Option<&'a str>,
    pub created_at: Option<i64>,
    pub marks: Marks,
    pub first_contact_at: Option<i64>,
    pub first_response_at: Option<i64>,
    pub first_close_at: Option<i64>,
    pub last_close_at: Option<i64>,
    pub waiting_since: Option<i64>,
    /// Empty unless asked for.
    pub spans: Spans,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Spans {
    pub next_responses: Vec<Span>,
    pub snoozes: Vec<Span>,
    pub handled: Vec<Span>,
}

/// Stores the timelines that are missing. Returns how many.
///
/// # Errors
/// When the database refuses, e.g. because it was opened for reading.
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
/// When the database cannot be read.
pub fn is_stored(store: &Store) -> Result<bool, Error> {
    is_complete(store.connection())
}

/// Calls `each` with every conversation of the choice.
///
/// # Errors
/// When the database cannot be read.
pub fn read(
    connection: &Connection,
    choice: &Choice,
    mut each: impl FnMut(&Waiting<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT {}, {}, created_at, marks, first_contact_at, first_response_at, first_close_at, last_close_at,
                waiting_since{}
         FROM conversation_timelines{}",
        if choice.ids { "conversation_id" } else { "''" },
        choice.grouping.column(),
        if choice.spans { ", next_responses, snoozes, handled" } else { "" },
        match (choice.since, choice.until) {
            (None, None) => "",
            _ => " WHERE created_at >= ?1 AND created_at < ?2",
        }
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bounds = [choice.since.unwrap_or(i64::MIN), choice.until.unwrap_or(i64::MAX)];
    let bounds = &bounds[..statement.parameter_count()];
    let mut rows = statement.query(rusqlite::params_from_iter(bounds))?;
    while let Some(row) = rows.next()? {
        each(&waiting(row, choice.spans)?)?;
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
            if (choice.since.is_some() || choice.until.is_some())
                && !found.created_at.is_some_and(|at| {
                    choice.since.is_none_or(|since| at >= since)
                        && choice.until.is_none_or(|until| at < until)
                })
            {
                continue;
            }
            each(&found.waiting(choice))?;
        }
    }
}

/// The parts of one conversation in order, with their ids, and the conversation itself.
///
/// # Errors
/// When the database cannot be read.
pub fn parts(connection: &Connection, id: &str) -> Result<Vec<(String, Part)>, Error> {
    let mut statement = connection.prepare_cached(&PARTS.replace("SELECT ", "SELECT id, "))?;
    let mut found = Vec::new();
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        if let Some(part) = part(row, 1)? {
            found.push((row.get(0)?, part));
        }
    }
    found.sort_by_key(|(_, part)| part.at);
    Ok(found)
}

/// One conversation; `None` when there is no such.
///
/// # Errors
/// When the database cannot be read.
pub fn one(connection: &Connection, id: &str) -> Result<Option<Conversation>, Error> {
    Reader::new(connection)?.conversation(id)
}

/// As many rows as conversations: rows without a conversation are removed with it.
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

fn waiting<'a>(row: &'a Row<'_>, spans: bool) -> Result<Waiting<'a>, Error> {
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
    Ok(Waiting {
        id: text(0)?.unwrap_or_default(),
        group: text(1)?,
        created_at: moment(2)?,
        marks: Marks(moment(3)?.unwrap_or(0)),
        first_contact_at: moment(4)?,
        first_response_at: moment(5)?,
        first_close_at: moment(6)?,
        last_close_at: moment(7)?,
        waiting_since: moment(8)?,
        spans: match spans {
            true => Spans { next_responses: list(9)?, snoozes: list(10)?, handled: list(11)? },
            false => Spans::default(),
        },
    })
}

/// A conversation, worked out.
#[derive(Debug)]
pub struct Conversation {
    pub id: String,
    /// Epoch seconds.
    pub created_at: Option<i64>,
    pub marks: Marks,
    pub opened_by: Speaker,
    pub team: Option<String>,
    pub admin: Option<String>,
    pub channel: Option<String>,
    pub timeline: Timeline,
}

impl Conversation {
    pub fn waiting(&self, choice: &Choice) -> Waiting<'_> {
        let timeline = &self.timeline;
        Waiting {
            id: &self.id,
            group: match choice.grouping {
                Grouping::Team => self.team.as_deref(),
                Grouping::Admin => self.admin.as_deref(),
                Grouping::Channel => self.channel.as_deref(),
                Grouping::None => None,
            },
            created_at: self.created_at,
            marks: self.marks,
            first_contact_at: timeline.first_contact_at,
            first_response_at: timeline.first_response_at,
            first_close_at: timeline.first_close_at,
            last_close_at: timeline.last_close_at,
            waiting_since: timeline.waiting_since,
            spans: Spans {
                next_responses: timeline.next_responses.clone(),
                snoozes: timeline.snoozes.clone(),
                handled: timeline.handled.clone(),
            },
        }
    }
}

// A part that does not tell when it was made was made when it last changed. The columns outside the index
// are looked up only where they are needed.
const PARTS: &str = "SELECT part_type, author_type, from_ai_agent, has_text, state,
        CASE WHEN created_at IS NULL THEN updated_at ELSE created_at END,
        CASE WHEN part_type LIKE '%assign%' THEN assigned_type END,
        CASE WHEN part_type LIKE '%assign%' THEN assigned_id IS NOT NULL END
    FROM conversation_parts WHERE conversation_id = ?1
    ORDER BY created_at, length(id), id";

const CONVERSATION: &str = "
    SELECT c.created_at, c.state, c.open, c.source_author_type, c.source_delivered_as, c.team_assignee_id,
           c.admin_assignee_id, c.source_type, s.conversation_id IS NOT NULL,
           s.updated_at IS NOT c.updated_at, coalesce(s.truncated, 0)
    FROM conversations c LEFT JOIN conversation_parts_state s ON s.conversation_id = c.id
    WHERE c.id = ?1";

struct Reader<'c> {
    conversation: CachedStatement<'c>,
    parts: CachedStatement<'c>,
}

impl<'c> Reader<'c> {
    fn new(connection: &'c Connection) -> Result<Self, Error> {
        Ok(Reader {
            conversation: connection.prepare_cached(CONVERSATION)?,
            parts: connection.prepare_cached(PARTS)?,
        })
    }

    fn conversation(&mut self, id: &str) -> Result<Option<Conversation>, Error> {
        let Some((mut found, state, open)) =
            self.conversation.query_row([id], |row| head(row, id)).optional()?
        else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        let mut rows = self.parts.query([id])?;
        while let Some(row) = rows.next()? {
            parts.extend(part(row, 0)?);
        }
        parts.sort_by_key(|part| part.at);
        let mut timeline = Timeline::opened(found.opened_by, found.created_at);
        parts.iter().for_each(|part| timeline.add(part));
        let closed = match (state, open) {
            (Some(state), _) => state == State::Closed,
            (None, Some(open)) => !open,
            (None, None) => timeline.closed,
        };
        let snoozed = state.map_or(!closed && timeline.snoozed(), |state| state == State::Snoozed);
        for (mark, is) in [
            (Marks::CLOSED, closed),
            (Marks::SNOOZED, snoozed),
            (Marks::REOPENED, timeline.reopened > 0),
            (Marks::OPENED_BY_CONTACT, found.opened_by == Speaker::Contact),
        ] {
            found.marks.0 |= if is { mark } else { 0 };
        }
        found.timeline = timeline;
        Ok(Some(found))
    }
}

fn head(row: &Row<'_>, id: &str) -> rusqlite::Result<(Conversation, Option<State>, Option<bool>)> {
    let text = |at: usize| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let mark = |at: usize, mark| Ok::<_, rusqlite::Error>(if row.get(at)? { mark } else { 0 });
    let has_parts = mark(8, Marks::HAS_PARTS)?;
    let stale = if has_parts == 0 { 0 } else { mark(9, Marks::STALE)? };
    let conversation = Conversation {
        id: id.to_owned(),
        created_at: row.get(0)?,
        marks: Marks(has_parts | stale | mark(10, Marks::TRUNCATED)?),
        opened_by: Speaker::of_opening(text(3)?, text(4)?),
        team: row.get(5)?,
        admin: row.get(6)?,
        channel: row.get(7)?,
        timeline: Timeline::default(),
    };
    Ok((conversation, State::of(text(1)?), row.get(2)?))
}

/// A part of [`PARTS`], whose columns begin at `from`; `None` when nobody knows when it was.
fn part(row: &Row<'_>, from: usize) -> Result<Option<Part>, Error> {
    let text = |at: usize| row.get_ref(from + at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let Some(at) = row.get(from + 5)? else { return Ok(None) };
    let given = row.get::<_, Option<bool>>(from + 7)?;
    let gives = match text(6)? {
        Some("admin") => given,
        Some(kind) if kind.starts_with("nobody") && kind != "nobody_team" => Some(false),
        _ => None,
    };
    Ok(Some(Part {
        kind: Kind::of(text(0)?.unwrap_or_default()),
        by: Speaker::of(text(1)?, row.get(from + 2)?),
        has_text: row.get(from + 3)?,
        state: State::of(text(4)?),
        gives,
        at,
    }))
}

fn put(connection: &Connection, found: &Conversation) -> Result<(), Error> {
    let timeline = &found.timeline;
    let spans =
        |spans: &[Span]| (!spans.is_empty()).then(|| serde_json::to_string(spans).unwrap_or_default());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO conversation_timelines
                 (conversation_id, created_at, first_contact_at, first_response_at, first_close_at, last_close_at,
                  waiting_since, marks, team_id, admin_id, channel, next_responses, snoozes, handled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(rusqlite::params![
            found.id,
            found.created_at,
            timeline.first_contact_at,
            timeline.first_response_at,
            timeline.first_close_at,
            timeline.last_close_at,
            timeline.waiting_since,
            found.marks.0,
            found.team,
            found.admin,
            found.channel,
            spans(&timeline.next_responses),
            spans(&timeline.snoozes),
            spans(&timeline.handled),
        ])?;
    Ok(())
}
