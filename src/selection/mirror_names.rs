//! The names that a filter uses, from the mirror.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::names::{NameList, NameSource};
use crate::mirror::read::RecordQuery;
use crate::mirror::{Error, ResourceName, Store, matching_contacts};

/// A mirror as the source of names.
pub struct StoredNames<'a>(pub &'a Store);

impl StoredNames<'_> {
    fn documents(&self, resource: ResourceName) -> Result<Vec<Value>, Error> {
        let mut documents = Vec::new();
        self.0.documents(resource, &RecordQuery::default(), |raw| {
            documents.extend(serde_json::from_str::<Value>(raw));
            Ok::<_, Error>(())
        })?;
        Ok(documents)
    }
}

impl NameSource for StoredNames<'_> {
    type Error = Error;

    async fn list(&self, list: NameList) -> Result<Vec<Value>, Error> {
        self.documents(match list {
            NameList::Tags => ResourceName::Tags,
            NameList::Teams => ResourceName::Teams,
            NameList::Segments => ResourceName::Segments,
            NameList::TicketTypes => ResourceName::TicketTypes,
            NameList::TicketStates => ResourceName::TicketStates,
            NameList::Admins => ResourceName::Admins,
        })
    }

    async fn companies(&self, _names: Vec<String>) -> Result<Vec<Value>, Error> {
        self.documents(ResourceName::Companies)
    }

    async fn data_attributes(&self) -> Result<Vec<Value>, Error> {
        self.documents(ResourceName::DataAttributes)
    }

    async fn contacts(&self, name: &str) -> Result<Vec<String>, Error> {
        let found = matching_contacts(self.0.connection(), name)?;
        Ok(found.into_iter().map(|contact| contact.id).collect())
    }

    async fn zone(&self, _compares_days: bool) -> Result<Option<TimeZone>, Error> {
        stored_zone(self.0).map(Some)
    }
}

/// The time zone of the mirrored workspace.
///
/// # Errors
/// When the database cannot be read.
pub fn stored_zone(store: &Store) -> Result<TimeZone, Error> {
    let name = store.workspace()?.and_then(|workspace| workspace.timezone);
    Ok(name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC))
}
