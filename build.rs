//! Regenerates `generated/` when `spec/` changes. The generator is in `src/codegen`, so that tests can use it
//! too.

#![allow(clippy::print_stdout, reason = "build scripts report to cargo on stdout")]

#[path = "src/codegen/mod.rs"]
#[allow(dead_code, reason = "the update-spec example uses the rest")]
mod codegen;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=spec");
    println!("cargo::rerun-if-changed=src/codegen");
    if let Err(error) = codegen::generate(Path::new("spec"), Path::new("generated")) {
        println!("cargo::error={error}");
    }
}
