//! One function per operation, found by operation id.
//!
//! A handler gets a call that fits the operation table, and may rely on the types it promises. It
//! answers from the workspace or changes it, and never looks at HTTP.

mod admins;
mod articles;
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
use super::answer::{Answer, Problem};
use super::request::Request;
use super::workspace::Workspace;

/// What answers one operation.
pub type Handler = fn(&mut Workspace, &Request) -> Outcome;

pub type Outcome = Result<Answer, Problem>;

/// The handler of an operation; `None` for what the sandbox does not model.
pub fn find(operation_id: &str) -> Option<Handler> {
    [
        admins::find,
        articles::find,
        collections::find,
        companies::find,
        contact_links::find,
        contacts::find,
        conversations::find,
        conversation_links::find,
        internal_articles::find,
        messages::find,
        news::find,
        setup::find,
        tags::find,
        ticket_types::find,
        tickets::find,
    ]
    .iter()
    .find_map(|family| family(operation_id))
}

/// Writes a family's table of operation ids and handlers.
macro_rules! family {
    ($($id:literal => $handler:expr),+ $(,)?) => {
        pub fn find(operation_id: &str) -> Option<$crate::sandbox::handlers::Handler> {
            match operation_id {
                $($id => Some($handler),)+
                _ => None,
            }
        }

        #[cfg(test)]
        #[test]
        fn every_id_is_in_the_table() {
            for id in [$($id),+] {
                assert!(crate::api::commands::OPERATIONS.iter().any(|row| row.id == id), "{id}");
            }
        }
    };
}
use family;
