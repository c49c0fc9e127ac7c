//! Checks the wording rules of `docs/STYLE.md` in all source files and documents.
//!
//! Patterns catch only part of the rules; the rest is for reviewers.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Files and folders to check, relative to the root of the repository.
const ROOTS: &[&str] = &[
    "benches",
    "build.rs",
    "Cargo.toml",
    "CHANGELOG.md",
    "clippy.toml",
    "CONTRIBUTING.md",
    "docs",
    "examples",
    "fuzz/fuzz_targets",
    "README.md",
    "SECURITY.md",
    "spec",
    "src",
    "tests",
];

/// Forbidden patterns, and what to write instead.
const PATTERNS: &[(&str, &str)] = &[
    (r"\b(is|are|was|were|be|makes?) no [a-z`]", "not a …, no … found"),
    (r"\bthere (is|are) none\b", "not found"),
    (r"\b(tells?|told|telling)\b", "report, print, show, say, pass"),
    (r"\bgo(es)? on\b", "continue, resume"),
    (r"\bstands?\b", "is in, means"),
    (r"\banew\b", "again"),
    (r"\bof (its|their|our|his|one's) own\b", "own, separate"),
    (r"\bso (many|much)\b", "this many, N"),
    (r"\bletter by letter\b", "exactly"),
    (r"\bunder way\b", "running, in progress"),
    (r"\bmatter of\b", "belongs to"),
    (r"\blies?\b", "is in, is before"),
    (r"\ball the same\b", "anyway"),
    (r"\bwhat is (not )?known\b", "known …, unknown …"),
    (r"\b(comes?|came) to\b", "results in"),
    (r"\bbe it\b", "whether … or"),
    (r"\bnobody's\b", "unassigned"),
    (r"\|it\|", "the name of the thing"),
];

/// Phrases that match a pattern but are fine.
const ALLOWED: &[&str] = &[
    "is no longer",
    "are no longer",
    "was no longer",
    "were no longer",
    "is no more than",
    "stand-in",
    "standalone",
];

/// Collects the files to check. SQL is left out, because released migrations are never edited.
fn files(root: &Path, found: &mut Vec<PathBuf>) {
    if root.is_file() {
        found.push(root.to_owned());
        return;
    }
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let is_text = path.extension().is_some_and(|extension| {
            ["rs", "md", "yaml", "toml", "sh", "py"].iter().any(|known| extension == *known)
        });
        if path.is_dir() || is_text {
            files(&path, found);
        }
    }
}

#[test]
fn no_text_uses_a_forbidden_pattern() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let patterns: Vec<(Regex, &str)> = PATTERNS
        .iter()
        .map(|(pattern, instead)| (Regex::new(&format!("(?i){pattern}")).unwrap(), *instead))
        .collect();
    let mut paths = Vec::new();
    ROOTS.iter().for_each(|name| files(&root.join(name), &mut paths));
    assert!(paths.len() > 200, "{}", paths.len());
    let mut found = Vec::new();
    // The style guide and this test quote the patterns.
    for path in paths.iter().filter(|path| !path.ends_with("docs/STYLE.md") && !path.ends_with("it/style.rs"))
    {
        for (number, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
            let text = ALLOWED.iter().fold(line.to_lowercase(), |text, allowed| text.replace(allowed, ""));
            for (pattern, instead) in patterns.iter().filter(|(pattern, _)| pattern.is_match(&text)) {
                let place = path.strip_prefix(root).unwrap().display();
                found.push(format!("{place}:{}: {} ({pattern}; better: {instead})", number + 1, line.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} lines read as translated, see docs/STYLE.md:\n{}",
        found.len(),
        found.join("\n")
    );
}
