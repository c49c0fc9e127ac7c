//! Refreshes a contact in the mirror from the workspace, with as few requests as possible.
//!
//! Responses are stored like those of a sync and then read from the mirror; without a mirror, a temporary one is
//! used. Conversations whose parts are up to date in the mirror are not fetched again.

use clap::ArgMatches;
use futures::TryStreamExt;
use jiff::Timestamp;
use rusqlite::OptionalExtension;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{ContactAnswer, meta};
use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint};
use crate::cli::{contact_lookup, mirror_paths, preview};
use crate::data::lenient;
use crate::mirror::conversation::{Detail, OF_CONVERSATIONS};
use crate::mirror::{self, ContactList, ResourceName, Store};
use crate::report;
use crate::report::contact_360::{ContactOptions, contact_360};

/// Prints the first request; the others depend on its response.
pub async fn preview(context: &Context, query: &str) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let request = client.request(operation("SearchContacts")?, &search_for(query))?;
    preview::show(context, &client, &request).await
}

pub async fn fetch(
    context: &Context,
    matches: &ArgMatches,
    query: &str,
    options: &ContactOptions,
) -> Result<ContactAnswer, Error> {
    let client = context.client()?;
    // The temporary mirror is deleted together with its folder.
    let folder = tempfile::tempdir()?;
    let mut refresh = ContactRefresh {
        store: Store::open(&folder.path().join("person.db"))?,
        client,
        requests: 0,
        now: now(),
    };
    if let Some(path) =
        mirror_paths::explicit(context, &mirror_paths::MirrorFlag::of(matches))?.filter(|path| path.exists())
    {
        refresh.store = Store::open(&path)?;
        refresh.check_workspace().await?;
    } else if let Some(path) = mirror_paths::of_credentials(context)? {
        refresh.store = Store::open(&path)?;
    }
    let stored = contact_360(&refresh.store, query, options);
    let is_unknown =
        matches!(stored, Err(report::Error::NothingSynced { .. } | report::Error::NoContact { .. }));
    if !is_unknown && refresh.is_fresh(context)? {
        let found = stored?;
        let meta = meta(&found, "local", json!(synced_at(&refresh.store)?), 0);
        return Ok((found, meta));
    }
    let known_id = match stored {
        // The workspace decides which of them it is, and whether they are still several.
        Err(report::Error::SeveralContacts { .. }) => None,
        Err(_) if is_unknown => None,
        stored => lenient::id(&stored?.contact["id"]),
    };
    let id = refresh.contact(query, known_id.as_deref()).await?;
    refresh.related_records(&id, options).await?;
    let mut found = contact_360(&refresh.store, &id, options)?;
    found.never_synced.clear();
    let meta = meta(&found, "live", json!(refresh.now), refresh.requests);
    Ok((found, meta))
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The oldest watermark of contacts, conversations and parts.
fn synced_at(store: &Store) -> Result<Option<i64>, Error> {
    let mut oldest = Some(i64::MAX);
    for resource in [ResourceName::Contacts, ResourceName::Conversations, ResourceName::ConversationParts] {
        // `None` orders before any time.
        oldest = oldest.min(store.sync_state(resource)?.and_then(|state| state.watermark));
    }
    Ok(oldest)
}

/// Searches all fields that the query may refer to, in one request.
fn search_for(query: &str) -> Arguments {
    search(&contact_lookup::search_query(query))
}

fn search(query: &Value) -> Arguments {
    Arguments { body: Some(json!({ "query": query }).to_string().into_bytes()), ..Arguments::default() }
}

fn path_of(id: &str) -> Arguments {
    Arguments { path: vec![id.to_owned()], ..Arguments::default() }
}

struct ContactRefresh {
    client: Client,
    store: Store,
    requests: u64,
    /// Epoch seconds.
    now: i64,
}

impl ContactRefresh {
    /// A mirror given with --db may belong to another workspace.
    async fn check_workspace(&mut self) -> Result<(), Error> {
        let Some(stored) = self.store.workspace()? else { return Ok(()) };
        let owner = self.get("identifyAdmin", &Arguments::default()).await?;
        let owner: Value = serde_json::from_str(owner.get()).unwrap_or_default();
        match owner["app"]["id_code"].as_str() {
            Some(code) if code != stored.id_code => Err(mirror::Error::OtherWorkspace {
                path: self.store.path().to_owned(),
                stored: stored.id_code,
                given: code.to_owned(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    async fn get(&mut self, id: &'static str, arguments: &Arguments) -> Result<Box<RawValue>, Error> {
        self.requests += 1;
        let reply = self.client.fetch(operation(id)?, arguments).await?;
        let text = reply.json_text()?.to_owned();
        RawValue::from_string(text).map_err(|error| api::Error::InvalidRequest(error.to_string()).into())
    }

    async fn list(&mut self, id: &'static str, arguments: Arguments) -> Result<Vec<Box<RawValue>>, Error> {
        let pages: Vec<_> = self.client.pages(operation(id)?, arguments, None).try_collect().await?;
        self.requests += pages.len() as u64;
        Ok(pages.into_iter().flat_map(|page| page.items).collect())
    }

    /// Whether the mirror is within --max-age.
    fn is_fresh(&self, context: &Context) -> Result<bool, Error> {
        let age = synced_at(&self.store)?.map(|synced_at| self.now - synced_at);
        let max_age = context
            .globals
            .connection
            .max_age
            .map(|max_age| i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX));
        Ok(age.zip(max_age).is_some_and(|(age, max_age)| age <= max_age))
    }

    /// Fetches the contact and returns its id. An address or number is looked up in the workspace, since it may have
    /// moved to another contact since the last sync.
    async fn contact(&mut self, query: &str, known_id: Option<&str>) -> Result<String, Error> {
        let is_id = query.len() == 24 && query.chars().all(|letter| letter.is_ascii_hexdigit());
        if is_id && let Some(document) = self.contact_document(known_id.unwrap_or(query)).await? {
            return self.store_contacts(&[document], query);
        }
        let mut found = self.list("SearchContacts", search_for(query)).await?;
        // Phone numbers are searched by their last digits.
        found.retain(|raw| {
            let contact = serde_json::from_str::<Value>(raw.get());
            contact.is_ok_and(|contact| contact_lookup::is_match(query, &contact))
        });
        if !found.is_empty() {
            return self.store_contacts(&found, query);
        }
        // The search index can be minutes behind.
        if !is_id
            && let Some(known_id) = known_id
            && let Some(document) = self.contact_document(known_id).await?
        {
            self.store.store_records(ResourceName::Contacts, &[document], self.now)?;
            match report::contact_360::find_contact(self.store.connection(), query) {
                Err(report::Error::NoContact { .. }) => {}
                found => return Ok(found?.id),
            }
        }
        let hint = match known_id {
            Some(_) => {
                Hint::new("leave out ").flag("live").text(" to see the contact as stored in the mirror")
            }
            None => Hint::new("check the spelling").then(
                "new contacts appear in searches only after some minutes, use the id to find them at once",
            ),
        };
        Err(Error::Failed {
            message: format!("contact {query:?} not found in the workspace"),
            exit: Exit::NotFound,
            hint: Some(hint),
        })
    }

    /// The contact, or the one that it was merged into. `None` if it was deleted, or merged into an unknown contact.
    async fn contact_document(&mut self, id: &str) -> Result<Option<Box<RawValue>>, Error> {
        match self.get("ShowContact", &path_of(id)).await {
            Ok(document) => Ok(Some(document)),
            Err(Error::Api(error)) if error.merged_into().is_some_and(|into| into != id) => {
                let into = error.merged_into().unwrap_or(id).to_owned();
                Ok(Some(self.get("ShowContact", &path_of(&into)).await?))
            }
            Err(Error::Api(error)) if matches!(error.status(), Some(404 | 410)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores the documents and returns the id of the one that matches the query.
    fn store_contacts(&mut self, documents: &[Box<RawValue>], query: &str) -> Result<String, Error> {
        self.store.store_records(ResourceName::Contacts, documents, self.now)?;
        let id = |document: &RawValue| {
            lenient::id(&serde_json::from_str::<Value>(document.get()).unwrap_or_default()["id"])
        };
        if let [only] = documents
            && let Some(id) = id(only)
        {
            return Ok(id);
        }
        Ok(report::contact_360::find_contact(self.store.connection(), query)?.id)
    }

    /// Fetches conversations, tickets, segments, tags, companies and notes of the contact.
    async fn related_records(&mut self, id: &str, options: &ContactOptions) -> Result<(), Error> {
        let now = self.now;
        let by_contact = json!({"field": "contact_ids", "operator": "=", "value": id});
        let conversations = self.list("searchConversations", search(&by_contact)).await?;
        self.store.store_records(ResourceName::Conversations, &conversations, now)?;
        self.threads(id, options).await?;
        let tickets = self.list("searchTickets", search(&by_contact)).await?;
        self.store.store_records(ResourceName::Tickets, &tickets, now)?;
        let segments = self.list("listSegmentsForAContact", path_of(id)).await?;
        self.store.store_contact_list(id, ContactList::Segments, &segments, now)?;
        let incomplete = self.incomplete_lists(id)?;
        let is_incomplete = |name: &str| incomplete.split(',').any(|list| list == name);
        for (list, name, operation, has_unknown) in [
            (
                ContactList::Tags,
                "tags",
                "listTagsForAContact",
                "SELECT EXISTS (SELECT 1 FROM contact_tags WHERE contact_id = ?1 AND tag_id NOT IN (SELECT id FROM tags))",
            ),
            (
                ContactList::Companies,
                "companies",
                "listCompaniesForAContact",
                "SELECT EXISTS (SELECT 1 FROM contact_companies WHERE contact_id = ?1
                 AND company_id NOT IN (SELECT id FROM companies))",
            ),
            (ContactList::Notes, "notes", "listNotes", "SELECT ?1 IS NULL"),
        ] {
            let has_unknown: bool = self
                .store
                .connection()
                .query_row(has_unknown, [id], |row| row.get(0))
                .map_err(mirror::Error::from)?;
            if is_incomplete(name) || has_unknown {
                let items = self.list(operation, path_of(id)).await?;
                self.store.store_contact_list(id, list, &items, now)?;
            }
        }
        self.names(id).await
    }

    fn incomplete_lists(&self, id: &str) -> Result<String, Error> {
        let sql = "SELECT unlisted FROM contacts WHERE id = ?1";
        let found: Option<Option<String>> = self
            .store
            .connection()
            .query_row(sql, [id], |row| row.get(0))
            .optional()
            .map_err(mirror::Error::from)?;
        Ok(found.flatten().unwrap_or_default())
    }

    /// Fetches the threads to show whose parts are missing or outdated in the mirror.
    async fn threads(&mut self, id: &str, options: &ContactOptions) -> Result<(), Error> {
        let found = contact_360(&self.store, id, options)?;
        let shown = found.open_conversations.iter().chain(&found.recent_conversations);
        let mut due: Vec<&str> = shown
            .filter(|conversation| conversation.parts != "complete")
            .map(|conversation| conversation.id.as_str())
            .collect();
        due.sort_unstable();
        due.dedup();
        for conversation in due {
            match self.get("retrieveConversation", &path_of(conversation)).await {
                Ok(document) => {
                    let detail = Detail::read(&OF_CONVERSATIONS, document.get(), None, self.now);
                    let detail = detail.map_err(|error| api::Error::InvalidRequest(error.to_string()))?;
                    self.store.store_details(&[detail], self.now)?;
                }
                // Deleted since it was listed.
                Err(Error::Api(error)) if matches!(error.status(), Some(404 | 410)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fetches teammates and teams if a conversation refers to an unknown one.
    async fn names(&mut self, id: &str) -> Result<(), Error> {
        for (resource, operation, column) in [
            (ResourceName::Admins, "listAdmins", "admin_assignee_id"),
            (ResourceName::Teams, "listTeams", "team_assignee_id"),
        ] {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM conversation_contacts AS link
                     JOIN conversations AS c ON c.id = link.conversation_id
                 WHERE link.contact_id = ?1 AND c.{column} NOT IN (SELECT id FROM {resource}))"
            );
            // Lists omit teammates who have left, so fetch only if the mirror has none at all.
            let has_unknown: bool = self
                .store
                .connection()
                .query_row(&sql, [id], |row| row.get(0))
                .map_err(mirror::Error::from)?;
            if has_unknown && self.store.is_empty(resource)? {
                let items = self.list(operation, Arguments::default()).await?;
                self.store.store_records(resource, &items, self.now)?;
            }
        }
        Ok(())
    }
}
