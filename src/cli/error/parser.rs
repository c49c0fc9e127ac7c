//! What the command-line parser refuses, in the words of this program.
//!
//! The parser's own texts quote differently, repeat the usage, and name the types of the program's source. Only its data
//! are used here; which command or flag was meant is found in `cli/suggestions.rs`.

use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::data::spelling::did_you_mean;

/// What is wrong with a command line, without a hint.
pub fn message(error: &clap::Error) -> String {
    let argument = text(error, ContextKind::InvalidArg).map(|usage| shown(&usage)).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("unknown command {word:?}")
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => format!("unknown flag {argument}"),
        ErrorKind::UnknownArgument => format!("unexpected argument {argument:?}"),
        ErrorKind::MissingRequiredArgument => format!("missing: {}", arguments(error).join(", ")),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "missing: a command".to_owned()
        }
        ErrorKind::ArgumentConflict => conflict(error, &argument),
        ErrorKind::InvalidValue if value.is_empty() => match choices(error).as_slice() {
            [] => format!("{argument}: no value given"),
            choices => format!("{argument}: no value given: expected {}", listed(choices)),
        },
        ErrorKind::InvalidValue => {
            let choices = choices(error);
            let names: Vec<&str> = choices.iter().map(String::as_str).collect();
            let similar = did_you_mean(&value, &names);
            format!("{argument}: invalid value {value:?}: {similar}expected {}", listed(&choices))
        }
        ErrorKind::ValueValidation => match error.source().map(reason) {
            Some(reason) => format!("{argument}: invalid value {value:?}: {reason}"),
            None => format!("{argument}: invalid value {value:?}"),
        },
        ErrorKind::TooManyValues if argument.starts_with("--") => {
            format!("{argument} does not take a value, but got {value:?}")
        }
        ErrorKind::TooManyValues => format!("unexpected argument {value:?}"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{argument}: values are missing"),
        ErrorKind::NoEquals => format!("{argument} takes its value after \"=\""),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        _ => plain(&error.render().to_string()),
    }
}

/// The text of the parser without its prefix and usage.
fn plain(text: &str) -> String {
    let text = text.trim_start_matches("error: ");
    text.split("\n\n").next().unwrap_or_default().trim().to_owned()
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn choices(error: &clap::Error) -> Vec<String> {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(choices)) => choices.clone(),
        _ => Vec::new(),
    }
}

/// The arguments that an error is about, as typed.
fn arguments(error: &clap::Error) -> Vec<String> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(usages)) => usages.iter().map(|usage| shown(usage)).collect(),
        Some(ContextValue::String(usage)) => vec![shown(usage)],
        _ => Vec::new(),
    }
}

/// An argument as typed: `--limit` of `--limit <N>`, `ID` of `<id>`, and each of `<--team <T>|--admin <A>>`.
pub fn shown(usage: &str) -> String {
    if let Some(group) = usage.strip_prefix("<-").and_then(|rest| rest.strip_suffix('>')) {
        let alternatives: Vec<String> = format!("-{group}").split('|').map(shown).collect();
        return alternatives.join(" or ");
    }
    if usage.starts_with('-') {
        return usage.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    }
    match usage.strip_prefix(['<', '[']) {
        Some(name) => name.trim_end_matches(['.', '>', ']']).to_uppercase(),
        None => usage.to_owned(),
    }
}

fn conflict(error: &clap::Error, argument: &str) -> String {
    let prior = match error.get(ContextKind::PriorArg) {
        Some(ContextValue::String(prior)) => vec![shown(prior)],
        Some(ContextValue::Strings(priors)) => priors.iter().map(|prior| shown(prior)).collect(),
        _ => Vec::new(),
    };
    match prior.as_slice() {
        [] => format!("{argument} cannot be combined with other arguments of this command line"),
        [prior] if prior == argument => format!("{argument} is given more than once"),
        priors => format!("{argument} cannot be combined with {}", priors.join(", ")),
    }
}

fn listed(choices: &[String]) -> String {
    match choices {
        [] => "another value".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Why a value is refused, without the names of number types.
fn reason(source: &(dyn std::error::Error + 'static)) -> String {
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        return match error.kind() {
            IntErrorKind::PosOverflow => "the number is too large".to_owned(),
            _ => "expected a whole number".to_owned(),
        };
    }
    let text = source.to_string();
    let Some((value, range)) = text.split_once(" is not in ") else { return text };
    if value.parse::<i128>().is_ok_and(|value| value > i128::from(u32::MAX)) {
        return "the number is too large".to_owned();
    }
    let (least, most) = range.split_once("..").unwrap_or((range, ""));
    let most = match most.strip_prefix('=') {
        Some(most) => most.parse::<u64>().ok(),
        None => most.parse::<u64>().ok().map(|end| end - 1),
    };
    match most.filter(|most| *most < u64::from(u32::MAX) - 1) {
        Some(most) => format!("expected a whole number from {least} to {most}"),
        None => format!("expected a whole number of at least {least}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

    use super::*;

    #[test]
    fn refusals_are_in_plain_words() {
        let number = |name: &'static str| Arg::new(name).long(name).value_name("N");
        let command = Command::new("x")
            .arg(number("limit").value_parser(value_parser!(u64).range(1..)))
            .arg(number("parallel").value_parser(value_parser!(u16).range(1..=256)))
            .arg(number("count").value_parser(value_parser!(u32)))
            .arg(Arg::new("by").long("by").value_parser(["day", "hour"]))
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue))
            .arg(Arg::new("team").long("team").value_name("T").conflicts_with("json"))
            .arg(Arg::new("id"));
        for (line, expected) in [
            (&["--limit=0"][..], "--limit: invalid value \"0\": expected a whole number of at least 1"),
            (&["--limit=x"], "--limit: invalid value \"x\": expected a whole number"),
            (&["--count=99999999999"], "--count: invalid value \"99999999999\": the number is too large"),
            (&["--count=-1"], "--count: invalid value \"-1\": expected a whole number of at least 0"),
            (&["--parallel=300"], "--parallel: invalid value \"300\": expected a whole number from 1 to 256"),
            (&["--limit"], "--limit: no value given"),
            (&["--by"], "--by: no value given: expected day or hour"),
            (&["--by=dya"], "--by: invalid value \"dya\": did you mean \"day\"? expected day or hour"),
            (&["--json=yes"], "--json does not take a value, but got \"yes\""),
            (&["--team=1", "--json"], "--team cannot be combined with --json"),
            (&["--by=day", "--by=hour"], "--by is given more than once"),
            (&["--nothing"], "unknown flag --nothing"),
            (&["a", "b"], "unexpected argument \"b\""),
        ] {
            let words = std::iter::once(&"x").chain(line);
            let error = command.clone().try_get_matches_from(words).unwrap_err();
            assert_eq!(message(&error), expected, "{line:?}");
        }
    }

    #[test]
    fn missing_arguments_are_named_as_typed() {
        let command = Command::new("x")
            .arg(Arg::new("id").required(true))
            .arg(Arg::new("tag").long("tag").value_name("NAME"))
            .arg(Arg::new("none").long("none").action(ArgAction::SetTrue))
            .group(ArgGroup::new("which").args(["tag", "none"]).required(true));
        let error = command.try_get_matches_from(["x"]).unwrap_err();
        assert_eq!(message(&error), "missing: --tag or --none, ID");
        let group = Command::new("x").subcommand(Command::new("list")).subcommand_required(true);
        let error = group.clone().try_get_matches_from(["x", "lst"]).unwrap_err();
        assert_eq!(message(&error), "unknown command \"lst\"");
        let error = group.try_get_matches_from(["x"]).unwrap_err();
        assert_eq!(message(&error), "missing: a command");
    }
}
