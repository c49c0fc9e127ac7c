//! Responses that are errors, empty, late or missing.

use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{RawResponse, against, document, json, response, stderr, stdout};

#[test]
fn http_statuses_have_exit_codes() {
    for (status, exit) in
        [(400, 5), (401, 4), (403, 4), (404, 3), (409, 5), (410, 3), (422, 5), (429, 7), (500, 5)]
    {
        let setting = Setting::new(move |_| {
            let body = r#"{"type":"error.list","request_id":"req-1","errors":[{"code":"some_code","message":"some message"}]}"#;
            let head = format!("HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-type: application/json\r\n");
            format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
        });
        // A create is retried only on 429.
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
fn responses_without_json_are_errors() {
    let cases: [(&str, RawResponse); 5] = [
        ("html", response(200, "text/html", "<html><body>Welcome</body></html>")),
        ("truncated", response(200, "application/json", r#"{"type":"list","data":[{"id":"#)),
        ("empty", response(200, "application/json", "")),
        ("no json", response(200, "application/json", "ok")),
        ("html 404", response(404, "text/html", "<html><h1>404 Not Found</h1><hr>nginx</html>")),
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
fn a_successful_change_with_an_empty_response_succeeds() {
    let setting = Setting::new(|_| response(200, "application/json", ""));
    let output = setting.run(&["contacts", "archive", "abc", "--json"]);
    assert_eq!((code(&output), &document(&output)["results"]), (0, &Value::Null));
}

#[test]
fn an_unreachable_server_is_a_network_error() {
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
    assert_eq!(setting.server.take().len(), 1, "a create with an unknown outcome is not retried");
}

#[test]
fn a_long_retry_after_is_not_waited_for() {
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

/// A single success without a body.
#[test]
fn a_read_with_an_empty_response_is_retried() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let setting = Setting::new(move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => json(200, ""),
        _ => json(200, r#"{"type":"admin.list","admins":[{"type":"admin","id":"1"}]}"#),
    });
    let output = setting.run(&["admins", "list", "--quiet"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (0, "1\n"), "{}", stderr(&output));
}

/// Intercom answers 429 while another export runs, which is not a rate limit.
#[test]
fn a_busy_export_job_is_not_a_rate_limit() {
    let setting = Setting::new(|_| {
        json(429, r#"{"type":"error.list","errors":[{"code":"job_pending","message":"1 pending job"}]}"#)
    });
    let output = setting.run(&[
        "intercom-export",
        "create-data",
        "--created-at-after",
        "2026-05-01",
        "--created-at-before",
        "2026-05-24",
    ]);
    assert_eq!(code(&output), 7);
    assert!(stderr(&output).contains("another export"), "{}", stderr(&output));
    assert!(setting.server.take().len() <= 3);
}

/// The connection is lost after the request was sent.
#[test]
fn a_lost_response_leaves_the_outcome_unknown() {
    let setting = Setting::new(|_| Vec::new());
    let output = setting.run(&["contacts", "create", "--email", "ann@example.com"]);
    assert_eq!((code(&output), setting.server.take().len()), (5, 1));
    assert!(stderr(&output).contains("check before sending it again"), "{}", stderr(&output));
    let output = setting.run(&["contacts", "search", "--where", "role = user", "--timeout", "2s"]);
    assert!(!stderr(&output).contains("check before sending it again"), "{}", stderr(&output));
}

/// A huge number is valid JSON, but does not fit any column type.
#[test]
fn an_unreadable_record_is_an_error_not_an_empty_one() {
    let body = r#"{"type":"list","data":[{"type":"contact","id":"a","n":1e999},{"type":"contact","id":"b"}],"total_count":2,"pages":{"next":null}}"#;
    let setting = Setting::new(move |_| json(200, body));
    for more in [&["--json"][..], &["--json", "--all"], &["--ndjson", "--all"]] {
        let output = setting.run(&[&["contacts", "list"], more].concat());
        assert!(code(&output) == 0 && stdout(&output).contains("1e999"), "{more:?}: {}", stderr(&output));
    }
    for more in [
        &["--csv"][..],
        &["--csv", "--all"],
        &["--json", "--select", "id"],
        &["--json", "--select", "id", "--all"],
        &["--human-friendly"],
    ] {
        let output = setting.run(&[&["contacts", "list"], more].concat());
        assert_eq!(code(&output), 5, "{more:?}: {}", stdout(&output));
        assert!(stderr(&output).contains("cannot read the response"), "{more:?}: {}", stderr(&output));
    }
    let output = setting.run(&["contacts", "list", "--json", "--compact", "--all"]);
    assert_eq!((code(&output), &document(&output)["meta"]["complete"]), (5, &Value::Bool(false)));
}
