//! Reports what the mirror contains and how complete it is.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::Store;
use crate::mirror::error::Error;
use crate::mirror::resources::ResourceName;

/// The status of a resource. Times are epoch seconds; an unknown time or size is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub resource: ResourceName,
    pub rows: u64,
    /// `complete`, `partial` (only what changed since `floor`), `incomplete`, `skipped` or `never`.
    pub state: &'static str,
    /// Everything that changed before this time is in the mirror, ...
    pub watermark: Option<i64>,
    /// ... back to this time; without limit if `None`.
    pub floor: Option<i64>,
    /// Seconds since the watermark.
    pub age: Option<i64>,
    /// When a sync was last complete.
    pub completed_at: Option<i64>,
    /// When deleted records were last removed.
    pub pruned_at: Option<i64>,
    /// Number of stored records that are gone, according to the workspace's count.
    pub gone: u64,
    /// Records deleted before this time are not in the mirror.
    pub deletions_checked_at: Option<i64>,
    /// Whether a check for deletions is still in progress.
    pub deletions_under_way: bool,
    /// Size of the table and its indexes.
    pub bytes: Option<u64>,
    /// Whether `bytes` was estimated from a sample.
    pub bytes_estimated: bool,
    /// Ids of records in quarantine, because they could not be fetched in several runs.
    pub quarantined: Vec<String>,
    /// Why the resource is incomplete.
    pub reason: Option<String>,
}

/// Files up to this size in bytes are measured.
const SMALL: u64 = 64 << 20;
/// Records in the sample of an estimate.
const SAMPLE: i64 = 200;
/// Overhead in bytes of a row and of an index entry: header, row id, and their share of the free space in a page.
const ROW: f64 = 24.0;
const ENTRY: f64 = 12.0;
/// Fill factor of an index that is filled in random order.
const FILL_FACTOR: f64 = 0.75;

/// How sizes are determined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sizes {
    /// Measured for a small file, estimated for a large one.
    #[default]
    Quick,
    /// Measured, which reads the whole file.
    Exact,
}

/// The status of every resource, in the order of [`ResourceName::ALL`]. `now` is epoch seconds.
///
/// # Errors
/// If the database fails.
pub fn status(store: &Store, now: i64) -> Result<Vec<Status>, Error> {
    status_with(store, now, Sizes::default())
}

/// As [`status`], with a choice of how sizes are determined.
///
/// # Errors
/// If the database fails.
pub fn status_with(store: &Store, now: i64, sizes: Sizes) -> Result<Vec<Status>, Error> {
    let bytes: i64 = store.connection().query_row(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        [],
        |row| row.get(0),
    )?;
    let estimated = sizes == Sizes::Quick && bytes.unsigned_abs() > SMALL;
    let measured = if estimated { BTreeMap::new() } else { measured(store.connection())? };
    let status = |resource: &ResourceName| {
        let sql = format!("SELECT count(*) FROM {resource}");
        let rows: i64 = store.connection().query_row(&sql, [], |row| row.get(0))?;
        let rows = rows.try_into().unwrap_or(0);
        let sync_state = store.sync_state(*resource)?;
        let deletions = store.deletions(*resource)?;
        let state = match &sync_state {
            None => "never",
            Some(state) if state.skipped => "skipped",
            Some(state) if state.is_whole() => "complete",
            Some(state) if state.complete => "partial",
            Some(_) => "incomplete",
        };
        let watermark = sync_state.as_ref().and_then(|state| state.watermark);
        let bytes = match measured.get(resource.as_str()) {
            Some(bytes) => Some(*bytes),
            None if estimated => Some(estimate(store.connection(), *resource, rows)?),
            None => None,
        };
        Ok(Status {
            resource: *resource,
            rows,
            state,
            watermark,
            floor: sync_state.as_ref().and_then(|state| state.floor),
            age: watermark.map(|watermark| (now - watermark).max(0)),
            completed_at: sync_state.as_ref().and_then(|state| state.completed_at),
            pruned_at: sync_state.as_ref().and_then(|state| state.pruned_at),
            gone: deletions.gone,
            deletions_checked_at: deletions.checked_at,
            deletions_under_way: deletions.position.is_some(),
            bytes,
            bytes_estimated: estimated,
            quarantined: store.quarantined(*resource)?,
            reason: sync_state.and_then(|state| state.reason),
        })
    };
    ResourceName::ALL.iter().map(status).collect()
}

/// Estimates the size of a table and its indexes from a sample of its records. Reads lengths, not values.
fn estimate(connection: &Connection, resource: ResourceName, rows: u64) -> Result<u64, Error> {
    if rows == 0 {
        return Ok(0);
    }
    let columns = "SELECT name FROM pragma_table_info(?1)";
    let row = lengths(&names(connection, columns, resource)?);
    let entries = "SELECT i.name FROM pragma_index_list(?1) l JOIN pragma_index_info(l.name) i";
    let entries = names(connection, entries, resource)?;
    let indexes = "SELECT name FROM pragma_index_list(?1)";
    let indexes = names(connection, indexes, resource)?.len() as f64;
    // Sample records at equal distances.
    let sql = format!(
        "WITH RECURSIVE ends (first, last) AS (SELECT min(rowid), max(rowid) FROM {resource}),
             spots (at) AS (SELECT first FROM ends UNION ALL
                            SELECT at + max(1, (last - first) / {SAMPLE}) FROM spots, ends
                            WHERE at + max(1, (last - first) / {SAMPLE}) <= last),
             chosen (place) AS (SELECT DISTINCT (SELECT rowid FROM {resource} WHERE rowid >= at ORDER BY rowid LIMIT 1)
                             FROM spots)
         SELECT avg({row}), avg({}) FROM chosen JOIN {resource} ON {resource}.rowid = place",
        lengths(&entries)
    );
    let (row, entries): (f64, f64) = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let each = row + ROW + (entries + indexes * ENTRY) / FILL_FACTOR;
    Ok((each * rows as f64) as u64)
}

/// An expression for the total length of these columns.
fn lengths(columns: &[String]) -> String {
    let each = columns.iter().map(|name| format!("coalesce(octet_length(\"{name}\"), 0)"));
    each.chain(["0.0".to_owned()]).collect::<Vec<_>>().join(" + ")
}

fn names(connection: &Connection, sql: &str, resource: ResourceName) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([resource.as_str()], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The size of each table with its indexes.
fn measured(connection: &Connection) -> Result<BTreeMap<String, u64>, Error> {
    let sql = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat('main', 1) d
               JOIN sqlite_schema s ON s.name = d.name GROUP BY s.tbl_name";
    let mut statement = connection.prepare(sql)?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.try_into().unwrap_or(0))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
