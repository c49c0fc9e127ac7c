//! The searchable fields of contacts, conversations and tickets, and how to read their values.

use std::borrow::Cow;

use serde_json::Value;

use crate::api::ApiVersion;
use crate::sandbox::model::contact::ContactRecord;
use crate::sandbox::model::conversation::Conversation;
use crate::sandbox::model::ticket::TicketRecord;
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::version_shapes;
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

/// What a field is read with: the workspace, and the version that answers.
#[derive(Clone, Copy)]
pub struct SearchScope<'a> {
    pub workspace: &'a Workspace,
    pub version: &'a ApiVersion,
}

impl SearchScope<'_> {
    /// The assignee id of a conversation, as this version has it.
    fn assignee(&self, id: Option<i64>) -> Option<i64> {
        let zero = self.version.has(&ApiVersion::UNASSIGNED_IS_ZERO).then_some(0);
        self.workspace.assignee(id).or(zero)
    }
}

/// A searchable field.
pub struct SearchField<T> {
    pub kind: FieldKind,
    pub read: for<'a> fn(&'a T, &SearchScope<'a>) -> FieldValue<'a>,
}

/// A record type that can be searched.
pub trait SearchableRecord: WorkspaceRecord {
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

fn text<'a>(value: Option<impl Into<Cow<'a, str>>>) -> FieldValue<'a> {
    FieldValue::Text(value.map(Into::into))
}

fn ids<'a>(values: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) -> FieldValue<'a> {
    FieldValue::Ids(values.into_iter().map(Into::into).collect())
}

/// A value as the variant for its kind of field.
macro_rules! field_value {
    (Text, $value:expr) => {
        text($value)
    };
    (Words, $value:expr) => {
        text($value)
    };
    (Ids, $value:expr) => {
        ids($value)
    };
    (IdsByEquality, $value:expr) => {
        ids($value)
    };
    ($kind:ident, $value:expr) => {
        FieldValue::$kind($value)
    };
}

/// The table of a record type: names of fields, their kind, and their value.
macro_rules! fields {
    (|$row:ident, $scope:ident| $($($name:literal)|+ => $kind:ident($value:expr),)+) => {
        fn field(name: &str) -> Option<SearchField<Self>> {
            match name {
                $($($name)|+ => Some(SearchField {
                    kind: FieldKind::$kind,
                    read: |$row, $scope| {
                        let _ = $scope;
                        field_value!($kind, $value)
                    },
                }),)+
                _ => None,
            }
        }
    };
}

impl SearchableRecord for ContactRecord {
    const DATES_BY_DAY: bool = true;
    const CUSTOM_PREFIX: &'static str = "custom_attributes.";

    fn is_searchable(&self) -> bool {
        !self.archived
    }

    fn custom_attribute<'a>(&'a self, name: &str, _: &Workspace) -> Option<&'a Value> {
        self.custom_attributes.get(name)
    }

    fields! { |row, scope|
        "id" => Text(Some(&row.id)),
        "role" => Text(Some(row.role())),
        "name" => Text(row.name.as_ref()),
        "avatar" => Text(row.avatar.as_ref()),
        "email" => Text(row.email.as_ref()),
        "email_domain" => Text(row.email_domain()),
        "phone" => Text(row.phone.as_ref()),
        "external_id" => Text(row.external_id.as_ref()),
        "owner_id" => Number(row.owner_id),
        "created_at" => Time(Some(row.created_at)),
        "updated_at" => Time(Some(row.updated_at)),
        "signed_up_at" => Time(row.signed_up_at),
        "last_seen_at" => Time(row.last_seen_at),
        "last_contacted_at" => Time(row.last_contacted_at),
        "last_replied_at" => Time(row.last_replied_at),
        "last_email_opened_at" => Time(row.last_email_opened_at),
        "last_email_clicked_at" => Time(row.last_email_clicked_at),
        "language_override" | "browser_language" => Text(row.language.as_ref()),
        "browser" => Text(row.browser.as_ref()),
        "os" => Text(row.os.as_ref()),
        "location.country" => Text(row.country.as_ref()),
        "location.city" => Text(row.city.as_ref()),
        "unsubscribed_from_emails" => Boolean(row.unsubscribed_from_emails),
        "marked_email_as_spam" => Boolean(row.marked_email_as_spam),
        "has_hard_bounced" => Boolean(row.has_hard_bounced),
        "segment_id" => Ids(&row.segments),
        "company_id" => Ids(&row.companies),
        "tag_id" => IdsByEquality(row.tags.iter().map(|tag| &tag.tag_id)),
    }
}

fn author_field(row: &Conversation, workspace: &Workspace, key: &str) -> Option<String> {
    workspace.author(&row.source.author)[key].as_str().map(str::to_owned)
}

/// The state that the search knows, which may be an earlier one.
fn indexed_state(row: &Conversation, workspace: &Workspace) -> &'static str {
    match row.state.as_str() {
        "closed" if workspace.quirks.contains(&Quirk::StaleSearch) => "open",
        state => state,
    }
}

impl SearchableRecord for Conversation {
    const DATES_BY_DAY: bool = false;
    const CUSTOM_PREFIX: &'static str = "custom_attributes.";

    fn custom_attribute<'a>(&'a self, name: &str, _: &Workspace) -> Option<&'a Value> {
        self.custom_attributes.get(name)
    }

    fields! { |row, scope|
        "id" => Text(Some(&row.id)),
        "title" => Text(row.title.as_ref()),
        "created_at" => Time(Some(row.created_at)),
        "updated_at" => Time(Some(row.updated_at)),
        "waiting_since" => Time(row.waiting_since),
        "snoozed_until" => Time(row.snoozed_until),
        "source.type" => Text(Some(row.source.kind)),
        "source.id" => Text(Some(&row.source.id)),
        "source.delivered_as" => Text(Some(row.source.delivered_as)),
        "source.subject" => Text(Some(&row.source.subject)),
        "source.body" => Words(Some(&row.source.body)),
        "source.url" => Text(row.source.url.as_ref()),
        "source.author.id" => Text(author_field(row, scope.workspace, "id")),
        "source.author.type" => Text(author_field(row, scope.workspace, "type")),
        "source.author.name" => Text(author_field(row, scope.workspace, "name")),
        "source.author.email" => Text(author_field(row, scope.workspace, "email")),
        "contact_ids" => Ids(&row.contacts),
        "teammate_ids" => Ids(row.teammates().iter().map(i64::to_string)),
        "tag_ids" => Ids(row.tags.iter().map(|tag| &tag.tag_id)),
        "admin_assignee_id" => Number(scope.assignee(row.admin_assignee_id)),
        "team_assignee_id" => Number(scope.assignee(row.team_assignee_id)),
        "open" => Boolean(indexed_state(row, scope.workspace) != "closed"),
        "read" => Boolean(row.read),
        "state" => Text(Some(indexed_state(row, scope.workspace))),
        "priority" => Text(Some(version_shapes::priority(scope.version, row.priority))),
        "ai_agent_participated" => Boolean(!row.ai_agent.is_null()),
        "ai_agent.resolution_state" => Text(row.ai_agent["resolution_state"].as_str()),
        "ai_agent.last_answer_type" => Text(row.ai_agent["last_answer_type"].as_str()),
        "ai_agent.rating" => Number(row.ai_agent["rating"].as_i64()),
        "conversation_rating.score" => Number(row.rating["rating"].as_i64()),
        "conversation_rating.remark" => Text(row.rating["remark"].as_str()),
        "conversation_rating.replied_at" => Time(row.rating["created_at"].as_i64()),
        "statistics.time_to_assignment" => Number(scope.workspace.statistics(row).time_to_assignment),
        "statistics.time_to_admin_reply" => Number(scope.workspace.statistics(row).time_to_admin_reply),
        "statistics.time_to_first_close" => Number(scope.workspace.statistics(row).time_to_first_close),
        "statistics.time_to_last_close" => Number(scope.workspace.statistics(row).time_to_last_close),
        "statistics.median_time_to_reply" => Number(scope.workspace.statistics(row).median_time_to_reply),
        "statistics.first_contact_reply_at" => Time(scope.workspace.statistics(row).first_contact_reply_at),
        "statistics.first_assignment_at" => Time(scope.workspace.statistics(row).first_assignment_at),
        "statistics.first_admin_reply_at" => Time(scope.workspace.statistics(row).first_admin_reply_at),
        "statistics.first_close_at" => Time(scope.workspace.statistics(row).first_close_at),
        "statistics.last_assignment_at" => Time(scope.workspace.statistics(row).last_assignment_at),
        "statistics.last_assignment_admin_reply_at" =>
            Time(scope.workspace.statistics(row).last_assignment_admin_reply_at),
        "statistics.last_contact_reply_at" => Time(scope.workspace.statistics(row).last_contact_reply_at),
        "statistics.last_admin_reply_at" => Time(scope.workspace.statistics(row).last_admin_reply_at),
        "statistics.last_close_at" => Time(scope.workspace.statistics(row).last_close_at),
        "statistics.last_closed_by_id" => Text(scope.workspace.statistics(row).last_closed_by_id),
        "statistics.count_reopens" => Number(Some(scope.workspace.statistics(row).count_reopens)),
        "statistics.count_assignments" => Number(Some(scope.workspace.statistics(row).count_assignments)),
        "statistics.count_conversation_parts" => Number(Some(scope.workspace.statistics(row).count_conversation_parts)),
    }
}

impl SearchableRecord for TicketRecord {
    const DATES_BY_DAY: bool = false;
    const CUSTOM_PREFIX: &'static str = "ticket_attribute.";

    /// Searches refer to an attribute by id, tickets store it by name.
    fn custom_attribute<'a>(&'a self, id: &str, workspace: &Workspace) -> Option<&'a Value> {
        let mut attributes = workspace.ticket_attributes(&self.type_id).iter();
        self.attributes.get(attributes.find(|attribute| attribute["id"] == id)?["name"].as_str()?)
    }

    fields! { |row, scope|
        "id" => Text(Some(&row.id)),
        "created_at" => Time(Some(row.created_at)),
        "updated_at" => Time(Some(row.updated_at)),
        "snoozed_until" => Time(row.snoozed_until),
        "title" => Text(row.attributes.get("_default_title_").and_then(Value::as_str)),
        "description" => Text(row.attributes.get("_default_description_").and_then(Value::as_str)),
        "category" => Text(Some(scope.workspace.category(row))),
        "ticket_type_id" => Text(Some(&row.type_id)),
        "contact_ids" => Ids(&row.contacts),
        "admin_assignee_id" => Text(Some(row.admin_assignee_id.unwrap_or(0).to_string())),
        "team_assignee_id" => Text(Some(row.team_assignee_id.unwrap_or(0).to_string())),
        "open" => Boolean(row.open),
        "state" => Text(scope.workspace.ticket_states.get(&row.state_id).map(|state| state.text("category"))),
        "tag_ids" => Ids(row.tags.iter().map(|tag| &tag.tag_id)),
    }
}
