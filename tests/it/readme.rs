//! Every command in the README, the `--help` texts and SKILL.md runs as written against a sandbox workspace.

use crate::support;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{binary, stderr, stdout};
use intercom::sandbox::{Options, Sandbox, TOKEN};

async fn sandbox() -> Sandbox {
    Sandbox::start(Options { contacts: 40, companies: 8, conversations: 60, ..Options::default() })
        .await
        .unwrap()
}

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

/// The lines of the README's `sh` blocks.
fn readme_lines() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_runs() {
    let sandbox = sandbox().await;
    let home = tempfile::tempdir().unwrap();
    let lines = readme_lines();
    assert!(lines.len() > 12, "{lines:?}");
    for line in lines.iter().filter(|line| *line != "cargo test") {
        let output = shell(home.path(), &sandbox, line);
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
        assert!(!output.stdout.is_empty(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_help_runs() {
    let sandbox = sandbox().await;
    let home = tempfile::tempdir().unwrap();
    let synced = shell(home.path(), &sandbox, "intercom-pp-cli sync");
    assert_eq!(synced.status.code(), Some(0), "{}", stderr(&synced));
    let commands = [
        "",
        "agent-context",
        "analytics",
        "api",
        "articles diff",
        "articles lint",
        "articles pull",
        "articles push",
        "articles status",
        "articles translations",
        "auth set-token",
        "budget",
        "bulk runs",
        "companies bulk-tag",
        "completions",
        "contact 360",
        "contacts dupes",
        "contacts bulk-archive",
        "contacts bulk-tag",
        "contacts bulk-update",
        "conversations bulk-assign",
        "conversations bulk-close",
        "conversations bulk-reply-note",
        "conversations bulk-snooze",
        "conversations bulk-tag",
        "conversations bulk-untag",
        "conversations incident-tag",
        "conversations sla",
        "conversations stale",
        "conversations volume",
        "demo",
        "doctor",
        "export",
        "filter explain",
        "import",
        "man",
        "mcp",
        "mirror forget",
        "mirror vacuum",
        "profile save",
        "search",
        "sql",
        "status",
        "sync",
        "tail",
        "which",
        "workflow run",
    ];
    let mut examples = 0;
    for command in commands {
        let words = command.split_whitespace().chain(["--help"]);
        let help = stdout(&binary(home.path()).args(words).output().unwrap());
        let shown = help.split("Example: ").skip(1).filter_map(|rest| rest.split("\n\n").next());
        for example in shown {
            // Help wraps long lines.
            let line = example.split_whitespace().collect::<Vec<_>>().join(" ").replace("$TOKEN", TOKEN);
            let output = shell(home.path(), &sandbox, &line);
            assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
            examples += 1;
        }
    }
    assert!(examples >= 11, "{examples}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_skill_runs() {
    let sandbox = sandbox().await;
    let home = tempfile::tempdir().unwrap();
    let skill = include_str!("../../SKILL.md");
    let lines: Vec<&str> =
        skill.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().lines().collect();
    assert!(lines.len() >= 10, "{lines:?}");
    for line in lines {
        let output = shell(home.path(), &sandbox, line);
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
    }
}

#[test]
fn the_demo_answers_without_an_account() {
    let home = tempfile::tempdir().unwrap();
    let output = binary(home.path()).arg("demo").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for expected in ["first p50", "Support", "(all)", "Latest conversations of", "auth set-token"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json = support::document(&binary(home.path()).args(["demo", "--json"]).output().unwrap());
    assert_eq!(json["results"]["sync"]["complete"], true);
    assert!(json["results"]["sla"]["total"]["first_response_p50_minutes"].as_f64().unwrap() > 1.0);
}
