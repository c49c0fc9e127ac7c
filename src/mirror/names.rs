//! What the mirror calls the record behind an id.
//!
//! For people only: a name is not unique, and nothing may be looked up by it here.

use rusqlite::OptionalExtension;

use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;

/// Columns that name a record, the best one first.
const NAMING: [&str; 4] = ["name", "display_name", "title", "email"];

impl Store {
    /// The name of a record; `None` when the mirror has none, or not the record.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub fn name_of(&self, resource: ResourceName, id: &str) -> Result<Option<String>, Error> {
        let columns = resource.resource().columns;
        let named = NAMING.iter().filter(|name| columns.iter().any(|column| column.name == **name));
        let values: Vec<String> = named.map(|name| format!("nullif({name}, '')")).collect();
        if values.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT coalesce({}, NULL) FROM {resource} WHERE id = ?1", values.join(", "));
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], |row| row.get::<_, Option<String>>(0)).optional()?.flatten())
    }
}
