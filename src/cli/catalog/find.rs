//! The command for a need, told in words: over all commands, ranked.
//!
//! Counts words, no more: a word of the need that stands in a command's name weighs most, then in its
//! description, then among what it takes. A word that many commands share says less than a rare one.

use super::Entry;

/// A command that fits, with how well it does.
pub struct Found<'a> {
    pub entry: &'a Entry,
    pub score: f64,
}

/// Words that mean the same, so that nobody has to know ours. The first one stands for all.
const SAME: [&[&str]; 26] = [
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

/// Words that do not single out a command. Spans of time are among them, because many commands take one.
const EMPTY: [&str; 49] = [
    "a",
    "an",
    "the",
    "in",
    "of",
    "to",
    "for",
    "with",
    "and",
    "or",
    "on",
    "by",
    "from",
    "at",
    "is",
    "are",
    "do",
    "i",
    "how",
    "what",
    "which",
    "my",
    "me",
    "our",
    "we",
    "can",
    "it",
    "its",
    "that",
    "this",
    "these",
    "those",
    "into",
    "their",
    "did",
    "does",
    "per",
    "last",
    "past",
    "since",
    "ago",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "today",
    "yesterday",
];

/// What people say instead of a word of ours.
const PHRASES: [(&str, &str); 2] = [("how many", "count"), ("how much", "count")];

/// What people ask for that a command does, where neither its name nor its description says it so.
const ASKED: [(&str, &str); 7] = [
    ("analytics", "conversations contacts tickets open team tag state group"),
    ("articles search", "help center knowledge base"),
    ("contact 360", "ask say want history everything know"),
    ("contacts search", "not seen inactive without dormant unsubscribed"),
    ("conversations stale", "unanswered unreplied waiting reply nobody idle"),
    ("export", "file save conversations contacts tickets companies"),
    ("me", "who am identity"),
];

/// The commands that fit a need, best first.
pub fn find<'a>(entries: &[&'a Entry], need: &str, most: usize) -> Vec<Found<'a>> {
    let need = PHRASES.iter().fold(need.to_lowercase(), |need, (said, ours)| need.replace(said, ours));
    let mut wanted = words(&need);
    // A number is a value, whatever the command.
    wanted.retain(|word| word.parse::<f64>().is_err());
    let known: Vec<Words> = entries.iter().map(|entry| Words::of(entry)).collect();
    let total = known.len() as f64;
    let rarity: Vec<f64> = wanted
        .iter()
        .map(|word| {
            let holding = known.iter().filter(|words| words.weight(word) > 0.0).count() as f64;
            (1.0 + (total - holding + 0.5) / (holding + 0.5)).ln()
        })
        .collect();
    let best: f64 = rarity.iter().sum::<f64>().max(f64::EPSILON);
    let mut found: Vec<Found<'a>> = entries
        .iter()
        .zip(&known)
        .map(|(&entry, words)| {
            let hits = wanted.iter().zip(&rarity).map(|(word, rarity)| words.weight(word) * rarity);
            // Of two commands that fit alike, the one with the shorter name is the plainer.
            let score = hits.sum::<f64>() / best - 0.01 * words.name.len() as f64;
            Found { entry, score }
        })
        .filter(|found| found.score >= 0.2)
        .collect();
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    found.truncate(most);
    found
}

/// Where the words of a command stand.
struct Words {
    name: Vec<String>,
    asked: Vec<String>,
    about: Vec<String>,
    parameters: Vec<String>,
}

impl Words {
    fn of(entry: &Entry) -> Self {
        let parameters: Vec<String> =
            entry.parameters.iter().map(|it| format!("{} {}", it.name, it.help)).collect();
        Words {
            name: words(&format!("{} {}", entry.words, entry.shown)),
            asked: ASKED
                .iter()
                .find(|(command, _)| *command == entry.words)
                .map(|(_, asked)| words(asked))
                .unwrap_or_default(),
            about: words(&entry.about),
            parameters: words(&parameters.join(" ")),
        }
    }

    fn weight(&self, word: &String) -> f64 {
        match word {
            word if self.name.contains(word) => 1.0,
            word if self.asked.contains(word) => 0.9,
            word if self.about.contains(word) => 0.7,
            word if self.parameters.contains(word) => 0.15,
            _ => 0.0,
        }
    }
}

/// The telling words of a text, each once and in its plain form.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let pieces = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words = Vec::new();
    for piece in pieces.filter(|piece| !piece.is_empty() && !EMPTY.contains(piece)) {
        let word = plain(piece);
        let word =
            SAME.iter().find(|same| same.contains(&word.as_str())).map_or(word, |same| same[0].to_owned());
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Without the endings of plurals and verbs; what is left need not be a word.
fn plain(word: &str) -> String {
    let known = |word: &str| SAME.iter().any(|same| same.contains(&word));
    let cut = |ending: &str, instead: &str| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= 3).map(|stem| format!("{stem}{instead}"))
    };
    if known(word) {
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
    if let Some(found) = candidates.iter().find(|it| known(it)) {
        return found.clone();
    }
    cut("ies", "y")
        .or_else(|| cut("s", "").filter(|_| !word.ends_with("ss")))
        .unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::catalog;

    fn first(need: &str) -> Option<String> {
        find(&catalog().entries(), need, 5).first().map(|found| found.entry.shown.clone())
    }

    #[test]
    fn needs_lead_to_their_commands() {
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
            let found = find(&entries, need, 3);
            let names: Vec<&str> = found.iter().map(|it| it.entry.shown.as_str()).collect();
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
    fn what_fits_nothing_finds_nothing() {
        assert!(first("bake a chocolate cake").is_none());
        assert!(first("").is_none() && first("how do I").is_none());
    }
}
