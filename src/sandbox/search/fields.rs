//! The searchable fields of contacts, conversations and tickets, and how to read their values.

use std::borrow::Cow;

use serde_json::Value;

use crate::sandbox::model::contact::Contact;
use crate::sandbox::model::conversation::{Author, Conversation};
use crate::sandbox::model::statistics::Statistics;
use crate::sandbox::model::ticket::Ticket;
use crate::sandbox::quirk::Quirk;
use crate::sandbox::table::Record;
use crate::sandbox::workspace::Workspace;

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    /// Text that `=` treats as a set of words.
    Words,
    Number,
    Time,
    Boolean,
    /// A set of ids.
    Ids,
    /// A set of ids that supports `=` and `!=` only.
    IdsByEquality,
    /// A custom attribute, of any type.
    Any,
}

/// The value of a field in one record.
#[derive(Debug)]
pub enum FieldValue<'a> {
    Text(Option<Cow<'a, str>>),
    Number(Option<i64>),
    Time(Option<i64>),
    Boolean(bool),
    Ids(Vec<Cow<'a, str>>),
    Any(Option<&'a Value>),
}

/// A searchable field.
pub struct SearchField<T> {
    pub kind: FieldKind,
    pub read: for<'a> fn(&'a T, &'a Workspace) -> FieldValue<'a>,
}

/// A record type that can be searched.
pub trait Searchable: Record {
    /// Whether dates compare by calendar day rather than by second.
    const DATES_BY_DAY: bool;

    fn field(name: &str) -> Option<SearchField<Self>>
    where
        Self: Sized;

    /// Prefix of the names of custom attributes.
    const CUSTOM_PREFIX: &'static str;

    fn custom_attribute<'a>(&'a self, name: &str, workspace: &Workspace) -> Option<&'a Value>;

    /// Whether searches may return this record.
    fn is_searchable(&self) -> bool {
        true
    }
}

fn text(value: Option<&str>) -> FieldValue<'_> {
    FieldValue::Text(value.map(Cow::Borrowed))
}

fn owned_text<'a>(value: impl Into<String>) -> FieldValue<'a> {
    FieldValue::Text(Some(Cow::Owned(value.into())))
}

fn ids<'a>(values: impl Iterator<Item = &'a String>) -> FieldValue<'a> {
    FieldValue::Ids(values.map(|id| Cow::Borrowed(id.as_str())).collect())
}

/// One entry of a field table.
macro_rules! field {
    ($kind:ident, $read:expr) => {
        Some(SearchField { kind: FieldKind::$kind, read: $read })
    };
}

impl Searchable for Contact {
    const DATES_BY_DAY: bool = true;
    const CUSTOM_PREFIX: &'static str = "custom_attributes.";

    fn is_searchable(&self) -> bool {
        !self.archived
    }

    fn custom_attribute<'a>(&'a self, name: &str, _: &Workspace) -> Option<&'a Value> {
        self.custom_attributes.get(name)
    }

    fn field(name: &str) -> Option<SearchField<Self>> {
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "role" => field!(Text, |row, _| text(Some(row.role()))),
            "name" => field!(Text, |row, _| text(row.name.as_deref())),
            "avatar" => field!(Text, |row, _| text(row.avatar.as_deref())),
            "email" => field!(Text, |row, _| text(row.email.as_deref())),
            "email_domain" => field!(Text, |row, _| text(row.email_domain())),
            "phone" => field!(Text, |row, _| text(row.phone.as_deref())),
            "external_id" => field!(Text, |row, _| text(row.external_id.as_deref())),
            "owner_id" => field!(Number, |row, _| FieldValue::Number(row.owner_id)),
            "created_at" => field!(Time, |row, _| FieldValue::Time(Some(row.created_at))),
            "updated_at" => field!(Time, |row, _| FieldValue::Time(Some(row.updated_at))),
            "signed_up_at" => field!(Time, |row, _| FieldValue::Time(row.signed_up_at)),
            "last_seen_at" => field!(Time, |row, _| FieldValue::Time(row.last_seen_at)),
            "last_contacted_at" => field!(Time, |row, _| FieldValue::Time(row.last_contacted_at)),
            "last_replied_at" => field!(Time, |row, _| FieldValue::Time(row.last_replied_at)),
            "last_email_opened_at" => field!(Time, |row, _| FieldValue::Time(row.last_email_opened_at)),
            "last_email_clicked_at" => field!(Time, |row, _| FieldValue::Time(row.last_email_clicked_at)),
            "language_override" | "browser_language" => field!(Text, |row, _| text(row.language.as_deref())),
            "browser" => field!(Text, |row, _| text(row.browser.as_deref())),
            "os" => field!(Text, |row, _| text(row.os.as_deref())),
            "location.country" => field!(Text, |row, _| text(row.country.as_deref())),
            "location.city" => field!(Text, |row, _| text(row.city.as_deref())),
            "unsubscribed_from_emails" => {
                field!(Boolean, |row, _| FieldValue::Boolean(row.unsubscribed_from_emails))
            }
            "marked_email_as_spam" => field!(Boolean, |row, _| FieldValue::Boolean(row.marked_email_as_spam)),
            "has_hard_bounced" => field!(Boolean, |row, _| FieldValue::Boolean(row.has_hard_bounced)),
            "segment_id" => field!(Ids, |row, _| ids(row.segments.iter())),
            "company_id" => field!(Ids, |row, _| ids(row.companies.iter())),
            "tag_id" => field!(IdsByEquality, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            _ => None,
        }
    }
}

fn author_field(author: &Author, workspace: &Workspace, key: &str) -> FieldValue<'static> {
    FieldValue::Text(workspace.author(author)[key].as_str().map(|text| Cow::Owned(text.to_owned())))
}

/// The state that the search knows, which may be an earlier one.
fn indexed_state(row: &Conversation, workspace: &Workspace) -> &'static str {
    match row.state.as_str() {
        "closed" if workspace.quirks.contains(&Quirk::StaleSearch) => "open",
        state => state,
    }
}

impl Searchable for Conversation {
    const DATES_BY_DAY: bool = false;
    const CUSTOM_PREFIX: &'static str = "custom_attributes.";

    fn custom_attribute<'a>(&'a self, name: &str, _: &Workspace) -> Option<&'a Value> {
        self.custom_attributes.get(name)
    }

    fn field(name: &str) -> Option<SearchField<Self>> {
        if let Some(name) = name.strip_prefix("statistics.") {
            return statistic(name);
        }
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "title" => field!(Text, |row, _| text(row.title.as_deref())),
            "created_at" => field!(Time, |row, _| FieldValue::Time(Some(row.created_at))),
            "updated_at" => field!(Time, |row, _| FieldValue::Time(Some(row.updated_at))),
            "waiting_since" => field!(Time, |row, _| FieldValue::Time(row.waiting_since)),
            "snoozed_until" => field!(Time, |row, _| FieldValue::Time(row.snoozed_until)),
            "source.type" => field!(Text, |row, _| text(Some(row.source.kind))),
            "source.id" => field!(Text, |row, _| text(Some(&row.source.id))),
            "source.delivered_as" => field!(Text, |row, _| text(Some(row.source.delivered_as))),
            "source.subject" => field!(Text, |row, _| text(Some(&row.source.subject))),
            "source.body" => field!(Words, |row, _| text(Some(&row.source.body))),
            "source.url" => field!(Text, |row, _| text(row.source.url.as_deref())),
            "source.author.id" => {
                field!(Text, |row, workspace| author_field(&row.source.author, workspace, "id"))
            }
            "source.author.type" => {
                field!(Text, |row, workspace| author_field(&row.source.author, workspace, "type"))
            }
            "source.author.name" => {
                field!(Text, |row, workspace| author_field(&row.source.author, workspace, "name"))
            }
            "source.author.email" => {
                field!(Text, |row, workspace| author_field(&row.source.author, workspace, "email"))
            }
            "contact_ids" => field!(Ids, |row, _| ids(row.contacts.iter())),
            "teammate_ids" => field!(Ids, |row, _| {
                FieldValue::Ids(row.teammates().iter().map(|id| Cow::Owned(id.to_string())).collect())
            }),
            "tag_ids" => field!(Ids, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            "admin_assignee_id" => {
                field!(Number, |row, workspace| FieldValue::Number(workspace.assignee(row.admin_assignee_id)))
            }
            "team_assignee_id" => {
                field!(Number, |row, workspace| FieldValue::Number(workspace.assignee(row.team_assignee_id)))
            }
            "open" => field!(Boolean, |row, workspace| FieldValue::Boolean(
                indexed_state(row, workspace) != "closed"
            )),
            "read" => field!(Boolean, |row, _| FieldValue::Boolean(row.read)),
            "state" => field!(Text, |row, workspace| text(Some(indexed_state(row, workspace)))),
            "priority" => {
                field!(Text, |row, _| text(Some(if row.priority { "priority" } else { "not_priority" })))
            }
            "ai_agent_participated" => field!(Boolean, |row, _| FieldValue::Boolean(row.ai_agent.is_some())),
            "ai_agent.resolution_state" => {
                field!(Text, |row, _| text(row.ai_agent.as_ref().map(|agent| agent.resolution_state)))
            }
            "ai_agent.last_answer_type" => {
                field!(Text, |row, _| text(row.ai_agent.as_ref().map(|agent| agent.last_answer_type)))
            }
            "ai_agent.rating" => {
                field!(Number, |row, _| FieldValue::Number(
                    row.ai_agent.as_ref().and_then(|agent| agent.rating)
                ))
            }
            "conversation_rating.score" => {
                field!(Number, |row, _| FieldValue::Number(row.rating.as_ref().map(|rating| rating.score)))
            }
            "conversation_rating.remark" => {
                field!(Text, |row, _| text(row.rating.as_ref().and_then(|rating| rating.remark.as_deref())))
            }
            "conversation_rating.replied_at" => {
                field!(Time, |row, _| FieldValue::Time(row.rating.as_ref().map(|rating| rating.created_at)))
            }
            _ => None,
        }
    }
}

fn statistic(name: &str) -> Option<SearchField<Conversation>> {
    macro_rules! statistic_field {
        ($kind:ident, $value:expr) => {
            field!($kind, |row, workspace| {
                let value: fn(Statistics) -> Option<i64> = $value;
                FieldValue::$kind(value(workspace.statistics(row)))
            })
        };
    }
    match name {
        "time_to_assignment" => statistic_field!(Number, |statistics| statistics.time_to_assignment),
        "time_to_admin_reply" => statistic_field!(Number, |statistics| statistics.time_to_admin_reply),
        "time_to_first_close" => statistic_field!(Number, |statistics| statistics.time_to_first_close),
        "time_to_last_close" => statistic_field!(Number, |statistics| statistics.time_to_last_close),
        "median_time_to_reply" => statistic_field!(Number, |statistics| statistics.median_time_to_reply),
        "first_contact_reply_at" => statistic_field!(Time, |statistics| statistics.first_contact_reply_at),
        "first_assignment_at" => statistic_field!(Time, |statistics| statistics.first_assignment_at),
        "first_admin_reply_at" => statistic_field!(Time, |statistics| statistics.first_admin_reply_at),
        "first_close_at" => statistic_field!(Time, |statistics| statistics.first_close_at),
        "last_assignment_at" => statistic_field!(Time, |statistics| statistics.last_assignment_at),
        "last_assignment_admin_reply_at" => {
            statistic_field!(Time, |statistics| statistics.last_assignment_admin_reply_at)
        }
        "last_contact_reply_at" => statistic_field!(Time, |statistics| statistics.last_contact_reply_at),
        "last_admin_reply_at" => statistic_field!(Time, |statistics| statistics.last_admin_reply_at),
        "last_close_at" => statistic_field!(Time, |statistics| statistics.last_close_at),
        "last_closed_by_id" => {
            field!(Text, |row, workspace| FieldValue::Text(
                workspace.statistics(row).last_closed_by_id.map(Cow::Owned)
            ))
        }
        "count_reopens" => statistic_field!(Number, |statistics| Some(statistics.count_reopens)),
        "count_assignments" => statistic_field!(Number, |statistics| Some(statistics.count_assignments)),
        "count_conversation_parts" => {
            statistic_field!(Number, |statistics| Some(statistics.count_conversation_parts))
        }
        _ => None,
    }
}

impl Searchable for Ticket {
    const DATES_BY_DAY: bool = false;
    const CUSTOM_PREFIX: &'static str = "ticket_attribute.";

    /// Searches refer to an attribute by id, tickets store it by name.
    fn custom_attribute<'a>(&'a self, id: &str, workspace: &Workspace) -> Option<&'a Value> {
        let ticket_type = workspace.ticket_types.iter().find(|ticket_type| ticket_type.id == self.type_id)?;
        let attribute = ticket_type.attributes.iter().find(|attribute| attribute.id == id)?;
        self.attributes.get(attribute.fields.get("name")?.as_str()?)
    }

    fn field(name: &str) -> Option<SearchField<Self>> {
        match name {
            "id" => field!(Text, |row, _| text(Some(&row.id))),
            "created_at" => field!(Time, |row, _| FieldValue::Time(Some(row.created_at))),
            "updated_at" => field!(Time, |row, _| FieldValue::Time(Some(row.updated_at))),
            "snoozed_until" => field!(Time, |row, _| FieldValue::Time(row.snoozed_until)),
            "title" => {
                field!(Text, |row, _| text(row.attributes.get("_default_title_").and_then(Value::as_str)))
            }
            "description" => {
                field!(Text, |row, _| text(
                    row.attributes.get("_default_description_").and_then(Value::as_str)
                ))
            }
            "category" => field!(Text, |row, workspace| text(Some(workspace.category(row)))),
            "ticket_type_id" => field!(Text, |row, _| text(Some(&row.type_id))),
            "contact_ids" => field!(Ids, |row, _| ids(row.contacts.iter())),
            "admin_assignee_id" => {
                field!(Text, |row, _| owned_text(row.admin_assignee_id.unwrap_or(0).to_string()))
            }
            "team_assignee_id" => {
                field!(Text, |row, _| owned_text(row.team_assignee_id.unwrap_or(0).to_string()))
            }
            "open" => field!(Boolean, |row, _| FieldValue::Boolean(row.open)),
            "state" => field!(Text, |row, workspace| {
                let state = workspace.ticket_states.iter().find(|state| state.id == row.state_id);
                text(state.map(|state| state.category))
            }),
            "tag_ids" => field!(Ids, |row, _| ids(row.tags.iter().map(|tag| &tag.tag_id))),
            _ => None,
        }
    }
}
