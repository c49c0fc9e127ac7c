//! Which commands the mirror can answer, and how, as data.
//!
//! A command that is not here, and a parameter that is not named here, must be refused: the answer would
//! be another one than the workspace's.

use crate::api::operation::Operation;
use crate::mirror::ResourceName;

/// How a command of the table is answered from the mirror.
pub(super) struct Local {
    operation: &'static str,
    resource: &'static str,
    pub answer: Answer,
    pub filters: &'static [(&'static str, Filter)],
}

pub(super) enum Answer {
    /// All records, under this key.
    List(&'static str),
    /// The records that a search describes, under this key.
    Search(&'static str),
    /// The record whose column holds the value of the path.
    One(&'static str),
    /// All records, or the one whose column of the same name holds the value of one of these parameters.
    ListUnless(&'static [&'static str], &'static str),
    /// Under this key those that fit the condition, whose `?` is the id in the path.
    Linked(&'static str, &'static str),
    /// The notes of the contact in the path, under this key.
    Notes(&'static str),
}

/// What a parameter of the query chooses.
pub(super) enum Filter {
    Is(&'static str),
    From(&'static str),
    Until(&'static str),
    /// Without it, records whose column is set are left out.
    Includes(&'static str),
}

const fn list(operation: &'static str, resource: &'static str, key: &'static str) -> Local {
    Local { operation, resource, answer: Answer::List(key), filters: &[] }
}

const fn search(operation: &'static str, resource: &'static str, key: &'static str) -> Local {
    Local { operation, resource, answer: Answer::Search(key), filters: &[] }
}

const fn one(operation: &'static str, resource: &'static str) -> Local {
    Local { operation, resource, answer: Answer::One("id"), filters: &[] }
}

const fn linked(operation: &'static str, resource: &'static str, condition: &'static str) -> Local {
    Local { operation, resource, answer: Answer::Linked("data", condition), filters: &[] }
}

static LOCAL: &[Local] = &[
    list("ListContacts", "contacts", "data"),
    search("SearchContacts", "contacts", "data"),
    one("ShowContact", "contacts"),
    Local {
        operation: "ShowContactByExternalId",
        resource: "contacts",
        answer: Answer::One("external_id"),
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
    Local { operation: "listNotes", resource: "contacts", answer: Answer::Notes("data"), filters: &[] },
    list("listAllCompanies", "companies", "data"),
    list("scrollOverAllCompanies", "companies", "data"),
    Local {
        operation: "retrieveCompany",
        resource: "companies",
        answer: Answer::ListUnless(&["company_id", "name"], "data"),
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
    Local {
        operation: "lisDataAttributes",
        resource: "data_attributes",
        answer: Answer::List("data"),
        filters: &[("model", Filter::Is("model")), ("include_archived", Filter::Includes("archived"))],
    },
    list("listSubscriptionTypes", "subscription_types", "data"),
    list("listTicketTypes", "ticket_types", "data"),
    one("getTicketType", "ticket_types"),
    list("listTicketStates", "ticket_states", "data"),
    list("listCalls", "calls", "data"),
    one("showCall", "calls"),
    Local {
        operation: "listActivityLogs",
        resource: "activity_logs",
        answer: Answer::List("activity_logs"),
        filters: &[
            ("created_at_after", Filter::From("created_at")),
            ("created_at_before", Filter::Until("created_at")),
        ],
    },
];

/// How a command is answered, and from which resource; `None` when it cannot be.
pub(super) fn local(operation: &Operation) -> Option<(&'static Local, ResourceName)> {
    let local = LOCAL.iter().find(|local| local.operation == operation.id)?;
    Some((local, local.resource.parse().ok()?))
}
