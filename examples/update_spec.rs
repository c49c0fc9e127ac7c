//! Adds the API version of the vendor's OpenAPI file to `spec/` and refreshes `generated/`:
//! `cargo run --example update-spec -- path/to/vendor.yaml`. See `spec/README.md`.
//!
//! Prints the commands that the version adds, changes and removes. A file that cannot be used changes nothing.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a maintenance tool that prints its result")]

#[path = "../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use codegen::pin;
use codegen::table::Command;
use codegen::update::{ChangedCommand, Choices, RemovedCommand, Update};

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
    let (mut choices, mut pins) = (Choices::default(), false);
    for flag in &flags {
        match flag.as_str() {
            "--pin" => pins = true,
            "--allow-removals" => choices.allow_removals = true,
            _ => return Err(format!("unknown flag {flag}: expected --pin or --allow-removals").into()),
        }
    }
    let [vendor] = &files[..] else {
        return Err(
            "expected one file; usage: update-spec [--pin] [--allow-removals] <vendor's OpenAPI file>".into(),
        );
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (spec, generated) = (root.join("spec"), root.join("generated"));
    let text = fs::read_to_string(vendor).map_err(|error| format!("cannot read {vendor}: {error}"))?;
    let update = codegen::update::prepare(&text, &spec, choices)?;

    // Render from a copy first, so that an unusable file leaves the tree unchanged.
    let trial = tempfile::tempdir()?;
    for entry in fs::read_dir(&spec)? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, trial.path().join(name))?;
        }
    }
    let name = format!("intercom-{}.yaml", update.version);
    fs::write(trial.path().join(&name), &update.facts)?;
    codegen::render(trial.path())?;

    fs::write(spec.join(&name), &update.facts)?;
    println!("wrote spec/{name}");
    if pins {
        fs::write(spec.join(pin::NAME), pin::text(&update.version.to_string()))?;
        println!("pinned {}: requests name it by default", update.version);
    }
    for changed in codegen::generate(&spec, &generated)? {
        println!("wrote {}", changed.strip_prefix(root).unwrap_or(&changed).display());
    }
    report(&update);
    Ok(())
}

fn report(update: &Update) {
    println!("commands added: {}", update.added.len());
    for Command { name, method, path, .. } in &update.added {
        println!("  + {name}  ({method} {path})");
    }
    println!("commands changed: {}", update.changed.len());
    for ChangedCommand { name, differences } in &update.changed {
        println!("  ~ {name}");
        differences.iter().for_each(|difference| println!("      {difference}"));
    }
    println!("commands removed: {}", update.removed.len());
    for RemovedCommand { command: Command { name, method, path, .. }, replacement } in &update.removed {
        let replacement = replacement.as_ref().map(|name| format!("; now `{name}`")).unwrap_or_default();
        println!("  - {name}  ({method} {path}{replacement})");
    }
    if !update.unusable.is_empty() {
        println!("operations that neither a command nor a method can send: {}", update.unusable.len());
        update.unusable.iter().for_each(|operation| println!("  ! {operation}"));
    }
    if !update.entries.is_empty() {
        println!("entries to complete under `operations:` in spec/overlay.yaml:");
        print!("{}", update.entries);
    }
}
