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
    pub region: Option<String>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
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
        let mut headers = base.headers.clone();
        headers.extend(profile.headers.clone());
        Ok(Settings {
            access_token: profile.access_token.clone().or_else(|| base.access_token.clone()),
            region: profile.region.clone().or_else(|| base.region.clone()),
            base_url: profile.base_url.clone().or_else(|| base.base_url.clone()),
            api_version: profile.api_version.clone().or_else(|| base.api_version.clone()),
            headers,
        })
    }
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
