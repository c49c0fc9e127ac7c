//! The types of the values in the config file, checked before it is read, so that an error names the key.
//!
//! Knows keys and types alone. It must never quote a value: that may be a token.

use std::path::Path;

use toml_edit::{Item, TableLike};

use super::error::Error;
use super::means_read_only;

/// What a key holds.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Flag,
    /// A table of texts.
    Texts,
    Table,
}

const OF_SETTINGS: &[(&str, Shape)] = &[
    ("access_token", Shape::Text),
    ("token_env", Shape::Text),
    ("region", Shape::Text),
    ("base_url", Shape::Text),
    ("api_version", Shape::Text),
    ("store", Shape::Text),
    ("read_only", Shape::Flag),
    ("headers", Shape::Texts),
    ("defaults", Shape::Table),
];
const OF_FILE: &[(&str, Shape)] =
    &[("profile", Shape::Text), ("profiles", Shape::Table), ("office_hours", Shape::Table)];

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

/// What is wrong with the value of a key, beginning with the key.
fn problem(key: &str, item: &Item, shape: Shape) -> Option<String> {
    let (fits, expected) = match shape {
        Shape::Text => (item.is_str(), "text in quotes"),
        Shape::Flag => (item.is_bool(), "true or false without quotes"),
        Shape::Texts | Shape::Table => (item.is_table_like(), "a table"),
    };
    if !fits {
        return Some(format!("{key}: expected {expected}, got {}", item.type_name()));
    }
    let inner = item.as_table_like().filter(|_| matches!(shape, Shape::Texts))?;
    let (inner_key, value) = inner.iter().find(|(_, value)| !value.is_str())?;
    Some(format!("{key}.{inner_key}: expected text in quotes, got {}", value.type_name()))
}

/// Line and column of a byte, both from 1.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
