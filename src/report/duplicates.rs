//! Contacts that are probably the same person.
//!
//! Only says which; merging is the command's matter. The API merges leads into users and nothing else, so a
//! plan never contains another kind.

use std::collections::BTreeMap;

use serde::Serialize;

use super::candidate::Candidate;
use super::error::Error;
pub use crate::filter::By;
use crate::mirror::{ResourceName, Store};

/// Contacts that share one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    pub by: By,
    pub value: String,
    /// Who should remain: a user before a lead, then who was active last, then who came first.
    pub survivor: String,
    /// The survivor first.
    pub contacts: Vec<Candidate>,
    /// Leads that can be merged into the survivor.
    pub merge: Vec<String>,
    /// Contacts that the API cannot merge: users, or everybody where no user is among them.
    pub unmergeable: Vec<String>,
}

/// The clusters, in order of their values.
///
/// # Errors
/// [`Error::NothingSynced`], and when the store cannot be read.
pub fn duplicates(store: &Store, by: By) -> Result<Vec<Cluster>, Error> {
    let state = store.sync_state(ResourceName::Contacts)?;
    if state.is_none_or(|state| state.watermark.is_none()) && store.is_empty(ResourceName::Contacts)? {
        return Err(Error::NothingSynced { resource: ResourceName::Contacts });
    }
    let column = by.field();
    let sql = format!(
        "SELECT {column}, id, role, name, email, phone, external_id, created_at,
                coalesce(last_seen_at, last_replied_at, updated_at)
         FROM contacts WHERE {column} <> ''"
    );
    let mut statement = store.connection().prepare_cached(&sql)?;
    let mut clusters = BTreeMap::<String, Vec<Candidate>>::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value: String = row.get(0)?;
        let Some(key) = by.key(&value) else { continue };
        clusters.entry(key).or_default().push(Candidate {
            id: row.get(1)?,
            role: row.get(2)?,
            name: row.get(3)?,
            email: row.get(4)?,
            phone: row.get(5)?,
            external_id: row.get(6)?,
            created_at: row.get(7)?,
            last_seen_at: row.get(8)?,
        });
    }
    let several = clusters.into_iter().filter(|(_, contacts)| contacts.len() > 1);
    Ok(several.map(|(value, contacts)| cluster(by, value, contacts)).collect())
}

fn cluster(by: By, value: String, mut contacts: Vec<Candidate>) -> Cluster {
    contacts.sort_by_key(|contact| {
        let lead = contact.role.as_deref() != Some("user");
        (lead, -contact.last_seen_at.unwrap_or(0), contact.created_at.unwrap_or(i64::MAX), contact.id.clone())
    });
    let user = |contact: &Candidate| contact.role.as_deref() == Some("user");
    let into_user = contacts.first().is_some_and(user);
    let lead = |contact: &Candidate| into_user && contact.role.as_deref() == Some("lead");
    let (merge, unmergeable): (Vec<&Candidate>, Vec<&Candidate>) =
        contacts.iter().skip(1).partition(|it| lead(it));
    let ids = |list: Vec<&Candidate>| list.iter().map(|contact| contact.id.clone()).collect();
    Cluster {
        by,
        value,
        survivor: contacts.first().map(|contact| contact.id.clone()).unwrap_or_default(),
        merge: ids(merge),
        unmergeable: ids(unmergeable),
        contacts,
    }
}
