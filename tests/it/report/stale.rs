//! `conversations stale`.

use serde_json::json;

use super::{Golden, at, column};

#[test]
fn stale_conversations_are_those_without_a_recent_message() {
    let golden = Golden::new();
    // All activity was in May 2026 or before: 17 open ones and the outbound one, of which 105 is snoozed.
    let found = golden.json(&["conversations", "stale", "--idle", "7d"]);
    let rows = found["results"].as_array().unwrap();
    assert_eq!(rows.len(), 17);
    assert_eq!(rows[0]["id"], "408", "the longest idle first");
    let waiting = rows.iter().find(|row| row["id"] == "107").unwrap();
    assert_eq!(
        (&waiting["last_message_at"], &waiting["last_message_by"], &waiting["contact"]),
        (&json!(at(120)), &json!("contact"), &json!("Name of c1"))
    );
    // The note of minute 5 does not count as a message; the reply of minute 30 does.
    assert_eq!(rows.iter().find(|row| row["id"] == "101").unwrap()["last_message_by"], "teammate");
    let with = golden.json(&["conversations", "stale", "--snoozed"]);
    assert_eq!(with["results"].as_array().unwrap().len(), 18);
    let of = |who: &str| {
        let found = golden.json(&["conversations", "stale", "--assigned-to", who]);
        column(&found["results"], "id").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("<script>"), ["405"]);
    assert_eq!(of("bo"), ["405"]);
    assert_eq!(of("99"), ["401"], "a deleted teammate");
    assert_eq!(of("none"), ["404"]);
    let (code, message) = golden.fails(&["conversations", "stale", "--assigned-to", "Zoe"]);
    assert!(code == 2 && message.contains("Support"), "{message}");
    let none = golden.json(&["conversations", "stale", "--idle", "20000d"]);
    assert_eq!(none["results"], json!([]));
}
