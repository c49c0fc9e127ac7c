//! `search`: full-text search over the mirror.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output};
use crate::cli::{mirrored, stores, time};
use crate::mirror::ResourceName;
use crate::mirror::search::{SearchOptions, SearchType};

const COLUMNS: [&str; 6] = ["type", "id", "part_id", "title", "snippet", "written_at"];
/// What programs get besides.
const MORE: [&str; 2] = ["conversation_id", "score"];

pub fn command() -> Command {
    Command::new("search")
        .about("Search the mirror: messages, subjects, articles, tickets, names and e-mail addresses")
        .arg(
            Arg::new("text").value_name("TEXT").required(true).allow_hyphen_values(true).help(
                "Words that must all occur; \"exact words\", begin*, AND, OR, NOT and ( ) are understood",
            ),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPE")
                .value_delimiter(',')
                .value_parser(SearchType::ALL.map(SearchType::as_str))
                .help("Only these kinds of records, such as conversations,articles"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("20")
                .help("Only the N best hits"),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("TIME")
                .help("Written since then (contacts, companies, articles: changed): a date, or 7d"),
        )
        .arg(stores::argument())
        .after_help("Example: intercom-pp-cli search 'invoice OR refund*' --type conversations --limit 5")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let types = matches.get_many::<String>("type").into_iter().flatten();
    let options = SearchOptions {
        types: types.map(|name| name.parse()).collect::<Result<_, _>>()?,
        limit: matches.get_one::<u32>("limit").map_or(20, |it| *it as usize),
        since: time::since(context, matches, "since", 0)?,
    };
    let text = matches.get_one::<String>("text").map_or("", String::as_str);
    let store = mirrored::indexed(&stores::for_reading(context, matches)?)?;
    let found = store.search(text, &options)?;
    let synced_at = mirrored::say_how_old(context, &store, &resources(&options.types))?;
    let more = if Format::of(&context.globals) == Format::Table { &[][..] } else { &MORE };
    let columns: Vec<String> = COLUMNS.iter().chain(more).map(|it| (*it).to_owned()).collect();
    let mut list = Output::open(&context.globals)?.rows("hits", &columns)?;
    for hit in &found.hits {
        list.record(&serde_json::to_value(hit).unwrap_or_default())?;
    }
    let count = list.count();
    let extent = Extent::part("hits", None, found.more, "--limit N for more");
    let extent = extent.or(format!("nothing in the mirror matches {text:?}"));
    list.end(
        json!({ "source": "local", "synced_at": synced_at, "count": count, "widened": found.widened }),
        &extent,
    )
    .await
}

fn resources(types: &[SearchType]) -> Vec<ResourceName> {
    let wanted = |kind: &SearchType| types.is_empty() || types.contains(kind);
    let named = SearchType::ALL.iter().filter(|kind| wanted(kind));
    named.filter_map(|kind| kind.as_str().parse().ok()).collect()
}
