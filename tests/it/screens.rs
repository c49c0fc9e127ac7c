//! Snapshots of what a user sees: the help of every command, and the output of every hand-written command against a
//! seeded workspace. They show changes in a diff for review.
//!
//! After an intended change: `INSTA_UPDATE=always cargo test --test it screens`, and read the diff.

use std::fmt::Write;
use std::path::Path;

use crate::support::{binary, document, stderr, stdout};
use intercom::sandbox::{Options, Sandbox, TOKEN};

/// The time of the workspace. Its records are from the two months before.
const NOW: i64 = 1_760_000_000;

/// Commands without a screen: they run until stopped, print files, or show changing numbers.
const WITHOUT_SCREEN: [&str; 6] = ["budget", "completions", "demo", "man", "mcp", "sandbox serve"];

/// Names of the subcommands in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default();
    let listed = listed.lines().take_while(|line| line.starts_with("  "));
    let names =
        listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// A help text without the global options.
fn help(home: &Path, words: &[String]) -> String {
    let output = binary(home).args(words).arg("--help").env("COLUMNS", "100").output().unwrap();
    let text = stdout(&output);
    assert!(text.contains("Usage:"), "{words:?}: {}", stderr(&output));
    text.split("\nGlobal options:\n").next().unwrap().trim_end().to_owned()
}

fn write_help(home: &Path, words: &[String], screens: &mut String) {
    let help = help(home, words);
    writeln!(screens, "$ intercom-pp-cli {} --help\n{help}\n", words.join(" ")).unwrap();
    for name in subcommands(&help) {
        write_help(home, &[words, &[name]].concat(), screens);
    }
}

#[test]
fn help_of_every_command() {
    let home = tempfile::tempdir().unwrap();
    let top = stdout(&binary(home.path()).arg("--help").env("COLUMNS", "100").output().unwrap());
    // Only this screen includes the global options.
    insta::assert_snapshot!("help", top);
    let groups = subcommands(&top);
    assert!(groups.len() > 40, "{groups:?}");
    for group in groups {
        let mut screens = String::new();
        write_help(home.path(), std::slice::from_ref(&group), &mut screens);
        insta::assert_snapshot!(format!("help_{group}"), screens);
    }
}

/// Values that differ between runs: ports, folders, versions, durations and the local time.
const VOLATILE: &[(&str, &str)] = &[
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"/[^\s\x22]*/\.tmp[A-Za-z0-9]+", "[home]"),
    (r"\b\d{8}T\d{6}-\d+\b", "[run]"),
    (r"\b\d+ of 1667 calls", "[left] of 1667 calls"),
    (r"\b68e77[89a][0-9a-f]{18}\b", "[new id]"),
    // The clock of the workspace advances while commands run.
    (r"\b2025-10-09T08:5\d:\d\dZ", "[clock]"),
    (r"\b1760000\d{3}\b", "[clock]"),
    (r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) *", "[now] "),
    (r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\d \d\d:\d\d(:\d\d)? *", "[now] "),
    (r"\b(179|[2-9]\d\d|18\d)\d{7}\b", "[now]"),
    (r#""(bytes|bytes_before|age_seconds|idle_days|requests)":[\d.]+"#, r#""$1":[number]"#),
    (r#""seconds": *\d+\.\d+"#, r#""seconds": [number]"#),
    (r" *\b\d+\.\d{5,}\b", " [number]"),
    (r"(?m)^( [a-z_]+ +\d+ +\d+ +\d+ +\d+ +\d+) +\d+ +(\[number\]|\d+\.\d+)", "$1 [requests] [number]"),
    (r" +\d{8}\b", " [age]"),
    (r" +\d{3,}\.\d  ", " [days]  "),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
    (r#""version":"[^"]*""#, r#""version":"[version]""#),
];

struct Screens {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Screens {
    async fn new() -> Self {
        let sizes = Options {
            contacts: 30,
            companies: 6,
            conversations: 40,
            tickets: 10,
            articles: 8,
            ..Options::default()
        };
        let sandbox = Sandbox::start(Options { now: NOW, ..sizes }).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let person = "{\"email\":\"new@example.com\",\"role\":\"user\"}\n";
        std::fs::write(home.path().join("people.ndjson"), person).unwrap();
        Screens { sandbox, home }
    }

    /// A command and its output, as in a terminal session.
    fn screen(&self, line: &str) -> String {
        let output = binary(self.home.path())
            .args(shlex::split(line).unwrap())
            .env("INTERCOM_ACCESS_TOKEN", TOKEN)
            .env("INTERCOM_BASE_URL", self.sandbox.base_url())
            .envs([("COLUMNS", "100"), ("TZ", "UTC")])
            .output()
            .unwrap();
        let mut screen = format!("$ intercom-pp-cli {line}\n{}", stdout(&output));
        if !stderr(&output).is_empty() {
            write!(screen, "[stderr]\n{}", stderr(&output)).unwrap();
        }
        writeln!(screen, "[exit {}]\n", output.status.code().unwrap()).unwrap();
        screen
    }
}

/// Snapshot names and their command lines, from `fixtures/screens.txt`.
fn sections() -> Vec<(&'static str, Vec<&'static str>)> {
    let blocks = include_str!("../fixtures/screens.txt").split("# ").skip(1);
    blocks
        .map(|block| {
            let (name, lines) = block.split_once('\n').unwrap();
            (name, lines.lines().filter(|line| !line.is_empty()).collect())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_of_every_hand_written_command() {
    let screens = Screens::new().await;
    insta::with_settings!({ filters => VOLATILE.to_vec() }, {
        for (name, lines) in sections() {
            let text: String = lines.into_iter().map(|line| screens.screen(line)).collect();
            insta::assert_snapshot!(format!("screens_{}", name), text);
        }
    });
}

/// Every new command needs a screen.
#[test]
fn every_hand_written_command_has_a_screen() {
    let home = tempfile::tempdir().unwrap();
    let context = document(&binary(home.path()).arg("agent-context").output().unwrap());
    let commands = context["results"]["commands"].as_array().unwrap();
    let own = commands.iter().filter(|command| command["request"].is_null());
    let own: Vec<&str> = own.map(|command| command["command"].as_str().unwrap()).collect();
    assert!(own.len() > 40, "{own:?}");
    let lines: Vec<&str> = sections().into_iter().flat_map(|(_, lines)| lines).collect();
    let missing: Vec<&&str> = own
        .iter()
        .filter(|words| !WITHOUT_SCREEN.contains(words))
        .filter(|words| !lines.iter().any(|line| *line == **words || line.starts_with(&format!("{words} "))))
        .collect();
    assert!(missing.is_empty(), "add these to tests/fixtures/screens.txt: {missing:?}");
}

/// The lines of the last column of a table, joined.
fn last_column(table: &str, name: &str) -> String {
    let mut lines = table.lines();
    let head = lines.next().unwrap();
    assert!(head.ends_with(&format!(" {name}")), "{name}: {table}");
    let start = head.chars().count() - name.len();
    let cells = lines.skip(1).map(|line| line.chars().skip(start).collect::<String>());
    cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_keep_their_main_column_at_80_columns() {
    let screens = Screens::new().await;
    let table = |line: &str| {
        let output = binary(screens.home.path())
            .args(shlex::split(line).unwrap())
            .args(["--format", "table"])
            .env("INTERCOM_ACCESS_TOKEN", TOKEN)
            .env("INTERCOM_BASE_URL", screens.sandbox.base_url())
            .env("COLUMNS", "80")
            .output()
            .unwrap();
        assert!(!stderr(&output).contains("hidden"), "{line}: {}", stderr(&output));
        let table = stdout(&output);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{line}: {table}");
        table
    };
    let found = table("conversations incident-tag --mentions refund --tag outage --limit 3");
    assert!(last_column(&found, "match").contains("Refun"), "{found}");
    assert_eq!(found.matches("215470000000").count(), 3, "ids are whole: {found}");
    for words in ["conversations bulk-tag 98 99 --tag x", "contacts bulk-update 98 99 --set name=Ann"] {
        assert!(table(words).lines().next().unwrap().contains(" reason"), "{words}");
        assert_eq!(table(words).matches("not_found").count(), 2, "{words}");
    }
    // The machine's clock is far from that of the sandbox.
    let hint = last_column(&table("doctor"), "hint");
    let wanted = "set the clock; relative times like 24h use this machine's clock";
    assert!(hint.contains(wanted), "{hint}");
    let example = last_column(&table("which tag many conversations"), "example");
    let wanted =
        "intercom-pp-cli conversations bulk-tag --where 'state = open and updated_at > 7d' --tag follow-up";
    assert!(example.starts_with(wanted), "{example}");
}
