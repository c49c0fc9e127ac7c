//! `api versions`, and the version of the app that `doctor` finds.

use std::process::Output;

use intercom::api::ApiVersion;
use serde_json::{Value, json};

use crate::support::{Server, against, binary, document, json as answer, stderr, stdout};

fn versions(words: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    binary(home.path()).args(["api", "versions"]).args(words).output().unwrap()
}

#[test]
fn each_version_is_an_object_with_its_additions() {
    let found = document(&versions(&["--json"]));
    let list = found["results"].as_array().unwrap();
    let numbers: Vec<&str> = list.iter().map(|version| version["version"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["2.13", "2.14", "2.15", "2.16"]);
    let pinned: Vec<&Value> = list.iter().filter(|version| version["pinned"] == true).collect();
    assert_eq!(pinned.len(), 1);
    assert_eq!(pinned[0]["version"], ApiVersion::pinned().to_string());
    assert_eq!(list[1]["operations"], 150);
    let additions = list[3]["additions"].as_array().unwrap();
    assert!(
        additions.iter().any(|added| added["method"] == "GET" && added["path"] == "/macros"),
        "{additions:?}"
    );
    for added in additions {
        assert!(added["command"].as_str().is_some_and(|command| command.contains(' ')), "{added}");
    }
}

#[test]
fn people_see_a_table() {
    let text = stdout(&versions(&["--human-friendly"]));
    assert!(text.starts_with("VERSION"), "{text}");
    assert!(text.contains(&format!("{} (pinned)", ApiVersion::pinned())) && text.contains("2.16"), "{text}");
}

#[test]
fn changes_name_the_commands_and_what_is_done() {
    let found = document(&versions(&["--changes", "2.13..2.16", "--json"]))["results"].take();
    assert_eq!((&found["from"], &found["to"]), (&json!("2.13"), &json!("2.16")));
    let behavior = found["behavior"].as_array().unwrap();
    let priority =
        behavior.iter().find(|change| change["change"].as_str().unwrap().starts_with("Priority")).unwrap();
    assert_eq!(priority["version"], "2.16");
    assert!(priority["commands"].as_array().unwrap().contains(&json!("conversations search")), "{priority}");
    assert!(behavior.iter().all(|change| change["version"] != "2.17"), "{behavior:?}");
    let parameters = found["parameters"].as_array().unwrap();
    let owner = parameters
        .iter()
        .find(|change| change["command"] == "contacts update" && change["parameter"] == "owner_id");
    assert_eq!(owner.unwrap()["change"], "retyped", "{parameters:?}");
    let later = document(&versions(&["--changes", "2.16..2.17", "--json"]))["results"].take();
    assert_eq!((later["behavior"].as_array().unwrap().len(), &later["parameters"]), (1, &json!([])));
    let same = stdout(&versions(&["--changes", "2.15..2.15", "--human-friendly"]));
    assert_eq!(same, "No command notices a change from 2.15 to 2.15.\n");
}

#[test]
fn an_invalid_range_is_a_usage_error() {
    for (range, reason) in
        [("2.16..2.13", "expected the earlier version first"), ("2.13..x", "invalid API version")]
    {
        let output = versions(&["--changes", range]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

#[test]
fn an_endpoint_is_still_called_by_its_path() {
    let server = Server::always(200, r#"{"type":"list","data":[]}"#);
    let home = tempfile::tempdir().unwrap();
    for words in [&["api", "/versions"][..], &["api", "GET", "/versions"], &["api", "get", "me"]] {
        assert!(
            against(home.path(), &server.url).args(words).output().unwrap().status.success(),
            "{words:?}"
        );
    }
    let paths: Vec<String> = server.take().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/versions", "/versions", "/me"]);
}

/// A server whose app has this version. It names the version of each response.
fn app_of(version: Option<&'static str>) -> Server {
    Server::start(move |request| {
        let me = r#"{"type":"admin","id":"1","app":{"type":"app","id_code":"abc"}}"#;
        let Some(app) = version else { return answer(200, me) };
        let version = request.header("intercom-version").unwrap_or(app);
        let head = format!("intercom-version: {version}\r\nconnection: close");
        String::from_utf8(answer(200, me)).unwrap().replace("connection: close", &head).into_bytes()
    })
}

fn app_version_check(server: &Server) -> Value {
    let home = tempfile::tempdir().unwrap();
    let found = document(&against(home.path(), &server.url).args(["doctor", "--json"]).output().unwrap());
    let checks = found["results"]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["check"] == "app version").unwrap().clone()
}

#[test]
fn doctor_asks_which_version_the_app_answers_by_default() {
    let (app, change) = if ApiVersion::pinned() == ApiVersion::Number(2, 13) {
        ("2.16", "2.13..2.16")
    } else {
        ("2.13", "2.13..")
    };
    let server = app_of(Some(app));
    let check = app_version_check(&server);
    assert_eq!(check["verdict"], "ok", "{check}");
    let detail = check["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("answered as {app}")) && detail.contains(change), "{detail}");
    let requests = server.take();
    let without = requests.iter().filter(|request| request.header("intercom-version").is_none());
    assert_eq!((without.count(), requests.len()), (1, 2), "one request leaves the version out");

    let silent = app_version_check(&app_of(None));
    assert_eq!(silent["verdict"], "skipped", "{silent}");
    assert!(silent["detail"].as_str().unwrap().contains("cannot be known"), "{silent}");
}
