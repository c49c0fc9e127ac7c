//! `articles translations`: lists missing and outdated translations.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Output, grouped};
use crate::cli::{mirror_paths, open_mirror};
use crate::mirror::{ResourceName, Store};
use crate::report::translations::translations;

pub fn command() -> Command {
    Command::new("translations")
        .about("List translations in the mirror that are missing, outdated or drafts")
        .arg(
            Arg::new("locale")
                .long("locale")
                .value_name("LOCALES")
                .value_delimiter(',')
                .help("Only these locales [default: all locales of all articles]"),
        )
        .arg(
            Arg::new("status")
                .long("status")
                .value_name("STATUS")
                .value_delimiter(',')
                .value_parser(["missing", "outdated", "draft"])
                .help("Only these; an outdated draft counts as both"),
        )
        .arg(mirror_paths::argument())
        .after_help("Example: intercom-pp-cli articles translations --locale de,fr --status missing,outdated")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let list = |name: &str| -> Vec<String> {
        matches.get_many::<String>(name).into_iter().flatten().map(|value| value.trim().to_owned()).collect()
    };
    let (locales, statuses) = (list("locale"), list("status"));
    let store =
        Store::open_read_only(&mirror_paths::for_reading(context, &mirror_paths::MirrorFlag::of(matches))?)?;
    let report = translations(&store, &locales)?;
    let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Articles])?;
    let shown =
        report.gaps.iter().filter(|gap| statuses.is_empty() || statuses.iter().any(|status| gap.is(status)));
    let rows: Vec<Value> = shown.map(|gap| serde_json::to_value(gap).unwrap_or_default()).collect();
    let articles = grouped(report.articles);
    let extent =
        Extent::complete("translations").when_empty(format!("no translation gaps in {articles} articles"));
    let meta = json!({
        "source": "local", "synced_at": synced_at, "articles": report.articles, "locales": report.locales,
    });
    Output::open(&context.globals.output)?.rows(meta, &rows, &extent).await
}
