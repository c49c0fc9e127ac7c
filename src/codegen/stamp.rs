//! Records which inputs `generated/` was made from, so that a build can skip the generator.
//!
//! `build.rs` includes this file alone when the crate is built without the feature `generate`. It must not use any
//! crate or any other file of the generator.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "stamp.txt";

const HEAD: &str = "# Written by the generator from spec/ and src/codegen/. Do not edit or merge: regenerate with\n\
                    # cargo check --features generate\n";

/// Whether `generated` has a stamp that fits its files and the inputs they were made from. A file that cannot be read
/// does not fit.
pub fn is_current(spec: &Path, codegen: &Path, generated: &Path) -> bool {
    match (render(spec, codegen, generated), fs::read_to_string(generated.join(NAME))) {
        (Ok(expected), Ok(found)) => expected.lines().eq(found.lines()),
        _ => false,
    }
}

/// Writes the stamp, unless it is current. Returns its path if it has changed.
///
/// # Errors
/// If an input, an output or the stamp cannot be read or written.
#[allow(dead_code, reason = "a build without the generator only compares")]
pub fn write(spec: &Path, codegen: &Path, generated: &Path) -> io::Result<Option<PathBuf>> {
    if is_current(spec, codegen, generated) {
        return Ok(None);
    }
    let path = generated.join(NAME);
    fs::write(&path, render(spec, codegen, generated)?)?;
    Ok(Some(path))
}

fn render(spec: &Path, codegen: &Path, generated: &Path) -> io::Result<String> {
    let mut inputs = files(spec)?;
    inputs.extend(files(codegen)?);
    let (inputs, outputs) = (hash(&inputs)?, hash(&files(generated)?)?);
    Ok(format!("{HEAD}inputs {inputs:016x}\noutputs {outputs:016x}\n"))
}

/// The files of a folder and its subfolders, sorted. Notes, the stamp and an editor's leftovers do not count.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// FNV-1a of the names and contents. It detects edits, not forgeries. Line endings do not count, because Git may
/// change them.
fn hash(paths: &[PathBuf]) -> io::Result<u64> {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = OFFSET_BASIS;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().filter(|byte| **byte != b'\r') {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    };
    for path in paths {
        add(path.file_name().unwrap_or_default().as_encoded_bytes());
        add(&[0]);
        add(&fs::read(path)?);
        add(&[0]);
    }
    Ok(hash)
}
