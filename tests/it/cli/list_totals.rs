//! Totals of lists: no reader can mistake a part for the complete list.

use std::process::Output;

use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{self, RawResponse, document, json as answer, stderr, stdout};

const FIRST: &str = r#"{"type":"list","data":[{"type":"contact","id":"a","name":"Ann"},{"type":"contact","id":"b","name":"Bo"}],
    "total_count":1002,"pages":{"type":"pages","page":1,"total_pages":501,"next":{"page":2,"starting_after":"x"}}}"#;
const NOTE: &str = "showing 2 of 1,002; --all or --limit N for more\n";

fn first_page() -> Setting {
    Setting::new(|_| answer(200, FIRST))
}

#[test]
fn formats_without_meta_report_further_records_on_stderr() {
    let setting = first_page();
    for format in ["--csv", "--quiet", "--plain", "--ndjson", "--human-friendly"] {
        for more in [&[][..], &["--select", "id"], &["--compact"]] {
            let output = setting.run(&[&["contacts", "list", format], more].concat());
            assert_eq!((code(&output), stderr(&output).as_str()), (0, NOTE), "{format} {more:?}");
            assert!(!stdout(&output).contains("showing"), "{format}");
        }
    }
    let search = r#"{"field":"role","operator":"=","value":"user"}"#;
    let output = setting.run(&["contacts", "search", "--query", search, "--quiet"]);
    assert_eq!(stderr(&output), NOTE);
    let limited = setting.run(&["contacts", "list", "--limit", "1", "--quiet"]);
    assert_eq!(stderr(&limited), "showing 1 of 1,002; --all or --limit N for more\n");
}

#[test]
fn meta_has_the_totals_whatever_is_selected() {
    let setting = first_page();
    for more in [&[][..], &["--select", "id"], &["--compact"], &["--agent"], &["--limit", "1"]] {
        let output = setting.run(&[&["contacts", "list", "--json"], more].concat());
        let meta = &document(&output)["meta"];
        assert_eq!((&meta["has_more"], &meta["total_count"]), (&json!(true), &json!(1002)), "{more:?}");
        assert_eq!(stderr(&output), "", "{more:?}");
    }
    let jq = setting.run(&["contacts", "list", "--jq", "[.meta.has_more, .meta.total_count]"]);
    assert_eq!((stdout(&jq).as_str(), stderr(&jq).as_str()), ("[true,1002]\n", NOTE));
    let toon = stdout(&setting.run(&["contacts", "list", "--format", "toon", "--select", "id"]));
    assert!(toon.contains("has_more: true") && toon.contains("total_count: 1002"), "{toon}");
}

#[test]
fn the_api_command_reports_how_much_of_a_list_it_shows() {
    let setting = first_page();
    let output = setting.run(&["api", "GET", "/contacts", "--json"]);
    assert_eq!(document(&output)["meta"], json!({"source": "live", "has_more": true, "total_count": 1002}));
    let output = setting.run(&["api", "GET", "/contacts?per_page=2", "--jq", ".results.data|length"]);
    assert_eq!(
        stderr(&output),
        "showing 2 of 1,002; --paginate fetches all pages; `contacts list` has --all and --limit\n"
    );
    let output = setting.run(&["api", "GET", "/somewhere", "--json"]);
    assert_eq!(document(&output)["meta"], json!({"source": "live"}));
}

#[test]
fn a_complete_list_has_no_note() {
    let setting = Setting::new(|_| {
        answer(200, r#"{"type":"list","data":[{"id":"1"}],"total_count":1,"pages":{"next":null}}"#)
    });
    let output = setting.run(&["contacts", "list", "--csv"]);
    assert_eq!(stderr(&output), "");
    let meta = document(&setting.run(&["contacts", "list", "--json"]))["meta"].take();
    assert_eq!(meta, json!({"source": "live", "has_more": false, "total_count": 1}));
}

/// Commands whose lists have no pagination in the API description.
const TAKEN_FOR_WHOLE: [&[&str]; 11] = [
    &["segments", "list"],
    &["tags", "list"],
    &["admins", "list"],
    &["teams", "list"],
    &["data-attributes", "list"],
    &["subscription-types"],
    &["ticket-types", "list"],
    &["ticket-states"],
    &["contacts", "segments", "list", "c1"],
    &["companies", "segments", "list", "c1"],
    &["contacts", "subscriptions", "list", "c1"],
];

/// Two records with the given pagination fields.
fn list_with(request: &support::RecordedRequest, rest: &str) -> RawResponse {
    let key = match request.path.rsplit('/').next().unwrap_or_default() {
        name @ ("segments" | "admins" | "teams") if !request.path.contains("c1") => name,
        _ => "data",
    };
    answer(200, &format!(r#"{{"type":"list","{key}":[{{"id":"1"}},{{"id":"2"}}],{rest}}}"#))
}

#[test]
fn lists_without_pagination_in_the_description_are_checked() {
    for rest in [
        r#""pages":{"type":"pages","page":1,"total_pages":2,"next":null}"#,
        r#""pages":{"type":"pages","next":"https://api.intercom.io/x?page=2"}"#,
        r#""has_more":true"#,
        r#""total_count":5"#,
    ] {
        for words in TAKEN_FOR_WHOLE {
            let setting = Setting::new(move |request| list_with(request, rest));
            let output = setting.run(&[words, &["--json"]].concat());
            assert_eq!(document(&output)["meta"]["has_more"], true, "{words:?} {rest}");
            let output = setting.run(&[words, &["--quiet"]].concat());
            let notice = stderr(&output);
            let is_counted =
                ["showing 2 of ", "showing the first 2 "].iter().any(|start| notice.starts_with(start));
            assert!(is_counted, "{words:?} {rest}: {notice}");
        }
    }
}

#[test]
fn an_undescribed_next_page_is_followed() {
    for words in TAKEN_FOR_WHOLE {
        let setting = Setting::new(|request| match request.query("page") {
            None => {
                list_with(request, r#""pages":{"next":"https://api.intercom.io/x?page=2"},"total_count":3"#)
            }
            Some(_) => {
                let text = String::from_utf8(list_with(request, r#""pages":{"next":null},"total_count":3"#))
                    .unwrap();
                let body = text
                    .split("\r\n\r\n")
                    .nth(1)
                    .unwrap_or_default()
                    .replace(r#"{"id":"1"},{"id":"2"}"#, r#"{"id":"3"}"#);
                answer(200, &body)
            }
        });
        let output = setting.run(&[words, &["--all", "--json"]].concat());
        let meta = &document(&output)["meta"];
        assert_eq!(
            (code(&output), &meta["count"], &meta["complete"]),
            (0, &json!(3), &json!(true)),
            "{words:?}"
        );
    }
}

#[test]
fn complete_means_that_the_counts_agree() {
    let setting = Setting::new(|_| {
        answer(
            200,
            r#"{"type":"list","data":[{"id":"1"},{"id":"2"},{"id":"1"}],"total_count":3,"pages":{"next":null}}"#,
        )
    });
    for words in [&["contacts", "list"][..], &["tags", "list"]] {
        let output = setting.run(&[words, &["--all", "--json"]].concat());
        assert_eq!(code(&output), 6, "{}", stdout(&output));
        let meta = &document(&output)["meta"];
        assert_eq!((&meta["complete"], &meta["has_more"]), (&json!(false), &json!(true)), "{words:?}");
        let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
        assert!(
            error["error"]["message"].as_str().unwrap().contains("counts 3 records, but 2 were received"),
            "{error}"
        );
    }
}

#[test]
fn a_reached_limit_requests_no_further_page() {
    let setting =
        Setting::new(|_| answer(200, r#"{"type":"list","data":[{"id":"1"},{"id":"2"}],"total_count":5}"#));
    let output = setting.run(&["tags", "list", "--limit", "2", "--json"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    assert_eq!(document(&output)["meta"]["has_more"], true);
}

#[test]
fn events_continue_before_the_returned_time() {
    let setting = Setting::new(|request| {
        let (id, next) = match request.query("before") {
            None => {
                ("1", r#""https://api.intercom.io/events?type=user&intercom_user_id=u&before=1795000000000""#)
            }
            Some("1795000000000") => ("2", r#""https://api.intercom.io/events?before=1794000000000""#),
            Some(_) => ("3", "null"),
        };
        answer(
            200,
            &format!(
                r#"{{"type":"event.list","events":[{{"type":"event","id":"{id}"}}],"pages":{{"next":{next}}}}}"#
            ),
        )
    });
    let words = ["events", "list", "--filter-email", "a@example.com", "--filter", "{}", "--type", "user"];
    let run = |more: &[&str]| -> Output { setting.run(&[&words[..], more].concat()) };
    let all = run(&["--all", "--quiet"]);
    assert_eq!(stdout(&all), "1\n2\n3\n", "{}", stderr(&all));
    let limited = run(&["--limit", "2", "--quiet"]);
    assert_eq!(stdout(&limited), "1\n2\n");
    assert!(stderr(&limited).contains("showing the first 2 "), "{}", stderr(&limited));
    assert_eq!(document(&run(&["--json"]))["meta"]["has_more"], true);
}

#[test]
fn an_empty_list_is_reported_in_one_line() {
    let setting =
        Setting::new(|_| answer(200, r#"{"type":"list","data":[],"total_count":0,"pages":{"next":null}}"#));
    let search = r#"{"field":"role","operator":"=","value":"user"}"#;
    for format in ["--csv", "--plain", "--quiet", "--ndjson", "--human-friendly"] {
        let found = setting.run(&["contacts", "search", "--query", search, format]);
        assert_eq!(
            (code(&found), stdout(&found).as_str(), stderr(&found).as_str()),
            (0, "", "no contacts match\n"),
            "{format}"
        );
        let tags = setting.run(&["tags", "list", "--all", format]);
        assert_eq!((stdout(&tags).as_str(), stderr(&tags).as_str()), ("", "no tags found\n"), "{format}");
    }
    assert_eq!(stderr(&setting.run(&["tags", "list", "--json"])), "");
    assert_eq!(stderr(&setting.run(&["bulk", "runs", "--human-friendly"])), "no runs on this machine\n");
}

/// Every generated command that lists records: its words, with a value for each required argument.
fn list_commands(setting: &Setting) -> Vec<Vec<String>> {
    let context = document(&setting.run(&["agent-context"]));
    let commands = context["results"]["commands"].as_array().unwrap();
    let takes_all = |command: &&Value| {
        let arguments = command["arguments"].as_array().unwrap();
        command["request"].is_string()
            && command["effect"] == "read"
            && arguments.iter().any(|argument| argument["name"] == "--all")
    };
    let with_values = |command: &Value| {
        let mut words: Vec<String> =
            command["command"].as_str().unwrap().split(' ').map(str::to_owned).collect();
        for argument in command["arguments"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            let value = match argument["type"].as_str().unwrap() {
                _ if name == "--query" => r#"{"field":"role","operator":"=","value":"user"}"#,
                "integer" => "1",
                "object" | "json" | "JSON" => "{}",
                _ => "1700000000",
            };
            let is_query = name == "--query" && command["request"].as_str().unwrap().starts_with("POST");
            if argument["required"] != true && !is_query {
                continue;
            }
            if name.starts_with("--") {
                words.push(name.to_owned());
            }
            words.push(value.to_owned());
        }
        words
    };
    commands.iter().filter(takes_all).map(with_values).collect()
}

/// A list under the key that its operation declares; any of these fits.
fn any_list(records: &str, rest: &str) -> String {
    format!(r#"{{"type":"list","data":[{records}],"total_count":{rest}}}"#)
}

#[test]
fn every_list_reports_its_extent_in_every_format() {
    let setting =
        Setting::new(|_| answer(200, &any_list(r#"{"id":"1"},{"id":"2"}"#, "900,\"has_more\":true")));
    let commands = list_commands(&setting);
    assert!(commands.len() >= 30, "{commands:?}");
    for words in commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let run = |more: &[&str]| setting.run(&[&words, more].concat());
        for more in [&["--json"][..], &["--agent"], &["--json", "--select", "id"]] {
            let output = run(more);
            assert_eq!(code(&output), 0, "{words:?} {more:?}: {}", stderr(&output));
            let meta = &document(&output)["meta"];
            assert_eq!(
                (&meta["has_more"], &meta["total_count"]),
                (&json!(true), &json!(900)),
                "{words:?} {more:?}"
            );
        }
        let notice = stderr(&run(&["--quiet"]));
        assert!(notice.starts_with("showing 2 of 900"), "{words:?}: {notice}");
    }
}

#[test]
fn every_empty_list_is_a_sentence() {
    let setting = Setting::new(|_| answer(200, &any_list("", "0,\"pages\":{\"next\":null}")));
    for words in list_commands(&setting) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for format in ["--human-friendly", "--csv", "--quiet"] {
            let output = setting.run(&[&words[..], &[format]].concat());
            let shown = (code(&output), stdout(&output), stderr(&output));
            assert!((shown.0, shown.1.as_str()) == (0, ""), "{words:?} {format}: {shown:?}");
            let is_sentence = shown.2.starts_with("no ") && shown.2.lines().count() == 1;
            assert!(is_sentence, "{words:?} {format}: {:?}", shown.2);
        }
    }
}
