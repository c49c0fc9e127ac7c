//! Errors as an agent gets them: a result that says what went wrong and what to do next.

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::cli::commands::Effect;
use crate::cli::error::Error;

/// A call that was not permitted.
pub fn not_permitted(words: &str, effect: Effect) -> CallToolResult {
    let (what, flag) = match effect {
        Effect::Destructive => ("overwrites or removes something", "--allow-writes --allow-destructive"),
        Effect::Write => ("changes the workspace", "--allow-writes"),
        _ => return terminal(words),
    };
    of(&json!({
        "kind": "not_permitted",
        "message": format!("{words} {what}, and this server does not allow that"),
        "hint": format!("ask the owner to start the server with {flag}; reading works as it is"),
    }))
}

/// A command that is for people.
fn terminal(words: &str) -> CallToolResult {
    of(&json!({
        "kind": "not_permitted",
        "message": format!("{words} is a command for a terminal"),
        "hint": format!("ask the owner to run `intercom-pp-cli {words}`"),
    }))
}

/// A command that was called through the tool for another effect.
pub fn wrong_tool(words: &str, tool: &str) -> CallToolResult {
    of(&json!({
        "kind": "usage",
        "message": format!("{words} is not for this tool"),
        "hint": format!("call {tool} with the same command and arguments"),
    }))
}

/// A command that does not exist; `near` are those that come close.
pub fn no_command(name: &str, near: &[String]) -> CallToolResult {
    let hint = match near {
        [] => "find the command for a need with search_commands".to_owned(),
        near => format!("did you mean {}? search_commands finds others", near.join(", ")),
    };
    of(&json!({ "kind": "not_found", "message": format!("there is no command {name:?}"), "hint": hint }))
}

/// What went wrong before a command could run.
pub fn usage(error: &Error) -> CallToolResult {
    CallToolResult::structured_error(error.as_json())
}

/// A result that is an error with these fields.
pub fn of(error: &Value) -> CallToolResult {
    CallToolResult::structured_error(json!({ "error": error }))
}
