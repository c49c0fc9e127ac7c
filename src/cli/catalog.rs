//! All commands as data: name, effect, parameters and an example.
//!
//! For MCP tools, `which`, `agent-context` and SKILL.md, which describe commands without running them. Everything
//! is derived from the operation table and the clap declarations, so descriptions cannot differ from what runs.

mod body_schema;
mod entry;
mod example;
mod find;
mod parameter;

pub use body_schema::BodySchema;
pub use entry::CatalogEntry;
pub use example::{of as example_of, split_examples};
pub use find::find;
pub use parameter::{CommandParameter, Shape};

use std::sync::OnceLock;

use super::registry::Registry;
use crate::api::commands::OPERATIONS;

/// Descriptions of all commands.
pub struct Catalog {
    handwritten: Vec<CatalogEntry>,
    /// Built on first use, since there are many.
    endpoints: OnceLock<Vec<CatalogEntry>>,
}

impl Catalog {
    pub fn new(registry: &Registry) -> Self {
        let handwritten = registry.commands().map(CatalogEntry::of_command).collect();
        Catalog { handwritten, endpoints: OnceLock::new() }
    }

    /// All commands, hand-written ones first.
    pub fn entries(&self) -> Vec<&CatalogEntry> {
        self.handwritten.iter().chain(self.endpoints()).collect()
    }

    /// The commands that are not operations of the API.
    pub fn handwritten(&self) -> &[CatalogEntry] {
        &self.handwritten
    }

    /// Finds a command by any spelling of its words, or by its tool name.
    pub fn entry(&self, name: &str) -> Option<&CatalogEntry> {
        let key = lookup_key(name);
        let handwritten = self.handwritten.iter().find(|entry| lookup_key(&entry.words) == key);
        let is_spelling =
            |entry: &&CatalogEntry| entry.spellings().any(|spelling| lookup_key(spelling) == key);
        handwritten.or_else(|| self.endpoints().iter().find(is_spelling))
    }

    fn endpoints(&self) -> &[CatalogEntry] {
        self.endpoints.get_or_init(|| OPERATIONS.iter().map(CatalogEntry::of_operation).collect())
    }
}

/// Words that differ only in their separators mean the same command.
fn lookup_key(name: &str) -> String {
    name.trim().replace([' ', '-'], "_")
}
