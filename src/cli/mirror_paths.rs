//! Finds the mirror of the current credentials without a request.
//!
//! A sync registers the path of its mirror under a fingerprint of server and token, and offline commands look it up.
//! The fingerprint is a truncated SHA-256, which does not reveal the token. No command may guess between several
//! mirrors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::{ArgMatches, Args};
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::{Error, Hint};
use super::files::OwnerFile;
use super::globals::DataSource;
use super::output::names::NameLookup;
use crate::config::{self, data_folder, write_private};
use crate::mirror::{self, Store};

const REGISTRY: &str = "workspaces.json";

/// `--db`, for every command that uses a mirror.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct MirrorFlag {
    /// File of the mirror [default: one per workspace in the data folder]
    #[arg(long, value_name = "PATH")]
    pub db: Option<OwnerFile>,
}

/// Being replaced by [`MirrorFlag`].
pub fn argument() -> clap::Arg {
    clap::Arg::new("db")
        .long("db")
        .value_name("PATH")
        .value_parser(clap::value_parser!(OwnerFile))
        .help("File of the mirror [default: one per workspace in the data folder]")
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
    match &all()?[..] {
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
fn certain(context: &Context) -> Option<PathBuf> {
    let explicit = context.db.clone().or_else(|| context.settings().ok()?.store);
    explicit.or_else(|| of_credentials(context).ok().flatten()).or_else(|| {
        match context.globals.connection.data_source() {
            DataSource::Local => for_reading(context, &MirrorFlag::default()).ok(),
            DataSource::Auto | DataSource::Live => None,
        }
    })
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
    Ok(fingerprint(context)?.and_then(|fingerprint| registry().remove(&fingerprint)))
}

/// The path for the mirror of a workspace, which is registered for [`for_reading`].
///
/// # Errors
/// If the home directory is unknown.
pub fn for_writing(context: &Context, flag: &MirrorFlag, workspace: &str) -> Result<PathBuf, Error> {
    let path = match explicit(context, flag)? {
        Some(path) => return Ok(path),
        None => match context.settings()?.store {
            Some(path) => path,
            None => mirror::default_path(workspace)?,
        },
    };
    if let Some(fingerprint) = fingerprint(context)? {
        let mut registry = registry();
        if registry.get(&fingerprint) != Some(&path) {
            registry.insert(fingerprint, path.clone());
            let text = serde_json::to_string_pretty(&registry).unwrap_or_default();
            write_private(&registry_path()?, text.as_bytes())?;
        }
    }
    Ok(path)
}

fn fingerprint(context: &Context) -> Result<Option<String>, Error> {
    let settings = context.settings()?;
    let server = context.api_server(&settings)?;
    let Some(credential) = context.credential(&settings)? else { return Ok(None) };
    let digest = Sha256::digest(format!("{}\n{}", server.base_url, credential.token.expose()));
    Ok(Some(digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))))
}

fn registry_path() -> Result<PathBuf, config::Error> {
    Ok(data_folder()?.join(REGISTRY))
}

/// Empty if the registry cannot be read: the next sync writes it again.
fn registry() -> BTreeMap<String, PathBuf> {
    let text = registry_path().ok().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// All mirrors in the data folder.
///
/// # Errors
/// If the home directory is unknown.
pub fn all() -> Result<Vec<PathBuf>, Error> {
    let is_mirror = |path: &Path| path.extension().is_some_and(|extension| extension == "db");
    let entries = std::fs::read_dir(data_folder()?).into_iter().flatten().flatten();
    let mut mirrors: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_mirror(path)).collect();
    mirrors.sort();
    Ok(mirrors)
}
