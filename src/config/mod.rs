//! The config file: reading it, and changing single keys of it.
//!
//! Lives at the bottom of the layers: it knows files and keys, not flags or commands. It must never
//! print a token, never leave the file readable to others, and never lose what a person wrote into
//! it (comments and unknown keys stay).

mod error;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use toml_edit::DocumentMut;

pub use error::Error;

const FOLDER: &str = "intercom-pp-cli";

/// What the file says. Every key is optional.
#[derive(Clone, Default, Deserialize)]
pub struct Config {
    #[serde(flatten)]
    pub settings: Settings,
    /// The profile that is used when none is named.
    pub profile: Option<String>,
    /// Named settings; what a profile leaves open comes from the top of the file.
    #[serde(default)]
    pub profiles: BTreeMap<String, Settings>,
    pub office_hours: Option<OfficeHours>,
}

/// When somebody is there to answer. Hours are texts such as `09:00-17:30`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficeHours {
    /// An IANA name such as `Europe/Dublin`.
    pub timezone: Option<String>,
    /// From Monday to Friday, unless a day has its own.
    pub hours: Option<Hours>,
    pub monday: Option<Hours>,
    pub tuesday: Option<Hours>,
    pub wednesday: Option<Hours>,
    pub thursday: Option<Hours>,
    pub friday: Option<Hours>,
    pub saturday: Option<Hours>,
    pub sunday: Option<Hours>,
    /// Days on which nobody is there, such as `2026-12-25`.
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
    /// The hours of each day, Monday first.
    pub fn days(&self) -> [&[String]; 7] {
        fn of(hours: &Option<Hours>) -> Option<&[String]> {
            match hours.as_ref()? {
                Hours::One(one) => Some(std::slice::from_ref(one)),
                Hours::Several(several) => Some(several),
            }
        }
        let usual = of(&self.hours).unwrap_or_default();
        [
            of(&self.monday).unwrap_or(usual),
            of(&self.tuesday).unwrap_or(usual),
            of(&self.wednesday).unwrap_or(usual),
            of(&self.thursday).unwrap_or(usual),
            of(&self.friday).unwrap_or(usual),
            of(&self.saturday).unwrap_or_default(),
            of(&self.sunday).unwrap_or_default(),
        ]
    }
}

/// Settings of the file or of one profile.
#[derive(Clone, Default, Deserialize)]
pub struct Settings {
    pub access_token: Option<String>,
    /// The environment variable that holds the token.
    pub token_env: Option<String>,
    pub region: Option<String>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    /// The mirror's file.
    pub store: Option<PathBuf>,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Flags that every command has, by their long names without dashes: text, a number, or `true`.
    #[serde(default)]
    pub defaults: BTreeMap<String, Flag>,
}

/// The value of a flag in the file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    Switch(bool),
    Integer(i64),
    Number(f64),
    Text(String),
}

impl Config {
    /// Reads the file; a file that does not exist says nothing.
    ///
    /// # Errors
    /// When it cannot be read or is no TOML of the right shape.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let Some(text) = text(path)? else { return Ok(Config::default()) };
        toml_edit::de::from_str(&text).map_err(|error| Error::parse(path, &error.to_string()))
    }

    /// The settings of a profile over those of the file.
    ///
    /// # Errors
    /// When there is no such profile.
    pub fn profile(&self, name: Option<&str>) -> Result<Settings, Error> {
        let Some(name) = name else { return Ok(self.settings.clone()) };
        let profile = self.profiles.get(name).ok_or_else(|| Error::NoProfile {
            name: name.to_owned(),
            known: self.profiles.keys().cloned().collect(),
        })?;
        let base = &self.settings;
        let mut defaults = base.defaults.clone();
        defaults.extend(profile.defaults.clone());
        // A token of the profile, however it is kept, goes before one of the file.
        let own_token = profile.access_token.is_some() || profile.token_env.is_some();
        let (access_token, token_env) = match own_token {
            true => (profile.access_token.clone(), profile.token_env.clone()),
            false => (base.access_token.clone(), base.token_env.clone()),
        };
        let mut headers = base.headers.clone();
        headers.extend(profile.headers.clone());
        Ok(Settings {
            access_token,
            token_env,
            region: profile.region.clone().or_else(|| base.region.clone()),
            // A profile's region is not for another profile's server.
            base_url: profile
                .base_url
                .clone()
                .or_else(|| base.base_url.clone().filter(|_| profile.region.is_none())),
            api_version: profile.api_version.clone().or_else(|| base.api_version.clone()),
            store: profile.store.clone().or_else(|| base.store.clone()),
            headers,
            defaults,
        })
    }

    /// The name of the profile in use: the one that was named, or the file's.
    pub fn current<'a>(&'a self, named: Option<&'a str>) -> Option<&'a str> {
        named.or(self.profile.as_deref())
    }
}

/// Keys of the file, profiles included, that mean nothing here: misspelt, most likely.
///
/// # Errors
/// When the file cannot be read or is no TOML.
pub fn unknown_keys(path: &Path) -> Result<Vec<String>, Error> {
    let text = text(path)?.unwrap_or_default();
    let document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| Error::parse(path, &error.to_string()))?;
    let own = document.iter().map(|(key, _)| key.to_owned()).filter(|key| !OF_FILE.contains(&key.as_str()));
    let profiles = document.get("profiles").and_then(|item| item.as_table_like());
    let profiles = profiles.into_iter().flat_map(|profiles| profiles.iter());
    let inside = profiles.flat_map(|(name, profile)| {
        let keys = profile.as_table_like().into_iter().flat_map(|profile| profile.iter());
        keys.map(move |(key, _)| (key, format!("profiles.{name}.{key}")))
    });
    let of_settings = |key: &str| OF_SETTINGS.contains(&key);
    let inside = inside.filter(|(key, _)| !of_settings(key)).map(|(_, path)| path);
    Ok(own.filter(|key| !of_settings(key)).chain(inside).collect())
}

/// The keys of [`Settings`], and those of [`Config`] beside them.
const OF_SETTINGS: &[&str] =
    &["access_token", "token_env", "region", "base_url", "api_version", "store", "headers", "defaults"];
const OF_FILE: &[&str] = &["profile", "profiles", "office_hours"];

/// Removes a profile; `false` when there was none.
///
/// # Errors
/// As [`write_key`].
pub fn remove_profile(path: &Path, name: &str) -> Result<bool, Error> {
    let text = text(path)?.unwrap_or_default();
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| Error::parse(path, &error.to_string()))?;
    let profiles = document.get_mut("profiles").and_then(|item| item.as_table_like_mut());
    let removed = profiles.and_then(|profiles| profiles.remove(name)).is_some();
    if document.get("profile").and_then(|item| item.as_str()) == Some(name) {
        document.remove("profile");
    }
    write_private(path, document.to_string().as_bytes())?;
    Ok(removed)
}

/// Sets values of a profile, creating it, and leaves the rest of the file as it is. A dotted name is a
/// value in a table of the profile.
///
/// # Errors
/// As [`write_key`].
pub fn write_profile(path: &Path, name: &str, values: &[(String, Flag)]) -> Result<(), Error> {
    let text = text(path)?.unwrap_or_default();
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| Error::parse(path, &error.to_string()))?;
    let wrong = |what: &str| Error::parse(path, &format!("`{what}` is no table"));
    let profiles = document.entry("profiles").or_insert_with(toml_edit::table);
    let profiles = profiles.as_table_mut().ok_or_else(|| wrong("profiles"))?;
    profiles.set_implicit(true);
    let profile = profiles.entry(name).or_insert_with(toml_edit::table);
    let profile = profile.as_table_mut().ok_or_else(|| wrong(name))?;
    for (key, value) in values {
        let (table, key) = match key.split_once('.') {
            None => (&mut *profile, key.as_str()),
            Some((inner, key)) => {
                let table = profile.entry(inner).or_insert_with(toml_edit::table);
                (table.as_table_mut().ok_or_else(|| wrong(inner))?, key)
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

/// Sets one key (in the profile's table, if one is named), or removes it, and leaves the rest of the
/// file as it is. Written beside the file and renamed, with mode 0600 in a folder of mode 0700.
///
/// # Errors
/// When the file is no TOML, or cannot be written.
pub fn write_key(path: &Path, profile: Option<&str>, key: &str, value: Option<&str>) -> Result<(), Error> {
    let text = text(path)?.unwrap_or_default();
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| Error::parse(path, &error.to_string()))?;
    let table = match profile {
        None => document.as_table_mut(),
        Some(name) => {
            let profiles = document.entry("profiles").or_insert_with(toml_edit::table);
            let profiles =
                profiles.as_table_mut().ok_or_else(|| Error::parse(path, "`profiles` is no table"))?;
            profiles.set_implicit(true);
            let table = profiles.entry(name).or_insert_with(toml_edit::table);
            table.as_table_mut().ok_or_else(|| Error::parse(path, "a profile is no table"))?
        }
    };
    match value {
        Some(value) => table.insert(key, toml_edit::value(value)),
        None => table.remove(key),
    };
    write_private(path, document.to_string().as_bytes())
}

/// Replaces a file in one step; nobody but the owner can read it at any moment.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private_folder(folder).map_err(|error| Error::write(folder, error))?;
    // tempfile creates with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| Error::write(folder, error))?;
    let written = file.write_all(content).and_then(|()| file.as_file().sync_all());
    written.map_err(|error| Error::write(path, error))?;
    file.persist(path).map_err(|error| Error::write(path, error.error))?;
    Ok(())
}

/// Creates a folder that only its owner can enter; one that exists is left as it is.
///
/// # Errors
/// As the file system reports them.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `~/.config/intercom-pp-cli/config.toml`, wherever the platform keeps configuration.
///
/// # Errors
/// When there is no home directory.
pub fn default_path() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.config_dir().join(FOLDER).join("config.toml"))
}

/// The folder for data: mirrors, journals.
///
/// # Errors
/// When there is no home directory.
pub fn data_folder() -> Result<PathBuf, Error> {
    let base = etcetera::choose_base_strategy().map_err(|_| Error::NoHome)?;
    Ok(base.data_dir().join(FOLDER))
}

fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_key_keeps_the_rest() {
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
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.toml");
        write_key(&path, None, "access_token", Some("secret")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }

    #[test]
    fn a_missing_profile_names_those_there_are() {
        let mut config = Config::default();
        config.profiles.insert("eu".into(), Settings::default());
        let error = config.profile(Some("us")).err().map(|it| it.to_string());
        assert_eq!(error.as_deref(), Some("there is no profile \"us\"; known: eu"));
    }
}
