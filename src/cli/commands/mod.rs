//! The handwritten commands: their place in the command tree, their effects, and how they run.
//!
//! One command per file. A file declares the arguments of its command and runs it. It must not contain logic of the
//! layers below.

mod agent_context;
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
mod mcp;
mod mirror;
pub mod profile;
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
mod which;
mod workflow;

use clap::{ArgMatches, Command};

use super::catalog::Effect;
use super::context::Context;
use super::error::Error;

/// The effect of every command in this folder: the strongest that any of its flags has. Every new command must be
/// listed here.
pub const EFFECTS: &[(&str, Effect)] = &[
    ("agent-context", Effect::Read),
    ("analytics", Effect::Read),
    ("api", Effect::Destructive),
    ("articles diff", Effect::Read),
    ("articles lint", Effect::Read),
    ("articles pull", Effect::Local),
    ("articles push", Effect::Destructive),
    ("articles resolve", Effect::Local),
    ("articles status", Effect::Read),
    ("articles translations", Effect::Read),
    ("auth logout", Effect::Terminal),
    ("auth set-token", Effect::Terminal),
    ("auth status", Effect::Read),
    ("budget", Effect::Read),
    ("bulk runs", Effect::Read),
    ("bulk undo", Effect::Destructive),
    ("companies bulk-tag", Effect::Write),
    ("completions", Effect::Terminal),
    ("contact 360", Effect::Read),
    ("contacts 360", Effect::Read),
    ("contacts bulk-archive", Effect::Destructive),
    ("contacts bulk-tag", Effect::Write),
    ("contacts bulk-update", Effect::Destructive),
    ("contacts dupes", Effect::Destructive),
    ("conversations bulk-assign", Effect::Write),
    ("conversations bulk-close", Effect::Write),
    ("conversations bulk-reply-note", Effect::Write),
    ("conversations bulk-snooze", Effect::Write),
    ("conversations bulk-tag", Effect::Write),
    ("conversations bulk-untag", Effect::Destructive),
    ("conversations incident-tag", Effect::Write),
    ("conversations sla", Effect::Read),
    ("conversations stale", Effect::Read),
    ("conversations volume", Effect::Read),
    ("demo", Effect::Terminal),
    ("doctor", Effect::Read),
    ("export", Effect::Read),
    ("filter explain", Effect::Read),
    ("import", Effect::Write),
    ("man", Effect::Terminal),
    ("mcp", Effect::Terminal),
    ("mirror forget", Effect::Destructive),
    ("mirror vacuum", Effect::Local),
    ("profile delete", Effect::Terminal),
    ("profile list", Effect::Read),
    ("profile save", Effect::Terminal),
    ("profile show", Effect::Read),
    ("profile use", Effect::Terminal),
    ("sandbox serve", Effect::Terminal),
    ("search", Effect::Read),
    ("sql", Effect::Read),
    ("status", Effect::Read),
    ("sync", Effect::Local),
    ("tail", Effect::Read),
    ("which", Effect::Read),
    ("workflow run", Effect::Terminal),
];

/// The declared effect of a command, given its words.
pub fn effect(words: &str) -> Option<Effect> {
    EFFECTS.iter().find(|(other, _)| *other == words).map(|(_, effect)| *effect)
}

/// Top-level commands.
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
        mirror::command(),
        contact_360::group(),
        api::command(),
        auth::command(),
        budget::command(),
        doctor::command(),
        sandbox::command(),
        completions::command(),
        completions::man(),
        mcp::command(),
        agent_context::command(),
        which::command(),
        profile::command(),
        workflow::command(),
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
    own.into_iter().chain(bulk::commands::commands(group)).collect()
}

/// Runs the command with these words; `None` if it is not handwritten.
pub async fn run(context: &Context, words: &[&str], matches: &ArgMatches) -> Option<Result<(), Error>> {
    Some(match words {
        ["agent-context"] => agent_context::run(context, matches).await,
        ["which"] => which::run(context, matches).await,
        ["profile", action] => profile::run(context, action, matches).await,
        ["workflow", "run"] => workflow::run(context, matches).await,
        ["demo"] => demo::run(context, matches).await,
        ["status"] => status::run(context, matches).await,
        ["mirror", action] => mirror::run(context, action, matches).await,
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
        ["man"] => completions::run_man(context, matches),
        ["articles", action @ ("pull" | "push" | "diff" | "status" | "lint" | "resolve")] => {
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
        words if bulk::commands::is_one(words) => bulk::commands::run(context, words, matches).await,
        ["filter", "explain"] => filter::run(context, matches).await,
        ["conversations", "sla"] => sla::run(context, matches).await,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "../../codegen/handwritten.rs"]
#[allow(dead_code, reason = "used by the generator; the test compares it")]
mod handwritten;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::COMMANDS;
    use crate::cli::globals::Globals;

    /// Other API versions may have one, for example POST /content/bulk_actions.
    #[tokio::test]
    async fn an_operation_named_bulk_something_is_an_endpoint() {
        let context = Context::new(Globals::default(), &COMMANDS);
        for words in [&["content", "bulk-actions"][..], &["bulk-actions"], &["conversations", "bulk-actions"]]
        {
            assert!(run(&context, words, &ArgMatches::default()).await.is_none(), "{words:?}");
        }
        for (words, _) in EFFECTS.iter().filter(|(words, _)| words.contains(" bulk-")) {
            assert!(bulk::commands::is_one(&words.split(' ').collect::<Vec<_>>()), "{words}");
        }
    }

    /// Otherwise an operation of another API version could take the name of a command.
    #[test]
    fn the_generator_knows_all_handwritten_commands() {
        let top: BTreeSet<String> = top_level()
            .iter()
            .map(|command| command.get_name().to_owned())
            .chain(["help".to_owned()])
            .collect();
        assert_eq!(top, handwritten::TOP_LEVEL.iter().map(|name| (*name).to_owned()).collect());
        let groups = crate::api::commands::OPERATIONS
            .iter()
            .filter_map(|operation| operation.command.split(' ').next());
        let groups: BTreeSet<&str> = groups.collect();
        let below = groups.into_iter().flat_map(|group| {
            in_group(group).into_iter().map(move |command| format!("{group} {}", command.get_name()))
        });
        let reserved: BTreeSet<String> =
            handwritten::IN_GROUPS.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(below.collect::<BTreeSet<_>>(), reserved);
    }
}
