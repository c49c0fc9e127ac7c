//! Runs tests again with a later API version, whose documents and requests have other forms. What they assert must not
//! depend on the version, except where a test asks for it with `support::has_change`.

use std::process::Command;

use crate::support::{API_VERSION_VARIABLE, api_version};

/// The modules, and the API version of the second run.
const AGAIN: (&str, &[&str]) = (
    "2.16",
    &[
        "articles::",
        "bulk::",
        "filter::",
        "mcp::verbs::",
        "mirror::",
        "report::",
        "sync_changes::",
        "commands::analytics::",
        "commands::search::",
        "commands::sql::",
    ],
);

/// Slow tests of failures, which no version changes.
const SKIPPED: [&str; 3] = ["bulk::faults::", "bulk::verification::concurrent_runs", "filter::random_groups"];

#[test]
fn the_same_tests_pass_with_a_later_api_version() {
    // This test is part of the second run.
    if api_version().is_some() {
        return;
    }
    let (version, modules) = AGAIN;
    let again = Command::new(std::env::current_exe().unwrap())
        .env(API_VERSION_VARIABLE, version)
        .args(modules)
        .args(SKIPPED.iter().flat_map(|name| ["--skip", name]))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{}", printed.split("failures:").skip(1).collect::<String>());
    assert!(!printed.contains(" 0 passed"), "{printed}");
}
