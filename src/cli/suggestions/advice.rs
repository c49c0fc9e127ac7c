//! Advice for top-level words of other tools that mean more than one command here.
//!
//! A word that is a command must not be listed, and neither is one that a single command replaces: those are data.

use crate::cli::error::Hint;

/// What to type instead of a word.
pub fn for_word(word: &str) -> Option<Hint> {
    Some(match word {
        "config" | "configure" | "settings" => Hint::default()
            .run("auth status")
            .text(" shows the settings in use and their files")
            .then("")
            .run("profile save NAME --region eu")
            .text(" saves settings"),
        "commands" => Hint::default().run("help commands").text(" lists all commands"),
        "setup" | "init" => Hint::new("save a token with ").run("auth login"),
        "upgrade" | "update" | "self-update" => {
            Hint::new("install the new version in the way this one was installed")
                .then("")
                .run("--version")
                .text(" shows which one this is")
        }
        _ => return None,
    })
}
