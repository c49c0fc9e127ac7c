//! Requests: what is sent, and what is refused, confirmed or only shown.

use serde_json::{Value, json};

use crate::cli::{Setting, code, contacts};
use crate::support::{at_least, document, json, stderr, stdout};

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
fn bodies_merge_all_sources() {
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
fn destructive_commands_need_a_confirmation() {
    let setting = Setting::new(|_| json(200, r#"{"id":"5","deleted":true}"#));
    let output = setting.run(&["contacts", "delete", "abc"]);
    assert_eq!((code(&output), stdout(&output)), (2, String::new()));
    assert!(stderr(&output).contains("--yes"));
    assert!(setting.server.take().is_empty());
    assert_eq!(code(&setting.run(&["contacts", "delete", "abc", "--yes"])), 0);
    assert_eq!(setting.server.take().len(), 1);
    let (merge, redact) = (
        ["contacts", "merge", "--from", "a", "--into", "b"],
        ["conversations", "redact", "--body-json", "{}"],
    );
    let convert = ["visitors", "convert", "--body-json", "{}"];
    let unknown = ["api", "POST", "/contacts/bulk/delete", "--body-json", "{}"];
    for words in [&["contacts", "delete", "abc"][..], &merge, &redact, &convert, &unknown] {
        for flags in [&[][..], &["--agent"], &["--no-input"]] {
            let output = setting.run(&[words, flags].concat());
            assert_eq!((code(&output), stdout(&output)), (2, String::new()), "{words:?} {flags:?}");
            assert!(stderr(&output).contains("--yes"), "{}", stderr(&output));
        }
        assert!(setting.server.take().is_empty(), "{words:?}");
        assert_eq!(code(&setting.run(&[words, &["--agent", "--yes"]].concat())), 0, "{words:?}");
        assert_eq!(setting.server.take().len(), 1, "{words:?}");
    }
    for words in
        [&["contacts", "update", "abc", "--name", "x"][..], &["contacts", "tags", "detach", "abc", "5"]]
    {
        assert_eq!(code(&setting.run(words)), 2, "{words:?}");
        assert_eq!(code(&setting.run(&[words, &["--agent"]].concat())), 0, "{words:?}");
    }
    for words in [&["contacts", "archive", "abc"][..], &["contacts", "unarchive", "abc"]] {
        assert_eq!(code(&setting.run(words)), 0, "{words:?}");
    }
}

#[test]
fn idempotent_and_ignore_missing_turn_no_ops_into_successes() {
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
fn invalid_input_is_refused_before_any_request() {
    let setting = contacts();
    let usage: [&[&str]; 21] = [
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
        &["tickets", "update", "1", "--snoozed-until", "2d"],
        &[
            "conversations",
            "manage",
            "1",
            "--admin-id",
            "9",
            "--message-type",
            "snoozed",
            "--snoozed-until",
            "2d",
        ],
        &[
            "intercom-export",
            "create-data",
            "--created-at-after",
            "2030-01-01",
            "--created-at-before",
            "2029-01-01",
        ],
        &[
            "admins",
            "activity-logs",
            "list",
            "--created-at-after",
            "2026-05-02",
            "--created-at-before",
            "2026-05-01",
        ],
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
fn headers_and_api_version_can_be_set() {
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
    let versions: Vec<_> =
        requests.iter().map(|request| request.header("intercom-version").unwrap()).collect();
    assert_eq!(versions, ["2.15", &at_least("2.14"), "2.15", "Preview"]);
}

#[test]
fn an_api_version_is_checked_before_anything_is_sent() {
    let setting = Setting::new(|_| json(200, "{}"));
    for version in ["3", "latest", "2,16", "2.x", ""] {
        let output = setting.run(&["me", "--api-version", version]);
        let printed = stderr(&output);
        assert_eq!(code(&output), 2, "{printed}");
        assert!(printed.contains(&format!("--api-version: invalid API version {version:?}")), "{printed}");
        assert!(printed.contains("expected 2.13, 2.14") && printed.contains("Preview"), "{printed}");
        let config = format!("api_version = {version:?}\n[profiles.eu]\n");
        std::fs::write(setting.home.path().join("config.toml"), config).unwrap();
        for more in [
            &["me"][..],
            &["me", "--profile", "eu"],
            &["contacts", "search", "--where", "id = 1", "--dry-run"],
        ] {
            let output = setting.run(&[more, &["--config", "config.toml"]].concat());
            assert_eq!(code(&output), 10, "{}", stderr(&output));
            assert!(stderr(&output).contains("api_version: invalid API version"), "{}", stderr(&output));
        }
        let output = setting.run(&["profile", "save", "eu", "--api-version", version]);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
    }
    assert!(setting.server.take().is_empty());
    for version in ["2.9", "2.17", "2.18", "3.0", "Preview", "preview", "unstable"] {
        assert_eq!(code(&setting.run(&["me", "--api-version", version])), 0, "{version}");
    }
    let requests = setting.server.take();
    let versions: Vec<_> =
        requests.iter().map(|request| request.header("intercom-version").unwrap()).collect();
    assert_eq!(versions, ["2.9", "2.17", "2.18", "3.0", "Preview", "Preview", "Unstable"]);
}

#[test]
fn the_error_code_decides_whether_another_version_is_suggested() {
    let refused = |code: &str, message: &str, path: &str| {
        let problem = json!({ "type": "error.list", "errors": [{ "code": code, "message": message }] });
        let problem = problem.to_string();
        let setting = Setting::new(move |_| json(400, &problem));
        stderr(&setting.run(&["api", "GET", path]))
    };
    let message = "Requested resource is not available in current API version.";
    let printed = refused("intercom_version_invalid", message, "/calls");
    assert!(printed.contains("--api-version"), "{printed}");
    for (message, path) in [("the version of the app is missing", "/tags"), ("bad request", "/versions/1")] {
        let printed = refused("parameter_invalid", message, path);
        assert!(!printed.contains("--api-version") && printed.contains("--dry-run"), "{printed}");
    }
}

#[test]
fn the_api_command_sends_any_request() {
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
fn a_dry_run_of_any_command_sends_and_changes_nothing() {
    let setting = Setting::new(|_| json(200, r#"{"type":"admin","app":{"id_code":"w"}}"#));
    let commands: [&[&str]; 8] = [
        &["auth", "set-token", "some-token-123"],
        &["auth", "login"],
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
fn the_api_command_uses_the_version_its_operation_needs() {
    let setting = Setting::new(|_| json(200, "{}"));
    for path in ["/calls", "/internal_articles/1", "/contacts"] {
        assert_eq!(code(&setting.run(&["api", "GET", path])), 0);
    }
    let versions: Vec<String> = setting
        .server
        .take()
        .iter()
        .map(|request| request.header("intercom-version").unwrap().to_owned())
        .collect();
    assert_eq!(versions, ["2.14", "2.14", "2.13"].map(at_least));
}

#[test]
fn the_api_command_supports_idempotent_and_ignore_missing() {
    let there = Setting::new(|_| json(409, r#"{"type":"error.list","errors":[{"code":"conflict"}]}"#));
    let created = ["api", "POST", "/tags", "--body-json", "{}"];
    let output = there.run(&[&created[..], &["--idempotent"]].concat());
    assert_eq!((code(&output), document(&output)["meta"]["reason"].clone()), (0, json!("already_exists")));
    let output = there.run(&[&created[..], &["--idempotent", "--quiet"]].concat());
    assert_eq!((code(&output), stdout(&output)), (0, String::new()), "no id to print");
    let output = there.run(&created);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("--idempotent"), "{}", stderr(&output));
    let gone = Setting::new(|_| json(404, r#"{"type":"error.list","errors":[{"code":"not_found"}]}"#));
    let output = gone.run(&["api", "DELETE", "/tags/1", "--yes", "--ignore-missing"]);
    assert_eq!((code(&output), document(&output)["meta"]["reason"].clone()), (0, json!("already_deleted")));
}

#[test]
fn an_unknown_command_suggests_the_nearest() {
    let output = contacts().run(&["contcts", "list", "--json"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("did you mean `intercom-pp-cli contacts list`"), "{}", stderr(&output));
}

#[test]
fn a_conflict_names_the_existing_record() {
    let refuse = |message: &'static str| {
        Setting::new(move |request| {
            let error = json!({"type": "error.list", "errors": [{"code": "conflict", "message": message}]});
            match request.method.as_str() {
                "GET" => json(200, r#"{"type":"admin","id":"1","app":{"id_code":"abc"}}"#),
                _ => json(409, &error.to_string()),
            }
        })
    };
    let create = ["contacts", "create", "--email", "ann@example.com", "--json"];
    let idempotent: Vec<&str> = create.iter().copied().chain(["--idempotent"]).collect();

    let exists = refuse("A contact matching those details exists with id=6a70c1d2");
    assert_eq!(document(&exists.run(&idempotent))["results"]["id"], "6a70c1d2");
    let quiet: Vec<&str> = idempotent.iter().copied().chain(["--quiet"]).collect();
    assert_eq!(stdout(&exists.run(&quiet)).trim(), "6a70c1d2");
    let output = exists.run(&create);
    let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!((code(&output), &error["error"]["existing_id"]), (5, &json!("6a70c1d2")));

    // An archived or ambiguous match is not used.
    let archived = refuse("An archived contact matching those details exists with id=6a70c1d2");
    let output = archived.run(&idempotent);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("contacts unarchive contact 6a70c1d2"), "{}", stderr(&output));
    let several = refuse("Multiple existing users match this email address");
    let output = several.run(&idempotent);
    assert_eq!(code(&output), 5);
    assert!(stderr(&output).contains("contacts search"), "{}", stderr(&output));

    let input = "{\"email\":\"ann@example.com\"}\n";
    let import = |setting: &Setting| {
        let output = setting.run_with_stdin(
            &["import", "contacts", "--input", "-", "--journal", "import.journal", "--idempotent", "--json"],
            input,
        );
        (code(&output), document(&output)["results"]["records"][0].clone())
    };
    let (exit, line) = import(&exists);
    assert_eq!((exit, &line["status"], &line["id"]), (0, &json!("exists"), &json!("6a70c1d2")));
    let (exit, line) = import(&archived);
    assert_eq!((exit, &line["status"]), (5, &json!("failed")));
}

#[test]
fn a_merged_contact_names_its_successor() {
    let setting = Setting::new(|_| {
        let error =
            json!({"type": "error.list", "errors": [{"code": "contact_merged", "message": "Merged"}]});
        let link = "<https://api.intercom.io/contacts/6b11>; rel=\"canonical\"".to_owned();
        let answer = String::from_utf8(json(410, &error.to_string())).unwrap();
        answer.replacen("connection: close", &format!("link: {link}\r\nconnection: close"), 1).into_bytes()
    });
    let output = setting.run(&["contacts", "get", "6a70", "--json"]);
    let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!((code(&output), &error["error"]["merged_into"]), (3, &json!("6b11")));
    assert!(error["error"]["hint"].as_str().unwrap().contains("6b11"));
}

#[test]
fn a_call_that_needs_another_version_is_sent_with_it_and_says_so() {
    let setting = Setting::new(|_| json(200, r#"{"type":"list","data":[]}"#));
    let output = setting.run(&["macros", "list", "--api-version", "2.14", "--json"]);
    let printed = stderr(&output);
    assert!(printed.contains("macros list needs API 2.16: sent with API 2.16 instead of 2.14"), "{printed}");
    assert_eq!(code(&output), 0, "{printed}");
    assert_eq!(setting.server.take()[0].header("intercom-version"), Some("2.16"));
    let printed = stderr(&setting.run(&["macros", "list", "--json"]));
    assert!(!printed.contains("instead of"), "{printed}");
    setting.server.take();
    let flags = ["--assignment-admin-id", "7", "--api-version", "2.16", "--yes"];
    let output = setting.run(&[&["tickets", "update", "5"][..], &flags].concat());
    let printed = stderr(&output);
    assert!(printed.contains("--assignment ends with API 2.13"), "{printed}");
    assert_eq!((code(&output), setting.server.take().len()), (2, 0));
}
