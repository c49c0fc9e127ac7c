//! Which operations the mirror supports, and how it answers them.
//!
//! Operations that fetch a mirrored resource follow from the declarations in `resources`; the others are listed here.
//! Any other operation or parameter must be refused, because the result would differ from the workspace's.

use crate::api::operation::Operation;
use crate::mirror::resources::{Resource, ResourceName};

/// How the mirror answers an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfflineOperation {
    pub resource: ResourceName,
    /// Place of the list in the document.
    pub key: &'static str,
    pub retrieval: Retrieval,
    pub filters: &'static [(&'static str, QueryFilter)],
}

impl OfflineOperation {
    /// The resource of the record in the path, if it is another one.
    pub fn owner(&self) -> Option<ResourceName> {
        match self.retrieval {
            Retrieval::Linked { owner, .. } => Some(owner),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retrieval {
    /// All records.
    List,
    /// The records that match a search.
    Search,
    /// The record whose column has the value in the path.
    One(&'static str),
    /// All records or, with one of these parameters, the record with its value in the column of the same name.
    ListUnless(&'static [&'static str]),
    /// The records linked to the one in the path: `column` in the rows of a link table whose column `by` has its id.
    Linked { owner: ResourceName, table: &'static str, column: &'static str, by: &'static str },
    /// The notes of the contact in the path.
    Notes,
}

/// The records that a query parameter selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFilter {
    Is(&'static str),
    From(&'static str),
    Until(&'static str),
    /// Unless the parameter is `true`, records whose column is set are excluded.
    Includes(&'static str),
}

const OF_ATTRIBUTES: &[(&str, QueryFilter)] =
    &[("model", QueryFilter::Is("model")), ("include_archived", QueryFilter::Includes("archived"))];
const OF_LOGS: &[(&str, QueryFilter)] = &[
    ("created_at_after", QueryFilter::From("created_at")),
    ("created_at_before", QueryFilter::Until("created_at")),
];

/// How the mirror answers an operation; `None` if it does not support it.
pub fn offline_operation(operation: &Operation) -> Option<OfflineOperation> {
    let answered = |resource, retrieval| OfflineOperation { resource, key: "data", retrieval, filters: &[] };
    let of_contact = |resource, table, column| {
        answered(
            resource,
            Retrieval::Linked { owner: ResourceName::Contacts, table, column, by: "contact_id" },
        )
    };
    Some(match operation.id {
        "ShowContactByExternalId" => answered(ResourceName::Contacts, Retrieval::One("external_id")),
        "listNotes" => answered(ResourceName::Contacts, Retrieval::Notes),
        "retrieveCompany" => {
            answered(ResourceName::Companies, Retrieval::ListUnless(&["company_id", "name"]))
        }
        "listTagsForAContact" => of_contact(ResourceName::Tags, "contact_tags", "tag_id"),
        "listCompaniesForAContact" => of_contact(ResourceName::Companies, "contact_companies", "company_id"),
        "listSegmentsForAContact" => of_contact(ResourceName::Segments, "contact_segments", "segment_id"),
        "listSubscriptionsForAContact" => {
            of_contact(ResourceName::SubscriptionTypes, "contact_subscriptions", "subscription_id")
        }
        "ListAttachedContacts" => {
            let (owner, table) = (ResourceName::Companies, "contact_companies");
            let linked = Retrieval::Linked { owner, table, column: "contact_id", by: "company_id" };
            answered(ResourceName::Contacts, linked)
        }
        _ => return ResourceName::ALL.iter().find_map(|resource| fetches(operation, resource.resource())),
    })
}

/// How the mirror answers an operation that fetches this resource.
fn fetches(operation: &Operation, resource: &Resource) -> Option<OfflineOperation> {
    let mut routes = resource.routes.iter().chain(resource.changes);
    let retrieval = if resource.get_operation == Some(operation.id) {
        Retrieval::One("id")
    } else if routes.any(|route| route.operation == operation.id) {
        // Some lists are POST requests, too, but without a body.
        if operation.body.is_some() { Retrieval::Search } else { Retrieval::List }
    } else {
        return None;
    };
    let filters = match resource.name {
        ResourceName::DataAttributes => OF_ATTRIBUTES,
        ResourceName::ActivityLogs => OF_LOGS,
        _ => &[],
    };
    Some(OfflineOperation {
        resource: resource.name,
        key: operation.list.unwrap_or("data"),
        retrieval,
        filters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;
    use crate::api::operation::Effect;
    use crate::api::request_builder::operation;

    #[test]
    fn operations_that_fetch_a_resource_are_answered() {
        for (id, resource, key, retrieval) in [
            ("ListContacts", ResourceName::Contacts, "data", Retrieval::List),
            ("SearchContacts", ResourceName::Contacts, "data", Retrieval::Search),
            ("ShowContact", ResourceName::Contacts, "data", Retrieval::One("id")),
            ("scrollOverAllCompanies", ResourceName::Companies, "data", Retrieval::List),
            ("listAllCompanies", ResourceName::Companies, "data", Retrieval::List),
            ("listConversations", ResourceName::Conversations, "conversations", Retrieval::List),
            ("searchTickets", ResourceName::Tickets, "tickets", Retrieval::Search),
            ("listAdmins", ResourceName::Admins, "admins", Retrieval::List),
            ("findTag", ResourceName::Tags, "data", Retrieval::One("id")),
            ("showCall", ResourceName::Calls, "data", Retrieval::One("id")),
        ] {
            let expected = OfflineOperation { resource, key, retrieval, filters: &[] };
            assert_eq!(offline_operation(operation(id).unwrap()), Some(expected), "{id}");
        }
    }

    #[test]
    fn only_reads_are_answered() {
        let answered: Vec<&Operation> =
            OPERATIONS.iter().filter(|operation| offline_operation(operation).is_some()).collect();
        assert_eq!(answered.len(), 45);
        assert!(answered.iter().all(|operation| operation.effect == Effect::Read));
    }
}
