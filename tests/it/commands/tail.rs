//! `tail`: new and changed records, each once.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn tail_shows_each_change_once() {
    let mirrored = Mirrored::new().await;
    for (resource, operation) in [
        ("conversations", "searchConversations"),
        ("contacts", "SearchContacts"),
        ("tickets", "searchTickets"),
    ] {
        let output =
            mirrored.run(&["tail", resource, "--since", "2000-01-01", "--polls", "2", "--interval", "1s"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let mut seen: Vec<String> = stdout(&output)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect();
        let lines = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), lines, "without duplicates");
        let sql = format!("SELECT count(*) AS n FROM {resource}");
        assert_eq!(mirrored.ask(&["sql", &sql])["results"]["rows"][0]["n"], lines, "{resource}");
        assert!(mirrored.sandbox.requests().iter().any(|served| served.operation == Some(operation)));
    }
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::always(200, "{}");
    let words = ["tail", "tickets", "--since", "1700000000", "--polls", "1", "--dry-run"];
    let output = against(home.path(), &server.url).args(words).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let shown = document(&output);
    assert_eq!((&shown["method"], &shown["dry_run"]), (&json!("POST"), &json!(true)));
    assert!(shown["url"].as_str().unwrap().ends_with("/tickets/search"), "{shown}");
    assert_eq!(shown["body"]["query"]["value"], 1_699_999_999);
    assert!(server.take().is_empty());
}

#[test]
fn a_record_with_a_future_timestamp_hides_no_later_change() {
    let home = tempfile::tempdir().unwrap();
    let now = 1_760_000_000_i64;
    let date =
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(now.unsigned_abs()));
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let polls = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut all = vec![json!({ "id": "future", "updated_at": now + 86_400 })];
        if polls > 0 {
            all.push(json!({ "id": "later", "updated_at": now + 1 }));
        }
        let after = request.json()["query"]["value"].as_i64().unwrap();
        all.retain(|record| record["updated_at"].as_i64().unwrap() > after);
        let body = json!({ "type": "conversation.list", "conversations": all, "pages": null }).to_string();
        let text = String::from_utf8(answer(200, &body)).unwrap();
        text.replacen("\r\n", &format!("\r\ndate: {date}\r\n"), 1).into_bytes()
    });
    let words = ["tail", "--since", "1759999000", "--polls", "3", "--interval", "1s", "--select", "id"];
    let output = against(home.path(), &server.url).args(words).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), "{\"id\":\"future\"}\n{\"id\":\"later\"}\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_has_columns_like_every_list() {
    let mirrored = Mirrored::new().await;
    for (format, separator) in [("--csv", ','), ("--plain", '\t')] {
        let output =
            mirrored.run(&["tail", "conversations", "--since", "2000-01-01", "--polls", "1", format]);
        let text = stdout(&output);
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(separator).collect();
        assert!(header.contains(&"id") && header.contains(&"state"), "{format}: {header:?}");
        assert!(lines.next().unwrap().split(separator).any(|cell| cell == "open" || cell == "closed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_one_line_of_text_per_record() {
    let mirrored = Mirrored::new().await;
    for (resource, kind) in
        [("conversations", "conversation"), ("contacts", "contact"), ("tickets", "ticket")]
    {
        let words = ["tail", resource, "--since", "2000-01-01", "--polls", "1", "--format", "table"];
        let output = mirrored.run(&words);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let sql = format!("SELECT id FROM {resource}");
        let found = mirrored.ask(&["sql", &sql]);
        let text = stdout(&output);
        assert_eq!(text.lines().count(), found["results"]["rows"].as_array().unwrap().len(), "{text}");
        for id in ids(&found["results"]["rows"]) {
            let line = text.lines().find(|line| line.contains(&format!("  {kind}  {id}  ")));
            assert!(line.is_some_and(|line| line.contains(" · ") && !line.contains('{')), "{id} in {text}");
        }
    }
    let none = mirrored.run(&["tail", "tickets", "--polls", "1", "--format", "table"]);
    assert_eq!((stdout(&none).as_str(), stderr(&none).as_str()), ("", "no tickets changed\n"));
}
