//! Derives names of commands and flags that the overlay does not define.

use super::description::synthetic_id;

/// `pagination.per_page` → `pagination-per-page`; `ISO8601Date` → `iso8601-date`.
pub fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 4);
    let characters: Vec<char> = name.chars().collect();
    for (index, character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            if !kebab.ends_with('-') && !kebab.is_empty() {
                kebab.push('-');
            }
            continue;
        }
        let previous = index.checked_sub(1).map(|index| characters[index]);
        let next = characters.get(index + 1);
        let starts_word = character.is_ascii_uppercase()
            && previous.is_some_and(|previous| {
                previous.is_ascii_lowercase()
                    || previous.is_ascii_digit()
                    || (previous.is_ascii_uppercase() && next.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word && !kebab.ends_with('-') {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab.trim_end_matches('-').to_owned()
}

/// The flag of a parameter or field. Names without letters of flags become `field`.
pub fn flag_name(name: &str) -> String {
    let flag = kebab(name);
    if flag.starts_with(|first: char| first.is_ascii_alphanumeric()) { flag } else { "field".to_owned() }
}

/// Words that say nothing at the end of a command, such as the last one of `attachTagToArticle`.
const PREPOSITIONS: [&str; 8] = ["a", "by", "for", "from", "in", "of", "to", "with"];

/// What a command is derived from.
pub struct Named<'a> {
    pub tags: &'a [&'a str],
    pub id: &'a str,
    pub method: &'a str,
    pub path: &'a str,
}

/// Commands for an operation that the overlay does not name, best first: a tag as group, then the operation id
/// without the words of the group. The tag that the path starts with is the best one.
///
/// `IP Allowlist` + `getIpAllowlist` → `ip-allowlist get`; `Jobs` + `jobsStatus` → `jobs status`.
pub fn derived_commands(operation: &Named<'_>) -> Vec<String> {
    let id = kebab(operation.id);
    let first_segment = literals(operation.path).next().map(kebab).unwrap_or_default();
    let mut groups: Vec<String> =
        operation.tags.iter().map(|tag| kebab(tag)).filter(|group| !group.is_empty()).collect();
    groups.sort_by_key(|group| *group != first_segment);
    if groups.is_empty() && !first_segment.is_empty() {
        groups.push(first_segment);
    }
    let words = words(operation);
    let own_words: Vec<String> = id.split('-').map(str::to_owned).collect();
    let mut commands: Vec<String> =
        groups.iter().map(|group| in_group(&nested(group, operation), group, &words, &id)).collect();
    // The first word of a nested group can be taken.
    commands.extend(groups.iter().map(|group| in_group(group, group, &words, &id)));
    if let Some(group) = groups.first() {
        let nested = nested(group, operation);
        commands.push(in_group(&nested, group, &own_words, &id));
        commands.push(format!("{nested} {id}"));
    }
    commands.push(format!("other {id}"));
    commands
}

/// The words that name an operation.
fn words(operation: &Named<'_>) -> Vec<String> {
    if operation.id == synthetic_id(operation.method, operation.path)
        && operation.path.matches('/').count() > 1
    {
        return words_of_path(operation);
    }
    let mut words: Vec<String> = kebab(operation.id).split('-').map(str::to_owned).collect();
    if let Some(first) = words.first_mut()
        && let Some(verb) = VERBS.iter().find(|verb| is_slip(first, verb))
    {
        *first = (*verb).to_owned();
    }
    words
}

/// Verbs at the start of operation ids.
const VERBS: [&str; 8] = ["create", "delete", "download", "list", "remove", "retrieve", "search", "update"];

/// Whether a word is a verb with a letter missing or two letters exchanged: `lisTags`, `delteTag`.
fn is_slip(word: &str, verb: &str) -> bool {
    let (word, verb): (Vec<char>, Vec<char>) = (word.chars().collect(), verb.chars().collect());
    let same = word.iter().zip(&verb).take_while(|(one, other)| one == other).count();
    if word.len() + 1 == verb.len() {
        return word[same..] == verb[same + 1..];
    }
    word.len() == verb.len()
        && same + 1 < word.len()
        && (word[same], word[same + 1]) == (verb[same + 1], verb[same])
        && word[same + 2..] == verb[same + 2..]
}

/// The command for these words in a group, without those of the group.
fn in_group(place: &str, group: &str, words: &[String], id: &str) -> String {
    let group_words: Vec<&str> = group.split('-').collect();
    let is_in_group = |word: &String| group_words.iter().any(|other| is_same_word(word, other));
    let mut leaf: Vec<&str> = words.iter().filter(|word| !is_in_group(word)).map(String::as_str).collect();
    leaf.dedup();
    while leaf.len() > 1 && leaf.last().is_some_and(|word| PREPOSITIONS.contains(word)) {
        leaf.pop();
    }
    if leaf.is_empty() { format!("{place} {id}") } else { format!("{place} {}", leaf.join("-")) }
}

/// A group named like the first two segments of the path is nested: `conversations attributes`.
fn nested(group: &str, operation: &Named<'_>) -> String {
    let segments: Vec<String> = literals(operation.path).take(2).map(kebab).collect();
    if segments.len() == 2 && segments.join("-") == group { segments.join(" ") } else { group.to_owned() }
}

/// The words of an operation without an id: its last segment if that is a verb, or a verb for its method and the
/// segments.
fn words_of_path(operation: &Named<'_>) -> Vec<String> {
    const VERBS: [&str; 6] = ["download", "enqueue", "get", "list", "search", "start"];
    let segments: Vec<String> =
        literals(operation.path).map(kebab).filter(|segment| !segment.is_empty()).collect();
    let is_verb = |segment: &&String| VERBS.contains(&segment.split('-').next().unwrap_or_default());
    let words = |text: &str| text.split('-').map(str::to_owned).collect::<Vec<_>>();
    if let Some(verb) = segments.iter().rev().find(is_verb) {
        return words(verb);
    }
    let is_record = operation.path.ends_with('}');
    let verb = match operation.method {
        "get" if is_record => "get",
        "get" => "list",
        "post" => "create",
        "delete" => "delete",
        _ => "update",
    };
    std::iter::once(verb.to_owned()).chain(segments.iter().flat_map(|segment| words(segment))).collect()
}

/// The segments of a path that are not parameters.
fn literals(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
}

/// Whether two words differ only by a plural ending.
fn is_same_word(one: &str, other: &str) -> bool {
    fn singular(word: &str) -> String {
        match word.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => word.strip_suffix('s').unwrap_or(word).to_owned(),
        }
    }
    singular(one) == singular(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_splits_words() {
        assert_eq!(kebab("pagination.per_page"), "pagination-per-page");
        assert_eq!(kebab("RetrieveACompanyById"), "retrieve-a-company-by-id");
        assert_eq!(kebab("Switch"), "switch");
        assert_eq!(kebab("pt-BR"), "pt-br");
    }

    #[test]
    fn derived_commands_do_not_repeat_their_group() {
        for (tags, id, method, path, expected) in [
            (vec!["IP Allowlist"], "getIpAllowlist", "get", "/ip_allowlist", "ip-allowlist get"),
            (vec!["Jobs"], "jobsStatus", "get", "/jobs/status/{id}", "jobs status"),
            (vec!["Fin Agent"], "replyToFin", "post", "/fin/reply", "fin-agent reply"),
            (vec!["Calls"], "calls", "get", "/calls", "calls calls"),
            (vec![], "ping", "get", "/ping", "ping ping"),
            (
                vec!["Articles", "Tags"],
                "attachTagToArticle",
                "post",
                "/articles/{id}/tags",
                "articles attach-tag",
            ),
            (
                vec!["Notes", "Companies"],
                "listCompanyNotes",
                "get",
                "/companies/{id}/notes",
                "companies list-notes",
            ),
            (
                vec!["Conversations Attributes"],
                "createConversationAttributeOption",
                "post",
                "/conversations/attributes/{id}/options",
                "conversations attributes create-option",
            ),
            (vec!["Reports"], "getReportsGetSets", "get", "/reports/get_sets", "reports get-sets"),
            (vec!["Reports"], "postReportsEnqueue", "post", "/reports/enqueue", "reports enqueue"),
            (vec!["Reports"], "getReportsJob", "get", "/reports/{job}", "reports get"),
            (vec!["Reports"], "getDownloadReportsJob", "get", "/download/reports/{job}", "reports download"),
        ] {
            let derived = derived_commands(&Named { tags: &tags, id, method, path });
            assert_eq!(derived[0], expected, "{derived:?}");
        }
    }
}
