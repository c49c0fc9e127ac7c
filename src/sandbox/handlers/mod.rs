//! One handler per operation, looked up by operation id.
//!
//! A handler receives a validated request and may rely on the types in the operation table. It reads or changes
//! the workspace, and must know nothing about HTTP.

mod admins;
mod article_drafts;
mod article_versions;
mod articles;
mod audiences;
mod brands;
mod call_search;
mod companies;
mod company_notes;
mod contact_banners;
mod contact_links;
mod contact_merges;
mod contacts;
mod content_bulk_actions;
mod content_search;
mod content_snippets;
mod content_tags;
mod conversation_attributes;
mod conversation_links;
mod conversation_merges;
mod conversations;
mod custom_objects;
mod data;
mod data_connectors;
mod deleted_conversations;
mod fin;
mod fin_voice;
mod handling;
mod help_center_redirects;
mod ip_allowlist;
mod jobs;
mod macros;
mod message_status;
mod office_hours;
mod operations;
mod plain;
mod reporting_export;
mod side_conversations;
mod tags;
mod ticket_links;
mod ticket_types;
mod tickets;

pub use self::articles::document as article_document;
use self::operations::Handler;

/// The handler of an operation, or `None` if the sandbox does not implement it.
pub fn handler_for(operation_id: &str) -> Option<Handler> {
    [
        admins::handler_for,
        article_drafts::handler_for,
        article_versions::handler_for,
        articles::handler_for,
        brands::handler_for,
        call_search::handler_for,
        companies::handler_for,
        company_notes::handler_for,
        audiences::handler_for,
        contact_banners::handler_for,
        contact_links::handler_for,
        contact_merges::handler_for,
        contacts::handler_for,
        content_bulk_actions::handler_for,
        content_search::handler_for,
        content_snippets::handler_for,
        content_tags::handler_for,
        conversation_attributes::handler_for,
        conversation_links::handler_for,
        conversation_merges::handler_for,
        conversations::handler_for,
        custom_objects::handler_for,
        data::handler_for,
        data_connectors::handler_for,
        fin::handler_for,
        fin_voice::handler_for,
        handling::handler_for,
        ip_allowlist::handler_for,
        jobs::handler_for,
        message_status::handler_for,
        office_hours::handler_for,
        plain::handler_for,
        reporting_export::handler_for,
        deleted_conversations::handler_for,
        help_center_redirects::handler_for,
        macros::handler_for,
        side_conversations::handler_for,
        tags::handler_for,
        ticket_links::handler_for,
        ticket_types::handler_for,
        tickets::handler_for,
    ]
    .iter()
    .find_map(|handler_in_module| handler_in_module(operation_id))
}
