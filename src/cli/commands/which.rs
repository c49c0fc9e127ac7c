//! `which`: finds a command by a description.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::cli::catalog;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint, HintTopic};
use crate::cli::output::{Extent, Output, limit_for_more};

const COLUMNS: [&str; 5] = ["command", "about", "effect", "score", "example"];

pub fn command() -> Command {
    Command::new("which")
        .about("Find a command by describing what you want to do")
        .arg(
            Arg::new("need")
                .value_name("NEED")
                .required(true)
                .num_args(1..)
                .help("What you want to do, for example \"tag conversations in bulk\""),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .default_value("5")
                .help("Maximum number of commands, best match first"),
        )
        .after_help("Example: intercom-pp-cli which \"merge two contacts\"")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let words: Vec<&str> =
        matches.get_many::<String>("need").into_iter().flatten().map(String::as_str).collect();
    let need = words.join(" ");
    let limit = matches.get_one::<u32>("limit").map_or(5, |limit| *limit as usize);
    let entries = context.catalog().entries();
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
    let mut list = Output::open(&context.globals)?.wrapped().rows("commands", &COLUMNS.map(str::to_owned))?;
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
