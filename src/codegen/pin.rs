//! The pinned version: the one that requests name by default.
//!
//! It is one of the described versions. Pinning another one changes no command, flag or type, because these come from all
//! descriptions together; only what is sent and received by default changes.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;

/// The file in `spec/`. Without it, the oldest version is pinned.
pub const NAME: &str = "pinned.yaml";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    version: String,
}

/// The pinned version.
///
/// # Errors
/// If the file cannot be read or has another shape.
pub fn read(spec: &Path) -> Result<Option<String>, Error> {
    let path = spec.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|source| Error::read(&path, source))?;
    let pinned: Pinned = serde_saphyr::from_str(&text)
        .map_err(|error| Error::Yaml { what: NAME, reason: error.to_string() })?;
    Ok(Some(pinned.version))
}

/// The text of the file.
pub fn text(version: &str) -> String {
    format!("version: {version:?}\n")
}
