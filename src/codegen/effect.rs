//! Derives the effect of an operation from its method and the words in its path and id.
//!
//! Used by the generator for operations that the overlay does not list, and by the client for unknown paths.
//! When unsure, assume the more harmful effect: never take a change for a read, or a removal for an addition.

use serde::Deserialize;

/// How far an operation reaches, in order of possible harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    Read,
    /// Adds a record and leaves all others unchanged.
    Add,
    /// Changes one record in a way that another call can undo.
    Write,
    /// Overwrites, removes, reaches customers, or changes many records.
    Destructive,
}

/// The confirmation that the command line requires before sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    Never,
    /// `--yes` or `--agent`: the operation can be undone.
    Ask,
    /// `--yes`, given explicitly: the operation cannot be undone.
    Explicit,
}

/// Stems of words for permanent removal, or for changes to many records at once.
const IRREVERSIBLE: [&str; 16] = [
    "anonymi", "bulk", "convert", "delet", "destroy", "destruct", "eras", "expung", "forget", "mass", "merg",
    "overwrit", "purg", "redact", "remov", "wip",
];

/// Stems of words for deactivating something or showing it to customers, which can be undone.
const REVERSIBLE: [&str; 14] = [
    "archiv",
    "batch",
    "block",
    "cancel",
    "deactivat",
    "detach",
    "disabl",
    "publish",
    "replac",
    "reset",
    "revok",
    "rotat",
    "unlink",
    "unpublish",
];

/// Stems of words for creating or changing something.
const WRITING: [&str; 12] = [
    "add", "attach", "creat", "enqueue", "insert", "mark", "regist", "send", "set", "start", "submit",
    "updat",
];

/// Words at the start of the id or as the last path segment of operations that only read.
const READING: [&str; 4] = ["count", "list", "preview", "search"];

/// The effect of an operation and the confirmation it needs, derived from its method, path and operation id.
pub fn derived(method: &str, path: &str, id: &str) -> (Reach, Confirm) {
    let segments: Vec<&str> =
        path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('{')).collect();
    let (in_id, last) = (words(id), segments.last().map(|segment| words(segment)).unwrap_or_default());
    let all: Vec<String> = segments.iter().flat_map(|segment| words(segment)).chain(in_id.clone()).collect();
    let has_any = |stems: &[&str]| all.iter().any(|word| stems.iter().any(|stem| has_stem(word, stem)));
    let is_read = |word: Option<&String>| word.is_some_and(|word| READING.contains(&word.as_str()));
    let reads = is_read(in_id.first()) || (is_read(last.first()) && last.len() == 1);
    let previews = in_id.first().or(last.first()).is_some_and(|word| word == "preview");
    let harms = has_any(&IRREVERSIBLE) || has_any(&REVERSIBLE);
    match method.to_ascii_lowercase().as_str() {
        "get" | "head" | "options" => (Reach::Read, Confirm::Never),
        "post" if previews || (reads && !harms && !has_any(&WRITING)) => (Reach::Read, Confirm::Never),
        _ if has_any(&IRREVERSIBLE) => (Reach::Destructive, Confirm::Explicit),
        "delete" if has_any(&["detach", "unlink"]) => (Reach::Destructive, Confirm::Ask),
        "delete" => (Reach::Destructive, Confirm::Explicit),
        "put" | "patch" => (Reach::Destructive, Confirm::Ask),
        "post" if has_any(&REVERSIBLE) => (Reach::Destructive, Confirm::Ask),
        "post" => (Reach::Write, Confirm::Never),
        _ => (Reach::Destructive, Confirm::Explicit),
    }
}

/// Whether a word has this stem. Past participles such as `deleted` and `archived` describe records, not
/// actions.
fn has_stem(word: &str, stem: &str) -> bool {
    word.starts_with(stem) && !word.ends_with("ed")
}

/// The words of an identifier or a path segment, in lower case: `bulkDelete`, `bulk_delete`, `bulk-delete`.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for letter in text.chars() {
        let starts_word = letter.is_uppercase() && previous.is_lowercase();
        if starts_word || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}
