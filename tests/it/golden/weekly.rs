//! The questions of every week, about the golden workspace and a sandbox.

use std::collections::BTreeMap;

use intercom::mirror::ResourceName;
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};

use super::{Golden, HOUR, at, cases, keep, put};
use crate::support::{Server, against, binary, document, json as answer, stderr, stdout};

fn column<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap_or("")).collect()
}

#[test]
fn stale_conversations_are_those_without_a_word() {
    let golden = Golden::new();
    // Everything happened in May 2026 or before: 17 open ones and the outbound one, of which 105 is snoozed.
    let found = golden.json(&["conversations", "stale", "--idle", "7d"]);
    let rows = found["results"].as_array().unwrap();
    assert_eq!(rows.len(), 17);
    assert_eq!(rows[0]["id"], "408", "the quietest first");
    let waiting = rows.iter().find(|row| row["id"] == "107").unwrap();
    assert_eq!(
        (&waiting["last_message_at"], &waiting["last_message_by"], &waiting["contact"]),
        (&json!(at(120)), &json!("contact"), &json!("Name of c1"))
    );
    // The note of minute 5 is no word to anybody; the answer of minute 30 is.
    assert_eq!(rows.iter().find(|row| row["id"] == "101").unwrap()["last_message_by"], "teammate");
    let with = golden.json(&["conversations", "stale", "--snoozed"]);
    assert_eq!(with["results"].as_array().unwrap().len(), 18);
    let of = |who: &str| {
        let found = golden.json(&["conversations", "stale", "--assigned-to", who]);
        column(&found["results"], "id").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("<script>"), ["405"]);
    assert_eq!(of("bo"), ["405"]);
    assert_eq!(of("99"), ["401"], "somebody who has left");
    assert_eq!(of("none"), ["404"]);
    let (code, message) = golden.fails(&["conversations", "stale", "--assigned-to", "Zoe"]);
    assert!(code == 2 && message.contains("Support"), "{message}");
    let none = golden.json(&["conversations", "stale", "--idle", "20000d"]);
    assert_eq!(none["results"], json!([]));
}

#[test]
fn duplicates_have_a_survivor_and_a_plan() {
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
fn merging_asks_first_and_says_what_came_of_it() {
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

#[test]
fn translations_that_are_missing_or_older() {
    let golden = Golden::new();
    let mut store = golden.open();
    let words = |title: &str, updated_at: i64| json!({"title": title, "body": "<p>x</p>", "updated_at": updated_at, "state": "published"});
    let article = |id: &str, content: Value| json!({"id": id, "title": "A", "state": "published", "default_locale": "en", "updated_at": at(9), "translated_content": content});
    put(
        &mut store,
        ResourceName::Articles,
        &[
            article(
                "1",
                json!({"type": "x", "en": words("A", at(5)), "de": words("B", at(6)), "fr": words("C", at(4))}),
            ),
            article("2", Value::Null),
            article("3", json!("")),
            article("4", json!({"en": words("A", at(5)), "de": null, "fr": words("", at(9))})),
        ],
    );
    let found = golden.json(&["articles", "translations"]);
    let mut counts = BTreeMap::new();
    for row in found["results"].as_array().unwrap() {
        *counts.entry((row["locale"].as_str().unwrap(), row["status"].as_str().unwrap())).or_insert(0) += 1;
    }
    // German: of 2, 3 and 4 there is none. French: that of 1 is older; 4 has an untitled one with a text.
    let expected = [(("de", "missing"), 3), (("fr", "missing"), 2), (("fr", "outdated"), 1)];
    assert_eq!(counts, BTreeMap::from(expected));
    assert_eq!(
        found["meta"]["locales"][0],
        json!({"locale": "de", "articles": 4, "current": 1, "missing": 3, "outdated": 0, "draft": 0})
    );
    // All of them are written in English.
    assert_eq!(
        found["meta"]["locales"][1],
        json!({"locale": "en", "articles": 4, "current": 4, "missing": 0, "outdated": 0, "draft": 0})
    );
    let only = golden.json(&["articles", "translations", "--locale", "es", "--status", "missing"]);
    assert_eq!(only["results"].as_array().unwrap().len(), 4);
}

#[test]
fn volume_by_day_hour_and_channel() {
    let golden = Golden::new();
    let week = ["--since", "2026-05-11", "--until", "2026-05-18"];
    let ask = |by: &str, zone: &str| {
        golden.json(&[&["conversations", "volume", "--by", by, "--timezone", zone], &week[..]].concat())
    };
    let (code, message) =
        golden.fails(&["conversations", "volume", "--since", "2026-05-18", "--until", "2026-05-11"]);
    assert!(code == 2 && message.contains("the period is empty"), "{message}");
    let days = ask("day", "UTC");
    // 27 in the first minute, and one on Friday; the days in between are there with zero.
    assert_eq!(
        column(&days["results"], "day"),
        ["2026-05-11", "2026-05-12", "2026-05-13", "2026-05-14", "2026-05-15"]
    );
    let counts: Vec<u64> = days["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["conversations"].as_u64().unwrap())
        .collect();
    assert_eq!(counts, [27, 0, 0, 0, 1]);
    // 301 and 302 by a teammate, 303 by a workflow.
    assert_eq!(days["results"][0]["started_by_team"], 3);
    let hours = ask("hour", "Europe/Berlin");
    assert_eq!(hours["results"].as_array().unwrap().len(), 24);
    assert_eq!(
        (&hours["results"][9]["conversations"], &hours["results"][16]["conversations"]),
        (&json!(26), &json!(1)),
        "a customer answered one that the team began an hour later"
    );
    assert_eq!(ask("channel", "UTC")["results"][0]["channel"], "email");
    let chart = stdout(&golden.ask(&["conversations", "volume", "--by", "hour", "--human-friendly"]));
    assert!(chart.lines().count() == 24 && chart.contains('█'), "{chart}");
    assert_eq!(golden.fails(&["conversations", "volume", "--timezone", "Nowhere/At_all"]).0, 2);
}

/// A message of 00:30 on 2026-05-12 in Berlin, which is 22:30 of the day before in UTC.
#[test]
fn the_zone_of_the_office_hours_decides_which_day_a_date_is() {
    let golden = Golden::new();
    let minute = 15 * HOUR + 30;
    let template = cases::all().remove(0);
    let parts = vec![("comment", cases::By::User("c1"), "Nightshift", minute)];
    let case = cases::Case { id: "503", started: minute, parts, ..template };
    keep(&mut golden.open(), &case.document());
    let config = golden.folder.path().join("config.toml");
    let config = ["--config", config.to_str().unwrap()];
    let hours = "[office_hours]\ntimezone = \"Europe/Berlin\"\nhours = \"09:00-17:00\"\n";
    for (settings, midnight, zone, found) in
        [(hours, 1_778_536_800, "Europe/Berlin", 1), ("", 1_778_544_000, "UTC", 0)]
    {
        std::fs::write(config[1], settings).unwrap();
        let ask = |words: &[&str]| golden.json(&[words, &config[..]].concat());
        let volume = ["conversations", "volume", "--since", "2026-05-12", "--until", "2026-05-13"];
        let meta = &ask(&volume)["meta"];
        assert_eq!((&meta["since"], &meta["timezone"]), (&json!(midnight), &json!(zone)));
        assert_eq!(meta["conversations"], found, "{zone}");
        let hits = ask(&["search", "Nightshift", "--since", "2026-05-12"]);
        assert_eq!(hits["results"]["hits"].as_array().unwrap().len(), found, "{zone}");
        let exported = ask(&["export", "conversations", "--since", "2026-05-12"]);
        let exported = exported["results"]["conversations"].as_array().unwrap();
        assert_eq!(exported.iter().filter(|it| it["id"] == "503").count(), found, "{zone}");
    }
}

/// The team began 301 and 302, a workflow began 303. Contacts answered 302 after 100 minutes and 303 after 5.
#[test]
fn outbound_conversations_begin_with_their_creation_when_asked_for() {
    let golden = Golden::new();
    let (since, until) = (at(0).to_string(), at(1).to_string());
    let first_minute = ["--since", since.as_str(), "--until", until.as_str()];
    let sla = |more: &[&str]| {
        let words = [&["conversations", "sla", "--group-by", "none"], &first_minute[..], more].concat();
        let found = golden.json(&words);
        (found["results"][0]["conversations"].clone(), found["meta"]["outbound"].clone())
    };
    assert_eq!(sla(&[]), (json!(24), json!("first_contact")));
    assert_eq!(sla(&["--outbound", "created"]), (json!(26), json!("created")));
    let volume = |more: &[&str]| {
        let words = [&["conversations", "volume"], &first_minute[..], more].concat();
        let meta = golden.json(&words)["meta"].take();
        (meta["conversations"].clone(), meta["outbound"].clone())
    };
    // Here 301 counts, which nobody ever answered.
    assert_eq!(volume(&[]), (json!(25), json!("first_contact")));
    assert_eq!(volume(&["--outbound", "created"]), (json!(27), json!("created")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_is_what_the_server_says() {
    let sandbox = Sandbox::start(Options { conversations: 1, ..Options::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.args(words).output().unwrap()
    };
    let found = document(&run(&["budget", "--json"]));
    let results = &found["results"];
    let (limit, remaining) = (results["limit"].as_i64().unwrap(), results["remaining"].as_i64().unwrap());
    assert!(remaining < limit && results["used"] == limit - remaining, "{results}");
    assert_eq!(sandbox.requests().len(), 1, "asking takes one");
    let silent = Server::always(200, r#"{"type":"admin","id":"1"}"#);
    let output = against(home.path(), &silent.url).args(["budget", "--json"]).output().unwrap();
    assert_eq!((&document(&output)["results"]["limit"], output.status.code()), (&Value::Null, Some(0)));
    assert!(stderr(&output).contains("no rate limit"));
    let wrong =
        Server::always(401, r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"x"}]}"#);
    let output = against(home.path(), &wrong.url).args(["budget"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
}
