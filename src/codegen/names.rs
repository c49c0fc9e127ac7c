//! Derives names of commands and flags that the overlay does not define.

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

/// The command of an operation that the overlay does not name: the tag as group, then the operation id
/// without the words of the group.
///
/// `IP Allowlist` + `getIpAllowlist` → `ip-allowlist get`; `Jobs` + `jobsStatus` → `jobs status`.
pub fn derived_command(tag: Option<&str>, operation_id: &str) -> String {
    let Some(group) = tag.map(kebab).filter(|group| !group.is_empty()) else {
        return kebab(operation_id);
    };
    let group_words: Vec<&str> = group.split('-').collect();
    let id = kebab(operation_id);
    let is_in_group = |word: &&str| group_words.iter().any(|other| is_same_word(word, other));
    let leaf: Vec<&str> = id.split('-').filter(|word| !is_in_group(word)).collect();
    if leaf.is_empty() { format!("{group} {id}") } else { format!("{group} {}", leaf.join("-")) }
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
        assert_eq!(derived_command(Some("IP Allowlist"), "getIpAllowlist"), "ip-allowlist get");
        assert_eq!(derived_command(Some("Jobs"), "jobsStatus"), "jobs status");
        assert_eq!(derived_command(Some("Fin Agent"), "replyToFin"), "fin-agent reply-to");
        assert_eq!(derived_command(Some("Calls"), "calls"), "calls calls");
        assert_eq!(derived_command(None, "ping"), "ping");
    }
}
