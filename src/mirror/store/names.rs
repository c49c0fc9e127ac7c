//! Looks up the display name of a record.
//!
//! Names are for people only. They are not unique, so records must never be looked up by name here.

use rusqlite::OptionalExtension;

use super::Store;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// Columns with the name of a record, best first.
const NAME_COLUMNS: [&str; 4] = ["name", "display_name", "title", "email"];

impl Store {
    /// The names of all records of a resource, sorted, at most `limit`: for completion, never for lookups.
    ///
    /// # Errors
    /// If the database fails.
    pub fn all_names(&self, resource: ResourceName, limit: u32) -> Result<Vec<String>, Error> {
        let columns = resource.resource().columns;
        let existing = NAME_COLUMNS.iter().find(|name| columns.iter().any(|column| column.name == **name));
        let Some(name) = existing else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT DISTINCT {name} FROM {resource} WHERE nullif({name}, '') IS NOT NULL ORDER BY {name} LIMIT ?1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let names = statement.query_map([limit], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The name of a record; `None` if the mirror lacks the record or its name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn name_of(&self, resource: ResourceName, id: &str) -> Result<Option<String>, Error> {
        let columns = resource.resource().columns;
        let existing = NAME_COLUMNS.iter().filter(|name| columns.iter().any(|column| column.name == **name));
        let values: Vec<String> = existing.map(|name| format!("nullif({name}, '')")).collect();
        if values.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT coalesce({}, NULL) FROM {resource} WHERE id = ?1", values.join(", "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], |row| row.get::<_, Option<String>>(0)).optional()?.flatten())
    }
}
