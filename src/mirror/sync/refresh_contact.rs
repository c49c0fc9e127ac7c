//! Fetches what belongs to one contact, for a view of the contact that is current.
//!
//! As in `refresh`, no record may be removed and no watermark may move.

use serde_json::{Value, json};

use super::refresh::{RecordRefresh, parsed};
use crate::api::request_builder::Arguments;
use crate::data::lenient;
use crate::filter::contact_lookup;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;
use crate::mirror::store::upsert_contact::ContactList;

/// The arguments of the search that covers all fields that a query may refer to.
pub fn contact_search(query: &str) -> Arguments {
    search(&contact_lookup::search_query(query))
}

fn search(query: &Value) -> Arguments {
    Arguments { body: Some(json!({ "query": query }).to_string().into_bytes()), ..Arguments::default() }
}

impl RecordRefresh<'_> {
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
}

fn by_contact(id: &str) -> Value {
    json!({"field": "contact_ids", "operator": "=", "value": id})
}
