//! Finds contacts that are probably the same person. Only reports them; commands do the merging.
//!
//! The API merges leads into users and nothing else, so `merge` must never contain any other pair.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ContactSummary;
use super::error::{Error, require_synced};
pub use crate::filter::By;
use crate::mirror::{ResourceName, Store};

/// Contacts that share one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    pub by: By,
    pub value: String,
    /// The contact to keep: users before leads, then the last active, then the oldest.
    pub survivor: String,
    /// The survivor first.
    pub contacts: Vec<ContactSummary>,
    /// Leads that can be merged into the survivor.
    pub merge: Vec<String>,
    /// Contacts that the API cannot merge: other users, or all others in a cluster without a user.
    pub unmergeable: Vec<String>,
}

/// The clusters, in order of their values.
///
/// # Errors
/// [`Error::NothingSynced`], and if the store cannot be read.
pub fn duplicates(store: &Store, by: By) -> Result<Vec<Cluster>, Error> {
    require_synced(store, ResourceName::Contacts)?;
    let column = by.field();
    let sql = format!(
        "SELECT {column}, id, role, name, email, phone, external_id, created_at,
                coalesce(last_seen_at, last_replied_at, updated_at)
         FROM contacts WHERE {column} <> ''"
    );
    let mut statement = store.connection().prepare_cached(&sql)?;
    let mut clusters = BTreeMap::<String, Vec<ContactSummary>>::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value: String = row.get(0)?;
        let Some(key) = by.key(&value) else { continue };
        clusters.entry(key).or_default().push(ContactSummary::read(row, 1)?);
    }
    let duplicates = clusters.into_iter().filter(|(_, contacts)| contacts.len() > 1);
    Ok(duplicates.map(|(value, contacts)| cluster(by, value, contacts)).collect())
}

fn cluster(by: By, value: String, mut contacts: Vec<ContactSummary>) -> Cluster {
    contacts.sort_by_key(|contact| {
        let is_lead = contact.role.as_deref() != Some("user");
        (
            is_lead,
            -contact.last_seen_at.unwrap_or(0),
            contact.created_at.unwrap_or(i64::MAX),
            contact.id.clone(),
        )
    });
    let is_user = |contact: &ContactSummary| contact.role.as_deref() == Some("user");
    let into_user = contacts.first().is_some_and(is_user);
    let is_mergeable = |contact: &ContactSummary| into_user && contact.role.as_deref() == Some("lead");
    let (merge, unmergeable): (Vec<&ContactSummary>, Vec<&ContactSummary>) =
        contacts.iter().skip(1).partition(|contact| is_mergeable(contact));
    let ids = |list: Vec<&ContactSummary>| list.iter().map(|contact| contact.id.clone()).collect();
    Cluster {
        by,
        value,
        survivor: contacts.first().map(|contact| contact.id.clone()).unwrap_or_default(),
        merge: ids(merge),
        unmergeable: ids(unmergeable),
        contacts,
    }
}
