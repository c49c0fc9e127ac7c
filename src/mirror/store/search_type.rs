//! The types of records that full-text search can return.

#![deny(missing_docs)]

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::mirror::error::Error;

/// The type of a search result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchType {
    /// Conversations, found by any of their messages.
    Conversations,
    /// Contacts, found by name or email address.
    Contacts,
    /// Articles and internal articles.
    Articles,
    /// Companies.
    Companies,
    /// Tickets, found by any of their parts.
    Tickets,
}

impl SearchType {
    /// All types.
    pub const ALL: [SearchType; 5] = [
        SearchType::Conversations,
        SearchType::Contacts,
        SearchType::Articles,
        SearchType::Companies,
        SearchType::Tickets,
    ];

    /// The name, for example `conversations`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SearchType::Conversations => "conversations",
            SearchType::Contacts => "contacts",
            SearchType::Articles => "articles",
            SearchType::Companies => "companies",
            SearchType::Tickets => "tickets",
        }
    }
}

impl fmt::Display for SearchType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for SearchType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let kind = SearchType::ALL.into_iter().find(|kind| kind.as_str() == name.trim());
        kind.ok_or_else(|| {
            let names = "conversations, contacts, articles, companies or tickets";
            Error::InvalidQuery(format!("unknown type {name:?}: expected {names}"))
        })
    }
}
