//! Hints for records that the API does not find, and for values that it rejects.
//!
//! Derived from the request and the error's code and field. Texts of the API only choose between hints, and are never
//! repeated.

use super::hint::Hint;
use crate::api;
use crate::api::commands::OPERATIONS;
use crate::api::error::ApiError;
use crate::api::operation::{Effect, Operation, Paging};
use crate::api::request_builder::operation_at;

/// For 404 and 410: how to find the record.
pub fn not_found(error: &api::Error) -> Hint {
    let Some(error) = error.api_error() else { return Hint::new("check the address") };
    let segments: Vec<&str> = error.path.trim_matches('/').split('/').collect();
    let (collection, id) = (segments[0], segments.get(1).copied().unwrap_or_default());
    if collection == "contacts" && (id.contains('@') || id.contains("%40")) {
        let address = id.replace("%40", "@");
        return Hint::new("this takes an id: ")
            .run(format!("contact 360 {address}"))
            .text(" finds a person by email address")
            .or("")
            .run(format!("contacts search --where 'email = {address}'"));
    }
    // Some collections are below another word, for example `conversations/attributes`.
    let nested = segments.get(..2).map(|two| two.join("/"));
    match nested.as_deref().and_then(listing).or_else(|| listing(collection)) {
        Some(Operation { list: Some(_), paging, .. }) if *paging == Paging::None => Hint::new("check the id"),
        Some(operation) => {
            let words = operation.spellings().next().unwrap_or(operation.command);
            let is_search = operation.path.ends_with("/search");
            let line = if is_search { format!("{words} --where FILTER") } else { words.to_owned() };
            Hint::new("check the id: ").run(line).text(if is_search { " finds them" } else { " lists them" })
        }
        None => Hint::new("check the id"),
    }
}

/// The command that lists the records of a collection, or else the one that searches them.
fn listing(collection: &str) -> Option<&'static Operation> {
    let at = |path: String| {
        OPERATIONS.iter().find(move |operation| operation.path == path && operation.effect == Effect::Read)
    };
    at(format!("/{collection}"))
        .filter(|operation| operation.list.is_some())
        .or_else(|| at(format!("/{collection}/search")))
}

/// Fields of requests, and the command that shows their values.
const VALUES: [(&str, &str); 9] = [
    ("ticket_type", "ticket-types list"),
    ("ticket_state", "ticket-states"),
    ("custom_attribute", "data-attributes list"),
    ("custom attribute", "data-attributes list"),
    ("data attribute", "data-attributes list"),
    ("subscription", "subscription-types"),
    ("segment", "segments list"),
    ("team", "teams list"),
    ("tag", "tags list"),
];

/// For 400 and 422: how to find a value that the API accepts.
pub fn rejected(error: &api::Error) -> Hint {
    let Some(response) = error.api_error() else { return preview() };
    if error.is_about_page_size() {
        return page_size(response);
    }
    let texts = response.errors.iter().map(|problem| {
        format!("{} {}", problem.field.as_deref().unwrap_or_default(), problem.message).to_lowercase()
    });
    let text: String = texts.collect();
    match response.path.trim_end_matches('/') {
        "/contacts/merge" if text.contains("duplicate") => {
            return Hint::new("the contacts share neither email address nor phone number: ")
                .flag("skip-duplicate-validation")
                .text(" merges them anyway, which cannot be undone");
        }
        "/data_attributes" if text.contains("conversation") => {
            return Hint::default()
                .run("api GET /conversations/attributes")
                .text(" lists the attributes of conversations");
        }
        _ => {}
    }
    if ["admin_id", "author_id", "assignee_id", "admin id"].iter().any(|field| text.contains(field)) {
        return Hint::default()
            .run("me")
            .text(" shows your teammate id, and ")
            .run("admins list")
            .text(" those of others");
    }
    match VALUES.iter().find(|(field, _)| text.contains(field)) {
        Some((_, command)) => Hint::default().run(*command).text(" shows the values that exist"),
        None => preview(),
    }
}

fn preview() -> Hint {
    Hint::new("check the request with ").flag("dry-run")
}

fn page_size(error: &ApiError) -> Hint {
    let paging = operation_at(error.method.as_str(), &error.path).map(|operation| operation.paging);
    let most = match paging {
        Some(Paging::Cursor { max } | Paging::CursorInBody { max } | Paging::Page { max }) if max > 0 => {
            format!("a page has at most {max} records: ")
        }
        _ => String::new(),
    };
    Hint::new(most).flag("all").text(" or ").flag("limit").text(" N fetches as many pages as needed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::error::Problem;

    fn error(
        status: u16,
        method: reqwest::Method,
        path: &str,
        message: &str,
        field: Option<&str>,
    ) -> api::Error {
        let problem = Problem { code: None, message: message.to_owned(), field: field.map(str::to_owned) };
        ApiError {
            status,
            method,
            path: path.to_owned(),
            request_id: None,
            errors: vec![problem],
            merged_into: None,
        }
        .into()
    }

    #[test]
    fn a_missing_record_names_the_command_that_lists_it() {
        for (path, hint) in [
            ("/contacts/9", "check the id: `intercom-pp-cli contacts list` lists them"),
            ("/tickets/9", "check the id: `intercom-pp-cli tickets search --where FILTER` finds them"),
            (
                "/conversations/attributes/9",
                "check the id: `intercom-pp-cli conversations attributes list` lists them",
            ),
            ("/nothing/9", "check the id"),
        ] {
            let error = error(404, reqwest::Method::GET, path, "not found", None);
            assert_eq!(not_found(&error).to_string(), hint, "{path}");
        }
        let error = error(404, reqwest::Method::GET, "/contacts/an@e.mail", "not found", None);
        let hint = not_found(&error).to_string();
        assert!(hint.contains("`intercom-pp-cli contact 360 an@e.mail`"), "{hint}");
    }

    #[test]
    fn a_rejected_value_names_the_command_that_shows_the_values() {
        for (message, field, hint) in [
            ("admin_id is missing", None, "`intercom-pp-cli me`"),
            ("Custom attribute 'x' does not exist", None, "`intercom-pp-cli data-attributes list`"),
            ("unknown", Some("ticket_type_id"), "`intercom-pp-cli ticket-types list`"),
            (
                "per_page must be between 1 and 150",
                Some("per_page"),
                "at most 150 records: --all or --limit N",
            ),
            ("bad", None, "--dry-run"),
        ] {
            let error = error(400, reqwest::Method::GET, "/contacts", message, field);
            let shown = rejected(&error).to_string();
            assert!(shown.contains(hint), "{message}: {shown}");
        }
    }

    #[test]
    fn what_newer_versions_refuse_has_its_own_hint() {
        for (method, path, message, hint) in [
            (
                "POST",
                "/contacts/merge",
                "Contacts can only be merged when they are duplicates",
                "--skip-duplicate-validation",
            ),
            (
                "GET",
                "/data_attributes",
                "model=conversation is not supported",
                "`intercom-pp-cli api GET /conversations/attributes`",
            ),
            ("POST", "/contacts/merge", "from is missing", "--dry-run"),
        ] {
            let error = error(400, method.parse().unwrap(), path, message, None);
            let shown = rejected(&error).to_string();
            assert!(shown.contains(hint), "{message}: {shown}");
        }
    }
}
