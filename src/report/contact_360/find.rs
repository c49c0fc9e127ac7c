//! Finds the contact that a query refers to.
//!
//! Must never guess: several matches are an error that lists them. A lead that was merged into a user resolves to
//! the user; such a merge shows in the lead's conversations, which now name another contact.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::mirror::matching_contacts;
use crate::report::ContactSummary;
use crate::report::error::Error;

/// The contact that a query refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactMatch {
    pub id: String,
    /// Merged leads that were followed to find it.
    pub merged: Vec<String>,
}

/// Finds a contact by id, external id, email address or telephone number.
///
/// # Errors
/// [`Error::NoContact`], [`Error::SeveralContacts`], and if the store cannot be read.
pub fn find_contact(connection: &Connection, query: &str) -> Result<ContactMatch, Error> {
    let query = query.trim();
    let mut candidates = matching_contacts(connection, query)?;
    let merges = if candidates.len() > 1 { drop_merged(connection, &mut candidates)? } else { Vec::new() };
    match &candidates[..] {
        [] => unsynced(connection, query)?.ok_or_else(|| Error::NoContact { query: query.to_owned() }),
        [only] => {
            let leads = merges.into_iter().filter(|(_, into)| *into == only.id).map(|(lead, _)| lead);
            Ok(ContactMatch { id: only.id.clone(), merged: leads.collect() })
        }
        _ => Err(Error::SeveralContacts { query: query.to_owned(), candidates }),
    }
}

/// Removes leads whose conversations now belong to another candidate. Returns the ids of each lead and the contact that it
/// was merged into.
fn drop_merged(
    connection: &Connection,
    candidates: &mut Vec<ContactSummary>,
) -> Result<Vec<(String, String)>, Error> {
    let ids: BTreeSet<String> = candidates.iter().map(|candidate| candidate.id.clone()).collect();
    let mut merges = Vec::new();
    for lead in candidates.iter().filter(|candidate| candidate.role.as_deref() != Some("user")) {
        let mut successors = successors(connection, &lead.id)?;
        successors.retain(|id| ids.contains(id));
        if let [successor] = &successors[..]
            && *successor != lead.id
        {
            merges.push((lead.id.clone(), successor.clone()));
        }
    }
    candidates.retain(|candidate| merges.iter().all(|(lead, _)| *lead != candidate.id));
    Ok(merges)
}

/// A contact that the mirror knows only from conversations.
fn unsynced(connection: &Connection, query: &str) -> Result<Option<ContactMatch>, Error> {
    let exists = "SELECT EXISTS (SELECT 1 FROM conversation_contacts WHERE contact_id = ?1)";
    if connection.prepare_cached(exists)?.query_row([query], |row| row.get(0))? {
        return Ok(Some(ContactMatch { id: query.to_owned(), merged: Vec::new() }));
    }
    Ok(match &successors(connection, query)?[..] {
        [only] => Some(ContactMatch { id: only.clone(), merged: vec![query.to_owned()] }),
        _ => None,
    })
}

/// The contacts of the conversations in which a contact wrote. Several if others took part.
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
