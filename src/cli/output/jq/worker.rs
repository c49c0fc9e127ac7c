//! The other side of `--jq`: the process that runs one program on one document and ends.
//!
//! It gets its task on stdin and answers on stdout, or says on stderr why it cannot. A program has the
//! language and its document, and nothing of the machine: no environment, no files, no further input.
//! What it may use up is bounded by the system where the system can.

use std::io::{Read, Write};
use std::process::ExitCode;

use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::{Compiler, Ctx, Exn, Filter, Vars, data};
use jaq_json::{Val, read};
use serde::Deserialize;

use crate::cli::output::format::Format;
use crate::cli::output::toon;

/// The argument that makes a process a worker.
pub const ARGUMENT: &str = "--jq-worker";

/// The exit code when the program fails on its document.
pub const FAILED: u8 = 1;

/// Most bytes that a program may make.
const MOST_OUTPUT: usize = 256 << 20;

/// Memory beyond what the document takes.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const MOST_MEMORY: u64 = 512 << 20;

/// Definitions that would reach out of the document.
const LEFT_OUT: [&str; 2] = ["env", "halt_error"];

/// What ends a program with a message, as an error like any other.
const INSTEAD: &str = "def halt_error: error; def halt_error($exit_code): error;";

#[derive(Deserialize)]
struct Task {
    program: String,
    format: String,
    seconds: u64,
}

/// Whether this process was started to work.
pub fn is_wanted() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Does the one task of this process.
pub fn work() -> ExitCode {
    match answer() {
        Ok(lines) if std::io::stdout().write_all(lines.as_bytes()).is_ok() => ExitCode::SUCCESS,
        // Nobody listens any more.
        Ok(_) => ExitCode::from(FAILED),
        Err(reason) => {
            let _ = std::io::stderr().write_all(reason.as_bytes());
            ExitCode::from(FAILED)
        }
    }
}

fn answer() -> Result<String, String> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, document) = input.split_at(end);
    let task: Task = serde_json::from_slice(head).map_err(|error| format!("this is no task: {error}"))?;
    bounded(task.seconds, document.len());
    made(&task.program, document, task.format.parse()?)
}

/// Bounds the time and memory of this process, which ends when it needs more.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn bounded(seconds: u64, document: usize) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Values take several times the room of their text.
    let memory = MOST_MEMORY + 16 * document as u64;
    for (resource, soft, hard) in
        [(Resource::Cpu, seconds, seconds + 1), (Resource::As, memory, memory), (Resource::Core, 0, 0)]
    {
        // A system without this limit leaves it to the clock of whoever waits.
        let _ = setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn bounded(_seconds: u64, _document: usize) {}

/// What a program makes of the documents of a JSON text.
fn made(program: &str, json: &[u8], format: Format) -> Result<String, String> {
    let filter = compiled(program).map_err(|reason| reason.unwrap_or_default())?;
    let mut lines = String::new();
    // Followed output is several documents.
    for input in read::parse_many(json) {
        let input = input.map_err(|error| format!("the document is no JSON: {error}"))?;
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        for value in filter.id.run((context, input)) {
            match value.map_err(Exn::get_halt) {
                Ok(value) => lines.push_str(&shown(&value, format)?),
                Err(Ok(0)) => return Ok(lines),
                Err(Ok(code)) => return Err(format!("the program ended itself with exit code {code}")),
                Err(Err(failure)) => {
                    return Err(failure.get_err().map_or_else(|_| "it broke off".to_owned(), told));
                }
            }
            if lines.len() > MOST_OUTPUT {
                return Err(format!("the program makes more than {MOST_OUTPUT} bytes"));
            }
        }
    }
    Ok(lines)
}

/// The message of an error; a text without its quotation marks.
fn told(error: jaq_core::Error<Val>) -> String {
    match error.into_val() {
        Val::TStr(text) | Val::BStr(text) => String::from_utf8_lossy(&text).into_owned(),
        other => other.to_string(),
    }
}

fn shown(value: &Val, format: Format) -> Result<String, String> {
    match (value, format) {
        (Val::TStr(text) | Val::BStr(text), Format::Plain | Format::Quiet) => {
            Ok(format!("{}\n", String::from_utf8_lossy(text)))
        }
        (_, Format::Toon) => toon::encoded(value.to_string().as_bytes()).map_err(|error| error.to_string()),
        _ => Ok(format!("{value}\n")),
    }
}

/// The program, ready to run.
///
/// # Errors
/// When it is none; with the reason, where there is one to tell.
pub fn compiled(text: &str) -> Result<Filter<data::JustLut<Val>>, Option<String>> {
    let kept = |name: &str| !LEFT_OUT.contains(&name);
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let instead = jaq_core::load::parse(INSTEAD, |parser| parser.defs()).unwrap_or_default();
    let definitions =
        definitions.filter(|definition: &parse::Def<&str>| kept(definition.name)).chain(instead);
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let functions = functions.filter(|(name, ..)| kept(name));
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: text, path: () }).map_err(|_| None)?;
    // The compiler takes for granted that imported data has been read.
    jaq_core::load::import(&modules, |_| Err(String::new()))
        .map_err(|_| Some("it cannot import files".to_owned()))?;
    Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
        let mut undefined = errors.iter().flat_map(|(_, names)| names);
        undefined.next().map(|(name, _)| format!("there is no {name:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        r#"{"meta":{},"results":{"data":[{"id":"123456789012345","n":9007199254740993},{"id":"b","n":2}]}}"#;

    fn run(program: &str, format: Format) -> Result<String, String> {
        made(program, DOCUMENT.as_bytes(), format)
    }

    #[test]
    fn a_program_sees_the_envelope() {
        for (program, format, lines) in [
            (".results.data[] | {id}", Format::Json, "{\"id\":\"123456789012345\"}\n{\"id\":\"b\"}\n"),
            (".results.data[0].n", Format::Json, "9007199254740993\n"),
            (".results.data | map(.id) | join(\" \")", Format::Plain, "123456789012345 b\n"),
            (".results.data[] | select(.id | test(\"^b\")) | .n", Format::Json, "2\n"),
        ] {
            assert_eq!(run(program, format).as_deref(), Ok(lines), "{program}");
        }
    }

    #[test]
    fn a_program_that_ends_itself_ends_no_more_than_that() {
        assert_eq!(run("1, halt, 2", Format::Json).as_deref(), Ok("1\n"));
        assert_eq!(run("halt(3)", Format::Json), Err("the program ended itself with exit code 3".to_owned()));
        for program in ["\"no data\" | halt_error", "\"no data\" | halt_error(2)", "error(\"no data\")"] {
            assert_eq!(run(program, Format::Json), Err("no data".to_owned()), "{program}");
        }
        assert!(run(".results.data.id", Format::Json).is_err());
    }

    #[test]
    fn a_program_imports_nothing() {
        for program in
            ["import \"x\" as $x; .", "import \"x\" as $x; $x", "import \"/etc/passwd\" as $x; $x[0]"]
        {
            assert_eq!(run(program, Format::Json), Err("it cannot import files".to_owned()), "{program}");
        }
        for program in ["import \"x\" as x; .", "include \"x\"; ."] {
            assert!(run(program, Format::Json).is_err(), "{program}");
        }
    }
}
