//! One handler per operation, looked up by operation id.
//!
//! A handler receives a validated request and may rely on the types in the operation table. It reads or changes
//! the workspace, and must know nothing about HTTP.

mod admins;
mod articles;
mod calls;
mod collections;
mod companies;
mod contact_links;
mod contacts;
mod conversation_links;
mod conversations;
mod internal_articles;
mod messages;
mod news;
mod setup;
mod tags;
mod ticket_types;
mod tickets;

pub use self::ticket_types::default_attributes;
use super::request::Request;
use super::response::{ErrorResponse, SuccessResponse};
use super::workspace::Workspace;

/// Implements one operation.
pub type Handler = fn(&mut Workspace, &Request) -> HandlerResult;

pub type HandlerResult = Result<SuccessResponse, ErrorResponse>;

/// The handler of an operation, or `None` if the sandbox does not implement it.
pub fn handler_for(operation_id: &str) -> Option<Handler> {
    [
        admins::handler_for,
        articles::handler_for,
        calls::handler_for,
        collections::handler_for,
        companies::handler_for,
        contact_links::handler_for,
        contacts::handler_for,
        conversations::handler_for,
        conversation_links::handler_for,
        internal_articles::handler_for,
        messages::handler_for,
        news::handler_for,
        setup::handler_for,
        tags::handler_for,
        ticket_types::handler_for,
        tickets::handler_for,
    ]
    .iter()
    .find_map(|handler_in_module| handler_in_module(operation_id))
}

/// Defines the operations of a module and their handlers.
macro_rules! operations {
    ($($id:literal => $handler:expr),+ $(,)?) => {
        pub fn handler_for(operation_id: &str) -> Option<$crate::sandbox::handlers::Handler> {
            match operation_id {
                $($id => Some($handler),)+
                _ => None,
            }
        }

        #[cfg(test)]
        #[test]
        fn every_operation_id_is_in_the_table() {
            for id in [$($id),+] {
                assert!(crate::api::commands::OPERATIONS.iter().any(|operation| operation.id == id), "{id}");
            }
        }
    };
}
use operations;
