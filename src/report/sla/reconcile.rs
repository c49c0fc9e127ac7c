//! Compares the report with the API's own statistics.
//!
//! Only timestamps are compared (`first_admin_reply_at`, `first_close_at`, ...). Each difference has a reason that
//! follows from the definitions, or says that they do not explain it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::options::SlaOptions;
use crate::data::lenient;
use crate::mirror::Store;
use crate::mirror::read::json_cell;
use crate::report::error::Error;
use crate::report::timeline::{PartKind, Speaker};
use crate::report::timeline_cache::{self, ResponseTimes, TimelineQuery};

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reconciliation {
    /// Compared conversations.
    pub compared: u64,
    /// Conversations without a difference.
    pub agreeing: u64,
    /// Conversations without statistics.
    pub without_statistics: u64,
    pub differences: Vec<Difference>,
}

impl Reconciliation {
    /// The number of differences for each reason.
    pub fn reasons(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        for difference in &self.differences {
            *reasons.entry(difference.reason).or_default() += 1;
        }
        reasons
    }
}

/// A timestamp that differs. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub conversation_id: String,
    pub field: &'static str,
    pub ours: Option<i64>,
    pub theirs: Option<i64>,
    /// Ours minus theirs, in seconds.
    pub seconds: Option<i64>,
    pub reason: &'static str,
}

/// Compares all conversations that started in the period.
///
/// # Errors
/// If the store cannot be read.
pub fn reconcile(store: &Store, options: &SlaOptions) -> Result<Reconciliation, Error> {
    let connection = store.connection();
    let transaction = connection.unchecked_transaction()?;
    let mut result = Reconciliation::default();
    let SlaOptions { start, since, until, .. } = *options;
    let query = TimelineQuery { start, since, until, ids: true, ..TimelineQuery::default() };
    let mut statistics =
        transaction.prepare_cached("SELECT raw -> '$.statistics' FROM conversations WHERE id = ?1")?;
    timeline_cache::read(&transaction, &query, |times| {
        if times.first_contact_at.is_none() || !times.flags.has_parts {
            return Ok(());
        }
        let theirs: Value = statistics.query_row([times.id], |row| json_cell(row.get_ref(0)?))?;
        if theirs.is_null() {
            result.without_statistics += 1;
            return Ok(());
        }
        result.compared += 1;
        let before = result.differences.len();
        for (field, ours) in [
            ("first_admin_reply_at", times.first_response_at),
            ("first_close_at", times.first_close_at),
            ("last_close_at", times.last_close_at),
        ] {
            let theirs = lenient::time(&theirs[field]);
            if ours != theirs {
                let reason = reason(&transaction, times, field, ours, theirs)?;
                let seconds = ours.zip(theirs).map(|(ours, theirs)| ours - theirs);
                let conversation_id = times.id.to_owned();
                result.differences.push(Difference { conversation_id, field, ours, theirs, seconds, reason });
            }
        }
        result.agreeing += u64::from(result.differences.len() == before);
        Ok(())
    })?;
    Ok(result)
}

fn reason(
    connection: &rusqlite::Connection,
    times: &ResponseTimes<'_>,
    field: &str,
    ours: Option<i64>,
    theirs: Option<i64>,
) -> Result<&'static str, Error> {
    let first = times.first_contact_at.unwrap_or(i64::MIN);
    Ok(match () {
        () if times.flags.stale => "the conversation has changed since its parts were fetched: sync again",
        () if times.flags.truncated => "the API no longer returns the oldest parts",
        () if theirs.is_some_and(|at| at < first) => "theirs is before the first message of a contact",
        () if theirs.is_none() => "the service has no value",
        () if field != "first_admin_reply_at" => match ours {
            None => "no part of the conversation is a close at that time",
            Some(_) => "the service counts another change of state as the close",
        },
        () => {
            let parts = timeline_cache::parts(connection, times.id)?;
            let at =
                |at: Option<i64>| parts.iter().map(|(_, part)| part).filter(move |part| Some(part.at) == at);
            match () {
                () if at(theirs).any(|part| part.by == Speaker::Machine && part.is_message()) => {
                    "theirs was written by a bot or an AI agent"
                }
                () if at(theirs).any(|part| part.kind == PartKind::Note) => "theirs is a note",
                () if at(theirs).any(|part| !part.is_message()) => "theirs has no text",
                () if at(ours).any(|part| part.kind != PartKind::Comment) => {
                    "ours is a message that came with another action"
                }
                () => "not explained by the definitions",
            }
        }
    })
}
