//! Which fields of contacts, conversations and tickets may be searched, and what they hold.

use std::borrow::Cow;

use serde_json::Value;

use crate::sandbox::model::contact::Contact;
use crate::sandbox::model::conversation::{Author, Conversation};
use crate::sandbox::model::statistics::Statistics;
use crate::sandbox::model::ticket::Ticket;
use crate::sandbox::table::Record;
use crate::sandbox::workspace::Workspace;

/// What a field is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Text that `=` sees as a set of words.
    Words,
    Number,
    Moment,
    Flag,
    /// A set of ids.
    Ids,
    /// A set of ids that knows `=` and `!=` only.
    FewIds,
    /// Whatever a custom attribute holds.
    Anything,
}

/// The value of a field in one record.
#[derive(Debug)]
pub enum Cell<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<i64>),
    Moment(Option<i64>),
    Flag(bool),
    Ids(Vec<Cow<'a, str>>),
    Anything(Option<&'a Value>),
}

/// A searchable field.
pub struct Field<T> {
    pub kind: Kind,
    pub read: for<'a> fn(&'a T, &'a Workspace) -> Cell<'a>,
}

/// A record that can be searched for.
pub trait Searchable: Record {
    /// Whether dates compare by the workspace's day instead of by the second.
    const BY_DAY: bool;

    fn field(name: &str) -> Option<Field<Self>>
    where
        Self: Sized;

    /// What the names of custom attributes begin with.
    const CUSTOM: &'static str;

    fn custom(&self, name: &str) -> Option<&Value>;

    /// Records that exist but are never found.
    fn is_searchable(&self) -> bool {
        true
    }
}

fn text(value: Option<&str>) -> Cell<'_> {
    Cell::Text(value.map(Cow::Borrowed))
}

fn owned<'a>(value: impl Into<String>) -> Cell<'a> {
    Cell::Text(Some(Cow::Owned(value.into())))
}

fn ids<'a>(values: impl Iterator<Item = &'a String>) -> Cell<'a> {
    Cell::Ids(values.map(|id| Cow::Borrowed(id.as_str())).collect())
}

/// Writes one row of a field table.
macro_rules! field {
    ($kind:ident, $read:expr) => {
        Some(Field { kind: Kind::$kind, read: $read })
    };
}

impl Searchable for Contact {
    const BY_DAY: bool = true;
    const CUSTOM: &'static str = "custom_attributes.";

    fn is_searchable(&self) -> bool {
        !self.archived
    }

    fn custom(&self, name: &str) -> Option<&Value> {
        self.custom_attributes.get(name)
    }

    fn field(name: &str) -> Option<Field<Self>> {
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "role" => field!(Text, |row, _| text(Some(row.role()))),
            "name" => field!(Text, |row, _| text(row.name.as_deref())),
            "avatar" => field!(Text, |row, _| text(row.avatar.as_deref())),
            "email" => field!(Text, |row, _| text(row.email.as_deref())),
            "email_domain" => field!(Text, |row, _| text(row.email_domain())),
            "phone" => field!(Text, |row, _| text(row.phone.as_deref())),
            "external_id" => field!(Text, |row, _| text(row.external_id.as_deref())),
            "owner_id" => field!(Number, |row, _| Cell::Number(row.owner_id)),
            "created_at" => field!(Moment, |row, _| Cell::Moment(Some(row.created_at))),
            "updated_at" => field!(Moment, |row, _| Cell::Moment(Some(row.updated_at))),
            "signed_up_at" => field!(Moment, |row, _| Cell::Moment(row.signed_up_at)),
            "last_seen_at" => field!(Moment, |row, _| Cell::Moment(row.last_seen_at)),
            "last_contacted_at" => field!(Moment, |row, _| Cell::Moment(row.last_contacted_at)),
            "last_replied_at" => field!(Moment, |row, _| Cell::Moment(row.last_replied_at)),
            "last_email_opened_at" => field!(Moment, |row, _| Cell::Moment(row.last_email_opened_at)),
            "last_email_clicked_at" => field!(Moment, |row, _| Cell::Moment(row.last_email_clicked_at)),
            "language_override" | "browser_language" => field!(Text, |row, _| text(row.language.as_deref())),
            "browser" => field!(Text, |row, _| text(row.browser.as_deref())),
            "os" => field!(Text, |row, _| text(row.os.as_deref())),
            "location.country" => field!(Text, |row, _| text(row.country.as_deref())),
            "location.city" => field!(Text, |row, _| text(row.city.as_deref())),
            "unsubscribed_from_emails" => field!(Flag, |row, _| Cell::Flag(row.unsubscribed_from_emails)),
            "marked_email_as_spam" => field!(Flag, |row, _| Cell::Flag(row.marked_email_as_spam)),
            "has_hard_bounced" => field!(Flag, |row, _| Cell::Flag(row.has_hard_bounced)),
            "segment_id" => field!(Ids, |row, _| ids(row.segments.iter())),
            "company_id" => field!(Ids, |row, _| ids(row.companies.iter())),
            "tag_id" => field!(FewIds, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            _ => None,
        }
    }
}

fn name_of(author: &Author, workspace: &Workspace, key: &str) -> Cell<'static> {
    Cell::Text(workspace.author(author)[key].as_str().map(|text| Cow::Owned(text.to_owned())))
}

impl Searchable for Conversation {
    const BY_DAY: bool = false;
    const CUSTOM: &'static str = "custom_attributes.";

    fn custom(&self, name: &str) -> Option<&Value> {
        self.custom_attributes.get(name)
    }

    fn field(name: &str) -> Option<Field<Self>> {
        if let Some(name) = name.strip_prefix("statistics.") {
            return statistic(name);
        }
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "title" => field!(Text, |row, _| text(row.title.as_deref())),
            "created_at" => field!(Moment, |row, _| Cell::Moment(Some(row.created_at))),
            "updated_at" => field!(Moment, |row, _| Cell::Moment(Some(row.updated_at))),
            "waiting_since" => field!(Moment, |row, _| Cell::Moment(row.waiting_since)),
            "snoozed_until" => field!(Moment, |row, _| Cell::Moment(row.snoozed_until)),
            "source.type" => field!(Text, |row, _| text(Some(row.source.kind))),
            "source.id" => field!(Text, |row, _| text(Some(&row.source.id))),
            "source.delivered_as" => field!(Text, |row, _| text(Some(row.source.delivered_as))),
            "source.subject" => field!(Text, |row, _| text(Some(&row.source.subject))),
            "source.body" => field!(Words, |row, _| text(Some(&row.source.body))),
            "source.url" => field!(Text, |row, _| text(row.source.url.as_deref())),
            "source.author.id" => field!(Text, |row, all| name_of(&row.source.author, all, "id")),
            "source.author.type" => field!(Text, |row, all| name_of(&row.source.author, all, "type")),
            "source.author.name" => field!(Text, |row, all| name_of(&row.source.author, all, "name")),
            "source.author.email" => field!(Text, |row, all| name_of(&row.source.author, all, "email")),
            "contact_ids" => field!(Ids, |row, _| ids(row.contacts.iter())),
            "teammate_ids" => field!(Ids, |row, _| {
                Cell::Ids(row.teammates().iter().map(|id| Cow::Owned(id.to_string())).collect())
            }),
            "tag_ids" => field!(Ids, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            "admin_assignee_id" => field!(Number, |row, _| Cell::Number(row.admin_assignee_id)),
            "team_assignee_id" => field!(Number, |row, _| Cell::Number(row.team_assignee_id)),
            "open" => field!(Flag, |row, _| Cell::Flag(row.state.as_str() != "closed")),
            "read" => field!(Flag, |row, _| Cell::Flag(row.read)),
            "state" => field!(Text, |row, _| text(Some(row.state.as_str()))),
            "priority" => {
                field!(Text, |row, _| text(Some(if row.priority { "priority" } else { "not_priority" })))
            }
            "ai_agent_participated" => field!(Flag, |row, _| Cell::Flag(row.ai_agent.is_some())),
            "ai_agent.resolution_state" => {
                field!(Text, |row, _| text(row.ai_agent.as_ref().map(|agent| agent.resolution_state)))
            }
            "ai_agent.last_answer_type" => {
                field!(Text, |row, _| text(row.ai_agent.as_ref().map(|agent| agent.last_answer_type)))
            }
            "ai_agent.rating" => {
                field!(Number, |row, _| Cell::Number(row.ai_agent.as_ref().and_then(|agent| agent.rating)))
            }
            "conversation_rating.score" => {
                field!(Number, |row, _| Cell::Number(row.rating.as_ref().map(|rating| rating.score)))
            }
            "conversation_rating.remark" => {
                field!(Text, |row, _| text(row.rating.as_ref().and_then(|rating| rating.remark.as_deref())))
            }
            "conversation_rating.replied_at" => {
                field!(Moment, |row, _| Cell::Moment(row.rating.as_ref().map(|rating| rating.created_at)))
            }
            _ => None,
        }
    }
}

fn statistic(name: &str) -> Option<Field<Conversation>> {
    macro_rules! counted {
        ($kind:ident, $value:expr) => {
            field!($kind, |row, all| {
                let value: fn(Statistics) -> Option<i64> = $value;
                Cell::$kind(value(all.statistics(row)))
            })
        };
    }
    match name {
        "time_to_assignment" => counted!(Number, |found| found.time_to_assignment),
        "time_to_admin_reply" => counted!(Number, |found| found.time_to_admin_reply),
        "time_to_first_close" => counted!(Number, |found| found.time_to_first_close),
        "time_to_last_close" => counted!(Number, |found| found.time_to_last_close),
        "median_time_to_reply" => counted!(Number, |found| found.median_time_to_reply),
        "first_contact_reply_at" => counted!(Moment, |found| found.first_contact_reply_at),
        "first_assignment_at" => counted!(Moment, |found| found.first_assignment_at),
        "first_admin_reply_at" => counted!(Moment, |found| found.first_admin_reply_at),
        "first_close_at" => counted!(Moment, |found| found.first_close_at),
        "last_assignment_at" => counted!(Moment, |found| found.last_assignment_at),
        "last_assignment_admin_reply_at" => {
            counted!(Moment, |found| found.last_assignment_admin_reply_at)
        }
        "last_contact_reply_at" => counted!(Moment, |found| found.last_contact_reply_at),
        "last_admin_reply_at" => counted!(Moment, |found| found.last_admin_reply_at),
        "last_close_at" => counted!(Moment, |found| found.last_close_at),
        "last_closed_by_id" => {
            field!(Text, |row, all| Cell::Text(all.statistics(row).last_closed_by_id.map(Cow::Owned)))
        }
        "count_reopens" => counted!(Number, |found| Some(found.count_reopens)),
        "count_assignments" => counted!(Number, |found| Some(found.count_assignments)),
        "count_conversation_parts" => counted!(Number, |found| Some(found.count_conversation_parts)),
        _ => None,
    }
}

impl Searchable for Ticket {
    const BY_DAY: bool = false;
    const CUSTOM: &'static str = "ticket_attribute.";

    fn custom(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    fn field(name: &str) -> Option<Field<Self>> {
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "created_at" => field!(Moment, |row, _| Cell::Moment(Some(row.created_at))),
            "updated_at" => field!(Moment, |row, _| Cell::Moment(Some(row.updated_at))),
            "snoozed_until" => field!(Moment, |row, _| Cell::Moment(row.snoozed_until)),
            "title" => {
                field!(Text, |row, _| text(row.attributes.get("_default_title_").and_then(Value::as_str)))
            }
            "description" => {
                field!(Text, |row, _| text(
                    row.attributes.get("_default_description_").and_then(Value::as_str)
                ))
            }
            "category" => field!(Text, |row, all| text(Some(all.category(row)))),
            "ticket_type_id" => field!(Text, |row, _| text(Some(&row.type_id))),
            "contact_ids" => field!(Ids, |row, _| ids(row.contacts.iter())),
            "admin_assignee_id" => {
                field!(Text, |row, _| owned(row.admin_assignee_id.unwrap_or(0).to_string()))
            }
            "team_assignee_id" => field!(Text, |row, _| owned(row.team_assignee_id.unwrap_or(0).to_string())),
            "open" => field!(Flag, |row, _| Cell::Flag(row.open)),
            "state" => field!(Text, |row, all| {
                let state = all.ticket_states.iter().find(|state| state.id == row.state_id);
                text(state.map(|state| state.category))
            }),
            "tag_ids" => field!(Ids, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            _ => None,
        }
    }
}
