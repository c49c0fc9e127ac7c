//! The hand-written commands: where each stands in the tree, and who runs it.
//!
//! One command per file. A file declares its arguments and runs them; it holds no logic of the
//! layers below.

mod analytics;
mod api;
mod articles;
mod auth;
mod budget;
mod bulk;
mod completions;
mod contact_360;
mod demo;
mod doctor;
mod dupes;
mod export;
pub mod filter;
mod import;
mod sandbox;
mod search;
mod sla;
mod sql;
mod stale;
mod status;
mod sync;
mod tail;
mod translations;
mod volume;

use clap::{ArgMatches, Command};

use super::context::Context;
use super::error::Error;

/// Commands of the first level.
pub fn top_level() -> Vec<Command> {
    vec![
        demo::command(),
        sync::command(),
        search::command(),
        sql::command(),
        export::command(),
        analytics::command(),
        tail::command(),
        import::command(),
        bulk::runs::command(),
        filter::command(),
        status::command(),
        contact_360::group(),
        api::command(),
        auth::command(),
        budget::command(),
        doctor::command(),
        sandbox::command(),
        completions::command(),
        completions::man(),
    ]
}

/// Commands inside a group of operations.
pub fn in_group(group: &str) -> Vec<Command> {
    let own = match group {
        "articles" => articles::commands().into_iter().chain([translations::command()]).collect(),
        "contacts" => vec![contact_360::command(), dupes::command()],
        "conversations" => {
            vec![sla::command(), stale::command(), volume::command(), bulk::incident_tag::command()]
        }
        _ => Vec::new(),
    };
    own.into_iter().chain(bulk::changes::commands(group)).collect()
}

/// Runs the command of these words; `None` when they are no hand-written command.
pub async fn run(context: &Context, words: &[&str], matches: &ArgMatches) -> Option<Result<(), Error>> {
    Some(match words {
        ["demo"] => demo::run(context, matches).await,
        ["status"] => status::run(context, matches).await,
        ["sync"] => sync::run(context, matches).await,
        ["search"] => search::run(context, matches).await,
        ["sql"] => sql::run(context, matches).await,
        ["export"] => export::run(context, matches).await,
        ["analytics"] => analytics::run(context, matches).await,
        ["tail"] => tail::run(context, matches).await,
        ["import"] => import::run(context, matches).await,
        ["api"] => api::run(context, matches).await,
        ["auth", action] => auth::run(context, action, matches).await,
        ["doctor"] => doctor::run(context).await,
        ["sandbox", "serve"] => sandbox::run(context, matches).await,
        ["completions"] => completions::run(matches),
        ["man"] => completions::run_man(matches),
        ["articles", action @ ("pull" | "push" | "diff" | "status" | "lint")] => {
            articles::run(context, action, matches).await
        }
        ["contact" | "contacts", "360"] => contact_360::run(context, matches).await,
        ["contacts", "dupes"] => dupes::run(context, matches).await,
        ["articles", "translations"] => translations::run(context, matches).await,
        ["budget"] => budget::run(context, matches).await,
        ["conversations", "stale"] => stale::run(context, matches).await,
        ["conversations", "volume"] => volume::run(context, matches).await,
        ["bulk", "runs"] => bulk::runs::run_list(context).await,
        ["bulk", "undo"] => bulk::runs::run_undo(context, matches).await,
        ["conversations", "incident-tag"] => bulk::incident_tag::run(context, matches).await,
        [_, name] if name.starts_with("bulk-") => bulk::changes::run(context, words, matches).await,
        ["filter", "explain"] => filter::run(context, matches).await,
        ["conversations", "sla"] => sla::run(context, matches).await,
        _ => return None,
    })
}
