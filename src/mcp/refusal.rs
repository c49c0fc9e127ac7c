//! Errors as an agent gets them: a result that says what went wrong and what to do next.

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::cli::effect::Effect;
use crate::cli::error::Error;

/// What only the owner of the server can set.
const OWNERS: [&str; 11] = [
    "INTERCOM_",
    "set-token",
    "--api-version",
    "--base-url",
    "--config",
    "--db",
    "--deliver",
    "--header",
    "--profile",
    "--rate-limit",
    "--timeout",
];

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
pub fn usage(words: &str, error: &Error) -> CallToolResult {
    let mut told = error.as_json();
    for_agents(&mut told["error"], words);
    CallToolResult::structured_error(told)
}

/// Puts the hint of a command's error, which is written for people at a terminal, into what an agent can do.
pub fn for_agents(error: &mut Value, words: &str) {
    if let Some(hint) = error["hint"].as_str().map(|hint| translated(hint, words)) {
        error["hint"] = json!(hint);
    }
}

fn translated(hint: &str, words: &str) -> String {
    if hint.contains("`intercom-pp-cli which") {
        return "find the command for a need with search_commands".to_owned();
    }
    if hint.contains("filter --help") {
        return "read the resource intercom://filter/grammar".to_owned();
    }
    if hint.contains("--help") {
        return format!("see describe_command with command {words:?}");
    }
    // Written for this server already.
    if hint.contains("--root") {
        return hint.to_owned();
    }
    let owners = |clause: &&str| OWNERS.iter().any(|flag| clause.contains(flag));
    let clauses = hint.split("; ").filter_map(|clause| {
        let kept: Vec<&str> = clause.split(", or ").filter(|it| !owners(it)).collect();
        (!kept.is_empty()).then(|| kept.join(", or "))
    });
    let clauses: Vec<String> = clauses.collect();
    if clauses.is_empty() {
        return format!("tell the owner of this server: {}", hint.replace("intercom-pp-cli ", ""));
    }
    let hint = clauses.join("; ");
    let quoted = hint.split('`').enumerate().map(|(at, text)| match at % 2 {
        1 => format!("`{}`", text.trim_start_matches("intercom-pp-cli ")),
        _ => as_arguments(text),
    });
    quoted.collect()
}

/// Flags under the names that they have as arguments.
fn as_arguments(text: &str) -> String {
    let mut pieces = text.split("--");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let end =
            piece.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '-').unwrap_or(piece.len());
        format!("{text}{}{}", piece[..end].replace('-', "_"), &piece[end..])
    })
}

/// A result that is an error with these fields.
pub fn of(error: &Value) -> CallToolResult {
    CallToolResult::structured_error(json!({ "error": error }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_speak_of_what_an_agent_can_do() {
        for (hint, expected) in [
            (
                "add --help to the command to see what it takes",
                "see describe_command with command \"tags list\"",
            ),
            ("look at the request with --dry-run", "look at the request with dry_run"),
            ("run `intercom-pp-cli sync` first, or ask with --live", "run `sync` first, or ask with live"),
            ("run `intercom-pp-cli sync` first, or name the mirror with --db", "run `sync` first"),
            ("ask the owner for --root FOLDER", "ask the owner for --root FOLDER"),
            ("lower --rate-limit", "tell the owner of this server: lower --rate-limit"),
            ("check the id", "check the id"),
        ] {
            assert_eq!(translated(hint, "tags list"), expected);
        }
    }
}
