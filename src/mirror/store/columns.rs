//! Recomputes derived columns from stored documents after a migration that changes how they are derived.
//!
//! The migration lists the resources in a table `columns_due`, which this module drops afterwards. Only derived
//! columns are recomputed; the others are copies of a field. The documents must never change.

use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use crate::mirror::error::Error;
use crate::mirror::resources::{Resource, ResourceName};

/// Records held in memory at once.
const BATCH: i64 = 1000;

/// Recomputes the columns that are due, within the transaction of the migration.
pub(super) fn recompute_due(connection: &Connection) -> Result<(), Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'columns_due')";
    if !connection.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let mut due = connection.prepare("SELECT resource FROM columns_due")?;
    let names = due.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    drop(due);
    for name in names.iter().filter_map(|name| name.parse::<ResourceName>().ok()) {
        recompute(connection, name.resource())?;
    }
    connection.execute("DROP TABLE columns_due", [])?;
    Ok(())
}

fn recompute(connection: &Connection, resource: &'static Resource) -> Result<(), Error> {
    let columns: Vec<_> = resource.columns.iter().filter(|column| column.field.is_derived()).collect();
    let table = resource.name;
    let mark = |place: usize| format!("{} = ?{}", columns[place].name, place + 2);
    let other = |place: usize| format!("{} IS NOT ?{}", columns[place].name, place + 2);
    let all = |write: &dyn Fn(usize) -> String, between: &str| {
        (0..columns.len()).map(write).collect::<Vec<_>>().join(between)
    };
    let update =
        format!("UPDATE {table} SET {} WHERE id = ?1 AND ({})", all(&mark, ", "), all(&other, " OR "));
    let mut update = connection.prepare(&update)?;
    let sql = format!("SELECT id, raw FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut select = connection.prepare(&sql)?;
    let projection = resource.projection();
    let mut after = String::new();
    loop {
        let rows = select.query_map((&after, BATCH), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows = rows.collect::<Result<Vec<(String, String)>, _>>()?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after.clone_from(last);
        for (id, raw) in rows {
            let Ok(document) = projection.read(&raw) else { continue };
            let read = columns.iter().map(|column| column.field.read(&document));
            update.execute(rusqlite::params_from_iter(std::iter::once(Cell::Text(id)).chain(read)))?;
        }
    }
}
