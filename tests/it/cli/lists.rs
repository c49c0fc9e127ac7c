//! Pagination: `--all`, `--limit`, and pages that fail.

use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{self, RawResponse, document, json, stderr, stdout};

/// Three pages; the cursor is the number of the next one.
pub fn three_pages(request: &support::RecordedRequest) -> RawResponse {
    let body = request.json();
    let cursor = request.query("starting_after").or_else(|| body["pagination"]["starting_after"].as_str());
    let page: u32 = cursor.map_or(1, |cursor| cursor.parse().unwrap());
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
    let ids: Vec<&str> = all["results"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|record| record["id"].as_str())
        .collect();
    assert_eq!(ids, ["1a", "1b", "2a", "2b", "3a", "3b"]);
    assert_eq!((&all["meta"]["count"], &all["meta"]["complete"]), (&json!(6), &json!(true)));
    assert_eq!(
        setting.server.take()[0].query("per_page"),
        Some("150"),
        "the largest page size that the API allows"
    );
    let ndjson = setting.run(&["contacts", "list", "--all", "--ndjson"]);
    assert_eq!(stdout(&ndjson).lines().count(), 6);
}

#[test]
fn unpaginated_lists_take_the_same_flags() {
    let setting = Setting::new(|_| json(200, r#"{"type":"list","data":[{"id":"1"},{"id":"2"}]}"#));
    let all = document(&setting.run(&["tags", "list", "--all", "--json"]));
    assert_eq!((&all["meta"]["count"], &all["meta"]["has_more"]), (&json!(2), &json!(false)));
    let one = document(&setting.run(&["tags", "list", "--limit", "1", "--json"]));
    assert_eq!(one["results"]["data"], json!([{"id": "1"}]));
    assert_eq!(one["meta"]["has_more"], true);
    assert!(setting.server.take().iter().all(|request| request.query.is_empty()));
}

#[test]
fn limit_stops_and_reports_further_records() {
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
fn a_failed_page_leaves_valid_json_and_an_error() {
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
fn a_circular_list_ends() {
    let setting =
        Setting::new(|_| json(200, r#"{"data":[{"id":"1"}],"pages":{"next":{"starting_after":"same"}}}"#));
    let output = setting.run(&["contacts", "list", "--all", "--json"]);
    assert_eq!(code(&output), 5);
    assert_eq!(document(&output)["meta"]["complete"], false);
}

#[test]
fn empty_lists_and_non_lists_are_handled() {
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
