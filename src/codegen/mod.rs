//! Generates Rust source from the API description.
//!
//! `build.rs` includes this module by path and calls [`generate`]. The `update-spec` example calls
//! [`update::prepare`] first. The generator reads `spec/` and writes `generated/`. It must not touch any
//! other file, and it must produce the same bytes for the same input.

pub mod answers;
mod call_text;
pub mod client;
mod cycles;
pub mod description;
pub mod effect;
pub mod error;
mod flags;
pub mod handwritten;
mod history;
pub mod inline;
pub mod marks;
mod method_text;
mod methods;
pub mod names;
pub mod normalize;
pub mod overlay;
pub mod pin;
mod references;
pub mod schema;
pub mod shape;
pub mod stamp;
pub mod strip_prose;
pub mod table;
mod type_text;
pub mod types;
pub mod update;
#[path = "../api/version.rs"]
pub mod version;
pub mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use description::Description;
use error::Error;
use overlay::Overlay;
use table::DescribedVersion;
use version::ApiVersion;

/// The folder of the generator, whose files are inputs like those in `spec/`.
const CODEGEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/codegen");

/// The text of the generated files.
pub struct GeneratedFiles {
    pub client: String,
    pub calls: String,
    pub commands: String,
}

/// Everything in `spec/`: the described versions, merged, and the overlay.
pub struct Spec {
    pub description: Description,
    pub overlay: Overlay,
    pub versions: Vec<DescribedVersion>,
    /// The texts of all descriptions, for their hash.
    pub sources: String,
}

/// Paths of the descriptions in `spec`, `intercom-<version>.yaml`, oldest version first.
///
/// # Errors
/// [`Error::Layout`] without any, or for a name that is not that of a version.
pub fn description_paths(spec: &Path) -> Result<Vec<(ApiVersion, PathBuf)>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(spec).map_err(|source| Error::read(spec, source))? {
        let path = entry.map_err(|source| Error::read(spec, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(version) = name.strip_prefix("intercom-").and_then(|rest| rest.strip_suffix(".yaml")) else {
            continue;
        };
        let version =
            version.parse().map_err(|error| Error::Layout(format!("{}: {error}", path.display())))?;
        paths.push((version, path));
    }
    if paths.is_empty() {
        return Err(Error::Layout(format!("no intercom-<version>.yaml in {}", spec.display())));
    }
    paths.sort();
    Ok(paths)
}

/// Reads and merges everything in `spec`.
///
/// # Errors
/// If a file cannot be read or parsed, or the pinned version is not described.
pub fn load(spec: &Path) -> Result<Spec, Error> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|source| Error::read(path, source));
    let overlay = Overlay::parse(&read(&spec.join("overlay.yaml"))?)?;
    let texts: Result<Vec<String>, Error> =
        description_paths(spec)?.iter().map(|(_, path)| read(path)).collect();
    let mut merged = merged(&texts?, overlay)?;
    if let Some(pinned) = pin::read(spec)? {
        merged.versions.iter_mut().for_each(|version| version.is_pinned = version.number == pinned);
        if !merged.versions.iter().any(|version| version.is_pinned) {
            return Err(Error::Layout(format!("{} names {pinned}, which is not described", pin::NAME)));
        }
    }
    Ok(merged)
}

/// Merges the texts of descriptions, oldest version first, corrected by the overlay. The oldest version is pinned.
///
/// # Errors
/// Without any text, or if one is not YAML.
pub fn merged(texts: &[String], overlay: Overlay) -> Result<Spec, Error> {
    let mut versions = Vec::new();
    let mut merged: Option<Description> = None;
    for text in texts {
        let mut description = Description::parse(text)?;
        let number = description.version().to_owned();
        let operations = description.operations().len();
        versions.push(DescribedVersion { number, operations, is_pinned: versions.is_empty() });
        overlay.rename_placeholders(&mut description);
        let Some(earlier) = &mut merged else {
            overlay.apply(&mut description);
            merged = Some(description);
            continue;
        };
        versions::align(earlier, &mut description);
        overlay.apply(&mut description);
        let previous = &versions[versions.len() - 2].number;
        versions::merge(earlier, description, previous);
    }
    let description = merged.ok_or_else(|| Error::Layout("no description".to_owned()))?;
    Ok(Spec { description, overlay, versions, sources: texts.concat() })
}

/// Reads `spec/` and returns the generated files without writing them.
///
/// # Errors
/// If a file cannot be read or parsed, or the description contains something that no rule covers.
pub fn render(spec: &Path) -> Result<GeneratedFiles, Error> {
    let Spec { description, overlay, versions, sources } = load(spec)?;
    let commands = table::render(&description, &overlay, &versions, &sources)?;
    let client::ClientFiles { client, calls } = client::render(description, &overlay)?;
    Ok(GeneratedFiles { client, calls, commands })
}

/// Writes the generated files and their stamp into `out`, each only if its content changes, so that a build from
/// an up-to-date tree writes nothing. Returns the files that changed.
///
/// # Errors
/// As [`render`], and if a file cannot be written.
pub fn generate(spec: &Path, out: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut changed = Vec::new();
    let GeneratedFiles { client, calls, commands } = render(spec)?;
    for (name, text) in [("client.rs", client), ("calls.rs", calls), ("commands.rs", commands)] {
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
