//! The state of a sandbox: one workspace, in memory.
//!
//! Only handlers and tests read and change it. It must know nothing about HTTP.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::calendar::WorkspaceClock;
use super::model::admin::Admin;
use super::model::article::HelpArticle;
use super::model::banner::BannerView;
use super::model::company::Company;
use super::model::contact::{ContactNote, ContactRecord, DataEvent};
use super::model::conversation::{
    Author, Conversation, ConversationEvent, ConversationPart, ConversationState,
};
use super::model::data_connector::{ConnectorExecution, DataConnector};
use super::model::fin::FinConversation;
use super::model::knowledge::Knowledge;
use super::model::plain::PlainRecord;
use super::model::reporting_job::ReportingJob;
use super::model::ticket::TicketRecord;
use super::quirk::Quirk;
use super::random::Random;
use super::record_set::{RecordSet, WorkspaceRecord};
use super::response::ErrorResponse;

/// A workspace and its contents. Its fields are not part of the public interface.
#[derive(Debug)]
pub struct Workspace {
    /// The app's `id_code`.
    pub id: String,
    pub name: String,
    /// `US`, `EU` or `AU`.
    pub region: String,
    /// Defines calendar days.
    pub timezone: TimeZone,
    pub created_at: i64,
    /// The first is the default locale; more than one enables multilingual help.
    pub locales: Vec<String>,
    pub clock: WorkspaceClock,
    /// The first owns the access token and is returned by `/me`.
    pub admins: Vec<Admin>,
    pub teams: RecordSet<PlainRecord>,
    pub contacts: RecordSet<ContactRecord>,
    pub companies: RecordSet<Company>,
    pub conversations: RecordSet<Conversation>,
    pub tickets: RecordSet<TicketRecord>,
    /// A workspace without any has no phone.
    pub calls: RecordSet<PlainRecord>,
    /// Each with its attributes.
    pub ticket_types: RecordSet<PlainRecord>,
    /// Shared by all ticket types.
    pub ticket_states: RecordSet<PlainRecord>,
    pub articles: RecordSet<HelpArticle>,
    pub internal_articles: RecordSet<PlainRecord>,
    pub collections: RecordSet<PlainRecord>,
    pub help_centers: RecordSet<PlainRecord>,
    pub knowledge: Knowledge,
    pub news_items: RecordSet<PlainRecord>,
    pub newsfeeds: RecordSet<PlainRecord>,
    /// Instances of custom objects, of all types.
    pub custom_objects: RecordSet<PlainRecord>,
    pub notes: Vec<ContactNote>,
    pub company_notes: RecordSet<PlainRecord>,
    pub tags: RecordSet<PlainRecord>,
    pub segments: RecordSet<PlainRecord>,
    pub data_attributes: RecordSet<PlainRecord>,
    pub subscription_types: RecordSet<PlainRecord>,
    pub events: Vec<DataEvent>,
    /// The activity log of teammates.
    pub activities: Vec<Value>,
    /// Why teammates are away.
    pub away_reasons: RecordSet<PlainRecord>,
    pub ip_allowlist: IpAllowlist,
    pub office_hours: RecordSet<PlainRecord>,
    /// Dates on which schedules of office hours have other hours.
    pub office_hours_exceptions: RecordSet<PlainRecord>,
    pub brands: RecordSet<PlainRecord>,
    /// Addresses that email is sent from.
    pub sender_addresses: RecordSet<PlainRecord>,
    pub workflows: RecordSet<PlainRecord>,
    pub data_connectors: RecordSet<DataConnector>,
    pub connector_executions: RecordSet<ConnectorExecution>,
    /// When teammates paused and resumed handling conversations, by conversation id, oldest first.
    pub handling_events: HashMap<String, Vec<Value>>,
    /// WhatsApp messages sent to many people at once.
    pub whatsapp_messages: RecordSet<PlainRecord>,
    /// Conversations that Fin answers elsewhere, by their own ids.
    pub fin_conversations: HashMap<String, FinConversation>,
    /// Phone calls that Fin takes, by the ids of their registrations.
    pub fin_voice_calls: RecordSet<PlainRecord>,
    /// Work done in the background.
    pub jobs: RecordSet<PlainRecord>,
    pub reporting_jobs: HashMap<String, ReportingJob>,
    /// The open scroll over all companies; there can be only one.
    pub scroll: Option<CompanyScroll>,
    /// Maps the id of each merged contact to the id of the contact it was merged into.
    pub merged: HashMap<String, String>,
    /// Merges of contacts, in the order in which they happened.
    pub merges: Vec<ContactMerge>,
    /// Deleted conversations, in the order in which they were deleted.
    pub deleted_conversations: Vec<DeletedConversation>,
    /// Side conversations by the id of their conversation.
    pub side_conversations: HashMap<String, Vec<SideConversation>>,
    pub conversation_attributes: RecordSet<PlainRecord>,
    pub macros: RecordSet<PlainRecord>,
    /// Every user sees all of them.
    pub banners: RecordSet<PlainRecord>,
    /// By view id.
    pub banner_views: HashMap<String, BannerView>,
    /// Maps the `external_id` of each merged contact to the id that it had.
    pub merged_external_ids: HashMap<String, String>,
    /// Enabled quirks; may change while the workspace is served.
    pub quirks: Vec<Quirk>,
    /// When the next snoozed conversation reopens, in epoch seconds.
    pub(super) next_wake_at: Option<i64>,
    pub(super) random: Random,
    pub(super) last_ids: HashMap<IdSequence, u64>,
}

/// The addresses from which teammates may use the workspace.
#[derive(Debug, Clone, Default)]
pub struct IpAllowlist {
    pub is_enabled: bool,
    /// Addresses, and ranges in CIDR notation.
    pub entries: Vec<String>,
}

/// A scroll over a snapshot of all companies.
#[derive(Debug)]
pub struct CompanyScroll {
    pub token: String,
    /// Ids not yet returned.
    pub remaining: Vec<String>,
    /// Time of the last request, in epoch seconds.
    pub used_at: i64,
}

/// A contact that was merged into another one.
#[derive(Debug, Clone)]
pub struct ContactMerge {
    pub source_id: String,
    /// `user` or `lead`.
    pub source_role: &'static str,
    pub into: String,
    pub at: i64,
}

/// What is left of a deleted conversation.
#[derive(Debug, Clone)]
pub struct DeletedConversation {
    pub id: String,
    pub deleted_at: i64,
    pub metrics_retained: bool,
}

/// A thread between teammates about a conversation.
#[derive(Debug, Clone)]
pub struct SideConversation {
    pub id: String,
    /// Oldest first.
    pub parts: Vec<ConversationPart>,
}

/// A sequence of consecutive numeric ids. Start values are about as large as in the real API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdSequence {
    Conversation,
    Part,
    Message,
    Article,
    Ticket,
    /// Ticket numbers shown to users.
    TicketNumber,
    Call,
    Audience,
    Snippet,
    Redirect,
    ConversationAttribute,
    Other,
    /// Records that later API versions added, apart so that the ids of all others stay the same.
    Addition,
}

impl IdSequence {
    fn start(self) -> u64 {
        match self {
            IdSequence::Conversation => 215_470_000_000_000,
            IdSequence::Part => 28_400_000_000,
            IdSequence::Message => 2_403_000_000,
            IdSequence::Article => 9_200_000,
            IdSequence::Ticket => 7_300_000,
            IdSequence::TicketNumber => 0,
            IdSequence::Call => 880_000,
            IdSequence::Audience => 6_100_000,
            IdSequence::Snippet => 6_200_000,
            IdSequence::Redirect => 6_300_000,
            IdSequence::ConversationAttribute => 6_500_000,
            IdSequence::Other => 5_000_000,
            IdSequence::Addition => 6_200_000,
        }
    }
}

impl Workspace {
    /// The next id of a sequence.
    pub fn next_id(&mut self, sequence: IdSequence) -> String {
        self.next_number(sequence).to_string()
    }

    /// The next id of a sequence, as a number.
    pub fn next_number(&mut self, sequence: IdSequence) -> u64 {
        let last = self.last_ids.entry(sequence).or_insert(sequence.start());
        *last += 1;
        *last
    }

    /// A new id for a contact or a company.
    pub fn object_id(&mut self, at: i64) -> String {
        self.random.object_id(at)
    }

    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The teammate who owns the access token.
    pub fn me(&self) -> Option<&Admin> {
        self.admins.first()
    }

    /// Id of the teammate who owns the access token.
    pub fn my_id(&self) -> i64 {
        self.me().map_or(0, |admin| admin.id)
    }

    pub fn locale(&self) -> &str {
        self.locales.first().map_or("en", String::as_str)
    }

    pub fn admin(&self, id: i64) -> Option<&Admin> {
        self.admins.iter().find(|admin| admin.id == id)
    }

    pub fn team(&self, id: i64) -> Option<&PlainRecord> {
        self.teams.get(&id.to_string())
    }

    /// The name of a tag; empty if the tag was deleted.
    pub fn tag_name(&self, id: &str) -> &str {
        self.tags.get(id).map_or("", |tag| tag.text("name"))
    }

    /// The documents of the segments with these ids.
    pub fn segment_documents(&self, ids: &[String]) -> impl Iterator<Item = Value> {
        let segments = self.segments.iter().filter(|segment| ids.contains(&segment.id));
        segments.map(|segment| segment.document.clone())
    }

    /// The field of contacts, companies or conversations with this name.
    pub fn data_attribute(&self, model: &str, name: &str) -> Option<&PlainRecord> {
        let mut attributes = self.data_attributes.iter();
        attributes.find(|attribute| attribute.text("model") == model && attribute.text("name") == name)
    }

    /// The attributes of a ticket type.
    pub fn ticket_attributes(&self, type_id: &str) -> &[Value] {
        let ticket_type = self.ticket_types.get(type_id);
        let attributes =
            ticket_type.and_then(|kind| kind.document["ticket_type_attributes"]["data"].as_array());
        attributes.map_or(&[], Vec::as_slice)
    }

    /// The teammate on whose behalf a request acts.
    pub fn acting_admin(&self, id: &str) -> Result<i64, ErrorResponse> {
        id.parse()
            .ok()
            .filter(|id| self.admin(*id).is_some())
            .ok_or_else(|| ErrorResponse::new(404, "admin_not_found", "admin_id does not match any teammate"))
    }

    pub fn contact(&self, id: &str) -> Result<&ContactRecord, ErrorResponse> {
        self.contacts.get(id).ok_or_else(|| self.missing_contact_error(id, false))
    }

    /// The error for a contact that does not exist. `has_link`: whether it links a merged contact to its successor,
    /// as the quirk `gone-with-link` does anyway.
    pub fn missing_contact_error(&self, id: &str, has_link: bool) -> ErrorResponse {
        let has_link = has_link || self.quirks.contains(&Quirk::GoneWithLink);
        match self.merged.get(id).filter(|_| has_link) {
            Some(into) => ErrorResponse {
                canonical: Some(format!("/contacts/{into}")),
                ..ErrorResponse::new(410, "contact_merged", "This contact was merged, see the 'Link' header")
            },
            None => ErrorResponse::contact_not_found(),
        }
    }

    /// A mutable reference to a contact, with `updated_at` set to now.
    pub fn touch_contact(&mut self, id: &str) -> Result<&mut ContactRecord, ErrorResponse> {
        let now = self.now();
        let contact = self.contacts.get_mut(id).ok_or_else(ErrorResponse::contact_not_found)?;
        contact.touch(now);
        Ok(contact)
    }

    /// The contact with this `external_id`.
    pub fn contact_by_external_id(&self, external_id: &str) -> Option<&ContactRecord> {
        self.contacts.iter().find(|contact| contact.external_id.as_deref() == Some(external_id))
    }

    /// The contact with this email address. Prefers users over leads.
    pub fn contact_by_email(&self, email: &str) -> Option<&ContactRecord> {
        self.contacts
            .iter()
            .filter(|contact| {
                contact.email.as_deref().is_some_and(|address| address.eq_ignore_ascii_case(email))
            })
            .max_by_key(|contact| (contact.is_user, contact.created_at))
    }

    /// The number of contacts per company id. Companies without contacts are omitted.
    pub fn company_sizes(&self) -> HashMap<&str, usize> {
        let mut sizes = HashMap::new();
        for company in self.contacts.iter().flat_map(|contact| &contact.companies) {
            *sizes.entry(company.as_str()).or_default() += 1;
        }
        sizes
    }

    /// Applies an event to a conversation. `updated_at` becomes now, even if the event is older.
    pub fn apply_event(
        &mut self,
        conversation_id: &str,
        event: ConversationEvent,
    ) -> Result<(), ErrorResponse> {
        let (now, part_id) = (self.now(), self.next_id(IdSequence::Part));
        let conversation = self.conversations.find_mut(conversation_id)?;
        let until = event.snoozed_until;
        conversation.append(part_id, event, now);
        self.next_wake_at = self.next_wake_at.into_iter().chain(until).min();
        Ok(())
    }

    /// Reopens the snoozed conversations whose `snoozed_until` has passed.
    pub fn wake_snoozed(&mut self) {
        let now = self.now();
        if self.next_wake_at.is_none_or(|at| at > now) {
            return;
        }
        let snoozed_until = |conversation: &Conversation| {
            conversation.snoozed_until.filter(|_| conversation.state == ConversationState::Snoozed)
        };
        let due: Vec<_> = self
            .conversations
            .iter()
            .filter_map(|conversation| Some((snoozed_until(conversation)?, conversation.id.clone())))
            .filter(|(until, _)| *until <= now)
            .collect();
        for (until, id) in due {
            let part_id = self.next_id(IdSequence::Part);
            if let Some(conversation) = self.conversations.get_mut(&id) {
                conversation.append(
                    part_id,
                    ConversationEvent::new("timer_unsnooze", Author::Bot, until),
                    until,
                );
            }
        }
        self.next_wake_at = self.conversations.iter().filter_map(snoozed_until).min();
    }
}
