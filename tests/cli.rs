//! The command line as a user meets it: output, confirmation, errors and exit codes, all through the
//! binary and against a server that answers as told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::{Answer, Server, against, answer, binary, document, json, stderr, stdout};

struct Setting {
    home: tempfile::TempDir,
    server: Server,
}

impl Setting {
    fn new(respond: impl Fn(&support::Recorded) -> Answer + Send + 'static) -> Self {
        Setting { home: tempfile::tempdir().unwrap(), server: Server::start(respond) }
    }

    fn run(&self, words: &[&str]) -> Output {
        against(self.home.path(), &self.server.url).args(words).output().unwrap()
    }

    fn run_with_stdin(&self, words: &[&str], input: &str) -> Output {
        let mut command = against(self.home.path(), &self.server.url);
        let command = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

const CONTACTS: &str = r#"{"type":"list","data":[
  {"type":"contact","id":"a1","name":"=Ann","big":12345678901234567890,"unknown_field":{"x":1.10},"tags":{"data":[{"id":"7"}]}},
  {"type":"contact","id":"b2","name":"Bo","email":"bo@example.com","tags":{"data":[]}}],
  "total_count":2,"pages":{"type":"pages","next":null}}"#;

fn contacts() -> Setting {
    Setting::new(|_| json(200, CONTACTS))
}

#[test]
fn json_is_the_answer_untouched_inside_the_envelope() {
    let output = contacts().run(&["contacts", "list", "--json"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains(CONTACTS), "{}", stdout(&output));
    assert_eq!(document(&output)["meta"]["source"], "live");
    let piped = contacts().run(&["contacts", "list"]);
    assert_eq!(stdout(&piped), stdout(&output), "JSON is the default when piped");
}

#[test]
fn select_walks_lists_and_warns_about_unknown_fields() {
    let output = contacts().run(&["contacts", "list", "--json", "--select", "ID,tags.data.id,nope"]);
    let expected = json!([{"id": "a1", "tags": {"data": [{"id": "7"}]}}, {"id": "b2", "tags": {"data": []}}]);
    assert_eq!(document(&output)["results"]["data"], expected);
    assert!(stderr(&output).contains("nope"), "{}", stderr(&output));
}

#[test]
fn compact_drops_what_is_no_key_field() {
    let output = contacts().run(&["contacts", "list", "--agent"]);
    let document = document(&output);
    assert_eq!(
        document["results"]["data"][1],
        json!({"type": "contact", "id": "b2", "name": "Bo", "email": "bo@example.com"})
    );
    assert_eq!(document["results"]["total_count"], 2);
}

#[test]
fn line_formats() {
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
    assert_eq!(delivered[0].header("authorization"), None, "the token is Intercom's alone");
    let broken = Server::always(500, "{}");
    let output =
        setting.run(&["contacts", "list", "--deliver", &format!("webhook:{}/?key=secret", broken.url)]);
    assert_eq!(code(&output), 5);
    assert!(!stderr(&output).contains("secret"));
}

/// Three pages: the cursor is the number of the next one.
fn three_pages(request: &support::Recorded) -> Answer {
    let body = request.json();
    let cursor = request.query("starting_after").or_else(|| body["pagination"]["starting_after"].as_str());
    let page: u32 = cursor.map_or(1, |it| it.parse().unwrap());
    let next = match page {
        1 => r#"{"starting_after":"2","per_page":2}"#.to_owned(),
        2 => r#""https://api.intercom.io/contacts?per_page=2&starting_after=3""#.to_owned(),
        _ => "null".to_owned(),
    };
    let body = format!(
        r#"{{"type":"list","data":[{{"id":"{page}a"}},{{"id":"{page}b"}}],"pages":{{"type":"pages","next":{next}}}}}"#
    );
    json(200, &body)
}

#[test]
fn all_writes_every_page_as_one_document() {
    let setting = Setting::new(three_pages);
    let output = setting.run(&["contacts", "list", "--all", "--json"]);
    let all = document(&output);
    let ids: Vec<&str> =
        all["results"]["data"].as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(ids, ["1a", "1b", "2a", "2b", "3a", "3b"]);
    assert_eq!((&all["meta"]["count"], &all["meta"]["complete"]), (&json!(6), &json!(true)));
    assert_eq!(setting.server.take()[0].query("per_page"), Some("150"), "as large as the API allows");
    let ndjson = setting.run(&["contacts", "list", "--all", "--ndjson"]);
    assert_eq!(stdout(&ndjson).lines().count(), 6);
}

#[test]
fn lists_of_one_answer_take_the_same_flags() {
    let setting = Setting::new(|_| json(200, r#"{"type":"list","data":[{"id":"1"},{"id":"2"}]}"#));
    let all = document(&setting.run(&["tags", "list", "--all", "--json"]));
    assert_eq!((&all["meta"]["count"], &all["meta"]["has_more"]), (&json!(2), &json!(false)));
    let one = document(&setting.run(&["tags", "list", "--limit", "1", "--json"]));
    assert_eq!(one["results"]["data"], json!([{"id": "1"}]));
    assert_eq!(one["meta"]["has_more"], true);
    assert!(setting.server.take().iter().all(|request| request.query.is_empty()));
}

#[test]
fn limit_stops_and_says_that_there_is_more() {
    let setting = Setting::new(three_pages);
    let output = setting.run(&["contacts", "list", "--limit", "3", "--json"]);
    assert_eq!(document(&output)["results"]["data"].as_array().unwrap().len(), 3);
    assert_eq!(document(&output)["meta"]["has_more"], true);
    assert_eq!(setting.server.take().len(), 2);
    let query = r#"{"field":"role","operator":"=","value":"user"}"#;
    let output =
        setting.run(&["contacts", "search", "--query", query, "--limit", "5", "--per-page", "2", "--quiet"]);
    assert_eq!(stdout(&output), "1a\n1b\n2a\n2b\n3a\n");
    let requests = setting.server.take();
    assert_eq!(requests[2].json()["pagination"], json!({"per_page": 2, "starting_after": "3"}));
    assert_eq!(requests[2].json()["query"]["field"], "role");
}

#[test]
fn a_page_that_fails_leaves_a_closed_document_and_an_error() {
    let setting = Setting::new(|request| match request.query("starting_after") {
        None => three_pages(request),
        Some(_) => json(
            400,
            r#"{"type":"error.list","request_id":"r-9","errors":[{"code":"bad_cursor","message":"expired"}]}"#,
        ),
    });
    let output = setting.run(&["contacts", "list", "--all", "--json"]);
    assert_eq!(code(&output), 5);
    let all = document(&output);
    assert_eq!(all["results"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(all["meta"]["complete"], false);
    let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!(error["error"]["code"], "bad_cursor");
    assert_eq!(error["error"]["request_id"], "r-9");
}

#[test]
fn a_list_that_goes_round_in_circles_ends() {
    let setting =
        Setting::new(|_| json(200, r#"{"data":[{"id":"1"}],"pages":{"next":{"starting_after":"same"}}}"#));
    let output = setting.run(&["contacts", "list", "--all", "--json"]);
    assert_eq!(code(&output), 5);
    assert_eq!(document(&output)["meta"]["complete"], false);
}

#[test]
fn dry_run_shows_the_request_and_sends_nothing() {
    let setting = contacts();
    let words = [
        "contacts",
        "create",
        "--email",
        "ann@example.com",
        "--null",
        "name",
        "--dry-run",
        "--header",
        "X-Team: ops",
    ];
    let output = setting.run(&words);
    let shown = document(&output);
    assert_eq!(shown["method"], "POST");
    assert_eq!(shown["url"], format!("{}/contacts", setting.server.url));
    assert_eq!(shown["body"], json!({"email": "ann@example.com", "name": null}));
    assert_eq!(shown["headers"]["x-team"], "ops");
    assert!(shown["headers"]["authorization"].is_string());
    assert!(!stdout(&output).contains("dG9rOnRlc3Q"), "the token is masked");
    assert!(setting.server.take().is_empty());
    let output = setting.run(&["tags", "delete", "5", "--dry-run"]);
    assert_eq!(code(&output), 0, "a dry run needs no confirmation");
}

#[test]
fn bodies_are_joined_from_all_sources() {
    let setting = Setting::new(|_| json(200, "{}"));
    let body = r#"{"name":"Old","custom_attributes":{"plan":"pro"},"unknown":1,"phone":null}"#;
    setting.run(&[
        "contacts",
        "update",
        "abc",
        "--yes",
        "--body-json",
        body,
        "--name",
        "New",
        "--signed-up-at",
        "2026-05-24",
    ]);
    let expected = json!({"name": "New", "custom_attributes": {"plan": "pro"}, "unknown": 1, "phone": null, "signed_up_at": 1779580800});
    assert_eq!(setting.server.take()[0].json(), expected);
    setting.run_with_stdin(&["contacts", "create", "--stdin"], r#"{"email":"from@stdin.example"}"#);
    assert_eq!(setting.server.take()[0].json(), json!({"email": "from@stdin.example"}));
    std::fs::write(setting.home.path().join("body.json"), r#"{"email":"from@file.example"}"#).unwrap();
    setting.run(&["contacts", "create", "--body-json", "@body.json"]);
    assert_eq!(setting.server.take()[0].json(), json!({"email": "from@file.example"}));
    setting.run(&[
        "conversations",
        "create",
        "--from-type",
        "user",
        "--from-id",
        "5f0000000000000000000001",
        "--body",
        "Hi",
    ]);
    let expected = json!({"from": {"type": "user", "id": "5f0000000000000000000001"}, "body": "Hi"});
    assert_eq!(setting.server.take()[0].json(), expected);
    setting.run(&[
        "conversations",
        "create",
        "--from",
        r#"{"type":"user","id":"5f0000000000000000000001"}"#,
        "--body",
        "Hi",
        "--attachment-urls",
        "https://a.example/1",
        "--attachment-urls",
        "https://a.example/2",
    ]);
    assert_eq!(
        setting.server.take()[0].json()["attachment_urls"],
        json!(["https://a.example/1", "https://a.example/2"])
    );
}

#[test]
fn destructive_commands_want_a_confirmation() {
    let setting = Setting::new(|_| json(200, r#"{"id":"5","deleted":true}"#));
    let output = setting.run(&["contacts", "delete", "abc"]);
    assert_eq!((code(&output), stdout(&output)), (2, String::new()));
    assert!(stderr(&output).contains("--yes"));
    assert!(setting.server.take().is_empty());
    assert_eq!(code(&setting.run(&["contacts", "delete", "abc", "--yes"])), 0);
    assert_eq!(code(&setting.run(&["contacts", "delete", "abc", "--agent"])), 0);
    assert_eq!(setting.server.take().len(), 2);
}

#[test]
fn what_is_already_so_is_a_success_when_asked_for() {
    let setting = Setting::new(|request| match request.method.as_str() {
        "POST" => json(409, r#"{"type":"error.list","errors":[{"code":"conflict","message":"exists"}]}"#),
        _ => json(404, r#"{"type":"error.list","errors":[{"code":"not_found","message":"gone"}]}"#),
    });
    let create = ["contacts", "create", "--email", "a@b.example"];
    assert_eq!(code(&setting.run(&create)), 5);
    let output = setting.run(&[&create[..], &["--idempotent", "--json"]].concat());
    assert_eq!(code(&output), 0);
    assert_eq!(document(&output)["results"], json!({"status": "noop", "reason": "already_exists"}));
    assert_eq!(code(&setting.run(&["contacts", "delete", "x", "--yes"])), 3);
    let output = setting.run(&["contacts", "delete", "x", "--yes", "--ignore-missing"]);
    assert_eq!(document(&output)["results"]["reason"], "already_deleted");
    assert_eq!(code(&setting.run(&["contacts", "show", "x", "--ignore-missing"])), 3, "only deletes");
}

#[test]
fn statuses_have_their_exit_codes() {
    for (status, exit) in
        [(400, 5), (401, 4), (403, 4), (404, 3), (409, 5), (410, 3), (422, 5), (429, 7), (500, 5)]
    {
        let setting = Setting::new(move |_| {
            let body = r#"{"type":"error.list","request_id":"req-1","errors":[{"code":"some_code","message":"some message"}]}"#;
            let head = format!("HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-type: application/json\r\n");
            format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
        });
        // A create is tried once, but for 429.
        let output = setting.run(&["contacts", "create", "--email", "a@b.example", "--json"]);
        assert_eq!(code(&output), exit, "{status}: {}", stderr(&output));
        assert_eq!(stdout(&output), "");
        let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
        let error = &error["error"];
        assert_eq!(error["exit_code"], exit);
        assert_eq!(error["http_status"], status);
        assert_eq!((&error["code"], &error["request_id"]), (&json!("some_code"), &json!("req-1")));
        assert!(error["message"].as_str().unwrap().contains("some message"));
        assert!(error["hint"].is_string());
    }
}

#[test]
fn answers_that_are_none() {
    let cases: [(&str, Answer); 5] = [
        ("html", answer(200, "text/html", "<html><body>Welcome</body></html>")),
        ("truncated", answer(200, "application/json", r#"{"type":"list","data":[{"id":"#)),
        ("empty", answer(200, "application/json", "")),
        ("no json", answer(200, "application/json", "ok")),
        ("html 404", answer(404, "text/html", "<html><h1>404 Not Found</h1><hr>nginx</html>")),
    ];
    for (name, bytes) in cases {
        let setting = Setting::new(move |_| bytes.clone());
        let output = setting.run(&["contacts", "list", "--json"]);
        assert_eq!(code(&output), if name == "html 404" { 3 } else { 5 }, "{name}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{name}");
        assert!(!stderr(&output).contains('<'), "{name}: {}", stderr(&output));
        assert!(serde_json::from_str::<Value>(&stderr(&output)).is_ok(), "{name}: {}", stderr(&output));
    }
}

#[test]
fn a_change_that_was_made_is_no_failure_because_its_answer_is_empty() {
    let setting = Setting::new(|_| answer(200, "application/json", ""));
    let output = setting.run(&["contacts", "archive", "abc", "--json"]);
    assert_eq!((code(&output), &document(&output)["results"]), (0, &Value::Null));
}

#[test]
fn nobody_there() {
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output =
        against(home.path(), &url).args(["contacts", "create", "--email", "a@b.example"]).output().unwrap();
    assert_eq!((code(&output), stdout(&output)), (5, String::new()));
    assert!(stderr(&output).contains("connect"), "{}", stderr(&output));
    let setting = Setting::new(|_| Vec::new());
    let output = setting.run(&["contacts", "create", "--email", "a@b.example"]);
    assert_eq!((code(&output), stdout(&output)), (5, String::new()));
    assert_eq!(setting.server.take().len(), 1, "a create whose fate is unknown is not sent again");
}

#[test]
fn control_bytes_in_an_answer_do_not_break_its_readers() {
    let setting = Setting::new(|_| json(200, "{\"id\":\"1\",\"body\":\"a\u{1}b\tc\"}"));
    let output = setting.run(&["contacts", "show", "1", "--json"]);
    assert_eq!(document(&output)["results"]["body"], "a\u{1}b\tc");
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let setting = contacts();
    let usage: [&[&str]; 18] = [
        &["contacts"],
        &["contacts", "lst"],
        &["nothing"],
        &["contacts", "show"],
        &["contacts", "show", ""],
        &["contacts", "list", "--limt", "5"],
        &["contacts", "list", "--limit", "0"],
        &["contacts", "list", "--per-page", "many"],
        &["contacts", "list", "--select", ","],
        &["contacts", "list", "--region", "mars"],
        &["contacts", "list", "--timeout", "soon"],
        &["contacts", "list", "--deliver", "pigeon:x"],
        &["contacts", "list", "--header", "no colon"],
        &["contacts", "create", "--body-json", "{not json"],
        &["contacts", "create", "--body-json", "[1]"],
        &["contacts", "search", "--query", "hello"],
        &["conversations", "retrieve", "abc"],
        &["conversations", "tags", "attach-to-conversation", "1", "--id", "5"],
    ];
    for words in usage {
        let output = setting.run(words);
        assert_eq!(code(&output), 2, "{words:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{words:?}");
        assert!(!stderr(&output).is_empty());
    }
    assert!(setting.server.take().is_empty());
    let suggestion = stderr(&setting.run(&["contacts", "list", "--limt", "5"]));
    assert!(suggestion.contains("--limit"), "{suggestion}");
    let query = stderr(&setting.run(&["contacts", "search", "--query", "hello"]));
    assert!(query.contains(r#"{"field":"#), "the right form is shown: {query}");
    let missing =
        stderr(&setting.run(&["conversations", "tags", "attach-to-conversation", "1", "--id", "5"]));
    assert!(missing.contains("--admin-id"), "{missing}");
    let output = setting.run(&["contacts", "show", "--json"]);
    let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!((&error["error"]["kind"], &error["error"]["exit_code"]), (&json!("usage"), &json!(2)));
}

#[test]
fn tokens_regions_and_config_files() {
    let home = tempfile::tempdir().unwrap();
    let run = |environment: &[(&str, &str)], words: &[&str]| {
        binary(home.path()).envs(environment.iter().copied()).args(words).output().unwrap()
    };
    assert_eq!(code(&run(&[], &["me"])), 4, "no token");
    let bad = run(&[("INTERCOM_ACCESS_TOKEN", "two words")], &["me", "--json"]);
    assert_eq!((code(&bad), stdout(&bad)), (4, String::new()));
    assert!(!stderr(&bad).contains("two words"), "not even a wrong token is shown");
    assert_eq!(code(&run(&[("INTERCOM_REGION", "mars")], &["me"])), 2);
    std::fs::write(home.path().join("broken.toml"), "access_token = \"secret-value\nregion").unwrap();
    let broken = run(&[], &["me", "--config", "broken.toml"]);
    assert_eq!(code(&broken), 10);
    assert!(!stderr(&broken).contains("secret-value"), "{}", stderr(&broken));
    assert_eq!(code(&run(&[("INTERCOM_CONFIG", "absent.toml")], &["me"])), 10);
    assert_eq!(code(&run(&[], &["me", "--config", "."])), 10, "a folder");
    std::fs::write(home.path().join("region.toml"), "region = \"mars\"").unwrap();
    assert_eq!(code(&run(&[], &["me", "--config", "region.toml"])), 10);
    assert_eq!(code(&run(&[], &["me", "--config", "region.toml", "--profile", "none"])), 10);
}

#[test]
fn flag_goes_before_environment_before_profile_before_file() {
    let home = tempfile::tempdir().unwrap();
    let config = "region = \"eu\"\n[profiles.down-under]\nregion = \"au\"\n";
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let url = |environment: &[(&str, &str)], words: &[&str]| {
        let mut command = binary(home.path());
        let command = command.env("INTERCOM_CONFIG", "config.toml").envs(environment.iter().copied());
        let output = command.args(["me", "--dry-run"]).args(words).output().unwrap();
        document(&output)["url"].as_str().unwrap().to_owned()
    };
    assert_eq!(url(&[], &[]), "https://api.eu.intercom.io/me");
    assert_eq!(url(&[], &["--profile", "down-under"]), "https://api.au.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &["--profile", "down-under"]), "https://api.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &["--region", "eu"]), "https://api.eu.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &[]), "http://127.0.0.1:9/me");
    assert_eq!(
        url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &["--region", "au"]),
        "https://api.au.intercom.io/me"
    );
}

#[test]
fn headers_override_and_versions_are_chosen() {
    let setting = Setting::new(|_| json(200, "{}"));
    let config = "api_version = \"2.15\"\n[headers]\nX-One = \"file\"\nX-Two = \"file\"\n";
    std::fs::write(setting.home.path().join("config.toml"), config).unwrap();
    setting.run(&[
        "me",
        "--config",
        "config.toml",
        "--header",
        "x-two: flag",
        "--header",
        "User-Agent: mine/1",
    ]);
    setting.run(&["calls", "list"]);
    setting.run(&["calls", "list", "--config", "config.toml"]);
    setting.run(&["calls", "list", "--api-version", "Preview"]);
    let requests = setting.server.take();
    assert_eq!(requests[0].header("x-one"), Some("file"));
    assert_eq!(requests[0].header("x-two"), Some("flag"));
    assert_eq!(requests[0].header("user-agent"), Some("mine/1"));
    let versions: Vec<_> = requests.iter().map(|it| it.header("intercom-version").unwrap()).collect();
    assert_eq!(versions, ["2.15", "2.14", "2.15", "Preview"]);
}

#[test]
fn any_request_can_be_sent() {
    let setting = Setting::new(|_| json(200, r#"{"ok":true}"#));
    let output = setting.run(&["api", "get", "/some/new%20thing?x=1", "--query", "y=a b", "--json"]);
    assert_eq!(document(&output)["results"], json!({"ok": true}), "{}", stderr(&output));
    let output = setting.run(&["api", "POST", "/some", "--body-json", r#"{"a":[1,null]}"#]);
    assert_eq!(code(&output), 0);
    let requests = setting.server.take();
    assert_eq!((requests[0].query("x"), requests[0].query("y")), (Some("1"), Some("a b")));
    assert_eq!(requests[1].json(), json!({"a": [1, null]}));
    for words in
        [["api", "GET", "https://evil.example/"], ["api", "GET", "//evil.example/"], ["api", "BREW", "/pot"]]
    {
        assert_eq!(code(&setting.run(&words)), 2, "{words:?}");
    }
    assert_eq!(code(&setting.run(&["api", "DELETE", "/tags/5"])), 2, "destructive");
    assert!(setting.server.take().is_empty());
}

#[test]
fn a_token_is_kept_checked_and_forgotten() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer good-token-123456") => {
            json(200, r#"{"type":"admin","id":"9","name":"Ann","app":{"id_code":"ws1","name":"Shop"}}"#)
        }
        _ => json(
            401,
            r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"Access Token Invalid"}]}"#,
        ),
    });
    let home = tempfile::tempdir().unwrap();
    let setting = Setting { home, server };
    let run = |words: &[&str], input: &str| {
        let mut command = binary(setting.home.path());
        command.env("INTERCOM_BASE_URL", &setting.server.url).args(words).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = run(&["auth", "set-token", "-"], "good-token-123456\n");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(!stdout(&output).contains("good-token-123456"));
    let path = setting.home.path().join(".config/intercom-pp-cli/config.toml");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let status = document(&run(&["auth", "status", "--json"], ""))["results"].clone();
    assert_eq!((&status["workspace_name"], &status["token_source"]), (&json!("Shop"), &json!("config file")));
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 0, "{}", stdout(&doctor));
    assert_eq!(code(&run(&["auth", "set-token", "wrong-token"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 4);
    assert_eq!(document(&doctor)["results"]["checks"][0]["verdict"], "ok", "what was found is still told");
    assert_eq!(code(&run(&["auth", "logout"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    assert!(!std::fs::read_to_string(path).unwrap().contains("wrong-token"));
    assert_eq!(code(&run(&["auth", "set-token", "has space"], "")), 2);
}

#[test]
fn a_file_is_downloaded_in_one_step() {
    let setting = Setting::new(|_| answer(200, "application/octet-stream", "\u{1}raw\u{2}"));
    let output = setting.run(&["calls", "recording", "42", "--out", "call.wav", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(std::fs::read(setting.home.path().join("call.wav")).unwrap(), b"\x01raw\x02");
    assert_eq!(document(&output)["results"]["bytes"], 5);
    assert_eq!(setting.run(&["download", "job1"]).stdout, b"\x01raw\x02");
    let setting = Setting::new(|_| answer(200, "text/plain", "Ann: hello"));
    assert_eq!(setting.run(&["calls", "transcript", "42", "--text"]).stdout, b"Ann: hello");
    assert_eq!(document(&setting.run(&["calls", "transcript", "42", "--json"]))["results"], "Ann: hello");
}

#[test]
fn version_completions_and_manual() {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| binary(home.path()).args(words).output().unwrap();
    let version = stdout(&run(&["--version"]));
    assert!(version.contains(env!("CARGO_PKG_VERSION")) && version.contains("Intercom API"), "{version}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(&["completions", shell])).contains("contacts"), "{shell}");
    }
    assert!(stdout(&run(&["man"])).contains("intercom-pp-cli"));
    assert_eq!(code(&run(&["man", "--out", "pages"])), 0);
    assert!(home.path().join("pages/intercom-pp-cli-contacts-list.1").exists());
}

#[test]
fn a_dry_run_of_any_command_sends_and_changes_nothing() {
    let setting = Setting::new(|_| json(200, r#"{"type":"admin","app":{"id_code":"w"}}"#));
    let commands: [&[&str]; 7] = [
        &["auth", "set-token", "some-token-123"],
        &["auth", "logout"],
        &["auth", "status"],
        &["doctor"],
        &["demo"],
        &["sandbox", "serve"],
        &["sync"],
    ];
    for words in commands {
        let output = setting.run(&[words, &["--dry-run", "--json"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        assert_eq!(document(&output)["dry_run"], true, "{words:?}");
        assert!(!stdout(&output).contains("some-token-123"));
    }
    assert!(setting.server.take().is_empty());
    assert!(std::fs::read_dir(setting.home.path()).unwrap().next().is_none(), "nothing was written");
}

#[test]
fn a_failed_walk_leaves_the_delivered_file_alone() {
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
fn a_file_stays_json_when_json_was_asked_for() {
    let setting = Setting::new(|_| answer(200, "audio/wav", "RIFF"));
    let output = setting.run(&["calls", "recording", "42", "--json"]);
    assert_eq!(
        document(&output)["results"],
        json!({"bytes": 4, "content_type": "audio/wav", "base64": "UklGRg=="})
    );
}

#[test]
fn empty_lists_and_answers_without_a_list() {
    let empty = Setting::new(|_| json(200, r#"{"type":"list","data":[],"pages":{"next":null}}"#));
    for format in ["--csv", "--plain", "--quiet", "--ndjson"] {
        assert_eq!(stdout(&empty.run(&["contacts", "list", format])), "", "{format}");
        assert_eq!(stdout(&empty.run(&["contacts", "list", "--all", format])), "", "{format}");
    }
    let null = Setting::new(|_| json(200, r#"{"type":"list","data":null}"#));
    assert_eq!(document(&null.run(&["contacts", "list", "--all", "--json"]))["results"]["data"], json!([]));
    let none = Setting::new(|_| json(200, r#"{"type":"list"}"#));
    let output = none.run(&["contacts", "list", "--all", "--json"]);
    assert_eq!(document(&output)["results"], json!({"type": "list"}));
    assert!(stderr(&output).contains("no list"), "{}", stderr(&output));
}

#[test]
fn a_request_of_ones_own_carries_the_version_that_its_operation_needs() {
    let setting = Setting::new(|_| json(200, "{}"));
    for path in ["/calls", "/internal_articles/1", "/contacts"] {
        assert_eq!(code(&setting.run(&["api", "GET", path])), 0);
    }
    let versions: Vec<String> =
        setting.server.take().iter().map(|it| it.header("intercom-version").unwrap().to_owned()).collect();
    assert_eq!(versions, ["2.14", "2.14", "2.13"]);
}

#[test]
fn nobody_waits_for_an_hour() {
    let setting = Setting::new(|_| {
        let body = r#"{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"slow down"}]}"#;
        let head =
            "HTTP/1.1 429 X\r\nretry-after: 3600\r\ncontent-type: application/json\r\nconnection: close\r\n";
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let output = setting.run(&["me", "--json"]);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
    assert_eq!(setting.server.take().len(), 1);
}
