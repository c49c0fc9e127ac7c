//! All commands as data: name, effect, parameters and an example.
//!
//! For MCP tools, `which`, `agent-context` and SKILL.md, which describe commands without running them. Everything
//! is derived from the operation table and the clap declarations, so descriptions cannot differ from what runs.

mod entry;
mod example;
mod find;
mod parameter;

pub use entry::Entry;
pub use find::find;
pub use parameter::{Parameter, Shape};

use std::sync::OnceLock;

use super::registry::Registry;
use crate::api::commands::OPERATIONS;

/// Descriptions of all commands.
pub struct Catalog {
    handwritten: Vec<Entry>,
    /// Built on first use, since there are many.
    endpoints: OnceLock<Vec<Entry>>,
}

impl Catalog {
    pub fn new(registry: &Registry) -> Self {
        let handwritten = registry.commands().map(Entry::of_command).collect();
        Catalog { handwritten, endpoints: OnceLock::new() }
    }

    /// All commands, hand-written ones first.
    pub fn entries(&self) -> Vec<&Entry> {
        self.handwritten.iter().chain(self.endpoints()).collect()
    }

    /// The commands that are not operations of the API.
    pub fn handwritten(&self) -> &[Entry] {
        &self.handwritten
    }

    /// Finds a command by any spelling of its words, or by its tool name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let key = lookup_key(name);
        let handwritten = self.handwritten.iter().find(|entry| lookup_key(&entry.words) == key);
        let is_spelling = |entry: &&Entry| entry.spellings().any(|spelling| lookup_key(spelling) == key);
        handwritten.or_else(|| self.endpoints().iter().find(is_spelling))
    }

    fn endpoints(&self) -> &[Entry] {
        self.endpoints.get_or_init(|| OPERATIONS.iter().map(Entry::of_operation).collect())
    }
}

/// Words that differ only in their separators mean the same command.
fn lookup_key(name: &str) -> String {
    name.trim().replace([' ', '-'], "_")
}
