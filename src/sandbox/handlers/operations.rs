//! What every module of handlers declares: the operations it implements.

use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::HandlerResult;
use crate::sandbox::workspace::Workspace;

/// Implements one operation.
pub type Handler = fn(&mut Workspace, &ApiRequest) -> HandlerResult;

/// Defines the operations of a module and their handlers.
macro_rules! operations {
    ($($id:literal => $handler:expr),+ $(,)?) => {
        pub fn handler_for(operation_id: &str) -> Option<$crate::sandbox::handlers::operations::Handler> {
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
pub(super) use operations;
