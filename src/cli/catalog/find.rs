//! Ranks all commands against a free-text description.
//!
//! Matches single words: those in a command's name weigh most, then those in its help, then those in its parameters.
//! Rare words weigh more than common ones.

use super::entry::CatalogEntry;

/// A command and how well it matches.
pub struct RankedEntry<'a> {
    pub entry: &'a CatalogEntry,
    pub score: f64,
}

/// Synonyms. The first word of each group represents the group.
const SYNONYMS: [&[&str]; 26] = [
    &["contact", "customer", "user", "person", "people", "lead", "client"],
    &["conversation", "chat", "thread", "dialogue"],
    &["tag", "label"],
    &["delete", "remove", "erase", "drop", "forget"],
    &["create", "add", "new", "make", "insert"],
    &["update", "change", "edit", "modify", "set"],
    &["list", "all", "every"],
    &["get", "show", "retrieve", "read", "fetch", "view", "look", "see"],
    &["search", "find", "query", "filter"],
    &["bulk", "mass", "batch", "many", "several", "multiple", "hundred"],
    &["admin", "teammate", "agent", "colleague"],
    &["company", "account", "organisation", "organization", "business"],
    &["article", "faq", "documentation", "doc"],
    &["sla", "response", "resolution", "slow", "fast", "wait", "waiting"],
    &["sync", "mirror", "download", "copy", "replicate"],
    &["export", "dump", "csv", "parquet", "spreadsheet"],
    &["incident", "outage"],
    &["reply", "answer", "respond"],
    &["assign", "route"],
    &["undo", "revert", "rollback"],
    &["duplicate", "dupes", "dupe", "dedupe"],
    &["merge", "join", "combine"],
    &["token", "login", "credential", "auth", "key", "password"],
    &["workspace", "profile"],
    &["translation", "language", "locale", "multilingual"],
    &["count", "statistic", "analytics", "number", "volume"],
];

/// Words that do not identify a command, including time spans, which many commands accept.
const STOP_WORDS: &str = "\
    a an the in of to for with and or on by from at is are do i how what which my me our we can it its \
    that this these those into their did does per last past since ago day days week weeks month months \
    today yesterday";

/// Phrases and the word that replaces them.
const PHRASES: [(&str, &str); 2] = [("how many", "count"), ("how much", "count")];

/// Words that people use for a command and that are not in its name or help.
const KEYWORDS: [(&str, &str); 7] = [
    ("analytics", "conversations contacts tickets open team tag state group"),
    ("articles search", "help center knowledge base"),
    ("contact 360", "ask say want history everything know"),
    ("contacts search", "not seen inactive without dormant unsubscribed"),
    ("conversations stale", "unanswered unreplied waiting reply nobody idle"),
    ("export", "file save conversations contacts tickets companies"),
    ("me", "who am identity"),
];

/// The commands that match a description, best first, at most `limit`.
pub fn find<'a>(entries: &[&'a CatalogEntry], need: &str, limit: usize) -> Vec<RankedEntry<'a>> {
    let need = PHRASES.iter().fold(need.to_lowercase(), |need, (phrase, word)| need.replace(phrase, word));
    let mut search_words = words(&need);
    // Numbers are values, not names of commands.
    search_words.retain(|word| word.parse::<f64>().is_err());
    let indexed: Vec<Words> = entries.iter().map(|entry| Words::of(entry)).collect();
    let total = indexed.len() as f64;
    let rarity: Vec<f64> = search_words
        .iter()
        .map(|word| {
            let matching = indexed.iter().filter(|words| words.weight(word) > 0.0).count() as f64;
            (1.0 + (total - matching + 0.5) / (matching + 0.5)).ln()
        })
        .collect();
    let best: f64 = rarity.iter().sum::<f64>().max(f64::EPSILON);
    let mut ranked: Vec<RankedEntry<'a>> = entries
        .iter()
        .zip(&indexed)
        .map(|(&entry, words)| {
            let hits = search_words.iter().zip(&rarity).map(|(word, rarity)| words.weight(word) * rarity);
            // Prefer shorter names among equal matches.
            let score = hits.sum::<f64>() / best - 0.01 * words.name.len() as f64;
            RankedEntry { entry, score }
        })
        .filter(|ranked| ranked.score >= 0.2)
        .collect();
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked.truncate(limit);
    ranked
}

/// The words of a command by origin.
struct Words {
    name: Vec<String>,
    keywords: Vec<String>,
    about: Vec<String>,
    parameters: Vec<String>,
}

impl Words {
    fn of(entry: &CatalogEntry) -> Self {
        let parameters: Vec<String> = entry
            .parameters
            .iter()
            .map(|parameter| format!("{} {}", parameter.name, parameter.help))
            .collect();
        Words {
            name: words(&format!("{} {}", entry.words, entry.shown)),
            keywords: KEYWORDS
                .iter()
                .find(|(command, _)| *command == entry.words)
                .map(|(_, keywords)| words(keywords))
                .unwrap_or_default(),
            about: words(&entry.about),
            parameters: words(&parameters.join(" ")),
        }
    }

    fn weight(&self, word: &String) -> f64 {
        match word {
            word if self.name.contains(word) => 1.0,
            word if self.keywords.contains(word) => 0.9,
            word if self.about.contains(word) => 0.7,
            word if self.parameters.contains(word) => 0.15,
            _ => 0.0,
        }
    }
}

/// The stems of a text's words without stop words and duplicates. Synonyms are replaced by their representative.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let pieces = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words = Vec::new();
    let is_stop_word = |piece: &str| STOP_WORDS.split(' ').any(|word| word == piece);
    for piece in pieces.filter(|piece| !piece.is_empty() && !is_stop_word(piece)) {
        let word = stem(piece);
        let word = SYNONYMS
            .iter()
            .find(|group| group.contains(&word.as_str()))
            .map_or(word, |group| group[0].to_owned());
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Strips endings of plurals and verbs. The result need not be a word.
fn stem(word: &str) -> String {
    let is_known = |word: &str| SYNONYMS.iter().any(|group| group.contains(&word));
    let cut = |ending: &str, replacement: &str| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= 3).map(|stem| format!("{stem}{replacement}"))
    };
    if is_known(word) {
        return word.to_owned();
    }
    let candidates = [
        cut("ies", "y"),
        cut("ged", "g"),
        cut("ging", "g"),
        cut("ing", ""),
        cut("ing", "e"),
        cut("ed", ""),
        cut("ed", "e"),
        cut("es", ""),
        cut("s", ""),
    ];
    let candidates: Vec<String> = candidates.into_iter().flatten().collect();
    if let Some(candidate) = candidates.iter().find(|candidate| is_known(candidate)) {
        return candidate.clone();
    }
    cut("ies", "y")
        .or_else(|| cut("s", "").filter(|_| !word.ends_with("ss")))
        .unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    fn first(need: &str) -> Option<String> {
        find(&catalog().entries(), need, 5).first().map(|ranked| ranked.entry.shown.clone())
    }

    #[test]
    fn descriptions_find_their_commands() {
        for (need, command) in [
            ("list all contacts", "contacts list"),
            ("archive a customer", "contacts archive contact"),
            ("merge two contacts", "contacts merge"),
            ("weekly sla by team", "conversations sla"),
            ("full text search over messages", "search"),
            ("reply to a conversation", "conversations reply conversation"),
            ("delete an article", "articles delete"),
            ("mirror the workspace", "sync"),
        ] {
            let entries = catalog().entries();
            let ranked = find(&entries, need, 3);
            let names: Vec<&str> = ranked.iter().map(|ranked| ranked.entry.shown.as_str()).collect();
            assert!(names.contains(&command), "{need}: {names:?}");
        }
        for (need, command) in [
            ("list all contacts", "contacts list"),
            ("export conversations of the last week to a file", "export"),
            ("how many open conversations per team", "analytics"),
            ("what did a customer ask last month", "contact 360"),
            ("search the help center", "articles search"),
            ("who am I", "me"),
            ("unanswered conversations", "conversations stale"),
            ("contacts not seen for 60 days", "contacts search"),
            ("export tickets of type Bug as CSV", "export"),
        ] {
            assert_eq!(first(need).as_deref(), Some(command), "{need}");
        }
    }

    #[test]
    fn unrelated_descriptions_find_nothing() {
        assert!(first("bake a chocolate cake").is_none());
        assert!(first("").is_none() && first("how do I").is_none());
    }
}
