//! The fields that the API's searches accept, and their types.
//!
//! Facts of the pinned API version. Fields that it does not list must not be offered, even if the service
//! accepts them. The only exception is the companies of contacts, which every contact document contains.

use std::fmt;

use super::Operator;

/// A kind of record that the API can search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Searchable {
    Conversations,
    Contacts,
    Tickets,
}

impl Searchable {
    pub const ALL: [Searchable; 3] = [Searchable::Conversations, Searchable::Contacts, Searchable::Tickets];

    pub const fn as_str(self) -> &'static str {
        match self {
            Searchable::Conversations => "conversations",
            Searchable::Contacts => "contacts",
            Searchable::Tickets => "tickets",
        }
    }

    /// The kind of record that an operation searches; `None` if it is not a search.
    pub fn of(operation: &str) -> Option<Self> {
        Searchable::ALL.into_iter().find(|searchable| searchable.operation() == operation)
    }

    /// Id of the search operation.
    pub const fn operation(self) -> &'static str {
        match self {
            Searchable::Conversations => "searchConversations",
            Searchable::Contacts => "SearchContacts",
            Searchable::Tickets => "searchTickets",
        }
    }
}

impl fmt::Display for Searchable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A kind of record that a filter refers to by name instead of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedRecord {
    Tag,
    Team,
    Admin,
    Segment,
    Company,
    TicketType,
    TicketState,
    /// Attributes of ticket types.
    TicketAttribute,
    /// Custom attributes of contacts.
    ContactAttribute,
    /// Contacts cannot be listed by name; they are looked up one by one.
    Contact,
}

impl NamedRecord {
    pub const fn noun(self) -> &'static str {
        match self {
            NamedRecord::Tag => "tag",
            NamedRecord::Team => "team",
            NamedRecord::Admin => "teammate",
            NamedRecord::Segment => "segment",
            NamedRecord::Company => "company",
            NamedRecord::TicketType => "ticket type",
            NamedRecord::TicketState => "ticket state",
            NamedRecord::TicketAttribute => "ticket attribute",
            NamedRecord::ContactAttribute => "contact attribute",
            NamedRecord::Contact => "contact",
        }
    }
}

/// The categories of ticket states.
pub const STATE_CATEGORIES: [&str; 4] = ["submitted", "in_progress", "waiting_on_customer", "resolved"];

/// The priorities of conversations from API version 2.16.
pub(super) const GRADED_PRIORITIES: &[&str] = &["none", "low", "medium", "high", "urgent"];

/// The type of a field. Decides its operators and how its values are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The category of a ticket state, or the label of one.
    TicketState,
    /// An email address in any spelling.
    Email,
    /// A phone number in any spelling.
    Phone,
    /// A message. It can only be searched for a text.
    Message,
    Integer,
    /// A time in seconds.
    Time,
    /// A time that is compared by days in the time zone of the workspace.
    Day,
    Boolean,
    /// Id of one record as a number, with 0 for an unassigned record.
    NumericId(NamedRecord),
    /// Id of one record as a text, with `0` for an unassigned record.
    TextId(NamedRecord),
    /// Id of one record as a text.
    Id(NamedRecord),
    /// Ids of several records.
    Ids(NamedRecord),
    /// Ids of tags.
    Tags,
    /// Ids of tags, where the search supports only `=` and `!=`.
    TagsWithoutIn,
    /// A custom attribute of any type.
    Custom,
}

impl FieldType {
    pub fn operators(self) -> &'static [Operator] {
        use Operator::*;
        match self {
            FieldType::Text
            | FieldType::Choice(_)
            | FieldType::TicketState
            | FieldType::Email
            | FieldType::Phone => &[Equal, NotEqual, Contains, ContainsNot, StartsWith, EndsWith, In, NotIn],
            FieldType::Message => &[Contains, ContainsNot],
            FieldType::Integer => &[Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual, In, NotIn],
            FieldType::Time => &[Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual],
            FieldType::Day => &[Equal, Greater, Less],
            FieldType::Boolean => &[Equal, NotEqual],
            FieldType::NumericId(_) | FieldType::TextId(_) | FieldType::Id(_) | FieldType::Ids(_) => {
                &[Equal, NotEqual, In, NotIn]
            }
            FieldType::Tags | FieldType::TagsWithoutIn => {
                &[Equal, NotEqual, Contains, ContainsNot, In, NotIn]
            }
            #[rustfmt::skip]
            FieldType::Custom => &[
                Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual, Contains, ContainsNot, StartsWith,
                EndsWith, In, NotIn,
            ],
        }
    }

    /// The kind of record that the values name.
    pub const fn names(self) -> Option<NamedRecord> {
        match self {
            FieldType::NumericId(kind)
            | FieldType::TextId(kind)
            | FieldType::Id(kind)
            | FieldType::Ids(kind) => Some(kind),
            FieldType::TicketState => Some(NamedRecord::TicketState),
            FieldType::Tags | FieldType::TagsWithoutIn => Some(NamedRecord::Tag),
            _ => None,
        }
    }
}

type Row = (FieldType, &'static [&'static str]);

#[rustfmt::skip]
const CONVERSATIONS: &[Row] = &[
    (
        FieldType::Text,
        &[
            "id", "source.id", "source.subject", "source.author.id", "source.author.name", "source.url",
            "channel_initiated", "conversation_rating.remark", "ai_agent.rating_remark", "ai_agent.source_title",
        ],
    ),
    (FieldType::Choice(&["open", "closed", "snoozed"]), &["state"]),
    (FieldType::Choice(&["priority", "not_priority"]), &["priority"]),
    (
        FieldType::Choice(&[
            "conversation", "email", "facebook", "instagram", "phone_call", "phone_switch", "push", "sms",
            "twitter", "whatsapp",
        ]),
        &["source.type"],
    ),
    (
        FieldType::Choice(&[
            "customer_initiated", "campaigns_initiated", "operator_initiated", "automated", "admin_initiated",
        ]),
        &["source.delivered_as"],
    ),
    (FieldType::Choice(&["user", "lead", "contact", "visitor", "admin", "bot", "team"]), &["source.author.type"]),
    (
        FieldType::Choice(&[
            "assumed_resolution", "confirmed_resolution", "routed_to_team", "abandoned", "escalated",
            "negative_feedback", "procedure_handoff",
        ]),
        &["ai_agent.resolution_state"],
    ),
    (FieldType::Choice(&["ai_answer", "custom_answer"]), &["ai_agent.last_answer_type"]),
    (
        FieldType::Choice(&["essentials_plan_setup", "profile", "workflow", "workflow_preview", "fin_preview"]),
        &["ai_agent.source_type"],
    ),
    (FieldType::Email, &["source.author.email"]),
    (FieldType::Id(NamedRecord::Admin), &["statistics.last_closed_by_id"]),
    (FieldType::Id(NamedRecord::Contact), &["conversation_rating.contact_id"]),
    (FieldType::Message, &["source.body"]),
    (
        FieldType::Time,
        &[
            "created_at", "updated_at", "waiting_since", "snoozed_until", "statistics.first_contact_reply_at",
            "statistics.first_assignment_at", "statistics.first_admin_reply_at", "statistics.first_close_at",
            "statistics.last_assignment_at", "statistics.last_assignment_admin_reply_at",
            "statistics.last_contact_reply_at", "statistics.last_admin_reply_at", "statistics.last_close_at",
            "conversation_rating.requested_at", "conversation_rating.replied_at",
        ],
    ),
    (
        FieldType::Integer,
        &[
            "statistics.time_to_assignment", "statistics.time_to_admin_reply", "statistics.time_to_first_close",
            "statistics.time_to_last_close", "statistics.median_time_to_reply", "statistics.count_reopens",
            "statistics.count_assignments", "statistics.count_conversation_parts", "conversation_rating.score",
            "ai_agent.rating",
        ],
    ),
    (FieldType::Boolean, &["open", "read", "ai_agent_participated"]),
    (FieldType::NumericId(NamedRecord::Admin), &["admin_assignee_id"]),
    (FieldType::NumericId(NamedRecord::Team), &["team_assignee_id"]),
    (FieldType::Ids(NamedRecord::Contact), &["contact_ids"]),
    (FieldType::Ids(NamedRecord::Admin), &["teammate_ids"]),
    (FieldType::Tags, &["tag_ids"]),
];

#[rustfmt::skip]
const CONTACTS: &[Row] = &[
    (
        FieldType::Text,
        &[
            "id", "name", "avatar", "email_domain", "external_id", "language_override", "browser", "browser_language",
            "os", "location.country", "location.region", "location.city",
            "ios_app_version", "ios_device", "ios_app_device", "ios_os_version", "ios_app_name", "ios_sdk_version",
            "android_app_version", "android_device", "android_app_name",
        ],
    ),
    (
        FieldType::Day,
        &[
            "created_at", "signed_up_at", "updated_at", "last_seen_at", "last_contacted_at", "last_replied_at",
            "last_email_opened_at", "last_email_clicked_at", "ios_last_seen_at", "android_last_seen_at",
        ],
    ),
    (FieldType::NumericId(NamedRecord::Admin), &["owner_id"]),
    (FieldType::Boolean, &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"]),
    (FieldType::Choice(&["user", "lead"]), &["role"]),
    (FieldType::Email, &["email"]),
    (FieldType::Phone, &["phone"]),
    (FieldType::Ids(NamedRecord::Segment), &["segment_id"]),
    (FieldType::Ids(NamedRecord::Company), &["company_id"]),
    (FieldType::TagsWithoutIn, &["tag_id"]),
];

const TICKETS: &[Row] = &[
    (FieldType::Text, &["id", "title", "description"]),
    (FieldType::Choice(&["Customer", "Back-office", "Tracker"]), &["category"]),
    (FieldType::TicketState, &["state"]),
    (FieldType::Id(NamedRecord::TicketType), &["ticket_type_id"]),
    (FieldType::Time, &["created_at", "updated_at", "snoozed_until"]),
    (FieldType::TextId(NamedRecord::Admin), &["admin_assignee_id"]),
    (FieldType::TextId(NamedRecord::Team), &["team_assignee_id"]),
    (FieldType::Boolean, &["open"]),
    (FieldType::Ids(NamedRecord::Contact), &["contact_ids"]),
    (FieldType::Ids(NamedRecord::Admin), &["teammate_ids"]),
];

impl Searchable {
    fn rows(self) -> &'static [Row] {
        match self {
            Searchable::Conversations => CONVERSATIONS,
            Searchable::Contacts => CONTACTS,
            Searchable::Tickets => TICKETS,
        }
    }

    /// Short names of fields.
    #[rustfmt::skip]
    const fn aliases(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Searchable::Conversations => &[
                ("team", "team_assignee_id"), ("assignee", "admin_assignee_id"), ("admin", "admin_assignee_id"),
                ("tag", "tag_ids"), ("tags", "tag_ids"), ("contact", "contact_ids"), ("body", "source.body"),
                ("subject", "source.subject"), ("channel", "source.type"), ("email", "source.author.email"),
            ],
            Searchable::Contacts => &[
                ("tag", "tag_id"), ("tags", "tag_id"), ("segment", "segment_id"), ("segments", "segment_id"),
                ("company", "company_id"), ("companies", "company_id"), ("owner", "owner_id"),
                ("country", "location.country"), ("city", "location.city"),
            ],
            Searchable::Tickets => &[
                ("team", "team_assignee_id"), ("assignee", "admin_assignee_id"), ("admin", "admin_assignee_id"),
                ("contact", "contact_ids"), ("type", "ticket_type_id"),
            ],
        }
    }

    /// The prefix of custom attributes.
    pub(super) const fn custom_prefix(self) -> Option<&'static str> {
        match self {
            Searchable::Conversations => None,
            Searchable::Contacts => Some("custom_attributes."),
            Searchable::Tickets => Some("ticket_attribute."),
        }
    }

    /// The API's name of a field, and its type.
    pub fn field(self, name: &str) -> Option<(String, FieldType)> {
        let name = self.aliases().iter().find(|(alias, _)| *alias == name).map_or(name, |(_, field)| field);
        if let Some((field_type, _)) = self.rows().iter().find(|(_, names)| names.contains(&name)) {
            return Some((name.to_owned(), *field_type));
        }
        let attribute = self.custom_prefix().and_then(|prefix| name.strip_prefix(prefix));
        attribute.filter(|attribute| !attribute.is_empty()).map(|_| (name.to_owned(), FieldType::Custom))
    }

    /// All field names, starting with the short ones.
    pub fn names(self) -> Vec<&'static str> {
        let aliases = self.aliases().iter().map(|(alias, _)| *alias);
        aliases.chain(self.rows().iter().flat_map(|(_, fields)| fields.iter().copied())).collect()
    }
}
