//! One handler per operation, looked up by operation id.
//!
//! A handler receives a validated request and may rely on the types in the operation table. It reads or changes
//! the workspace, and must know nothing about HTTP.

mod admins;
mod articles;
mod companies;
mod contact_links;
mod contacts;
mod conversation_links;
mod conversations;
mod custom_objects;
mod data;
mod operations;
mod plain;
mod tags;
mod ticket_types;
mod tickets;

use self::operations::Handler;

/// The handler of an operation, or `None` if the sandbox does not implement it.
pub fn handler_for(operation_id: &str) -> Option<Handler> {
    [
        admins::handler_for,
        articles::handler_for,
        companies::handler_for,
        contact_links::handler_for,
        contacts::handler_for,
        conversation_links::handler_for,
        conversations::handler_for,
        custom_objects::handler_for,
        data::handler_for,
        plain::handler_for,
        tags::handler_for,
        ticket_types::handler_for,
        tickets::handler_for,
    ]
    .iter()
    .find_map(|handler_in_module| handler_in_module(operation_id))
}
