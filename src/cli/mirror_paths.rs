//! Finds the mirror of a command without a request: the one given, registered for the credentials, or the only one.
//!
//! No command may guess between several mirrors.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::{ArgMatches, Args};

use super::context::Context;
use super::error::{Error, Hint};
use super::files::OwnerFile;
use super::globals::DataSource;
use super::output::names::NameLookup;
use crate::config::data_folder;
use crate::mirror::registry;
use crate::mirror::{self, Store};

/// `--db`, for every command that uses a mirror.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct MirrorFlag {
    /// File of the mirror [default: one per workspace in the data folder]
    #[arg(long, value_name = "PATH")]
    pub db: Option<OwnerFile>,
}

impl MirrorFlag {
    /// The flag of any command. Generated commands do not have it.
    pub fn of(matches: &ArgMatches) -> Self {
        MirrorFlag { db: matches.try_get_one::<OwnerFile>("db").ok().flatten().cloned() }
    }
}

/// The path given with `--db`, to this command or to the MCP server that runs it.
///
/// # Errors
/// If an MCP client or a workflow named it.
pub fn explicit(context: &Context, flag: &MirrorFlag) -> Result<Option<PathBuf>, Error> {
    match &flag.db {
        Some(file) => file.path().map(Some),
        None => Ok(context.db.clone()),
    }
}

/// The mirror of the current credentials, for reading.
///
/// # Errors
/// If no mirror is found, or several could be meant.
pub fn for_reading(context: &Context, flag: &MirrorFlag) -> Result<PathBuf, Error> {
    if let Some(path) = explicit(context, flag)? {
        return Ok(path);
    }
    if let Some(path) = context.settings()?.store {
        return Ok(path);
    }
    if let Some(path) = of_credentials(context)? {
        return Ok(path);
    }
    if let Some(path) = registered(context)? {
        return Err(mirror::Error::Moved { path }.into());
    }
    match &registry::mirrors()?[..] {
        [only] => Ok(only.clone()),
        [] => Err(mirror::Error::NoMirrors { folder: data_folder()? }.into()),
        several => Err(Error::usage_with_hint(
            "several mirrors exist, and none is registered for the current credentials",
            Hint::new("name one with ")
                .flag("db")
                .text(", for example ")
                .flag("db")
                .text(format!(" {}", several[0].display()))
                .for_owner(),
        )),
    }
}

/// Looks up names of records in the mirror, which is opened on first use. Finds no names unless a mirror is certain to
/// belong to the command.
pub fn record_names(context: &Context, matches: &ArgMatches) -> NameLookup {
    let db = explicit(context, &MirrorFlag::of(matches)).ok().flatten();
    let context = Context { db, ..Context::new(context.globals.clone()) };
    let store: OnceLock<Option<Mutex<Store>>> = OnceLock::new();
    NameLookup::new(move |resource, id| {
        let opened = store.get_or_init(|| Some(Mutex::new(Store::open_read_only(&certain(&context)?).ok()?)));
        let store = opened.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        store.name_of(resource, id).ok().flatten()
    })
}

/// The mirror given to a command, or registered for its credentials.
pub fn certain(context: &Context) -> Option<PathBuf> {
    let explicit = context.db.clone().or_else(|| context.settings().ok()?.store);
    explicit.or_else(|| of_credentials(context).ok().flatten()).or_else(|| {
        match context.globals.connection.data_source() {
            DataSource::Local => for_reading(context, &MirrorFlag::default()).ok(),
            DataSource::Auto | DataSource::Live => None,
        }
    })
}

/// The mirror whose names are suggested while a line is typed. A single mirror is used without asking the keyring for a
/// token, which may be slow or prompt.
pub fn for_completion(context: &Context) -> Option<PathBuf> {
    if let Some(path) = context.settings().ok()?.store {
        return Some(path);
    }
    match &registry::mirrors().ok()?[..] {
        [] => None,
        [only] => Some(only.clone()),
        _ => of_credentials(context).ok().flatten(),
    }
}

/// The existing mirror registered for the current credentials.
///
/// # Errors
/// If a setting is invalid.
pub fn of_credentials(context: &Context) -> Result<Option<PathBuf>, Error> {
    Ok(registered(context)?.filter(|path| path.exists()))
}

/// The path that the latest sync with the current credentials has registered.
fn registered(context: &Context) -> Result<Option<PathBuf>, Error> {
    Ok(fingerprint(context)?.and_then(|fingerprint| registry::registered(&fingerprint)))
}

/// The path for the mirror of a workspace, for a command without `--db`. It is registered for [`for_reading`].
///
/// # Errors
/// If the home directory is unknown, or the registry cannot be written.
pub fn for_writing(context: &Context, workspace: &str) -> Result<PathBuf, Error> {
    let path = match context.settings()?.store {
        Some(path) => path,
        None => mirror::default_path(workspace)?,
    };
    if let Some(fingerprint) = fingerprint(context)? {
        registry::register(fingerprint, &path)?;
    }
    Ok(path)
}

/// Identifies server and token; `None` without a token.
fn fingerprint(context: &Context) -> Result<Option<String>, Error> {
    let settings = context.settings()?;
    let server = context.api_server(&settings)?;
    let credential = context.credential(&settings)?;
    Ok(credential.map(|credential| registry::fingerprint(&server.base_url, &credential.token)))
}
