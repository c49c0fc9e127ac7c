//! Erases one person from the mirror: their contacts, what they wrote, and every mention of them.
//!
//! Conversations keep their counts and times, and records of other people must not change. A later sync brings back
//! whatever the workspace still has.

mod scrub;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use self::scrub::{Person, Scrub};
use super::Store;
use super::write::Table;
use crate::filter::By;
use crate::filter::person::{Phone, email};
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// The numbers of erased records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ErasureReport {
    /// Ids of the person's contacts.
    pub ids: Vec<String>,
    /// Removed contacts, with their notes, tags, companies, segments and subscriptions.
    pub contacts: u64,
    pub notes: u64,
    /// Removed calls.
    pub calls: u64,
    /// Conversations, tickets and their parts that were kept without the person.
    pub conversations: u64,
    pub conversation_parts: u64,
    pub tickets: u64,
    pub ticket_parts: u64,
    /// Other records that mentioned the person.
    pub others: u64,
}

/// Hashes that recognize the person without revealing who it is.
fn fingerprints(person: &Person, identifier: &str) -> BTreeSet<i64> {
    let texts = [&person.ids, &person.emails, &person.phones, &person.external_ids];
    texts.into_iter().flatten().map(String::as_str).chain([identifier]).map(fingerprint).collect()
}

/// A hash of an identifier, the same for all spellings.
fn fingerprint(identifier: &str) -> i64 {
    let text = Phone::read(identifier).map(|phone| phone.digits().to_owned());
    let text = text.or_else(|| By::Email.key(identifier)).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

impl Store {
    /// Erases a person, given as the id, email address, external id or phone number of a contact, or as the id or
    /// email address of an author whose contact is gone. With `dry_run`, nothing changes.
    ///
    /// The erased bytes remain in the file's free space until [`Store::vacuum`]. Until then, repeating the call
    /// completes one that was interrupted.
    ///
    /// # Errors
    /// [`Error::UnknownPerson`], [`Error::Locked`] during a sync, or if the database fails.
    pub fn forget(&mut self, identifier: &str, dry_run: bool) -> Result<ErasureReport, Error> {
        let _lock = self.lock()?;
        let transaction = self.write()?;
        let identifier = identifier.trim();
        let person = match find(&transaction, identifier) {
            // An earlier call was interrupted after it had erased the records.
            Err(Error::UnknownPerson { .. }) if is_begun(&transaction, identifier)? => {
                drop(transaction);
                if !dry_run {
                    self.index()?;
                }
                return Ok(ErasureReport::default());
            }
            found => found?,
        };
        let mut report =
            ErasureReport { ids: person.ids.iter().cloned().collect(), ..ErasureReport::default() };
        remove(&transaction, &person, &mut report)?;
        erase(&transaction, &person, &mut report)?;
        if dry_run {
            transaction.rollback()?;
            return Ok(report);
        }
        for fingerprint in fingerprints(&person, identifier) {
            transaction.execute("INSERT OR IGNORE INTO erasures (wanted) VALUES (?1)", [fingerprint])?;
        }
        transaction.commit()?;
        self.index()?;
        Ok(report)
    }
}

/// Whether this person was erased and the file has not been vacuumed since.
fn is_begun(connection: &Connection, identifier: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM erasures WHERE wanted = ?1)";
    Ok(connection.query_row(sql, [fingerprint(identifier)], |row| row.get(0))?)
}

fn find(connection: &Connection, identifier: &str) -> Result<Person, Error> {
    let mut person = Person::default();
    if identifier.is_empty() {
        return Err(Error::UnknownPerson { identifier: identifier.to_owned() });
    }
    contacts(connection, identifier, &mut person)?;
    if person.ids.is_empty() {
        let is_known: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE source_author_id = ?1 AND source_author_type <> 'admin')
                 OR EXISTS (SELECT 1 FROM conversation_parts
                            WHERE author_id = ?1 AND author_type NOT IN ('admin', 'team', 'bot'))
                 OR EXISTS (SELECT 1 FROM conversation_contacts WHERE contact_id = ?1)
                 OR EXISTS (SELECT 1 FROM ticket_contacts WHERE contact_id = ?1)",
            [identifier],
            |row| row.get(0),
        )?;
        if is_known {
            person.ids.insert(identifier.to_owned());
        }
    }
    person.emails.extend(email(identifier));
    authors(connection, &mut person)?;
    if person.ids.is_empty() {
        return Err(Error::UnknownPerson { identifier: identifier.to_owned() });
    }
    person.emails.retain(|address| !address.trim().is_empty());
    person.external_ids.retain(|id| !id.trim().is_empty());
    person.names.retain(|name| name.trim().len() > 2);
    Ok(person)
}

/// Adds the matching contacts, in any spelling. Contacts that share an email address are one person.
fn contacts(connection: &Connection, identifier: &str, person: &mut Person) -> Result<(), Error> {
    type Contact = (String, Option<String>, Option<String>, Option<String>, Option<String>);
    let mut statement = connection.prepare("SELECT id, email, phone, external_id, name FROM contacts")?;
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let all = statement.query_map([], read)?.collect::<Result<Vec<Contact>, _>>()?;
    let (address, number) = (By::Email.key(identifier), Phone::read(identifier));
    let key = |text: &Option<String>| text.as_deref().and_then(|text| By::Email.key(text));
    let phone = |text: &Option<String>| text.as_deref().and_then(Phone::read);
    let mut numbers = BTreeSet::new();
    let mut matches = |(id, mail, tel, external_id, _): &Contact| {
        let fits = number.as_ref().zip(phone(tel)).filter(|(wanted, stored)| wanted.fits(stored));
        numbers.extend(fits.iter().map(|(_, stored)| stored.digits().to_owned()));
        id == identifier
            || external_id.as_deref() == Some(identifier)
            || tel.as_deref() == Some(identifier)
            || fits.is_some()
            || (key(mail).is_some() && key(mail) == address)
    };
    let matching: Vec<&Contact> = all.iter().filter(|contact| matches(contact)).collect();
    if numbers.len() > 1 {
        let message =
            format!("{identifier:?} matches {} phone numbers: include the country code", numbers.len());
        return Err(Error::InvalidQuery(message));
    }
    let addresses: BTreeSet<String> = matching.iter().filter_map(|contact| key(&contact.1)).collect();
    let ids: BTreeSet<&String> = matching.iter().map(|contact| &contact.0).collect();
    let shares = |contact: &Contact| key(&contact.1).is_some_and(|address| addresses.contains(&address));
    for contact in all.iter().filter(|contact| ids.contains(&contact.0) || shares(contact)) {
        let (id, mail, tel, external_id, name) = contact.clone();
        person.ids.insert(id);
        person.emails.extend(mail);
        person.phones.extend(tel);
        person.external_ids.extend(external_id);
        person.names.extend(name);
    }
    Ok(())
}

/// Adds what messages show about the person as their author: other ids with the same address, names, addresses.
fn authors(connection: &Connection, person: &mut Person) -> Result<(), Error> {
    let (ids, emails) = (json(&person.ids)?, json(&person.emails)?);
    for (table, place) in [
        ("conversations", "$.source.author"),
        ("conversation_parts", "$.author"),
        ("ticket_parts", "$.author"),
    ] {
        let sql = format!(
            "SELECT DISTINCT author ->> '$.id', author ->> '$.email', author ->> '$.name'
             FROM (SELECT raw -> '{place}' AS author FROM {table})
             WHERE author ->> '$.type' IN ('user', 'lead', 'contact')
               AND (author ->> '$.id' IN (SELECT value FROM json_each(?1))
                    OR lower(author ->> '$.email') IN (SELECT lower(value) FROM json_each(?2)))"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query((&ids, &emails))?;
        while let Some(row) = rows.next()? {
            person.ids.extend(row.get::<_, Option<String>>(0)?);
            person.emails.extend(row.get::<_, Option<String>>(1)?);
            person.names.extend(row.get::<_, Option<String>>(2)?);
        }
    }
    Ok(())
}

fn json(texts: &BTreeSet<String>) -> Result<String, Error> {
    serde_json::to_string(texts).map_err(|error| Error::InvalidQuery(error.to_string()))
}

/// Removes the records that are only about the person.
fn remove(transaction: &Transaction<'_>, person: &Person, report: &mut ErasureReport) -> Result<(), Error> {
    for id in &person.ids {
        let sql = "SELECT count(*) FROM contact_notes WHERE contact_id = ?1";
        report.notes += transaction.query_row(sql, [id], |row| row.get::<_, i64>(0))?.unsigned_abs();
        report.contacts += transaction.execute("DELETE FROM contacts WHERE id = ?1", [id])? as u64;
        report.calls += transaction.execute("DELETE FROM calls WHERE contact_id = ?1", [id])? as u64;
        for table in ["sync_seen", "sync_rereads"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id])?;
        }
    }
    Ok(())
}

/// Erases the person from records that also involve others.
fn erase(transaction: &Transaction<'_>, person: &Person, report: &mut ErasureReport) -> Result<(), Error> {
    let scrub = Scrub::new(person);
    for resource in ResourceName::ALL {
        let erased = erase_from(transaction, *resource, &scrub)?;
        match resource {
            ResourceName::Conversations => report.conversations += erased,
            ResourceName::ConversationParts => report.conversation_parts += erased,
            ResourceName::Tickets => report.tickets += erased,
            ResourceName::TicketParts => report.ticket_parts += erased,
            _ => report.others += erased,
        }
    }
    for id in candidates(transaction, "contact_notes", &scrub)? {
        let sql = "SELECT raw FROM contact_notes WHERE id = ?1";
        let raw: String = transaction.prepare_cached(sql)?.query_row([&id], |row| row.get(0))?;
        if let Some(raw) = scrub.document(&raw) {
            transaction.execute("UPDATE contact_notes SET raw = ?2 WHERE id = ?1", params![id, raw])?;
            report.others += 1;
        }
    }
    // Contacts beyond a truncated list of the document are only in the link table.
    for link in [ResourceName::Conversations, ResourceName::Tickets]
        .iter()
        .flat_map(|resource| resource.resource().links)
    {
        if link.to == ResourceName::Contacts {
            for id in &person.ids {
                transaction
                    .execute(&format!("DELETE FROM {} WHERE {} = ?1", link.table, link.other), [id])?;
            }
        }
    }
    Ok(())
}

fn erase_from(transaction: &Transaction<'_>, resource: ResourceName, scrub: &Scrub) -> Result<u64, Error> {
    let parent = resource.resource().parent.unwrap_or("NULL");
    let read = format!("SELECT raw, {parent}, synced_at FROM {resource} WHERE id = ?1");
    let mut erased = 0;
    for id in candidates(transaction, resource.as_str(), scrub)? {
        let row: Option<(String, Option<String>, i64)> = transaction
            .prepare_cached(&read)?
            .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((raw, parent, synced_at)) = row else { continue };
        if let Some(raw) = scrub.document(&raw) {
            Table::new(transaction, resource.resource(), synced_at)?.replace(&raw, parent.as_deref())?;
            erased += 1;
        }
    }
    Ok(erased)
}

/// Ids of the records in a table that may mention the person.
fn candidates(connection: &Connection, table: &str, scrub: &Scrub) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(&format!("SELECT id, raw FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        if scrub.may_be_in(&row.get::<_, String>(1)?) {
            ids.push(row.get(0)?);
        }
    }
    Ok(ids)
}
