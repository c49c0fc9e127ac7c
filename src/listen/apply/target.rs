//! Which records a notification makes necessary to fetch.

use crate::mirror::ResourceName;
use crate::webhooks::{Event, Notification, Record};

/// A record to request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub resource: ResourceName,
    pub id: String,
}

/// Why a record is requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cause {
    /// A notification says that it is gone.
    pub is_deletion: bool,
    /// A notification says that another contact became a part of it.
    pub is_merge: bool,
}

impl Cause {
    pub fn and(self, other: Cause) -> Cause {
        Cause {
            is_deletion: self.is_deletion || other.is_deletion,
            is_merge: self.is_merge || other.is_merge,
        }
    }
}

pub(super) fn targets(notification: &Notification) -> Vec<(Target, Cause)> {
    let one = |target: Option<Target>, cause| target.map(|target| (target, cause)).into_iter().collect();
    let deletion = Cause { is_deletion: true, ..Cause::default() };
    let contact = |id: String| Some(Target { resource: ResourceName::Contacts, id });
    match notification.event() {
        Event::Changed(records) => {
            records.iter().filter_map(target).map(|target| (target, Cause::default())).collect()
        }
        Event::Deleted(record) => one(target(&record), deletion),
        Event::Archived(id) => one(contact(id.to_string()), deletion),
        Event::Merged { survivor } => {
            one(contact(survivor.to_string()), Cause { is_merge: true, ..Cause::default() })
        }
        Event::Ping | Event::Other => Vec::new(),
    }
}

fn target(record: &Record) -> Option<Target> {
    let (resource, id) = match record {
        Record::Admin(id) => (ResourceName::Admins, id.to_string()),
        Record::Article(id) => (ResourceName::Articles, id.to_string()),
        Record::Company(id) => (ResourceName::Companies, id.clone()),
        Record::Contact(id) => (ResourceName::Contacts, id.to_string()),
        Record::Conversation(id) => (ResourceName::Conversations, id.to_string()),
        Record::Ticket(id) => (ResourceName::Tickets, id.clone()),
    };
    Some(Target { resource, id })
}
