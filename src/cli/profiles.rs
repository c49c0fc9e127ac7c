//! The profiles of the config file as they are shown to people and agents, and the choice of the default one. A token must
//! never be printed, only its place.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::error::{Error, Hint};
use super::keyring::{self, Secret};
use super::output::Output;
use crate::config::{self, Config, Flag, Settings};

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
    /// Name of the workspace at the last login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    store: Option<PathBuf>,
    read_only: Option<bool>,
    /// Only the names, since the values may be secret.
    headers: Vec<String>,
    defaults: BTreeMap<String, Flag>,
}

impl ProfileSummary {
    pub fn new(name: &str, settings: &Settings, current: bool) -> Self {
        ProfileSummary {
            name: name.to_owned(),
            current,
            region: settings.region.clone(),
            base_url: settings.base_url.clone(),
            api_version: settings.api_version.clone(),
            token: token_place(Some(name), settings),
            workspace: settings.workspace.clone(),
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

/// A saved token and its workspace.
#[derive(Serialize)]
pub struct LoginSummary {
    /// `None` for the settings outside of profiles.
    pub name: Option<String>,
    current: bool,
    workspace: Option<String>,
    workspace_id: Option<String>,
    region: Option<String>,
    base_url: Option<String>,
    token: String,
}

impl LoginSummary {
    fn new(name: Option<&str>, own: &Settings, merged: Settings, current: Option<&str>) -> Self {
        LoginSummary {
            name: name.map(str::to_owned),
            current: name == current,
            workspace: own.workspace.clone(),
            workspace_id: own.workspace_id.clone(),
            // Without region and base URL, a profile uses the first region.
            region: merged.region.or_else(|| merged.base_url.is_none().then(|| "us".to_owned())),
            base_url: merged.base_url,
            token: token_place(name, own),
        }
    }
}

/// All profiles, and the settings outside of profiles if they have a token.
///
/// # Errors
/// When the config file is unusable.
pub fn logins(context: &Context) -> Result<Vec<LoginSummary>, Error> {
    let config = Config::read(&context.config_path()?)?;
    let current = config.current(context.globals.connection.profile.as_deref());
    let top = LoginSummary::new(None, &config.settings, config.settings.clone(), current);
    let mut logins: Vec<LoginSummary> = Some(top).into_iter().filter(|top| top.token != NO_TOKEN).collect();
    for (name, own) in &config.profiles {
        let merged = config.profile(Some(name))?;
        logins.push(LoginSummary::new(Some(name), own, merged, current));
    }
    Ok(logins)
}

/// Place of a token that is not saved.
const NO_TOKEN: &str = "none";

/// Where the token of a profile is.
fn token_place(name: Option<&str>, settings: &Settings) -> String {
    match settings {
        Settings { token_env: Some(name), .. } => format!("environment variable {name}"),
        _ if keyring::read(Secret::Token, name).is_some() => "keyring".to_owned(),
        Settings { access_token: Some(_), .. } => "config file".to_owned(),
        _ => NO_TOKEN.to_owned(),
    }
}

/// Refuses names that are awkward to type or to write into the file.
///
/// # Errors
/// [`Error::Usage`] with the accepted letters.
pub fn check_name(name: &str) -> Result<(), Error> {
    if !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter)) {
        return Ok(());
    }
    Err(Error::usage_with_hint(
        format!("invalid profile name {name:?}"),
        Hint::new("use letters, digits, -, _ and ., for example ").run("profile save eu-support --region eu"),
    ))
}

/// Makes a profile the default one; `None` clears the default.
///
/// # Errors
/// If the profile does not exist, or the file cannot be written.
pub async fn switch(context: &Context, name: Option<&str>) -> Result<(), Error> {
    let path = context.config_path()?;
    Config::read(&path)?.profile(name)?;
    if context.globals.consent.dry_run {
        let shown = json!({ "dry_run": true, "action": "use the profile", "profile": name, "path": path });
        return Output::open(&context.globals.output)?.value(&shown).await;
    }
    config::write_key(&path, None, "profile", name)?;
    let meta = json!({ "source": "local", "path": path });
    Output::open(&context.globals.output)?.report(meta, &json!({ "profile": name })).await
}
