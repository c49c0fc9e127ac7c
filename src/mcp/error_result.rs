//! Errors for agents: what went wrong and what to do next, in terms of tools and arguments instead of flags.

use serde_json::{Value, json};

use super::options::ServerOptions;
use super::run::CommandOutcome;
use crate::cli::catalog::Effect;
use crate::cli::consent::UNASKED;
use crate::cli::error::Error;

/// Settings that only the owner of the server can change.
const OWNER_SETTINGS: [&str; 11] = [
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

const SEARCH_HINT: &str = "find a command with search_commands";

/// The hint where the settings forbid changes.
const READ_ONLY: &str = "this server is in read-only mode, which only its owner can turn off, in the setting read_only, --read-only or \
                         INTERCOM_READ_ONLY; reading still works";

/// The server's options do not permit the call.
pub fn not_permitted(words: &str, effect: Effect, options: &ServerOptions) -> Value {
    let (what, flag) = match effect {
        Effect::Destructive => (
            "overwrites, removes, reaches customers, or changes many records",
            "--allow-writes --allow-destructive",
        ),
        Effect::Write => ("changes the workspace", "--allow-writes"),
        _ => return terminal(words),
    };
    json!({
        "kind": "not_permitted",
        "message": format!("{words} {what}, and this server does not allow that"),
        "hint": if options.read_only {
            READ_ONLY.to_owned()
        } else {
            format!("ask the owner to start the server with {flag}; reading still works")
        },
    })
}

/// A call that would change more records than `--allow-writes` permits.
pub fn too_many(words: &str, outcome: &CommandOutcome) -> Value {
    let error = outcome.error.as_ref();
    let reason = error.and_then(|error| error["message"].as_str()).unwrap_or_default();
    let reason = reason.split(": ").next().unwrap_or_default();
    json!({
        "kind": "not_permitted",
        "message": format!("{words} would change more than {UNASKED} records ({reason}), and this server does not allow that"),
        "hint": "change fewer with limit, or ask the owner to start the server with --allow-writes --allow-destructive",
    })
}

/// A command that needs a person at a terminal.
fn terminal(words: &str) -> Value {
    json!({
        "kind": "not_permitted",
        "message": format!("{words} can only run in a terminal"),
        "hint": format!("ask the owner to run `intercom-pp-cli {words}`"),
    })
}

/// A command called through the `run_*` tool of another effect.
pub fn wrong_tool(words: &str, tool: &str) -> Value {
    json!({
        "kind": "usage",
        "message": format!("{words} cannot be run with this tool"),
        "hint": format!("call {tool} with the same command and arguments"),
    })
}

/// An unknown command; `similar` are commands with similar names.
pub fn no_command(name: &str, similar: &[String]) -> Value {
    let hint = match similar {
        [] => SEARCH_HINT.to_owned(),
        similar => format!("did you mean {}? search_commands finds others", similar.join(", ")),
    };
    json!({ "kind": "not_found", "message": format!("unknown command {name:?}"), "hint": hint })
}

/// An error in the arguments, found before the command ran.
pub fn usage(words: &str, error: &Error) -> Value {
    let mut error = error.as_json()["error"].take();
    for_agents(&mut error, words);
    error
}

/// Rewrites a command's error, which is written for people at a terminal, for agents.
pub fn for_agents(error: &mut Value, words: &str) {
    // These messages list arguments by their flags.
    let is_about_arguments =
        |text: &&str| text.starts_with("missing: ") || text.contains(" contradict each other: ");
    if let Some(message) = error["message"].as_str().filter(is_about_arguments).map(as_arguments) {
        error["message"] = json!(message);
    }
    if let Some(message) = error["message"].as_str().and_then(parser_message) {
        error["message"] = json!(message);
    }
    // `where` is shorter than `query` and does the same.
    if error["message"] == "missing: query" && words.ends_with("search") {
        error["message"] = json!("missing: where, or query");
    }
    if let Some(hint) = next_step(error, words) {
        error["hint"] = json!(hint);
        return;
    }
    if let Some(hint) = error["hint"].as_str().map(|hint| agent_hint(hint, words)) {
        error["hint"] = json!(hint);
    }
}

/// A better hint than the command's own, for errors that agents often make.
fn next_step(error: &Value, words: &str) -> Option<&'static str> {
    let message = error["message"].as_str()?;
    let names_address = message.contains('@') || message.contains("%40");
    match words {
        "contacts show" if error["kind"] == "not_found" && names_address => {
            Some("contact 360 finds a person by e-mail address, and contacts search takes email in where")
        }
        "sql" if message.starts_with("no such ") => Some(
            "read the resource intercom://mirror/schema for the tables and columns, or call sql with schema: true",
        ),
        _ => None,
    }
}

/// A message of the command-line parser, in terms of arguments; `None` for any other message.
fn parser_message(message: &str) -> Option<String> {
    let begins =
        ["invalid value '", "the following required arguments", "the argument '", "unexpected argument '"];
    if !begins.iter().any(|begin| message.starts_with(begin)) {
        return None;
    }
    let message = message.split("\n\n").next().unwrap_or_default();
    let name = |flag: &str| {
        let flag = flag.split([' ', '=']).next().unwrap_or_default();
        flag.trim_start_matches("--").trim_matches(['<', '>', '.']).replace('-', "_")
    };
    if let Some((_, missing)) = message.split_once("not provided:") {
        let missing: Vec<String> =
            missing.split_whitespace().filter(|word| !word.starts_with('<')).map(name).collect();
        return Some(format!("missing: {}", missing.join(", ")));
    }
    let words = message.split('\'').enumerate().map(|(at, text)| match at % 2 {
        1 if text.starts_with("--") || text.starts_with('<') => name(text),
        1 => format!("{text:?}"),
        _ => text.to_owned(),
    });
    let words: String = words.collect();
    let phrases = [
        ("invalid digit found in string", "expected a whole number, not below zero"),
        ("number too large to fit in target type", "the number is too large"),
        ("cannot be used with", "cannot be combined with"),
    ];
    Some(phrases.iter().fold(words, |words, (parser, ours)| words.replace(parser, ours)))
}

/// A notice that a command printed for people, for agents.
pub fn notice(line: &str) -> String {
    if line.starts_with("showing ") { as_arguments(line) } else { line.to_owned() }
}

/// A hint for people, rewritten for agents. Depends on the form of the hints: clauses separated by `; ` and
/// `, or `, commands in backticks.
fn agent_hint(hint: &str, words: &str) -> String {
    // Only the owner can provide a token, and needs to know where the server reads it.
    if hint.contains("INTERCOM_ACCESS_TOKEN") {
        return "ask the owner of this server to add an access token to its environment in the client's configuration \
                (\"env\": {\"INTERCOM_ACCESS_TOKEN\": \"...\"}) and to restart it; search_commands and describe_command need no token"
            .to_owned();
    }
    if hint.contains("`intercom-pp-cli which") {
        return SEARCH_HINT.to_owned();
    }
    if hint.contains("filter --help") {
        return "read the resource intercom://filter/grammar".to_owned();
    }
    if hint.contains("--help") {
        return format!("see describe_command with command {words:?}");
    }
    // Already written for this server.
    if hint.contains("--root") {
        return hint.to_owned();
    }
    let is_for_owner = |clause: &&str| OWNER_SETTINGS.iter().any(|flag| clause.contains(flag));
    let clauses = hint.split("; ").filter_map(|clause| {
        let kept: Vec<&str> = clause.split(", or ").filter(|clause| !is_for_owner(clause)).collect();
        (!kept.is_empty()).then(|| kept.join(", or "))
    });
    let clauses: Vec<String> = clauses.collect();
    if clauses.is_empty() {
        return format!("ask the owner of this server: {}", hint.replace("intercom-pp-cli ", ""));
    }
    let hint = clauses.join("; ");
    let quoted = hint.split('`').enumerate().map(|(at, text)| match at % 2 {
        1 => format!("`{}`", text.trim_start_matches("intercom-pp-cli ")),
        _ => as_arguments(text),
    });
    quoted.collect()
}

/// Replaces flags by the names of their arguments.
pub fn as_arguments(text: &str) -> String {
    let mut pieces = text.split("--");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let end =
            piece.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '-').unwrap_or(piece.len());
        format!("{text}{}{}", piece[..end].replace('-', "_"), &piece[end..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parser_messages_name_arguments_instead_of_flags() {
        for (message, expected) in [
            (
                "invalid value '-5' for '--limit <N>': invalid digit found in string\n\nFor more information, try '--help'.",
                "invalid value \"-5\" for limit: expected a whole number, not below zero",
            ),
            (
                "the following required arguments were not provided:\n  --tag <NAME>\n  --max-rows <N>",
                "missing: tag, max_rows",
            ),
            (
                "the argument '--team <NAME|ID>' cannot be used with '--admin <NAME>'",
                "the argument team cannot be combined with admin",
            ),
        ] {
            assert_eq!(parser_message(message).as_deref(), Some(expected));
        }
        assert_eq!(parser_message("unknown team 'x'"), None);
    }

    #[test]
    fn hints_name_only_what_an_agent_can_do() {
        for (hint, expected) in [
            (
                "add --help to the command to see what it accepts",
                "see describe_command with command \"tags list\"",
            ),
            ("look at the request with --dry-run", "look at the request with dry_run"),
            ("run `intercom-pp-cli sync` first, or ask with --live", "run `sync` first, or ask with live"),
            ("run `intercom-pp-cli sync` first, or name the mirror with --db", "run `sync` first"),
            ("ask the owner for --root FOLDER", "ask the owner for --root FOLDER"),
            ("lower --rate-limit", "ask the owner of this server: lower --rate-limit"),
            ("check the id", "check the id"),
        ] {
            assert_eq!(agent_hint(hint, "tags list"), expected);
        }
    }
}
