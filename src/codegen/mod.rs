//! Generates Rust source from the API description.
//!
//! `build.rs` includes this module by path and calls [`generate`]. The `update-spec` example calls
//! [`update::prepare`] first. The generator reads `spec/` and writes `generated/`. It must not touch any
//! other file, and it must produce the same bytes for the same input.

pub mod client;
pub mod description;
pub mod effect;
pub mod error;
mod flags;
pub mod handwritten;
pub mod lenient_fields;
pub mod names;
pub mod normalize;
pub mod overlay;
pub mod schema;
pub mod shape;
pub mod stamp;
pub mod strip_prose;
pub mod table;
pub mod update;

use std::fs;
use std::path::{Path, PathBuf};

use description::Description;
use error::Error;
use overlay::Overlay;

/// The folder of the generator, whose files are inputs like those in `spec/`.
const CODEGEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/codegen");

/// The text of the two generated files.
pub struct GeneratedFiles {
    pub client: String,
    pub commands: String,
}

/// Path of the description in `spec`, `intercom-<version>.yaml`.
///
/// # Errors
/// [`Error::Layout`] unless there is exactly one.
pub fn description_path(spec: &Path) -> Result<PathBuf, Error> {
    let mut paths: Vec<PathBuf> = fs::read_dir(spec)
        .map_err(|source| Error::read(spec, source))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("intercom-") && name.ends_with(".yaml")
        })
        .collect();
    match (paths.pop(), paths.is_empty()) {
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
/// If a file cannot be read or parsed, or the description contains something that no rule covers.
pub fn render(spec: &Path) -> Result<GeneratedFiles, Error> {
    let path = description_path(spec)?;
    let text = fs::read_to_string(&path).map_err(|source| Error::read(&path, source))?;
    let mut description = Description::parse(&text)?;
    let overlay_path = spec.join("overlay.yaml");
    let overlay_text =
        fs::read_to_string(&overlay_path).map_err(|source| Error::read(&overlay_path, source))?;
    let overlay = Overlay::parse(&overlay_text)?;
    overlay.apply(&mut description);
    Ok(GeneratedFiles {
        commands: table::render(&description, &overlay, &text)?,
        client: client::render(description, |id| overlay.help(id))?,
    })
}

/// Writes both generated files and their stamp into `out`, each only if its content changes, so that a build from
/// an up-to-date tree writes nothing. Returns the files that changed.
///
/// # Errors
/// As [`render`], and if a file cannot be written.
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
    let stamp = stamp::write(spec, Path::new(CODEGEN), out).map_err(|source| Error::write(out, source))?;
    changed.extend(stamp);
    Ok(changed)
}
