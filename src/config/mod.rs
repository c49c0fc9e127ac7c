//! Reads the config file and changes single keys in it.
//!
//! This is a bottom layer: it knows files and keys, not flags or commands. It must never print a token, never
//! make the file readable by others, and never lose comments or unknown keys.

mod error;
mod keys;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};
use toml_edit::{DocumentMut, Table};

pub use error::Error;
pub use keys::UnknownKey;

const FOLDER: &str = "intercom-pp-cli";

/// The content of the file. Every key is optional.
#[derive(Clone, Default, Deserialize)]
pub struct Config {
    #[serde(flatten)]
    pub settings: Settings,
    /// The default profile.
    pub profile: Option<String>,
    /// Named settings. Keys that a profile does not set come from the top of the file.
    #[serde(default)]
    pub profiles: BTreeMap<String, Settings>,
    pub office_hours: Option<OfficeHours>,
}

/// The hours when the team answers, as texts like `09:00-17:30`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeHours {
    /// An IANA name, for example `Europe/Dublin`.
    pub timezone: Option<String>,
    /// Default for Monday to Friday.
    pub hours: Option<Hours>,
    pub monday: Option<Hours>,
    pub tuesday: Option<Hours>,
    pub wednesday: Option<Hours>,
    pub thursday: Option<Hours>,
    pub friday: Option<Hours>,
    pub saturday: Option<Hours>,
    pub sunday: Option<Hours>,
    /// Days off, for example `2026-12-25`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// The hours of a day.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Hours {
    One(String),
    Several(Vec<String>),
}

impl OfficeHours {
    /// The hours of each day, starting with Monday.
    pub fn days(&self) -> [&[String]; 7] {
        fn of(hours: &Option<Hours>) -> Option<&[String]> {
            match hours.as_ref()? {
                Hours::One(one) => Some(std::slice::from_ref(one)),
                Hours::Several(several) => Some(several),
            }
        }
        let default = of(&self.hours).unwrap_or_default();
        [
            of(&self.monday).unwrap_or(default),
            of(&self.tuesday).unwrap_or(default),
            of(&self.wednesday).unwrap_or(default),
            of(&self.thursday).unwrap_or(default),
            of(&self.friday).unwrap_or(default),
            of(&self.saturday).unwrap_or_default(),
            of(&self.sunday).unwrap_or_default(),
        ]
    }
}

/// The settings of the file or of one profile.
#[derive(Clone, Default, Deserialize)]
pub struct Settings {
    pub access_token: Option<String>,
    /// Name of the environment variable with the token.
    pub token_env: Option<String>,
    /// The secret that signs the webhooks of the app.
    pub client_secret: Option<String>,
    pub region: Option<String>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    /// Path of the mirror.
    pub store: Option<PathBuf>,
    /// Name of the workspace that the saved token belonged to at login.
    pub workspace: Option<String>,
    /// Short code of that workspace.
    pub workspace_id: Option<String>,
    /// Refuse all changes to the workspace.
    pub read_only: Option<bool>,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Default values of global flags, by long name without dashes: text, a number, or `true`.
    #[serde(default)]
    pub defaults: BTreeMap<String, Flag>,
}

/// The value of a flag in the config file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Flag {
    Switch(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl Config {
    /// Reads the file. A missing file counts as an empty one.
    ///
    /// # Errors
    /// If the file cannot be read, is not valid TOML, or has values of the wrong type.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let Some(text) = text(path)? else { return Ok(Config::default()) };
        if let Ok(document) = toml_edit::Document::parse(text.as_str()) {
            keys::check(path, &text, document.as_table())?;
        }
        toml_edit::de::from_str(&text).map_err(|error| Error::toml(path, &error.to_string(), error.message()))
    }

    /// The settings of a profile, with those of the file as defaults.
    ///
    /// # Errors
    /// If the profile does not exist.
    pub fn profile(&self, name: Option<&str>) -> Result<Settings, Error> {
        let Some(name) = name else { return Ok(self.settings.clone()) };
        let profile = self.named(name)?;
        let base = &self.settings;
        let mut defaults = base.defaults.clone();
        defaults.extend(profile.defaults.clone());
        // Either token setting of the profile overrides both of the file.
        let has_token = profile.access_token.is_some() || profile.token_env.is_some();
        let token_source = if has_token { profile } else { base };
        // A profile whose token is in the keyring has a workspace, but no token.
        let workspace_source = if profile.workspace_id.is_some() { profile } else { token_source };
        let (access_token, token_env) = (token_source.access_token.clone(), token_source.token_env.clone());
        let mut headers = base.headers.clone();
        headers.extend(profile.headers.clone());
        Ok(Settings {
            access_token,
            token_env,
            client_secret: profile.client_secret.clone().or_else(|| base.client_secret.clone()),
            region: profile.region.clone().or_else(|| base.region.clone()),
            // A profile with a region does not inherit the base URL of the file.
            base_url: profile
                .base_url
                .clone()
                .or_else(|| base.base_url.clone().filter(|_| profile.region.is_none())),
            api_version: profile.api_version.clone().or_else(|| base.api_version.clone()),
            store: profile.store.clone().or_else(|| base.store.clone()),
            workspace: workspace_source.workspace.clone(),
            workspace_id: workspace_source.workspace_id.clone(),
            // No place can switch off what another has set.
            read_only: [base.read_only, profile.read_only].into_iter().flatten().max(),
            headers,
            defaults,
        })
    }

    /// The settings of a profile alone.
    ///
    /// # Errors
    /// If the profile does not exist.
    pub fn named(&self, name: &str) -> Result<&Settings, Error> {
        self.profiles.get(name).ok_or_else(|| Error::NoProfile {
            name: name.to_owned(),
            known: self.profiles.keys().cloned().collect(),
        })
    }

    /// The profile in use: the named one, or the file's default.
    pub fn current<'a>(&'a self, named: Option<&'a str>) -> Option<&'a str> {
        named.or(self.profile.as_deref())
    }
}

/// Unknown keys of the file, including those in profiles.
///
/// # Errors
/// If the file cannot be read or is not valid TOML.
pub fn unknown_keys(path: &Path) -> Result<Vec<UnknownKey>, Error> {
    Ok(keys::unknown(document(path)?.as_table()))
}

/// Removes a profile. Returns `false` if it did not exist.
///
/// # Errors
/// As [`write_key`].
pub fn remove_profile(path: &Path, name: &str) -> Result<bool, Error> {
    let mut document = document(path)?;
    let profiles = document.get_mut("profiles").and_then(|item| item.as_table_like_mut());
    let removed = profiles.and_then(|profiles| profiles.remove(name)).is_some();
    if document.get("profile").and_then(|item| item.as_str()) == Some(name) {
        document.remove("profile");
    }
    write_private(path, document.to_string().as_bytes())?;
    Ok(removed)
}

/// Sets values of a profile, creating it if necessary, and leaves the rest of the file unchanged. A dotted
/// name is a value in a table of the profile.
///
/// # Errors
/// As [`write_key`].
pub fn write_profile(path: &Path, name: &str, values: &[(String, Flag)]) -> Result<(), Error> {
    let mut document = document(path)?;
    let profile = profile_table(&mut document, path, name)?;
    for (key, value) in values {
        let (table, key) = match key.split_once('.') {
            None => (&mut *profile, key.as_str()),
            Some((inner, key)) => {
                let table = profile.entry(inner).or_insert_with(toml_edit::table);
                (table.as_table_mut().ok_or_else(|| Error::not_a_table(path, inner))?, key)
            }
        };
        let value = match value {
            Flag::Switch(value) => toml_edit::value(*value),
            Flag::Integer(value) => toml_edit::value(*value),
            Flag::Number(value) => toml_edit::value(*value),
            Flag::Text(value) => toml_edit::value(value.as_str()),
        };
        table.insert(key, value);
    }
    write_private(path, document.to_string().as_bytes())
}

/// Sets or removes one key; see [`write_keys`].
///
/// # Errors
/// If the file is not valid TOML or cannot be written.
pub fn write_key(path: &Path, profile: Option<&str>, key: &str, value: Option<&str>) -> Result<(), Error> {
    write_keys(path, profile, &[(key, value)])
}

/// Sets or removes keys in one write, in the table of the profile if one is named, and leaves the rest of the file
/// unchanged.
///
/// # Errors
/// As [`write_key`].
pub fn write_keys(path: &Path, profile: Option<&str>, keys: &[(&str, Option<&str>)]) -> Result<(), Error> {
    let mut document = document(path)?;
    let table = match profile {
        None => document.as_table_mut(),
        Some(name) => profile_table(&mut document, path, name)?,
    };
    for (key, value) in keys {
        match value {
            Some(value) => table.insert(key, toml_edit::value(*value)),
            None => table.remove(key),
        };
    }
    write_private(path, document.to_string().as_bytes())
}

/// The table of a profile, created if necessary.
fn profile_table<'a>(document: &'a mut DocumentMut, path: &Path, name: &str) -> Result<&'a mut Table, Error> {
    let profiles = document.entry("profiles").or_insert_with(toml_edit::table);
    let profiles = profiles.as_table_mut().ok_or_else(|| Error::not_a_table(path, "profiles"))?;
    profiles.set_implicit(true);
    let profile = profiles.entry(name).or_insert_with(toml_edit::table);
    profile.as_table_mut().ok_or_else(|| Error::not_a_table(path, name))
}

/// Replaces a file atomically, with mode 0600, so that only the owner can ever read it.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private_folder(folder).map_err(|error| Error::write(folder, error))?;
    // tempfile creates files with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| Error::write(folder, error))?;
    let written = file.write_all(content).and_then(|()| file.as_file().sync_all());
    written.map_err(|error| Error::write(path, error))?;
    file.persist(path).map_err(|error| Error::write(path, error.error))?;
    Ok(())
}

/// Creates a folder with mode 0700. An existing folder is not changed.
///
/// # Errors
/// As reported by the file system.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `~/.config/intercom-pp-cli/config.toml`, or the equivalent of the platform.
///
/// # Errors
/// If the home directory is unknown.
pub fn default_path() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.config_dir().join(FOLDER).join("config.toml"))
}

/// The folder for mirrors and journals.
///
/// # Errors
/// If the home directory is unknown.
pub fn data_folder() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.data_dir().join(FOLDER))
}

/// The file for editing. A missing file counts as an empty one.
fn document(path: &Path) -> Result<DocumentMut, Error> {
    let text = text(path)?.unwrap_or_default();
    text.parse().map_err(|error| Error::toml_error(path, &error))
}

fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(path, error)),
    }
}

/// An environment variable, trimmed; `None` if it is unset or empty.
pub fn env_var(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_key_keeps_the_rest_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/config.toml");
        fs::create_dir(folder.path().join("new")).unwrap();
        fs::write(&path, "# mine\nregion = \"eu\" # Dublin\n[headers]\nX-Team = \"ops\"\n").unwrap();
        write_key(&path, None, "access_token", Some("secret-1")).unwrap();
        write_key(&path, Some("au"), "region", Some("au")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("# mine") && text.contains("# Dublin"), "{text}");
        let config = Config::read(&path).unwrap();
        assert_eq!(config.settings.access_token.as_deref(), Some("secret-1"));
        let profile = config.profile(Some("au")).unwrap();
        assert_eq!(profile.region.as_deref(), Some("au"));
        assert_eq!(profile.access_token.as_deref(), Some("secret-1"));
        assert_eq!(profile.headers["X-Team"], "ops");
        write_key(&path, None, "access_token", None).unwrap();
        assert_eq!(Config::read(&path).unwrap().settings.access_token, None);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.toml");
        write_key(&path, None, "access_token", Some("secret")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn an_unknown_profile_is_an_error_that_lists_the_known_ones() {
        let mut config = Config::default();
        config.profiles.insert("eu".into(), Settings::default());
        let error = config.profile(Some("us")).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("unknown profile \"us\": expected eu"));
    }
}
