//! Finds the commands whose words are like those that were typed: misspelled, in another number, or with the verb of
//! another program.

use super::typed_elsewhere::VERBS;
use crate::cli::catalog::CatalogEntry;

/// Minimum likeness of a command to what was typed.
const ALIKE: f64 = 0.65;

/// The commands and groups that are spelled like these words, best first, at most two. `known` of the words exist.
pub fn alike(entries: &[&CatalogEntry], typed: &[&str], known: usize) -> Vec<String> {
    let mut paths: Vec<(String, bool)> = Vec::new();
    for entry in entries {
        let words: Vec<&str> = entry.shown.split(' ').collect();
        for count in 1..=words.len() {
            let path = words[..count].join(" ");
            if !paths.iter().any(|(other, _)| *other == path) {
                paths.push((path, count == words.len()));
            }
        }
    }
    let mut scored: Vec<(f64, String)> = paths
        .into_iter()
        .filter_map(|(path, is_command)| {
            let words: Vec<&str> = path.split(' ').collect();
            if words.len() <= known || words.len() > typed.len() {
                return None;
            }
            let likenesses: Vec<f64> =
                words.iter().zip(typed).map(|(word, typed)| likeness(typed, word)).collect();
            let total: f64 = likenesses.iter().sum();
            let is_like = likenesses.iter().all(|likeness| *likeness > 0.0);
            // The longer of two equal ones covers more of what was typed.
            let score = total / words.len() as f64 + 0.02 * words.len() as f64;
            let shown = if is_command { path } else { format!("{path} --help") };
            (is_like && score >= ALIKE).then_some((score, shown))
        })
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| *score >= best - 0.05).take(2).map(|(_, path)| path).collect()
}

/// How alike two words of commands are, from 0 to 1.
fn likeness(typed: &str, known: &str) -> f64 {
    let singular = |word: &str| match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').unwrap_or(word).to_owned(),
    };
    let typed = typed.to_lowercase().replace('_', "-");
    if typed == known {
        return 1.0;
    }
    if singular(&typed) == singular(known) {
        return 0.95;
    }
    let typed = typed.as_str();
    if VERBS.iter().any(|verbs| verbs.contains(&typed) && verbs.contains(&known)) {
        return 0.9;
    }
    if typed.len() > 2 && known.split('-').any(|part| part == typed) {
        return 0.85;
    }
    let likeness = strsim::normalized_damerau_levenshtein(typed, known);
    if likeness >= 0.6 { 0.9 * likeness } else { 0.0 }
}
