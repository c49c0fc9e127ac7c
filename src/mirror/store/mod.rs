//! The SQLite file of one workspace: opens and locks it, and records which workspace it belongs to.
//!
//! The modules in this folder write records to it and query it. They must never use the network, and never import
//! `mirror::sync`, which builds on them.
//!
//! The file contains customers' messages, so only its owner may read it. It must never mix two workspaces.

pub mod aggregate;
mod columns;
mod contact_gaps;
pub mod contacts;
pub(super) mod deletions;
mod forget;
mod fts_query;
mod grams;
mod lock;
mod names;
#[cfg(feature = "parquet")]
pub mod parquet;
pub(super) mod pending;
mod permissions;
pub(super) mod quarantine;
pub mod read;
mod removal;
mod rereads;
pub mod schema;
pub mod search;
mod search_index;
pub mod search_sql;
mod search_type;
pub(super) mod segments;
pub mod sql;
pub mod state;
pub mod status;
pub mod upsert_contact;
pub mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Params};
use serde::{Deserialize, Serialize};

use self::lock::Lock;
use crate::mirror::error::Error;

/// How long to wait for another writer.
const BUSY: Duration = Duration::from_secs(10);

/// Page cache of a writer, in KiB. Records arrive in no index's order, so a transaction changes many pages, and pages
/// that do not fit are written to the log more than once.
const CACHE: i64 = 16 << 10;

/// Characters with a special meaning in the path of a SQLite URI.
const URI_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// The local copy of one workspace.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// The workspace that a store belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// The workspace's short code in the API.
    pub id_code: String,
    pub name: Option<String>,
    pub region: Option<String>,
    pub base_url: Option<String>,
    /// As reported by the API, for example `America/New_York`.
    pub timezone: Option<String>,
}

#[cfg(feature = "cli")]
/// The default path for the store of a workspace or profile.
///
/// # Errors
/// [`Error::NoHome`] without a data directory.
pub fn default_path(workspace: &str) -> Result<PathBuf, Error> {
    use etcetera::BaseStrategy;

    use crate::api::identity::UNKNOWN_WORKSPACE;

    let data = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?.data_dir();
    let sanitize =
        |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    let name: String = workspace.trim_start_matches('.').chars().map(sanitize).collect();
    let name = if name.is_empty() { UNKNOWN_WORKSPACE } else { &name };
    Ok(data.join("intercom-pp-cli").join(format!("{name}.db")))
}

impl Store {
    /// Opens a store for reading and writing; creates the file, its folder and its tables if necessary.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be created, [`Error::LaterSchema`] if it is too new.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        refuse_foreign(path)?;
        permissions::create_folder(path).map_err(failed)?;
        // Must precede SQLite, which gives its `-wal` and `-shm` files the mode of the database.
        permissions::create(path).map_err(failed)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(failed(std::io::ErrorKind::PermissionDenied.into()));
        }
        connection.busy_timeout(BUSY)?;
        add_functions(&connection)?;
        schema::version(&connection, path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Removed and replaced content is overwritten in the file.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.set_prepared_statement_cache_capacity(256);
        schema::migrate(&mut connection, path)?;
        Ok(Store { connection, path: path.to_owned() })
    }

    /// Opens an existing store for reading. An older schema is migrated first.
    ///
    /// # Errors
    /// [`Error::Missing`] if nothing was ever synced there, and as [`Store::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        if !path.try_exists().map_err(|source| Error::File { path: path.to_owned(), source })? {
            return Err(Error::Missing { path: path.to_owned() });
        }
        refuse_foreign(path)?;
        let connection = open_for_reading(path)?;
        connection.busy_timeout(BUSY)?;
        add_functions(&connection)?;
        match schema::version(&connection, path)? {
            0 => Err(Error::Missing { path: path.to_owned() }),
            schema::VERSION => {
                connection.pragma_update(None, "query_only", true)?;
                Ok(Store { connection, path: path.to_owned() })
            }
            _ => {
                drop(connection);
                drop(Store::open(path)?);
                Store::open_read_only(path)
            }
        }
    }

    /// Moves everything from the write-ahead log into the database file, so that neither contains removed content.
    /// Does less while a reader uses an older snapshot.
    ///
    /// # Errors
    /// If the database fails.
    pub fn checkpoint(&self) -> Result<(), Error> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Rewrites the file without free space and remnants of earlier versions. Returns its size in bytes before and
    /// after.
    ///
    /// # Errors
    /// [`Error::Locked`] during a sync, [`Error::Full`] if the disk cannot hold a second copy.
    pub fn vacuum(&mut self) -> Result<(u64, u64), Error> {
        let _lock = self.lock()?;
        let path = self.path.clone();
        let size = || std::fs::metadata(&path).map_or(0, |file| file.len());
        self.checkpoint()?;
        let before = size();
        // Until it is updated, the index contains words of replaced records.
        self.index()?;
        self.connection.execute("INSERT INTO texts_index (texts_index) VALUES ('optimize')", [])?;
        self.connection.execute_batch("VACUUM")?;
        self.connection.execute("DELETE FROM erasures", [])?;
        self.checkpoint()?;
        Ok((before, size()))
    }

    /// Locks the store against other syncs.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        Lock::take(&self.path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For queries only: writes use the store's own functions.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The texts in the only column of a query, for example ids.
    fn texts(&self, sql: &str, values: impl Params) -> Result<Vec<String>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let texts = statement.query_map(values, |row| row.get(0))?;
        Ok(texts.collect::<Result<_, _>>()?)
    }

    /// The workspace of this store; `None` before the first sync.
    ///
    /// # Errors
    /// If the database fails.
    pub fn workspace(&self) -> Result<Option<Workspace>, Error> {
        let sql = "SELECT id_code, name, region, base_url, timezone FROM workspace";
        let workspace = self.connection.query_row(sql, [], |row| {
            Ok(Workspace {
                id_code: row.get(0)?,
                name: row.get(1)?,
                region: row.get(2)?,
                base_url: row.get(3)?,
                timezone: row.get(4)?,
            })
        });
        Ok(workspace.optional()?)
    }

    /// Binds a new store to a workspace, or checks that it belongs to it.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] if it belongs to another one.
    pub fn bind(&mut self, workspace: &Workspace) -> Result<(), Error> {
        if let Some(stored) = self.workspace()?
            && stored.id_code != workspace.id_code
        {
            let path = self.path.clone();
            return Err(Error::OtherWorkspace {
                path,
                stored: describe(&stored),
                given: describe(workspace),
            });
        }
        self.connection.execute(
            "INSERT OR REPLACE INTO workspace (only_row, id_code, name, region, base_url, timezone)
             VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            (
                &workspace.id_code,
                &workspace.name,
                &workspace.region,
                &workspace.base_url,
                &workspace.timezone,
            ),
        )?;
        Ok(())
    }
}

/// Checks an existing file before anything changes its mode or its journal.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    match open_unshared(path).and_then(|connection| schema::version(&connection, path)) {
        Err(error @ (Error::NotAMirror { .. } | Error::LaterSchema { .. })) => Err(error),
        // A writer may be using the file. Other errors are reported when it is opened.
        _ => Ok(()),
    }
}

/// Opens a connection for reading. SQLite needs a file beside the database to share it with writers. If that cannot be
/// created, because the folder is read-only or belongs to another user, the database is read without sharing.
fn open_for_reading(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let Err(error) = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) else {
        return Ok(connection);
    };
    let cannot_share = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    );
    if !cannot_share {
        return Ok(connection);
    }
    // An unreadable file fails here, with the message of the operating system.
    std::fs::File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    if has_log(path) {
        return Err(Error::OtherUser { path: path.to_owned() });
    }
    open_unshared(path)
}

/// Opens a connection that reads only the file itself, and creates no other file.
fn open_unshared(path: &Path) -> Result<Connection, Error> {
    let name = path.to_string_lossy();
    let name = percent_encoding::utf8_percent_encode(&name, URI_PATH);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)?)
}

/// Adds `lower` for all alphabets, since SQLite's own only handles ASCII, and `phone_digits`. No index uses them, so
/// other programs can still read the file.
fn add_functions(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("lower", 1, flags, |context| {
        let text: Option<String> = match context.get_raw(0) {
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).to_lowercase()),
            ValueRef::Integer(number) => Some(number.to_string()),
            ValueRef::Real(number) => Some(number.to_string()),
            ValueRef::Null | ValueRef::Blob(_) => None,
        };
        Ok(text)
    })?;
    connection.create_scalar_function("phone_digits", 1, flags, |context| {
        Ok(context.get_raw(0).as_str().ok().map(crate::filter::person::phone_digits))
    })?;
    Ok(())
}

/// Whether the write-ahead log has pages that are not in the database file yet.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn describe(workspace: &Workspace) -> String {
    match &workspace.name {
        Some(name) => format!("{} ({name})", workspace.id_code),
        None => workspace.id_code.clone(),
    }
}
