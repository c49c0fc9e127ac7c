//! The kinds of records that runs change, and their names in messages and requests.

use serde::{Deserialize, Serialize};

/// The kind of record that a run changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkTarget {
    Conversations,
    Contacts,
    Companies,
    Tickets,
}

impl BulkTarget {
    pub fn read_operation(self) -> &'static str {
        match self {
            BulkTarget::Conversations => "retrieveConversation",
            BulkTarget::Contacts => "ShowContact",
            BulkTarget::Companies => "RetrieveACompanyById",
            BulkTarget::Tickets => "getTicket",
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            BulkTarget::Conversations => "conversations",
            BulkTarget::Contacts => "contacts",
            BulkTarget::Companies => "companies",
            BulkTarget::Tickets => "tickets",
        }
    }

    pub const fn singular(self) -> &'static str {
        match self {
            BulkTarget::Conversations => "conversation",
            BulkTarget::Contacts => "contact",
            BulkTarget::Companies => "company",
            BulkTarget::Tickets => "ticket",
        }
    }
}
