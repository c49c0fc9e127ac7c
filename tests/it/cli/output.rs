//! Output on stdout, in a file, or to a webhook.

use serde_json::{Value, json};

use crate::cli::lists::three_pages;
use crate::cli::{CONTACTS, Setting, code, contacts};
use crate::support::{Server, document, json, response, stderr, stdout};

#[test]
fn json_wraps_the_response_byte_for_byte() {
    let output = contacts().run(&["contacts", "list", "--json"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains(CONTACTS), "{}", stdout(&output));
    assert_eq!(document(&output)["meta"]["source"], "live");
    let piped = contacts().run(&["contacts", "list"]);
    assert_eq!(stdout(&piped), stdout(&output), "JSON is the default when piped");
}

#[test]
fn select_descends_into_lists_and_warns_about_unknown_fields() {
    let output = contacts().run(&["contacts", "list", "--json", "--select", "ID,tags.data.id,nope"]);
    let expected = json!([{"id": "a1", "tags": {"data": [{"id": "7"}]}}, {"id": "b2", "tags": {"data": []}}]);
    assert_eq!(document(&output)["results"]["data"], expected);
    assert!(stderr(&output).contains("nope"), "{}", stderr(&output));
}

#[test]
fn compact_keeps_key_fields_only() {
    let output = contacts().run(&["contacts", "list", "--agent"]);
    let document = document(&output);
    assert_eq!(
        document["results"]["data"][1],
        json!({"type": "contact", "id": "b2", "name": "Bo", "email": "bo@example.com"})
    );
    assert_eq!(document["results"]["total_count"], 2);
}

#[test]
fn csv_plain_and_quiet_have_one_record_per_line() {
    let setting = contacts();
    assert_eq!(stdout(&setting.run(&["contacts", "list", "--quiet"])), "a1\nb2\n");
    let csv = stdout(&setting.run(&["contacts", "list", "--csv", "--select", "id,name,email"]));
    assert_eq!(csv, "id,name,email\na1,'=Ann,\nb2,Bo,bo@example.com\n");
    let raw = stdout(&setting.run(&["contacts", "list", "--csv-raw", "--select", "id,name"]));
    assert_eq!(raw, "id,name\na1,=Ann\nb2,Bo\n");
    let plain = stdout(&setting.run(&["contacts", "list", "--plain", "--select", "id,tags.data.id"]));
    assert_eq!(plain, "id\ttags.data.id\na1\t[\"7\"]\nb2\t\n");
    let ndjson = stdout(&setting.run(&["contacts", "list", "--ndjson"]));
    assert_eq!(ndjson.lines().count(), 2);
    assert!(ndjson.starts_with(r#"{"type":"contact","id":"a1""#), "{ndjson}");
    let table = stdout(&setting.run(&["contacts", "list", "--human-friendly"]));
    assert!(table.contains("Bo") && !table.contains('{'), "{table}");
}

#[test]
fn deliver_writes_a_file_or_calls_a_webhook() {
    let setting = contacts();
    let output = setting.run(&["contacts", "list", "--json", "--deliver", "file:out.json"]);
    assert_eq!((code(&output), stdout(&output)), (0, String::new()));
    let text = std::fs::read_to_string(setting.home.path().join("out.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["results"]["data"][0]["id"], "a1");
    let hook = Server::always(200, "{}");
    let target = format!("webhook:{}/in?key=secret", hook.url);
    let output = setting.run(&["contacts", "list", "--json", "--deliver", &target]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let delivered = hook.take();
    assert_eq!(delivered[0].json()["results"]["data"][1]["id"], "b2");
    assert_eq!(delivered[0].header("authorization"), None, "the token is sent to Intercom only");
    let broken = Server::always(500, "{}");
    let output =
        setting.run(&["contacts", "list", "--deliver", &format!("webhook:{}/?key=secret", broken.url)]);
    assert_eq!(code(&output), 5);
    assert!(!stderr(&output).contains("secret"));
}

#[test]
fn control_bytes_in_an_answer_do_not_break_its_readers() {
    let setting = Setting::new(|_| json(200, "{\"id\":\"1\",\"body\":\"a\u{1}b\tc\"}"));
    let output = setting.run(&["contacts", "show", "1", "--json"]);
    assert_eq!(document(&output)["results"]["body"], "a\u{1}b\tc");
}

#[test]
fn a_file_is_downloaded_in_one_step() {
    let setting = Setting::new(|_| response(200, "application/octet-stream", "\u{1}raw\u{2}"));
    let output = setting.run(&["calls", "recording", "42", "--out", "call.wav", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(std::fs::read(setting.home.path().join("call.wav")).unwrap(), b"\x01raw\x02");
    assert_eq!(document(&output)["results"]["bytes"], 5);
    assert_eq!(setting.run(&["download", "job1"]).stdout, b"\x01raw\x02");
    let setting = Setting::new(|_| response(200, "text/plain", "Ann: hello"));
    assert_eq!(setting.run(&["calls", "transcript", "42", "--text"]).stdout, b"Ann: hello");
    assert_eq!(document(&setting.run(&["calls", "transcript", "42", "--json"]))["results"], "Ann: hello");
}

#[test]
fn an_html_page_or_empty_response_is_not_a_download() {
    for (kind, body) in [("text/html; charset=utf-8", "<html>Log in</html>"), ("audio/wav", "")] {
        let setting = Setting::new(move |_| response(200, kind, body));
        let path = setting.home.path().join("call.wav");
        std::fs::write(&path, "yesterday").unwrap();
        for words in [&["--out", "call.wav"][..], &["--json"], &[]] {
            let output = setting.run(&[&["calls", "recording", "42"], words].concat());
            assert_eq!(code(&output), 5, "{words:?}: {}", stderr(&output));
            assert!(stdout(&output).is_empty() && stderr(&output).contains("instead of the file"));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "yesterday");
    }
}

#[test]
fn a_failed_list_does_not_replace_the_delivered_file() {
    let setting = Setting::new(|request| match request.query("starting_after") {
        None => three_pages(request),
        Some(_) => json(401, "{}"),
    });
    let path = setting.home.path().join("out.json");
    std::fs::write(&path, "yesterday").unwrap();
    let output = setting.run(&["contacts", "list", "--all", "--json", "--deliver", "file:out.json"]);
    assert_eq!(code(&output), 4);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "yesterday");
}

#[test]
fn a_downloaded_file_is_base64_in_json_output() {
    let setting = Setting::new(|_| response(200, "audio/wav", "RIFF"));
    let output = setting.run(&["calls", "recording", "42", "--json"]);
    assert_eq!(
        document(&output)["results"],
        json!({"bytes": 4, "content_type": "audio/wav", "base64": "UklGRg=="})
    );
}

/// A single record may contain lists.
const ADMIN: &str = r#"{"type":"admin","id":"814","name":"Ann","team_ids":[5,6],"created_at":1760000000,"email":"ann@example.com"}"#;

#[test]
fn a_record_with_a_list_inside_is_one_record() {
    let setting = Setting::new(|_| json(200, ADMIN));
    for words in [&["me"][..], &["admins", "retrieve", "814"]] {
        let run = |more: &[&str]| stdout(&setting.run(&[words, more].concat()));
        assert_eq!(run(&["--quiet"]), "814\n", "{words:?}");
        assert_eq!(run(&["--csv", "--select", "id,name"]), "id,name\n814,Ann\n");
        assert_eq!(run(&["--ndjson"]).trim_end(), ADMIN);
        assert_eq!(run(&["--plain", "--select", "id,team_ids"]), "id\tteam_ids\n814\t[5,6]\n");
        assert_eq!(
            run(&["--json", "--select", "name"]),
            "{\"meta\":{\"source\":\"live\"},\"results\":{\"name\":\"Ann\"}}\n"
        );
        let people = run(&["--human-friendly"]);
        assert!(people.contains("id: 814\n") && people.contains("name: Ann\n"), "{people}");
    }
}

#[test]
fn a_list_under_another_key_is_found() {
    const FOUND: &str = r#"{"type":"list","total_count":2,"data":{"articles":[
        {"type":"article","id":"1","title":"a","body":"<p>x</p>"},{"type":"article","id":"2","title":"b"}],"highlights":[]}}"#;
    let setting = Setting::new(|_| json(200, FOUND));
    let run =
        |more: &[&str]| stdout(&setting.run(&[&["articles", "search", "--phrase", "x"], more].concat()));
    assert_eq!(run(&["--quiet"]), "1\n2\n");
    assert_eq!(run(&["--csv", "--select", "id,title"]), "id,title\n1,a\n2,b\n");
    let select: Value = serde_json::from_str(&run(&["--json", "--select", "id"])).unwrap();
    assert_eq!(select["results"], json!({"data": {"articles": [{"id": "1"}, {"id": "2"}]}}));
    let compact: Value = serde_json::from_str(&run(&["--json", "--compact"])).unwrap();
    assert_eq!(compact["results"]["data"]["articles"][1]["title"], "b");
    let limited: Value = serde_json::from_str(&run(&["--json", "--limit", "1"])).unwrap();
    assert_eq!(limited["results"]["data"]["articles"].as_array().unwrap().len(), 1);
    assert_eq!((&limited["meta"]["count"], &limited["meta"]["has_more"]), (&json!(1), &json!(true)));
}

/// A change must not be made when its output has nowhere to go.
#[test]
fn the_delivery_target_is_checked_before_sending() {
    let setting = Setting::new(|_| json(200, ADMIN));
    let place = "file:/nowhere/at/all.json";
    let output = setting.run(&["contacts", "create", "--email", "ann@example.com", "--deliver", place]);
    assert_eq!(code(&output), 5);
    assert_eq!(setting.server.take().len(), 0);
    let hook = Server::always(500, "{}");
    let place = format!("webhook:{}/", hook.url);
    let output = setting.run(&["contacts", "create", "--email", "ann@example.com", "--deliver", &place]);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("do not send it again"), "{}", stderr(&output));
}

#[test]
fn attributes_without_an_id_are_listed_by_name() {
    let body = r#"{"type":"list","data":[{"type":"data_attribute","name":"email","model":"contact"},{"type":"data_attribute","id":7,"name":"x"}]}"#;
    let setting = Setting::new(move |_| json(200, body));
    assert_eq!(stdout(&setting.run(&["data-attributes", "list", "--quiet"])), "email\n7\n");
}
