//! From the API description to Rust source.
//!
//! `build.rs` includes this module by path and calls [`generate`]; the `update-spec` example calls
//! [`distill`] and then [`generate`]. It reads `spec/` and writes `generated/`, nothing else: it
//! knows no transport, no terminal and no file outside those two folders, and it must give the same
//! bytes for the same input.

pub mod client;
pub mod description;
pub mod distill;
pub mod error;
mod flags;
pub mod names;
pub mod normalise;
pub mod overlay;
pub mod schema;
pub mod shape;
pub mod table;
pub mod tolerant;

use std::fs;
use std::path::{Path, PathBuf};

use description::Description;
use error::Error;
use overlay::Overlay;

/// The two generated files, as text.
pub struct Generated {
    pub client: String,
    pub commands: String,
}

/// Path of the one description in `spec`, `intercom-<version>.yaml`.
///
/// # Errors
/// [`Error::Layout`] when there is none or more than one.
pub fn description_path(spec: &Path) -> Result<PathBuf, Error> {
    let mut found: Vec<PathBuf> = fs::read_dir(spec)
        .map_err(|source| Error::read(spec, source))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("intercom-") && name.ends_with(".yaml")
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(path), true) => Ok(path),
        (None, _) => Err(Error::Layout(format!("no intercom-<version>.yaml in {}", spec.display()))),
        (Some(_), false) => {
            Err(Error::Layout(format!("more than one intercom-<version>.yaml in {}", spec.display())))
        }
    }
}

/// Reads `spec/` and returns both generated files without writing them.
///
/// # Errors
/// When a file cannot be read or parsed, or the description holds something no rule covers.
pub fn render(spec: &Path) -> Result<Generated, Error> {
    let path = description_path(spec)?;
    let text = fs::read_to_string(&path).map_err(|source| Error::read(&path, source))?;
    let mut description = Description::parse(&text)?;
    let overlay_path = spec.join("overlay.yaml");
    let overlay_text =
        fs::read_to_string(&overlay_path).map_err(|source| Error::read(&overlay_path, source))?;
    let overlay = Overlay::parse(&overlay_text)?;
    overlay.apply(&mut description);
    Ok(Generated {
        commands: table::render(&description, &overlay, &text)?,
        client: client::render(description, |id| overlay.help(id))?,
    })
}

/// Writes both generated files into `out`, each only when its content changes, so that a build from
/// an up-to-date tree writes nothing. Returns the files that changed.
///
/// # Errors
/// As [`render`], and when a file cannot be written.
pub fn generate(spec: &Path, out: &Path) -> Result<Vec<PathBuf>, Error> {
    let generated = render(spec)?;
    let mut changed = Vec::new();
    for (name, text) in [("client.rs", generated.client), ("commands.rs", generated.commands)] {
        let path = out.join(name);
        if fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            fs::write(&path, text).map_err(|source| Error::write(&path, source))?;
            changed.push(path);
        }
    }
    Ok(changed)
}
