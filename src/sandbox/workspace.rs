//! The whole state of a sandbox: one workspace, in memory.
//!
//! Tests read and change it directly; the handlers are the only other ones who do. Nothing here
//! knows HTTP.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::answer::Problem;
use super::clock::Clock;
use super::model::article::{Article, Collection, HelpCenter, InternalArticle};
use super::model::company::Company;
use super::model::contact::{Contact, Note};
use super::model::conversation::{Author, Conversation, Happening, State};
use super::model::people::{Admin, Team};
use super::model::setup::{
    Activity, DataAttribute, Event, NewsItem, Newsfeed, Segment, SubscriptionType, Tag,
};
use super::model::ticket::{Ticket, TicketState, TicketType};
use super::random::Random;
use super::table::Table;

/// A workspace and everything in it.
#[derive(Debug)]
pub struct Workspace {
    /// The app's `id_code`.
    pub id: String,
    pub name: String,
    /// `US`, `EU` or `AU`.
    pub region: String,
    /// Decides which day a moment belongs to.
    pub timezone: TimeZone,
    pub created_at: i64,
    /// The first is the main one; further ones switch multilingual help on.
    pub locales: Vec<String>,
    pub clock: Clock,
    /// The first owns the access token: `/me` is that one.
    pub admins: Vec<Admin>,
    pub teams: Vec<Team>,
    pub contacts: Table<Contact>,
    pub companies: Table<Company>,
    pub conversations: Table<Conversation>,
    pub tickets: Table<Ticket>,
    pub ticket_types: Vec<TicketType>,
    pub ticket_states: Vec<TicketState>,
    pub articles: Table<Article>,
    pub internal_articles: Table<InternalArticle>,
    pub collections: Table<Collection>,
    pub help_centers: Vec<HelpCenter>,
    pub news_items: Table<NewsItem>,
    pub newsfeeds: Vec<Newsfeed>,
    pub notes: Vec<Note>,
    pub tags: Vec<Tag>,
    pub segments: Vec<Segment>,
    pub data_attributes: Vec<DataAttribute>,
    pub subscription_types: Vec<SubscriptionType>,
    pub events: Vec<Event>,
    pub activities: Vec<Activity>,
    /// The one open scroll over all companies.
    pub scroll: Option<Scroll>,
    /// Epoch seconds at which the next snoozed conversation comes back.
    pub(super) next_wake: Option<i64>,
    pub(super) random: Random,
    pub(super) issued: HashMap<Sequence, u64>,
}

/// A scroll over companies as they were when it began.
#[derive(Debug)]
pub struct Scroll {
    pub token: String,
    /// Ids still to be handed out.
    pub remaining: Vec<String>,
    /// Epoch seconds of the last call.
    pub used_at: i64,
}

/// Ids count up per kind; these kinds have large numbers, as the real ones do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sequence {
    Conversation,
    Part,
    Message,
    Article,
    Ticket,
    /// Numbers of tickets that people see.
    TicketNumber,
    Other,
}

impl Sequence {
    fn start(self) -> u64 {
        match self {
            Sequence::Conversation => 215_470_000_000_000,
            Sequence::Part => 28_400_000_000,
            Sequence::Message => 2_403_000_000,
            Sequence::Article => 9_200_000,
            Sequence::Ticket => 7_300_000,
            Sequence::TicketNumber => 0,
            Sequence::Other => 5_000_000,
        }
    }
}

impl Workspace {
    /// The next id of a kind.
    pub fn issue(&mut self, sequence: Sequence) -> String {
        self.number(sequence).to_string()
    }

    /// The next id of a kind, as a number.
    pub fn number(&mut self, sequence: Sequence) -> u64 {
        let last = self.issued.entry(sequence).or_insert(sequence.start());
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

    pub fn team(&self, id: i64) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == id)
    }

    pub fn tag(&self, id: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.id == id)
    }

    /// The name of a tag; empty when it is gone.
    pub fn tag_name(&self, id: &str) -> &str {
        self.tag(id).map_or("", |tag| &tag.name)
    }

    /// The teammate that a request names as the one who acts.
    pub fn acting_admin(&self, id: &str) -> Result<i64, Problem> {
        id.parse()
            .ok()
            .filter(|id| self.admin(*id).is_some())
            .ok_or_else(|| Problem::new(404, "admin_not_found", "admin_id names no teammate"))
    }

    pub fn contact(&self, id: &str) -> Result<&Contact, Problem> {
        self.contacts.get(id).ok_or_else(Problem::no_contact)
    }

    /// The contact for changing it, with `updated_at` set to now.
    pub fn touch_contact(&mut self, id: &str) -> Result<&mut Contact, Problem> {
        let now = self.now();
        let contact = self.contacts.get_mut(id).ok_or_else(Problem::no_contact)?;
        contact.updated_at = contact.updated_at.max(now);
        Ok(contact)
    }

    /// A living contact with this `external_id`.
    pub fn contact_by_external_id(&self, external_id: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.external_id.as_deref() == Some(external_id))
    }

    /// A contact with this address; users come before leads.
    pub fn contact_by_email(&self, email: &str) -> Option<&Contact> {
        self.contacts
            .iter()
            .filter(|contact| contact.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(email)))
            .max_by_key(|contact| (contact.is_user, contact.created_at))
    }

    /// How many contacts each company has, by the company's id. Companies without any are missing.
    pub fn company_sizes(&self) -> HashMap<&str, usize> {
        let mut sizes = HashMap::new();
        for company in self.contacts.iter().flat_map(|contact| &contact.companies) {
            *sizes.entry(company.as_str()).or_default() += 1;
        }
        sizes
    }

    /// Appends what happened now, or at the time it carries, to a conversation.
    pub fn happen(&mut self, conversation_id: &str, happening: Happening) -> Result<(), Problem> {
        let (now, part_id) = (self.now(), self.issue(Sequence::Part));
        let conversation = self.conversations.get_mut(conversation_id).ok_or_else(Problem::no_resource)?;
        let until = happening.snoozed_until;
        conversation.append(part_id, happening, now);
        self.next_wake = self.next_wake.into_iter().chain(until).min();
        Ok(())
    }

    /// Opens the snoozed conversations whose time has come.
    pub fn wake(&mut self) {
        let now = self.now();
        if self.next_wake.is_none_or(|at| at > now) {
            return;
        }
        let snoozed = |conversation: &Conversation| {
            conversation.snoozed_until.filter(|_| conversation.state == State::Snoozed)
        };
        let due: Vec<_> = self
            .conversations
            .iter()
            .filter_map(|conversation| Some((snoozed(conversation)?, conversation.id.clone())))
            .filter(|(until, _)| *until <= now)
            .collect();
        for (until, id) in due {
            let part_id = self.issue(Sequence::Part);
            if let Some(conversation) = self.conversations.get_mut(&id) {
                conversation.append(part_id, Happening::new("timer_unsnooze", Author::Bot, until), until);
            }
        }
        self.next_wake = self.conversations.iter().filter_map(snoozed).min();
    }
}
