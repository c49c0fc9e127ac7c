//! How long customers wait: for a first answer, and for the end of their conversation.
//!
//! About conversations in which a contact wrote something, by the moment they started. What was not
//! answered, not closed or not fully known is counted, never dropped. Reads one conversation at a time.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{CachedStatement, Connection, Row as Record, params};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::error::Error;
use super::percentile::nearest_rank;
use super::timeline::{Part, Speaker, Timeline};
use crate::mirror::{ResourceName, Store};

/// What one row of the report stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The team it is assigned to now.
    Team,
    /// The teammate it is assigned to now.
    Admin,
    /// Each tag it carries: a conversation can stand in several rows.
    Tag,
    /// What it came in through, e.g. `email`.
    Channel,
    /// One row for everything.
    None,
}

impl GroupBy {
    /// The name of the group's column; `None` when there is no such column.
    pub const fn column(self) -> Option<&'static str> {
        match self {
            GroupBy::Team => Some("team"),
            GroupBy::Admin => Some("admin"),
            GroupBy::Tag => Some("tag"),
            GroupBy::Channel => Some("channel"),
            GroupBy::None => None,
        }
    }

    /// The table that has names for the ids, and the column with the id.
    const fn named_in(self) -> Option<(&'static str, &'static str)> {
        match self {
            GroupBy::Team => Some(("teams", "team_id")),
            GroupBy::Admin => Some(("admins", "admin_id")),
            GroupBy::Tag => Some(("tags", "tag_id")),
            GroupBy::Channel | GroupBy::None => None,
        }
    }
}

/// The name of the group for what is in no other.
pub const NO_GROUP: &str = "(none)";

#[derive(Debug, Clone)]
pub struct SlaOptions {
    pub group_by: GroupBy,
    /// Conversations that started at or after this moment, epoch seconds.
    pub since: Option<i64>,
    /// Conversations that started before this moment, epoch seconds.
    pub until: Option<i64>,
    /// With fewer samples there are no percentiles.
    pub min_samples: usize,
}

impl Default for SlaOptions {
    fn default() -> Self {
        SlaOptions { group_by: GroupBy::Team, since: None, until: None, min_samples: 5 }
    }
}

/// The report. `rows` are in order of their names, what is in no group last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlaReport {
    pub group_by: GroupBy,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub rows: Vec<Row>,
    /// Everything in one row; each conversation counts once, also where it stands in several rows.
    pub total: Row,
    pub missing: Missing,
}

/// What the mirror does not have, so that the figures can be trusted as far as they go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The sync of conversations, or of their parts, has not reached its end yet, or broke off.
    pub incomplete: bool,
    /// Conversations of the period whose parts were never fetched; they are in no figure.
    pub without_parts: u64,
    /// Conversations of the period that have changed since their parts were fetched.
    pub stale_parts: u64,
    /// Up to when the mirror is known to have everything, epoch seconds.
    pub synced_until: Option<i64>,
}

/// One row. Its JSON has the group's name under the group's own column, e.g. `team` and `team_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub group_by: GroupBy,
    pub name: String,
    pub id: Option<String>,
    pub figures: Figures,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Conversations in which a contact wrote something.
    pub conversations: u64,
    pub answered: u64,
    pub unanswered: u64,
    pub closed: u64,
    /// Open or snoozed.
    pub open: u64,
    /// Closed at least once, and open again after that.
    pub reopened: u64,
    /// Begun by the team, without a word of a contact; in no other figure.
    pub excluded: u64,
    /// Longer than the API hands out: how long the first answer took is not known.
    pub truncated: u64,
    pub first_response_p50_minutes: Option<f64>,
    pub first_response_p90_minutes: Option<f64>,
    pub first_response_n: usize,
    pub resolution_p50_hours: Option<f64>,
    pub resolution_p90_hours: Option<f64>,
    pub resolution_n: usize,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serde_json::Map::new();
        if let Some(column) = self.group_by.column() {
            columns.insert(column.to_owned(), self.name.clone().into());
        }
        if let Some((_, column)) = self.group_by.named_in() {
            columns.insert(column.to_owned(), self.id.clone().into());
        }
        if let Value::Object(figures) = serde_json::to_value(&self.figures).map_err(S::Error::custom)? {
            columns.extend(figures);
        }
        columns.serialize(serializer)
    }
}

/// Works the report out.
///
/// # Errors
/// [`Error::NothingSynced`] when conversations or their parts were never synced, and when the store
/// cannot be read.
pub fn sla(store: &Store, options: &SlaOptions) -> Result<SlaReport, Error> {
    // One transaction, so that a sync that runs meanwhile does not show half of itself.
    let transaction = store.connection().unchecked_transaction()?;
    let mut missing = provenance(store)?;
    let mut groups: HashMap<Option<String>, Group> = HashMap::new();
    let mut total = Group::default();
    let mut reader = Reader::new(&transaction)?;
    let mut statement = transaction.prepare_cached(CONVERSATIONS)?;
    let mut conversations = statement.query(params![options.since, options.until])?;
    while let Some(record) = conversations.next()? {
        let conversation = Conversation::read(record)?;
        missing.without_parts += u64::from(!conversation.has_parts);
        if !conversation.has_parts {
            continue;
        }
        missing.stale_parts += u64::from(conversation.stale);
        let timeline = reader.timeline(&conversation)?;
        total.add(&conversation, &timeline);
        for key in reader.keys(options.group_by, &conversation)? {
            groups.entry(key).or_default().add(&conversation, &timeline);
        }
    }
    let names = Names::read(&transaction, options.group_by)?;
    let row = |(id, group): (Option<String>, Group)| {
        let name = names.of(id.as_deref());
        Row { group_by: options.group_by, name, id, figures: group.figures(options.min_samples) }
    };
    let mut rows: Vec<Row> = groups.into_iter().map(row).collect();
    rows.sort_by_cached_key(|row| (row.id.is_none(), row.name.to_lowercase(), row.id.clone()));
    let total = Row {
        group_by: GroupBy::None,
        name: "(all)".to_owned(),
        id: None,
        figures: total.figures(options.min_samples),
    };
    let SlaOptions { group_by, since, until, .. } = *options;
    Ok(SlaReport { group_by, since, until, rows, total, missing })
}

/// What the states of the two resources say about the data.
fn provenance(store: &Store) -> Result<Missing, Error> {
    let mut missing = Missing::default();
    let mut watermarks = Vec::new();
    for resource in [ResourceName::Conversations, ResourceName::ConversationParts] {
        let state = store.sync_state(resource)?;
        let never = state.as_ref().is_none_or(|state| state.watermark.is_none());
        if never && store.is_empty(resource)? {
            return Err(Error::NothingSynced { resource });
        }
        missing.incomplete |= state.as_ref().is_none_or(|state| !state.complete);
        watermarks.push(state.and_then(|state| state.watermark));
    }
    // `None` is less than any moment: unless both are known, neither is.
    missing.synced_until = watermarks.into_iter().min().flatten();
    Ok(missing)
}

const CONVERSATIONS: &str = "
    SELECT c.id, c.created_at, c.state, c.open, c.source_author_type, c.source_delivered_as,
           c.team_assignee_id, c.admin_assignee_id, c.source_type,
           s.conversation_id IS NOT NULL, s.updated_at IS NOT c.updated_at, coalesce(s.truncated, 0)
    FROM conversations c LEFT JOIN conversation_parts_state s ON s.conversation_id = c.id
    WHERE (?1 IS NULL OR c.created_at >= ?1) AND (?2 IS NULL OR c.created_at < ?2)";

/// One conversation without its parts.
struct Conversation {
    id: String,
    created_at: Option<i64>,
    closed: bool,
    opened_by: Speaker,
    team: Option<String>,
    admin: Option<String>,
    channel: Option<String>,
    has_parts: bool,
    stale: bool,
    truncated: bool,
}

impl Conversation {
    fn read(record: &Record<'_>) -> rusqlite::Result<Self> {
        let text = |index: usize| record.get_ref(index)?.as_str_or_null().map_err(rusqlite::Error::from);
        let open: Option<bool> = record.get(3)?;
        Ok(Conversation {
            id: record.get(0)?,
            created_at: record.get(1)?,
            closed: match text(2)? {
                Some(state) => state == "closed",
                None => open == Some(false),
            },
            opened_by: Speaker::of_opening(text(4)?, text(5)?),
            team: record.get(6)?,
            admin: record.get(7)?,
            channel: record.get(8)?,
            has_parts: record.get(9)?,
            stale: record.get(10)?,
            truncated: record.get(11)?,
        })
    }
}

/// Reads what belongs to one conversation.
struct Reader<'c> {
    parts: CachedStatement<'c>,
    tags: CachedStatement<'c>,
}

impl<'c> Reader<'c> {
    fn new(connection: &'c Connection) -> Result<Self, Error> {
        // Parts of the same second are in the order of their numbers.
        let parts = "SELECT part_type, author_type, from_ai_agent, has_text, state, created_at
                     FROM conversation_parts WHERE conversation_id = ?1 AND created_at IS NOT NULL
                     ORDER BY created_at, length(id), id";
        let tags = "SELECT tag_id FROM conversation_tags WHERE conversation_id = ?1";
        Ok(Reader { parts: connection.prepare_cached(parts)?, tags: connection.prepare_cached(tags)? })
    }

    fn timeline(&mut self, conversation: &Conversation) -> Result<Timeline, Error> {
        let mut timeline = Timeline::opened(conversation.opened_by, conversation.created_at);
        let mut parts = self.parts.query([&conversation.id])?;
        while let Some(record) = parts.next()? {
            let text = |index: usize| record.get_ref(index)?.as_str_or_null().map_err(rusqlite::Error::from);
            timeline.add(&Part {
                part_type: text(0)?.unwrap_or_default(),
                by: Speaker::of(text(1)?, record.get(2)?),
                has_text: record.get(3)?,
                state: text(4)?,
                at: record.get(5)?,
            });
        }
        Ok(timeline)
    }

    /// The groups a conversation stands in; at least one.
    fn keys(&mut self, group_by: GroupBy, conversation: &Conversation) -> Result<Vec<Option<String>>, Error> {
        let one = match group_by {
            GroupBy::Team => &conversation.team,
            GroupBy::Admin => &conversation.admin,
            GroupBy::Channel => &conversation.channel,
            GroupBy::None => &None,
            GroupBy::Tag => {
                let tags = self.tags.query_map([&conversation.id], |record| record.get(0).map(Some))?;
                let tags: Vec<Option<String>> = tags.collect::<Result<_, _>>()?;
                return Ok(if tags.is_empty() { vec![None] } else { tags });
            }
        };
        Ok(vec![one.clone()])
    }
}

/// The names of the groups.
struct Names(BTreeMap<String, String>);

impl Names {
    fn read(connection: &Connection, group_by: GroupBy) -> Result<Self, Error> {
        let Some((table, _)) = group_by.named_in() else { return Ok(Names(BTreeMap::new())) };
        let mut statement = connection.prepare(&format!("SELECT id, name FROM {table} WHERE name <> ''"))?;
        let names = statement.query_map([], |record| Ok((record.get(0)?, record.get(1)?)))?;
        Ok(Names(names.collect::<Result<_, _>>()?))
    }

    /// Somebody who has left the workspace has no name any more: the id stands in.
    fn of(&self, id: Option<&str>) -> String {
        match id {
            Some(id) => self.0.get(id).map_or(id, String::as_str).to_owned(),
            None => NO_GROUP.to_owned(),
        }
    }
}

/// A row while it is being counted. Samples are seconds.
#[derive(Default)]
struct Group {
    figures: Figures,
    first_responses: Vec<i64>,
    resolutions: Vec<i64>,
}

impl Group {
    fn add(&mut self, conversation: &Conversation, timeline: &Timeline) {
        if timeline.first_contact_at.is_none() && conversation.opened_by != Speaker::Contact {
            self.figures.excluded += 1;
            return;
        }
        let answered = timeline.first_response_at.is_some();
        self.figures.conversations += 1;
        self.figures.answered += u64::from(answered);
        self.figures.unanswered += u64::from(!answered);
        self.figures.closed += u64::from(conversation.closed);
        self.figures.open += u64::from(!conversation.closed);
        self.figures.reopened += u64::from(timeline.reopened);
        self.figures.truncated += u64::from(conversation.truncated);
        // The oldest parts are missing: what seems to be the first answer may be the hundredth, and
        // where the team wrote first, so may the contact's first message.
        let known = !conversation.truncated;
        self.first_responses.extend(timeline.first_response().filter(|_| known));
        let known = known || conversation.opened_by == Speaker::Contact;
        self.resolutions.extend(timeline.resolution().filter(|_| known && conversation.closed));
    }

    fn figures(mut self, min_samples: usize) -> Figures {
        let percentile = |samples: &mut Vec<i64>, percent: usize, unit: f64, precision: f64| {
            let enough = samples.len() >= min_samples.max(1);
            let seconds = nearest_rank(samples, percent).filter(|_| enough)?;
            Some((seconds as f64 / unit * precision).round() / precision)
        };
        let minutes = |percent, samples: &mut Vec<i64>| percentile(samples, percent, 60.0, 10.0);
        let hours = |percent, samples: &mut Vec<i64>| percentile(samples, percent, 3600.0, 100.0);
        Figures {
            first_response_p50_minutes: minutes(50, &mut self.first_responses),
            first_response_p90_minutes: minutes(90, &mut self.first_responses),
            first_response_n: self.first_responses.len(),
            resolution_p50_hours: hours(50, &mut self.resolutions),
            resolution_p90_hours: hours(90, &mut self.resolutions),
            resolution_n: self.resolutions.len(),
            ..self.figures
        }
    }
}
