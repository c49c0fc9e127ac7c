//! Help: the first screen, the pages of all commands, the topics, and every example in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use regex::Regex;
use serde_json::Value;

use crate::cli::code;
use crate::support::{binary, document, stderr, stdout};
use intercom::sandbox::{Options, Sandbox, TOKEN};

/// The last line of a full page.
const LAST_LINE: &str = "Global options such as --json, --select, --profile: intercom-pp-cli help flags";

const TOPICS: [&str; 9] =
    ["api", "commands", "dates", "environment", "exit-codes", "filters", "flags", "output", "profiles"];

/// Operations that read, but that the sandbox does not implement: their examples run with `--dry-run`.
const NOT_IN_THE_SANDBOX: [&str; 11] = [
    "ai get-content-import-source",
    "ai get-external-page",
    "ai list-content-import-sources",
    "ai list-external-pages",
    "calls recording",
    "calls transcript",
    "companies segments list",
    "intercom-export download",
    "intercom-export get",
    "internal-articles search",
    "visitors get",
];

/// Examples that end with another exit code in a workspace without a conflict.
const OTHER_CODES: [(&str, i32); 1] = [("articles resolve", 3)];

/// Hand-written commands whose examples run with `--dry-run`: they ask at a terminal, or run until they are stopped.
const ONLY_SHOWN: [&str; 3] = ["listen", "profile delete", "sandbox serve"];

fn help(home: &Path, words: &[&str], width: &str) -> String {
    let output = binary(home).args(words).env("COLUMNS", width).output().unwrap();
    assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
    stdout(&output)
}

/// All commands, as `agent-context` describes them.
fn commands(home: &Path) -> Vec<Value> {
    let context = document(&binary(home).args(["agent-context", "--json"]).output().unwrap());
    context["results"]["commands"].as_array().unwrap().clone()
}

fn words(command: &Value) -> &str {
    command["command"].as_str().unwrap()
}

#[test]
fn the_first_screen_fits_a_terminal_and_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let screen = help(home.path(), &[], "80");
    assert!(screen.lines().count() <= 35, "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    for section in ["Start here", "Work", "Answers", "Change many", "Automate"] {
        assert!(screen.lines().any(|line| line == section), "{section}");
    }
    for other in [&["--help"][..], &["-h"], &["help"]] {
        assert_eq!(help(home.path(), other, "80"), screen, "{other:?}");
    }
    // A group shows its commands in the same way.
    assert_eq!(help(home.path(), &["contacts"], "80"), help(home.path(), &["contacts", "--help"], "80"));
    let refused = binary(home.path()).arg("--json").output().unwrap();
    assert_eq!(code(&refused), 2);
}

#[test]
fn pages_are_short_and_in_one_layout() {
    let home = tempfile::tempdir().unwrap();
    let mut lines = Vec::new();
    for command in commands(home.path()) {
        let path: Vec<&str> = words(&command).split(' ').collect();
        let page = help(home.path(), &[&path[..], &["--help"]].concat(), "80");
        assert!(page.trim_end().ends_with(LAST_LINE), "{path:?}: {page}");
        assert!(page.contains("\n\nUsage: intercom-pp-cli "), "{path:?}: {page}");
        assert!(page.contains("\n\nExample"), "{path:?}: {page}");
        // Neither can be wrapped: an example, and a single word.
        let is_example = |line: &str| line.contains("intercom-pp-cli ") || !line.trim().contains(' ');
        let wide = page.lines().find(|line| line.chars().count() > 80 && !is_example(line));
        assert!(wide.is_none(), "{path:?}: {wide:?}");
        // Texts of an argument begin on the same line as its name, or on the next one.
        assert!(!page.contains("\n\n  -"), "{path:?}: {page}");
        let short = help(home.path(), &[&path[..], &["-h"]].concat(), "80");
        assert!(short.lines().count() <= page.lines().count(), "{path:?}: {short}");
        assert!(!short.contains("\nExample"), "{path:?}: {short}");
        lines.push(page.lines().count());
    }
    let average = lines.iter().sum::<usize>() / lines.len();
    assert!(average < 35, "{average}");
}

#[test]
fn help_finds_commands_in_any_spelling_of_the_request() {
    let home = tempfile::tempdir().unwrap();
    let page = help(home.path(), &["conversations", "sla", "--help"], "80");
    assert_eq!(help(home.path(), &["help", "conversations", "sla"], "80"), page);
    assert_eq!(help(home.path(), &["conversations", "help", "sla"], "80"), page);
    let required = help(home.path(), &["contacts", "tags", "attach", "--help"], "80");
    assert!(required.contains("(required"), "{required}");
    // A group that runs its only command is shown as that command.
    let archive = help(home.path(), &["contacts", "archive", "--help"], "80");
    assert!(archive.contains("archive [OPTIONS] <ID>") && !archive.contains("Commands:"), "{archive}");
    // With --where, a search needs no query.
    let search = help(home.path(), &["contacts", "search", "--help"], "80");
    assert!(search.contains("or use --where") && !search.contains("required"), "{search}");
}

#[test]
fn an_unknown_topic_gets_a_suggestion() {
    let home = tempfile::tempdir().unwrap();
    for (typed, suggestion) in [("outptu", "help output"), ("conversation", "help conversations")] {
        let output = binary(home.path()).args(["help", typed]).output().unwrap();
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(suggestion), "{}", stderr(&output));
    }
    let output = binary(home.path()).args(["help", "zzz"]).output().unwrap();
    assert!(TOPICS.iter().all(|topic| stderr(&output).contains(topic)), "{}", stderr(&output));
}

#[test]
fn topics_name_flags_that_exist_and_are_complete() {
    let home = tempfile::tempdir().unwrap();
    let context = document(&binary(home.path()).args(["agent-context", "--json"]).output().unwrap());
    let results = &context["results"];
    let names = |list: &Value, key: &str| -> Vec<String> {
        list.as_array().unwrap().iter().filter_map(|entry| entry[key].as_str().map(str::to_owned)).collect()
    };
    let mut known: BTreeSet<String> = names(&results["global_flags"], "flag").into_iter().collect();
    let globals = known.clone();
    for command in results["commands"].as_array().unwrap() {
        known.extend(names(&command["arguments"], "name"));
    }
    known.insert("--help".to_owned());
    let flag = Regex::new(r"--[a-z][a-z-]*").unwrap();
    for topic in TOPICS {
        let text = help(home.path(), &["help", topic], "80");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{topic}: {text}");
        let unknown: Vec<&str> =
            flag.find_iter(&text).map(|found| found.as_str()).filter(|flag| !known.contains(*flag)).collect();
        assert!(unknown.is_empty(), "{topic}: {unknown:?}");
    }
    let flags = help(home.path(), &["help", "flags"], "80");
    assert!(globals.iter().all(|flag| flags.contains(flag.as_str())), "{flags}");
    let codes = help(home.path(), &["help", "exit-codes"], "80");
    for (code, meaning) in results["exit_codes"].as_object().unwrap() {
        assert!(codes.contains(&format!("{code}  {}", meaning.as_str().unwrap())), "{code}");
    }
    let environment = help(home.path(), &["help", "environment"], "80");
    for variable in variables() {
        assert!(environment.contains(&variable), "{variable}");
    }
}

/// The environment variables that the program reads.
fn variables() -> BTreeSet<String> {
    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let variable = Regex::new(r"INTERCOM_[A-Z_]*[A-Z]").unwrap();
    let mut found: BTreeSet<String> =
        variable.find_iter(&text).map(|variable| variable.as_str().to_owned()).collect();
    // Set by the completion script only.
    assert!(found.remove("INTERCOM_PP_CLI_COMPLETE"));
    assert!(found.len() > 6, "{found:?}");
    found
}

/// A workspace, a home directory with a mirror, and what examples refer to.
struct Workspace {
    sandbox: Sandbox,
    home: tempfile::TempDir,
    /// Ids in examples that depend on the time of the workspace, and those of this one.
    ids: BTreeMap<&'static str, String>,
}

impl Workspace {
    /// The workspace whose ids the examples of operations show.
    async fn new() -> Self {
        Workspace::of(Options { calls: 3, ..Options::default() }.with_story()).await
    }

    /// A workspace in which changes of many records are quick.
    async fn small() -> Self {
        Workspace::of(
            Options { contacts: 40, companies: 8, conversations: 60, ..Options::default() }.with_story(),
        )
        .await
    }

    async fn of(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(
            at("nightly.toml"),
            "[variables]\nsince = \"7d\"\n[[steps]]\nrun = [\"tail\", \"contacts\", \"--since\", \"{{since}}\", \"--polls\", \"1\"]\n",
        )
        .unwrap();
        let mut workspace = Workspace { sandbox, home, ids: BTreeMap::new() };
        workspace.prepare("sync");
        workspace.prepare("articles pull --to help");
        workspace.prepare("profile save staging --region eu");
        let tagged = "conversations bulk-tag 215470000000001 --tag outage --apply --yes";
        workspace.prepare(tagged);
        workspace.ids = BTreeMap::from([
            (
                "684476806193ad587c2c2ecc",
                workspace.first("SELECT id FROM contacts WHERE role = 'user' ORDER BY id LIMIT 1"),
            ),
            (
                "68de0711398f5c99a9078849",
                workspace.first("SELECT id FROM contacts WHERE role = 'lead' ORDER BY id LIMIT 1"),
            ),
            ("65e98080764176e3c9cf4b25", workspace.first("SELECT id FROM companies ORDER BY id LIMIT 1")),
            ("66d82000cb435c8e74616796", workspace.first("SELECT id FROM segments ORDER BY id LIMIT 1")),
            ("5000060", workspace.first("SELECT id FROM contact_notes ORDER BY id LIMIT 1")),
            (
                "person1@company1.example",
                workspace.first("SELECT email FROM contacts WHERE email IS NOT NULL ORDER BY id LIMIT 1"),
            ),
            ("20260524T091500-1", workspace.run_id()),
        ]);
        workspace
    }

    fn prepare(&self, line: &str) {
        let output = self.shell(&format!("intercom-pp-cli {line}"));
        assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
    }

    fn first(&self, sql: &str) -> String {
        let output = self.shell(&format!("intercom-pp-cli sql \"{sql}\" --plain"));
        let text = stdout(&output);
        let found = text.lines().last().unwrap_or_default().to_owned();
        assert!(code(&output) == 0 && !found.is_empty(), "{sql}: {}", stderr(&output));
        found
    }

    fn run_id(&self) -> String {
        let runs = self.shell("intercom-pp-cli bulk runs --quiet");
        stdout(&runs).lines().next().unwrap().to_owned()
    }

    /// Runs a line in a shell, with the binary under test as `intercom-pp-cli`.
    fn shell(&self, line: &str) -> Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_intercom-pp-cli")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let home = self.home.path();
        Command::new("sh")
            .args(["-ec", line])
            .env_clear()
            .envs([("HOME", home.to_str().unwrap()), ("PATH", &path), ("INTERCOM_ACCESS_TOKEN", TOKEN)])
            .envs([("TOKEN", TOKEN), ("SECRET", "made-up"), ("INTERCOM_NO_KEYRING", "1")])
            .env("INTERCOM_BASE_URL", self.sandbox.base_url())
            .stdin(Stdio::null())
            .current_dir(home)
            .output()
            .unwrap()
    }

    /// Runs an example, and checks its exit code.
    fn run(&self, line: &str) {
        let output = self.example(line);
        let is_call = |words: &str| line.contains(&format!("intercom-pp-cli {words} "));
        let expected = OTHER_CODES.iter().find(|(words, _)| is_call(words)).map_or(0, |(_, code)| *code);
        assert_eq!(code(&output), expected, "{line}: {}", stderr(&output));
    }

    /// Runs an example with the ids of this workspace.
    fn example(&self, line: &str) -> Output {
        let line = self.ids.iter().fold(line.to_owned(), |line, (shown, id)| line.replace(shown, id));
        self.shell(&line)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_an_operation_runs() {
    let workspace = Workspace::new().await;
    let (mut sent, mut shown) = (Vec::new(), Vec::new());
    for command in commands(workspace.home.path()).iter().filter(|command| !command["request"].is_null()) {
        let line = command["example"].as_str().unwrap();
        let is_read = command["effect"] == "read";
        let is_sent = is_read && !NOT_IN_THE_SANDBOX.contains(&words(command));
        let line = if is_sent { line.to_owned() } else { format!("{line} --dry-run") };
        let output = workspace.example(&line);
        assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
        if is_sent { &mut sent } else { &mut shown }.push(line);
    }
    // Changes are only shown, because they would change what later examples need.
    assert!(
        sent.len() >= 40 && sent.len() + shown.len() >= 137,
        "{} sent, {} shown",
        sent.len(),
        shown.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_hand_written_command_runs() {
    let workspace = Workspace::small().await;
    for command in commands(workspace.home.path()).iter().filter(|command| command["request"].is_null()) {
        let path: Vec<&str> = words(command).split(' ').collect();
        let page = help(workspace.home.path(), &[&path[..], &["--help"]].concat(), "80");
        let block = page.split("\n\n").find(|block| block.starts_with("Example")).unwrap();
        for line in block.lines().skip(1) {
            let is_shown = ONLY_SHOWN.contains(&words(command));
            let line = if is_shown { format!("{line} --dry-run") } else { line.to_owned() };
            workspace.run(line.trim());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_skill_runs() {
    let workspace = Workspace::small().await;
    let skill = include_str!("../../../SKILL.md");
    let lines: Vec<&str> = skill
        .split(
            "```sh
",
        )
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap()
        .lines()
        .collect();
    assert!(lines.len() >= 10, "{lines:?}");
    lines.iter().for_each(|line| workspace.run(line));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_topic_runs() {
    let workspace = Workspace::new().await;
    let mut examples = 0;
    for topic in TOPICS {
        let text = help(workspace.home.path(), &["help", topic], "80");
        let lines = text.split("\nExamples\n").nth(1).unwrap_or_default().lines();
        for line in lines {
            let output = workspace.example(line.trim());
            assert_eq!(code(&output), 0, "{topic}: {line}: {}", stderr(&output));
            assert!(!output.stdout.is_empty() || line.contains("--deliver file:"), "{topic}: {line}");
            examples += 1;
        }
    }
    assert!(examples >= 15, "{examples}");
}

#[test]
fn manual_pages_have_examples_and_one_has_the_global_flags() {
    let home = tempfile::tempdir().unwrap();
    let output = binary(home.path()).args(["man", "--out", "pages"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let page = |name: &str| std::fs::read_to_string(home.path().join(format!("pages/{name}.1"))).unwrap();
    let program = page("intercom-pp-cli");
    assert!(program.contains("rate\\-limit") && program.contains(".SH EXAMPLES"), "{program}");
    for command in commands(home.path()) {
        // Help shows the hand-written command of the same name instead.
        if ["conversations reply conversation", "tickets reply ticket"].contains(&words(&command)) {
            continue;
        }
        let name = format!("intercom-pp-cli-{}", words(&command).replace(' ', "-"));
        let text = page(&name);
        assert!(text.contains(".SH EXAMPLES"), "{name}: {text}");
        assert!(!text.contains("no\\-color") && text.contains("GLOBAL OPTIONS"), "{name}: {text}");
    }
}
