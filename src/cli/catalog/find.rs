//! Ranks all commands against a need in plain words, for `which`, MCP's search and suggestions.
//!
//! A command is known by several descriptions: its name and help, and the ways in which people ask for it
//! (`find/asked.rs`). It scores as its best description does, by the rare words that both share. What the need
//! asks for then decides: a question is answered by reads only, a change of many records by bulk commands, and a
//! removal is offered only to those who ask for one. Numbers, names and unknown words are values, and are ignored.

mod asked;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use self::asked::NEEDS;
use self::vocabulary::{
    CHANGES, LEADING_CHANGES, MANY, PHRASES, QUESTION_WORDS, READS_BY_DEFAULT, REMOVALS, STOP_WORDS, SYNONYMS,
};
use super::entry::CatalogEntry;
use crate::cli::registry::Effect;

/// A command and how well it matches, from 0 to 1.
pub struct RankedEntry<'a> {
    pub entry: &'a CatalogEntry,
    pub score: f64,
}

/// Below this, a match is a coincidence.
const MINIMUM: f64 = 0.2;

/// How much a word counts by the place where a command has it.
const NAME: f64 = 1.0;
const ABOUT: f64 = 0.6;

/// The commands that match a need, best first, at most `limit`.
pub fn find<'a>(entries: &[&'a CatalogEntry], need: &str, limit: usize) -> Vec<RankedEntry<'a>> {
    let need = Need::of(need);
    let described: Vec<Described> = entries.iter().map(|entry| Described::of(entry)).collect();
    let rarity = rarity(&described);
    let mut ranked: Vec<(bool, RankedEntry<'a>)> = entries
        .iter()
        .zip(&described)
        .map(|(&entry, described)| {
            let score = described.similarity(&need, &rarity) * need.fit(entry, described);
            let is_answer = !need.is_question || is_read(entry);
            (is_answer, RankedEntry { entry, score: score.min(1.0) })
        })
        .filter(|(_, ranked)| ranked.score >= MINIMUM)
        .collect();
    ranked.sort_by(|(one_answers, one), (other_answers, other)| {
        other_answers.cmp(one_answers).then(other.score.total_cmp(&one.score))
    });
    ranked.into_iter().take(limit).map(|(_, ranked)| ranked).collect()
}

/// What somebody wants.
struct Need {
    words: BTreeSet<String>,
    is_question: bool,
    is_about_many: bool,
    /// Whether it names a single record, for example "a conversation".
    is_about_one: bool,
}

impl Need {
    fn of(text: &str) -> Self {
        let text = replaced(text);
        let typed: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let is_question = is_question(&typed);
        let is_about_many = typed.iter().any(|word| MANY.contains(word))
            || (!is_question && typed.iter().any(|word| is_plural_object(word)));
        let is_one =
            |pair: &[&str]| ["a", "an", "this", "one", "the"].contains(&pair[0]) && is_object(pair[1]);
        let is_about_one = !is_about_many && typed.windows(2).any(is_one);
        Need { words: words(&text), is_question, is_about_many, is_about_one }
    }

    /// A factor for what the need asks beyond its words.
    fn fit(&self, entry: &CatalogEntry, described: &Described) -> f64 {
        let is_bulk = described.name.contains("bulk") || described.name.contains("incident");
        let mut fit = 1.0;
        if !self.is_question && is_read(entry) {
            fit *= 0.7;
        }
        if is_bulk && self.is_about_one && !self.words.contains("bulk") {
            fit *= 0.55;
        }
        if self.is_about_many && !self.is_question {
            fit *= if is_bulk { 1.25 } else { 0.8 };
        }
        let is_removal = |word: &&&str| described.name.contains(&concept(word));
        if REMOVALS.iter().filter(is_removal).any(|word| !self.words.contains(&concept(word))) {
            fit *= 0.4;
        }
        // A command of another object is wrong even if all other words match.
        let objects = || OBJECTS.iter().filter(|object| self.words.contains(**object));
        if objects().next().is_some()
            && described.group.as_ref().is_some_and(|group| !self.words.contains(group))
        {
            fit *= 0.6;
        }
        let is_wrong = |action: &&str| described.name.contains(*action) && !self.words.contains(*action);
        if ACTIONS.iter().any(|action| self.words.contains(*action)) && ACTIONS.iter().any(is_wrong) {
            fit *= 0.75;
        }
        // So is one of a part that nobody asked for.
        let is_other = |object: &&&str| described.name.contains(**object) && !self.words.contains(**object);
        if OBJECTS.iter().filter(is_other).any(|object| described.group.as_deref() != Some(*object)) {
            fit *= 0.8;
        }
        fit
    }
}

/// What commands are about. The first word of a command names one of these, or none.
const OBJECTS: [&str; 8] =
    ["contact", "conversation", "ticket", "article", "company", "tag", "attribute", "event"];

/// What commands do. A command that does another of these than the need asks for is rarely meant.
const ACTIONS: [&str; 8] = ["create", "update", "delete", "merge", "assign", "close", "snooze", "archive"];

/// The groups that only their own word asks for.
const GROUPS: [&str; 16] = [
    "contact",
    "conversation",
    "ticket",
    "article",
    "company",
    "tag",
    "attribute",
    "event",
    "visitor",
    "news",
    "object",
    "call",
    "segment",
    "ai",
    "helpcenter",
    "team",
];

/// A command as people may know it.
struct Described {
    /// The words of its name.
    name: BTreeSet<String>,
    /// What its first word is about; `None` for commands about anything.
    group: Option<String>,
    /// Ways to describe it: words and their weights.
    descriptions: Vec<BTreeMap<String, f64>>,
}

impl Described {
    fn of(entry: &CatalogEntry) -> Self {
        let name = words(&replaced(&format!("{} {}", entry.words, entry.shown)));
        let mut described: BTreeMap<String, f64> =
            words(&replaced(&entry.about)).into_iter().map(|word| (word, ABOUT)).collect();
        described.extend(name.iter().map(|word| (word.clone(), NAME)));
        let is_called = |(command, _): &&(&str, &[&str])| *command == entry.shown || *command == entry.words;
        let needs = NEEDS.iter().filter(is_called).flat_map(|(_, needs)| needs.iter());
        let asked = needs.map(|need| words(&replaced(need)).into_iter().map(|word| (word, NAME)).collect());
        let first = words(&replaced(&entry.shown.split(' ').next().unwrap_or_default().replace('-', " ")));
        let group = GROUPS.iter().find(|group| first.contains(**group)).map(|group| (*group).to_owned());
        Described { name, group, descriptions: std::iter::once(described).chain(asked).collect() }
    }

    /// The best of its descriptions: the share of the weight that both have in common.
    fn similarity(&self, need: &Need, rarity: &BTreeMap<String, f64>) -> f64 {
        let weight = |word: &String| rarity.get(word).copied().unwrap_or_default();
        let size = |weights: &mut dyn Iterator<Item = f64>| {
            weights.map(|weight| weight * weight).sum::<f64>().sqrt()
        };
        let asked = size(&mut need.words.iter().map(weight));
        let similarity = |description: &BTreeMap<String, f64>| {
            let own = size(&mut description.iter().map(|(word, factor)| weight(word) * factor));
            let shared: f64 = description
                .iter()
                .filter(|(word, _)| need.words.contains(*word))
                .map(|(word, factor)| weight(word).powi(2) * factor)
                .sum();
            if asked * own > 0.0 { shared / (asked * own) } else { 0.0 }
        };
        self.descriptions.iter().map(similarity).fold(0.0, f64::max)
    }
}

/// How much each word says: the fewer commands it describes, the more.
fn rarity(described: &[Described]) -> BTreeMap<String, f64> {
    let mut commands: BTreeMap<String, f64> = BTreeMap::new();
    for described in described {
        let words: BTreeSet<&String> = described.descriptions.iter().flat_map(BTreeMap::keys).collect();
        for word in words {
            *commands.entry(word.clone()).or_default() += 1.0;
        }
    }
    let total = described.len() as f64;
    commands.into_iter().map(|(word, count)| (word, (1.0 + total / count).ln())).collect()
}

/// Whether a need is answered by showing something.
fn is_question(typed: &[&str]) -> bool {
    let Some(first) = typed.first() else { return true };
    if QUESTION_WORDS.contains(first) {
        return true;
    }
    let is_followed_by = |words: &[&str]| typed.get(1).is_some_and(|next| words.contains(next));
    if LEADING_CHANGES.contains(first) && !is_followed_by(&["of", "by", "per", "in"]) {
        // "open conversations" are some, "open a conversation" is a change.
        return *first == "open" && !is_followed_by(&["a", "an", "the", "this", "all", "every"]);
    }
    !typed.iter().any(|word| CHANGES.contains(word))
}

/// Whether a command answers questions.
fn is_read(entry: &CatalogEntry) -> bool {
    matches!(entry.effect, Effect::Read | Effect::Local) || READS_BY_DEFAULT.contains(&entry.words.as_str())
}

fn is_object(word: &str) -> bool {
    OBJECTS.contains(&concept(word).as_str())
}

fn is_plural_object(word: &str) -> bool {
    (word.ends_with('s') || word == "people") && is_object(word)
}

/// A text in lower case without punctuation, with its phrases replaced.
fn replaced(text: &str) -> String {
    let lower = text.to_lowercase();
    let pieces = lower.split_whitespace().map(|piece| {
        // An address is a person.
        if piece.contains('@') { "contact email".to_owned() } else { piece.replace("'s", "") }
    });
    let text: Vec<String> = pieces
        .flat_map(|piece| {
            let words = piece.split(|letter: char| !letter.is_alphanumeric());
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let text = format!(" {} ", text.join(" "));
    let text = PHRASES
        .iter()
        .fold(text, |text, (phrase, words)| text.replace(&format!(" {phrase} "), &format!(" {words} ")));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The meanings of a text's words, without stop words and numbers.
fn words(text: &str) -> BTreeSet<String> {
    static STOPS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());
    let singular = |word: &str| word.strip_suffix('s').map(str::to_owned).unwrap_or_default();
    text.split(' ')
        .filter(|word| !word.is_empty() && !STOPS.contains(word) && !STOPS.contains(singular(word).as_str()))
        .filter(|word| word.parse::<f64>().is_err())
        .map(concept)
        .collect()
}

/// The word that represents a word's meaning.
fn concept(word: &str) -> String {
    static MEANINGS: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
        let groups = SYNONYMS.iter().filter_map(|group| Some((group, *group.first()?)));
        groups.flat_map(|(group, meaning)| group.iter().map(move |word| (stem(word), meaning))).collect()
    });
    let stem = stem(word);
    MEANINGS.get(&stem).map_or(stem.clone(), |meaning| (*meaning).to_owned())
}

/// Strips the endings of plurals and verbs. The result need not be a word; words of one verb have the same.
fn stem(word: &str) -> String {
    let cut = |word: &str, ending: &str, least: usize| {
        word.strip_suffix(ending).filter(|stem| stem.len() >= least).map(str::to_owned)
    };
    let word = cut(word, "ies", 2)
        .map(|stem| stem + "y")
        .or_else(|| cut(word, "s", 3).filter(|stem| !stem.ends_with(['s', 'u', 'i'])))
        .unwrap_or_else(|| word.to_owned());
    let verb = cut(&word, "ing", 3).or_else(|| cut(&word, "ed", 3));
    let word = match verb {
        Some(stem) => {
            let letters: Vec<char> = stem.chars().rev().take(2).collect();
            let is_doubled = letters.first() == letters.get(1) && !stem.ends_with(['l', 's']);
            if is_doubled { stem[..stem.len() - 1].to_owned() } else { stem }
        }
        None => word,
    };
    cut(&word, "e", 3).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    fn first(need: &str) -> Option<String> {
        find(&catalog().entries(), need, 5).first().map(|ranked| ranked.entry.shown.clone())
    }

    /// A need in two phrasings, and the commands that are right.
    struct Case {
        is_question: bool,
        right: Vec<&'static str>,
        tuned: &'static str,
        held_out: &'static str,
    }

    fn cases() -> Vec<Case> {
        let lines = include_str!("find/needs.txt").lines().filter(|line| !line.starts_with('#'));
        let cases: Vec<Case> = lines
            .map(|line| {
                let columns: Vec<&str> = line.split('|').map(str::trim).collect();
                let [kind, right, tuned, held_out] = columns[..] else { panic!("{line}") };
                let right = right.split(',').map(str::trim).collect();
                Case { is_question: kind == "question", right, tuned, held_out }
            })
            .collect();
        assert_eq!(cases.len(), 40);
        cases
    }

    /// How many needs find a right command first, and the others.
    fn score(phrasing: impl Fn(&Case) -> &'static str) -> (usize, Vec<String>) {
        let cases = cases();
        let misses: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let need = phrasing(case);
                let found = first(need).unwrap_or_default();
                (!case.right.contains(&found.as_str())).then(|| format!("{need}: {found}"))
            })
            .collect();
        (cases.len() - misses.len(), misses)
    }

    #[test]
    fn everyday_needs_find_the_right_command_first() {
        let (tuned, misses) = score(|case| case.tuned);
        assert!(tuned >= 40, "{tuned} of 40 tuned needs: {misses:#?}");
        let (held_out, misses) = score(|case| case.held_out);
        assert!(held_out >= 36, "{held_out} of 40 held-out needs: {misses:#?}");
    }

    #[test]
    fn a_question_lists_reads_before_changes() {
        for case in cases().iter().filter(|case| case.is_question) {
            for need in [case.tuned, case.held_out] {
                let entries = catalog().entries();
                let reads: Vec<bool> =
                    find(&entries, need, 8).iter().map(|ranked| is_read(ranked.entry)).collect();
                assert!(reads.is_sorted_by(|one, other| one >= other), "{need}: {reads:?}");
                assert!(reads.first().copied().unwrap_or(true), "{need}");
            }
        }
    }

    #[test]
    fn other_descriptions_find_their_commands() {
        for (need, command) in [
            ("list all contacts", "contacts list"),
            ("archive a customer", "contacts archive contact"),
            ("merge two contacts", "contacts merge"),
            ("weekly sla by team", "conversations sla"),
            ("full text search over messages", "search"),
            ("delete an article", "articles delete"),
            ("mirror the workspace", "sync"),
            ("tag many conversations", "conversations bulk-tag"),
            ("close all conversations older than 30 days", "conversations bulk-close"),
            ("delete a tag", "tags delete"),
            ("what tags do we have", "tags list"),
            ("find duplicate users", "contacts dupes"),
            ("create a ticket type", "ticket-types create"),
            ("who mentioned refund", "search"),
        ] {
            assert_eq!(first(need).as_deref(), Some(command), "{need}");
        }
    }

    #[test]
    fn unrelated_descriptions_find_nothing() {
        assert!(first("bake a chocolate cake").is_none());
        assert!(first("").is_none() && first("how do I").is_none());
    }

    #[test]
    fn forms_of_a_word_have_one_meaning() {
        for (one, other) in [
            ("closing", "close"),
            ("tagged", "label"),
            ("companies", "organisation"),
            ("merging", "combined"),
        ] {
            assert_eq!(concept(one), concept(other), "{one} {other}");
        }
    }
}
