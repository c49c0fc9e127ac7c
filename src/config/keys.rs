//! The keys of the config file and the types of their values.
//!
//! Values are checked before the file is read, so that an error names the key. A value must never be quoted: it may be a
//! token.

use std::fmt;
use std::path::Path;

use toml_edit::{Item, TableLike};

use super::error::Error;

/// What a key holds.
#[derive(Clone, Copy)]
enum KeyType {
    Text,
    Flag,
    /// A table of texts.
    Texts,
    Table,
}

/// The keys of `Settings`.
const OF_SETTINGS: &[(&str, KeyType)] = &[
    ("access_token", KeyType::Text),
    ("token_env", KeyType::Text),
    ("client_secret", KeyType::Text),
    ("region", KeyType::Text),
    ("base_url", KeyType::Text),
    ("api_version", KeyType::Text),
    ("store", KeyType::Text),
    ("workspace", KeyType::Text),
    ("workspace_id", KeyType::Text),
    ("read_only", KeyType::Flag),
    ("headers", KeyType::Texts),
    ("defaults", KeyType::Table),
];
/// The keys of `Config` besides those of `Settings`.
const OF_FILE: &[(&str, KeyType)] =
    &[("profile", KeyType::Text), ("profiles", KeyType::Table), ("office_hours", KeyType::Table)];

/// Checks the settings at the top of the file and those of its profiles.
///
/// # Errors
/// [`Error::Parse`] with the place, the key and the type that was expected.
pub(super) fn check(path: &Path, text: &str, file: &dyn TableLike) -> Result<(), Error> {
    let wrong = |item: &Item, reason: String| {
        let at = item.span().map(|span| place(text, span.start));
        Error::parse(path, &at.map_or(reason.clone(), |at| format!("{at}: {reason}")))
    };
    let settings = |table: &dyn TableLike, of: &str| {
        for (key, item) in table.iter() {
            let shapes = OF_SETTINGS.iter().chain(OF_FILE.iter().filter(|_| of.is_empty()));
            let shape = shapes.clone().find(|(known, _)| *known == key).map(|(_, shape)| *shape);
            if let Some(problem) = shape.and_then(|shape| problem(key, item, shape)) {
                return Err(wrong(item, format!("{of}{problem}")));
            }
            if shape.is_none() && means_read_only(key) {
                return Err(wrong(item, format!("unknown key \"{of}{key}\": did you mean \"read_only\"?")));
            }
        }
        Ok(())
    };
    settings(file, "")?;
    let profiles = file.get("profiles").and_then(Item::as_table_like);
    for (name, item) in profiles.into_iter().flat_map(|profiles| profiles.iter()) {
        match item.as_table_like() {
            Some(profile) => settings(profile, &format!("profiles.{name}."))?,
            None => {
                return Err(wrong(
                    item,
                    format!("profiles.{name}: expected a table, got {}", item.type_name()),
                ));
            }
        }
    }
    Ok(())
}

/// The problem with the value of a key; the text starts with the key.
fn problem(key: &str, item: &Item, shape: KeyType) -> Option<String> {
    let (fits, expected) = match shape {
        KeyType::Text => (item.is_str(), "text in quotes"),
        KeyType::Flag => (item.is_bool(), "true or false without quotes"),
        KeyType::Texts | KeyType::Table => (item.is_table_like(), "a table"),
    };
    if !fits {
        return Some(format!("{key}: expected {expected}, got {}", item.type_name()));
    }
    let inner = item.as_table_like().filter(|_| matches!(shape, KeyType::Texts))?;
    let (inner_key, value) = inner.iter().find(|(_, value)| !value.is_str())?;
    Some(format!("{key}.{inner_key}: expected text in quotes, got {}", value.type_name()))
}

/// A key that is not known, most likely misspelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// With its table: `profiles.staging.regoin`.
    pub path: String,
    /// The closest known key.
    pub near: Option<&'static str>,
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown key {:?}", self.path)?;
        self.near.map_or(Ok(()), |near| write!(formatter, "; did you mean {near:?}?"))
    }
}

/// The unknown keys of the file and its profiles.
pub(super) fn unknown(file: &dyn TableLike) -> Vec<UnknownKey> {
    let mut unknown = Vec::new();
    let mut add = |table: &dyn TableLike, known: &[&'static str], of: &str| {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let similarity = |other: &&str| (strsim::jaro_winkler(key, other) * 1_000.0) as u32;
            let near = known.iter().copied().max_by_key(similarity).filter(|other| similarity(other) > 800);
            unknown.push(UnknownKey { path: format!("{of}{key}"), near });
        }
    };
    let of_settings: Vec<&str> = OF_SETTINGS.iter().map(|(key, _)| *key).collect();
    let of_file: Vec<&str> = OF_FILE.iter().chain(OF_SETTINGS).map(|(key, _)| *key).collect();
    add(file, &of_file, "");
    let profiles = file.get("profiles").and_then(Item::as_table_like);
    for (name, profile) in profiles.into_iter().flat_map(|profiles| profiles.iter()) {
        if let Some(profile) = profile.as_table_like() {
            add(profile, &of_settings, &format!("profiles.{name}."));
        }
    }
    unknown
}

/// Whether an unknown key is another spelling of `read_only`. Such a key is refused: whoever wrote it relies on it.
fn means_read_only(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphabetic).collect();
    letters.eq_ignore_ascii_case("readonly") || strsim::damerau_levenshtein(key, "read_only") == 1
}

/// Line and column of a byte, both from 1.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
