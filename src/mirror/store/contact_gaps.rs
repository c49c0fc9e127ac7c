//! What the mirror lacks about one contact, according to its own records.

use rusqlite::OptionalExtension;

use super::Store;
use super::upsert_contact::ContactList;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

impl Store {
    /// The lists of a contact that its document does not contain in full, or whose records are unknown. Segments are
    /// never listed in documents, and not covered here.
    ///
    /// # Errors
    /// If the database fails.
    pub fn incomplete_lists(&self, contact: &str) -> Result<Vec<ContactList>, Error> {
        let sql = "SELECT unlisted FROM contacts WHERE id = ?1";
        let unlisted: Option<Option<String>> =
            self.connection.prepare_cached(sql)?.query_row([contact], |row| row.get(0)).optional()?;
        let unlisted = unlisted.flatten().unwrap_or_default();
        let mut incomplete = Vec::new();
        for (list, name, has_unknown) in [
            (
                ContactList::Tags,
                "tags",
                "SELECT EXISTS (SELECT 1 FROM contact_tags WHERE contact_id = ?1 AND tag_id NOT IN (SELECT id FROM tags))",
            ),
            (
                ContactList::Companies,
                "companies",
                "SELECT EXISTS (SELECT 1 FROM contact_companies WHERE contact_id = ?1
                 AND company_id NOT IN (SELECT id FROM companies))",
            ),
            (ContactList::Notes, "notes", "SELECT ?1 IS NULL"),
        ] {
            if unlisted.split(',').any(|list| list == name) || self.is_true(has_unknown, contact)? {
                incomplete.push(list);
            }
        }
        Ok(incomplete)
    }

    /// Whether a conversation of the contact is assigned to an unknown teammate (or team) and none at all is stored.
    /// Lists omit teammates who have left, so a single unknown one proves nothing.
    ///
    /// # Errors
    /// If the database fails.
    pub fn lacks_assignees(&self, contact: &str, resource: ResourceName) -> Result<bool, Error> {
        let column = if resource == ResourceName::Teams { "team_assignee_id" } else { "admin_assignee_id" };
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM conversation_contacts AS link
                 JOIN conversations AS c ON c.id = link.conversation_id
             WHERE link.contact_id = ?1 AND c.{column} NOT IN (SELECT id FROM {resource}))"
        );
        Ok(self.is_empty(resource)? && self.is_true(&sql, contact)?)
    }

    fn is_true(&self, sql: &str, contact: &str) -> Result<bool, Error> {
        Ok(self.connection.prepare_cached(sql)?.query_row([contact], |row| row.get(0))?)
    }
}
