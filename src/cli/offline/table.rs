//! The commands that the mirror supports, and how it runs them.
//!
//! Commands and parameters missing here must be refused, because the result would differ from the workspace's.

use crate::api::operation::Operation;
use crate::mirror::ResourceName;

/// How the mirror runs an operation.
pub(super) struct OfflineCommand {
    operation: &'static str,
    resource: &'static str,
    pub retrieval: Retrieval,
    pub filters: &'static [(&'static str, QueryFilter)],
}

pub(super) enum Retrieval {
    /// All records, under this key.
    List(&'static str),
    /// The records that match a search, under this key.
    Search(&'static str),
    /// The record whose column has the value in the path.
    One(&'static str),
    /// All records or, with one of these parameters, the record with its value in the column of the same name.
    ListUnless(&'static [&'static str], &'static str),
    /// The records that match an SQL condition, under this key. `?` is the id in the path.
    Linked(&'static str, &'static str),
    /// The notes of the contact in the path, under this key.
    Notes(&'static str),
}

/// The records that a query parameter selects.
pub(super) enum QueryFilter {
    Is(&'static str),
    From(&'static str),
    Until(&'static str),
    /// Unless the parameter is `true`, records whose column is set are excluded.
    Includes(&'static str),
}

const fn list(operation: &'static str, resource: &'static str, key: &'static str) -> OfflineCommand {
    OfflineCommand { operation, resource, retrieval: Retrieval::List(key), filters: &[] }
}

const fn search(operation: &'static str, resource: &'static str, key: &'static str) -> OfflineCommand {
    OfflineCommand { operation, resource, retrieval: Retrieval::Search(key), filters: &[] }
}

const fn one(operation: &'static str, resource: &'static str) -> OfflineCommand {
    OfflineCommand { operation, resource, retrieval: Retrieval::One("id"), filters: &[] }
}

const fn linked(operation: &'static str, resource: &'static str, condition: &'static str) -> OfflineCommand {
    OfflineCommand { operation, resource, retrieval: Retrieval::Linked("data", condition), filters: &[] }
}

static OFFLINE_COMMANDS: &[OfflineCommand] = &[
    list("ListContacts", "contacts", "data"),
    search("SearchContacts", "contacts", "data"),
    one("ShowContact", "contacts"),
    OfflineCommand {
        operation: "ShowContactByExternalId",
        resource: "contacts",
        retrieval: Retrieval::One("external_id"),
        filters: &[],
    },
    linked("listTagsForAContact", "tags", "id IN (SELECT tag_id FROM contact_tags WHERE contact_id = ?)"),
    linked(
        "listCompaniesForAContact",
        "companies",
        "id IN (SELECT company_id FROM contact_companies WHERE contact_id = ?)",
    ),
    linked(
        "listSegmentsForAContact",
        "segments",
        "id IN (SELECT segment_id FROM contact_segments WHERE contact_id = ?)",
    ),
    linked(
        "listSubscriptionsForAContact",
        "subscription_types",
        "id IN (SELECT subscription_id FROM contact_subscriptions WHERE contact_id = ?)",
    ),
    linked(
        "ListAttachedContacts",
        "contacts",
        "id IN (SELECT contact_id FROM contact_companies WHERE company_id = ?)",
    ),
    OfflineCommand {
        operation: "listNotes",
        resource: "contacts",
        retrieval: Retrieval::Notes("data"),
        filters: &[],
    },
    list("listAllCompanies", "companies", "data"),
    list("scrollOverAllCompanies", "companies", "data"),
    OfflineCommand {
        operation: "retrieveCompany",
        resource: "companies",
        retrieval: Retrieval::ListUnless(&["company_id", "name"], "data"),
        filters: &[],
    },
    one("RetrieveACompanyById", "companies"),
    list("listConversations", "conversations", "conversations"),
    search("searchConversations", "conversations", "conversations"),
    one("retrieveConversation", "conversations"),
    search("searchTickets", "tickets", "tickets"),
    one("getTicket", "tickets"),
    list("listArticles", "articles", "data"),
    one("retrieveArticle", "articles"),
    list("listAllCollections", "collections", "data"),
    one("retrieveCollection", "collections"),
    list("listHelpCenters", "help_centers", "data"),
    one("retrieveHelpCenter", "help_centers"),
    list("listInternalArticles", "internal_articles", "data"),
    one("retrieveInternalArticle", "internal_articles"),
    list("listNewsItems", "news_items", "data"),
    one("retrieveNewsItem", "news_items"),
    list("listAdmins", "admins", "admins"),
    one("retrieveAdmin", "admins"),
    list("listTeams", "teams", "teams"),
    one("retrieveTeam", "teams"),
    list("listTags", "tags", "data"),
    one("findTag", "tags"),
    list("listSegments", "segments", "segments"),
    one("retrieveSegment", "segments"),
    OfflineCommand {
        operation: "lisDataAttributes",
        resource: "data_attributes",
        retrieval: Retrieval::List("data"),
        filters: &[
            ("model", QueryFilter::Is("model")),
            ("include_archived", QueryFilter::Includes("archived")),
        ],
    },
    list("listSubscriptionTypes", "subscription_types", "data"),
    list("listTicketTypes", "ticket_types", "data"),
    one("getTicketType", "ticket_types"),
    list("listTicketStates", "ticket_states", "data"),
    list("listCalls", "calls", "data"),
    one("showCall", "calls"),
    OfflineCommand {
        operation: "listActivityLogs",
        resource: "activity_logs",
        retrieval: Retrieval::List("activity_logs"),
        filters: &[
            ("created_at_after", QueryFilter::From("created_at")),
            ("created_at_before", QueryFilter::Until("created_at")),
        ],
    },
];

/// How the mirror runs an operation, and its resource; `None` if it does not support it.
pub(super) fn offline_command(operation: &Operation) -> Option<(&'static OfflineCommand, ResourceName)> {
    let command = OFFLINE_COMMANDS.iter().find(|command| command.operation == operation.id)?;
    Some((command, command.resource.parse().ok()?))
}
