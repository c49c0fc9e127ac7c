//! Which contact somebody means.
//!
//! Never a guess: what fits several people is a list of them. A lead that was merged into a user is the
//! user; that is told by conversations which the lead wrote in and which name somebody else now.

use std::collections::BTreeSet;

use rusqlite::{Connection, params_from_iter};

use crate::filter::person::{Phone, email, folded};
use crate::report::candidate::Candidate;
use crate::report::error::Error;

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    /// Leads that were merged into this contact, as far as that was needed to find it.
    pub merged: Vec<String>,
}

/// Finds a contact by id, external id, e-mail address or telephone number.
///
/// # Errors
/// [`Error::NoContact`], [`Error::SeveralContacts`], and when the store cannot be read.
pub fn find(connection: &Connection, wanted: &str) -> Result<Found, Error> {
    let wanted = wanted.trim();
    let mut candidates = candidates(connection, wanted)?;
    if candidates.len() > 1 {
        candidates = without_merged(connection, candidates)?;
    }
    match &candidates[..] {
        [] => vanished(connection, wanted)?.ok_or_else(|| Error::NoContact { wanted: wanted.to_owned() }),
        [(only, merged)] => Ok(Found { id: only.id.clone(), merged: merged.clone() }),
        _ => Err(Error::SeveralContacts {
            wanted: wanted.to_owned(),
            candidates: candidates.into_iter().map(|(candidate, _)| candidate).collect(),
        }),
    }
}

type Weighed = (Candidate, Vec<String>);

fn candidates(connection: &Connection, wanted: &str) -> Result<Vec<Weighed>, Error> {
    Ok(everybody(connection, wanted)?.into_iter().map(|candidate| (candidate, Vec::new())).collect())
}

/// Everybody who has this id, external id, e-mail address or telephone number, in whatever spelling.
///
/// # Errors
/// When the store cannot be read.
pub fn everybody(connection: &Connection, wanted: &str) -> Result<Vec<Candidate>, Error> {
    let wanted = wanted.trim();
    let address = email(wanted).unwrap_or_else(|| wanted.to_owned());
    let mut all = chosen(
        connection,
        "id = ?1 UNION SELECT {columns} FROM contacts WHERE external_id = ?1
         UNION SELECT {columns} FROM contacts WHERE email IN (?1, ?2)
         UNION SELECT {columns} FROM contacts WHERE phone = ?1",
        &[wanted, &address],
    )?;
    // An id belongs to one contact only, whatever else may be spelt like it.
    if let Some(place) = all.iter().position(|candidate| candidate.id == wanted) {
        return Ok(vec![all.swap_remove(place)]);
    }
    let mut others = Vec::new();
    // Of letters that are not English, SQLite compares neither case nor composition.
    if !address.is_ascii() && email(wanted).is_some() {
        let stored = chosen(connection, "email <> ''", &[])?;
        others.extend(
            stored.into_iter().filter(|it| it.email.as_deref().is_some_and(|it| folded(it) == address)),
        );
    }
    if let Some(phone) = Phone::read(wanted) {
        let fits = |stored: &str| Phone::read(stored).is_some_and(|stored| stored.fits(&phone));
        let stored = chosen(connection, "phone <> ''", &[])?;
        others.extend(stored.into_iter().filter(|it| it.phone.as_deref().is_some_and(fits)));
    }
    for candidate in others {
        if !all.iter().any(|known| known.id == candidate.id) {
            all.push(candidate);
        }
    }
    Ok(all)
}

/// The contacts that a condition selects.
fn chosen(connection: &Connection, condition: &str, values: &[&str]) -> Result<Vec<Candidate>, Error> {
    let columns = "id, role, name, email, phone, external_id, created_at, last_seen_at";
    let sql = format!("SELECT {{columns}} FROM contacts WHERE {condition}").replace("{columns}", columns);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(Candidate {
            id: row.get(0)?,
            role: row.get(1)?,
            name: row.get(2)?,
            email: row.get(3)?,
            phone: row.get(4)?,
            external_id: row.get(5)?,
            created_at: row.get(6)?,
            last_seen_at: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes out leads whose conversations belong to another candidate.
fn without_merged(connection: &Connection, candidates: Vec<Weighed>) -> Result<Vec<Weighed>, Error> {
    let ids: BTreeSet<String> = candidates.iter().map(|(candidate, _)| candidate.id.clone()).collect();
    let mut kept = candidates.clone();
    for (candidate, _) in &candidates {
        if candidate.role.as_deref() == Some("user") {
            continue;
        }
        let successors: Vec<String> =
            successors(connection, &candidate.id)?.into_iter().filter(|id| ids.contains(id)).collect();
        if let [successor] = &successors[..]
            && *successor != candidate.id
        {
            kept.retain(|(other, _)| other.id != candidate.id);
            for (other, merged) in &mut kept {
                if other.id == *successor {
                    merged.push(candidate.id.clone());
                }
            }
        }
    }
    Ok(kept)
}

/// A contact that the mirror knows from conversations only.
fn vanished(connection: &Connection, wanted: &str) -> Result<Option<Found>, Error> {
    let named = "SELECT EXISTS (SELECT 1 FROM conversation_contacts WHERE contact_id = ?1)";
    if connection.prepare_cached(named)?.query_row([wanted], |row| row.get(0))? {
        return Ok(Some(Found { id: wanted.to_owned(), merged: Vec::new() }));
    }
    Ok(match &successors(connection, wanted)?[..] {
        [only] => Some(Found { id: only.clone(), merged: vec![wanted.to_owned()] }),
        _ => None,
    })
}

/// Whom the conversations name in which a contact wrote. Where somebody else took part all along, there
/// are several.
fn successors(connection: &Connection, contact: &str) -> Result<Vec<String>, Error> {
    let sql = "
        WITH own AS (
            SELECT id FROM conversations WHERE source_author_id = ?1 AND source_author_type <> 'admin'
            UNION
            SELECT conversation_id FROM conversation_parts
            WHERE author_id = ?1 AND author_type IN ('user', 'lead', 'contact', 'visitor')
        ),
        named AS (
            SELECT DISTINCT link.contact_id FROM own JOIN conversation_contacts AS link ON link.conversation_id = own.id
        )
        SELECT contact_id FROM named ORDER BY contact_id LIMIT 2";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map([contact], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
