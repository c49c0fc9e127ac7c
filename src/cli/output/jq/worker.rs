//! The worker process of `--jq`: runs one program on one document and ends.
//!
//! It reads its task from stdin and writes the result to stdout, or the reason of a failure to stderr. A program must
//! never access the machine: it has no environment, no files and no further input. The operating system limits its
//! time and memory where it can.

use std::io::{Read, Write};
use std::process::ExitCode;

use jaq_core::load::{Arena, File, Loader, parse};
use jaq_core::{Compiler, Ctx, Exn, Filter, Vars, data};
use jaq_json::{Val, read};
use serde::Deserialize;

use crate::cli::output::format::Format;
use crate::cli::output::toon;

/// The argument that starts this process as a worker.
pub const ARGUMENT: &str = "--jq-worker";

/// The exit code when the program fails on its document.
pub const FAILED: u8 = 1;

/// Maximum output of a program in bytes.
const MAX_OUTPUT: usize = 256 << 20;

/// Memory limit in bytes, besides the document.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const MAX_MEMORY: u64 = 512 << 20;

/// Functions that reach beyond the document.
const EXCLUDED: [&str; 2] = ["env", "halt_error"];

/// Replacements that end a program with an ordinary error.
const REPLACEMENTS: &str = "def halt_error: error; def halt_error($exit_code): error;";

#[derive(Deserialize)]
struct Task {
    program: String,
    format: String,
    seconds: u64,
}

/// Whether this process was started as a worker.
pub fn is_worker() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Runs the only task of this process.
pub fn work() -> ExitCode {
    match run_task() {
        Ok(lines) if std::io::stdout().write_all(lines.as_bytes()).is_ok() => ExitCode::SUCCESS,
        // Nobody reads the result any more.
        Ok(_) => ExitCode::from(FAILED),
        Err(reason) => {
            let _ = std::io::stderr().write_all(reason.as_bytes());
            ExitCode::from(FAILED)
        }
    }
}

fn run_task() -> Result<String, String> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, document) = input.split_at(end);
    let task: Task = serde_json::from_slice(head).map_err(|error| format!("invalid task: {error}"))?;
    limit_resources(task.seconds, document.len());
    run_program(&task.program, document, task.format.parse()?)
}

/// Limits the time in seconds and the memory of this process.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn limit_resources(seconds: u64, document: usize) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Values take several times the memory of their text.
    let memory = MAX_MEMORY + 16 * document as u64;
    for (resource, soft, hard) in
        [(Resource::Cpu, seconds, seconds + 1), (Resource::As, memory, memory), (Resource::Core, 0, 0)]
    {
        // Systems without this limit rely on the timeout of the parent process.
        let _ = setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn limit_resources(_seconds: u64, _document: usize) {}

/// Runs a program on the documents of a JSON text.
fn run_program(program: &str, json: &[u8], format: Format) -> Result<String, String> {
    let filter = compile(program).map_err(|reason| reason.unwrap_or_default())?;
    let mut lines = String::new();
    // `tail` writes several documents.
    for input in read::parse_many(json) {
        let input = input.map_err(|error| format!("the document is not valid JSON: {error}"))?;
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        for value in filter.id.run((context, input)) {
            match value.map_err(Exn::get_halt) {
                Ok(value) => lines.push_str(&format_value(&value, format)?),
                Err(Ok(0)) => return Ok(lines),
                Err(Ok(code)) => return Err(format!("the program ended itself with exit code {code}")),
                Err(Err(failure)) => {
                    return Err(failure.get_err().map_or_else(|_| "it failed".to_owned(), message));
                }
            }
            if lines.len() > MAX_OUTPUT {
                return Err(format!("the program wrote more than {MAX_OUTPUT} bytes"));
            }
        }
    }
    Ok(lines)
}

/// The message of an error, without quotation marks.
fn message(error: jaq_core::Error<Val>) -> String {
    match error.into_val() {
        Val::TStr(text) | Val::BStr(text) => String::from_utf8_lossy(&text).into_owned(),
        other => other.to_string(),
    }
}

fn format_value(value: &Val, format: Format) -> Result<String, String> {
    match (value, format) {
        (Val::TStr(text) | Val::BStr(text), Format::Plain | Format::Quiet) => {
            Ok(format!("{}\n", String::from_utf8_lossy(text)))
        }
        (_, Format::Toon) => {
            toon::encode_document(value.to_string().as_bytes()).map_err(|error| error.to_string())
        }
        _ => Ok(format!("{value}\n")),
    }
}

/// Compiles a program.
///
/// # Errors
/// When it is invalid; with the reason, if known.
pub fn compile(text: &str) -> Result<Filter<data::JustLut<Val>>, Option<String>> {
    let is_allowed = |name: &str| !EXCLUDED.contains(&name);
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let replacements = jaq_core::load::parse(REPLACEMENTS, |parser| parser.defs()).unwrap_or_default();
    let definitions =
        definitions.filter(|definition: &parse::Def<&str>| is_allowed(definition.name)).chain(replacements);
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let functions = functions.filter(|(name, ..)| is_allowed(name));
    let arena = Arena::default();
    let modules = Loader::new(definitions).load(&arena, File { code: text, path: () }).map_err(|_| None)?;
    // The compiler assumes that imported data has been read.
    jaq_core::load::import(&modules, |_| Err(String::new()))
        .map_err(|_| Some("it cannot import files".to_owned()))?;
    Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
        let mut undefined = errors.iter().flat_map(|(_, names)| names);
        undefined.next().map(|(name, _)| format!("{name:?} is not defined"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str =
        r#"{"meta":{},"results":{"data":[{"id":"123456789012345","n":9007199254740993},{"id":"b","n":2}]}}"#;

    fn run(program: &str, format: Format) -> Result<String, String> {
        run_program(program, DOCUMENT.as_bytes(), format)
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
    fn a_program_that_halts_does_not_end_the_process() {
        assert_eq!(run("1, halt, 2", Format::Json).as_deref(), Ok("1\n"));
        assert_eq!(run("halt(3)", Format::Json), Err("the program ended itself with exit code 3".to_owned()));
        for program in ["\"no data\" | halt_error", "\"no data\" | halt_error(2)", "error(\"no data\")"] {
            assert_eq!(run(program, Format::Json), Err("no data".to_owned()), "{program}");
        }
        assert!(run(".results.data.id", Format::Json).is_err());
    }

    #[test]
    fn a_program_cannot_import_files() {
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
