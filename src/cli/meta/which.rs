//! `which`: finds a command by a description.

use clap::Args;
use serde_json::json;

use crate::cli::catalog::{self, Catalog};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, HintTopic};
use crate::cli::output::{Extent, Output, limit_for_more};
use crate::cli::registry::{Effect, MetaCommand, Registry};

const COLUMNS: [&str; 5] = ["command", "about", "effect", "score", "example"];

/// Find a command by describing what you want to do
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli which \"merge two contacts\"")]
pub struct Which {
    /// What you want to do, for example "tag conversations in bulk"
    #[arg(value_name = "NEED", required = true, num_args = 1..)]
    need: Vec<String>,
    /// Maximum number of commands, best match first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value = "5")]
    limit: u32,
}

impl MetaCommand for Which {
    const WORDS: &'static str = "which";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        let need = self.need.join(" ");
        let limit = self.limit as usize;
        let catalog = Catalog::new(registry);
        let entries = catalog.entries();
        let mut found = catalog::find(&entries, &need, limit + 1);
        let has_more = found.len() > limit;
        found.truncate(limit);
        if found.is_empty() {
            return Err(Error::usage_with_hint(
                format!("no command matches {need:?}"),
                Hint::new("use a verb and an object, for example ")
                    .run("which \"tag a contact\"")
                    .then("")
                    .run("--help")
                    .text(" lists all groups")
                    .about(HintTopic::FindCommand),
            ));
        }
        let mut list = Output::open(&context.globals.output)?
            .wrapped()
            .list_with_columns("commands", &COLUMNS.map(str::to_owned))?;
        for found in &found {
            list.record(&json!({
                "command": found.entry.shown,
                "about": found.entry.about,
                "effect": found.entry.effect.name(),
                "score": (found.score * 100.0).round() / 100.0,
                "example": found.entry.example,
            }))?;
        }
        let count = list.count();
        let extent = Extent::partial("commands", None, has_more, limit_for_more());
        list.end(json!({ "source": "local", "need": need, "count": count }), &extent).await
    }
}
