//! The mirrored resources, declared as data: which operations fetch them and which columns they have.
//!
//! To add a resource, add a table in `store/schema/` and an entry in a module here. Fetching, storing and removing need
//! further code only for details that lists omit (`sync/resource.rs`).

mod content;
mod conversations;
mod people;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value as Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::projection::Projection;
use crate::api::ApiVersion;
use crate::data::lenient;
use crate::data::spelling::did_you_mean;

/// Declares each resource once: variant, table and entry.
macro_rules! resources {
    ($($variant:ident = $table:literal at $entry:path,)+) => {
        /// The name of a mirrored resource and of its table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ResourceName {
            $(#[doc = concat!("The table `", $table, "`.")] $variant,)+
        }

        impl ResourceName {
            /// All resources.
            pub const ALL: &'static [ResourceName] = &[$(ResourceName::$variant,)+];

            /// The name, for example `conversation_parts`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ResourceName::$variant => $table,)+
                }
            }

            /// How the resource is fetched and stored.
            #[doc(hidden)]
            pub fn resource(self) -> &'static Resource {
                match self {
                    $(ResourceName::$variant => &$entry,)+
                }
            }
        }
    };
}

resources! {
    Contacts = "contacts" at people::CONTACTS,
    Companies = "companies" at people::COMPANIES,
    Conversations = "conversations" at conversations::CONVERSATIONS,
    ConversationParts = "conversation_parts" at conversations::CONVERSATION_PARTS,
    Tickets = "tickets" at conversations::TICKETS,
    TicketParts = "ticket_parts" at conversations::TICKET_PARTS,
    Articles = "articles" at content::ARTICLES,
    Collections = "collections" at content::COLLECTIONS,
    HelpCenters = "help_centers" at content::HELP_CENTERS,
    InternalArticles = "internal_articles" at content::INTERNAL_ARTICLES,
    NewsItems = "news_items" at content::NEWS_ITEMS,
    Admins = "admins" at people::ADMINS,
    Teams = "teams" at people::TEAMS,
    Tags = "tags" at people::TAGS,
    Segments = "segments" at people::SEGMENTS,
    DataAttributes = "data_attributes" at people::DATA_ATTRIBUTES,
    SubscriptionTypes = "subscription_types" at people::SUBSCRIPTION_TYPES,
    TicketTypes = "ticket_types" at conversations::TICKET_TYPES,
    TicketStates = "ticket_states" at conversations::TICKET_STATES,
    Calls = "calls" at conversations::CALLS,
    ActivityLogs = "activity_logs" at people::ACTIVITY_LOGS,
}

impl ResourceName {
    /// The names of all resources, for people.
    pub fn all_names() -> String {
        ResourceName::ALL.iter().map(|resource| resource.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that does not name a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown resource {:?}: {}expected {}", .0, similar_resource(.0), ResourceName::all_names())]
pub struct UnknownResource(pub String);

fn similar_resource(name: &str) -> String {
    let known: Vec<&str> = ResourceName::ALL.iter().map(|resource| resource.as_str()).collect();
    did_you_mean(name, &known)
}

impl FromStr for ResourceName {
    type Err = UnknownResource;

    /// Accepts `conversation_parts` and `conversation-parts`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let table = name.trim().replace('-', "_").to_lowercase();
        let resource = ResourceName::ALL.iter().find(|resource| resource.as_str() == table);
        resource.copied().ok_or_else(|| UnknownResource(name.to_owned()))
    }
}

/// A mirrored resource. Its table has `id`, `parent`, the columns, `synced_at` and `raw`.
#[derive(Debug)]
pub struct Resource {
    pub name: ResourceName,
    /// Describes its table for people and agents.
    pub about: &'static str,
    /// Column with the id of the record it belongs to, which its document omits.
    pub parent: Option<&'static str>,
    pub columns: &'static [Column],
    /// The column with the time of the last change; `None` if records have none.
    pub updated_at_column: Option<&'static str>,
    /// Derives an id for records that have none.
    pub derive_id: Option<fn(&Value) -> Option<String>>,
    pub links: &'static [Link],
    /// Routes to everything, best first; empty if the records are part of another resource.
    pub routes: &'static [Route],
    /// What the routes leave out in some API versions.
    pub complement: Option<Complement>,
    /// Routes to what changed since a time, best first. If empty, every sync fetches everything.
    pub changes: &'static [Route],
    /// Operation that fetches a record by its id. Called before a record is considered deleted.
    pub get_operation: Option<&'static str>,
    /// Search operation that finds records by ids.
    pub by_ids: Option<&'static str>,
    /// Whether a record that is no longer listed was deleted.
    pub detects_deletions: bool,
    /// Whether the list returns less than the get operation. Then a listed record only replaces an older one.
    pub list_is_summary: bool,
}

/// A typed column beside the document.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub field: JsonField,
}

/// How a column is read from the document. The text is a JSON pointer.
#[derive(Debug, Clone, Copy)]
pub enum JsonField {
    Text(&'static str),
    /// Id of another record; 0 means none.
    Reference(&'static str),
    Integer(&'static str),
    /// An integer at the first of these pointers that has one.
    FirstInteger(&'static [&'static str]),
    /// Integer or decimal.
    Number(&'static str),
    /// Epoch seconds.
    Time(&'static str),
    Flag(&'static str),
    /// Computed from the values at these pointers.
    DerivedText(&'static [&'static str], fn(&Value) -> Option<String>),
    DerivedFlag(&'static [&'static str], fn(&Value) -> Option<bool>),
}

/// A link table: pairs of a record's id and the id of another that its document lists.
#[derive(Debug)]
pub struct Link {
    pub table: &'static str,
    pub owner: &'static str,
    pub other: &'static str,
    /// Resource of the other records.
    pub to: ResourceName,
    /// Pointers to arrays of objects with an `id`, or to objects with such an array as `data`.
    pub lists: &'static [&'static str],
}

/// A way to list records.
#[derive(Debug)]
pub struct Route {
    /// Operation id.
    pub operation: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    pub bound: Bound,
    /// Whether a cursor is still valid in another run.
    pub resumable: bool,
    /// What this route omits, which leaves the mirror incomplete.
    pub blind_spot: Option<&'static str>,
}

/// Another list with records that the routes of a resource leave out in some API versions.
#[derive(Debug)]
pub struct Complement {
    pub is_needed: fn(&ApiVersion) -> bool,
    pub route: Route,
    /// SQL condition for stored records that neither list has in these versions, and that are therefore kept.
    pub unlisted: &'static str,
}

/// How a list is restricted to what changed since a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Not at all, in unknown order.
    None,
    /// Not at all, but the latest changes come first.
    NewestFirst,
    /// A search on `updated_at` in ascending order: what changes meanwhile is returned again at the end.
    Search,
    /// A search that compares days in the workspace's calendar, newest first to avoid reading the whole day.
    SearchByDay,
    /// The same, without an order.
    SearchByDayUnordered,
    /// A query parameter.
    Query(&'static str),
}

/// The defaults of a resource.
const DEFAULT: Resource = Resource {
    name: ResourceName::Tags,
    about: "",
    parent: None,
    columns: &[],
    updated_at_column: None,
    derive_id: None,
    links: &[],
    routes: &[],
    complement: None,
    changes: &[],
    get_operation: None,
    by_ids: None,
    detects_deletions: true,
    list_is_summary: false,
};

const fn column(name: &'static str, field: JsonField) -> Column {
    Column { name, field }
}

impl Route {
    const fn get(operation: &'static str) -> Route {
        Route { operation, query: &[], bound: Bound::None, resumable: true, blind_spot: None }
    }

    const fn bound(operation: &'static str, bound: Bound) -> Route {
        Route { bound, ..Route::get(operation) }
    }
}

impl Resource {
    /// Everything that is read from a document.
    pub(super) fn projection(&'static self) -> Projection {
        if self.derive_id.is_some() {
            return Projection::Whole;
        }
        let columns = self.columns.iter().flat_map(|column| column.field.pointers());
        let own = ["/id"].iter().chain(columns).map(|pointer| Cow::Borrowed(*pointer));
        Projection::of(own.chain(self.links.iter().flat_map(Link::pointers).map(Cow::Owned)))
    }

    /// The id of a record; `None` if it has none.
    pub fn id(&self, document: &Value) -> Option<String> {
        lenient::id(&document["id"]).or_else(|| self.derive_id?(document))
    }
}

impl JsonField {
    /// Pointers to the values that are read.
    fn pointers(&'static self) -> &'static [&'static str] {
        match self {
            JsonField::Text(pointer)
            | JsonField::Reference(pointer)
            | JsonField::Integer(pointer)
            | JsonField::Number(pointer)
            | JsonField::Time(pointer)
            | JsonField::Flag(pointer) => std::slice::from_ref(pointer),
            JsonField::FirstInteger(pointers)
            | JsonField::DerivedText(pointers, _)
            | JsonField::DerivedFlag(pointers, _) => pointers,
        }
    }

    /// Whether the value is computed, and must be computed again when the rule changes.
    pub fn is_derived(&self) -> bool {
        matches!(self, JsonField::DerivedText(..) | JsonField::DerivedFlag(..))
    }

    pub fn read(self, document: &Value) -> Cell {
        let at = |pointer: &str| lenient::at(document, pointer).unwrap_or(&Value::Null);
        match self {
            JsonField::Text(pointer) => lenient::text(at(pointer)).into(),
            JsonField::Reference(pointer) => lenient::reference(at(pointer)).into(),
            JsonField::Integer(pointer) => lenient::integer(at(pointer)).into(),
            JsonField::FirstInteger(pointers) => {
                pointers.iter().find_map(|pointer| lenient::integer(at(pointer))).into()
            }
            JsonField::Number(pointer) => lenient::number(at(pointer)).into(),
            JsonField::Time(pointer) => lenient::moment(at(pointer)).into(),
            JsonField::Flag(pointer) => lenient::flag(at(pointer)).into(),
            JsonField::DerivedText(_, read) => read(document).into(),
            JsonField::DerivedFlag(_, read) => read(document).into(),
        }
    }
}

impl Link {
    /// Pointers to the values that are read.
    fn pointers(&self) -> impl Iterator<Item = String> {
        let members = ["id", "data/id", "has_more", "total_count"];
        self.lists.iter().flat_map(move |list| members.map(|member| format!("{list}/{member}")))
    }

    pub fn ids(&self, document: &Value) -> Vec<String> {
        let lists = self.lists.iter().filter_map(|list| lenient::at(document, list));
        let entries = lists.filter_map(|list| list.as_array().or_else(|| list["data"].as_array())).flatten();
        entries.filter_map(|other| lenient::id(&other["id"])).collect()
    }

    /// Whether the document has the complete lists. A missing or null list is not complete.
    pub fn is_complete_in(&self, document: &Value) -> bool {
        self.lists.iter().all(|pointer| {
            let list = lenient::at(document, pointer).unwrap_or(&Value::Null);
            list.is_array() || (list["data"].is_array() && !lenient::is_cut(list))
        })
    }
}
