//! `search`: any text, by type and time, always consistent with the records.

use super::*;

/// Sets the body of one part directly in the mirror. Returns its id and that of its conversation.
fn set_body(mirrored: &Mirrored, body: &str) -> (String, String) {
    let (part, conversation): (String, String) = mirrored
        .store()
        .connection()
        .query_row(
            "SELECT id, conversation_id FROM conversation_parts WHERE part_type = 'comment' ORDER BY id LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let raw = json!({ "id": part, "body": body }).to_string().replace('\'', "''");
    mirrored.execute(&format!("UPDATE conversation_parts SET raw = '{raw}' WHERE id = '{part}'"));
    (part, conversation)
}

#[tokio::test(flavor = "multi_thread")]
async fn search_covers_visible_text_and_every_change() {
    let mirrored = Mirrored::new().await;
    let body = "<p>The <b>zeppelin</b>&nbsp;lost its grün&amp;gold <i class=\"hiddenword\">balloon</i></p>";
    let (part, conversation) = set_body(&mirrored, body);
    let search = |text: &str| mirrored.ask(&["search", text])["results"]["hits"].clone();
    for text in [
        "zeppelin",
        "ZEPPELIN lost",
        "\"zeppelin lost\"",
        "zeppel*",
        "grun",
        "zeppelin AND balloon",
        "xylophone OR zeppelin",
        "zeppelin NOT submarine",
        "(submarine OR zeppelin) balloon",
    ] {
        let hits = search(text);
        assert_eq!(hits.as_array().unwrap().len(), 1, "{text}: {hits}");
        assert_eq!(hits[0]["conversation_id"], conversation.as_str());
        assert_eq!(hits[0]["part_id"], part.as_str());
    }
    assert!(search("zeppelin")[0]["snippet"].as_str().unwrap().contains("**zeppelin** lost"));
    for text in ["hiddenword", "\"lost zeppelin\"", "zeppelin NOT balloon", "zeppelin submarine"] {
        assert_eq!(search(text), json!([]), "{text}");
    }
    set_body(&mirrored, "<p>submarine</p>");
    assert_eq!(search("zeppelin"), json!([]));
    assert_eq!(ids(&search("submarine")), [conversation.as_str()]);
    mirrored.execute(&format!("DELETE FROM conversation_parts WHERE id = '{part}'"));
    assert_eq!(search("submarine"), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_is_a_valid_query() {
    let mirrored = Mirrored::new().await;
    let texts = [
        "user3@example.com",
        "-refund",
        "\"",
        "'",
        "a\"b",
        "AND",
        "OR OR",
        "NOT x",
        "x NOT",
        "((",
        "a) b",
        "title:x",
        "^a",
        "a^2",
        "*",
        "a* b*",
        "NEAR(a, 2)",
        "{a b}",
        "a + b",
        "\\",
        "%",
        ";DROP TABLE texts",
        "--help me",
        "ü",
        "日本",
    ];
    for text in texts {
        let output = mirrored.run(&["search", "--db", "mirror.db", "--json", "--", text]);
        let searched = text.contains(char::is_alphanumeric);
        assert_eq!(code(&output), if searched { 0 } else { 2 }, "{text:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_filters_by_type_time_and_limit() {
    let mirrored = Mirrored::new().await;
    let row = |sql: &str| -> (String, String) {
        mirrored.store().connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (id, email) = row("SELECT id, email FROM contacts WHERE email IS NOT NULL LIMIT 1");
    assert_eq!(
        ids(&mirrored.ask(&["search", &email, "--type", "contacts"])["results"]["hits"]),
        [id.as_str()]
    );
    assert_eq!(mirrored.ask(&["search", &email, "--type", "companies"])["results"]["hits"], json!([]));
    for (kind, table) in [("companies", "companies"), ("articles", "articles"), ("tickets", "tickets")] {
        let title = if table == "companies" { "name" } else { "title" };
        let (id, title) = row(&format!("SELECT id, {title} FROM {table} LIMIT 1"));
        let found = mirrored.ask(&["search", &format!("\"{title}\""), "--type", kind, "--limit", "500"]);
        assert!(ids(&found["results"]["hits"]).contains(&id.as_str()), "{kind} {title}: {found}");
        assert!(found["results"]["hits"].as_array().unwrap().iter().all(|hit| hit["type"] == kind));
    }
    let csv = mirrored.run(&["search", "the OR a OR i", "--limit", "3", "--csv", "--db", "mirror.db"]);
    assert!(stdout(&csv).lines().next().unwrap().contains("conversation_id"), "{}", stdout(&csv));
    assert!(!stderr(&csv).contains("without a column"), "{}", stderr(&csv));
    assert_eq!(stderr(&csv), "showing the first 3 hits; --limit N for more\n");
    let none = mirrored.run(&["search", "kaleidoscopic", "--human-friendly", "--db", "mirror.db"]);
    assert_eq!(
        (stdout(&none).as_str(), stderr(&none).as_str()),
        ("", "nothing in the mirror matches \"kaleidoscopic\"\n")
    );
    let found = mirrored.ask(&["search", "the OR a OR i", "--limit", "3", "--type", "conversations"]);
    assert_eq!(found["results"]["hits"].as_array().unwrap().len(), 3);
    assert_eq!(found["meta"]["has_more"], true);
    let scores: Vec<f64> = found["results"]["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    assert_eq!(mirrored.ask(&["search", "the OR a OR i", "--since", "1h"])["results"]["hits"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_can_search() {
    let mirrored = Mirrored::new().await;
    let (_, conversation) = set_body(&mirrored, "kaleidoscope");
    let mut store = mirrored.store();
    assert_eq!(store.index().unwrap(), 1);
    assert_eq!(store.index().unwrap(), 0);
    let found = store.search("kaleidoscope", &SearchOptions::default()).unwrap();
    assert_eq!((found.hits.len(), found.more), (1, false));
    assert_eq!(found.hits[0].conversation_id.as_deref(), Some(conversation.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_every_script_are_found() {
    let mirrored = Mirrored::new().await;
    let search = |text: &str| mirrored.ask(&["search", text])["results"]["hits"].clone();
    for (body, wanted, unwanted) in [
        (
            "パスワードをリセットする方法を教えてください。",
            &["リセット", "パスワード", "方法", "ﾘｾｯﾄ"][..],
            &["セリット", "暗証"][..],
        ),
        (
            "请问我的退款什么时候到账？订单ABC123号",
            &["退款", "退", "到账", "ABC123", "订单ABC123", "\"退款什么\""],
            &["款退", "退货"],
        ),
        ("ฉันลืมรหัสผ่านของฉันและเข้าระบบไม่ได้", &["รหัสผ่าน", "ระบบ"], &["ชำระเงิน"]),
        ("제 비밀번호를 잊어버렸어요", &["비밀번호", "비밀"], &["번비"]),
        (
            "Die Straßenbahnhaltestelle ist zu, Fußgänger warten",
            &["straßenbahn", "Strassenbahn", "haltestelle", "strassenbahnhaltestelle", "fussganger"],
            &["zeppelinbahn"],
        ),
        ("Wilhelm fährt Straßenbahn", &["strassenbahn", "STRASSENBAHN", "straßenbahn"], &[]),
        ("Smørrebrød i København", &["smorrebrød", "kobenhavn"], &[]),
    ] {
        let (part, _) = set_body(&mirrored, &format!("<p>{body}</p>"));
        for text in wanted {
            let hits = search(text);
            let snippet = hits[0]["snippet"].as_str().unwrap_or_default().to_owned();
            assert_eq!(hits[0]["part_id"], part.as_str(), "{text} in {body}: {hits}");
            assert!(!snippet.is_empty() && !snippet.contains("リセ セッ"), "{snippet}");
        }
        for text in unwanted {
            assert_eq!(search(text), json!([]), "{text} in {body}");
        }
    }
    set_body(&mirrored, "<p>パスワードをリセットする方法</p>");
    assert_eq!(search("リセット")[0]["snippet"], "パスワードを**リセット**する方法");
    assert_eq!(search("リセット NOT 方法"), json!([]));
    assert_eq!(search("リセット OR zeppelin").as_array().unwrap().len(), 1);
    let widened = |text: &str| mirrored.ask(&["search", text])["meta"]["widened"].clone();
    set_body(&mirrored, "<p>submarinecaptain</p>");
    assert_eq!((widened("marineca"), widened("submarinecaptain")), (json!(true), json!(false)));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn words_that_match_are_bold_on_a_terminal() {
    let mirrored = Mirrored::new().await;
    set_body(&mirrored, "<p>The zeppelin lost its balloon</p>");
    let mut command = binary(mirrored.home.path());
    command.args(["search", "zeppelin", "--db", "mirror.db"]);
    let shown =
        |command: &std::process::Command| crate::support::terminal::on_terminal(command, 100, 24, "").text;
    let text = shown(&command);
    assert!(text.contains("The \u{1b}[1mzeppelin\u{1b}[0m lost its balloon"), "{text}");
    let text = shown(command.env("NO_COLOR", "1"));
    assert!(text.contains("The **zeppelin** lost its balloon"), "{text}");
}
