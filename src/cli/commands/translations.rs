//! `articles translations`: what is not translated, or not any more.

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Output, grouped};
use crate::cli::{mirrored, stores};
use crate::mirror::{ResourceName, Store};
use crate::report::translations::translations;

pub fn command() -> Command {
    Command::new("translations")
        .about("Translations that are missing, older than their source, or drafts, from the mirror")
        .arg(
            Arg::new("locale")
                .long("locale")
                .value_name("LOCALES")
                .value_delimiter(',')
                .help("Only these [default: every locale that any article has]"),
        )
        .arg(
            Arg::new("status")
                .long("status")
                .value_name("STATUS")
                .value_delimiter(',')
                .value_parser(["missing", "outdated", "draft"])
                .help("Only these; an outdated draft is both"),
        )
        .arg(stores::argument())
        .after_help("Example: intercom-pp-cli articles translations --locale de,fr --status missing,outdated")
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let list = |name: &str| -> Vec<String> {
        matches.get_many::<String>(name).into_iter().flatten().map(|it| it.trim().to_owned()).collect()
    };
    let (locales, statuses) = (list("locale"), list("status"));
    let store = Store::open_read_only(&stores::for_reading(context, matches)?)?;
    let found = translations(&store, &locales)?;
    let synced_at = mirrored::say_how_old(context, &store, &[ResourceName::Articles])?;
    let shown =
        found.gaps.iter().filter(|gap| statuses.is_empty() || statuses.iter().any(|status| gap.is(status)));
    let rows: Vec<Value> = shown.map(|gap| serde_json::to_value(gap).unwrap_or_default()).collect();
    let articles = grouped(found.articles);
    let extent = Extent::whole("translations").or(format!("nothing to translate among {articles} articles"));
    let meta = json!({
        "source": "local", "synced_at": synced_at, "articles": found.articles, "locales": found.locales,
    });
    Output::open(&context.globals)?.table(meta, &rows, &extent).await
}
