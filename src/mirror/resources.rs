//! What is mirrored, declared as data: where it is fetched from and which columns are read out of it.
//!
//! Adding a resource is a table in `schema/` and an entry in a module here; fetching, storing and removing
//! need no code of their own, but for the parts of conversations and tickets.

mod content;
mod people;
mod talk;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rusqlite::types::Value as Cell;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields;
use super::outline::Outline;

/// Declares the resources once: variant, table, and entry.
macro_rules! resources {
    ($($variant:ident = $table:literal at $entry:path,)+) => {
        /// A mirrored resource, by the name of its table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ResourceName {
            $($variant,)+
        }

        impl ResourceName {
            pub const ALL: &'static [ResourceName] = &[$(ResourceName::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ResourceName::$variant => $table,)+
                }
            }

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
    Conversations = "conversations" at talk::CONVERSATIONS,
    ConversationParts = "conversation_parts" at talk::CONVERSATION_PARTS,
    Tickets = "tickets" at talk::TICKETS,
    TicketParts = "ticket_parts" at talk::TICKET_PARTS,
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
    TicketTypes = "ticket_types" at talk::TICKET_TYPES,
    TicketStates = "ticket_states" at talk::TICKET_STATES,
    Calls = "calls" at talk::CALLS,
    ActivityLogs = "activity_logs" at people::ACTIVITY_LOGS,
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
    /// The column with the moment of the last change; `None` when records do not tell.
    pub age: Option<&'static str>,
    /// Makes an id for records that have none.
    pub name_for: Option<fn(&Value) -> Option<String>>,
    pub links: &'static [Link],
    /// Ways to fetch all of it, the best one first; none for what comes with another resource.
    pub routes: &'static [Route],
    /// Ways to fetch what changed since a moment, the best one first. With none of them everything is
    /// fetched every time.
    pub changes: &'static [Route],
    /// Operation that fetches one record by its id: asked before a record is taken for gone.
    pub one: Option<&'static str>,
    /// Search that finds many records by their ids.
    pub by_ids: Option<&'static str>,
    /// Whether records that are no longer listed exist no more.
    pub vanishes: bool,
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
    /// A whole number at the first of these places that has one.
    FirstInteger(&'static [&'static str]),
    /// Whole or not.
    Number(&'static str),
    /// Epoch seconds.
    Time(&'static str),
    Flag(&'static str),
    /// Whatever needs more than one place, and those places.
    Derived(&'static [&'static str], fn(&Value) -> Cell),
}

/// A table of pairs: this record's id and the ids of others that the document lists.
#[derive(Debug)]
pub struct Link {
    pub table: &'static str,
    pub owner: &'static str,
    pub other: &'static str,
    /// What the others are.
    pub to: ResourceName,
    /// Pointers to arrays of objects with an `id`, or to objects that hold one as `data`.
    pub lists: &'static [&'static str],
}

/// One way to list records.
#[derive(Debug)]
pub struct Route {
    /// Operation id.
    pub operation: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    pub bound: Bound,
    /// Whether a stored cursor leads to the next page in another run as well.
    pub resumable: bool,
    /// What this way cannot see; the mirror is not complete then.
    pub lacks: Option<&'static str>,
}

/// How a list is asked for what changed since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// It cannot be, and its order is not known.
    None,
    /// It cannot be, but what changed last comes first.
    NewestFirst,
    /// A search on `updated_at`, in ascending order: what changes meanwhile comes again at the end.
    Search,
    /// A search that compares days of the workspace's calendar. Newest first, so that not the whole day
    /// has to be read.
    SearchByDay,
    /// The same without asking for an order.
    SearchByDayUnordered,
    /// This parameter of the query.
    Query(&'static str),
}

/// What most resources are.
const PLAIN: Resource = Resource {
    name: ResourceName::Tags,
    parent: None,
    columns: &[],
    age: None,
    name_for: None,
    links: &[],
    routes: &[],
    changes: &[],
    one: None,
    by_ids: None,
    vanishes: true,
    shortened: false,
};

const fn column(name: &'static str, field: Field) -> Column {
    Column { name, field }
}

impl Route {
    const fn get(operation: &'static str) -> Route {
        Route { operation, query: &[], bound: Bound::None, resumable: true, lacks: None }
    }

    const fn bound(operation: &'static str, bound: Bound) -> Route {
        Route { bound, ..Route::get(operation) }
    }
}

impl Resource {
    /// All that is read out of a document.
    pub(super) fn outline(&'static self) -> Outline {
        if self.name_for.is_some() {
            return Outline::Whole;
        }
        let columns = self.columns.iter().flat_map(|column| column.field.places());
        let own = ["/id"].iter().chain(columns).map(|place| Cow::Borrowed(*place));
        Outline::of(own.chain(self.links.iter().flat_map(Link::places).map(Cow::Owned)))
    }

    /// The id of a record; `None` when it has none.
    pub fn id(&self, document: &Value) -> Option<String> {
        fields::id(&document["id"]).or_else(|| self.name_for?(document))
    }
}

impl Field {
    /// Where in a document it is read from.
    fn places(&'static self) -> &'static [&'static str] {
        match self {
            Field::Text(pointer)
            | Field::Reference(pointer)
            | Field::Integer(pointer)
            | Field::Number(pointer)
            | Field::Time(pointer)
            | Field::Flag(pointer) => std::slice::from_ref(pointer),
            Field::FirstInteger(places) | Field::Derived(places, _) => places,
        }
    }

    pub fn read(self, document: &Value) -> Cell {
        let at = |pointer: &str| fields::at(document, pointer).unwrap_or(&Value::Null);
        match self {
            Field::Text(pointer) => fields::text(at(pointer)).into(),
            Field::Reference(pointer) => fields::reference(at(pointer)).into(),
            Field::Integer(pointer) => fields::integer(at(pointer)).into(),
            Field::FirstInteger(places) => places.iter().find_map(|place| fields::integer(at(place))).into(),
            Field::Number(pointer) => fields::number(at(pointer)).into(),
            Field::Time(pointer) => fields::moment(at(pointer)).into(),
            Field::Flag(pointer) => fields::flag(at(pointer)).into(),
            Field::Derived(_, read) => read(document),
        }
    }
}

impl Link {
    /// Where in a document it is read from.
    fn places(&self) -> impl Iterator<Item = String> {
        let below = ["id", "data/id", "has_more", "total_count"];
        self.lists.iter().flat_map(move |list| below.map(|place| format!("{list}/{place}")))
    }

    pub fn ids(&self, document: &Value) -> Vec<String> {
        let lists = self.lists.iter().filter_map(|list| fields::at(document, list));
        let entries = lists.filter_map(|list| list.as_array().or_else(|| list["data"].as_array())).flatten();
        entries.filter_map(|other| fields::id(&other["id"])).collect()
    }

    /// Whether the document lists all of them. A list that is missing or null says nothing.
    pub fn is_whole(&self, document: &Value) -> bool {
        self.lists.iter().all(|place| {
            let list = fields::at(document, place).unwrap_or(&Value::Null);
            list.is_array() || (list["data"].is_array() && !fields::is_cut(list))
        })
    }
}
