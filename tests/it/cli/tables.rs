//! Tables and JSON on a terminal: what they look like at several widths, and that colours are only decoration.

use serde_json::json;

use super::Setting;
use crate::support::terminal::{Screen, on_terminal};
use crate::support::{against, json as answer, stdout};

/// A moment two hours ago.
fn two_hours_ago() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() - 7_300
}

fn conversations() -> Setting {
    let at = two_hours_ago();
    let one = |id: &str, state: &str, name: Option<&str>, subject: &str| {
        json!({"type": "conversation", "id": id, "title": null, "state": state, "open": state == "open", "read": true,
            "created_at": at - 86_400 * 400, "updated_at": at, "waiting_since": at, "priority": "not_priority",
            "admin_assignee_id": 991_267_001, "team_assignee_id": 0,
            "source": {"type": "email", "subject": subject, "body": "<p>Where is <b>my</b> money?</p>",
                "author": {"type": "user", "id": "u", "name": name, "email": "person117@company6.example"}}})
    };
    let list = json!({"type": "conversation.list", "total_count": 2, "pages": {"next": null}, "conversations": [
        one("215470000000292", "closed", Some("Dmitri Novak"), "<p>Love the new dashboard</p>"),
        one("215470000000300", "open", None, "")]});
    let list = list.to_string();
    Setting::new(move |_| answer(200, &list))
}

fn shown(setting: &Setting, columns: u16, words: &[&str], environment: &[(&str, &str)]) -> Screen {
    let mut command = against(setting.home.path(), &setting.server.url);
    command.args(words).envs(environment.iter().copied());
    on_terminal(&command, columns, 40, "")
}

#[test]
fn a_conversation_shows_who_what_and_when_at_every_width() {
    let setting = conversations();
    for columns in [80, 100, 160] {
        let screen = shown(&setting, columns, &["conversations", "list"], &[]);
        let text = screen.plain();
        let heads: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(heads[..5], ["ID", "FROM", "STATE", "TITLE", "ASSIGNEE"], "{columns}: {text}");
        assert!(heads[5..].contains(&"UPDATED"), "{columns}: {text}");
        for expected in
            ["215470000000292", "Dmitri Novak", "Love", "Where", "991267001", "2 h ago", "person117"]
        {
            assert!(text.contains(expected), "{columns}: {expected} in {text}");
        }
        let width = usize::from(columns);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{columns}: {text}");
        assert!(!text.contains('─') && !text.contains("<p>"), "{text}");
    }
}

#[test]
fn wide_shows_all_columns_and_whole_texts() {
    let setting = conversations();
    let text = shown(&setting, 80, &["conversations", "list", "--wide"], &[]).plain();
    for expected in
        ["Love the new dashboard", "Where is my money?", "person117@company6.example", "CREATED", "READ"]
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("hidden") && !text.contains('…'), "{text}");
}

#[test]
fn colours_are_decoration() {
    let setting = conversations();
    let words = ["conversations", "list"];
    let coloured = shown(&setting, 120, &words, &[]);
    assert!(coloured.text.contains("\u{1b}[1mSTATE\u{1b}[0m"), "{}", coloured.text);
    assert!(coloured.text.contains("\u{1b}[32mopen\u{1b}[0m"), "{}", coloured.text);
    for plain in [
        shown(&setting, 120, &words, &[("NO_COLOR", "1")]),
        shown(&setting, 120, &words, &[("TERM", "dumb")]),
        shown(&setting, 120, &["conversations", "list", "--no-color"], &[]),
    ] {
        assert_eq!(plain.text, coloured.plain());
    }
    // Elsewhere times are absolute, and UTC is marked.
    let piped = stdout(&setting.run(&["conversations", "list", "--human-friendly", "--utc"]));
    assert!(piped.contains("UPDATED (UTC)") && !piped.contains("ago"), "{piped}");
    let text = shown(&setting, 200, &["conversations", "list", "--utc"], &[]).plain();
    assert!(text.contains("UPDATED (UTC)") && !text.contains("ago"), "{text}");
}

#[test]
fn lists_in_selected_fields_are_readable() {
    let body = r#"{"type":"list","data":[{"type":"contact","id":"1","tags":{"type":"list","data":[{"id":"7","name":"vip"},{"id":"8","name":"beta"}]}}]}"#;
    let setting = Setting::new(move |_| answer(200, body));
    let run =
        |fields: &str| stdout(&setting.run(&["contacts", "list", "--human-friendly", "--select", fields]));
    assert_eq!(run("id,tags"), "ID  TAGS\n1   vip, beta\n");
    assert_eq!(run("id,tags.data.name"), "ID  TAGS.DATA.NAME\n1   vip, beta\n");
}

#[test]
fn json_on_a_terminal_is_indented_and_elsewhere_as_received() {
    let body =
        r#"{"type":"list","data":[{"type":"tag","id":"1","n":1.10,"name":"a\u009b"}],"pages":{"next":null}}"#;
    let setting = Setting::new(move |_| answer(200, body));
    let screen = shown(&setting, 80, &["tags", "list", "--json"], &[]);
    assert!(screen.text.contains("\u{1b}[36m\"n\"\u{1b}[0m: 1.10,\n"), "{}", screen.text);
    assert!(screen.plain().contains("  \"results\": {\n    \"type\": \"list\",\n"), "{}", screen.text);
    let found: serde_json::Value = serde_json::from_str(&screen.plain()).unwrap();
    assert_eq!(found["results"]["data"][0]["name"], "a\u{9b}");
    let jq = shown(&setting, 80, &["tags", "list", "--jq", ".results.data[0].id"], &[]);
    assert_eq!(jq.plain(), "\"1\"\n");
    let agent = shown(&setting, 80, &["tags", "list", "--agent"], &[]);
    assert_eq!(agent.text.lines().count(), 1, "{}", agent.text);
    let piped = stdout(&setting.run(&["tags", "list", "--json"]));
    assert!(piped.contains(body), "{piped}");
}

#[test]
fn verbose_prints_one_line_per_request() {
    let setting = conversations();
    let output = setting.run(&["conversations", "list", "--quiet", "--verbose"]);
    let lines = crate::support::stderr(&output);
    let line = lines.lines().next().unwrap();
    let duration = line.strip_prefix("GET /conversations 200 ").and_then(|rest| rest.strip_suffix(" ms"));
    assert!(
        duration.is_some_and(|number| number.parse::<u64>().is_ok()) && lines.lines().count() == 1,
        "{lines}"
    );
}

#[test]
fn a_jq_program_decides_what_a_terminal_shows() {
    let setting = conversations();
    let shown = |words: &[&str]| shown(&setting, 80, words, &[]).plain();
    assert_eq!(shown(&["describe", "sync", "--jq", ".results.command"]), "\"sync\"\n");
    let filter = ["filter", "explain", "state = open", "--jq", "[.results.resource, 1]"];
    assert_eq!(shown(&filter), "[\"conversations\",1]\n");
    assert_eq!(shown(&["describe", "sync", "--jq", ".results.command", "--plain"]), "sync\n");
}

#[test]
fn data_cannot_control_the_terminal() {
    let list = json!({"type": "list", "data": [{"type": "tag", "id": "1", "name": "a\u{1b}]0;title\u{7}\u{9b}2Jb"}]});
    let list = list.to_string();
    let setting = Setting::new(move |_| answer(200, &list));
    for words in [
        &["tags", "list", "--plain"][..],
        &["tags", "list", "--csv"],
        &["tags", "list", "--format", "toon"],
        &["tags", "list", "--agent"],
        &["tags", "list", "--jq", ".results.data[].name"],
        &["tags", "list", "--jq", ".results.data[].name", "--plain"],
    ] {
        let screen = shown(&setting, 80, words, &[]);
        let text = screen.plain();
        assert_eq!(screen.code, 0, "{words:?}: {text}");
        assert!(text.contains("0;title") && text.contains("2Jb"), "{words:?}: {text}");
        assert!(
            !text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'),
            "{words:?}: {text:?}"
        );
    }
}
