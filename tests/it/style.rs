//! The wording rules of `docs/STYLE.md`, over every text that a person reads.
//!
//! Only what a pattern can decide is checked here; the rest is for reviewers.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// The rooms that follow the rules, below the root of the repository. The others are being brought in line.
const ROOTS: &[&str] = &[
    "benches",
    "build.rs",
    "docs",
    "examples",
    "spec",
    "src/api",
    "src/articles",
    "src/bin",
    "src/codegen",
    "src/config",
    "src/filter",
    "src/html",
    "src/lib.rs",
    "src/main.rs",
    "src/sandbox",
    "tests/it/articles",
    "tests/it/sandbox",
    "tests/it/sandboxed",
    "tests/it/support",
    "tests/transport",
];

/// A pattern, and what to write instead.
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

/// Right as they are: what a pattern finds and does not mean.
const ALLOWED: &[&str] = &[
    "is no longer",
    "are no longer",
    "was no longer",
    "were no longer",
    "is no more than",
    "stand-in",
    "standalone",
];

fn files(root: &Path, found: &mut Vec<PathBuf>) {
    if root.is_file() {
        found.push(root.to_owned());
        return;
    }
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let is_text = path.extension().is_some_and(|it| {
            ["rs", "md", "yaml", "toml", "sh", "py", "sql"].iter().any(|known| it == *known)
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
    for path in paths.iter().filter(|path| !path.ends_with("docs/STYLE.md")) {
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
