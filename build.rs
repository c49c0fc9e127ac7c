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

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn main() {
    if is_glibc_linux() {
        link_at_fixed_address();
        merge_equal_functions();
    }
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

fn is_glibc_linux() -> bool {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    (target("OS"), target("ENV"), target("ARCH")) == ("linux".into(), "gnu".into(), "x86_64".into())
}

/// Half of the startup time would be relocations, see docs/decisions/fixed-address.md.
fn link_at_fixed_address() {
    println!("cargo::rustc-link-arg-bins=-no-pie");
}

/// Half a megabyte of each program would be copies of functions, see docs/decisions/no-lto.md. Not all linkers can merge
/// them, so one is asked to. Debug builds keep their functions apart, for backtraces.
fn merge_equal_functions() {
    const ARGUMENT: &str = "-Wl,--icf=all";
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && links_with(ARGUMENT) == Some(true)
    {
        println!("cargo::rustc-link-arg-bins={ARGUMENT}");
    }
}

/// Whether an empty program can be linked with an argument, by the compiler, flags and linker of this build.
fn links_with(argument: &str) -> Option<bool> {
    let variable = |name: &str| std::env::var_os(name);
    let program = Path::new(&variable("OUT_DIR")?).join("probe");
    let mut rustc = Command::new(variable("RUSTC")?);
    let link_argument = format!("link-arg={argument}");
    rustc.args(["--crate-name", "probe", "--target", &std::env::var("TARGET").ok()?, "-C", &link_argument]);
    if let Some(linker) = variable("RUSTC_LINKER") {
        let mut setting = OsString::from("linker=");
        setting.push(linker);
        rustc.arg("-C").arg(setting);
    }
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    rustc.arg("-o").arg(program).arg("-").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = rustc.spawn().ok()?;
    process.stdin.take()?.write_all(b"fn main() {}").ok()?;
    Some(process.wait().ok()?.success())
}
