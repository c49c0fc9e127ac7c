//! The profiles of the config file as they are shown to people and agents. A token must never be printed, only its
//! place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::context::Context;
use super::error::Error;
use super::keyring;
use crate::config::{Config, Flag, Settings};

/// A profile without its secrets.
#[derive(Serialize)]
pub struct ProfileSummary {
    pub name: String,
    current: bool,
    region: Option<String>,
    base_url: Option<String>,
    api_version: Option<String>,
    /// Where the token is.
    token: String,
    store: Option<PathBuf>,
    read_only: Option<bool>,
    /// Only the names, since the values may be secret.
    headers: Vec<String>,
    defaults: BTreeMap<String, Flag>,
}

impl ProfileSummary {
    pub fn new(name: &str, settings: &Settings, current: bool) -> Self {
        let token = match settings {
            Settings { token_env: Some(name), .. } => format!("environment variable {name}"),
            _ if keyring::read(Some(name)).is_some() => "keyring".to_owned(),
            Settings { access_token: Some(_), .. } => "config file".to_owned(),
            _ => "none".to_owned(),
        };
        ProfileSummary {
            name: name.to_owned(),
            current,
            region: settings.region.clone(),
            base_url: settings.base_url.clone(),
            api_version: settings.api_version.clone(),
            token,
            store: settings.store.clone(),
            read_only: settings.read_only,
            headers: settings.headers.keys().cloned().collect(),
            defaults: settings.defaults.clone(),
        }
    }
}

/// All profiles.
///
/// # Errors
/// When the config file is unusable.
pub fn all(context: &Context) -> Result<Vec<ProfileSummary>, Error> {
    let config = Config::read(&context.config_path()?)?;
    let current = config.current(context.globals.connection.profile.as_deref());
    let profiles = config.profiles.iter();
    Ok(profiles.map(|(name, own)| ProfileSummary::new(name, own, current == Some(name))).collect())
}
