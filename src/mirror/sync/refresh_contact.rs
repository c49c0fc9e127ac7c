//! Fetches one contact and its records outside of a sync, with as few requests as possible.
//!
//! Responses are stored like those of a sync. This is never the whole of a resource, so no record may be removed and no
//! watermark may move.

use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api;
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::filter::contact_lookup;
use crate::mirror::conversation::{Detail, OF_CONVERSATIONS};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::upsert_contact::ContactList;

/// The requests about one contact, and the store that their responses go to.
pub struct ContactRefresh<'a> {
    client: &'a Client,
    pub store: &'a mut Store,
    /// The number of requests so far.
    pub requests: u64,
    /// Epoch seconds.
    pub now: i64,
}

/// The arguments of the search that covers all fields that a query may refer to.
pub fn contact_search(query: &str) -> Arguments {
    search(&contact_lookup::search_query(query))
}

fn search(query: &Value) -> Arguments {
    Arguments { body: Some(json!({ "query": query }).to_string().into_bytes()), ..Arguments::default() }
}

fn path_of(id: &str) -> Arguments {
    Arguments { path: vec![id.to_owned()], ..Arguments::default() }
}

impl<'a> ContactRefresh<'a> {
    pub fn new(client: &'a Client, store: &'a mut Store) -> Self {
        ContactRefresh { client, store, requests: 0, now: Timestamp::now().as_second() }
    }

    /// Checks that the token belongs to the workspace of the store.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] if it does not, and if the request fails.
    pub async fn check_workspace(&mut self) -> Result<(), Error> {
        let Some(stored) = self.store.workspace()? else { return Ok(()) };
        self.requests += 1;
        let owner = identity(self.client).await?;
        match owner.reported_workspace() {
            Some(code) if code != stored.id_code => Err(Error::OtherWorkspace {
                path: self.store.path().to_owned(),
                stored: stored.id_code,
                given: code.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Binds a new store to the workspace of the token, or checks that it belongs to it.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] if it does not, and if the request or the database fails.
    pub async fn bind(&mut self) -> Result<(), Error> {
        self.requests += 1;
        let owner = identity(self.client).await?;
        match super::workspace(self.client, &owner)? {
            Some(workspace) => self.store.bind(&workspace),
            None => Ok(()),
        }
    }

    /// Fetches and stores a contact, or the one that it was merged into, and returns its id. `None` if it was deleted, or
    /// merged into an unknown contact.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn contact(&mut self, id: &str) -> Result<Option<String>, Error> {
        let document = match self.get("ShowContact", &path_of(id)).await {
            Ok(document) => document,
            Err(Error::Api(error)) if error.merged_into().is_some_and(|into| into != id) => {
                let into = error.merged_into().unwrap_or(id);
                self.get("ShowContact", &path_of(into)).await?
            }
            Err(Error::Api(error)) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        self.store.store_records(ResourceName::Contacts, std::slice::from_ref(&document), self.now)?;
        Ok(lenient::id(&parsed(&document)?["id"]))
    }

    /// Searches for contacts by id, external id, email address or phone number, stores them, and returns their ids.
    /// The search index can be minutes behind.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn matching_contacts(&mut self, query: &str) -> Result<Vec<String>, Error> {
        let mut matching = Vec::new();
        let mut ids = Vec::new();
        for document in self.list("SearchContacts", contact_search(query)).await? {
            let contact = parsed(&document)?;
            // Phone numbers are searched by their last digits.
            if contact_lookup::is_match(query, &contact) {
                ids.extend(lenient::id(&contact["id"]));
                matching.push(document);
            }
        }
        if !matching.is_empty() {
            self.store.store_records(ResourceName::Contacts, &matching, self.now)?;
        }
        Ok(ids)
    }

    /// Fetches the conversations of a contact, without their parts.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn conversations(&mut self, id: &str) -> Result<(), Error> {
        self.records("searchConversations", ResourceName::Conversations, search(&by_contact(id))).await
    }

    /// Fetches conversations with their parts.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn threads(&mut self, ids: &[&str]) -> Result<(), Error> {
        for id in ids {
            // `None`: deleted since it was listed.
            self.thread(id).await?;
        }
        Ok(())
    }

    /// Fetches a conversation with its parts, and returns its id. `None` if it was deleted.
    ///
    /// # Errors
    /// If the request or the database fails.
    pub async fn thread(&mut self, id: &str) -> Result<Option<String>, Error> {
        let document = match self.get("retrieveConversation", &path_of(id)).await {
            Ok(document) => document,
            Err(Error::Api(error)) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let detail = Detail::read(&OF_CONVERSATIONS, document.get(), None, self.now);
        let detail = detail.map_err(|error| unreadable(&error))?;
        self.store.store_detail(&detail, self.now)?;
        Ok(Some(detail.id))
    }

    /// Fetches tickets and segments of a contact, and the tags, companies, notes and names that the mirror lacks.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn related_records(&mut self, id: &str) -> Result<(), Error> {
        self.records("searchTickets", ResourceName::Tickets, search(&by_contact(id))).await?;
        self.contact_list(id, ContactList::Segments).await?;
        for list in self.store.incomplete_lists(id)? {
            self.contact_list(id, list).await?;
        }
        for (resource, operation) in
            [(ResourceName::Admins, "listAdmins"), (ResourceName::Teams, "listTeams")]
        {
            if self.store.lacks_assignees(id, resource)? {
                self.records(operation, resource, Arguments::default()).await?;
            }
        }
        Ok(())
    }

    async fn contact_list(&mut self, id: &str, list: ContactList) -> Result<(), Error> {
        let operation = match list {
            ContactList::Tags => "listTagsForAContact",
            ContactList::Companies => "listCompaniesForAContact",
            ContactList::Notes => "listNotes",
            ContactList::Segments => "listSegmentsForAContact",
        };
        let items = self.list(operation, path_of(id)).await?;
        self.store.store_contact_list(id, list, &items, self.now)
    }

    async fn records(
        &mut self,
        operation: &'static str,
        resource: ResourceName,
        arguments: Arguments,
    ) -> Result<(), Error> {
        let items = self.list(operation, arguments).await?;
        self.store.store_records(resource, &items, self.now)?;
        Ok(())
    }

    async fn get(&mut self, id: &'static str, arguments: &Arguments) -> Result<Box<RawValue>, Error> {
        self.requests += 1;
        let reply = self.client.fetch(operation(id)?, arguments).await?;
        RawValue::from_string(reply.json_text()?.to_owned()).map_err(|error| unreadable(&error))
    }

    async fn list(&mut self, id: &'static str, arguments: Arguments) -> Result<Vec<Box<RawValue>>, Error> {
        let pages: Vec<_> = self.client.pages(operation(id)?, arguments, None).try_collect().await?;
        self.requests += pages.len() as u64;
        Ok(pages.into_iter().flat_map(|page| page.items).collect())
    }
}

fn by_contact(id: &str) -> Value {
    json!({"field": "contact_ids", "operator": "=", "value": id})
}

fn parsed(document: &RawValue) -> Result<Value, Error> {
    serde_json::from_str(document.get()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Error {
    api::Error::InvalidRequest(error.to_string()).into()
}
