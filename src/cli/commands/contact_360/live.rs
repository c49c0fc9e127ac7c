//! Completes a person from the workspace, with as few requests as there can be.
//!
//! What comes is stored in the mirror by the rules of a sync and then read from there like everything else;
//! without a mirror, in a file of its own that does not stay. Conversations whose parts the mirror holds as
//! they are now are not fetched again.

use clap::ArgMatches;
use futures::TryStreamExt;
use jiff::Timestamp;
use rusqlite::OptionalExtension;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Answer, meta};
use crate::api;
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit};
use crate::cli::{people, preview, stores};
use crate::mirror::conversation::{Detail, OF_CONVERSATIONS};
use crate::mirror::person::ContactList;
use crate::mirror::{self, ResourceName, Store, fields};
use crate::report;
use crate::report::contact_360::{Options, contact_360};

/// Shows the first request: the others depend on its answer.
pub async fn preview(context: &Context, wanted: &str) -> Result<(), Error> {
    let client = context.client_for_preview()?;
    let request = client.request(operation("SearchContacts")?, &search_for(wanted))?;
    preview::show(context, &client, &request).await
}

pub async fn answer(
    context: &Context,
    matches: &ArgMatches,
    wanted: &str,
    options: &Options,
) -> Result<Answer, Error> {
    let client = context.client()?;
    // Removed with the folder, when there is no mirror to keep things in.
    let folder = tempfile::tempdir()?;
    let mut asking =
        Asking { store: Store::open(&folder.path().join("person.db"))?, client, requests: 0, now: now() };
    if let Some(path) = stores::named(context, matches)?.filter(|path| path.exists()) {
        asking.store = Store::open(&path)?;
        asking.check_workspace().await?;
    } else if let Some(path) = stores::known(context)? {
        asking.store = Store::open(&path)?;
    }
    let known = contact_360(&asking.store, wanted, options);
    let unknown = matches!(known, Err(report::Error::NothingSynced { .. } | report::Error::NoContact { .. }));
    if !unknown && asking.is_young(context)? {
        let found = known?;
        let meta = meta(&found, "local", json!(synced_at(&asking.store)?), 0);
        return Ok((found, meta));
    }
    let known = match known {
        // Which of them, or whether it still is several, the workspace knows.
        Err(report::Error::SeveralContacts { .. }) => None,
        Err(_) if unknown => None,
        known => fields::id(&known?.contact["id"]),
    };
    let id = asking.contact(wanted, known.as_deref()).await?;
    asking.around(&id, options).await?;
    let mut found = contact_360(&asking.store, &id, options)?;
    found.never_synced.clear();
    let meta = meta(&found, "live", json!(asking.now), asking.requests);
    Ok((found, meta))
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Up to when contacts and conversations are mirrored.
fn synced_at(store: &Store) -> Result<Option<i64>, Error> {
    let mut oldest = Some(i64::MAX);
    for resource in [ResourceName::Contacts, ResourceName::Conversations, ResourceName::ConversationParts] {
        // `None` is less than any moment.
        oldest = oldest.min(store.sync_state(resource)?.and_then(|state| state.watermark));
    }
    Ok(oldest)
}

/// A search for everything that somebody may have typed, in one request.
fn search_for(wanted: &str) -> Arguments {
    search(&people::query(wanted))
}

fn search(query: &Value) -> Arguments {
    Arguments { body: Some(json!({ "query": query }).to_string().into_bytes()), ..Arguments::default() }
}

fn of(id: &str) -> Arguments {
    Arguments { path: vec![id.to_owned()], ..Arguments::default() }
}

struct Asking {
    client: Client,
    store: Store,
    requests: u64,
    /// Epoch seconds.
    now: i64,
}

impl Asking {
    /// A mirror that was named may be that of any workspace.
    async fn check_workspace(&mut self) -> Result<(), Error> {
        let Some(stored) = self.store.workspace()? else { return Ok(()) };
        let me = self.one("identifyAdmin", &Arguments::default()).await?;
        let me: Value = serde_json::from_str(me.get()).unwrap_or_default();
        match me["app"]["id_code"].as_str() {
            Some(code) if code != stored.id_code => Err(mirror::Error::OtherWorkspace {
                path: self.store.path().to_owned(),
                stored: stored.id_code,
                given: code.to_owned(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    async fn one(&mut self, id: &'static str, arguments: &Arguments) -> Result<Box<RawValue>, Error> {
        self.requests += 1;
        let reply = self.client.fetch(operation(id)?, arguments).await?;
        let text = reply.json_text()?.to_owned();
        RawValue::from_string(text).map_err(|error| api::Error::InvalidRequest(error.to_string()).into())
    }

    async fn all(&mut self, id: &'static str, arguments: Arguments) -> Result<Vec<Box<RawValue>>, Error> {
        let pages: Vec<_> = self.client.pages(operation(id)?, arguments, None).try_collect().await?;
        self.requests += pages.len() as u64;
        Ok(pages.into_iter().flat_map(|page| page.items).collect())
    }

    /// Whether the mirror is as new as --max-age wants it.
    fn is_young(&self, context: &Context) -> Result<bool, Error> {
        let age = synced_at(&self.store)?.map(|synced_at| self.now - synced_at);
        let most = context.globals.max_age.map(|most| i64::try_from(most.as_secs()).unwrap_or(i64::MAX));
        Ok(age.zip(most).is_some_and(|(age, most)| age <= most))
    }

    /// Fetches the contact itself, and returns its id. Whom an address or a number belongs to, the workspace
    /// says: since the mirror was made it may have passed to somebody else, or to one more.
    async fn contact(&mut self, wanted: &str, known: Option<&str>) -> Result<String, Error> {
        let is_id = wanted.len() == 24 && wanted.chars().all(|letter| letter.is_ascii_hexdigit());
        if is_id && let Some(document) = self.shown(known.unwrap_or(wanted)).await? {
            return self.keep_contacts(&[document], wanted);
        }
        let mut found = self.all("SearchContacts", search_for(wanted)).await?;
        // Telephone numbers are asked by their ends.
        found.retain(|raw| {
            let contact = serde_json::from_str::<Value>(raw.get());
            contact.is_ok_and(|contact| people::fits(wanted, &contact))
        });
        if !found.is_empty() {
            return self.keep_contacts(&found, wanted);
        }
        // A search does not know yet what has changed within the last minutes.
        if !is_id
            && let Some(known) = known
            && let Some(document) = self.shown(known).await?
        {
            self.store.store_records(ResourceName::Contacts, &[document], self.now)?;
            match report::contact_360::find(self.store.connection(), wanted) {
                Err(report::Error::NoContact { .. }) => {}
                found => return Ok(found?.id),
            }
        }
        let hint = match known {
            Some(_) => "without --live, the mirror tells what it remembers",
            None => {
                "check the spelling; a search can take minutes to find a new contact, by its id it is found at once"
            }
        };
        Err(Error::Finding {
            message: format!("the workspace has no contact {wanted:?}"),
            exit: Exit::NotFound,
            hint: Some(hint.to_owned()),
        })
    }

    /// The contact, or the one that it was merged into. `None` when it was deleted, or merged into nobody knows
    /// whom.
    async fn shown(&mut self, id: &str) -> Result<Option<Box<RawValue>>, Error> {
        match self.one("ShowContact", &of(id)).await {
            Ok(document) => Ok(Some(document)),
            Err(Error::Api(error)) if error.merged_into().is_some_and(|into| into != id) => {
                let into = error.merged_into().unwrap_or(id).to_owned();
                Ok(Some(self.one("ShowContact", &of(&into)).await?))
            }
            Err(Error::Api(error)) if matches!(error.status(), Some(404 | 410)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores the documents, and returns the id of the one that was wanted.
    fn keep_contacts(&mut self, documents: &[Box<RawValue>], wanted: &str) -> Result<String, Error> {
        self.store.store_records(ResourceName::Contacts, documents, self.now)?;
        let id = |document: &RawValue| {
            fields::id(&serde_json::from_str::<Value>(document.get()).unwrap_or_default()["id"])
        };
        if let [only] = documents
            && let Some(id) = id(only)
        {
            return Ok(id);
        }
        Ok(report::contact_360::find(self.store.connection(), wanted)?.id)
    }

    /// Fetches what belongs to the contact.
    async fn around(&mut self, id: &str, options: &Options) -> Result<(), Error> {
        let now = self.now;
        let own = json!({"field": "contact_ids", "operator": "=", "value": id});
        let conversations = self.all("searchConversations", search(&own)).await?;
        self.store.store_records(ResourceName::Conversations, &conversations, now)?;
        self.threads(id, options).await?;
        let tickets = self.all("searchTickets", search(&own)).await?;
        self.store.store_records(ResourceName::Tickets, &tickets, now)?;
        let segments = self.all("listSegmentsForAContact", of(id)).await?;
        self.store.store_contact_list(id, ContactList::Segments, &segments, now)?;
        let unlisted = self.unlisted(id)?;
        let has = |name: &str| unlisted.split(',').any(|list| list == name);
        for (list, name, lister, unnamed) in [
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
            let unnamed: bool = self
                .store
                .connection()
                .query_row(unnamed, [id], |row| row.get(0))
                .map_err(mirror::Error::from)?;
            if has(name) || unnamed {
                let items = self.all(lister, of(id)).await?;
                self.store.store_contact_list(id, list, &items, now)?;
            }
        }
        self.names(id).await
    }

    fn unlisted(&self, id: &str) -> Result<String, Error> {
        let sql = "SELECT unlisted FROM contacts WHERE id = ?1";
        let found: Option<Option<String>> = self
            .store
            .connection()
            .query_row(sql, [id], |row| row.get(0))
            .optional()
            .map_err(mirror::Error::from)?;
        Ok(found.flatten().unwrap_or_default())
    }

    /// Fetches the threads that will be shown, as far as they are not there already.
    async fn threads(&mut self, id: &str, options: &Options) -> Result<(), Error> {
        let found = contact_360(&self.store, id, options)?;
        let shown = found.open_conversations.iter().chain(&found.recent_conversations);
        let mut due: Vec<&str> =
            shown.filter(|it| it.parts != "complete").map(|conversation| conversation.id.as_str()).collect();
        due.sort_unstable();
        due.dedup();
        for conversation in due {
            match self.one("retrieveConversation", &of(conversation)).await {
                Ok(document) => {
                    let detail = Detail::read(&OF_CONVERSATIONS, document.get(), None, self.now);
                    let detail = detail.map_err(|error| api::Error::InvalidRequest(error.to_string()))?;
                    self.store.store_details(&[detail], self.now)?;
                }
                // Deleted a moment ago.
                Err(Error::Api(error)) if matches!(error.status(), Some(404 | 410)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fetches teammates and teams, where a conversation names one that is not known.
    async fn names(&mut self, id: &str) -> Result<(), Error> {
        for (resource, lister, column) in [
            (ResourceName::Admins, "listAdmins", "admin_assignee_id"),
            (ResourceName::Teams, "listTeams", "team_assignee_id"),
        ] {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM conversation_contacts AS link
                     JOIN conversations AS c ON c.id = link.conversation_id
                 WHERE link.contact_id = ?1 AND c.{column} NOT IN (SELECT id FROM {resource}))"
            );
            // One who has left is named by no list: they are asked for only where nobody is known.
            let unknown: bool = self
                .store
                .connection()
                .query_row(&sql, [id], |row| row.get(0))
                .map_err(mirror::Error::from)?;
            if unknown && self.store.is_empty(resource)? {
                let items = self.all(lister, Arguments::default()).await?;
                self.store.store_records(resource, &items, self.now)?;
            }
        }
        Ok(())
    }
}
