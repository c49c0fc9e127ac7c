//! What the mirror holds, and how far it can be trusted.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::error::Error;
use super::resources::ResourceName;
use super::store::Store;

/// One resource of the mirror. Times are epoch seconds; a time or a size that is not known is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub resource: ResourceName,
    pub rows: u64,
    /// `complete`, `partial` (only what changed since `floor`), `incomplete`, `skipped` or `never`.
    pub state: &'static str,
    /// Everything that changed before is in the mirror, ...
    pub watermark: Option<i64>,
    /// ... as far back as this; from the very beginning for `None`.
    pub floor: Option<i64>,
    /// Seconds since the watermark.
    pub age: Option<i64>,
    /// When a sync last reached the end.
    pub completed_at: Option<i64>,
    /// When records that are gone were last removed.
    pub pruned_at: Option<i64>,
    /// Stored records that the workspace's count says are gone.
    pub gone: u64,
    /// What was deleted before is not in the mirror.
    pub deletions_checked_at: Option<i64>,
    /// Whether a check for deletions has not come to its end yet.
    pub deletions_under_way: bool,
    /// Of the table and its indexes.
    pub bytes: Option<u64>,
    /// Whether `bytes` is worked out from some of the records.
    pub bytes_estimated: bool,
    /// Ids of records that could not be fetched in several runs, and are set aside.
    pub quarantined: Vec<String>,
    /// Why it is not complete.
    pub reason: Option<String>,
}

/// Bytes of a file that is small enough to be read for its sizes.
const SMALL: u64 = 64 << 20;
/// Records that stand for all of them in an estimate.
const SAMPLE: i64 = 200;
/// What a row and an entry of an index take beside their values: header, row id, and their share of a page that
/// is not full.
const ROW: f64 = 24.0;
const ENTRY: f64 = 12.0;
/// How full the pages of an index are that is filled in no order.
const FILLED: f64 = 0.75;

/// How sizes are found out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sizes {
    /// Measured in a small file, estimated in a large one.
    #[default]
    Quick,
    /// Measured, which reads the whole file.
    Exact,
}

/// The status of every resource, in the order of [`ResourceName::ALL`]. `now` is epoch seconds.
///
/// # Errors
/// When the database cannot be read.
pub fn status(store: &Store, now: i64) -> Result<Vec<Status>, Error> {
    status_with(store, now, Sizes::default())
}

/// As [`status`], with sizes found out in this way.
///
/// # Errors
/// When the database cannot be read.
pub fn status_with(store: &Store, now: i64, sizes: Sizes) -> Result<Vec<Status>, Error> {
    let bytes: i64 = store.connection().query_row(
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        [],
        |row| row.get(0),
    )?;
    let estimated = sizes == Sizes::Quick && bytes.unsigned_abs() > SMALL;
    let measured = if estimated { BTreeMap::new() } else { measured(store.connection())? };
    let one = |resource: &ResourceName| {
        let sql = format!("SELECT count(*) FROM {resource}");
        let rows: i64 = store.connection().query_row(&sql, [], |row| row.get(0))?;
        let rows = rows.try_into().unwrap_or(0);
        let known = store.sync_state(*resource)?;
        let deletions = store.deletions(*resource)?;
        let state = match &known {
            None => "never",
            Some(known) if known.skipped => "skipped",
            Some(known) if known.is_whole() => "complete",
            Some(known) if known.complete => "partial",
            Some(_) => "incomplete",
        };
        let watermark = known.as_ref().and_then(|known| known.watermark);
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
            floor: known.as_ref().and_then(|known| known.floor),
            age: watermark.map(|at| (now - at).max(0)),
            completed_at: known.as_ref().and_then(|known| known.completed_at),
            pruned_at: known.as_ref().and_then(|known| known.pruned_at),
            gone: deletions.gone,
            deletions_checked_at: deletions.checked_at,
            deletions_under_way: deletions.under_way,
            bytes,
            bytes_estimated: estimated,
            quarantined: store.quarantined(*resource)?,
            reason: known.and_then(|known| known.reason),
        })
    };
    ResourceName::ALL.iter().map(one).collect()
}

/// Estimates the bytes of a table and its indexes from a sample of its records. Reads lengths, not texts.
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
    // Records at equal distances between the first and the last.
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
    let (row, entries): (f64, f64) =
        connection.query_row(&sql, [], |found| Ok((found.get(0)?, found.get(1)?)))?;
    let each = row + ROW + (entries + indexes * ENTRY) / FILLED;
    Ok((each * rows as f64) as u64)
}

/// The length of all these columns, as an expression.
fn lengths(columns: &[String]) -> String {
    let each = columns.iter().map(|name| format!("coalesce(octet_length(\"{name}\"), 0)"));
    each.chain(["0.0".to_owned()]).collect::<Vec<_>>().join(" + ")
}

fn names(connection: &Connection, sql: &str, resource: ResourceName) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([resource.as_str()], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Bytes of each table with its indexes.
fn measured(connection: &Connection) -> Result<BTreeMap<String, u64>, Error> {
    let sql = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat('main', 1) d
               JOIN sqlite_schema s ON s.name = d.name GROUP BY s.tbl_name";
    let mut statement = connection.prepare(sql)?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.try_into().unwrap_or(0))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
