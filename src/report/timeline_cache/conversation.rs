//! Computes the timeline of one conversation from its parts, and stores it.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};
use serde_json::json;

use super::{ConversationFlags, Grouping, ResponseTimes, Spans, Start, TimelineQuery};
use crate::report::error::Error;
use crate::report::timeline::{PartKind, Span, Speaker, State, Timeline, TimelinePart};

/// A conversation with its timeline.
#[derive(Debug)]
pub struct ConversationTimeline {
    pub id: String,
    /// Epoch seconds.
    pub created_at: Option<i64>,
    pub flags: ConversationFlags,
    pub opened_by: Speaker,
    pub team: Option<String>,
    pub admin: Option<String>,
    pub channel: Option<String>,
    pub timeline: Timeline,
}

impl ConversationTimeline {
    /// The start for the customer; see [`Start::FirstContact`].
    fn started_at(&self) -> Option<i64> {
        self.timeline.first_contact_at.or(self.created_at)
    }

    /// The start by this definition.
    pub fn began_at(&self, start: Start) -> Option<i64> {
        match start {
            Start::FirstContact => self.started_at(),
            Start::Created => self.created_at,
        }
    }

    pub fn response_times(&self, query: &TimelineQuery) -> ResponseTimes<'_> {
        let timeline = &self.timeline;
        ResponseTimes {
            id: &self.id,
            group: match query.grouping {
                Grouping::Team => self.team.as_deref(),
                Grouping::Admin => self.admin.as_deref(),
                Grouping::Channel => self.channel.as_deref(),
                Grouping::None => None,
            },
            began_at: self.began_at(query.start),
            flags: self.flags,
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

// A part without `created_at` counts from its last change. Callers sort by time; the order by id here decides
// between parts of the same second. Columns outside the index are read only where needed.
const PARTS: &str = "SELECT part_type, written_by, has_text, state,
        CASE WHEN created_at IS NULL THEN updated_at ELSE created_at END,
        CASE WHEN part_type LIKE '%assign%' THEN assigned_type END,
        CASE WHEN part_type LIKE '%assign%' THEN assigned_id IS NOT NULL END
    FROM conversation_parts WHERE conversation_id = ?1
    ORDER BY length(id), id";

const CONVERSATION: &str = "
    SELECT c.created_at, c.state, c.open, c.source_written_by, c.team_assignee_id, c.admin_assignee_id,
           c.source_type, s.conversation_id IS NOT NULL,
           s.updated_at IS NOT c.updated_at, coalesce(s.truncated, 0)
    FROM conversations c LEFT JOIN conversation_parts_state s ON s.conversation_id = c.id
    WHERE c.id = ?1";

pub(super) struct Reader<'c> {
    conversation: CachedStatement<'c>,
    parts: CachedStatement<'c>,
}

impl<'c> Reader<'c> {
    pub fn new(connection: &'c Connection) -> Result<Self, Error> {
        Ok(Reader {
            conversation: connection.prepare_cached(CONVERSATION)?,
            parts: connection.prepare_cached(PARTS)?,
        })
    }

    pub fn conversation(&mut self, id: &str) -> Result<Option<ConversationTimeline>, Error> {
        let Some((mut conversation, state, open)) =
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
        let mut timeline = Timeline::opened(conversation.opened_by, conversation.created_at);
        parts.iter().for_each(|part| timeline.add(part));
        let closed = match (state, open) {
            (Some(state), _) => state == State::Closed,
            (None, Some(open)) => !open,
            (None, None) => timeline.closed,
        };
        let snoozed = state.map_or(!closed && timeline.snoozed(), |state| state == State::Snoozed);
        conversation.flags = ConversationFlags {
            closed,
            snoozed,
            reopened: timeline.reopened > 0,
            opened_by_contact: conversation.opened_by == Speaker::Contact,
            ..conversation.flags
        };
        conversation.timeline = timeline;
        Ok(Some(conversation))
    }
}

/// The conversation without its parts, and its `state` and `open` columns.
fn head(row: &Row<'_>, id: &str) -> rusqlite::Result<(ConversationTimeline, Option<State>, Option<bool>)> {
    let text = |at: usize| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let has_parts: bool = row.get(7)?;
    let (stale, truncated) = (has_parts && row.get(8)?, row.get(9)?);
    let conversation = ConversationTimeline {
        id: id.to_owned(),
        created_at: row.get(0)?,
        flags: ConversationFlags { has_parts, stale, truncated, ..ConversationFlags::default() },
        opened_by: Speaker::of(text(3)?),
        team: row.get(4)?,
        admin: row.get(5)?,
        channel: row.get(6)?,
        timeline: Timeline::default(),
    };
    Ok((conversation, State::of(text(1)?), row.get(2)?))
}

/// A part from [`PARTS`], whose columns start at `from`; `None` if its time is unknown.
fn part(row: &Row<'_>, from: usize) -> Result<Option<TimelinePart>, Error> {
    let text = |at: usize| row.get_ref(from + at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let Some(at) = row.get(from + 4)? else { return Ok(None) };
    let has_assignee = row.get::<_, Option<bool>>(from + 6)?;
    let assigns = match text(5)? {
        Some("admin") => has_assignee,
        Some(kind) if kind.starts_with("nobody") && kind != "nobody_team" => Some(false),
        _ => None,
    };
    let part_type = text(0)?.unwrap_or_default();
    Ok(Some(TimelinePart {
        kind: PartKind::of(part_type),
        by: Speaker::of(text(1)?),
        // The other side cannot read the text of a note.
        has_text: row.get::<_, bool>(from + 2)? && part_type != "note_and_reopen",
        state: State::of(text(3)?),
        assigns,
        at,
    }))
}

pub(super) fn put(connection: &Connection, conversation: &ConversationTimeline) -> Result<(), Error> {
    let timeline = &conversation.timeline;
    let spans = |spans: &[Span]| (!spans.is_empty()).then(|| json!(spans).to_string());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO conversation_timelines
                 (conversation_id, created_at, started_at, first_contact_at, first_response_at, first_close_at,
                  last_close_at, waiting_since, marks, team_id, admin_id, channel, next_responses, snoozes, handled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(rusqlite::params![
            conversation.id,
            conversation.created_at,
            conversation.started_at(),
            timeline.first_contact_at,
            timeline.first_response_at,
            timeline.first_close_at,
            timeline.last_close_at,
            timeline.waiting_since,
            conversation.flags.marks(),
            conversation.team,
            conversation.admin,
            conversation.channel,
            spans(&timeline.next_responses),
            spans(&timeline.snoozes),
            spans(&timeline.handled),
        ])?;
    Ok(())
}

/// The parts of one conversation in order of time, with their ids.
///
/// # Errors
/// If the database cannot be read.
pub fn parts(connection: &Connection, id: &str) -> Result<Vec<(String, TimelinePart)>, Error> {
    let mut statement = connection.prepare_cached(&PARTS.replace("SELECT ", "SELECT id, "))?;
    let mut parts = Vec::new();
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        if let Some(part) = part(row, 1)? {
            parts.push((row.get(0)?, part));
        }
    }
    parts.sort_by_key(|(_, part)| part.at);
    Ok(parts)
}
