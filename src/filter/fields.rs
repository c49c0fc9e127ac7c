//! Which fields the API's searches accept, and what they hold.
//!
//! Facts of the pinned API version. A field that it does not list is not offered, whatever the service
//! may do with it.

use std::fmt;
use std::str::FromStr;

use super::Operator;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searched {
    Conversations,
    Contacts,
    Tickets,
}

impl Searched {
    pub const ALL: [Searched; 3] = [Searched::Conversations, Searched::Contacts, Searched::Tickets];

    pub const fn as_str(self) -> &'static str {
        match self {
            Searched::Conversations => "conversations",
            Searched::Contacts => "contacts",
            Searched::Tickets => "tickets",
        }
    }

    /// Operation that searches.
    pub const fn operation(self) -> &'static str {
        match self {
            Searched::Conversations => "searchConversations",
            Searched::Contacts => "SearchContacts",
            Searched::Tickets => "searchTickets",
        }
    }
}

impl fmt::Display for Searched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Searched {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Searched::ALL.into_iter().find(|it| it.as_str() == name);
        found.ok_or_else(|| format!("{name:?} is none of conversations, contacts, tickets"))
    }
}

/// Records that are named instead of given by their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameOf {
    Tag,
    Team,
    Admin,
}

impl NameOf {
    pub const fn noun(self) -> &'static str {
        match self {
            NameOf::Tag => "tag",
            NameOf::Team => "team",
            NameOf::Admin => "teammate",
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A message: it can be asked whether it contains something, no more.
    Message,
    Integer,
    /// A moment, to the second.
    Moment,
    /// A moment that is compared by the day of the workspace.
    Day,
    Flag,
    /// Id of one record that has a name, as a number.
    NumberOf(NameOf),
    /// The same, as a text, with `0` for nobody.
    TextOf(NameOf),
    /// Ids of some records.
    Ids,
    /// Ids of tags; `in` works.
    Tags,
    /// Ids of tags, of which the search knows `=` and `!=` only.
    FewTags,
    /// Whatever somebody has put there.
    Custom,
}

impl Kind {
    pub fn operators(self) -> &'static [Operator] {
        use Operator::*;
        match self {
            Kind::Text => &[Equal, NotEqual, Contains, ContainsNot, StartsWith, EndsWith, In, NotIn],
            Kind::Message => &[Contains, ContainsNot],
            Kind::Integer => &[Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual, In, NotIn],
            Kind::Moment => &[Equal, NotEqual, Greater, GreaterOrEqual, Less, LessOrEqual],
            Kind::Day => &[Equal, Greater, Less],
            Kind::Flag => &[Equal, NotEqual],
            Kind::NumberOf(_) | Kind::TextOf(_) | Kind::Ids => &[Equal, NotEqual, In, NotIn],
            Kind::Tags | Kind::FewTags => &[Equal, NotEqual, Contains, ContainsNot, In, NotIn],
            Kind::Custom => {
                &[Equal, NotEqual, Greater, Less, Contains, ContainsNot, StartsWith, EndsWith, In, NotIn]
            }
        }
    }

    /// Whose names the values are.
    pub const fn names(self) -> Option<NameOf> {
        match self {
            Kind::NumberOf(of) | Kind::TextOf(of) => Some(of),
            Kind::Tags | Kind::FewTags => Some(NameOf::Tag),
            _ => None,
        }
    }
}

/// Names that people use for a field.
const ALIASES: &[(Searched, &[(&str, &str)])] = &[
    (
        Searched::Conversations,
        &[
            ("team", "team_assignee_id"),
            ("assignee", "admin_assignee_id"),
            ("admin", "admin_assignee_id"),
            ("tag", "tag_ids"),
            ("tags", "tag_ids"),
            ("contact", "contact_ids"),
            ("body", "source.body"),
            ("subject", "source.subject"),
            ("channel", "source.type"),
            ("email", "source.author.email"),
        ],
    ),
    (
        Searched::Contacts,
        &[
            ("tag", "tag_id"),
            ("tags", "tag_id"),
            ("segment", "segment_id"),
            ("owner", "owner_id"),
            ("country", "location.country"),
            ("city", "location.city"),
        ],
    ),
    (
        Searched::Tickets,
        &[
            ("team", "team_assignee_id"),
            ("assignee", "admin_assignee_id"),
            ("admin", "admin_assignee_id"),
            ("contact", "contact_ids"),
            ("type", "ticket_type_id"),
        ],
    ),
];

type Row = (Kind, &'static [&'static str]);

#[rustfmt::skip]
const CONVERSATIONS: &[Row] = &[
    (
        Kind::Text,
        &[
            "id", "source.type", "source.id", "source.delivered_as", "source.subject", "source.author.id",
            "source.author.type", "source.author.name", "source.author.email", "source.url", "channel_initiated",
            "state", "priority", "statistics.last_closed_by_id", "conversation_rating.remark",
            "conversation_rating.contact_id", "ai_agent.resolution_state", "ai_agent.last_answer_type",
            "ai_agent.rating_remark", "ai_agent.source_type", "ai_agent.source_title",
        ],
    ),
    (Kind::Message, &["source.body"]),
    (
        Kind::Moment,
        &[
            "created_at", "updated_at", "waiting_since", "snoozed_until", "statistics.first_contact_reply_at",
            "statistics.first_assignment_at", "statistics.first_admin_reply_at", "statistics.first_close_at",
            "statistics.last_assignment_at", "statistics.last_assignment_admin_reply_at",
            "statistics.last_contact_reply_at", "statistics.last_admin_reply_at", "statistics.last_close_at",
            "conversation_rating.requested_at", "conversation_rating.replied_at",
        ],
    ),
    (
        Kind::Integer,
        &[
            "statistics.time_to_assignment", "statistics.time_to_admin_reply", "statistics.time_to_first_close",
            "statistics.time_to_last_close", "statistics.median_time_to_reply", "statistics.count_reopens",
            "statistics.count_assignments", "statistics.count_conversation_parts", "conversation_rating.score",
            "ai_agent.rating",
        ],
    ),
    (Kind::Flag, &["open", "read", "ai_agent_participated"]),
    (Kind::NumberOf(NameOf::Admin), &["admin_assignee_id"]),
    (Kind::NumberOf(NameOf::Team), &["team_assignee_id"]),
    (Kind::Ids, &["contact_ids", "teammate_ids"]),
    (Kind::Tags, &["tag_ids"]),
];

#[rustfmt::skip]
const CONTACTS: &[Row] = &[
    (
        Kind::Text,
        &[
            "id", "role", "name", "avatar", "email", "email_domain", "phone", "external_id", "language_override",
            "browser", "browser_language", "os", "location.country", "location.region", "location.city",
            "ios_app_version", "ios_device", "ios_app_device", "ios_os_version", "ios_app_name", "ios_sdk_version",
            "android_app_version", "android_device", "android_app_name",
        ],
    ),
    (
        Kind::Day,
        &[
            "created_at", "signed_up_at", "updated_at", "last_seen_at", "last_contacted_at", "last_replied_at",
            "last_email_opened_at", "last_email_clicked_at", "ios_last_seen_at", "android_last_seen_at",
        ],
    ),
    (Kind::NumberOf(NameOf::Admin), &["owner_id"]),
    (Kind::Flag, &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"]),
    (Kind::Ids, &["segment_id"]),
    (Kind::FewTags, &["tag_id"]),
];

const TICKETS: &[Row] = &[
    (Kind::Text, &["id", "title", "description", "category", "ticket_type_id", "state"]),
    (Kind::Moment, &["created_at", "updated_at", "snoozed_until"]),
    (Kind::TextOf(NameOf::Admin), &["admin_assignee_id"]),
    (Kind::TextOf(NameOf::Team), &["team_assignee_id"]),
    (Kind::Flag, &["open"]),
    (Kind::Ids, &["contact_ids", "teammate_ids"]),
];

impl Searched {
    fn rows(self) -> &'static [Row] {
        match self {
            Searched::Conversations => CONVERSATIONS,
            Searched::Contacts => CONTACTS,
            Searched::Tickets => TICKETS,
        }
    }

    /// The beginning of the names of fields that a workspace defines itself.
    const fn custom(self) -> Option<&'static str> {
        match self {
            Searched::Conversations => None,
            Searched::Contacts => Some("custom_attributes."),
            Searched::Tickets => Some("ticket_attribute."),
        }
    }

    /// The name that the API knows a field by, and what it holds.
    pub fn field(self, name: &str) -> Option<(String, Kind)> {
        let aliases = ALIASES.iter().find(|(of, _)| *of == self).map_or(&[][..], |(_, aliases)| aliases);
        let name = aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, field)| field);
        if let Some((kind, _)) = self.rows().iter().find(|(_, names)| names.contains(&name)) {
            return Some((name.to_owned(), *kind));
        }
        let own = self.custom().and_then(|begin| name.strip_prefix(begin));
        own.filter(|own| !own.is_empty()).map(|_| (name.to_owned(), Kind::Custom))
    }

    /// All names of fields, the short ones first.
    pub fn names(self) -> Vec<&'static str> {
        let aliases = ALIASES.iter().filter(|(of, _)| *of == self).flat_map(|(_, aliases)| aliases.iter());
        let mut names: Vec<&str> = aliases.map(|(alias, _)| *alias).collect();
        names.extend(self.rows().iter().flat_map(|(_, fields)| fields.iter()));
        names
    }
}
