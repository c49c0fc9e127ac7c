//! The report beside what the service says itself.
//!
//! Only plain moments are compared (`first_admin_reply_at`, `first_close_at`, ...). Each difference comes
//! with the reason that the definitions give for it; what they do not explain says so.

use rusqlite::types::ValueRef;
use serde::Serialize;
use serde_json::Value;

use super::SlaOptions;
use crate::mirror::{Store, fields};
use crate::report::error::Error;
use crate::report::timeline::{Kind, Speaker};
use crate::report::timelines::{self, Choice, Grouping, Waiting};

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reconciled {
    /// Conversations that were compared.
    pub compared: u64,
    /// Those of which every moment agrees.
    pub agreeing: u64,
    /// Conversations that come without statistics.
    pub without_statistics: u64,
    pub differences: Vec<Difference>,
}

/// One moment on which both disagree. Moments are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub conversation_id: String,
    pub field: &'static str,
    pub ours: Option<i64>,
    pub theirs: Option<i64>,
    /// Seconds, ours minus theirs.
    pub seconds: Option<i64>,
    pub reason: &'static str,
}

/// Compares every conversation of the period (by its start).
///
/// # Errors
/// When the store cannot be read.
pub fn reconcile(store: &Store, options: &SlaOptions) -> Result<Reconciled, Error> {
    let connection = store.connection();
    let transaction = connection.unchecked_transaction()?;
    let mut found = Reconciled::default();
    let choice = Choice {
        grouping: Grouping::None,
        start: options.start,
        since: options.since,
        until: options.until,
        ids: true,
        spans: false,
    };
    let mut statistics =
        transaction.prepare_cached("SELECT raw -> '$.statistics' FROM conversations WHERE id = ?1")?;
    timelines::read(&transaction, &choice, |waiting| {
        let inside = waiting.first_contact_at.is_some() && waiting.marks.has_parts();
        if !inside {
            return Ok(());
        }
        let theirs = statistics.query_row([waiting.id], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Text(text) => serde_json::from_slice(text).unwrap_or(Value::Null),
                _ => Value::Null,
            })
        })?;
        if theirs.is_null() {
            found.without_statistics += 1;
            return Ok(());
        }
        found.compared += 1;
        let before = found.differences.len();
        for (field, ours) in [
            ("first_admin_reply_at", waiting.first_response_at),
            ("first_close_at", waiting.first_close_at),
            ("last_close_at", waiting.last_close_at),
        ] {
            let theirs = fields::time(&theirs[field]);
            if ours != theirs {
                let reason = reason(&transaction, waiting, field, ours, theirs)?;
                let seconds = ours.zip(theirs).map(|(ours, theirs)| ours - theirs);
                let conversation_id = waiting.id.to_owned();
                found.differences.push(Difference { conversation_id, field, ours, theirs, seconds, reason });
            }
        }
        found.agreeing += u64::from(found.differences.len() == before);
        Ok(())
    })?;
    Ok(found)
}

fn reason(
    connection: &rusqlite::Connection,
    waiting: &Waiting<'_>,
    field: &str,
    ours: Option<i64>,
    theirs: Option<i64>,
) -> Result<&'static str, Error> {
    let first = waiting.first_contact_at.unwrap_or(i64::MIN);
    Ok(match () {
        () if waiting.marks.stale() => {
            "the conversation has changed since its parts were fetched: sync again"
        }
        () if waiting.marks.truncated() => "the oldest parts are no longer handed out",
        () if theirs.is_some_and(|at| at < first) => "theirs lies before the first message of a contact",
        () if theirs.is_none() => "the service states none",
        () if field != "first_admin_reply_at" => match ours {
            None => "no part of the conversation is a close at that time",
            Some(_) => "the service counts another change of state as the close",
        },
        () => {
            let parts = timelines::parts(connection, waiting.id)?;
            let at =
                |at: Option<i64>| parts.iter().map(|(_, part)| part).filter(move |part| Some(part.at) == at);
            match () {
                () if at(theirs).any(|part| part.by == Speaker::Machine && part.is_message()) => {
                    "theirs was written by a bot or an AI agent"
                }
                () if at(theirs).any(|part| part.kind == Kind::Note) => "theirs is a note",
                () if at(theirs).any(|part| !part.is_message()) => "theirs carries no text",
                () if at(ours).any(|part| part.kind != Kind::Comment) => {
                    "ours is a message that came with another action"
                }
                () => "not explained by the definitions",
            }
        }
    })
}
