//! Which mirror belongs to the current credentials, told without asking the server.
//!
//! A sync learns the workspace from the API and notes it under a fingerprint of address and token;
//! commands that work offline look it up there. The fingerprint is a truncated SHA-256: it tells two
//! tokens apart and gives neither away. No command may ever guess between several mirrors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::{Arg, ArgMatches, value_parser};
use sha2::{Digest, Sha256};

use super::context::Context;
use super::door::OwnerFile;
use super::error::Error;
use super::globals::DataSource;
use super::output::names::Directory;
use crate::config::{self, data_folder, write_private};
use crate::mirror::{self, Store};

const REGISTER: &str = "workspaces.json";

/// `--db`, for every command that uses a mirror.
pub fn argument() -> Arg {
    Arg::new("db")
        .long("db")
        .value_name("PATH")
        .value_parser(value_parser!(OwnerFile))
        .help("The mirror's file [default: one per workspace in the data folder]")
}

/// The file that `--db` names, of this command or of the server that runs it.
///
/// # Errors
/// When somebody else than the owner has named it.
pub fn named(context: &Context, matches: &ArgMatches) -> Result<Option<PathBuf>, Error> {
    // Commands of the table have no such flag.
    match matches.try_get_one::<OwnerFile>("db").ok().flatten() {
        Some(file) => file.path().map(Some),
        None => Ok(context.db.clone()),
    }
}

/// The mirror of the current credentials, for reading.
///
/// # Errors
/// When there is none, or when several could be meant.
pub fn for_reading(context: &Context, matches: &ArgMatches) -> Result<PathBuf, Error> {
    if let Some(path) = named(context, matches)? {
        return Ok(path);
    }
    if let Some(path) = context.settings()?.store {
        return Ok(path);
    }
    if let Some(path) = known(context)? {
        return Ok(path);
    }
    if let Some(path) = noted(context)? {
        return Err(mirror::Error::Moved { path }.into());
    }
    match &mirrors()?[..] {
        [only] => Ok(only.clone()),
        [] => Err(mirror::Error::NoMirrors { folder: data_folder()? }.into()),
        several => Err(Error::usage_with_hint(
            "there are several mirrors, and the current credentials belong to none of them for sure",
            format!("name one with --db, such as --db {}", several[0].display()),
        )),
    }
}

/// What the mirror of a command calls the records behind ids. It is opened when the first name is asked for; where
/// none certainly belongs to the command, nothing has a name.
pub fn directory(context: &Context, matches: &ArgMatches) -> Directory {
    let db = named(context, matches).ok().flatten();
    let asking = Context { db, ..Context::new(context.globals.clone(), context.program) };
    let store: OnceLock<Option<Mutex<Store>>> = OnceLock::new();
    Directory::new(move |resource, id| {
        let opened = store.get_or_init(|| Some(Mutex::new(Store::open_read_only(&certain(&asking)?).ok()?)));
        let store = opened.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        store.name_of(resource, id).ok().flatten()
    })
}

/// The mirror that a command was given, or that belongs to its credentials.
fn certain(context: &Context) -> Option<PathBuf> {
    let named = context.db.clone().or_else(|| context.settings().ok()?.store);
    named.or_else(|| known(context).ok().flatten()).or_else(|| match context.globals.data_source {
        DataSource::Local => for_reading(context, &ArgMatches::default()).ok(),
        DataSource::Auto | DataSource::Live => None,
    })
}

/// The mirror that certainly belongs to the current credentials.
///
/// # Errors
/// When a setting is unusable.
pub fn known(context: &Context) -> Result<Option<PathBuf>, Error> {
    Ok(noted(context)?.filter(|path| path.exists()))
}

/// Where the latest sync with the current credentials put its mirror.
fn noted(context: &Context) -> Result<Option<PathBuf>, Error> {
    Ok(fingerprint(context)?.and_then(|fingerprint| register().remove(&fingerprint)))
}

/// Where the mirror of a workspace is kept, noted for [`for_reading`].
///
/// # Errors
/// When there is no home directory.
pub fn for_writing(context: &Context, matches: &ArgMatches, workspace: &str) -> Result<PathBuf, Error> {
    let path = match named(context, matches)? {
        Some(path) => return Ok(path),
        None => match context.settings()?.store {
            Some(path) => path,
            None => mirror::default_path(workspace)?,
        },
    };
    if let Some(fingerprint) = fingerprint(context)? {
        let mut register = register();
        if register.get(&fingerprint) != Some(&path) {
            register.insert(fingerprint, path.clone());
            let text = serde_json::to_string_pretty(&register).unwrap_or_default();
            write_private(&register_path()?, text.as_bytes())?;
        }
    }
    Ok(path)
}

fn fingerprint(context: &Context) -> Result<Option<String>, Error> {
    let settings = context.settings()?;
    let target = context.target(&settings)?;
    let Some(credential) = context.credential(&settings)? else { return Ok(None) };
    let digest = Sha256::digest(format!("{}\n{}", target.base_url, credential.token.expose()));
    Ok(Some(digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))))
}

fn register_path() -> Result<PathBuf, config::Error> {
    Ok(data_folder()?.join(REGISTER))
}

/// A register that cannot be read is as good as none: the next sync writes it again.
fn register() -> BTreeMap<String, PathBuf> {
    let text = register_path().ok().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// The mirrors in the data folder.
///
/// # Errors
/// When there is no home directory.
pub fn mirrors() -> Result<Vec<PathBuf>, Error> {
    let is_mirror = |path: &Path| path.extension().is_some_and(|ending| ending == "db");
    let entries = std::fs::read_dir(data_folder()?).into_iter().flatten().flatten();
    let mut mirrors: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_mirror(path)).collect();
    mirrors.sort();
    Ok(mirrors)
}
