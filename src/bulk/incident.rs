//! Finds every conversation that mentions something in a window of time.
//!
//! A conversation belongs to the window when a message that mentions was written in it. The server's search sees
//! opening messages only, word by word, so it is asked for every conversation that changed since the window
//! began: a message cannot be newer than the last change. The texts and their times are compared here. Parts come from the mirror where it has them as they are
//! now (the conversation has not changed since), and from the workspace otherwise. Whatever could not be
//! looked at is counted, never passed over. Only reads.

use std::collections::{HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::change::{Change, Target};
use super::error::Error;
use super::mentions::{Hit, Message, Phrases, Verdict};
use super::plan::Record;
use super::read::{self, Patience};
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::write::lacks;
use crate::mirror::{ResourceName, Store, fields};

/// The most conversations whose parts are fetched one by one; more need a mirror.
const MOST_FETCHED: usize = 5_000;
/// Records of a page of the search: the most there can be.
const PAGE: u32 = 150;

/// Which messages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The opening message and its subject.
    Source,
    /// Everything after it.
    Parts,
    All,
}

/// What has to lie in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The time at which a message that mentions was written.
    Message,
    /// That, or the last change of the conversation, whatever it was: a tag, an assignment, a "thanks".
    Active,
}

/// What to look for. Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub phrases: Phrases,
    pub place: Place,
    pub window: Window,
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Any of these states; all when empty.
    pub states: Vec<String>,
    /// Id of a team.
    pub team: Option<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub records: Vec<Record>,
    /// Conversations that were looked at.
    pub searched: usize,
    pub parts: Parts,
    /// Conversations that the workspace could not hand out: their parts were not looked at.
    pub unread: Vec<Unread>,
}

/// A conversation that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unread {
    pub id: String,
    pub error: Value,
}

/// Where parts were looked at, in conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Parts {
    pub in_mirror: usize,
    pub in_workspace: usize,
    /// Not looked at.
    pub nowhere: usize,
    /// Of which the workspace did not hand out every part.
    pub cut: usize,
}

/// Finds the conversations and what the tag's change means for each. `change` is a [`Change::Tag`].
///
/// # Errors
/// When the workspace does not answer: nothing is known then.
pub async fn find(
    client: &Client,
    mirror: Option<&Store>,
    wanted: &Wanted,
    change: &Change,
    concurrency: usize,
) -> Result<Found, Error> {
    let candidates = candidates(client, wanted).await?;
    let mut found = Found { searched: candidates.len(), ..Found::default() };
    let mut open = Vec::new();
    for candidate in candidates {
        match wanted.without_parts(&candidate) {
            Some(Verdict::Mentioned(hits)) => found.take(wanted, change, &candidate, &hits),
            Some(_) => {}
            None => match mirror.map(|store| mirrored(store, &candidate)).transpose()?.flatten() {
                Some(parts) => {
                    found.parts.in_mirror += 1;
                    found.judge(wanted, change, &candidate, parts);
                }
                None => open.push(candidate),
            },
        }
    }
    found.fetch(client, wanted, change, open, concurrency).await?;
    found.look_up_tags(client, change, concurrency).await?;
    found.records.sort_by(|one, other| {
        let at = |record: &Record| std::cmp::Reverse(record.shown["updated_at"].as_i64());
        at(one).cmp(&at(other)).then_with(|| one.id.cmp(&other.id))
    });
    Ok(found)
}

/// The conversations that may belong to the window, each once.
async fn candidates(client: &Client, wanted: &Wanted) -> Result<Vec<Value>, Error> {
    let test = |field: &str, operator: &str, value: i64| json!({ "field": field, "operator": operator, "value": value });
    // Whether the limit itself belongs to what is found is not said the same everywhere: one second more.
    let since = wanted.since.map_or(0, |since| (since - 1).max(0));
    let begin = if wanted.opening_decides() { "created_at" } else { "updated_at" };
    let mut query = test(begin, ">", since);
    if let Some(until) = wanted.until {
        query = json!({ "operator": "AND", "value": [query, test("created_at", "<", until + 1)] });
    }
    // In this order what changes while pages are read comes again at the end, and nothing is missed.
    let body = json!({ "query": query, "sort": { "field": "updated_at", "order": "ascending" } });
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let search = operation("searchConversations")?;
    let mut pages = std::pin::pin!(client.pages(search, arguments, Some(PAGE)));
    let (mut places, mut candidates) = (HashMap::new(), Vec::new());
    while let Some(page) = pages.try_next().await? {
        page.require_list()?;
        for raw in page.items {
            let Ok(document) = serde_json::from_str::<Value>(raw.get()) else { continue };
            let Some(id) = fields::id(&document["id"]) else { continue };
            match places.get(&id) {
                Some(place) => candidates[*place] = document,
                None => {
                    places.insert(id, candidates.len());
                    candidates.push(document);
                }
            }
        }
    }
    candidates.retain(|document| wanted.admits(document));
    Ok(candidates)
}

impl Wanted {
    /// Whether only an opening message can put a conversation into the window.
    fn opening_decides(&self) -> bool {
        self.place == Place::Source && self.window == Window::Message
    }

    /// Whether state, team and age of a conversation fit.
    fn admits(&self, document: &Value) -> bool {
        let state = state(document);
        let in_state = self.states.is_empty() || self.states.iter().any(|it| Some(it) == state.as_ref());
        let in_team = self.team.is_none() || self.team == fields::reference(&document["team_assignee_id"]);
        let at = |field: &str| fields::time(&document[field]);
        let recent = self.since.is_none_or(|since| at("updated_at").is_none_or(|it| it >= since));
        let begun = self.until.is_none_or(|until| at("created_at").is_none_or(|it| it < until));
        in_state && in_team && recent && begun
    }

    /// The verdict where the parts cannot change it; `None` when they have to be looked at.
    fn without_parts(&self, document: &Value) -> Option<Verdict> {
        let opening = [Message::opening(document)];
        let verdict = self.phrases.judge(&opening);
        let count = fields::integer(&document["statistics"]["count_conversation_parts"]);
        match self.place {
            Place::Source => Some(verdict),
            _ if count == Some(0) && self.place == Place::Parts => Some(Verdict::NotMentioned),
            Place::Parts => None,
            _ if count == Some(0) || verdict == Verdict::Excluded => Some(verdict),
            // Another message may be written in the window, and only that one.
            Place::All => match verdict {
                Verdict::Mentioned(hits)
                    if self.phrases.exclude.is_empty() && !self.in_window(document, &hits).is_empty() =>
                {
                    Some(Verdict::Mentioned(hits))
                }
                _ => None,
            },
        }
    }

    fn contains(&self, at: i64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    /// The mentions that put the conversation into the window; none when it does not belong to it. A message
    /// without a time may have been written at any time.
    fn in_window(&self, document: &Value, hits: &[Hit]) -> Vec<Hit> {
        let written = |hit: &&Hit| hit.written_at.is_none_or(|at| self.contains(at));
        let inside: Vec<Hit> = hits.iter().filter(written).cloned().collect();
        let active = || fields::time(&document["updated_at"]).is_none_or(|at| self.contains(at));
        if inside.is_empty() && self.window == Window::Active && active() { hits.to_vec() } else { inside }
    }
}

impl Found {
    /// Parts decide, with the opening message if that counts.
    fn judge(&mut self, wanted: &Wanted, change: &Change, document: &Value, parts: Vec<Message>) {
        let mut messages = Vec::with_capacity(parts.len() + 1);
        if wanted.place == Place::All {
            messages.push(Message::opening(document));
        }
        messages.extend(parts);
        if let Verdict::Mentioned(hits) = wanted.phrases.judge(&messages) {
            self.take(wanted, change, document, &hits);
        }
    }

    fn take(&mut self, wanted: &Wanted, change: &Change, document: &Value, hits: &[Hit]) {
        let Some(id) = fields::id(&document["id"]) else { return };
        let hits = wanted.in_window(document, hits);
        if hits.is_empty() {
            return;
        }
        let before = change.state(Target::Conversations, "", document).unwrap_or_default();
        let mut record = Record::new(id, change.clone(), before);
        record.shown = shown(document, &hits);
        self.records.push(record);
    }

    /// Fetches conversations with their parts, unless they are too many.
    async fn fetch(
        &mut self,
        client: &Client,
        wanted: &Wanted,
        change: &Change,
        open: Vec<Value>,
        concurrency: usize,
    ) -> Result<(), Error> {
        if open.len() > MOST_FETCHED {
            self.parts.nowhere = open.len();
            for document in open {
                // Of what the opening message says, the parts could only take back by an exclusion.
                if wanted.place == Place::All {
                    self.judge(wanted, change, &document, Vec::new());
                }
            }
            return Ok(());
        }
        let mut listed: HashMap<String, Value> =
            open.into_iter().filter_map(|document| Some((fields::id(&document["id"])?, document))).collect();
        let ids = listed.keys().cloned().collect();
        let mut answers = std::pin::pin!(read::documents(client, Target::Conversations, ids, concurrency));
        let mut patience = Patience::default();
        while let Some((id, answer)) = answers.next().await {
            let listed = listed.remove(&id).unwrap_or_default();
            match answer {
                Ok(document) => {
                    patience.read();
                    self.parts.in_workspace += 1;
                    // What the answer leaves out, the list has told.
                    let document = merged(listed, document);
                    let parts = parts(&document);
                    self.parts.cut += usize::from(is_cut(&document, parts.len()));
                    self.judge(wanted, change, &document, parts);
                }
                // Deleted since it was listed.
                Err(error) if error.is_not_found() => patience.read(),
                Err(error) => {
                    self.unread.push(Unread { id, error: patience.bear(error)? });
                    if wanted.place == Place::All {
                        self.judge(wanted, change, &listed, Vec::new());
                    }
                }
            }
        }
        Ok(patience.end()?)
    }

    /// Asks for the tags of those whose document did not tell them.
    async fn look_up_tags(
        &mut self,
        client: &Client,
        change: &Change,
        concurrency: usize,
    ) -> Result<(), Error> {
        let untold: HashSet<String> =
            self.records.iter().filter(|it| it.before.is_null()).map(|it| it.id.clone()).collect();
        let ids: Vec<String> = untold.into_iter().collect();
        let mut answers = std::pin::pin!(read::documents(client, Target::Conversations, ids, concurrency));
        let mut patience = Patience::default();
        while let Some((id, answer)) = answers.next().await {
            let Some(record) = self.records.iter_mut().find(|record| record.id == id) else { continue };
            let document = match answer {
                Ok(document) => document,
                Err(error) if error.is_not_found() => continue,
                // It gets the tag then, whether it has it or not.
                Err(error) => match patience.bear(error) {
                    Ok(_) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            patience.read();
            // A conversation that shows no list of tags has none.
            let none = json!({ "tagged": false });
            let before = change.state(Target::Conversations, "", &document).unwrap_or(none);
            let shown = std::mem::take(&mut record.shown);
            *record = Record { shown, ..Record::new(id, change.clone(), before) };
        }
        Ok(())
    }
}

fn merged(listed: Value, fetched: Value) -> Value {
    match (listed, fetched) {
        (Value::Object(mut listed), Value::Object(fetched)) => {
            listed.extend(fetched.into_iter().filter(|(_, value)| !value.is_null()));
            Value::Object(listed)
        }
        (_, fetched) => fetched,
    }
}

/// The parts inside a conversation's document.
fn parts(document: &Value) -> Vec<Message> {
    let list = &document["conversation_parts"];
    let parts = list.as_array().or_else(|| list["conversation_parts"].as_array());
    parts.into_iter().flatten().map(Message::part).collect()
}

/// Whether the workspace has more parts than it handed out.
fn is_cut(document: &Value, handed_out: usize) -> bool {
    let stated =
        [&document["statistics"]["count_conversation_parts"], &document["conversation_parts"]["total_count"]];
    lacks(stated.into_iter().filter_map(fields::integer).max(), handed_out, handed_out)
}

/// The parts in the mirror; `None` unless it has all of them as they are now.
fn mirrored(store: &Store, document: &Value) -> Result<Option<Vec<Message>>, Error> {
    let (Some(id), Some(updated_at)) = (fields::id(&document["id"]), fields::time(&document["updated_at"]))
    else {
        return Ok(None);
    };
    if !store.has_parts_of(&id, updated_at)? {
        return Ok(None);
    }
    let Some(raw) = store.with_parts(ResourceName::Conversations, &id)? else { return Ok(None) };
    Ok(Some(parts(&serde_json::from_str(&raw).unwrap_or_default())))
}

fn state(document: &Value) -> Option<String> {
    let told = document["state"].as_str().map(str::to_owned);
    told.or_else(|| {
        let open = fields::flag(&document["open"])?;
        Some(if open { "open" } else { "closed" }.to_owned())
    })
}

/// What people want to see of a conversation.
fn shown(document: &Value, hits: &[Hit]) -> Value {
    let author = &document["source"]["author"];
    let first = document["contacts"]["contacts"].as_array().and_then(|contacts| contacts.first());
    let contact_id = first.and_then(|contact| fields::id(&contact["id"])).or_else(|| {
        // A teammate who wrote first is no contact.
        let is_contact = !matches!(author["type"].as_str(), Some("admin" | "bot" | "team"));
        fields::id(&author["id"]).filter(|_| is_contact)
    });
    let is_author = contact_id.is_some() && contact_id == fields::id(&author["id"]);
    let of_author = |field: &str| author[field].as_str().filter(|it| is_author && !it.is_empty());
    let hit = hits.first();
    json!({
        "contact": { "id": contact_id, "name": of_author("name"), "email": of_author("email") },
        "state": state(document),
        "updated_at": fields::time(&document["updated_at"]),
        "created_at": fields::time(&document["created_at"]),
        "matched_in": hit.map(|hit| if hit.part_id.is_some() { "part" } else { "source" }),
        "matched_part_id": hit.and_then(|hit| hit.part_id.clone()),
        "matched_at": hit.and_then(|hit| hit.written_at),
        "match": hit.map(|hit| hit.context.clone()),
    })
}
