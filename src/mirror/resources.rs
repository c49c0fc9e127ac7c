//! What is mirrored, declared as data: where it is fetched from and which columns are read out of it.
//!
//! Adding a resource is a table in `schema/` and an entry here; fetching and storing need no code of
//! their own, but for the parts of conversations.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value as Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{fields, plain};

/// A mirrored resource, by the name of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceName {
    Contacts,
    Companies,
    Conversations,
    ConversationParts,
    Admins,
    Teams,
    Tags,
}

impl ResourceName {
    pub const ALL: &'static [ResourceName] = &[
        ResourceName::Contacts,
        ResourceName::Companies,
        ResourceName::Conversations,
        ResourceName::ConversationParts,
        ResourceName::Admins,
        ResourceName::Teams,
        ResourceName::Tags,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            ResourceName::Contacts => "contacts",
            ResourceName::Companies => "companies",
            ResourceName::Conversations => "conversations",
            ResourceName::ConversationParts => "conversation_parts",
            ResourceName::Admins => "admins",
            ResourceName::Teams => "teams",
            ResourceName::Tags => "tags",
        }
    }

    pub fn resource(self) -> &'static Resource {
        match self {
            ResourceName::Contacts => &CONTACTS,
            ResourceName::Companies => &COMPANIES,
            ResourceName::Conversations => &CONVERSATIONS,
            ResourceName::ConversationParts => &CONVERSATION_PARTS,
            ResourceName::Admins => &ADMINS,
            ResourceName::Teams => &TEAMS,
            ResourceName::Tags => &TAGS,
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The name is none of a mirrored resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a mirrored resource")]
pub struct UnknownResource(pub String);

impl FromStr for ResourceName {
    type Err = UnknownResource;

    /// Both `conversation_parts` and `conversation-parts`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = name.trim().replace('-', "_").to_lowercase();
        let found = ResourceName::ALL.iter().find(|resource| resource.as_str() == wanted);
        found.copied().ok_or_else(|| UnknownResource(name.to_owned()))
    }
}

/// One mirrored resource. Its table has `id`, the columns, `synced_at` and `raw`.
#[derive(Debug)]
pub struct Resource {
    pub name: ResourceName,
    /// Column that names the record it belongs to, for records that do not say so themselves.
    pub parent: Option<&'static str>,
    pub columns: &'static [Column],
    pub links: &'static [Link],
    /// Ways to fetch all of it, the best one first; none for what comes with another resource.
    pub routes: &'static [Route],
    /// Lists show less than what is fetched one by one later, so a list's record only replaces an
    /// older one.
    pub shortened: bool,
}

/// A typed column beside the document.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub field: Field,
}

/// How a column is read. The text is a JSON pointer into the document.
#[derive(Debug, Clone, Copy)]
pub enum Field {
    Text(&'static str),
    /// Id of another record; 0 is nobody.
    Reference(&'static str),
    Integer(&'static str),
    /// Epoch seconds.
    Time(&'static str),
    Flag(&'static str),
    /// Whatever needs more than one place.
    Derived(fn(&Value) -> Cell),
}

/// A table of pairs: this record's id and the ids of others that the document lists.
#[derive(Debug)]
pub struct Link {
    pub table: &'static str,
    pub owner: &'static str,
    pub other: &'static str,
    /// Pointer to an array of objects with an `id`.
    pub list: &'static str,
}

/// One way to list everything.
#[derive(Debug)]
pub struct Route {
    /// Operation id.
    pub operation: &'static str,
    /// JSON text.
    pub body: Option<&'static str>,
    /// Whether a stored cursor leads to the next page in another run as well.
    pub resumable: bool,
    /// What this way cannot see; the mirror is not complete then.
    pub lacks: Option<&'static str>,
}

impl Route {
    const fn get(operation: &'static str) -> Route {
        Route { operation, body: None, resumable: true, lacks: None }
    }
}

impl Field {
    pub fn read(self, document: &Value) -> Cell {
        let at = |pointer: &str| document.pointer(pointer).unwrap_or(&Value::Null);
        match self {
            Field::Text(pointer) => fields::text(at(pointer)).into(),
            Field::Reference(pointer) => fields::reference(at(pointer)).into(),
            Field::Integer(pointer) => fields::integer(at(pointer)).into(),
            Field::Time(pointer) => fields::time(at(pointer)).into(),
            Field::Flag(pointer) => fields::flag(at(pointer)).into(),
            Field::Derived(read) => read(document),
        }
    }
}

impl Link {
    pub fn ids(&self, document: &Value) -> Vec<String> {
        let list = document.pointer(self.list).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|other| fields::id(&other["id"])).collect()
    }
}

const fn column(name: &'static str, field: Field) -> Column {
    Column { name, field }
}

static CONTACTS: Resource = Resource {
    name: ResourceName::Contacts,
    parent: None,
    columns: &[
        column("external_id", Field::Text("/external_id")),
        column("role", Field::Text("/role")),
        column("email", Field::Text("/email")),
        column("phone", Field::Text("/phone")),
        column("name", Field::Text("/name")),
        column("owner_id", Field::Reference("/owner_id")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("signed_up_at", Field::Time("/signed_up_at")),
        column("last_seen_at", Field::Time("/last_seen_at")),
        column("last_replied_at", Field::Time("/last_replied_at")),
        column("last_contacted_at", Field::Time("/last_contacted_at")),
        column("unsubscribed_from_emails", Field::Flag("/unsubscribed_from_emails")),
    ],
    links: &[],
    routes: &[Route::get("ListContacts")],
    shortened: false,
};

static COMPANIES: Resource = Resource {
    name: ResourceName::Companies,
    parent: None,
    columns: &[
        column("company_id", Field::Text("/company_id")),
        column("name", Field::Text("/name")),
        column("plan", Field::Text("/plan/name")),
        column("size", Field::Integer("/size")),
        column("monthly_spend", Field::Integer("/monthly_spend")),
        column("user_count", Field::Integer("/user_count")),
        column("session_count", Field::Integer("/session_count")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("last_request_at", Field::Time("/last_request_at")),
    ],
    links: &[],
    routes: &[
        // The server keeps the place of a scroll and moves it on with every answer, also one that was
        // lost: after an interruption only a new scroll sees everything.
        Route { operation: "scrollOverAllCompanies", body: None, resumable: false, lacks: None },
        Route {
            operation: "listAllCompanies",
            body: None,
            resumable: true,
            lacks: Some("companies without users, and those after the first 10,000"),
        },
    ],
    shortened: false,
};

static CONVERSATIONS: Resource = Resource {
    name: ResourceName::Conversations,
    parent: None,
    columns: &[
        column("title", Field::Text("/title")),
        column("state", Field::Text("/state")),
        column("open", Field::Flag("/open")),
        column("read", Field::Flag("/read")),
        column("priority", Field::Text("/priority")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
        column("waiting_since", Field::Time("/waiting_since")),
        column("snoozed_until", Field::Time("/snoozed_until")),
        column("admin_assignee_id", Field::Reference("/admin_assignee_id")),
        column("team_assignee_id", Field::Reference("/team_assignee_id")),
        column("source_type", Field::Text("/source/type")),
        column("source_delivered_as", Field::Text("/source/delivered_as")),
        column("source_author_type", Field::Text("/source/author/type")),
        column("source_author_id", Field::Text("/source/author/id")),
        column("rating", Field::Integer("/conversation_rating/rating")),
        column("ai_agent_participated", Field::Flag("/ai_agent_participated")),
        column("parts_count", Field::Integer("/statistics/count_conversation_parts")),
    ],
    links: &[
        Link { table: "conversation_tags", owner: "conversation_id", other: "tag_id", list: "/tags/tags" },
        Link {
            table: "conversation_contacts",
            owner: "conversation_id",
            other: "contact_id",
            list: "/contacts/contacts",
        },
    ],
    routes: &[
        // Ascending by change: what changes during the walk comes again at its end, and nothing is missed.
        Route {
            operation: "searchConversations",
            body: Some(
                r#"{"query":{"field":"updated_at","operator":">","value":0},"sort":{"field":"updated_at","order":"ascending"}}"#,
            ),
            resumable: true,
            lacks: None,
        },
        Route::get("listConversations"),
    ],
    shortened: true,
};

static CONVERSATION_PARTS: Resource = Resource {
    name: ResourceName::ConversationParts,
    parent: Some("conversation_id"),
    columns: &[
        column("part_type", Field::Text("/part_type")),
        column("author_type", Field::Text("/author/type")),
        column("author_id", Field::Text("/author/id")),
        column("assigned_type", Field::Text("/assigned_to/type")),
        column("assigned_id", Field::Reference("/assigned_to/id")),
        column("state", Field::Text("/state")),
        column("from_ai_agent", Field::Derived(from_ai_agent)),
        column("has_text", Field::Derived(has_text)),
        column("redacted", Field::Flag("/redacted")),
        column("created_at", Field::Time("/created_at")),
        column("updated_at", Field::Time("/updated_at")),
    ],
    links: &[],
    routes: &[],
    shortened: false,
};

static ADMINS: Resource = Resource {
    name: ResourceName::Admins,
    parent: None,
    columns: &[
        column("name", Field::Text("/name")),
        column("email", Field::Text("/email")),
        column("job_title", Field::Text("/job_title")),
        column("has_inbox_seat", Field::Flag("/has_inbox_seat")),
        column("away_mode_enabled", Field::Flag("/away_mode_enabled")),
    ],
    links: &[],
    routes: &[Route::get("listAdmins")],
    shortened: false,
};

static TEAMS: Resource = Resource {
    name: ResourceName::Teams,
    parent: None,
    columns: &[column("name", Field::Text("/name"))],
    links: &[],
    routes: &[Route::get("listTeams")],
    shortened: false,
};

static TAGS: Resource = Resource {
    name: ResourceName::Tags,
    parent: None,
    columns: &[column("name", Field::Text("/name"))],
    links: &[],
    routes: &[Route::get("listTags")],
    shortened: false,
};

/// Whether the AI agent wrote the part, wherever the API version at hand says so.
fn from_ai_agent(part: &Value) -> Cell {
    let says = |pointer: &str| part.pointer(pointer).and_then(fields::flag).unwrap_or(false);
    (says("/author/from_ai_agent") || says("/author/is_ai_answer") || says("/from_ai_agent")).into()
}

/// Whether the part shows anything: text, an image or an attachment.
fn has_text(part: &Value) -> Cell {
    let attached = part["attachments"].as_array().is_some_and(|list| !list.is_empty());
    (attached || part["body"].as_str().is_some_and(plain::is_visible)).into()
}
