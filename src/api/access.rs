//! Which records a token may read, found out by reading one record of each kind.
//!
//! The API has no request that lists the permissions of a token. Permissions to change something cannot be tried without
//! changing something, so they are never claimed.

use futures::future::join_all;

use super::client::Client;
use super::error::Error;
use super::operation::Paging;
use super::page_arguments::with_size;
use super::request_builder::{Arguments, operation};

/// The kinds of records, and the operations that list them.
const READS: [(&str, &str); 10] = [
    ("contacts", "ListContacts"),
    ("companies", "listAllCompanies"),
    ("conversations", "listConversations"),
    ("tickets", "searchTickets"),
    ("articles", "listArticles"),
    ("teammates", "listAdmins"),
    ("teams", "listTeams"),
    ("tags", "listTags"),
    ("segments", "listSegments"),
    ("data attributes", "lisDataAttributes"),
];

/// A search that any ticket matches.
const ANY_TICKET: &[u8] = br#"{"query":{"field":"created_at","operator":">","value":0}}"#;

/// What a token may read.
#[derive(Debug, Default)]
pub struct ReadAccess {
    /// Read successfully, even if nothing was found.
    pub allowed: Vec<&'static str>,
    /// Refused with status 403: the token lacks the permission.
    pub refused: Vec<&'static str>,
    /// Not in the plan or the API version of the workspace, or the request failed.
    pub unknown: Vec<&'static str>,
}

/// Reads one record of each kind, all at the same time.
pub async fn try_reads(client: &Client) -> ReadAccess {
    let answers = join_all(READS.map(|(kind, id)| async move { (kind, read_one(client, id).await) })).await;
    let mut access = ReadAccess::default();
    for (kind, answer) in answers {
        match answer {
            Ok(()) => access.allowed.push(kind),
            Err(error) if error.status() == Some(403) => access.refused.push(kind),
            Err(_) => access.unknown.push(kind),
        }
    }
    access
}

async fn read_one(client: &Client, id: &str) -> Result<(), Error> {
    let operation = operation(id)?;
    let body = matches!(operation.paging, Paging::CursorInBody { .. }).then(|| ANY_TICKET.to_vec());
    let arguments = Arguments { body, ..Arguments::default() };
    let size = match operation.paging {
        Paging::Cursor { .. } | Paging::CursorInBody { .. } | Paging::Page { .. } => Some(1),
        Paging::None | Paging::Whole | Paging::Scroll => None,
    };
    client.execute(operation, &with_size(operation, arguments, size)?).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::operation::Effect;

    #[test]
    fn every_attempt_is_a_read_that_exists() {
        for (kind, id) in READS {
            assert_eq!(operation(id).map(|operation| operation.effect).ok(), Some(Effect::Read), "{kind}");
        }
    }
}
