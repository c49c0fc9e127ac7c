//! `search`: full-text search in the mirror.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output, limit_for_more};
use crate::cli::{mirror_paths, open_mirror, time};
use crate::mirror::ResourceName;
use crate::mirror::search::{SearchOptions, SearchType};

const COLUMNS: [&str; 6] = ["type", "id", "part_id", "title", "snippet", "written_at"];
/// Further columns for programs.
const PROGRAM_COLUMNS: [&str; 2] = ["conversation_id", "score"];

pub fn command() -> Command {
    Command::new("search")
        .about("Search the mirror: messages, subjects, articles, tickets, names and e-mail addresses")
        .arg(
            Arg::new("text")
                .value_name("TEXT")
                .required(true)
                .allow_hyphen_values(true)
                .help("Words that must all occur; supports \"exact phrase\", prefix*, AND, OR, NOT and ( )"),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .value_delimiter(',')
                .value_parser(SearchType::ALL.map(SearchType::as_str))
                .help("Only these types, for example conversations,articles"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("20")
                .help("Maximum number of hits, best first"),
        )
        .arg(Arg::new("since").long("since").value_name("TIME").help(
            "Written (contacts, companies and articles: changed) since then, for example 2024-01-01 or 7d",
        ))
        .arg(mirror_paths::argument())
        .after_help("Example: intercom-pp-cli search 'invoice OR refund*' --type conversations --limit 5")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let types = matches.get_many::<String>("type").into_iter().flatten();
    let options = SearchOptions {
        types: types.map(|name| name.parse()).collect::<Result<_, _>>()?,
        limit: matches.get_one::<u32>("limit").map_or(20, |limit| *limit as usize),
        since: time::since(context, matches.get_one::<String>("since").map(String::as_str), 0)?,
    };
    let text = matches.get_one::<String>("text").map_or("", String::as_str);
    let store =
        open_mirror::indexed(&mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?)?;
    let found = store.search(text, &options)?;
    let synced_at = open_mirror::check_freshness(context, &store, &resources(&options.types))?;
    let more =
        if context.globals.output.format_or_default() == Format::Table { &[][..] } else { &PROGRAM_COLUMNS };
    let columns: Vec<String> = COLUMNS.iter().chain(more).map(|name| (*name).to_owned()).collect();
    let mut list = Output::open(&context.globals.output)?.list_with_columns("hits", &columns)?;
    for hit in &found.hits {
        list.record(&serde_json::to_value(hit).unwrap_or_default())?;
    }
    let count = list.count();
    let extent = Extent::partial("hits", None, found.more, limit_for_more());
    let extent = extent.when_empty(format!("nothing in the mirror matches {text:?}"));
    list.end(
        json!({ "source": "local", "synced_at": synced_at, "count": count, "widened": found.widened }),
        &extent,
    )
    .await
}

fn resources(types: &[SearchType]) -> Vec<ResourceName> {
    let searched = SearchType::ALL.iter().filter(|kind| types.is_empty() || types.contains(kind));
    searched.filter_map(|kind| kind.as_str().parse().ok()).collect()
}
