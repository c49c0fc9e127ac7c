//! Errors as an agent gets them: a result that says what went wrong and what to do next.

use serde_json::{Value, json};

use super::options::Options;
use super::run::Ended;
use crate::cli::consent::UNASKED;
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

/// What helps where the settings forbid changes.
const READ_ONLY: &str = "this server is in read-only mode: only its owner can end that, with the setting read_only, --read-only or \
                         INTERCOM_READ_ONLY; reading works as it is";

/// A call that was not permitted.
pub fn not_permitted(words: &str, effect: Effect, options: &Options) -> Value {
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
        "hint": match options.read_only {
            true => READ_ONLY.to_owned(),
            false => format!("ask the owner to start the server with {flag}; reading works as it is"),
        },
    })
}

/// A call that would change more records than writing allows.
pub fn too_many(words: &str, ended: &Ended) -> Value {
    let error = ended.error.as_ref();
    let reason = error.and_then(|error| error["message"].as_str()).unwrap_or_default();
    let reason = reason.split(": ").next().unwrap_or_default();
    json!({
        "kind": "not_permitted",
        "message": format!("{words} would change more than {UNASKED} records ({reason}), and this server does not allow that"),
        "hint": "change fewer with limit, or ask the owner to start the server with --allow-writes --allow-destructive",
    })
}

/// A command that is for people.
fn terminal(words: &str) -> Value {
    json!({
        "kind": "not_permitted",
        "message": format!("{words} is a command for a terminal"),
        "hint": format!("ask the owner to run `intercom-pp-cli {words}`"),
    })
}

/// A command that was called through the tool for another effect.
pub fn wrong_tool(words: &str, tool: &str) -> Value {
    json!({
        "kind": "usage",
        "message": format!("{words} is not for this tool"),
        "hint": format!("call {tool} with the same command and arguments"),
    })
}

/// A command that does not exist; `near` are those that come close.
pub fn no_command(name: &str, near: &[String]) -> Value {
    let hint = match near {
        [] => "find the command for a need with search_commands".to_owned(),
        near => format!("did you mean {}? search_commands finds others", near.join(", ")),
    };
    json!({ "kind": "not_found", "message": format!("there is no command {name:?}"), "hint": hint })
}

/// What went wrong before a command could run.
pub fn usage(words: &str, error: &Error) -> Value {
    let mut told = error.as_json()["error"].take();
    for_agents(&mut told, words);
    told
}

/// Puts the hint of a command's error, which is written for people at a terminal, into what an agent can do.
pub fn for_agents(error: &mut Value, words: &str) {
    // What is missing, or given twice, is named as it is given here.
    let is_about_arguments =
        |text: &&str| text.starts_with("missing: ") || text.contains(" contradict each other: ");
    if let Some(message) = error["message"].as_str().filter(is_about_arguments).map(as_arguments) {
        error["message"] = json!(message);
    }
    if let Some(message) = error["message"].as_str().and_then(parsed) {
        error["message"] = json!(message);
    }
    // A filter says the same in fewer words.
    if error["message"] == "missing: query" && words.ends_with("search") {
        error["message"] = json!("missing: where, or query");
    }
    if let Some(hint) = next_step(error, words) {
        error["hint"] = json!(hint);
        return;
    }
    if let Some(hint) = error["hint"].as_str().map(|hint| translated(hint, words)) {
        error["hint"] = json!(hint);
    }
}

/// What helps where the command's own hint would not lead on.
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

/// The message of the command line's parser in the words of an agent's arguments; `None` for any other message.
fn parsed(message: &str) -> Option<String> {
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
    let said = [
        ("invalid digit found in string", "expected a whole number, not below zero"),
        ("number too large to fit in target type", "the number is too large"),
        ("cannot be used with", "cannot be combined with"),
    ];
    Some(said.iter().fold(words, |words, (parser, ours)| words.replace(parser, ours)))
}

/// What a command said to people, for an agent.
pub fn said(line: &str) -> String {
    match line.starts_with("showing ") {
        true => as_arguments(line),
        false => line.to_owned(),
    }
}

fn translated(hint: &str, words: &str) -> String {
    // Without a token only the owner can help, and needs to know where it is looked up.
    if hint.contains("INTERCOM_ACCESS_TOKEN") {
        return "ask the owner of this server to put an access token into the environment of its entry in the client's \
                configuration (\"env\": {\"INTERCOM_ACCESS_TOKEN\": \"...\"}), and to restart it; search_commands and describe_command need no token"
            .to_owned();
    }
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
    fn the_parser_speaks_of_arguments_and_not_of_flags() {
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
            assert_eq!(parsed(message).as_deref(), Some(expected));
        }
        assert_eq!(parsed("there is no team 'x'"), None);
    }

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
