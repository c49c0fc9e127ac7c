//! Which mirror belongs to the current credentials, told without asking the server.
//!
//! A sync learns the workspace from the API and notes it under a fingerprint of address and token;
//! commands that work offline look it up there. The fingerprint is a truncated SHA-256: it tells two
//! tokens apart and gives neither away. No command may ever guess between several mirrors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches};
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::Error;
use crate::config::{self, data_folder, write_private};
use crate::mirror;

const REGISTER: &str = "workspaces.json";

/// `--db`, for every command that uses a mirror.
pub fn argument() -> Arg {
    Arg::new("db")
        .long("db")
        .value_name("PATH")
        .help("The mirror's file [default: one per workspace in the data folder]")
}

/// The file that `--db` names.
pub fn named(matches: &ArgMatches) -> Option<PathBuf> {
    // Commands of the table have no such flag.
    matches.try_get_one::<String>("db").ok().flatten().map(PathBuf::from)
}

/// The mirror of the current credentials, for reading.
///
/// # Errors
/// When there is none, or when several could be meant.
pub fn for_reading(context: &Context, matches: &ArgMatches) -> Result<PathBuf, Error> {
    if let Some(path) = named(matches) {
        return Ok(path);
    }
    if let Some(path) = context.settings()?.store {
        return Ok(path);
    }
    if let Some(path) = known(context)? {
        return Ok(path);
    }
    match &mirrors()?[..] {
        [only] => Ok(only.clone()),
        [] => Err(mirror::Error::Missing { path: data_folder()? }.into()),
        several => Err(Error::usage_with_hint(
            "there are several mirrors, and the current credentials belong to none of them for sure",
            format!("name one with --db, such as --db {}", several[0].display()),
        )),
    }
}

/// The mirror that certainly belongs to the current credentials.
///
/// # Errors
/// When a setting is unusable.
pub fn known(context: &Context) -> Result<Option<PathBuf>, Error> {
    let noted = fingerprint(context)?.and_then(|fingerprint| register().remove(&fingerprint));
    Ok(noted.filter(|path| path.exists()))
}

/// Where the mirror of a workspace is kept, noted for [`for_reading`].
///
/// # Errors
/// When there is no home directory.
pub fn for_writing(context: &Context, matches: &ArgMatches, workspace: &str) -> Result<PathBuf, Error> {
    let path = match named(matches) {
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

fn mirrors() -> Result<Vec<PathBuf>, Error> {
    let is_mirror = |path: &Path| path.extension().is_some_and(|ending| ending == "db");
    let entries = std::fs::read_dir(data_folder()?).into_iter().flatten().flatten();
    let mut mirrors: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_mirror(path)).collect();
    mirrors.sort();
    Ok(mirrors)
}
