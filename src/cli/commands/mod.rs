//! The hand-written commands: where each stands in the tree, and who runs it.
//!
//! One command per file. A file declares its arguments and runs them; it holds no logic of the
//! layers below.

mod analytics;
mod api;
mod articles;
mod auth;
mod completions;
mod demo;
mod doctor;
mod export;
mod import;
mod sandbox;
mod search;
mod sla;
mod sql;
mod status;
mod sync;
mod tail;

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
        status::command(),
        api::command(),
        auth::command(),
        doctor::command(),
        sandbox::command(),
        completions::command(),
        completions::man(),
    ]
}

/// Commands inside a group of operations.
pub fn in_group(group: &str) -> Vec<Command> {
    match group {
        "articles" => articles::commands(),
        "conversations" => vec![sla::command()],
        _ => Vec::new(),
    }
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
        ["conversations", "sla"] => sla::run(context, matches).await,
        _ => return None,
    })
}
