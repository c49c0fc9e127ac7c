//! The help of a command, in one layout for all: what it does, how it is called, examples, arguments, its own flags.
//!
//! clap parses the command line and prints the page; this module only writes it. Global flags are declared at every level
//! of a command, so a page refers to `help flags` instead of repeating them. Must never declare or change an argument.

mod layout;
mod page;
pub mod sections;

use clap::Command;
use clap::builder::StyledStr;

pub use layout::Row;
use page::Page;
pub use page::{argument_row, command_row};
pub use sections::Section;

/// How much of a page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// `-h`: how the command is called, one line per flag.
    Short,
    /// `--help`
    Full,
}

impl Detail {
    /// What the words of a command line ask for; `None` if they do not ask for help.
    pub fn asked(words: &[String]) -> Option<Self> {
        let is_short = |word: &String| {
            word.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.contains('h'))
        };
        let has = |typed: &str| words.iter().any(|word| word == typed);
        match (has("--help"), words.iter().any(is_short), has("help")) {
            (false, true, _) => Some(Detail::Short),
            (true, _, _) | (_, _, true) => Some(Detail::Full),
            (false, false, false) => None,
        }
    }
}

/// Gives a command its page, which also lists the commands below it. `path` are the words that call it.
pub fn attach(command: Command, path: &str, examples: Vec<String>, detail: Detail) -> Command {
    let below = sections::of_group(&command, path, &|_| true);
    let text = Page::of(&command, path, examples).with_sections(below).text(detail, layout::width());
    command.override_help(StyledStr::from(text))
}

/// Gives a group its page, which lists its commands in these sections.
pub fn attach_to_group(command: Command, path: &str, sections: Vec<Section>, detail: Detail) -> Command {
    let text = Page::of(&command, path, Vec::new()).with_sections(sections).text(detail, layout::width());
    command.override_help(StyledStr::from(text))
}

/// Gives the program its first screen. `exists` says whether a command with these words exists.
pub fn attach_to_root(root: Command, exists: &dyn Fn(&str) -> bool) -> Command {
    let about = root.get_about().map(ToString::to_string).unwrap_or_default();
    let text = layout::first_screen(&about, &sections::first_screen(exists), layout::width());
    root.override_help(StyledStr::from(text))
}

/// Sections as a text without terminal styles, for topics.
pub fn list(sections: &[Section]) -> String {
    layout::plain_sections(sections, layout::width())
}
