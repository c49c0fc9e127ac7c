//! The handwritten commands: their place in the command tree, their effects, and how they run.
//!
//! One command per file: a struct with its arguments, which also states its words and its effect. A file must not
//! contain logic of the layers below.

mod analytics;
mod api;
mod articles;
mod auth;
mod budget;
mod bulk;
mod contact_360;
mod demo;
mod doctor;
mod dupes;
mod export;
pub mod filter;
mod import;
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

use super::registry::{Effect, Group, Registration};

/// In the order of the help.
pub const COMMANDS: &[Registration] = &[
    Registration::of::<demo::Demo>(),
    Registration::of::<sync::SyncMirror>(),
    Registration::of::<search::SearchMirror>(),
    Registration::of::<sql::QueryMirror>(),
    Registration::of::<export::ExportResource>(),
    Registration::of::<analytics::Analytics>(),
    Registration::of::<tail::TailRecords>(),
    Registration::of::<import::ImportRecords>(),
    Registration::old(
        "bulk runs",
        Effect::Read,
        |_| leaf(bulk::runs::command(), "runs"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::runs::run_list(context))
        },
    ),
    Registration::old(
        "bulk undo",
        Effect::Destructive,
        |_| leaf(bulk::runs::command(), "undo"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::runs::run_undo(context, matches))
        },
    ),
    Registration::old(
        "filter explain",
        Effect::Read,
        |_| leaf(filter::command(), "explain"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(filter::run(context, matches))
        },
    ),
    Registration::of::<status::ShowMirrorStatus>(),
    Registration::of::<mirror::ForgetPerson>(),
    Registration::of::<mirror::VacuumMirror>(),
    Registration::of::<contact_360::ShowContact360>(),
    Registration::of::<api::CallApi>(),
    Registration::of::<auth::SetToken>(),
    Registration::of::<auth::TokenStatus>(),
    Registration::of::<auth::Logout>(),
    Registration::of::<budget::RateLimitBudget>(),
    Registration::of::<doctor::Doctor>(),
    Registration::of::<sandbox::ServeSandbox>(),
    Registration::of::<profile::SaveProfile>(),
    Registration::of::<profile::ListProfiles>(),
    Registration::of::<profile::ShowProfile>(),
    Registration::of::<profile::UseProfile>(),
    Registration::of::<profile::DeleteProfile>(),
    Registration::of::<articles::pull::PullArticles>(),
    Registration::of::<articles::push::PushArticles>(),
    Registration::of::<articles::compare::DiffArticles>(),
    Registration::of::<articles::compare::ShowArticleStatus>(),
    Registration::of::<articles::lint::LintArticles>(),
    Registration::of::<articles::resolve::ResolveArticles>(),
    Registration::of::<translations::ArticleTranslations>(),
    Registration::of::<contact_360::ShowContact360>().called("contacts 360"),
    Registration::old(
        "contacts dupes",
        Effect::Destructive,
        |_| dupes::command(),
        |context, _, matches| {
            let _ = matches;
            Box::pin(dupes::run(context, matches))
        },
    ),
    Registration::of::<sla::ConversationsSla>(),
    Registration::of::<stale::StaleConversations>(),
    Registration::of::<volume::ConversationsVolume>(),
    Registration::old(
        "conversations incident-tag",
        Effect::Write,
        |_| bulk::incident_tag::command(),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::incident_tag::run(context, matches))
        },
    ),
    Registration::old(
        "conversations bulk-tag",
        Effect::Write,
        |_| bulk_leaf("conversations", "bulk-tag"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-tag"], matches))
        },
    ),
    Registration::old(
        "conversations bulk-untag",
        Effect::Destructive,
        |_| bulk_leaf("conversations", "bulk-untag"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-untag"], matches))
        },
    ),
    Registration::old(
        "conversations bulk-assign",
        Effect::Write,
        |_| bulk_leaf("conversations", "bulk-assign"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-assign"], matches))
        },
    ),
    Registration::old(
        "conversations bulk-close",
        Effect::Write,
        |_| bulk_leaf("conversations", "bulk-close"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-close"], matches))
        },
    ),
    Registration::old(
        "conversations bulk-snooze",
        Effect::Write,
        |_| bulk_leaf("conversations", "bulk-snooze"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-snooze"], matches))
        },
    ),
    Registration::old(
        "conversations bulk-reply-note",
        Effect::Write,
        |_| bulk_leaf("conversations", "bulk-reply-note"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["conversations", "bulk-reply-note"], matches))
        },
    ),
    Registration::old(
        "contacts bulk-update",
        Effect::Destructive,
        |_| bulk_leaf("contacts", "bulk-update"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["contacts", "bulk-update"], matches))
        },
    ),
    Registration::old(
        "contacts bulk-tag",
        Effect::Write,
        |_| bulk_leaf("contacts", "bulk-tag"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["contacts", "bulk-tag"], matches))
        },
    ),
    Registration::old(
        "contacts bulk-archive",
        Effect::Destructive,
        |_| bulk_leaf("contacts", "bulk-archive"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["contacts", "bulk-archive"], matches))
        },
    ),
    Registration::old(
        "companies bulk-tag",
        Effect::Write,
        |_| bulk_leaf("companies", "bulk-tag"),
        |context, _, matches| {
            let _ = matches;
            Box::pin(bulk::commands::run(context, &["companies", "bulk-tag"], matches))
        },
    ),
];

/// Groups that have only hand-written commands.
pub const GROUPS: &[Group] = &[
    Group { word: "bulk", about: "List and undo runs that changed many records", after_help: "" },
    Group { word: "filter", about: "Explain and check --where filters", after_help: filter::AFTER_HELP },
    Group {
        word: "mirror",
        about: "Maintain the mirror file: erase a person, reclaim free space",
        after_help: "",
    },
    Group { word: "contact", about: "Show everything about one contact", after_help: "" },
    Group { word: "auth", about: "Save, check or remove the access token", after_help: "" },
    Group {
        word: "sandbox",
        about: "Simulate a workspace on this machine, to try and test commands without an account",
        after_help: "",
    },
    Group {
        word: "profile",
        about: "Manage named settings for several workspaces, for --profile",
        after_help: "",
    },
    Group { word: "workflow", about: "Run commands from a file in order", after_help: "" },
];

fn leaf(group: clap::Command, name: &str) -> clap::Command {
    group.find_subcommand(name).cloned().unwrap_or_default()
}

fn bulk_leaf(group: &str, name: &str) -> clap::Command {
    bulk::commands::commands(group).into_iter().find(|command| command.get_name() == name).unwrap_or_default()
}
