//! The list of hand-written commands, and the help of their groups.
//!
//! A command, or a group of related ones, has one file: a struct with its arguments, which also states its words and its
//! effect. A file must not contain logic of the layers below.

mod analytics;
mod api;
mod articles;
mod auth;
mod budget;
mod bulk;
mod contact_360;
mod conversation;
mod demo;
mod doctor;
mod dupes;
mod export;
mod filter;
mod import;
mod listen;
mod mirror;
mod profile;
mod sandbox;
mod search;
mod sla;
mod sql;
mod sql_names;
mod stale;
mod status;
mod sync;
mod tail;
mod ticket;
mod translations;
mod verb;
mod view;
mod volume;

use super::registry::{Group, Registration};

/// In the order of the help.
pub const COMMANDS: &[Registration] = &[
    Registration::of::<demo::Demo>(),
    Registration::of::<sync::SyncMirror>(),
    Registration::of::<search::SearchMirror>(),
    Registration::of::<sql::QueryMirror>(),
    Registration::of::<export::ExportResource>(),
    Registration::of::<analytics::Analytics>(),
    Registration::of::<tail::TailRecords>(),
    Registration::of::<listen::ReceiveWebhooks>(),
    Registration::of::<import::ImportRecords>(),
    Registration::of::<bulk::ListRuns>(),
    Registration::of::<bulk::UndoRun>(),
    Registration::of::<filter::FilterExplanation>(),
    Registration::of::<status::ShowMirrorStatus>(),
    Registration::of::<mirror::ForgetPerson>(),
    Registration::of::<mirror::VacuumMirror>(),
    Registration::of::<contact_360::ShowContact360>(),
    Registration::of::<api::CallApi>(),
    Registration::of::<api::ListVersions>(),
    Registration::of::<auth::Login>(),
    Registration::of::<auth::TokenStatus>(),
    Registration::of::<auth::ListLogins>(),
    Registration::of::<auth::SwitchProfile>(),
    Registration::of::<auth::Logout>(),
    Registration::of::<auth::SetToken>(),
    Registration::of::<auth::SetClientSecret>(),
    Registration::of::<budget::RateLimitBudget>(),
    Registration::of::<doctor::Doctor>(),
    Registration::of::<sandbox::ServeSandbox>(),
    Registration::of::<sandbox::TriggerWebhook>(),
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
    Registration::of::<view::ViewArticle>(),
    Registration::of::<view::ViewContact>(),
    Registration::of::<contact_360::ShowContact360>().called("contacts 360"),
    Registration::of::<dupes::FindDuplicates>(),
    Registration::of::<bulk::BulkCommand<bulk::UpdateContacts>>(),
    Registration::of::<bulk::BulkCommand<bulk::TagContacts>>(),
    Registration::of::<bulk::BulkCommand<bulk::ArchiveContacts>>(),
    Registration::of::<view::ViewConversation>(),
    Registration::of::<sla::ConversationsSla>(),
    Registration::of::<stale::StaleConversations>(),
    Registration::of::<volume::ConversationsVolume>(),
    Registration::of::<verb::VerbCommand<conversation::Close>>(),
    Registration::of::<verb::VerbCommand<conversation::Open>>(),
    Registration::of::<verb::VerbCommand<conversation::Snooze>>(),
    Registration::of::<verb::VerbCommand<conversation::Assign>>(),
    Registration::of::<verb::SendReply<verb::ConversationMessages>>(),
    Registration::of::<verb::AddNote<verb::ConversationMessages>>(),
    Registration::of::<verb::VerbCommand<conversation::Tag>>(),
    Registration::of::<verb::VerbCommand<conversation::Untag>>(),
    Registration::of::<ticket::Resolve>(),
    Registration::of::<verb::VerbCommand<ticket::Assign>>(),
    Registration::of::<verb::SendReply<verb::TicketMessages>>(),
    Registration::of::<verb::AddNote<verb::TicketMessages>>(),
    Registration::of::<bulk::TagIncident>(),
    Registration::of::<bulk::BulkCommand<bulk::TagConversations>>(),
    Registration::of::<bulk::BulkCommand<bulk::UntagConversations>>(),
    Registration::of::<bulk::BulkCommand<bulk::AssignConversations>>(),
    Registration::of::<bulk::BulkCommand<bulk::CloseConversations>>(),
    Registration::of::<bulk::BulkCommand<bulk::SnoozeConversations>>(),
    Registration::of::<bulk::BulkCommand<bulk::AnnotateConversations>>(),
    Registration::of::<view::ViewCompany>(),
    Registration::of::<bulk::BulkCommand<bulk::TagCompanies>>(),
    Registration::of::<view::ViewTicket>(),
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
    Group { word: "auth", about: "Log in and out, and choose between workspaces", after_help: "" },
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
