//! Assigns conversations to the rows of the report, and names the rows.

#![deny(missing_docs)]

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension};
use serde::Serialize;

use crate::report::error::Error;
use crate::report::timeline_cache::{Grouping, ResponseTimes};

/// What the rows of the report are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The team it is assigned to now.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Team,
    /// The teammate it is assigned to now.
    #[cfg_attr(feature = "cli", value(alias = "teammate", help = None::<&'static str>))]
    Admin,
    /// Each of its tags; a conversation can be in several rows.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Tag,
    /// The channel of its first message, for example `email`.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Channel,
    /// Each company of its contacts; a conversation can be in several rows.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    Company,
    /// One row for everything.
    #[cfg_attr(feature = "cli", value(help = None::<&'static str>))]
    None,
}

impl GroupBy {
    /// The column with the group's name.
    pub const fn column(self) -> Option<&'static str> {
        match self {
            GroupBy::Team => Some("team"),
            GroupBy::Admin => Some("admin"),
            GroupBy::Tag => Some("tag"),
            GroupBy::Channel => Some("channel"),
            GroupBy::Company => Some("company"),
            GroupBy::None => None,
        }
    }

    /// The column with the group's id, for groups that also have a name.
    pub fn id_column(self) -> Option<String> {
        self.table().and(self.column()).map(|column| format!("{column}_id"))
    }

    /// The label of the conversations without a group.
    pub const fn without(self) -> &'static str {
        match self {
            GroupBy::Team | GroupBy::Admin => "Unassigned",
            GroupBy::Tag => "Untagged",
            GroupBy::Channel => "Unknown channel",
            GroupBy::Company => "No company",
            GroupBy::None => "All",
        }
    }

    /// The table with the names.
    const fn table(self) -> Option<&'static str> {
        match self {
            GroupBy::Team => Some("teams"),
            GroupBy::Admin => Some("admins"),
            GroupBy::Tag => Some("tags"),
            GroupBy::Company => Some("companies"),
            GroupBy::Channel | GroupBy::None => None,
        }
    }

    pub(super) const fn grouping(self) -> Grouping {
        match self {
            GroupBy::Team => Grouping::Team,
            GroupBy::Admin => Grouping::Admin,
            GroupBy::Channel => Grouping::Channel,
            GroupBy::Tag | GroupBy::Company | GroupBy::None => Grouping::None,
        }
    }

    /// The SQL for the groups of a conversation, for groups that are not a column of the timeline.
    pub(super) const fn links(self) -> Option<&'static str> {
        match self {
            GroupBy::Tag => Some("SELECT tag_id FROM conversation_tags WHERE conversation_id = ?1"),
            GroupBy::Company => Some(
                "SELECT DISTINCT own.company_id FROM conversation_contacts AS link
                 JOIN contact_companies AS own ON own.contact_id = link.contact_id
                 WHERE link.conversation_id = ?1",
            ),
            _ => None,
        }
    }
}

/// The name of the row for conversations without a group.
pub const NO_GROUP: &str = "(none)";

/// Finds the groups of conversations.
pub(super) struct Membership<'c> {
    links: Option<CachedStatement<'c>>,
}

impl<'c> Membership<'c> {
    pub fn new(connection: &'c Connection, group_by: GroupBy) -> Result<Self, Error> {
        let links = group_by.links().map(|sql| connection.prepare_cached(sql)).transpose()?;
        Ok(Membership { links })
    }

    /// Calls `each` for every group of a conversation, or once with `None`.
    pub fn each(
        &mut self,
        times: &ResponseTimes<'_>,
        mut each: impl FnMut(Option<&str>),
    ) -> Result<(), Error> {
        let Some(links) = &mut self.links else {
            each(times.group);
            return Ok(());
        };
        let mut rows = links.query([times.id])?;
        let mut any = false;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str_or_null().map_err(rusqlite::Error::from)?);
            any = true;
        }
        if !any {
            each(None);
        }
        Ok(())
    }
}

/// The names of the groups.
pub(super) struct GroupNames<'c> {
    connection: &'c Connection,
    group_by: GroupBy,
    known: BTreeMap<String, String>,
}

impl<'c> GroupNames<'c> {
    pub fn read(connection: &'c Connection, group_by: GroupBy) -> Result<Self, Error> {
        let mut known = BTreeMap::new();
        if let Some(table) = group_by.table().filter(|table| *table != "companies") {
            let mut statement =
                connection.prepare(&format!("SELECT id, name FROM {table} WHERE name <> ''"))?;
            let names = statement.query_map([], |record| Ok((record.get(0)?, record.get(1)?)))?;
            known = names.collect::<Result<_, _>>()?;
        }
        Ok(GroupNames { connection, group_by, known })
    }

    /// The name of a group, or else its id. Former teammates have no record, but their messages contain the name.
    pub fn of(&self, id: Option<&str>) -> Result<String, Error> {
        let Some(id) = id else { return Ok(NO_GROUP.to_owned()) };
        if let Some(name) = self.known.get(id) {
            return Ok(name.clone());
        }
        let sql = match self.group_by {
            GroupBy::Company => "SELECT name FROM companies WHERE id = ?1 AND name <> ''",
            GroupBy::Admin => {
                "SELECT raw ->> '$.author.name' FROM conversation_parts
                 WHERE author_id = ?1 AND author_type = 'admin' AND raw ->> '$.author.name' <> '' LIMIT 1"
            }
            _ => return Ok(id.to_owned()),
        };
        let name: Option<String> =
            self.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
        Ok(name.unwrap_or_else(|| id.to_owned()))
    }
}
