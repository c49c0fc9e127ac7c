//! The `api` command: methods, fields, pages and heads of responses.

use serde_json::json;

use crate::cli::{Setting, code};
use crate::support::{document, json as answer, stderr, stdout};

#[test]
fn an_endpoint_needs_no_method_and_no_slash() {
    let setting = Setting::new(|_| answer(200, r#"{"ok":true}"#));
    for words in [&["api", "me"][..], &["api", "/me"], &["api", "GET", "me"], &["api", "me", "-X", "get"]] {
        assert_eq!(code(&setting.run(words)), 0, "{words:?}");
        let sent = setting.server.take();
        assert_eq!((sent[0].method.as_str(), sent[0].path.as_str()), ("GET", "/me"), "{words:?}");
    }
    for words in [
        &["api", "GET"][..],
        &["api", "GET", "/me", "-X", "POST"],
        &["api", "https://evil.example/me"],
        &["api", "-X", "BREW", "/pot"],
        &["api", "/tags", "-f", "name"],
        &["api", "/tags", "-f", "a=1", "-f", "a[b]=2"],
        &["api", "/tags", "--slurp"],
        &["api", "/nowhere", "--paginate"],
        &["api", "-X", "DELETE", "/tags/1", "--paginate", "--yes"],
    ] {
        let output = setting.run(words);
        assert_eq!(code(&output), 2, "{words:?}: {}", stderr(&output));
    }
    assert!(setting.server.take().is_empty());
}

#[test]
fn fields_build_the_body_or_the_query() {
    let setting = Setting::new(|_| answer(200, r#"{"ok":true}"#));
    std::fs::write(setting.home.path().join("text.html"), "<p>Hello</p>").unwrap();
    std::fs::write(setting.home.path().join("tag.json"), r#"{"name":"from a file"}"#).unwrap();
    let sent = |words: &[&str], input: &str| {
        let output = setting.run_with_stdin(words, input);
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        setting.server.take().remove(0)
    };
    let request = sent(
        &[
            "api",
            "/tags",
            "-f",
            "name=5",
            "-F",
            "n=5",
            "-F",
            "on=true",
            "-F",
            "body=@text.html",
            "-F",
            "x=@-",
            "-F",
            "a[b][]=1",
        ],
        "typed in",
    );
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/tags"));
    assert_eq!(
        request.json(),
        json!({ "name": "5", "n": 5, "on": true, "body": "<p>Hello</p>", "x": "typed in", "a": { "b": [1] } })
    );
    let request = sent(&["api", "/contacts?page=1", "-X", "GET", "-f", "per_page=5", "-F", "x[]=a"], "");
    assert_eq!(
        (request.query("page"), request.query("per_page"), request.query("x[]")),
        (Some("1"), Some("5"), Some("a"))
    );
    assert!(request.body.is_empty());
    let request = sent(&["api", "/tags", "--input", "tag.json", "-f", "dry=1"], "");
    assert_eq!((request.json(), request.query("dry")), (json!({ "name": "from a file" }), Some("1")));
    let request = sent(&["api", "/tags", "--input", "-", "-H", "X-Team: ops"], r#"{"name":"piped"}"#);
    assert_eq!((request.json(), request.header("x-team")), (json!({ "name": "piped" }), Some("ops")));
    let broken = setting.run_with_stdin(&["api", "/tags", "--input", "-"], "{");
    assert_eq!(code(&broken), 2);
    assert!(stderr(&broken).contains("--input: not valid JSON"), "{}", stderr(&broken));
}

#[test]
fn changes_need_the_same_consent_however_they_are_typed() {
    let setting = Setting::new(|_| answer(200, r#"{"ok":true}"#));
    for words in [
        &["api", "/tags/5", "-X", "DELETE"][..],
        &["api", "/contacts/merge", "-f", "from=1", "-f", "into=2"],
        &["api", "/contacts/merge", "-f", "from=1", "--agent"],
        &["api", "-X", "PUT", "/contacts/5", "-f", "name=Ann"],
    ] {
        assert_eq!(code(&setting.run(words)), 2, "{words:?}");
    }
    assert!(setting.server.take().is_empty());
    assert_eq!(code(&setting.run(&["api", "-X", "PUT", "/contacts/5", "-f", "name=Ann", "--agent"])), 0);
    let output = setting.run(&["api", "/tags", "-f", "name=x", "--read-only"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert_eq!(setting.server.take().len(), 1);
}

/// Cursors in the query, cursors in the body, and page numbers.
#[test]
fn paginate_follows_every_kind_of_page() {
    let setting = Setting::new(|request| {
        let body = request.json();
        let cursor = request.query("starting_after").map(str::to_owned);
        let cursor = cursor.or_else(|| body["pagination"]["starting_after"].as_str().map(str::to_owned));
        let page = request.query("page").map_or(1, |page| page.parse::<u32>().unwrap());
        match (request.path.as_str(), cursor.as_deref(), page) {
            ("/articles", _, 1) => answer(
                200,
                r#"{"type":"list","data":[{"id":"1"}],"pages":{"type":"pages","page":1,"per_page":1,"total_pages":2},"total_count":2}"#,
            ),
            ("/articles", _, _) => answer(
                200,
                r#"{"type":"list","data":[{"id":"2"}],"pages":{"type":"pages","page":2,"per_page":1,"total_pages":2},"total_count":2}"#,
            ),
            (_, None, _) => answer(
                200,
                r#"{"type":"list","data":[{"id":"1"}],"pages":{"next":{"starting_after":"c2"}},"total_count":2}"#,
            ),
            (_, Some(_), _) => {
                answer(200, r#"{"type":"list","data":[{"id":"2"}],"pages":{"next":null},"total_count":2}"#)
            }
        }
    });
    for words in [
        &["api", "/contacts", "--paginate"][..],
        &["api", "/articles", "--paginate"],
        &[
            "api",
            "/contacts/search",
            "--paginate",
            "-f",
            "query[field]=role",
            "-f",
            "query[operator]==",
            "-f",
            "query[value]=user",
        ],
    ] {
        let output = setting.run(&[words, &["--json"]].concat());
        let found = document(&output);
        assert_eq!(
            found["results"]["data"],
            json!([{ "id": "1" }, { "id": "2" }]),
            "{words:?}: {}",
            stderr(&output)
        );
        assert_eq!(
            (&found["meta"]["complete"], &found["meta"]["pages"]),
            (&json!(true), &json!(2)),
            "{words:?}"
        );
    }
    let pages = setting.run(&["api", "/contacts", "--paginate", "--slurp", "-q", "[.results[].data[].id]"]);
    assert_eq!(stdout(&pages), "[\"1\",\"2\"]\n", "{}", stderr(&pages));
}

/// A raw request is never answered from the mirror.
#[test]
fn paginate_fails_offline() {
    let setting = Setting::new(|_| answer(200, "{}"));
    let mut command = crate::support::against(setting.home.path(), "http://127.0.0.1:1");
    let output = command.args(["api", "/contacts", "--paginate", "--timeout", "1s"]).output().unwrap();
    assert_eq!((code(&output), stdout(&output)), (5, String::new()), "{}", stderr(&output));
}

#[test]
fn include_shows_status_and_headers() {
    let setting = Setting::new(|_| answer(201, r#"{"ok":true}"#));
    let output = document(&setting.run(&["api", "/tags", "-f", "name=x", "-i", "--json"]));
    assert_eq!((&output["meta"]["status"], &output["results"]), (&json!(201), &json!({ "ok": true })));
    assert_eq!(output["meta"]["headers"]["content-type"], "application/json");
    // A jq program may drop `meta`.
    for format in [["--format", "table"], ["--jq", ".results.ok"]] {
        let shown = setting.run(&[&["api", "/tags", "-f", "name=x", "-i"], &format[..]].concat());
        assert!(stderr(&shown).starts_with("HTTP 201 "), "{}", stderr(&shown));
        assert!(stderr(&shown).contains("content-type: application/json"), "{}", stderr(&shown));
    }
}
