//! Takes the vendor's OpenAPI file and leaves a tree that speaks its version:
//! `cargo run --example update-spec -- path/to/vendor.yaml`. See `spec/README.md`.

#![allow(clippy::print_stdout, reason = "this program talks on stdout")]

#[path = "../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let vendor = std::env::args().nth(1).ok_or("usage: update-spec <vendor's OpenAPI file>")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (spec, generated) = (root.join("spec"), root.join("generated"));
    let (version, facts) = codegen::distill::distill(&fs::read_to_string(&vendor)?)?;

    // Rendered from a copy first: a file that cannot be used must leave the tree as it is.
    let trial = tempfile::tempdir()?;
    fs::copy(spec.join("overlay.yaml"), trial.path().join("overlay.yaml"))?;
    let name = format!("intercom-{version}.yaml");
    fs::write(trial.path().join(&name), &facts)?;
    codegen::render(trial.path())?;

    if let Ok(previous) = codegen::description_path(&spec) {
        fs::remove_file(previous)?;
    }
    fs::write(spec.join(&name), facts)?;
    println!("wrote spec/{name}");
    for changed in codegen::generate(&spec, &generated)? {
        println!("wrote {}", changed.strip_prefix(root).unwrap_or(&changed).display());
    }
    Ok(())
}
