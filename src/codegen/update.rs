//! Takes the description of another API version: which commands it adds, changes and removes, and what to write into
//! the overlay.
//!
//! A removed command breaks scripts, and a truncated file looks like a version with fewer operations. Neither
//! may go unnoticed. Nothing is written here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::description::{Description, reference};
use super::error::Error;
use super::methods;
use super::overlay::Overlay;
use super::strip_prose::strip_prose;
use super::table::{self, Command};
use super::version::ApiVersion;
use super::{Spec, description_paths, merged};

/// The oldest version that has the operations of all stable commands.
const OLDEST: ApiVersion = ApiVersion::Number(2, 13);

/// How a description is taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices {
    /// Accepts that commands go.
    pub allow_removals: bool,
}

/// A usable description.
pub struct Update {
    pub version: ApiVersion,
    /// The text for `spec/`.
    pub facts: String,
    pub added: Vec<Command>,
    pub changed: Vec<ChangedCommand>,
    pub removed: Vec<RemovedCommand>,
    /// Operations that cannot be called, one line each with the reason.
    pub unusable: Vec<String>,
    /// Entries for the overlay, as YAML, for the new operations that have none.
    pub entries: String,
}

/// A command whose parameters or version differ.
pub struct ChangedCommand {
    pub name: String,
    /// One line for each difference.
    pub differences: Vec<String>,
}

/// A command without an operation afterwards.
pub struct RemovedCommand {
    pub command: Command,
    /// The command that now has the same method and path.
    pub replacement: Option<String>,
}

/// Compares `spec` with and without a vendor's file.
///
/// # Errors
/// If the file is not a description, is too old, has dangling references, or removes commands without leave.
pub fn prepare(vendor: &str, spec: &Path, choices: Choices) -> Result<Update, Error> {
    let (version, facts) = strip_prose(vendor)?;
    let version: ApiVersion = version.parse().map_err(|error| Error::Layout(format!("{error}")))?;
    let root: Value = serde_saphyr::from_str(&facts)
        .map_err(|error| Error::Yaml { what: "the reduced description", reason: error.to_string() })?;
    check_references(&root)?;
    let described = description_paths(spec)?;
    check_version(&version)?;

    let read = |path: &Path| fs::read_to_string(path).map_err(|source| Error::read(path, source));
    let overlay = || Overlay::parse(&read(&spec.join("overlay.yaml"))?);
    let mut texts: BTreeMap<ApiVersion, String> = BTreeMap::new();
    for (version, path) in &described {
        texts.insert(version.clone(), read(path)?);
    }
    let before = merged(&texts.values().cloned().collect::<Vec<_>>(), overlay()?)?;
    // A file with much less than the version beside it has been cut off.
    let neighbour = texts.get(&version).or_else(|| texts.range(..&version).next_back().map(|(_, text)| text));
    check_size(&facts, neighbour, choices.allow_removals)?;
    texts.insert(version.clone(), facts.clone());
    let after = merged(&texts.values().cloned().collect::<Vec<_>>(), overlay()?)?;

    let (old, new) = (commands(&before)?, commands(&after)?);
    let removed: Vec<RemovedCommand> = old
        .values()
        .filter(|command| !contains(&new, command))
        .map(|command| removed_command(command, &new))
        .collect();
    if !removed.is_empty() && !choices.allow_removals {
        let names: Vec<&str> = removed.iter().take(5).map(|removed| removed.command.name.as_str()).collect();
        return Err(Error::Layout(format!(
            "{} commands would go ({}): pass --allow-removals to accept that",
            removed.len(),
            names.join(", ")
        )));
    }
    let added: Vec<Command> = new.values().filter(|command| !contains(&old, command)).cloned().collect();
    let changed =
        new.values().filter_map(|command| changed_command(old.get(&command.name)?, command)).collect();
    let without_entry = new.values().filter(|command| !after.overlay.operations.contains_key(&command.id));
    let entries = without_entry.map(entry).collect();
    let mut unusable = other_methods(vendor)?;
    let omitted = methods::omitted(&after.description);
    unusable.extend(omitted.into_iter().map(|(id, kind)| format!("{id}: its body is {kind}, not JSON")));
    Ok(Update { version, facts, added, changed, removed, unusable, entries })
}

/// The operations of a vendor's file with methods that no command has.
fn other_methods(vendor: &str) -> Result<Vec<String>, Error> {
    let root: Value = serde_saphyr::from_str(vendor)
        .map_err(|error| Error::Yaml { what: "the vendor's description", reason: error.to_string() })?;
    let mut found = Vec::new();
    for (path, item) in root["paths"].as_object().into_iter().flatten() {
        let other =
            ["head", "options", "trace", "query"].iter().filter(|method| item.get(**method).is_some());
        found.extend(
            other.map(|method| format!("{} {path}: no command has this method", method.to_uppercase())),
        );
    }
    Ok(found)
}

type Commands = BTreeMap<String, Command>;

fn commands(spec: &Spec) -> Result<Commands, Error> {
    let commands = table::commands(&spec.description, &spec.overlay)?;
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

fn changed_command(old: &Command, new: &Command) -> Option<ChangedCommand> {
    let mut differences = Vec::new();
    if (&old.method, &old.path) != (&new.method, &new.path) {
        differences.push(format!("{} {} is now {} {}", old.method, old.path, new.method, new.path));
    }
    if old.version != new.version {
        let text =
            |version: &Option<String>| version.clone().unwrap_or_else(|| "the oldest version".to_owned());
        differences.push(format!("needs {} instead of {}", text(&new.version), text(&old.version)));
    }
    if old.until != new.until {
        let until = new.until.as_deref().unwrap_or("the newest version");
        differences.push(format!("described up to {until}"));
    }
    for (name, facts) in &new.parameters {
        match old.parameters.get(name) {
            None => differences.push(format!("+ {name} ({facts})")),
            Some(before) if before != facts => differences.push(format!("~ {name} ({before} -> {facts})")),
            Some(_) => {}
        }
    }
    for name in old.parameters.keys().filter(|name| !new.parameters.contains_key(*name)) {
        differences.push(format!("- {name}"));
    }
    (!differences.is_empty()).then(|| ChangedCommand { name: new.name.clone(), differences })
}

/// An overlay entry to complete.
fn entry(command: &Command) -> String {
    let Command { id, name, method, path, effect, .. } = command;
    let is_word = id.starts_with(|first: char| first.is_ascii_alphabetic())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    let id = if is_word { id.clone() } else { Value::from(id.as_str()).to_string() };
    format!("  {id}:  # {method} {path}\n    command: {name}\n    effect: {effect}\n    help: ''\n")
}

/// Rejects versions for which `spec` has no place.
fn check_version(version: &ApiVersion) -> Result<(), Error> {
    if *version < OLDEST {
        return Err(Error::Layout(format!(
            "the file describes version {version}: expected {OLDEST} or newer"
        )));
    }
    Ok(())
}

/// Rejects a file that has fewer operations than the version beside it.
fn check_size(facts: &str, neighbour: Option<&String>, allow_removals: bool) -> Result<(), Error> {
    let Some(neighbour) = neighbour else { return Ok(()) };
    let (old, new) = (Description::parse(neighbour)?, Description::parse(facts)?);
    let (old, new) = (old.operations().len(), new.operations().len());
    if new < old && !allow_removals {
        return Err(Error::Layout(format!(
            "the file has {new} operations, the version before it {old}: it is incomplete or removes operations; \
             pass --allow-removals to accept that"
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
