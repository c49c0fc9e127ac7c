//! `conversations volume`.

use serde_json::json;

use super::{Golden, HOUR, at, cases, column, keep};
use crate::support::stdout;

#[test]
fn volume_counts_by_day_hour_and_channel() {
    let golden = Golden::new();
    let week = ["--since", "2026-05-11", "--until", "2026-05-18"];
    let ask = |by: &str, zone: &str| {
        golden.json(&[&["conversations", "volume", "--by", by, "--timezone", zone], &week[..]].concat())
    };
    let (code, message) =
        golden.fails(&["conversations", "volume", "--since", "2026-05-18", "--until", "2026-05-11"]);
    assert!(code == 2 && message.contains("--until must be later than --since"), "{message}");
    let days = ask("day", "UTC");
    // 27 in the first minute, and one on Friday; the days in between are listed with zero.
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
        "the customer replied an hour later to one that the team started"
    );
    assert_eq!(ask("channel", "UTC")["results"][0]["channel"], "email");
    let chart = stdout(&golden.ask(&["conversations", "volume", "--by", "hour", "--human-friendly"]));
    assert!(chart.starts_with("New conversations by hour of the day (UTC)\n\n00 "), "{chart}");
    assert!(chart.lines().count() == 26 && chart.contains('█'), "{chart}");
    assert_eq!(golden.fails(&["conversations", "volume", "--timezone", "Nowhere/At_all"]).0, 2);
}

/// The message was written at 00:30 on 2026-05-12 in Berlin, which is 22:30 on the day before in UTC.
#[test]
fn dates_are_days_in_the_zone_of_the_office_hours() {
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
        assert_eq!(
            exported.iter().filter(|conversation| conversation["id"] == "503").count(),
            found,
            "{zone}"
        );
    }
}

/// The team started 301 and 302, a workflow started 303. Contacts replied to 302 after 100 minutes and to 303 after 5.
#[test]
fn outbound_created_counts_conversations_from_their_creation() {
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
    // 301, which was never answered, counts here.
    assert_eq!(volume(&[]), (json!(25), json!("first_contact")));
    assert_eq!(volume(&["--outbound", "created"]), (json!(27), json!("created")));
}
