//! `workflow run FILE`: commands in order, so that a nightly job is one file.
//!
//! The whole file is checked before anything runs. The first command that fails ends the run with its
//! exit code; a command is never run twice. A variable is always a value: it may hold what a customer wrote, so it
//! must never become a flag, a command, or the name of a file that the author did not ask for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::capture::{self, Capture};
use crate::cli::catalog::{Catalog, Entry};
use crate::cli::consent::Consent;
use crate::cli::context::Context;
use crate::cli::door::InputFile;
use crate::cli::effect::Effect;
use crate::cli::error::{Error, Exit};
use crate::cli::output::{Output, tell_to};
use crate::cli::session::Session;

/// Most bytes of output of one step; larger answers belong into a file (`--deliver`).
const MOST_OUTPUT: usize = 256 << 20;

pub fn command() -> Command {
    Command::new("workflow")
        .about("Commands in a file, run in order")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("run")
                .about("Run the commands of a file until one fails")
                .arg(Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(InputFile)).help("A TOML file of [variables] and [[steps]]"))
                .arg(
                    Arg::new("var")
                        .long("var")
                        .value_name("NAME=VALUE")
                        .action(ArgAction::Append)
                        .help("Set a variable of the file; may be repeated"),
                )
                .after_help(
                    "The file, where {{name}} is replaced by a variable, and keep makes one of a step's output:\n\n  \
                     [variables]\n  since = \"7d\"\n\n  \
                     [[steps]]\n  name = \"mirror\"\n  run = \"sync --resources conversations,conversation_parts\"\n\n  \
                     [[steps]]\n  run = [\"conversations\", \"sla\", \"--since\", \"{{since}}\", \"--deliver\", \"file:sla.json\"]\n\n\
                     A variable is a value, never a flag, and `@` or `-` at its beginning is text. To read a text \
                     from a file, write the @ in the step: --body @{{file}}. A value that begins with - must follow \
                     the long name of its flag.\n\n\
                     --dry-run shows the commands and runs none. --yes, --idempotent, --ignore-missing, --data-source and the \
                     flags that say where requests go hold for every step.",
                ),
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workflow {
    #[serde(default)]
    variables: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: Option<String>,
    run: Line,
    /// The variable that takes the step's output, without the last line break.
    keep: Option<String>,
}

/// A command line as a shell would be given it, or word by word.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Text(String),
    Words(Vec<String>),
}

pub async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Error> {
    let file = matches.get_one::<InputFile>("file").ok_or_else(|| Error::usage("missing: <FILE>"))?;
    let path = Path::new(file.name());
    let mut workflow = read(file)?;
    for set in matches.get_many::<String>("var").into_iter().flatten() {
        let Some((name, value)) = set.split_once('=') else {
            return Err(Error::usage(format!("--var: {set:?} is not of the form NAME=VALUE")));
        };
        if !workflow.variables.contains_key(name) {
            let known: Vec<&str> = workflow.variables.keys().map(String::as_str).collect();
            return Err(Error::usage_with_hint(
                format!("--var: the file has no variable {name:?}"),
                format!("known: {}", known.join(", ")),
            ));
        }
        workflow.variables.insert(name.to_owned(), value.to_owned());
    }
    let lines = checked(&workflow, context.catalog())?;
    if context.globals.dry_run {
        let steps: Vec<Value> = workflow
            .steps
            .iter()
            .zip(&lines)
            .map(|(step, line)| json!({ "step": step.name, "command": shown(line, &workflow.variables) }))
            .collect();
        return Output::open(&context.globals)?.value(&json!({ "dry_run": true, "steps": steps })).await;
    }
    carry_out(context, path, workflow, &lines).await
}

fn read(file: &InputFile) -> Result<Workflow, Error> {
    let path = Path::new(file.name());
    let text = file.text().map_err(|error| {
        Error::usage_with_hint(
            error.to_string(),
            "`intercom-pp-cli workflow run --help` shows what a file looks like",
        )
    })?;
    let workflow: Workflow = toml_edit::de::from_str(&text).map_err(|error| {
        Error::usage_with_hint(
            format!("{} is no workflow: {}", path.display(), error.message()),
            "`intercom-pp-cli workflow run --help` shows what a file looks like",
        )
    })?;
    match workflow.steps.is_empty() {
        true => Err(Error::usage(format!("{} has no steps", path.display()))),
        false => Ok(workflow),
    }
}

/// The command that a line of words runs.
fn command_of<'a>(words: &[String], catalog: &'a Catalog) -> Option<&'a Entry> {
    (1..=words.len().min(4)).rev().find_map(|count| catalog.entry(&words[..count].join(" ")))
}

/// The words of each step, once all are known to be commands and all variables to be set.
fn checked(workflow: &Workflow, catalog: &Catalog) -> Result<Vec<Vec<String>>, Error> {
    let mut known: Vec<&str> = workflow.variables.keys().map(String::as_str).collect();
    let mut lines = Vec::new();
    for (index, step) in workflow.steps.iter().enumerate() {
        let refused = |reason: String| {
            Error::usage_with_hint(
                format!("step {}: {reason}", index + 1),
                "`intercom-pp-cli which \"NEED\"` finds commands; `workflow run --help` shows what a file looks like",
            )
        };
        let words = match &step.run {
            Line::Words(words) => words.clone(),
            Line::Text(text) => {
                shlex::split(text).ok_or_else(|| refused("a quote is not closed".to_owned()))?
            }
        };
        let Some(command) = command_of(&words, catalog) else {
            return Err(refused(format!("there is no command {:?}", words.join(" "))));
        };
        if command.effect == Effect::Terminal {
            return Err(refused(format!("{} cannot be a step", command.words)));
        }
        if let Some(word) = words.iter().find(|word| names_flag(word)) {
            return Err(refused(format!("{word:?} takes the name of a flag from a variable")));
        }
        for variable in words.iter().flat_map(|word| variables(word)) {
            if !known.contains(&variable) {
                return Err(refused(format!("the variable {variable:?} is not set")));
            }
        }
        known.extend(step.keep.as_deref());
        lines.push(words);
    }
    Ok(lines)
}

/// The names between double braces.
fn variables(word: &str) -> impl Iterator<Item = &str> {
    word.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}

/// A word with its variables filled in. What a value holds is not looked at again.
fn filled(word: &str, variables: &BTreeMap<String, String>) -> String {
    let mut pieces = word.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once("}}") {
            Some((name, rest)) => {
                text.push_str(variables.get(name.trim()).map_or("", String::as_str));
                text.push_str(rest);
            }
            None => text.push_str(&format!("{{{{{piece}")),
        }
    }
    text
}

/// Whether a variable is part of the name of a flag, or of a cluster of short ones.
fn names_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    name.starts_with('-') && name.contains("{{")
}

/// Whether a text begins with a variable.
fn begins_with_variable(text: &str) -> bool {
    text.trim_start().starts_with("{{") && variables(text).next().is_some()
}

/// A step's words with its variables filled in, and those of their values that must be read as text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filled {
    words: Vec<String>,
    literals: Vec<String>,
}

impl Filled {
    /// # Errors
    /// A sentence about a value that would be read as a flag or as part of the command's name.
    fn of(line: &[String], variables: &BTreeMap<String, String>, catalog: &Catalog) -> Result<Self, String> {
        let mut made = Filled::default();
        for (index, word) in line.iter().enumerate() {
            let text = filled(word, variables);
            if begins_with_variable(word) {
                made.literals.push(text.clone());
                let is_operand = line[..index].iter().any(|word| word == "--");
                if text.trim_start().starts_with('-') && !is_operand {
                    let flag = index.checked_sub(1).and_then(|before| line.get(before));
                    let Some(flag) = flag.filter(|flag| takes_value(flag)) else {
                        return Err(format!(
                            "the value {text:?} of {word} begins with - and would be a flag"
                        ));
                    };
                    // Joined to its flag it can only be the flag's value.
                    made.words.pop();
                    made.words.push(format!("{flag}={text}"));
                    continue;
                }
            } else if let Some((_, value)) = word.split_once('=').filter(|_| word.starts_with('-'))
                && begins_with_variable(value)
            {
                made.literals.extend(text.split_once('=').map(|(_, value)| value.to_owned()));
            }
            made.words.push(text);
        }
        let command = |words: &[String]| command_of(words, catalog).map(|entry| entry.words.clone());
        if command(&made.words) != command(line) {
            return Err(format!("its variables make another command of it: {}", made.words.join(" ")));
        }
        Ok(made)
    }
}

/// Whether a word is the long name of a flag that the next word may be the value of.
fn takes_value(word: &str) -> bool {
    word.len() > 2 && word.starts_with("--") && !word.contains('=')
}

fn shown(line: &[String], variables: &BTreeMap<String, String>) -> String {
    let words: Vec<String> = line.iter().map(|word| filled(word, variables)).collect();
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// A document as such; anything else, an id on a line for one, is text.
fn shown_output(output: &str) -> Value {
    let document = serde_json::from_str(output).ok().filter(|it: &Value| it.is_object() || it.is_array());
    document.unwrap_or_else(|| json!(output.trim_end()))
}

async fn carry_out(
    context: &Context,
    path: &Path,
    workflow: Workflow,
    lines: &[Vec<String>],
) -> Result<(), Error> {
    let session = Session::for_steps(context);
    let mut variables = workflow.variables;
    let mut done = Vec::new();
    let mut failure = None;
    for (index, (step, line)) in workflow.steps.iter().zip(lines).enumerate() {
        let name = step.name.clone().unwrap_or_else(|| (index + 1).to_string());
        let label = name.clone();
        let outer = capture::current();
        let filled = Filled::of(line, &variables, context.catalog());
        let (words, literals) = filled.map_or_else(
            |reason| (Err(Error::usage(reason)), Vec::new()),
            |filled| (Ok(filled.words), filled.literals),
        );
        let capture = Capture::new(MOST_OUTPUT, capture::files())
            .with_literals(literals)
            .heard_by(move |said| tell_to(outer.as_deref(), &format!("[{label}] {said}")));
        let capture = Arc::new(capture);
        let began = Instant::now();
        let ended = match words {
            Ok(words) => Box::pin(capture.scope(session.run(&words, Consent::Open))).await,
            Err(refused) => Err(refused),
        };
        let output = String::from_utf8_lossy(&capture.take_output()).into_owned();
        done.push(json!({
            "step": name,
            "command": shown(line, &variables),
            "exit_code": ended.as_ref().map_or_else(|error| error.exit() as u8, |()| 0),
            "seconds": began.elapsed().as_secs_f64(),
            "output": shown_output(&output),
            "error": ended.as_ref().err().map(|error| error.as_json()["error"].clone()),
        }));
        match ended {
            Ok(()) => variables.extend(step.keep.clone().map(|name| (name, output.trim_end().to_owned()))),
            Err(error) => {
                failure = Some((name, error));
                break;
            }
        }
    }
    let complete = failure.is_none();
    let meta =
        json!({ "source": "local", "file": path, "complete": complete, "steps": workflow.steps.len() });
    Output::open(&context.globals)?.document(meta, &Value::Array(done).to_string(), None).await?;
    match failure {
        None => Ok(()),
        Some((name, error)) => Err(Error::Finding {
            message: format!("step {name}: {error}"),
            exit: if error.exit() == Exit::Success { Exit::Usage } else { error.exit() },
            hint: error.hint(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once_and_whole() {
        let variables =
            BTreeMap::from([("a".to_owned(), "x y".to_owned()), ("b".to_owned(), "{{a}}".to_owned())]);
        assert_eq!(filled("--since={{ a }}!{{b}}", &variables), "--since=x y!{{a}}");
        assert_eq!(filled("{{open", &variables), "{{open");
        assert_eq!(super::variables("{{a}}-{{ b }}").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_value_is_never_a_flag() {
        let fill = |words: &[&str], value: &str| {
            let line: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let variables = BTreeMap::from([("n".to_owned(), value.to_owned())]);
            Filled::of(&line, &variables, crate::cli::catalog()).map(|filled| (filled.words, filled.literals))
        };
        for value in ["--yes", "-", "--", "-y", " --deliver=file:/tmp/x"] {
            assert!(fill(&["contacts", "delete", "7", "{{n}}"], value).is_err(), "{value}");
            assert!(fill(&["contacts", "delete", "{{ n }}x", "--yes"], value).is_err(), "{value}");
            let (words, literals) = fill(&["notes", "create", "--body", "{{n}}", "--json"], value).unwrap();
            assert_eq!(words[2..], [format!("--body={value}"), "--json".to_owned()]);
            assert_eq!(literals, [value]);
        }
        let (words, literals) = fill(&["notes", "create", "--body={{n}}"], "@/etc/passwd").unwrap();
        assert_eq!((words[2].as_str(), literals), ("--body=@/etc/passwd", vec!["@/etc/passwd".to_owned()]));
        assert_eq!(fill(&["notes", "create", "--body", "@{{n}}"], "a.md").unwrap().1, [""; 0]);
        assert!(fill(&["contacts", "archive", "{{n}}"], "7").is_ok());
        assert!(fill(&["contacts", "archive", "--", "{{n}}"], "-7").is_ok());
        assert!(names_flag("--{{n}}") && names_flag("-{{n}}=5") && !names_flag("--name={{n}}"));
    }

    #[test]
    fn a_file_is_checked_as_a_whole() {
        let check = |text: &str| {
            let workflow: Workflow = toml_edit::de::from_str(text).unwrap();
            checked(&workflow, crate::cli::catalog()).map_err(|error| error.to_string())
        };
        let lines = check("[variables]\nn='5'\n[[steps]]\nrun='contacts list --limit {{n}}'\n").unwrap();
        assert_eq!(lines[0], ["contacts", "list", "--limit", "{{n}}"]);
        for (text, reason) in [
            ("[[steps]]\nrun='contacts fly'", "no command"),
            ("[[steps]]\nrun='sql \"SELECT'", "quote"),
            ("[[steps]]\nrun='mcp'", "cannot be a step"),
            ("[[steps]]\nrun='contacts show {{id}}'", "not set"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(check("[[steps]]\nrun='contacts list --quiet --limit 1'\nkeep='id'\n[[steps]]\nrun='contacts show {{id}}'").is_ok());
    }
}
