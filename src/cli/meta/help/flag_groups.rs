//! `help flags`: the global flags, grouped by what they are about.

use std::collections::BTreeMap;

use crate::cli::globals;
use crate::cli::help::{self, Row, Section, argument_row};

/// Titles and flags. A test checks that every global flag is in one group.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Format of the output",
        &["json", "ndjson", "csv", "csv-raw", "plain", "quiet", "format", "human-friendly", "agent"],
    ),
    ("Content of the output", &["select", "jq", "compact", "wide", "utc", "timezone"]),
    ("Place of the output", &["deliver", "no-color", "no-pager", "progress", "verbose"]),
    ("Changes", &["dry-run", "yes", "no-input", "read-only", "idempotent", "ignore-missing"]),
    (
        "Workspace",
        &["profile", "config", "region", "base-url", "api-version", "header", "timeout", "rate-limit"],
    ),
    ("Mirror", &["data-source", "max-age"]),
    ("Without effect", &["no-cache"]),
];

pub fn text() -> String {
    let flags = globals::arguments().into_iter();
    let by_name: BTreeMap<String, Row> =
        flags.filter_map(|flag| Some((flag.get_long()?.to_owned(), argument_row(&flag)))).collect();
    let groups: Vec<Section> = GROUPS
        .iter()
        .map(|(title, names)| Section {
            title: (*title).to_owned(),
            rows: names.iter().filter_map(|name| by_name.get(*name).cloned()).collect(),
        })
        .collect();
    format!(
        "These options can be added to every command, before or after its own.\n\n{}",
        help::list(&groups)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_global_flag_is_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let mut declared: Vec<String> = globals::arguments()
            .iter()
            .filter_map(|argument| argument.get_long().map(str::to_owned))
            .collect();
        grouped.sort_unstable();
        declared.sort_unstable();
        assert_eq!(grouped, declared);
    }
}
