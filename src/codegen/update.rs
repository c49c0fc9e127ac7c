//! Checks whether another version of the description can be used, and which commands it changes.
//!
//! A removed command breaks scripts, and a truncated file looks like a version with fewer operations. Neither
//! may go unnoticed. Nothing is written here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::description::{Description, reference};
use super::error::Error;
use super::overlay::Overlay;
use super::strip_prose::strip_prose;
use super::table::{self, Command};

/// The oldest version that has the operations of all stable commands.
const OLDEST: (u32, u32) = (2, 13);

/// A usable new description.
pub struct Update {
    pub version: String,
    /// The text for `spec/`.
    pub facts: String,
    pub added: Vec<Command>,
    pub removed: Vec<RemovedCommand>,
}

/// A command without an operation in the new description.
pub struct RemovedCommand {
    pub command: Command,
    /// The command that now has the same method and path.
    pub replacement: Option<String>,
}

/// Compares a vendor's file with the description in `spec`. With `allow_removals`, the new table may be
/// smaller than the old one.
///
/// # Errors
/// If the file is not a description, is too old, has dangling references, or has fewer operations than
/// allowed.
pub fn prepare(vendor: &str, spec: &Path, allow_removals: bool) -> Result<Update, Error> {
    let (version, facts) = strip_prose(vendor)?;
    check_version(&version)?;
    let root: Value = serde_saphyr::from_str(&facts)
        .map_err(|error| Error::Yaml { what: "the reduced description", reason: error.to_string() })?;
    check_references(&root)?;

    let overlay_path = spec.join("overlay.yaml");
    let overlay = fs::read_to_string(&overlay_path).map_err(|source| Error::read(&overlay_path, source))?;
    let overlay = Overlay::parse(&overlay)?;
    let path = super::description_path(spec)?;
    let pinned = fs::read_to_string(&path).map_err(|source| Error::read(&path, source))?;
    let (old, new) = (commands(&pinned, &overlay)?, commands(&facts, &overlay)?);

    let removed: Vec<RemovedCommand> = old
        .values()
        .filter(|command| !contains(&new, command))
        .map(|command| removed_command(command, &new))
        .collect();
    let added: Vec<Command> = new.values().filter(|command| !contains(&old, command)).cloned().collect();
    if new.len() < old.len() && !allow_removals {
        let names: Vec<&str> = removed.iter().take(5).map(|removed| removed.command.name.as_str()).collect();
        return Err(Error::Layout(format!(
            "the file has {} operations, the pinned description {}: it is incomplete or removes commands \
             ({}, ...); pass --allow-removals to accept that",
            new.len(),
            old.len(),
            names.join(", ")
        )));
    }
    Ok(Update { version, facts, added, removed })
}

type Commands = BTreeMap<String, Command>;

fn commands(text: &str, overlay: &Overlay) -> Result<Commands, Error> {
    let mut description = Description::parse(text)?;
    overlay.apply(&mut description);
    let commands = table::commands(&description, overlay)?;
    Ok(commands.into_iter().map(|command| (command.name.clone(), command)).collect())
}

/// Whether a table accepts a command, as its name or as another spelling.
fn contains(commands: &Commands, wanted: &Command) -> bool {
    commands.contains_key(&wanted.name)
        || commands.values().any(|command| command.readable.contains(&wanted.name))
}

fn removed_command(command: &Command, new: &Commands) -> RemovedCommand {
    let same = new.values().find(|other| (&other.method, &other.path) == (&command.method, &command.path));
    RemovedCommand { command: command.clone(), replacement: same.map(|other| other.name.clone()) }
}

/// Rejects old versions. A version that is not a number, such as `Preview`, is accepted.
fn check_version(version: &str) -> Result<(), Error> {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let (Ok(major), Ok(minor)) = (major.trim().parse::<u32>(), minor.trim().parse::<u32>()) else {
        return Ok(());
    };
    if (major, minor) < OLDEST {
        return Err(Error::Layout(format!(
            "the file describes version {version}: expected {}.{} or newer",
            OLDEST.0, OLDEST.1
        )));
    }
    Ok(())
}

/// Rejects truncated files: they refer to components that are missing.
fn check_references(root: &Value) -> Result<(), Error> {
    let mut missing = Vec::new();
    collect_missing(root, root, &mut missing);
    missing.sort_unstable();
    missing.dedup();
    match &missing[..] {
        [] => Ok(()),
        [first, ..] => Err(Error::Layout(format!(
            "the file refers to {} missing components, for example {first}: it is incomplete",
            missing.len()
        ))),
    }
}

fn collect_missing<'a>(root: &Value, value: &'a Value, missing: &mut Vec<&'a str>) {
    if let Some(target) = reference(value).filter(|target| root.pointer(target).is_none()) {
        missing.push(target);
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| collect_missing(root, value, missing)),
        Value::Array(elements) => elements.iter().for_each(|value| collect_missing(root, value, missing)),
        _ => {}
    }
}
