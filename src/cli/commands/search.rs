//! `search`: full-text search in the mirror.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::{Extent, Format, Output, limit_for_more};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{open_mirror, time};
use crate::mirror::ResourceName;
use crate::mirror::search::{SearchOptions, SearchType};

/// Columns for people. The part of a conversation is of use to programs only.
const COLUMNS: [&str; 5] = ["type", "id", "title", "snippet", "written_at"];
const PROGRAM_COLUMNS: [&str; 8] =
    ["type", "id", "part_id", "title", "snippet", "written_at", "conversation_id", "score"];

/// Search the mirror: messages, subjects, articles, tickets, names and email addresses
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli search 'invoice OR refund*' --type conversations --limit 5")]
pub struct SearchMirror {
    /// Words that must all occur; supports "exact phrase", prefix*, AND, OR, NOT and ( )
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
    /// Only these types, for example conversations,articles
    #[arg(
        id = "type",
        long = "type",
        value_name = "TYPE",
        value_delimiter = ',',
        action = ArgAction::Set,
        value_parser = PossibleValuesParser::new(SearchType::ALL.map(SearchType::as_str))
            .try_map(|name| name.parse::<SearchType>())
    )]
    types: Vec<SearchType>,
    /// Maximum number of hits, best first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value = "20")]
    limit: u32,
    /// Written (contacts, companies and articles: changed) since then, for example 2024-01-01 or 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for SearchMirror {
    const WORDS: &'static str = "search";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = SearchOptions {
            types: self.types,
            limit: self.limit as usize,
            since: time::since(context, self.since.as_deref(), 0)?,
        };
        let store = open_mirror::indexed(&mirror_paths::for_reading(context, &self.mirror)?)?;
        let found = store.search(&self.text, &options)?;
        let synced_at = open_mirror::check_freshness(context, &store, &resources(&options.types))?;
        let is_table = context.globals.output.format_or_default() == Format::Table;
        let columns = if is_table { &COLUMNS[..] } else { &PROGRAM_COLUMNS };
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let output = Output::open(&context.globals.output)?.highlighted();
        let mut list = output.list_with_columns("hits", &columns)?;
        for hit in &found.hits {
            list.row(hit)?;
        }
        let meta = json!({
            "source": "local", "synced_at": synced_at, "count": list.count(), "widened": found.widened,
        });
        let extent = Extent::partial("hits", None, found.more, limit_for_more());
        let extent = extent.when_empty(format!("nothing in the mirror matches {:?}", self.text));
        list.end(meta, &extent).await
    }
}

fn resources(types: &[SearchType]) -> Vec<ResourceName> {
    let searched = SearchType::ALL.iter().filter(|kind| types.is_empty() || types.contains(kind));
    searched.filter_map(|kind| kind.as_str().parse().ok()).collect()
}
