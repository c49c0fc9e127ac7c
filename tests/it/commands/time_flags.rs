//! Times, in every flag of every command that takes one.
//!
//! The flags come from `agent-context`, so that a new one cannot be forgotten.

use std::process::Output;

use serde_json::Value;

use crate::commands::{Mirrored, code};
use crate::support::{document, stderr, stdout};

/// A flag that takes a time, and its command with all other required arguments.
struct Flag {
    words: Vec<String>,
    name: String,
    is_generated: bool,
}

impl Flag {
    fn run(&self, mirrored: &Mirrored, value: &str) -> Output {
        let flag = format!("{}={value}", self.name);
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        mirrored
            .run(&[&words[..], &[&flag, "--dry-run", "--json", "--timezone", "America/New_York"]].concat())
    }

    fn shown(&self, value: &str) -> String {
        format!("{} {}={value}", self.words.join(" "), self.name)
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// Whether it is the start of a period in the past.
    fn is_beginning(&self) -> bool {
        !self.is_generated && self.name == "--since"
    }

    /// Whether it is the end of such a period.
    fn is_end(&self) -> bool {
        !self.is_generated && self.name == "--until" && !self.has("bulk-snooze") && !self.has("snooze")
    }

    /// Whether a period of minutes makes sense.
    fn takes_minutes(&self) -> bool {
        self.has("search") || self.has("tail") || self.has("incident-tag")
    }
}

/// Required arguments of the hand-written commands, except for the time.
const NEEDED: &[(&str, &[&str])] = &[
    ("analytics", &["conversations", "--by", "state"]),
    ("conversations bulk-snooze", &["--where", "state = open"]),
    ("conversations incident-tag", &["--mentions", "refund", "--tag", "incident"]),
    ("conversations snooze", &["215470000000003", "--dry-run"]),
    ("export", &["conversations"]),
    ("search", &["refund"]),
    ("tail", &["conversations", "--polls", "1"]),
];

fn flags(mirrored: &Mirrored) -> Vec<Flag> {
    let about = document(&mirrored.run(&["agent-context", "--json"]))["results"].take();
    let mut flags = Vec::new();
    for command in about["commands"].as_array().unwrap() {
        let arguments = command["arguments"].as_array().unwrap();
        let name = command["name"].as_str().unwrap();
        let times = arguments.iter().filter(|argument| argument["type"] == "time");
        for time in times {
            let time = time["name"].as_str().unwrap();
            let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
            let needed = NEEDED.iter().find(|(other, _)| *other == name).map(|(_, needed)| *needed);
            let is_generated = command["request"].is_string();
            if is_generated {
                words.extend(arguments.iter().filter_map(|argument| dummy(argument, time)));
            }
            words.extend(needed.into_iter().flatten().map(|word| (*word).to_owned()));
            flags.push(Flag { words, name: time.to_owned(), is_generated });
        }
    }
    flags
}

/// A placeholder for a required argument of an operation. `--body-json` replaces the required fields.
fn dummy(argument: &Value, time: &str) -> Option<String> {
    let name = argument["name"].as_str().unwrap();
    match argument["type"].as_str().unwrap() {
        _ if name.starts_with('<') => Some("1".to_owned()),
        _ if name == "--body-json" => Some("--body-json={}".to_owned()),
        // The other end of the period is far away.
        "time" if argument["required"] == true && name != time => Some(format!(
            "{name}={}",
            if name.ends_with("before") || name.contains("end") { "2035-01-01" } else { "2020-01-01" }
        )),
        _ => None,
    }
}

/// Times on 2030-01-01 in RFC 3339 and epoch seconds: 9:00 in New York, 9:00 in Dublin, midnight in New York.
const NEXT: [(&str, &str, &str); 3] = [
    ("2030-01-01T09:00[America/New_York]", "2030-01-01T14:00:00Z", "1893506400"),
    ("2030-01-01T09:00[Europe/Dublin]", "2030-01-01T09:00:00Z", "1893488400"),
    ("2030-01-01", "2030-01-01T05:00:00Z", "1893474000"),
];

const INVALID_TIMES: [&str; 7] = [
    "1795883405000",
    "2026",
    "20261020",
    "2026-10-20T09:00[Mars/Olympus]",
    "2026-10-20T09:00+02:00[America/New_York]",
    "2026-02-30",
    "soon",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_flag_parses_times_the_same_way() {
    let mirrored = Mirrored::new().await;
    let flags = flags(&mirrored);
    assert!(flags.iter().filter(|flag| flag.is_beginning()).count() >= 8, "agent-context lists the flags");
    assert!(flags.iter().filter(|flag| flag.is_generated).count() >= 10, "agent-context lists the flags");
    for flag in &flags {
        for text in INVALID_TIMES {
            let output = flag.run(&mirrored, text);
            assert_eq!(code(&output), 2, "{}: {}", flag.shown(text), stderr(&output));
            assert!(stderr(&output).contains(&flag.name), "{}: {}", flag.shown(text), stderr(&output));
        }
        for (text, at, seconds) in NEXT {
            let output = flag.run(&mirrored, text);
            let shown = stdout(&output) + &stderr(&output);
            assert!(shown.contains(at) || shown.contains(seconds), "{}: {shown}", flag.shown(text));
            let expected = if flag.is_beginning() || flag.is_end() { 2 } else { 0 };
            assert_eq!(code(&output), expected, "{}: {shown}", flag.shown(text));
        }
        if flag.is_beginning() {
            for text in ["1m", "59s", "30min"] {
                let refused = code(&flag.run(&mirrored, text)) == 2;
                assert_eq!(refused, !flag.takes_minutes(), "{}", flag.shown(text));
            }
            let output = flag.run(&mirrored, "1mo");
            assert_eq!(code(&output), 0, "{}: {}", flag.shown("1mo"), stderr(&output));
        }
    }
}

/// Filters and field values can contain times, too.
#[tokio::test(flavor = "multi_thread")]
async fn times_in_filters_and_fields_are_parsed_the_same_way() {
    let mirrored = Mirrored::new().await;
    let contact =
        mirrored.ask(&["sql", "SELECT id FROM contacts LIMIT 1"])["results"]["rows"][0]["id"].clone();
    let contact = contact.as_str().unwrap();
    let run = |words: &[&str]| {
        let output =
            mirrored.run(&[words, &["--dry-run", "--json", "--timezone", "America/New_York"]].concat());
        (code(&output), stdout(&output), stderr(&output))
    };
    let search =
        |time: &str| run(&["conversations", "search", "--where", &format!("updated_at > \"{time}\"")]);
    let explained = |time: &str| run(&["filter", "explain", &format!("updated_at > \"{time}\"")]);
    let update =
        |time: &str| run(&["contacts", "bulk-update", contact, "--set", &format!("signed_up_at={time}")]);
    for text in INVALID_TIMES {
        for (code, out, err) in [search(text), explained(text), update(text)] {
            assert_eq!(code, 2, "{text}: {out} {err}");
        }
    }
    for (text, _, seconds) in NEXT {
        for (read, (code, out, err)) in
            [(search(text), search(seconds)), (explained(text), explained(seconds))]
        {
            // The output echoes the input.
            let read = read.1.replace(&format!("\\\"{text}\\\""), "T");
            let expected = out.replace(&format!("\\\"{seconds}\\\""), "T");
            assert_eq!((code, read), (0, expected), "{text}: {err}");
        }
        let (code, out, err) = update(text);
        assert!(code == 0 && out.contains(seconds), "{text}: {out} {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn meaningless_durations_are_refused() {
    let mirrored = Mirrored::new().await;
    for words in [
        &["conversations", "stale", "--idle", "1m"][..],
        &["conversations", "stale", "--idle", "2026-05-24"],
        &["conversations", "sla", "--target", "first-response=0"],
        &["tags", "list", "--timeout", "0"],
        &["tags", "list", "--timeout", "-5s"],
        &["tags", "list", "--max-age", "2026-05-24"],
        &["sync", "--refresh", "soon"],
        &["sync", "--watch", "2026-05-24"],
        &["tail", "conversations", "--interval", "soon"],
        &["status", "--fail-if", "stale=soon"],
    ] {
        let output = mirrored.run(words);
        assert_eq!(code(&output), 2, "{words:?}: {}{}", stdout(&output), stderr(&output));
    }
}
