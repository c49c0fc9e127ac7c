//! Command lines that people get wrong: each is refused in plain words, with a next step that exists.
//!
//! The lines are in `fixtures/odd_invocations.txt`. Every command and flag in a hint is looked up in the program.

use std::collections::{BTreeMap, BTreeSet};

use intercom::sandbox::{Options, Sandbox, TOKEN};
use regex::Regex;
use serde_json::Value;

use crate::support::{binary, document, stderr, stdout};

/// Documented exit codes.
const CODES: [i32; 9] = [0, 2, 3, 4, 5, 6, 7, 8, 10];

/// Words of the source code and of other programs' messages.
const FOREIGN: &[&str] = &[
    "panicked",
    "RUST_BACKTRACE",
    "invalid digit",
    "number too large to fit",
    "target type",
    "entity not found",
    r"os error \d",
    r"\d\.\.=?\d{5}",
    r"/\.tmp[A-Za-z0-9]{6}",
    r"\b(u16|u32|u64|i64|usize)\b",
    r"\b(Some|Err|Ok)\(",
    "ParseInt",
    "unrecognized subcommand",
    r"\btip:",
    "For more information, try",
    "TOML parse error",
    "a value is required for",
];

/// Wording that `docs/STYLE.md` forbids.
const DIALECT: &str = r"(?i)\bt(ell|ells|old)\b|\bst(and|ands)\b|\bl(ie|ies)\b|\b(is|are) no [a-z]";

struct Vocabulary {
    /// The flags of each command, by its words; groups have none.
    commands: BTreeMap<String, BTreeSet<String>>,
    globals: BTreeSet<String>,
}

impl Vocabulary {
    fn read(context: &Value) -> Self {
        let mut commands: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for command in context["commands"].as_array().unwrap() {
            let flags = command["arguments"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|argument| Some(argument["name"].as_str()?.strip_prefix("--")?.to_owned()));
            let flags: BTreeSet<String> = flags.collect();
            for spelling in ["command", "name"] {
                let words = command[spelling].as_str().unwrap();
                for (at, _) in words.match_indices(' ') {
                    commands.entry(words[..at].to_owned()).or_default();
                }
                commands.entry(words.to_owned()).or_default().extend(flags.iter().cloned());
            }
        }
        let flags = context["global_flags"].as_array().unwrap().iter();
        let mut globals: BTreeSet<String> =
            flags.map(|flag| flag["flag"].as_str().unwrap().trim_start_matches("--").to_owned()).collect();
        globals.extend(["help", "version"].map(str::to_owned));
        Vocabulary { commands, globals }
    }

    /// What is wrong with a command line in a hint.
    fn check(&self, line: &str) -> Option<String> {
        let words = shlex::split(line).unwrap_or_default();
        let plain: Vec<&str> =
            words.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
        let known = (1..=plain.len()).rev().map(|count| plain[..count].join(" "));
        let command = known.into_iter().find(|words| self.commands.contains_key(words));
        if command.is_none() && !plain.is_empty() {
            return Some(format!("unknown command in {line:?}"));
        }
        let flags = words.iter().filter_map(|word| word.strip_prefix("--")).filter(|flag| !flag.is_empty());
        let flags = flags.map(|flag| flag.split('=').next().unwrap());
        let own = command.and_then(|words| self.commands.get(&words));
        let is_known =
            |flag: &&str| self.globals.contains(*flag) || own.is_some_and(|own| own.contains(*flag));
        flags
            .into_iter()
            .find(|flag| !is_known(flag))
            .map(|flag| format!("unknown flag --{flag} in {line:?}"))
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.globals.contains(flag) || self.commands.values().any(|flags| flags.contains(flag))
    }
}

/// What is wrong with the answer to a line.
fn faults(line: &str, code: i32, shown: &str, error: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let mut faults = Vec::new();
    if !CODES.contains(&code) {
        faults.push(format!("exit code {code}"));
    }
    if shown.trim().is_empty() && error.trim().is_empty() {
        faults.push("blank screen".to_owned());
    }
    for pattern in FOREIGN {
        // What the user typed may be repeated.
        if Regex::new(pattern).unwrap().is_match(error) && !Regex::new(pattern).unwrap().is_match(line) {
            faults.push(format!("foreign words: {pattern}"));
        }
    }
    if Regex::new(DIALECT).unwrap().is_match(error) {
        faults.push("dialect".to_owned());
    }
    let is_help = error.contains("\nUsage:") || error.contains("\nCommands:");
    if ![0, 6].contains(&code) && !is_help {
        let has_next_step = ["hint:", "did you mean", "expected"].iter().any(|step| error.contains(step));
        if !has_next_step {
            faults.push("no next step".to_owned());
        }
        if !error.lines().any(|line| line.starts_with("error: ")) {
            faults.push("no error".to_owned());
        }
    }
    let quoted = Regex::new("`intercom-pp-cli ([^`]*)`").unwrap();
    let hints: String = error.lines().filter(|line| line.starts_with("hint: ")).collect();
    faults.extend(quoted.captures_iter(error).filter_map(|found| vocabulary.check(&found[1])));
    let outside = quoted.replace_all(&hints, "");
    let flags = Regex::new(r"(?:^|[\s(])--([a-z][a-z-]*)").unwrap();
    let unknown = flags.captures_iter(&outside).filter(|found| !vocabulary.has_flag(&found[1]));
    faults.extend(unknown.map(|found| format!("unknown flag --{}", &found[1])));
    faults
}

/// An error as text. With --jq errors are JSON.
fn as_text(error: &str) -> String {
    let Some(start) = error.find("{\"error\"") else { return error.to_owned() };
    let document: Value = serde_json::from_str(error[start..].lines().next().unwrap()).unwrap();
    let part = |name: &str| document["error"][name].as_str().unwrap_or_default().to_owned();
    format!("{}error: {}\nhint: {}\n", &error[..start], part("message"), part("hint"))
}

/// The lines, and the headings above them left out.
fn lines() -> Vec<&'static str> {
    let lines = include_str!("../../fixtures/odd_invocations.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_invocations_are_refused_in_plain_words_with_a_next_step() {
    let sizes = Options {
        contacts: 40,
        companies: 6,
        conversations: 60,
        tickets: 10,
        articles: 8,
        ..Options::default()
    };
    let sandbox = Sandbox::start(sizes).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("broken.toml"), "region = \n").unwrap();
    let command = || {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.envs([("COLUMNS", "100"), ("TZ", "UTC")]);
        command
    };
    assert!(command().arg("sync").output().unwrap().status.success());
    let context = document(&command().arg("agent-context").output().unwrap());
    let vocabulary = Vocabulary::read(&context["results"]);
    let lines = lines();
    assert!(lines.len() >= 244, "{}", lines.len());
    // The name of the folder looks like that of a temporary file.
    let folder = home.path().display().to_string();
    let mut wrong = Vec::new();
    for line in lines {
        let words = shlex::split(line).unwrap();
        let is_setting = |word: &&String| word.starts_with("INTERCOM_") && word.contains('=');
        let settings: Vec<&String> = words.iter().take_while(is_setting).collect();
        let mut run = command();
        run.envs(settings.iter().filter_map(|setting| setting.split_once('=')));
        // As on a terminal, without which the format would be JSON.
        run.args(["--format", "table"]).args(&words[settings.len()..]);
        let output = run.output().unwrap();
        let (shown, error) = (stdout(&output), as_text(&stderr(&output)).replace(&folder, "HOME"));
        let code = output.status.code().unwrap_or(-1);
        let faults = faults(line, code, &shown, &error, &vocabulary);
        if !faults.is_empty() {
            wrong.push(format!("{line}\n  {}\n  exit {code}: {error}", faults.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_hint_with_an_unknown_command_or_flag_is_noticed() {
    let context = serde_json::json!({
        "commands": [{ "command": "tags list", "name": "tags list", "arguments": [{ "name": "--limit" }] }],
        "global_flags": [{ "flag": "--json" }],
    });
    let vocabulary = Vocabulary::read(&context);
    let faults = |error: &str| faults("tags", 2, "", error, &vocabulary);
    assert!(faults("error: x\nhint: run `intercom-pp-cli tags list --limit 3 --json`").is_empty());
    for error in [
        "",
        "error: x",
        "error: x\nhint: run `intercom-pp-cli tag list`",
        "error: x\nhint: run `intercom-pp-cli tags list --nothing`",
        "error: x\nhint: use --nothing",
        "error: invalid digit found in string\nhint: x",
        "error: this is\u{20}no id\nhint: x",
    ] {
        assert!(!faults(error).is_empty(), "{error:?}");
    }
}
