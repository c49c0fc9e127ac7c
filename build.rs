//! Regenerates `generated/` when `spec/` or the generator changes, and links the programs.
//!
//! The generator is in `src/codegen`, so that tests can use it too. It is compiled only with the feature `generate`;
//! without it, `generated/` must be current.

#![allow(clippy::print_stdout, reason = "build scripts report to cargo on stdout")]

#[cfg(feature = "generate")]
#[path = "src/codegen/mod.rs"]
#[allow(dead_code, reason = "the update-spec example uses the rest")]
mod codegen;

#[cfg(feature = "generate")]
use codegen::stamp;

#[cfg(not(feature = "generate"))]
#[path = "src/codegen/stamp.rs"]
mod stamp;

use std::path::Path;

fn main() {
    link_at_fixed_address();
    println!("cargo::rerun-if-changed=spec");
    println!("cargo::rerun-if-changed=src/codegen");
    let (spec, generated) = (Path::new("spec"), Path::new("generated"));
    if !stamp::is_current(spec, Path::new("src/codegen"), generated) {
        regenerate(spec, generated);
    }
}

#[cfg(feature = "generate")]
fn regenerate(spec: &Path, generated: &Path) {
    if let Err(error) = codegen::generate(spec, generated) {
        println!("cargo::error={error}");
    }
}

#[cfg(not(feature = "generate"))]
fn regenerate(_: &Path, _: &Path) {
    println!(
        "cargo::error=generated/ is not made from this spec/ and src/codegen/: regenerate it with \
         `cargo check --features generate`"
    );
}

/// Half of the startup time would be relocations, see docs/decisions/fixed-address.md.
fn link_at_fixed_address() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if (target("OS"), target("ENV"), target("ARCH")) == ("linux".into(), "gnu".into(), "x86_64".into()) {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
