//! `contacts dupes`: finding duplicates, and merging them.

use intercom::mirror::ResourceName;
use serde_json::json;

use super::{Golden, at, column, put};
use crate::support::{Server, against, document, json as answer, stderr};

#[test]
fn duplicates_have_a_survivor_and_a_merge_plan() {
    let golden = Golden::new();
    let found = golden.json(&["contacts", "dupes", "--by", "email"]);
    assert_eq!(column(&found["results"], "value"), ["lena@example.com", "team@example.com"]);
    let lena = &found["results"][0];
    assert_eq!(
        (&lena["survivor"], &lena["merge"], &lena["unmergeable"]),
        (&json!("c2"), &json!(["l9"]), &json!([]))
    );
    let team = &found["results"][1];
    assert_eq!(
        (&team["merge"], &team["unmergeable"]),
        (&json!([]), &json!(["d2"])),
        "users cannot be merged"
    );
    let plan = golden.json(&["contacts", "dupes", "--merge"]);
    assert_eq!(
        plan["results"],
        json!([{"value": "lena@example.com", "from": "l9", "from_name": "Name of l9", "into": "c2",
                "into_name": "Name of c2", "status": "planned", "error": null}])
    );
    let mut store = golden.open();
    let phone =
        |id: &str, phone: &str| json!({"id": id, "role": "user", "phone": phone, "updated_at": at(1)});
    put(&mut store, ResourceName::Contacts, &[phone("p1", "+1 (555) 010-99"), phone("p2", "0015550 1099")]);
    let phones = golden.json(&["contacts", "dupes", "--by", "phone"]);
    assert_eq!(column(&phones["results"], "value"), ["155501099"]);
    assert_eq!(golden.fails(&["contacts", "dupes", "--by", "shoe-size"]).0, 2);
}

const LEAD: &str = r#"{"type":"contact","id":"l9","role":"lead","email":"lena@example.com"}"#;
const USER: &str = r#"{"type":"contact","id":"c2","role":"user","email":"lena@example.com"}"#;

#[test]
fn merging_needs_confirmation_and_reports_its_result() {
    let golden = Golden::new();
    let path = golden.path();
    let is_merged = std::sync::atomic::AtomicBool::new(false);
    let server = Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
        ("POST", _) => {
            is_merged.store(true, std::sync::atomic::Ordering::SeqCst);
            answer(200, r#"{"type":"contact","id":"c2"}"#)
        }
        ("GET", "/contacts/l9") if is_merged.load(std::sync::atomic::Ordering::SeqCst) => {
            answer(404, r#"{"type":"error.list","errors":[{"code":"not_found","message":"gone"}]}"#)
        }
        ("GET", "/contacts/l9") => answer(200, LEAD),
        ("GET", "/contacts/c2") => answer(200, USER),
        _ => answer(200, r#"{"type":"admin","id":"1","app":{"id_code":"abc"}}"#),
    });
    let run = |url: &str, words: &[&str]| {
        let words =
            [&["contacts", "dupes", "--merge", "--apply", "--json", "--db", path.to_str().unwrap()], words]
                .concat();
        against(golden.folder.path(), url).args(words).output().unwrap()
    };
    assert_eq!(run(&server.url, &[]).status.code(), Some(2), "not confirmed");
    let dry = run(&server.url, &["--dry-run"]);
    assert_eq!(document(&dry)["results"][0]["status"], "planned");
    assert!(server.take().is_empty());
    // A merged lead leaves the mirror.
    let before = std::fs::read(&path).unwrap();
    let done = run(&server.url, &["--yes"]);
    assert_eq!(document(&done)["results"][0]["status"], "merged", "{}", stderr(&done));
    let sent: Vec<_> = server.take().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(
        (sent.len(), sent[0].path.as_str(), sent[0].json()),
        (1, "/contacts/merge", json!({"from": "l9", "into": "c2"}))
    );
    let refusing = Server::start(|request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/me") => answer(200, r#"{"type":"admin","id":"1","app":{"id_code":"abc"}}"#),
        ("GET", "/contacts/c2") => answer(200, USER),
        ("GET", _) => answer(200, LEAD),
        _ => answer(400, r#"{"type":"error.list","errors":[{"code":"parameter_invalid","message":"no"}]}"#),
    });
    std::fs::write(&path, before).unwrap();
    let failed = run(&refusing.url, &["--yes"]);
    assert_eq!(document(&failed)["results"][0]["status"], "failed");
    assert_eq!(failed.status.code(), Some(5), "nothing was merged");
}
