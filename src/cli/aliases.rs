//! Short words for commands that people look for under another name.
//!
//! They work, but are hidden: help, completion and lists for agents show one name for each command.

/// The short words, and the commands that they run.
pub const ALIASES: [(&str, &str); 3] =
    [("login", "auth login"), ("logout", "auth logout"), ("whoami", "auth status")];

/// A word that shows what `--version` shows.
pub const VERSION: &str = "version";

/// The words of the command that these words run.
pub fn target(words: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == words).map_or(words, |(_, target)| target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_runs_its_command_and_other_words_run_themselves() {
        assert_eq!(
            (target("login"), target("auth login"), target("tags list")),
            ("auth login", "auth login", "tags list")
        );
    }
}
