//! Finds contacts by what identifies them: id, external id, email address or telephone number.
//!
//! Returns every match in any spelling. Which one is meant is decided by the caller.

use rusqlite::{Connection, Row, params_from_iter};
use serde::Serialize;

use crate::filter::person::{Phone, email, folded};
use crate::mirror::error::Error;

/// A contact, with the fields that distinguish it from similar ones. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactSummary {
    pub id: String,
    pub role: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub external_id: Option<String>,
    pub created_at: Option<i64>,
    pub last_seen_at: Option<i64>,
}

impl ContactSummary {
    /// From columns in the order of the fields, the first of which is `from`.
    ///
    /// # Errors
    /// If a column has another type.
    pub fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Self> {
        Ok(ContactSummary {
            id: row.get(from)?,
            role: row.get(from + 1)?,
            name: row.get(from + 2)?,
            email: row.get(from + 3)?,
            phone: row.get(from + 4)?,
            external_id: row.get(from + 5)?,
            created_at: row.get(from + 6)?,
            last_seen_at: row.get(from + 7)?,
        })
    }
}

/// All contacts with this id, external id, email address or telephone number, in any spelling.
///
/// # Errors
/// If the store cannot be read.
pub fn matching_contacts(connection: &Connection, query: &str) -> Result<Vec<ContactSummary>, Error> {
    let query = query.trim();
    let address = email(query).unwrap_or_else(|| query.to_owned());
    let mut all = select(
        connection,
        "id = ?1 UNION SELECT {columns} FROM contacts WHERE external_id = ?1
         UNION SELECT {columns} FROM contacts WHERE email IN (?1, ?2)
         UNION SELECT {columns} FROM contacts WHERE phone = ?1",
        &[query, &address],
    )?;
    // An id is unique, so an exact match beats all others.
    if let Some(index) = all.iter().position(|candidate| candidate.id == query) {
        return Ok(vec![all.swap_remove(index)]);
    }
    let mut others = Vec::new();
    // SQLite ignores the case and composition of ASCII letters only.
    if !address.is_ascii() && email(query).is_some() {
        let stored = select(connection, "email <> ''", &[])?;
        let is_match = |email: &str| folded(email) == address;
        others.extend(stored.into_iter().filter(|contact| contact.email.as_deref().is_some_and(is_match)));
    }
    if let Some(phone) = Phone::read(query) {
        let is_match = |stored: &str| Phone::read(stored).is_some_and(|stored| stored.fits(&phone));
        let stored = select(connection, "phone <> ''", &[])?;
        others.extend(stored.into_iter().filter(|contact| contact.phone.as_deref().is_some_and(is_match)));
    }
    for candidate in others {
        if !all.iter().any(|contact| contact.id == candidate.id) {
            all.push(candidate);
        }
    }
    Ok(all)
}

fn select(connection: &Connection, condition: &str, values: &[&str]) -> Result<Vec<ContactSummary>, Error> {
    let columns = "id, role, name, email, phone, external_id, created_at, last_seen_at";
    let sql = format!("SELECT {{columns}} FROM contacts WHERE {condition}").replace("{columns}", columns);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| ContactSummary::read(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
