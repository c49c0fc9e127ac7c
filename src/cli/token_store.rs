//! Saves and removes the token and the client secret of a profile, in the keyring or in the config file.
//!
//! After a change a secret is in one place only: an old copy elsewhere must not stay readable.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::credentials::TokenSource;
use super::error::{Error, Hint};
use super::keyring::{self, Secret};
use crate::api::secret::Token;
use crate::config::{self, Settings};
use crate::listen::ClientSecret;

/// The key of the client secret in the config file.
const CLIENT_SECRET: &str = "client_secret";

/// Where to save a token; `Auto` is the keyring, or the config file without a keyring.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenStore {
    Auto,
    Keyring,
    File,
}

/// The places that a token was removed from.
#[derive(Debug, Clone, Copy)]
pub struct RemovedToken {
    pub from_keyring: bool,
    pub from_file: bool,
}

/// Saves the token of a profile, and sets or removes other keys of it in the same write.
///
/// # Errors
/// If a keyring was asked for and is not available, or the file cannot be written.
pub fn save(
    path: &Path,
    profile: Option<&str>,
    token: &Token,
    store: TokenStore,
    keys: &[(&str, Option<&str>)],
) -> Result<TokenSource, Error> {
    let in_keyring = store != TokenStore::File && keyring::write(Secret::Token, profile, token.expose());
    if store == TokenStore::Keyring && !in_keyring {
        return Err(no_keyring());
    }
    if !in_keyring {
        // A keyring that refused the new token would still answer with the old one.
        keyring::remove(Secret::Token, profile);
    }
    let in_file = (!in_keyring).then(|| token.expose());
    let keys = [&[("access_token", in_file)], keys].concat();
    config::write_keys(path, profile, &keys)?;
    Ok(if in_keyring { TokenSource::Keyring } else { TokenSource::File })
}

/// A keyring was asked for and cannot be used.
fn no_keyring() -> Error {
    Error::usage_with_hint(
        "no keyring found",
        Hint::new("save it in the config file with ").flag("store").text(" file"),
    )
}

/// Saves the client secret of a profile.
///
/// # Errors
/// As [`save`].
pub fn save_client_secret(
    path: &Path,
    profile: Option<&str>,
    secret: &ClientSecret,
    store: TokenStore,
) -> Result<TokenSource, Error> {
    let in_keyring = store != TokenStore::File && keyring::write(Secret::Client, profile, secret.expose());
    if store == TokenStore::Keyring && !in_keyring {
        return Err(no_keyring());
    }
    if !in_keyring {
        keyring::remove(Secret::Client, profile);
    }
    config::write_key(path, profile, CLIENT_SECRET, (!in_keyring).then(|| secret.expose()))?;
    Ok(if in_keyring { TokenSource::Keyring } else { TokenSource::File })
}

/// Removes the client secret of a profile. `own` are the settings of the profile alone.
///
/// # Errors
/// If the file cannot be written.
pub fn remove_client_secret(
    path: &Path,
    profile: Option<&str>,
    own: &Settings,
) -> Result<RemovedToken, Error> {
    let from_keyring = keyring::remove(Secret::Client, profile);
    let from_file = own.client_secret.is_some();
    if from_file {
        config::write_key(path, profile, CLIENT_SECRET, None)?;
    }
    Ok(RemovedToken { from_keyring, from_file })
}

/// Removes the token of a profile. `own` are the settings of the profile alone.
///
/// # Errors
/// If the file cannot be written.
pub fn remove(path: &Path, profile: Option<&str>, own: &Settings) -> Result<RemovedToken, Error> {
    let from_keyring = keyring::remove(Secret::Token, profile);
    let from_file = own.access_token.is_some();
    if from_file || own.workspace.is_some() || own.workspace_id.is_some() {
        let keys = [("access_token", None), ("workspace", None), ("workspace_id", None)];
        config::write_keys(path, profile, &keys)?;
    }
    Ok(RemovedToken { from_keyring, from_file })
}
