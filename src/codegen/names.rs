//! Names of commands and flags, derived where the overlay gives none.

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
        let before = index.checked_sub(1).map(|it| characters[it]);
        let after = characters.get(index + 1);
        let starts_word = character.is_ascii_uppercase()
            && before.is_some_and(|it| {
                it.is_ascii_lowercase()
                    || it.is_ascii_digit()
                    || (it.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word && !kebab.ends_with('-') {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab.trim_end_matches('-').to_owned()
}

/// The command of an operation that the overlay does not name: the tag as the group, then the
/// operation id without the words that the group already says.
///
/// `IP Allowlist` + `getIpAllowlist` → `ip-allowlist get`; `Jobs` + `jobsStatus` → `jobs status`.
pub fn derived_command(tag: Option<&str>, operation_id: &str) -> String {
    let Some(group) = tag.map(kebab).filter(|group| !group.is_empty()) else {
        return kebab(operation_id);
    };
    let said: Vec<&str> = group.split('-').collect();
    let leaf = kebab(operation_id);
    let leaf: Vec<&str> =
        leaf.split('-').filter(|word| !said.iter().any(|other| same_word(word, other))).collect();
    match leaf.is_empty() {
        true => format!("{group} {}", kebab(operation_id)),
        false => format!("{group} {}", leaf.join("-")),
    }
}

/// Whether two words differ only by a plural ending.
fn same_word(one: &str, other: &str) -> bool {
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
