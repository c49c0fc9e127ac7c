//! Updates `spec/` and `generated/` to the version of the vendor's OpenAPI file:
//! `cargo run --example update-spec -- path/to/vendor.yaml`. See `spec/README.md`.
//!
//! Prints the commands that the version adds and removes. A file that cannot be used changes nothing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a maintenance tool that prints its result")]

#[path = "../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use codegen::table::Command;
use codegen::update::RemovedCommand;

fn main() -> ExitCode {
    match update() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn update() -> Result<(), Box<dyn Error>> {
    let (flags, files): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let allow_removals = flags.iter().any(|flag| flag == "--allow-removals");
    if let Some(unknown) = flags.iter().find(|flag| *flag != "--allow-removals") {
        return Err(format!("unknown flag {unknown}: expected --allow-removals").into());
    }
    let [vendor] = &files[..] else {
        return Err("expected one file; usage: update-spec [--allow-removals] <vendor's OpenAPI file>".into());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (spec, generated) = (root.join("spec"), root.join("generated"));
    let update = codegen::update::prepare(&fs::read_to_string(vendor)?, &spec, allow_removals)?;

    // Render from a copy first, so that an unusable file leaves the tree unchanged.
    let trial = tempfile::tempdir()?;
    fs::copy(spec.join("overlay.yaml"), trial.path().join("overlay.yaml"))?;
    let name = format!("intercom-{}.yaml", update.version);
    fs::write(trial.path().join(&name), &update.facts)?;
    codegen::render(trial.path())?;

    if let Ok(previous) = codegen::description_path(&spec) {
        fs::remove_file(previous)?;
    }
    fs::write(spec.join(&name), &update.facts)?;
    println!("wrote spec/{name}");
    for changed in codegen::generate(&spec, &generated)? {
        println!("wrote {}", changed.strip_prefix(root).unwrap_or(&changed).display());
    }
    println!("commands added: {}", update.added.len());
    for Command { name, method, path, .. } in &update.added {
        println!("  + {name}  ({method} {path})");
    }
    println!("commands removed: {}", update.removed.len());
    for RemovedCommand { command: Command { name, method, path, .. }, replacement } in &update.removed {
        let replacement = replacement.as_ref().map(|name| format!("; now `{name}`")).unwrap_or_default();
        println!("  - {name}  ({method} {path}{replacement})");
    }
    Ok(())
}
