//! The effect of a request that is given by method and path instead of by operation.
//!
//! The table decides for known operations; for any other path, the words in it decide. Spellings that a
//! server may treat as the same path (case, encoded letters, doubled slashes) must never make a request look
//! harmless.

mod body;
#[path = "../codegen/effect.rs"]
mod words;

pub use body::{DECIDING, effect as of_body, least, records};

use percent_encoding::percent_decode_str;

use super::operation::{Confirm, Effect};
use super::request_builder::operation_at;

/// The effect of a request, and the confirmation it needs.
pub fn of_request(method: &str, path: &str) -> (Effect, Confirm) {
    let path = canonical(path);
    if let Some(operation) = operation_at(method, &path) {
        return (operation.effect, operation.confirm);
    }
    let (reach, confirm) = words::derived(method, &path, "");
    let effect = match reach {
        words::Reach::Read => Effect::Read,
        words::Reach::Add | words::Reach::Write => Effect::Write,
        words::Reach::Destructive => Effect::Destructive,
    };
    let confirm = match confirm {
        words::Confirm::Never => Confirm::Never,
        words::Confirm::Ask => Confirm::Ask,
        words::Confirm::Explicit => Confirm::Explicit,
    };
    (effect, confirm)
}

/// Whether a request is known to change nothing: a GET, or a read in the table whose path is spelled exactly.
pub fn only_reads(method: &str, path: &str) -> bool {
    let is_get = ["GET", "HEAD"].contains(&method);
    let is_known_read = operation_at(method, path).is_some_and(|operation| operation.effect == Effect::Read);
    is_get || (!path.ends_with('/') && is_known_read)
}

/// The path in lower case, decoded, without empty and `.` segments.
fn canonical(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
    let segments = decoded.split('/').filter(|segment| !segment.is_empty() && *segment != ".");
    segments.fold(String::new(), |path, segment| format!("{path}/{segment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusual_spelling_does_not_hide_the_effect() {
        for path in [
            "/contacts/merge",
            "/Contacts/Merge",
            "/contacts//merge/",
            "/contacts/%6Derge",
            "/./contacts/merge",
        ] {
            assert_eq!(of_request("POST", path), (Effect::Destructive, Confirm::Explicit), "{path}");
            assert!(!only_reads("POST", path));
        }
        assert_eq!(of_request("POST", "/contacts/search"), (Effect::Read, Confirm::Never));
        assert!(only_reads("POST", "/contacts/search") && only_reads("GET", "/anything"));
        assert!(!only_reads("POST", "/contacts/search/delete"));
    }

    #[test]
    fn the_words_of_an_unknown_path_decide_its_effect() {
        for (method, path, expected) in [
            ("POST", "/content/bulk_actions", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/contacts/bulk/delete", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/companies/bulk/delete", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/conversations/9/merge", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/data_deletion_requests", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/articles/9/draft/publish", (Effect::Destructive, Confirm::Ask)),
            ("PATCH", "/data_connectors/9", (Effect::Destructive, Confirm::Ask)),
            ("DELETE", "/audiences/9", (Effect::Destructive, Confirm::Explicit)),
            ("POST", "/admins/activity_logs/search", (Effect::Read, Confirm::Never)),
            ("POST", "/conversations/deleted/search", (Effect::Read, Confirm::Never)),
            ("POST", "/tickets/9/retype", (Effect::Write, Confirm::Never)),
            ("POST", "/something/new", (Effect::Write, Confirm::Never)),
        ] {
            assert_eq!(of_request(method, path), expected, "{method} {path}");
        }
    }
}
