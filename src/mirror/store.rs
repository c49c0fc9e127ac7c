//! The SQLite file of one workspace: opening it, guarding it, telling whose it is.
//!
//! It holds customers' messages, so nobody but its owner may read it. It belongs to exactly one
//! workspace and must never mix two.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use percent_encoding::{AsciiSet, CONTROLS};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::lock::Lock;
use super::{private, schema};

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// KiB of pages that a writer keeps in memory. Records arrive in an order that no index has, so a transaction changes
/// many pages: those that do not fit are written to the log more than once.
const CACHE: i64 = 16 << 10;

/// Stands for a workspace whose code the service does not tell.
pub const UNKNOWN: &str = "unknown";

/// What means something in the path of a URI for SQLite.
const URI_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// The local copy of one workspace.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// Whose data a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// The service's short code of the workspace.
    pub id_code: String,
    pub name: Option<String>,
    pub region: Option<String>,
    pub base_url: Option<String>,
    /// As the service names it, e.g. `America/New_York`.
    pub timezone: Option<String>,
}

/// Where the store of a workspace (or profile) lies unless the user says otherwise.
///
/// # Errors
/// [`Error::NoHome`] when there is no data directory.
pub fn default_path(workspace: &str) -> Result<PathBuf, Error> {
    let data = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?.data_dir();
    let harmless =
        |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '_' };
    let name: String = workspace.trim_start_matches('.').chars().map(harmless).collect();
    let name = if name.is_empty() { UNKNOWN } else { &name };
    Ok(data.join("intercom-pp-cli").join(format!("{name}.db")))
}

impl Store {
    /// Opens a store for reading and writing; makes the file, its folder and its tables as needed.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be made, [`Error::LaterSchema`] when it is too new.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        refuse_foreign(path)?;
        private::make_folder(path).map_err(failed)?;
        // Before SQLite sees it: that gives its `-wal` and `-shm` files the mode of the database.
        private::open(path, &mut OpenOptions::new()).map_err(failed)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        know_small_letters(&connection)?;
        schema::version(&connection, path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What is removed, or replaced, leaves no bytes behind in the file.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.set_prepared_statement_cache_capacity(256);
        schema::migrate(&mut connection, path)?;
        Ok(Store { connection, path: path.to_owned() })
    }

    /// Opens a store that a sync has made; writes are refused. An older schema is brought up first.
    ///
    /// # Errors
    /// [`Error::Missing`] when nothing was ever synced there, and as [`Store::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, Error> {
        if !path.try_exists().map_err(|source| Error::File { path: path.to_owned(), source })? {
            return Err(Error::Missing { path: path.to_owned() });
        }
        refuse_foreign(path)?;
        let connection = readable(path)?;
        connection.busy_timeout(BUSY)?;
        know_small_letters(&connection)?;
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

    /// Moves everything into the file itself, and empties the log beside it: neither holds what was removed.
    /// Readers who look at an older state leave that to the next time.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn checkpoint(&self) -> Result<(), Error> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Writes the whole file again, without the free space in it and what earlier versions left there. Returns
    /// its bytes before and after.
    ///
    /// # Errors
    /// [`Error::Locked`] while a sync runs, [`Error::Full`] when the disk has no room for a second copy.
    pub fn vacuum(&mut self) -> Result<(u64, u64), Error> {
        let _lock = self.lock()?;
        let path = self.path.clone();
        let size = || std::fs::metadata(&path).map_or(0, |file| file.len());
        self.checkpoint()?;
        let before = size();
        // The index holds words of records that were replaced until it has caught up with them.
        self.index()?;
        self.connection.execute("INSERT INTO texts_index (texts_index) VALUES ('optimize')", [])?;
        self.connection.execute_batch("VACUUM")?;
        self.connection.execute("DELETE FROM erasures", [])?;
        self.checkpoint()?;
        Ok((before, size()))
    }

    /// Keeps other syncs away from this store.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        Lock::take(&self.path)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For queries. Writing goes through the store's own functions.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whose data this is; `None` before the first sync.
    ///
    /// # Errors
    /// When the database cannot be read.
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

    /// Makes this the store of a workspace, or makes sure that it is.
    ///
    /// # Errors
    /// [`Error::OtherWorkspace`] when it holds the data of another one.
    pub fn bind(&mut self, workspace: &Workspace) -> Result<(), Error> {
        if let Some(stored) = self.workspace()?
            && stored.id_code != workspace.id_code
        {
            let path = self.path.clone();
            return Err(Error::OtherWorkspace { path, stored: title(&stored), given: title(workspace) });
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

/// Looks at a file that is there before anything touches it: its mode and its journal are its owner's.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    if !std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    match unshared(path).and_then(|connection| schema::version(&connection, path)) {
        Err(error @ (Error::NotAMirror { .. } | Error::LaterSchema { .. })) => Err(error),
        // A writer may be at work on the file: whatever else is wrong with it shows when it is opened properly.
        _ => Ok(()),
    }
}

/// A connection that reads. SQLite keeps a file beside a database to share it with writers. Where it cannot be
/// made, because the folder is read-only or another user's, the file is read as it is.
fn readable(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let Err(error) = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) else {
        return Ok(connection);
    };
    let unshareable = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    );
    if !unshareable {
        return Ok(connection);
    }
    // A file that is not readable at all fails here, in the words of the operating system.
    std::fs::File::open(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    if has_pages_outside(path) {
        return Err(Error::OtherUser { path: path.to_owned() });
    }
    unshared(path)
}

/// A connection that reads the file itself and nothing beside it, and makes nothing there either.
fn unshared(path: &Path) -> Result<Connection, Error> {
    let name = path.to_string_lossy();
    let name = percent_encoding::utf8_percent_encode(&name, URI_PATH);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)?)
}

/// SQLite's own `lower` knows the letters of English alone, and it has no function for telephone numbers. No index
/// depends on either, so the file stays the same for everybody else.
fn know_small_letters(connection: &Connection) -> Result<(), Error> {
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

/// Whether a writer left pages that are not in the database file itself yet.
fn has_pages_outside(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn title(workspace: &Workspace) -> String {
    match &workspace.name {
        Some(name) => format!("{} ({name})", workspace.id_code),
        None => workspace.id_code.clone(),
    }
}
