//! Snapshots of what a user sees: the help of every command, and the output of every hand-written command against a
//! seeded workspace. They show changes in a diff for review.
//!
//! After an intended change: `INSTA_UPDATE=always cargo test --test it screens`, and read the diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use crate::support::{binary, document, stderr, stdout};
use intercom::api::ApiVersion;
use intercom::sandbox::{Options, Sandbox, TOKEN};

/// The time of the workspace. Its records are from the two months before.
const NOW: i64 = 1_760_000_000;

/// Commands without a screen: they run until stopped, print files, or show changing numbers.
const WITHOUT_SCREEN: [&str; 7] = ["budget", "completions", "demo", "listen", "man", "mcp", "sandbox serve"];

/// A page at a width of 100 columns.
fn page(home: &Path, words: &[&str]) -> String {
    let output = binary(home).args(words).env("COLUMNS", "100").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
    let line = ["$ intercom-pp-cli", &words.join(" ")].join(" ");
    format!("{}\n{}\n\n", line.trim_end(), stdout(&output).trim_end())
}

/// The words of all commands and of their groups, in order.
fn paths(home: &Path) -> BTreeSet<Vec<String>> {
    let context = document(&binary(home).arg("agent-context").output().unwrap());
    let commands = context["results"]["commands"].as_array().unwrap().clone();
    let words = commands.iter().map(|command| command["command"].as_str().unwrap());
    let prefixes = words.flat_map(|words| {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        (1..=words.len()).map(move |length| words[..length].to_vec())
    });
    prefixes.collect()
}

#[test]
fn help_of_every_command() {
    let home = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("help", page(home.path(), &[]));
    let topics =
        ["api", "commands", "dates", "environment", "exit-codes", "filters", "flags", "output", "profiles"];
    let topics: String = topics.iter().map(|topic| page(home.path(), &["help", topic])).collect();
    insta::assert_snapshot!("help_topics", topics);
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for path in paths(home.path()) {
        let words: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        groups.entry(path[0].clone()).or_default().push_str(&page(home.path(), &words));
    }
    assert!(groups.len() > 40, "{groups:?}");
    for (group, screens) in groups {
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
    (r"\b2025-10-09[T ]08:5\d(:\d\dZ)?", "[clock]"),
    (r" in (under )?\d+(\.\d+)? (s|min)( \d+ s)?\n", " in [time]\n"),
    (r" *\b\d+(\.\d)? [KM]B\b", " [size]"),
    // Since the time of the workspace.
    (r"\b\d{3,} d( \d+ h)? *", "[age] "),
    (r"(?m)^id( +)idle +", "id${1}idle  "),
    // Tests that run at the same time share a workspace.
    (r"waiting for another run that is changing this workspace\n", ""),
    (r"\b1760000\d{3}\b", "[clock]"),
    (r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) *", "[now] "),
    (r"\b20(2[6-9]|[3-9]\d)-\d\d-\d\d \d\d:\d\d(:\d\d)? *", "[now] "),
    (r"\b(179|[2-9]\d\d|18\d)\d{7}\b", "[now]"),
    (r#""(bytes|bytes_before|age_seconds|idle_days|requests)":[\d.]+"#, r#""$1":[number]"#),
    (r#""seconds": *\d+\.\d+"#, r#""seconds": [number]"#),
    (r" *\b\d+\.\d{5,}\b", " [number]"),
    // The table of a sync.
    (r"(?m)^([a-z_]+ +\d+ +\d+ +\d+ +\d+ .*?) +\d+ +\d+(\.\d)? m?s$", "$1 [requests] [time]"),
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
        // Screens must not change when another version is pinned.
        let api_version = ApiVersion::oldest();
        let sandbox = Sandbox::start(Options { now: NOW, api_version, ..sizes }).await.unwrap();
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
            .envs(is_repinned().then(|| ("INTERCOM_API_VERSION", ApiVersion::oldest().to_string())))
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

/// Whether another version is pinned than the one in the snapshots.
fn is_repinned() -> bool {
    ApiVersion::pinned() != ApiVersion::oldest()
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
            // `doctor` compares with the pinned version.
            if is_repinned() && lines.iter().any(|line| line.starts_with("doctor")) {
                continue;
            }
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
    assert!(head.ends_with(&format!(" {}", name.to_uppercase())), "{name}: {table}");
    let start = head.chars().count() - name.len();
    let cells = lines.map(|line| line.chars().skip(start).collect::<String>());
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
    screens.screen("sync");
    let found = table("conversations incident-tag --mentions refund --tag outage --limit 3");
    assert!(last_column(&found, "match").contains("Refun"), "{found}");
    assert_eq!(found.matches("215470000000").count(), 3, "ids are whole: {found}");
    for words in ["conversations bulk-tag 98 99 --tag x", "contacts bulk-update 98 99 --set name=Ann"] {
        assert!(table(words).lines().next().unwrap().contains(" REASON"), "{words}");
        assert_eq!(table(words).matches("not_found").count(), 2, "{words}");
    }
    // The machine's clock is far from that of the sandbox.
    let doctor = table("doctor").split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = "hint: set the clock; relative times like 24h use this machine's clock";
    assert!(doctor.contains(wanted) && doctor.ends_with("checks passed, 1 warning"), "{doctor}");
    for (line, expected) in [
        ("status", "conversation_parts  complete"),
        ("conversations sla", "median"),
        ("conversations sla --group-by admin --target first-response=1h,resolution=24h", "in time"),
        ("conversations sla --since 2020-01-01 --until 2020-02-01", "No conversations in this period."),
        ("conversations stale --idle 1d", "215470000000"),
        ("conversations volume --by hour", "New conversations by hour of the day (UTC)"),
        ("conversations bulk-close --where 'state = open'", "would_change"),
        ("sync --resources tags,teams", "tags"),
    ] {
        let shown = table(line);
        assert!(shown.contains(expected), "{line}: {shown}");
    }
    let example = last_column(&table("which tag many conversations"), "example");
    let wanted =
        "intercom-pp-cli conversations bulk-tag --where 'state = open and updated_at > 7d' --tag follow-up";
    assert!(example.starts_with(wanted), "{example}");
}
