//! Fills a workspace with generated data. Equal seeds must produce equal data.
//!
//! Variety matters: the data should contain every case that a client has to handle.

mod help;
mod inbox;
mod inbox_settings;
mod knowledge;
mod operation;
mod people;
mod settings;
pub mod story;
mod tickets;
mod words;

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::calendar::{DAY, WorkspaceClock};
use super::model::knowledge::Knowledge;
use super::options::Options;
use super::random::Random;
use super::record_set::RecordSet;

use super::workspace::{IpAllowlist, Workspace};

/// Creates a workspace with seed data.
pub fn workspace(options: &Options, timezone: TimeZone) -> Workspace {
    let mut workspace = empty(options, timezone);
    people::fill(&mut workspace, options);
    tickets::set_up(&mut workspace, options);
    inbox::fill(&mut workspace, options);
    tickets::fill(&mut workspace, options);
    help::fill(&mut workspace, options);
    inbox::add_calls(&mut workspace, options);
    settings::fill(&mut workspace, options.now);
    operation::fill(&mut workspace, options.now);
    knowledge::fill(&mut workspace, options);
    inbox_settings::fill(&mut workspace, options);
    if options.story {
        story::fill(&mut workspace, options);
    }
    workspace
}

fn empty(options: &Options, timezone: TimeZone) -> Workspace {
    Workspace {
        id: "sandbox1".to_owned(),
        name: "Sandbox".to_owned(),
        region: options.region.to_uppercase(),
        timezone,
        created_at: options.now - 900 * DAY,
        locales: options.locales.clone(),
        clock: WorkspaceClock::starting_at(options.now),
        admins: Vec::new(),
        teams: RecordSet::default(),
        contacts: RecordSet::default(),
        companies: RecordSet::default(),
        conversations: RecordSet::default(),
        tickets: RecordSet::default(),
        calls: RecordSet::default(),
        ticket_types: RecordSet::default(),
        ticket_states: RecordSet::default(),
        articles: RecordSet::default(),
        internal_articles: RecordSet::default(),
        collections: RecordSet::default(),
        help_centers: RecordSet::default(),
        knowledge: Knowledge::default(),
        news_items: RecordSet::default(),
        newsfeeds: RecordSet::default(),
        custom_objects: RecordSet::default(),
        notes: Vec::new(),
        company_notes: RecordSet::default(),
        tags: RecordSet::default(),
        segments: RecordSet::default(),
        data_attributes: RecordSet::default(),
        subscription_types: RecordSet::default(),
        events: Vec::new(),
        activities: Vec::new(),
        away_reasons: RecordSet::default(),
        ip_allowlist: IpAllowlist::default(),
        office_hours: RecordSet::default(),
        office_hours_exceptions: RecordSet::default(),
        brands: RecordSet::default(),
        sender_addresses: RecordSet::default(),
        workflows: RecordSet::default(),
        data_connectors: RecordSet::default(),
        connector_executions: RecordSet::default(),
        handling_events: HashMap::new(),
        whatsapp_messages: RecordSet::default(),
        fin_conversations: HashMap::new(),
        fin_voice_calls: RecordSet::default(),
        jobs: RecordSet::default(),
        reporting_jobs: HashMap::new(),
        scroll: None,
        merged: HashMap::new(),
        merges: Vec::new(),
        deleted_conversations: Vec::new(),
        side_conversations: HashMap::new(),
        conversation_attributes: RecordSet::default(),
        macros: RecordSet::default(),
        banners: RecordSet::default(),
        banner_views: HashMap::new(),
        merged_external_ids: HashMap::new(),
        quirks: Vec::new(),
        next_wake_at: None,
        random: Random::new(options.seed),
        last_ids: HashMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::model::conversation::{Author, Conversation, ConversationState};

    fn seeded(seed: u64) -> Workspace {
        let options = Options { seed, now: 1_764_000_000, ..Options::default() };
        workspace(&options, TimeZone::UTC)
    }

    fn documents(workspace: &Workspace) -> Vec<String> {
        let contacts = workspace.contacts.newest_first().map(|row| workspace.contact_document(row));
        let conversations =
            workspace.conversations.newest_first().map(|row| workspace.conversation_document(row));
        let tickets = workspace.tickets.newest_first().map(|row| workspace.ticket_document(row));
        contacts.chain(conversations).chain(tickets).map(|document| document.to_string()).collect()
    }

    #[test]
    fn equal_seeds_produce_equal_workspaces() {
        assert_eq!(documents(&seeded(5)), documents(&seeded(5)));
        assert_ne!(documents(&seeded(5)), documents(&seeded(6)));
    }

    #[test]
    fn no_time_is_in_the_future_and_parts_are_in_order() {
        let workspace = seeded(1);
        for conversation in workspace.conversations.iter() {
            assert!(conversation.updated_at <= 1_764_000_000);
            assert!(conversation.created_at > 1_764_000_000 - 29 * DAY);
            let times: Vec<_> = conversation.parts.iter().map(|part| part.created_at).collect();
            assert!(times.is_sorted() && times.iter().all(|at| *at >= conversation.created_at));
        }
    }

    #[test]
    fn the_data_covers_every_case() {
        let workspace = seeded(1);
        let any = |test: &dyn Fn(&Conversation) -> bool| workspace.conversations.iter().any(test);
        for state in [ConversationState::Open, ConversationState::Closed, ConversationState::Snoozed] {
            assert!(any(&|row| row.state == state), "{state:?}");
        }
        let has_reply = |row: &Conversation| workspace.statistics(row).first_admin_reply_at.is_some();
        assert!(any(&|row| !has_reply(row)));
        assert!(any(&|row| workspace.statistics(row).count_reopens > 0));
        assert!(any(&|row| matches!(row.source.author, Author::Admin(_)) && row.waiting_since.is_none()));
        assert!(any(&|row| matches!(row.source.author, Author::Admin(_))
            && row.parts.iter().any(|part| part.is_contact_reply())));
        assert!(any(&|row| row.parts.iter().any(|part| part.author == Author::AiAgent)));
        assert!(any(&|row| row.parts.iter().any(|part| part.part_type == "note")));
        let has_assignment = |with_body: bool| {
            any(&|row| {
                row.parts.iter().any(|part| part.assigned_to.is_some() && part.body.is_some() == with_body)
            })
        };
        assert!(has_assignment(true) && has_assignment(false));
        let contacts = &workspace.contacts;
        assert!(contacts.iter().any(|row| row.tags.len() > 10));
        assert!(contacts.iter().any(|row| row.notes.len() > 10));
        assert!(contacts.iter().any(|row| row.companies.len() > 10));
        assert!(contacts.iter().any(|row| !row.is_user) && contacts.iter().any(|row| row.email.is_none()));
        assert!(workspace.company_sizes().len() < workspace.companies.len());
    }

    #[test]
    fn a_workspace_can_be_empty() {
        let (contacts, companies, conversations, tickets, articles) = (0, 0, 0, 0, 0);
        let options = Options {
            contacts,
            companies,
            conversations,
            tickets,
            articles,
            admins: 0,
            teams: 0,
            parts_per_conversation: 0,
            ..Options::default()
        };
        let empty = workspace(&options, TimeZone::UTC);
        assert!(empty.me().is_some() && empty.contacts.is_empty() && empty.conversations.is_empty());
        let one_contact = Options { contacts: 1, conversations: 3, ..options };
        assert_eq!(workspace(&one_contact, TimeZone::UTC).conversations.len(), 3);
    }
}
