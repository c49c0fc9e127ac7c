//! Regenerates `generated/` when `spec/` changes. The generator is in `src/codegen`, so that tests can use it
//! too.

#![allow(clippy::print_stdout, reason = "build scripts report to cargo on stdout")]

#[path = "src/codegen/mod.rs"]
#[allow(dead_code, reason = "the update-spec example uses the rest")]
mod codegen;

use std::path::Path;

fn main() {
    link_at_fixed_address();
    println!("cargo::rerun-if-changed=spec");
    println!("cargo::rerun-if-changed=src/codegen");
    if let Err(error) = codegen::generate(Path::new("spec"), Path::new("generated")) {
        println!("cargo::error={error}");
    }
}

/// Half of the startup time would be relocations, see docs/decisions/fixed-address.md.
fn link_at_fixed_address() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if (target("OS"), target("ENV"), target("ARCH")) == ("linux".into(), "gnu".into(), "x86_64".into()) {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
