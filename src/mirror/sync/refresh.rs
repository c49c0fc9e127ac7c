//! Fetches single records outside of a sync, with as few requests as possible.
//!
//! Responses are stored like those of a sync. This is never the whole of a resource, so no record may be removed and no
//! watermark may move.

use futures::TryStreamExt;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api;
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::conversation::{Detail, OF_CONVERSATIONS, OF_TICKETS};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::Store;
use crate::mirror::store::upsert_contact::ContactList;

/// Requests of single records, and the store that their responses go to.
pub struct RecordRefresh<'a> {
    client: &'a Client,
    pub store: &'a mut Store,
    /// The number of requests so far.
    pub requests: u64,
    /// Epoch seconds.
    pub now: i64,
}

/// What became of a requested record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    Stored {
        id: String,
    },
    /// The contact with this id is stored instead, and the requested one no longer exists.
    MergedInto {
        id: String,
    },
    /// The API says that the record does not exist.
    Gone,
}

/// A received record.
struct Answer {
    document: Box<RawValue>,
    /// Epoch seconds by the server's clock, if the response has a date.
    fetched_at: i64,
}

pub(super) fn path_of(id: &str) -> Arguments {
    Arguments { path: vec![id.to_owned()], ..Arguments::default() }
}

impl<'a> RecordRefresh<'a> {
    pub fn new(client: &'a Client, store: &'a mut Store) -> Self {
        RecordRefresh { client, store, requests: 0, now: Timestamp::now().as_second() }
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

    /// Fetches a record and stores it: conversations and tickets with their parts, contacts with the lists that their
    /// document omits. The record must be of a resource whose records can be requested by id.
    ///
    /// # Errors
    /// If a request or the database fails. An answer that does not prove that the record is gone is an error.
    pub async fn record(&mut self, resource: ResourceName, id: &str) -> Result<Fetched, Error> {
        let fetched = self.fetch(resource, id).await?;
        if resource == ResourceName::Contacts
            && let Fetched::Stored { id } | Fetched::MergedInto { id } = &fetched
        {
            for list in self.store.incomplete_lists(id)? {
                self.contact_list(id, list).await?;
            }
        }
        Ok(fetched)
    }

    /// Fetches and stores a contact, or the one that it was merged into, and returns its id. `None` if it was deleted, or
    /// merged into an unknown contact.
    ///
    /// # Errors
    /// If a request or the database fails.
    pub async fn contact(&mut self, id: &str) -> Result<Option<String>, Error> {
        self.id_of(ResourceName::Contacts, id).await
    }

    /// Fetches a conversation with its parts, and returns its id. `None` if it was deleted.
    ///
    /// # Errors
    /// If the request or the database fails.
    pub async fn thread(&mut self, id: &str) -> Result<Option<String>, Error> {
        self.id_of(ResourceName::Conversations, id).await
    }

    async fn id_of(&mut self, resource: ResourceName, id: &str) -> Result<Option<String>, Error> {
        match self.fetch(resource, id).await {
            Ok(Fetched::Stored { id } | Fetched::MergedInto { id }) => Ok(Some(id)),
            Ok(Fetched::Gone) => Ok(None),
            Err(Error::Api(error)) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn fetch(&mut self, resource: ResourceName, id: &str) -> Result<Fetched, Error> {
        let get = resource
            .resource()
            .get_operation
            .ok_or_else(|| Error::InvalidQuery(format!("{resource} cannot be requested by id")))?;
        match self.get(get, &path_of(id)).await {
            Ok(answer) => Ok(Fetched::Stored { id: self.store_answer(resource, &answer)? }),
            Err(Error::Api(error)) => match error.merged_into() {
                Some(into) if into != id => {
                    let answer = self.get(get, &path_of(into)).await?;
                    Ok(Fetched::MergedInto { id: self.store_answer(resource, &answer)? })
                }
                _ if error.is_gone() => Ok(Fetched::Gone),
                _ => Err(error.into()),
            },
            Err(error) => Err(error),
        }
    }

    /// Returns the id of the stored record.
    fn store_answer(&mut self, resource: ResourceName, answer: &Answer) -> Result<String, Error> {
        let nesting = [&OF_CONVERSATIONS, &OF_TICKETS].into_iter().find(|of| of.owner == resource);
        if let Some(of) = nesting {
            let detail = Detail::read(of, answer.document.get(), None, answer.fetched_at);
            let detail = detail.map_err(|error| unreadable(&error))?;
            self.store.store_detail(&detail, self.now)?;
            return Ok(detail.id);
        }
        self.store.store_records(resource, std::slice::from_ref(&answer.document), self.now)?;
        let id = resource.resource().id(&parsed(&answer.document)?);
        id.ok_or_else(|| api::Error::InvalidRequest("the answer has no id".to_owned()).into())
    }

    pub(super) async fn contact_list(&mut self, id: &str, list: ContactList) -> Result<(), Error> {
        let operation = match list {
            ContactList::Tags => "listTagsForAContact",
            ContactList::Companies => "listCompaniesForAContact",
            ContactList::Notes => "listNotes",
            ContactList::Segments => "listSegmentsForAContact",
        };
        let items = self.list(operation, path_of(id)).await?;
        self.store.store_contact_list(id, list, &items, self.now)
    }

    async fn get(&mut self, id: &'static str, arguments: &Arguments) -> Result<Answer, Error> {
        self.requests += 1;
        let reply = self.client.fetch(operation(id)?, arguments).await?;
        let fetched_at = reply.date().unwrap_or(self.now);
        let document = RawValue::from_string(reply.json_text()?.to_owned());
        Ok(Answer { document: document.map_err(|error| unreadable(&error))?, fetched_at })
    }

    pub(super) async fn list(
        &mut self,
        id: &'static str,
        arguments: Arguments,
    ) -> Result<Vec<Box<RawValue>>, Error> {
        let pages: Vec<_> = self.client.pages(operation(id)?, arguments, None).try_collect().await?;
        self.requests += pages.len() as u64;
        Ok(pages.into_iter().flat_map(|page| page.items).collect())
    }
}

pub(super) fn parsed(document: &RawValue) -> Result<Value, Error> {
    serde_json::from_str(document.get()).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> Error {
    api::Error::InvalidRequest(error.to_string()).into()
}
