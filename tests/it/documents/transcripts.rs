//! Transcripts in `console` blocks are what the commands print.
//!
//! They are run in a workspace whose clock is fixed, so that every run prints the same; `--week last` is the week
//! before that time.

use std::fs;
use std::path::Path;

use intercom::api::ApiVersion;
use intercom::sandbox::{Options, Sandbox, TOKEN};

use super::{assert_current, pages};
use crate::support::{binary, stderr, stdout};

/// Friday, 2026-11-27 12:00 UTC.
const NOW: i64 = 1_795_780_800;
const LAST_WEEK: &str = "2026-W47";

fn run(home: &Path, sandbox: &Sandbox, line: &str) -> String {
    let words = shlex::split(&line.replace("--week last", &format!("--week {LAST_WEEK}"))).unwrap();
    assert_eq!(words[0], "intercom-pp-cli", "{line}");
    let mut command = binary(home);
    command
        .args(&words[1..])
        .env("INTERCOM_API_VERSION", ApiVersion::oldest().to_string())
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url());
    // `view` prints text in any case.
    let is_view = words.get(2).is_some_and(|word| word == "view");
    let output = command
        .args((!is_view).then_some("--human-friendly"))
        .envs([("COLUMNS", "80"), ("TZ", "UTC"), ("NO_COLOR", "1")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{line}: {}", stderr(&output));
    let text = stdout(&output);
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_are_real() {
    // What is shown must not change when another version is pinned.
    let api_version = ApiVersion::oldest();
    let options = Options { now: NOW, api_version, ..Options::default() }.with_story();
    let sandbox = Sandbox::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let synced = binary(home.path())
        .args(["sync", "--quiet"])
        .env("INTERCOM_API_VERSION", ApiVersion::oldest().to_string())
        .env("INTERCOM_ACCESS_TOKEN", TOKEN)
        .env("INTERCOM_BASE_URL", sandbox.base_url())
        .output()
        .unwrap();
    assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
    let mut transcripts = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let mut current = String::new();
        for (number, part) in text.split("```").enumerate() {
            let separator = if number == 0 { "" } else { "```" };
            current.push_str(separator);
            let command = part.strip_prefix("console\n$ ").and_then(|rest| rest.lines().next());
            let Some(command) = command.filter(|_| number % 2 == 1) else {
                current.push_str(part);
                continue;
            };
            transcripts += 1;
            let output = run(home.path(), &sandbox, command);
            current.push_str(&format!("console\n$ {command}\n{output}\n"));
        }
        assert_current(&page, &current);
    }
    assert!(transcripts >= 2, "{transcripts}");
}
