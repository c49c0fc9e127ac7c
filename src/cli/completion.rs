//! Shell completion: the program computes the candidates for the current line.
//!
//! The script that a shell loads is short, because it calls the program at each TAB. Candidates can therefore include
//! local values: profiles, runs, and the names in the mirror (`completion/values.rs`). Must never access the network,
//! prompt, or write to anything but stdout.

mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::ArgValueCandidates;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use self::values::TypedLine;
use super::error::{Error, Exit};
use super::registry::Registry;
use super::{files, globals, tree};
use crate::config::env_var;

const PROGRAM: &str = "intercom-pp-cli";
/// Set by the script to the name of the shell.
const VARIABLE: &str = "INTERCOM_PP_CLI_COMPLETE";
/// Set by the script to the index of the word under the cursor. Defaults to the last word.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

/// Prints the candidates if a completion script started this process; `None` otherwise.
pub fn complete(registry: &'static Registry, arguments: &[OsString]) -> Option<ExitCode> {
    let shell = std::env::var(VARIABLE).ok()?;
    let words = arguments.iter().skip_while(|word| *word != "--").skip(1);
    let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let folder = std::env::current_dir().ok();
    let environment = CompleteEnv::with_factory(|| completed_tree(registry, &line, &shell)).var(VARIABLE);
    match environment.try_complete(arguments, folder.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // A message would appear in the middle of the line.
        Err(_) => Some(ExitCode::from(Exit::Usage as u8)),
    }
}

/// The script that a shell loads.
///
/// # Errors
/// If the shell is not supported.
pub fn script(shell: Shell) -> Result<String, Error> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let adapter = shells
        .completer(&name)
        .ok_or_else(|| Error::usage(format!("completion is not available for {name}")))?;
    let mut script = Vec::new();
    adapter.write_registration(VARIABLE, PROGRAM, PROGRAM, &program_path(), &mut script)?;
    let script = String::from_utf8_lossy(&script);
    let about = format!(
        "# Completion for {PROGRAM}, which computes the candidates, for example: {PROGRAM} contacts <TAB>"
    );
    Ok(match script.trim_start().split_once('\n') {
        // zsh expects its tag on the first line, and calls a file in $fpath instead of the function it registers.
        Some((first, rest)) if first.starts_with("#compdef") => {
            let function = "_clap_dynamic_completer_intercom_pp_cli";
            let register = format!("compdef {function} {PROGRAM}");
            let call = format!(
                "if [[ \"${{funcstack[1]}}\" == \"_{PROGRAM}\" ]]; then\n    {function} \"$@\"\nelse\n    {register}\nfi"
            );
            format!("{first}\n{about}\n{}\n", rest.trim_end().replace(&register, &call))
        }
        _ => format!("{about}\n{}\n", script.trim()),
    })
}

/// The path by which the program was called, so that the script works if it is not in the search path.
fn program_path() -> String {
    let path = PathBuf::from(std::env::args_os().next().unwrap_or_else(|| PROGRAM.into()));
    let path = match std::env::current_dir() {
        Ok(folder) if path.components().count() > 1 => folder.join(path),
        _ => path,
    };
    path.to_string_lossy().into_owned()
}

/// The command tree for this line, with local values as candidates.
fn completed_tree(registry: &'static Registry, line: &[String], shell: &str) -> Command {
    let index = env_var(INDEX).and_then(|index| index.parse().ok());
    let word = match index {
        Some(index) => line.get::<usize>(index),
        None => line.last(),
    };
    let is_flag = word.is_some_and(|word| word.starts_with('-'));
    let completer = Completer {
        is_flag,
        line: Arc::new(TypedLine { registry, words: line.to_vec(), shell: shell.to_owned() }),
    };
    completer.complete_command(tree::command(registry, line), "")
}

/// Adds candidates that the tree does not declare.
struct Completer {
    /// Whether the word under the cursor is a flag.
    is_flag: bool,
    line: Arc<TypedLine>,
}

impl Completer {
    /// `path` are the words of the command, without the program's name.
    fn complete_command(&self, command: Command, path: &str) -> Command {
        let command = command.mut_args(|argument| self.complete_argument(argument, path));
        command.mut_subcommands(|subcommand| {
            let below = format!("{path} {}", subcommand.get_name());
            self.complete_command(subcommand, below.trim_start())
        })
    }

    fn complete_argument(&self, argument: Arg, path: &str) -> Arg {
        let is_global = argument.get_help_heading() == Some(globals::HEADING);
        // Thirty global flags would hide the few relevant words. Help may hide them as well.
        let argument = if is_global { argument.hide(!self.is_flag) } else { argument };
        match argument.get_id().as_str() {
            "config" if is_global => return argument.value_hint(ValueHint::FilePath),
            _ if files::access(&argument).is_some() => return argument.value_hint(ValueHint::AnyPath),
            _ => {}
        }
        match values::source(path, &argument, is_global) {
            Some(source) => {
                let line = Arc::clone(&self.line);
                argument.add(ArgValueCandidates::new(move || values::candidates(source, &line)))
            }
            None => argument,
        }
    }
}
