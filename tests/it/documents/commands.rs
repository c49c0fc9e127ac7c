//! Runs every `sh` block of every page, line by line, in a workspace with the prepared cases.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use intercom::sandbox::{Options, Sandbox, TOKEN};

use super::{blocks, name, pages};
use crate::support::{stderr, stdout};

/// Pages that mirror the workspace themselves, or need no mirror.
const WITHOUT_SYNC: [&str; 4] =
    ["README.md", "docs/configuration.md", "docs/install.md", "docs/quick-start.md"];

/// Runs a line in a shell, with the binary under test as `intercom-pp-cli` and `cargo run --release --`.
fn shell(home: &Path, sandbox: &Sandbox, line: &str) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_intercom-pp-cli")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    Command::new("sh")
        .args(["-ec", &line.replace("cargo run --release --", "intercom-pp-cli")])
        .env_clear()
        .envs([("HOME", home.to_str().unwrap()), ("PATH", &path), ("INTERCOM_ACCESS_TOKEN", TOKEN)])
        .env("INTERCOM_BASE_URL", sandbox.base_url())
        .current_dir(home)
        .output()
        .unwrap()
}

/// The command, and the exit code that a comment at its end expects.
fn expectation(line: &str) -> (&str, i32) {
    match line.rsplit_once(" # exit ") {
        Some((command, code)) => (command, code.parse().unwrap()),
        None => (line, 0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_every_page_runs() {
    let mut failures = Vec::new();
    let mut commands = 0;
    for page in pages() {
        let sizes =
            Options { contacts: 60, companies: 12, conversations: 80, articles: 8, ..Options::default() };
        let sandbox = Sandbox::start(sizes.with_story()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let page_name = name(&page);
        if !WITHOUT_SYNC.contains(&page_name.as_str()) {
            let synced = shell(home.path(), &sandbox, "intercom-pp-cli sync");
            assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
        }
        let text = fs::read_to_string(&page).unwrap();
        for line in blocks(&text, "sh").iter().flat_map(|block| block.lines()) {
            if line == "cargo test" || line.is_empty() {
                continue;
            }
            let (command, code) = expectation(line);
            let output = shell(home.path(), &sandbox, command);
            if output.status.code() != Some(code) {
                failures.push(format!("{page_name}: {line}\n{:?} {}", output.status.code(), stderr(&output)));
            } else if code == 0 && command.contains("intercom-pp-cli") && stdout(&output).is_empty() {
                failures.push(format!("{page_name}: {line}\nprints nothing: {}", stderr(&output)));
            }
            commands += 1;
        }
    }
    assert!(failures.is_empty(), "{} of {commands} commands:\n{}", failures.len(), failures.join("\n"));
    assert!(commands > 100, "{commands}");
}
