//! What a shell offers at TAB: the program answers for the line as it is typed.
//!
//! The script that a shell loads is a few lines, because it asks the program each time. So values that only this
//! machine knows (profiles) can be offered, and the tree is built only as far as the line mentions it. Nothing
//! here may reach the network, ask, or write to anything but stdout.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::environment::environment;
use super::error::{Error, Exit};
use super::{door, globals, tree};
use crate::config::{self, Config};

const PROGRAM: &str = "intercom-pp-cli";
/// Set by the script when it asks, to the name of the shell.
const VARIABLE: &str = "INTERCOM_PP_CLI_COMPLETE";
/// Set by the script, too: the number of the word under the cursor. Without it, it is the last one.
const INDEX: &str = "_CLAP_COMPLETE_INDEX";

/// The end of a process that a completion script started; `None` for any other.
pub fn answered(arguments: &[OsString]) -> Option<ExitCode> {
    std::env::var_os(VARIABLE)?;
    let words = arguments.iter().skip_while(|word| *word != "--").skip(1);
    let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    let folder = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| offering(&line)).var(VARIABLE);
    match asked.try_complete(arguments, folder.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // The shell shows nothing; a message would end up in the middle of the line.
        Err(_) => Some(ExitCode::from(Exit::Usage as u8)),
    }
}

/// The script that a shell loads.
///
/// # Errors
/// When nothing is known of the shell.
pub fn script(shell: Shell) -> Result<String, Error> {
    let name = shell.to_string();
    let shells = Shells::builtins();
    let adapter =
        shells.completer(&name).ok_or_else(|| Error::usage(format!("no completion script for {name}")))?;
    let mut script = Vec::new();
    adapter.write_registration(VARIABLE, PROGRAM, PROGRAM, &program(), &mut script)?;
    let script = String::from_utf8_lossy(&script);
    let about =
        format!("# Completion for {PROGRAM}. The program says what fits, as in: {PROGRAM} contacts <TAB>");
    Ok(match script.trim_start().split_once('\n') {
        // zsh wants its tag on the first line. It calls a file of $fpath in place of the function it registers.
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

/// How the script calls the program: as it was called, so that it works without a search path, too.
fn program() -> String {
    let called = PathBuf::from(std::env::args_os().next().unwrap_or_else(|| PROGRAM.into()));
    let called = match std::env::current_dir() {
        Ok(folder) if called.components().count() > 1 => folder.join(called),
        _ => called,
    };
    called.to_string_lossy().into_owned()
}

/// The command line as far as the line mentions it, with the values that this machine knows.
fn offering(line: &[String]) -> Command {
    let index = environment(INDEX).and_then(|index| index.parse().ok());
    let word = match index {
        Some(index) => line.get::<usize>(index),
        None => line.last(),
    };
    let offer = Offer { is_flag: word.is_some_and(|word| word.starts_with('-')), config: config(line) };
    offer.below(tree::command(line))
}

/// What is offered beside what the tree declares.
struct Offer {
    /// Whether the word under the cursor begins a flag.
    is_flag: bool,
    config: Option<PathBuf>,
}

impl Offer {
    fn below(&self, command: Command) -> Command {
        let of_profiles = command.get_name() == "profile";
        let command = command.mut_args(|argument| self.of(argument));
        command.mut_subcommands(|below| match of_profiles {
            true => self.below(below.mut_args(|argument| match argument.get_id() == "name" {
                true => self.profiles(argument),
                false => argument,
            })),
            false => self.below(below),
        })
    }

    fn of(&self, argument: Arg) -> Arg {
        let is_global = argument.get_help_heading() == Some(globals::HEADING);
        // Thirty flags that fit everywhere would bury the few words that are meant.
        let argument = if is_global && !self.is_flag { argument.hide(true) } else { argument };
        match argument.get_id().as_str() {
            "profile" if is_global => self.profiles(argument),
            "config" if is_global => argument.value_hint(ValueHint::FilePath),
            _ if door::access(&argument).is_some() => argument.value_hint(ValueHint::AnyPath),
            _ => argument,
        }
    }

    fn profiles(&self, argument: Arg) -> Arg {
        let config = self.config.clone();
        argument.add(ArgValueCandidates::new(move || config.as_deref().map(profiles).unwrap_or_default()))
    }
}

/// The config file that the line leads to.
fn config(line: &[String]) -> Option<PathBuf> {
    let after = line.windows(2).rev().find(|pair| pair[0] == "--config").map(|pair| pair[1].clone());
    let typed =
        after.or_else(|| line.iter().rev().find_map(|word| Some(word.strip_prefix("--config=")?.to_owned())));
    typed
        .or_else(|| environment("INTERCOM_CONFIG"))
        .map(PathBuf::from)
        .or_else(|| config::default_path().ok())
}

fn profiles(path: &Path) -> Vec<CompletionCandidate> {
    // A file that cannot be read is for `doctor` to report.
    let config = Config::read(path).unwrap_or_default();
    config.profiles.into_keys().map(CompletionCandidate::new).collect()
}
