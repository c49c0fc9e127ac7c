//! Errors for agents: what went wrong and what to do next, in terms of tools and arguments instead of flags.
//!
//! Works on the data of an error and its hint, never on their texts, which are for people.

use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::{Map, Value, json};

use super::options::ServerOptions;
use super::run::CommandFailure;
use crate::cli::consent::UNASKED;
use crate::cli::error::{Error, Exit, Hint, HintPiece, HintTopic};
use crate::cli::registry::Effect;
use crate::cli::streams::Notice;
use crate::mirror;

/// The error of a command, as an agent gets it.
pub struct ErrorResult {
    pub value: Value,
    /// Its fields that may contain foreign text: messages quote names and API errors.
    pub untrusted: Vec<&'static str>,
}

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

/// A call that would change more records than `--allow-writes` permits. `action` is what it would do.
pub fn too_many(words: &str, action: &str) -> Value {
    json!({
        "kind": "not_permitted",
        "message": format!("{words} would change more than {UNASKED} records ({action}), and this server does not allow that"),
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
    for_agents(error, words, &Map::new())
}

/// The error of a command that was called with these arguments.
pub fn of_command(failure: &CommandFailure, words: &str, given: &Map<String, Value>) -> ErrorResult {
    match failure {
        CommandFailure::Server(value) => {
            ErrorResult { value: value.clone(), untrusted: vec!["error.message"] }
        }
        CommandFailure::Command(error) => {
            let value = for_agents(error, words, given);
            let untrusted = untrusted_fields(error, &value);
            ErrorResult { value, untrusted }
        }
    }
}

fn untrusted_fields(error: &Error, value: &Value) -> Vec<&'static str> {
    let has = |name: &str| value[name].as_str().is_some_and(|text| !text.is_empty());
    let is_from_api = !value["http_status"].is_null();
    let quotes_names = error.hint().is_some_and(|hint| hint.has_names());
    [
        ("error.message", has("message") && !matches!(error, Error::NoToken)),
        ("error.hint", has("hint") && quotes_names),
        ("error.code", is_from_api && has("code")),
        ("error.request_id", is_from_api && has("request_id")),
    ]
    .into_iter()
    .filter_map(|(field, is_untrusted)| is_untrusted.then_some(field))
    .collect()
}

/// A command's error, which is written for people at a terminal, for agents.
fn for_agents(error: &Error, words: &str, given: &Map<String, Value>) -> Value {
    let mut value = error.as_json()["error"].take();
    if let Some(message) = message(error, words) {
        value["message"] = json!(message);
    }
    let hint = next_step(error, words, given).map(str::to_owned);
    if let Some(hint) = hint.or_else(|| Some(agent_hint(&error.hint()?, words))) {
        value["hint"] = json!(hint);
    }
    value
}

/// The message of an error that names arguments; `None` for any other error.
fn message(error: &Error, words: &str) -> Option<String> {
    match error {
        // `where` is shorter than `query` and does the same.
        Error::MissingArguments { flags, .. } if *flags == ["query"] && words.ends_with("search") => {
            Some("missing: where, or query".to_owned())
        }
        Error::MissingArguments { flags, .. } => {
            let names: Vec<String> = flags.iter().map(|flag| argument_name(flag)).collect();
            Some(format!("missing: {}", names.join(", ")))
        }
        Error::Contradiction { whole, part, values } => Some(format!(
            "{} and {} contradict each other: {} and {}",
            argument_name(whole),
            argument_name(part),
            values.0,
            values.1
        )),
        Error::Clap(error) => parser_message(error),
        _ => None,
    }
}

/// A better hint than the command's own, for errors that agents often make.
fn next_step(error: &Error, words: &str, given: &Map<String, Value>) -> Option<&'static str> {
    let id = given.get("id").and_then(Value::as_str).unwrap_or_default();
    let names_address = id.contains('@') || id.contains("%40");
    match words {
        "contacts show" if error.exit() == Exit::NotFound && names_address => {
            Some("contact 360 finds a person by email address, and contacts search takes email in where")
        }
        "sql" if matches!(error, Error::Mirror(mirror::Error::UnknownName(_))) => Some(
            "read the resource intercom://mirror/schema for the tables and columns, or call sql with schema: true",
        ),
        _ => None,
    }
}

/// An error of the command-line parser, in terms of arguments; `None` to keep its message.
fn parser_message(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let texts = |kind| match error.get(kind) {
        Some(ContextValue::Strings(texts)) => texts.as_slice(),
        _ => &[],
    };
    let argument = text(ContextKind::InvalidArg).map(shown_argument);
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(ContextKind::InvalidArg).iter().filter(|usage| usage.starts_with("--"));
            let names: Vec<String> = missing.map(|usage| shown_argument(usage)).collect();
            Some(format!("missing: {}", names.join(", ")))
        }
        ErrorKind::UnknownArgument => Some(format!("unexpected argument {} found", argument?)),
        ErrorKind::ArgumentConflict => {
            let argument = argument?;
            Some(match error.get(ContextKind::PriorArg) {
                Some(ContextValue::String(prior)) if text(ContextKind::InvalidArg) == Some(prior) => {
                    format!("the argument {argument} cannot be used multiple times")
                }
                Some(ContextValue::String(prior)) => {
                    format!("the argument {argument} cannot be combined with {}", shown_argument(prior))
                }
                Some(ContextValue::Strings(priors)) => {
                    let priors: String = priors.iter().map(|prior| format!("\n  {prior}")).collect();
                    format!("the argument {argument} cannot be combined with:{priors}")
                }
                _ => {
                    format!(
                        "the argument {argument} cannot be combined with one or more of the other specified arguments"
                    )
                }
            })
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = text(ContextKind::InvalidValue).filter(|value| !value.is_empty())?;
            let reason = error.source().map(|source| format!(": {}", value_reason(source)));
            let choices = match texts(ContextKind::ValidValue) {
                [] => String::new(),
                choices => format!("\n  [possible values: {}]", choices.join(", ")),
            };
            Some(format!("invalid value {value:?} for {}{}{choices}", argument?, reason.unwrap_or_default()))
        }
        _ => None,
    }
}

/// Why the parser does not accept a value.
fn value_reason(source: &(dyn std::error::Error + 'static)) -> String {
    match source.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
        Some(IntErrorKind::InvalidDigit) => "expected a whole number, not below zero".to_owned(),
        Some(IntErrorKind::PosOverflow) => "the number is too large".to_owned(),
        _ => source.to_string(),
    }
}

/// An argument as the parser shows it, for example `--max-rows <N>`, by its name.
fn shown_argument(usage: &str) -> String {
    match usage.strip_prefix("--").or_else(|| usage.strip_prefix('<')) {
        Some(rest) => {
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            argument_name(rest[..end].trim_matches(['<', '>', '.']))
        }
        None => format!("{usage:?}"),
    }
}

/// The name of the argument for a flag without its dashes.
fn argument_name(flag: &str) -> String {
    flag.replace('-', "_")
}

/// A notice for agents; `None` for progress events, which the client gets while the command runs.
pub fn notice(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Text(text) => Some(text.clone()),
        Notice::Advice(text, advice) => Some(format!("{text}; {}", advice.render(|_| true, agent_piece))),
        Notice::Event(_) => None,
    }
}

/// A hint with what an agent can do, or else with what its owner can.
fn agent_hint(hint: &Hint, words: &str) -> String {
    match hint.topic {
        // Only the owner can provide a token, and needs to know where the server reads it.
        HintTopic::MissingToken => {
            "ask the owner of this server to add an access token to its environment in the client's configuration \
             (\"env\": {\"INTERCOM_ACCESS_TOKEN\": \"...\"}) and to restart it; search_commands and describe_command need no token"
                .to_owned()
        }
        HintTopic::FindCommand => SEARCH_HINT.to_owned(),
        HintTopic::FilterLanguage => "read the resource intercom://filter/grammar".to_owned(),
        HintTopic::Arguments => format!("see describe_command with command {words:?}"),
        HintTopic::Steps if hint.is_for_owner() => {
            format!("ask the owner of this server: {}", hint.render(|_| true, owner_piece))
        }
        HintTopic::Steps => hint.render(|alternative| !alternative.is_for_owner, agent_piece),
    }
}

/// Commands and arguments as an agent calls them.
fn agent_piece(piece: &HintPiece) -> String {
    match piece {
        HintPiece::Flag(name) => argument_name(name),
        other => owner_piece(other),
    }
}

/// Flags as the owner types them; the program is known.
fn owner_piece(piece: &HintPiece) -> String {
    match piece {
        HintPiece::Command(words) => format!("`{words}`"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command, value_parser};

    #[test]
    fn parser_messages_name_arguments_instead_of_flags() {
        let limit = Arg::new("limit").long("limit").value_name("N").value_parser(value_parser!(u64));
        let max = Arg::new("max-rows").long("max-rows").value_name("N").required(true);
        let tag = Arg::new("tag").long("tag").value_name("NAME").required(true);
        let team = Arg::new("team").long("team").value_name("NAME|ID").conflicts_with("admin");
        let admin = Arg::new("admin").long("admin").value_name("NAME");
        let region = Arg::new("region").long("region").value_parser(["us", "eu"]);
        let plain = Command::new("x").args([limit, team, admin, region]);
        let strict = Command::new("x").args([tag, max]);
        for (command, arguments, expected) in [
            (
                &plain,
                &["--limit=-5"][..],
                "invalid value \"-5\" for limit: expected a whole number, not below zero",
            ),
            (&strict, &[], "missing: tag, max_rows"),
            (&plain, &["--team=1", "--admin=2"], "the argument team cannot be combined with admin"),
            (&plain, &["--region=uk"], "invalid value \"uk\" for region\n  [possible values: us, eu]"),
            (&plain, &["--max-age=1"], "unexpected argument max_age found"),
        ] {
            let line = ["x"].iter().chain(arguments);
            let error = command.clone().try_get_matches_from(line).unwrap_err();
            assert_eq!(parser_message(&error).as_deref(), Some(expected));
        }
        let message = message(&Error::usage("missing: something"), "tags list");
        assert_eq!(message, None);
    }

    #[test]
    fn hints_name_only_what_an_agent_can_do() {
        let sync_first = Hint::new("run ").run("sync").text(" first");
        for (hint, expected) in [
            (
                Hint::new("add --help to the command").about(HintTopic::Arguments),
                "see describe_command with command \"tags list\"",
            ),
            (Hint::new("look at the request with ").flag("dry-run"), "look at the request with dry_run"),
            (sync_first.clone().or("ask with ").flag("live"), "run `sync` first, or ask with live"),
            (sync_first.or("name the mirror with ").flag("db").for_owner(), "run `sync` first"),
            (Hint::new("ask the owner for --root FOLDER"), "ask the owner for --root FOLDER"),
            (
                Hint::new("lower ").flag("rate-limit").for_owner(),
                "ask the owner of this server: lower --rate-limit",
            ),
            (
                Hint::new("set a new one with ").run("auth set-token").for_owner(),
                "ask the owner of this server: set a new one with `auth set-token`",
            ),
            (Hint::new("check the id"), "check the id"),
        ] {
            assert_eq!(agent_hint(&hint, "tags list"), expected);
        }
    }

    #[test]
    fn notices_name_arguments_and_omit_events() {
        let advice = Hint::default().flag("max-rows").text(" N for more");
        let partial = Notice::Advice("showing 2 of 9".to_owned(), advice);
        assert_eq!(notice(&partial).as_deref(), Some("showing 2 of 9; max_rows N for more"));
        assert_eq!(notice(&Notice::Event("{}".to_owned())), None);
    }
}
