//! Which mirror belongs to which token.
//!
//! A sync registers the path of its mirror under a fingerprint of server and token, and offline commands look it up
//! without a request. The fingerprint is a truncated SHA-256, which does not reveal the token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use reqwest::Url;
use sha2::{Digest, Sha256};

use crate::api::secret::Token;
use crate::config::{Error, data_folder, write_private};

const REGISTRY: &str = "workspaces.json";

/// Identifies the credentials of a mirror.
pub fn fingerprint(base_url: &Url, token: &Token) -> String {
    let digest = Sha256::digest(format!("{base_url}\n{}", token.expose()));
    digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The path that the latest sync with these credentials has registered.
pub fn registered(fingerprint: &str) -> Option<PathBuf> {
    entries().remove(fingerprint)
}

/// Registers the mirror of these credentials.
///
/// # Errors
/// If the home directory is unknown, or the registry cannot be written.
pub fn register(fingerprint: String, mirror: &Path) -> Result<(), Error> {
    let mut entries = entries();
    if entries.get(&fingerprint).is_some_and(|path| path == mirror) {
        return Ok(());
    }
    entries.insert(fingerprint, mirror.to_owned());
    let path = registry_path()?;
    let text = serde_json::to_vec_pretty(&entries).map_err(|error| Error::write(&path, error.into()))?;
    write_private(&path, &text)
}

/// All mirrors in the data folder.
///
/// # Errors
/// If the home directory is unknown.
pub fn mirrors() -> Result<Vec<PathBuf>, Error> {
    let is_mirror = |path: &Path| path.extension().is_some_and(|extension| extension == "db");
    let entries = std::fs::read_dir(data_folder()?).into_iter().flatten().flatten();
    let mut mirrors: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_mirror(path)).collect();
    mirrors.sort();
    Ok(mirrors)
}

fn registry_path() -> Result<PathBuf, Error> {
    Ok(data_folder()?.join(REGISTRY))
}

/// Empty if the registry cannot be read: the next sync writes it again.
fn entries() -> BTreeMap<String, PathBuf> {
    let text = registry_path().ok().and_then(|path| std::fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_identifies_server_and_token() {
        let of = |url: &str, token: &str| fingerprint(&url.parse().unwrap(), &Token::new(token).unwrap());
        let here = of("https://api.intercom.io", "a");
        assert_eq!(here.len(), 16);
        assert_eq!(here, of("https://api.intercom.io/", "a"));
        assert!(here != of("https://api.eu.intercom.io", "a") && here != of("https://api.intercom.io", "b"));
    }
}
