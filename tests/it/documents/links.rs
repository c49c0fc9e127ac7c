//! Links of pages to files and headings of this repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{name, pages, root};

/// The targets of the Markdown links in a text, without those in code.
fn targets(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).flat_map(|prose| prose.split('`').step_by(2)).collect();
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let root_files = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root().join(name));
    let mut dead = Vec::new();
    let mut links = 0;
    for page in pages().into_iter().chain(root_files) {
        let text = fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            let path = target.split('#').next().unwrap_or_default();
            if target.contains("://") || path.is_empty() {
                continue;
            }
            links += 1;
            if !page.parent().unwrap().join(path).exists() {
                dead.push(format!("{}: {target}", name(&page)));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(links > 60, "{links}");
}

#[test]
fn the_index_lists_every_page() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    let listed: BTreeSet<String> = targets(&index).into_iter().collect();
    for page in pages().iter().filter(|page| page.parent().is_some_and(|folder| folder.ends_with("docs"))) {
        let file = Path::new(page.file_name().unwrap()).display().to_string();
        assert!(file == "README.md" || listed.contains(file.as_str()), "docs/README.md does not list {file}");
    }
}
