//! Erases one person from the mirror: what is known about them, what they wrote, and where they are named.
//!
//! It must leave everybody else's records as they are, and the counts and times of conversations too: those
//! stay, without the person. What the workspace still has comes back with a later sync.

mod scrub;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;

use self::scrub::Scrub;
use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;
use super::write::Table;
use crate::filter::By;
use crate::filter::person::{Phone, email};

/// Shorter ids would be found in what has nothing to do with the person.
const TELLING: usize = 7;

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Ids of the person's contacts.
    pub ids: Vec<String>,
    /// Contacts that were removed, with their notes, tags, companies, segments and subscriptions.
    pub contacts: u64,
    pub notes: u64,
    /// Calls that were removed.
    pub calls: u64,
    /// Conversations, tickets and their parts from which the person was erased.
    pub conversations: u64,
    pub conversation_parts: u64,
    pub tickets: u64,
    pub ticket_parts: u64,
    /// Records of other kinds that named the person.
    pub others: u64,
}

/// Who is to be forgotten.
#[derive(Debug, Default)]
struct Person {
    ids: BTreeSet<String>,
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
    external_ids: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Person {
    /// Numbers that tell whether somebody is this person, and do not tell who it is.
    fn marks(&self, wanted: &str) -> BTreeSet<i64> {
        let texts = [&self.ids, &self.emails, &self.phones, &self.external_ids];
        texts.into_iter().flatten().map(String::as_str).chain([wanted]).map(mark).collect()
    }
}

/// A number made from an identifier, in whatever spelling.
fn mark(identifier: &str) -> i64 {
    let text = Phone::read(identifier).map(|phone| phone.digits().to_owned());
    let text = text.or_else(|| By::Email.key(identifier)).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

impl Store {
    /// Erases a person, who is named by the id, e-mail address, external id or telephone number of a contact,
    /// or by the id or address of an author whose contact is gone. With `dry_run` nothing is changed.
    ///
    /// The file still has to be written again for the bytes to be gone from its free space: [`Store::vacuum`].
    /// Until then the same call can be repeated, which completes one that was stopped half-way.
    ///
    /// # Errors
    /// [`Error::Nobody`], [`Error::Locked`] while a sync runs, and when the database refuses.
    pub fn forget(&mut self, wanted: &str, dry_run: bool) -> Result<Forgotten, Error> {
        let _lock = self.lock()?;
        let transaction = self.write()?;
        let wanted = wanted.trim();
        let person = match find(&transaction, wanted) {
            // An earlier call was stopped after it had erased the records.
            Err(Error::Nobody { .. }) if is_begun(&transaction, wanted)? => {
                drop(transaction);
                if !dry_run {
                    self.index()?;
                }
                return Ok(Forgotten::default());
            }
            found => found?,
        };
        let mut forgotten = Forgotten { ids: person.ids.iter().cloned().collect(), ..Forgotten::default() };
        remove(&transaction, &person, &mut forgotten)?;
        erase(&transaction, &person, &mut forgotten)?;
        if dry_run {
            transaction.rollback()?;
            return Ok(forgotten);
        }
        for mark in person.marks(wanted) {
            transaction.execute("INSERT OR IGNORE INTO erasures (wanted) VALUES (?1)", [mark])?;
        }
        transaction.commit()?;
        self.index()?;
        Ok(forgotten)
    }
}

/// Whether this person was erased, and the file has not been written again since.
fn is_begun(connection: &Connection, wanted: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM erasures WHERE wanted = ?1)";
    Ok(connection.query_row(sql, [mark(wanted)], |row| row.get(0))?)
}

fn find(connection: &Connection, wanted: &str) -> Result<Person, Error> {
    let mut person = Person::default();
    if wanted.is_empty() {
        return Err(Error::Nobody { wanted: wanted.to_owned() });
    }
    contacts(connection, wanted, &mut person)?;
    if person.ids.is_empty() {
        let known: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE source_author_id = ?1 AND source_author_type <> 'admin')
                 OR EXISTS (SELECT 1 FROM conversation_parts
                            WHERE author_id = ?1 AND author_type NOT IN ('admin', 'team', 'bot'))
                 OR EXISTS (SELECT 1 FROM conversation_contacts WHERE contact_id = ?1)
                 OR EXISTS (SELECT 1 FROM ticket_contacts WHERE contact_id = ?1)",
            [wanted],
            |row| row.get(0),
        )?;
        if known {
            person.ids.insert(wanted.to_owned());
        }
    }
    person.emails.extend(email(wanted));
    authors(connection, &mut person)?;
    if person.ids.is_empty() {
        return Err(Error::Nobody { wanted: wanted.to_owned() });
    }
    person.emails.retain(|address| !address.trim().is_empty());
    person.external_ids.retain(|id| !id.trim().is_empty());
    person.names.retain(|name| name.trim().len() > 2);
    Ok(person)
}

/// The contacts that are meant, in whatever spelling. One e-mail address is one person, whether user or lead.
fn contacts(connection: &Connection, wanted: &str, person: &mut Person) -> Result<(), Error> {
    type Contact = (String, Option<String>, Option<String>, Option<String>, Option<String>);
    let mut statement = connection.prepare("SELECT id, email, phone, external_id, name FROM contacts")?;
    let read =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let all = statement.query_map([], read)?.collect::<Result<Vec<Contact>, _>>()?;
    let (address, number) = (By::Email.key(wanted), Phone::read(wanted));
    let key = |text: &Option<String>| text.as_deref().and_then(|text| By::Email.key(text));
    let phone = |text: &Option<String>| text.as_deref().and_then(Phone::read);
    let mut numbers = BTreeSet::new();
    let mut is_meant = |(id, mail, tel, external_id, _): &Contact| {
        let fits = number.as_ref().zip(phone(tel)).filter(|(wanted, stored)| wanted.fits(stored));
        numbers.extend(fits.iter().map(|(_, stored)| stored.digits().to_owned()));
        id == wanted
            || external_id.as_deref() == Some(wanted)
            || tel.as_deref() == Some(wanted)
            || fits.is_some()
            || (key(mail).is_some() && key(mail) == address)
    };
    let meant: Vec<&Contact> = all.iter().filter(|contact| is_meant(contact)).collect();
    if numbers.len() > 1 {
        let message =
            format!("{wanted:?} fits {} telephone numbers: give the country's code too", numbers.len());
        return Err(Error::Question(message));
    }
    let addresses: BTreeSet<String> = meant.iter().filter_map(|contact| key(&contact.1)).collect();
    let ids: BTreeSet<&String> = meant.iter().map(|contact| &contact.0).collect();
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

/// What messages say about the person as their author: other ids with the same address, names, addresses.
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
    serde_json::to_string(texts).map_err(|error| Error::Question(error.to_string()))
}

/// Removes the records that are about the person alone.
fn remove(transaction: &Transaction<'_>, person: &Person, forgotten: &mut Forgotten) -> Result<(), Error> {
    for id in &person.ids {
        let sql = "SELECT count(*) FROM contact_notes WHERE contact_id = ?1";
        forgotten.notes += transaction.query_row(sql, [id], |row| row.get::<_, i64>(0))?.unsigned_abs();
        forgotten.contacts += transaction.execute("DELETE FROM contacts WHERE id = ?1", [id])? as u64;
        forgotten.calls += transaction.execute("DELETE FROM calls WHERE contact_id = ?1", [id])? as u64;
        for table in ["sync_seen", "sync_rereads"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id])?;
        }
    }
    Ok(())
}

/// Erases the person from the records that are about others too.
fn erase(transaction: &Transaction<'_>, person: &Person, forgotten: &mut Forgotten) -> Result<(), Error> {
    let scrub = Scrub::new(person);
    for resource in ResourceName::ALL {
        let erased = erase_from(transaction, *resource, &scrub)?;
        match resource {
            ResourceName::Conversations => forgotten.conversations += erased,
            ResourceName::ConversationParts => forgotten.conversation_parts += erased,
            ResourceName::Tickets => forgotten.tickets += erased,
            ResourceName::TicketParts => forgotten.ticket_parts += erased,
            _ => forgotten.others += erased,
        }
    }
    for id in candidates(transaction, "contact_notes", &scrub)? {
        let sql = "SELECT raw FROM contact_notes WHERE id = ?1";
        let raw: String = transaction.prepare_cached(sql)?.query_row([&id], |row| row.get(0))?;
        if let Some(raw) = scrub.document(&raw) {
            transaction.execute("UPDATE contact_notes SET raw = ?2 WHERE id = ?1", params![id, raw])?;
            forgotten.others += 1;
        }
    }
    // Lists that are cut in their documents are linked in tables alone.
    for link in [ResourceName::Conversations, ResourceName::Tickets].iter().flat_map(|it| it.resource().links)
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
        let found: Option<(String, Option<String>, i64)> = transaction
            .prepare_cached(&read)?
            .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((raw, parent, synced_at)) = found else { continue };
        if let Some(raw) = scrub.document(&raw) {
            Table::new(transaction, resource.resource(), synced_at)?.replace(&raw, parent.as_deref())?;
            erased += 1;
        }
    }
    Ok(erased)
}

/// Ids of the records of a table that may name the person.
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
