//! The README and the pages of `docs/` are true: their commands run as written, their transcripts are real, their links
//! lead somewhere, and the tables of the mirror are described as they are.
//!
//! `UPDATE_DOCS=1 cargo test --test it documents` rewrites what is generated.

mod commands;
mod links;
mod mirror_schema;
mod transcripts;

use std::fs;
use std::path::{Path, PathBuf};

/// Pages without commands for users.
const FOR_CONTRIBUTORS: [&str; 2] = ["ARCHITECTURE.md", "STYLE.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and the pages of `docs/` for users.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| {
        path.extension().is_some_and(|extension| extension == "md")
            && !FOR_CONTRIBUTORS.iter().any(|name| path.ends_with(name))
    });
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn name(page: &Path) -> String {
    page.strip_prefix(root()).unwrap().display().to_string()
}

/// The contents of the code blocks in this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let after = text.split(&opening).skip(1);
    after.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Writes a generated file if it differs, and fails unless that was asked for.
fn assert_current(path: &Path, generated: &str) {
    if fs::read_to_string(path).unwrap_or_default() != generated {
        fs::write(path, generated).unwrap();
        let is_wanted = std::env::var_os("UPDATE_DOCS").is_some();
        assert!(is_wanted, "{} was out of date and is rewritten: review and commit it", name(path));
    }
}
