//! Explains the figures of one conversation: what each part counted as.

use serde::{Serialize, Serializer};

use super::figures::Sample;
use super::options::SlaOptions;
use crate::mirror::Store;
use crate::report::business_hours::SlaClock;
use crate::report::error::Error;
use crate::report::timeline::{PartKind, Speaker, Timeline, TimelinePart};
use crate::report::timeline_cache::{self, TimelineQuery};

/// What one conversation contributes to the report, and why. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub conversation_id: String,
    /// `counted`, `excluded` or `parts_missing`.
    pub counted: &'static str,
    pub closed: bool,
    pub truncated: bool,
    /// Whether it has changed since its parts were fetched.
    pub stale: bool,
    pub first_contact_at: Option<i64>,
    pub first_response_at: Option<i64>,
    pub first_close_at: Option<i64>,
    pub last_close_at: Option<i64>,
    pub reopened: u32,
    /// In seconds, by metric. Next responses can have several.
    #[serde(serialize_with = "with_unit")]
    pub samples: Vec<(&'static str, Vec<i64>)>,
    pub steps: Vec<ExplainedPart>,
}

/// One part of the conversation, and what it counted as.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedPart {
    pub at: Option<i64>,
    /// `None` for the opening message.
    pub part_id: Option<String>,
    pub part_type: Option<String>,
    /// `contact`, `teammate` or `machine`.
    pub by: &'static str,
    pub author: Option<String>,
    pub counted_as: Vec<&'static str>,
}

/// Names the samples with their unit, for example `resolution_seconds`.
fn with_unit<S: Serializer>(samples: &[(&str, Vec<i64>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(samples.iter().map(|(metric, seconds)| (format!("{metric}_seconds"), seconds)))
}

/// Explains one conversation; `None` if the mirror does not have it.
///
/// # Errors
/// If the store cannot be read.
pub fn explain(
    store: &Store,
    id: &str,
    options: &SlaOptions,
    as_of: i64,
) -> Result<Option<Explanation>, Error> {
    let transaction = store.connection().unchecked_transaction()?;
    let Some(conversation) = timeline_cache::conversation(&transaction, id)? else { return Ok(None) };
    let query = TimelineQuery { start: options.start, ids: true, spans: true, ..TimelineQuery::default() };
    let times = conversation.response_times(&query);
    let sample = Sample::measure(&times, options, &mut SlaClock::new(options.business_hours.as_ref()), as_of);
    let flags = conversation.flags;
    let counted = if !flags.has_parts {
        "parts_missing"
    } else if times.first_contact_at.is_none() && !flags.opened_by_contact {
        "excluded"
    } else {
        "counted"
    };
    let mut steps = vec![opening(&transaction, &conversation)?];
    let mut timeline = Timeline::opened(conversation.opened_by, conversation.created_at);
    for (part_id, part) in timeline_cache::parts(&transaction, id)? {
        let before = timeline.clone();
        timeline.add(&part);
        let (part_type, author) = transaction
            .prepare_cached(
                "SELECT part_type, coalesce(raw ->> '$.author.name', raw ->> '$.author.email', author_id)
                 FROM conversation_parts WHERE id = ?1",
            )?
            .query_row([&part_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        steps.push(ExplainedPart {
            at: Some(part.at),
            part_id: Some(part_id),
            part_type,
            by: speaker(part.by),
            author,
            counted_as: roles(&part, &before, &timeline),
        });
    }
    let samples = options.metrics.iter().map(|metric| (metric.column(), sample.of(*metric).to_vec()));
    Ok(Some(Explanation {
        conversation_id: conversation.id.clone(),
        counted,
        closed: flags.closed,
        truncated: flags.truncated,
        stale: flags.stale,
        first_contact_at: times.first_contact_at,
        first_response_at: times.first_response_at,
        first_close_at: times.first_close_at,
        last_close_at: times.last_close_at,
        reopened: conversation.timeline.reopened,
        samples: samples.collect(),
        steps,
    }))
}

fn opening(
    connection: &rusqlite::Connection,
    conversation: &timeline_cache::ConversationTimeline,
) -> Result<ExplainedPart, Error> {
    let sql =
        "SELECT coalesce(raw ->> '$.source.author.name', raw ->> '$.source.author.email', source_author_id)
               FROM conversations WHERE id = ?1";
    let author = connection.prepare_cached(sql)?.query_row([&conversation.id], |row| row.get(0))?;
    Ok(ExplainedPart {
        at: conversation.created_at,
        part_id: None,
        part_type: None,
        by: speaker(conversation.opened_by),
        author,
        counted_as: match conversation.opened_by {
            Speaker::Contact => vec!["opening message", "first contact message"],
            _ => vec!["opening message", "not by a contact: the clock does not run yet"],
        },
    })
}

fn speaker(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Contact => "contact",
        Speaker::Teammate => "teammate",
        Speaker::Machine => "machine",
    }
}

fn roles(part: &TimelinePart, before: &Timeline, after: &Timeline) -> Vec<&'static str> {
    let mut roles = Vec::new();
    let message = part.is_message();
    match part.by {
        Speaker::Contact if message && before.first_contact_at.is_none() => {
            roles.push("first contact message")
        }
        Speaker::Contact if message => roles.push("contact message"),
        Speaker::Teammate if before.first_response_at.is_none() && after.first_response_at.is_some() => {
            roles.push("first response");
        }
        Speaker::Teammate if after.next_responses.len() > before.next_responses.len() => {
            roles.push("next response");
        }
        Speaker::Teammate if message && before.first_contact_at.is_none() => {
            roles.push("no response: no contact has written yet");
        }
        Speaker::Teammate if message => roles.push("further message"),
        Speaker::Machine if message => roles.push("no response: not written by a person"),
        _ if part.kind == PartKind::Note => roles.push("no response: a note"),
        Speaker::Teammate
            if matches!(
                part.kind,
                PartKind::Assignment | PartKind::Open | PartKind::Close | PartKind::Snooze
            ) =>
        {
            roles.push("no response: carries no text");
        }
        _ => {}
    }
    if part.kind == PartKind::Close {
        roles.push(if after.last_close_at == Some(part.at) {
            "close"
        } else {
            "close before any contact wrote"
        });
    }
    for (has_changed, role) in [
        (after.reopened > before.reopened, "reopened"),
        (!before.snoozed() && after.snoozed(), "snoozed"),
        (before.snoozed() && !after.snoozed(), "snooze ended"),
    ] {
        if has_changed {
            roles.push(role);
        }
    }
    roles
}
