//! `workflow run FILE`: runs commands in order, for example as a nightly job.
//!
//! The file is checked before anything runs. The first command that fails ends the run with its exit code, and no
//! command is retried. A variable may hold text that a customer wrote, so it must never become a flag, a command, or
//! the name of a file that the author did not intend.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::catalog::{Catalog, CatalogEntry};
use crate::cli::consent::Consent;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint, HintTopic};
use crate::cli::files::InputFile;
use crate::cli::in_process::Session;
use crate::cli::output::{Output, notice_to};
use crate::cli::registry::{Effect, MetaCommand, Registry};
use crate::cli::streams::{self, Capture, Notice};

/// Maximum output of one step in bytes. Larger output belongs in a file (`--deliver`).
const MAX_STEP_OUTPUT: usize = 256 << 20;

/// Run the commands in a file until one fails
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "In the file, {{name}} is replaced by a variable, and keep saves a step's output in a variable:\n\n  \
        [variables]\n  since = \"7d\"\n\n  \
        [[steps]]\n  name = \"mirror\"\n  run = \"sync --resources conversations,conversation_parts\"\n\n  \
        [[steps]]\n  run = [\"conversations\", \"sla\", \"--since\", \"{{since}}\", \"--deliver\", \"file:sla.json\"]\n\n\
        A variable is always a value, never a flag: a leading `@` or `-` is text. To read a text from a file, \
        write the @ in the step: --body @{{file}}. A value that begins with - must follow the long name of \
        its flag.\n\n\
        --dry-run shows the commands without running them. --yes, --idempotent, --ignore-missing, --data-source \
        and the connection flags apply to every step.\n\n\
        Example: intercom-pp-cli workflow run nightly.toml --var since=30d"
)]
pub struct WorkflowRun {
    /// TOML file with [variables] and [[steps]]
    #[arg(value_name = "FILE")]
    file: InputFile,
    /// Set a variable of the file (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE")]
    var: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workflow {
    #[serde(default)]
    variables: BTreeMap<String, String>,
    steps: Vec<WorkflowStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowStep {
    name: Option<String>,
    run: StepCommand,
    /// The variable that stores the step's output, without trailing white space.
    keep: Option<String>,
}

/// A command line as in a shell, or as separate words.
#[derive(Deserialize)]
#[serde(untagged)]
enum StepCommand {
    Text(String),
    Words(Vec<String>),
}

impl MetaCommand for WorkflowRun {
    const WORDS: &'static str = "workflow run";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context, registry: &'static Registry) -> Result<(), Error> {
        let mut workflow = read(&self.file)?;
        for set in &self.var {
            let Some((name, value)) = set.split_once('=') else {
                return Err(Error::usage(format!("--var: invalid variable {set:?}: expected NAME=VALUE")));
            };
            if !workflow.variables.contains_key(name) {
                let declared: Vec<&str> = workflow.variables.keys().map(String::as_str).collect();
                return Err(Error::usage_with_hint(
                    format!("--var: unknown variable {name:?}"),
                    format!("the file declares: {}", declared.join(", ")),
                ));
            }
            workflow.variables.insert(name.to_owned(), value.to_owned());
        }
        let catalog = Catalog::new(registry);
        let lines = check(&workflow, &catalog)?;
        if context.globals.consent.dry_run {
            let steps: Vec<Value> = workflow
                .steps
                .iter()
                .zip(&lines)
                .map(|(step, line)| json!({ "step": step.name, "command": shown(line, &workflow.variables) }))
                .collect();
            return Output::open(&context.globals.output)?
                .value(&json!({ "dry_run": true, "steps": steps }))
                .await;
        }
        let session = Session::for_steps(context, registry);
        run_steps(context, &session, &catalog, Path::new(self.file.name()), workflow, &lines).await
    }
}

fn read(file: &InputFile) -> Result<Workflow, Error> {
    let path = Path::new(file.name());
    let text = file.text().map_err(|error| Error::usage_with_hint(error.to_string(), file_format()))?;
    let workflow: Workflow = toml_edit::de::from_str(&text).map_err(|error| {
        Error::usage_with_hint(
            format!("invalid workflow {}: {}", path.display(), error.message()),
            file_format(),
        )
    })?;
    if workflow.steps.is_empty() {
        return Err(Error::usage(format!("{} has no steps", path.display())));
    }
    Ok(workflow)
}

/// The command that these words call.
fn command_of<'a>(words: &[String], catalog: &'a Catalog) -> Option<&'a CatalogEntry> {
    (1..=words.len().min(4)).rev().find_map(|count| catalog.entry(&words[..count].join(" ")))
}

fn file_format() -> Hint {
    Hint::default().run("workflow run --help").text(" describes the file format").about(HintTopic::Arguments)
}

/// Returns the words of each step.
///
/// # Errors
/// When a step is not a valid command, or uses a variable that is not set.
fn check(workflow: &Workflow, catalog: &Catalog) -> Result<Vec<Vec<String>>, Error> {
    let mut defined: Vec<&str> = workflow.variables.keys().map(String::as_str).collect();
    let mut lines = Vec::new();
    for (index, step) in workflow.steps.iter().enumerate() {
        let invalid = |reason: String| {
            Error::usage_with_hint(
                format!("step {}: {reason}", index + 1),
                Hint::default()
                    .run("which \"NEED\"")
                    .text(" finds commands")
                    .then("")
                    .run("workflow run --help")
                    .text(" describes the file format")
                    .about(HintTopic::FindCommand),
            )
        };
        let words = match &step.run {
            StepCommand::Words(words) => words.clone(),
            StepCommand::Text(text) => {
                shlex::split(text).ok_or_else(|| invalid("unclosed quote".to_owned()))?
            }
        };
        let Some(command) = command_of(&words, catalog) else {
            return Err(invalid(format!("unknown command {:?}", words.join(" "))));
        };
        if command.effect == Effect::Terminal {
            return Err(invalid(format!("{} cannot be used in a workflow", command.words)));
        }
        if let Some(word) = words.iter().find(|word| has_variable_flag(word)) {
            return Err(invalid(format!("{word:?} uses a variable in the name of a flag")));
        }
        for variable in words.iter().flat_map(|word| variables(word)) {
            if !defined.contains(&variable) {
                return Err(invalid(format!("variable {variable:?} is not set")));
            }
        }
        defined.extend(step.keep.as_deref());
        lines.push(words);
    }
    Ok(lines)
}

/// The names between double braces.
fn variables(word: &str) -> impl Iterator<Item = &str> {
    word.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}

/// Replaces the variables in a word. Values are not expanded again.
fn expand(word: &str, variables: &BTreeMap<String, String>) -> String {
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

/// Whether a variable is part of a flag name, or of a group of short flags.
fn has_variable_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    name.starts_with('-') && name.contains("{{")
}

/// Whether a text begins with a variable.
fn begins_with_variable(text: &str) -> bool {
    text.trim_start().starts_with("{{") && variables(text).next().is_some()
}

/// The words of a step after expansion, and the values that must be read as text.
#[derive(Debug, Default, PartialEq, Eq)]
struct ExpandedStep {
    words: Vec<String>,
    literals: Vec<String>,
}

impl ExpandedStep {
    /// # Errors
    /// A reason when a value would become a flag or part of the command name.
    fn new(line: &[String], variables: &BTreeMap<String, String>, catalog: &Catalog) -> Result<Self, String> {
        let mut expanded = ExpandedStep::default();
        for (index, word) in line.iter().enumerate() {
            let text = expand(word, variables);
            if begins_with_variable(word) {
                expanded.literals.push(text.clone());
                let is_operand = line[..index].iter().any(|word| word == "--");
                if text.trim_start().starts_with('-') && !is_operand {
                    let flag = index.checked_sub(1).and_then(|before| line.get(before));
                    let Some(flag) = flag.filter(|flag| takes_value(flag)) else {
                        return Err(format!(
                            "the value {text:?} of {word} begins with - and would become a flag"
                        ));
                    };
                    // Joined to its flag, it can only be the value.
                    expanded.words.pop();
                    expanded.words.push(format!("{flag}={text}"));
                    continue;
                }
            } else if let Some((_, value)) = word.split_once('=').filter(|_| word.starts_with('-'))
                && begins_with_variable(value)
            {
                expanded.literals.extend(text.split_once('=').map(|(_, value)| value.to_owned()));
            }
            expanded.words.push(text);
        }
        let command = |words: &[String]| command_of(words, catalog).map(|entry| entry.words.clone());
        if command(&expanded.words) != command(line) {
            return Err(format!("its variables change the command to {}", expanded.words.join(" ")));
        }
        Ok(expanded)
    }
}

/// Whether a word is a long flag whose value may be the next word.
fn takes_value(word: &str) -> bool {
    word.len() > 2 && word.starts_with("--") && !word.contains('=')
}

fn shown(line: &[String], variables: &BTreeMap<String, String>) -> String {
    let words: Vec<String> = line.iter().map(|word| expand(word, variables)).collect();
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// The output as JSON if it is a document, else as text, for example an id.
fn output_json(output: &str) -> Value {
    let document =
        serde_json::from_str(output).ok().filter(|value: &Value| value.is_object() || value.is_array());
    document.unwrap_or_else(|| json!(output.trim_end()))
}

async fn run_steps(
    context: &Context,
    session: &Session,
    catalog: &Catalog,
    path: &Path,
    workflow: Workflow,
    lines: &[Vec<String>],
) -> Result<(), Error> {
    let mut variables = workflow.variables;
    let mut done = Vec::new();
    let mut failure = None;
    for (index, (step, line)) in workflow.steps.iter().zip(lines).enumerate() {
        let name = step.name.clone().unwrap_or_else(|| (index + 1).to_string());
        let label = name.clone();
        let outer = streams::current();
        let expanded = ExpandedStep::new(line, &variables, catalog);
        let (words, literals) = expanded.map_or_else(
            |reason| (Err(Error::usage(reason)), Vec::new()),
            |step| (Ok(step.words), step.literals),
        );
        let capture = Capture::new(MAX_STEP_OUTPUT, streams::file_policy())
            .with_literals(literals)
            .with_listener(move |notice| {
                notice_to(outer.as_deref(), Notice::Text(format!("[{label}] {notice}")));
            });
        let capture = Arc::new(capture);
        let began = Instant::now();
        let ended = match words {
            Ok(words) => Box::pin(capture.scope(session.run(&words, Consent::Open))).await,
            Err(error) => Err(error),
        };
        let output = String::from_utf8_lossy(&capture.take_output()).into_owned();
        done.push(json!({
            "step": name,
            "command": shown(line, &variables),
            "exit_code": ended.as_ref().map_or_else(|error| error.exit() as u8, |()| 0),
            "seconds": began.elapsed().as_secs_f64(),
            "output": output_json(&output),
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
    Output::open(&context.globals.output)?.report(meta, &done).await?;
    match failure {
        None => Ok(()),
        Some((name, error)) => Err(Error::Failed {
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
    fn values_are_not_expanded_again() {
        let variables =
            BTreeMap::from([("a".to_owned(), "x y".to_owned()), ("b".to_owned(), "{{a}}".to_owned())]);
        assert_eq!(expand("--since={{ a }}!{{b}}", &variables), "--since=x y!{{a}}");
        assert_eq!(expand("{{open", &variables), "{{open");
        assert_eq!(super::variables("{{a}}-{{ b }}").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_value_never_becomes_a_flag() {
        let expand = |words: &[&str], value: &str| {
            let line: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let variables = BTreeMap::from([("n".to_owned(), value.to_owned())]);
            ExpandedStep::new(&line, &variables, crate::program::catalog())
                .map(|step| (step.words, step.literals))
        };
        for value in ["--yes", "-", "--", "-y", " --deliver=file:/tmp/x"] {
            assert!(expand(&["contacts", "delete", "7", "{{n}}"], value).is_err(), "{value}");
            assert!(expand(&["contacts", "delete", "{{ n }}x", "--yes"], value).is_err(), "{value}");
            let (words, literals) = expand(&["notes", "create", "--body", "{{n}}", "--json"], value).unwrap();
            assert_eq!(words[2..], [format!("--body={value}"), "--json".to_owned()]);
            assert_eq!(literals, [value]);
        }
        let (words, literals) = expand(&["notes", "create", "--body={{n}}"], "@/etc/passwd").unwrap();
        assert_eq!((words[2].as_str(), literals), ("--body=@/etc/passwd", vec!["@/etc/passwd".to_owned()]));
        assert_eq!(expand(&["notes", "create", "--body", "@{{n}}"], "a.md").unwrap().1, [""; 0]);
        assert!(expand(&["contacts", "archive", "{{n}}"], "7").is_ok());
        assert!(expand(&["contacts", "archive", "--", "{{n}}"], "-7").is_ok());
        assert!(
            has_variable_flag("--{{n}}")
                && has_variable_flag("-{{n}}=5")
                && !has_variable_flag("--name={{n}}")
        );
    }

    #[test]
    fn the_whole_file_is_checked_first() {
        let checked = |text: &str| {
            let workflow: Workflow = toml_edit::de::from_str(text).unwrap();
            check(&workflow, crate::program::catalog()).map_err(|error| error.to_string())
        };
        let lines = checked("[variables]\nn='5'\n[[steps]]\nrun='contacts list --limit {{n}}'\n").unwrap();
        assert_eq!(lines[0], ["contacts", "list", "--limit", "{{n}}"]);
        for (text, reason) in [
            ("[[steps]]\nrun='contacts fly'", "unknown command"),
            ("[[steps]]\nrun='sql \"SELECT'", "quote"),
            ("[[steps]]\nrun='mcp'", "cannot be used in a workflow"),
            ("[[steps]]\nrun='contacts show {{id}}'", "not set"),
        ] {
            let error = checked(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(checked("[[steps]]\nrun='contacts list --quiet --limit 1'\nkeep='id'\n[[steps]]\nrun='contacts show {{id}}'").is_ok());
    }
}
