//! Output for a terminal: tables that use its width, and single records with their content.

use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{against, document, json as answer, stderr, stdout};

impl Setting {
    /// Stdout and stderr, interleaved as on a terminal.
    fn on_terminal(&self, columns: &str, words: &[&str]) -> String {
        let program = env!("CARGO_BIN_EXE_intercom-pp-cli");
        let mut shell = against(self.home.path(), &self.server.url);
        let path = shell.get_program().to_owned();
        assert_eq!(path, program);
        let mut command = std::process::Command::new("sh");
        command
            .env_clear()
            .envs(shell.env("COLUMNS", columns).get_envs().filter_map(|(name, value)| Some((name, value?))));
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        command.args(["-c", &format!("'{program}' {} --human-friendly 2>&1", quoted.join(" "))]);
        stdout(&command.current_dir(self.home.path()).output().unwrap())
    }
}

const CONVERSATIONS: &str = r#"{"type":"conversation.list","total_count":900,"pages":{"next":{"starting_after":"x"}},"conversations":[
    {"type":"conversation","id":"215470000000292","title":"Love the new dashboard","state":"closed","created_at":1795823404,"updated_at":1795895214,
     "admin_assignee_id":991267001,"source":{"type":"email","author":{"type":"user","id":"u","name":"Dmitri Novak","email":"person117@company6.example"}}},
    {"type":"conversation","id":"215470000000300","title":null,"state":"open","created_at":1795823404,"updated_at":1795895214,
     "admin_assignee_id":5,"source":{"type":"email","author":{"type":"user","id":"v","name":"Grace Hoffmann","email":"person40@company3.example"}}}]}"#;

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn selected_columns_fit_the_terminal() {
    let setting = Setting::new(|_| answer(200, CONVERSATIONS));
    let fields = "id,title,state,source.author.name,source.author.email,updated_at,created_at";
    let shown = setting.on_terminal("80", &["conversations", "list", "--select", fields]);
    let table = shown.split("showing").next().unwrap();
    assert!(widest(table) <= 80, "{shown}");
    assert!(
        !shown.contains("hidden") && shown.contains("215470000000292") && shown.contains("closed"),
        "{shown}"
    );
    let letters: String = table.chars().filter(|letter| !letter.is_whitespace()).collect();
    assert!(letters.contains("person40") && letters.contains("CREATED"), "{shown}");
    let many = "id,title,state,open,read,priority,created_at,updated_at,admin_assignee_id,team_assignee_id,source.type,source.author.type,source.author.id,source.author.name,source.author.email";
    let shown = setting.on_terminal("80", &["conversations", "list", "--select", many]);
    for name in many.split(',') {
        assert!(shown.contains(&name.to_uppercase()), "{name} in {shown}");
    }
}

#[test]
fn notes_follow_the_table_and_rows_have_no_lines() {
    let setting = Setting::new(|_| answer(200, CONVERSATIONS));
    let shown = setting.on_terminal("80", &["conversations", "list"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "head, two rows, two notes: {shown}");
    assert!(lines[3].contains("columns hidden; --wide shows all"), "{shown}");
    assert_eq!(lines[4], "showing 2 of 900; --all or --limit N for more");
    assert!(widest(&shown) <= 80, "{shown}");
    assert!(lines[0].contains("FROM") && lines[0].contains("TITLE"), "{shown}");
}

#[test]
fn cells_use_the_available_width() {
    let text = "word ".repeat(24);
    let body = json!({"type": "list", "data": [{"type": "tag", "id": "1", "name": text.trim()}]}).to_string();
    let setting = Setting::new(move |_| answer(200, &body));
    assert!(setting.on_terminal("160", &["tags", "list"]).contains(text.trim()));
    let narrow = setting.on_terminal("60", &["tags", "list"]);
    assert!(narrow.contains('…') && widest(&narrow) <= 60 && widest(&narrow) > 55, "{narrow}");
}

#[test]
fn the_email_address_is_preferred_over_the_external_id() {
    let body = r#"{"type":"list","data":[{"type":"contact","id":"6b0af8627dada617d78b45a7","external_id":"user-60","role":"user",
        "name":"Viktor Vega","email":"person60@company23.example","phone":"+15550345824","owner_id":5,"created_at":1795823404}]}"#;
    let setting = Setting::new(move |_| answer(200, body));
    let shown = setting.on_terminal("80", &["contacts", "list"]);
    assert!(
        shown.lines().next().unwrap().contains("EMAIL") && shown.contains("person60@company23.example"),
        "{shown}"
    );
}

const CONVERSATION: &str = r#"{"type":"conversation","id":"7","title":"Refund","state":"open","created_at":1760000000,"statistics":{"count_reopens":1},
    "source":{"type":"email","subject":"Refund","body":"<p>Where is my <b>money</b>?</p>","author":{"type":"user","id":"u","name":"Ann","email":"ann@example.com"}},
    "tags":{"type":"tag.list","tags":[{"type":"tag","id":"1","name":"vip"},{"type":"tag","id":"2","name":"refund"}]},
    "conversation_parts":{"type":"conversation_part.list","total_count":3,"conversation_parts":[
      {"type":"conversation_part","id":"p1","part_type":"note","body":"<p>Paid twice</p>","author":{"type":"admin","id":"9","name":"Mara"},"created_at":1760000060},
      {"type":"conversation_part","id":"p2","part_type":"comment","body":"<p>It is<br>on its way</p>","author":{"type":"admin","id":"9","name":"Mara"},"created_at":1760000120},
      {"type":"conversation_part","id":"p3","part_type":"close","body":null,"author":{"type":"admin","id":"9","name":"Mara"},"created_at":1760000180}]}}"#;

#[test]
fn a_conversation_shows_its_thread() {
    let setting = Setting::new(|_| answer(200, CONVERSATION));
    let shown = setting.on_terminal("100", &["conversations", "get", "7", "--utc"]);
    for expected in [
        "tags       vip, refund\n",
        "Ann (user) · 2025-10-09 08:53\n  Where is my money?\n",
        "┃ Mara (note) · 2025-10-09 08:54\n┃ Paid twice\n",
        "Mara (teammate) · 2025-10-09 08:55\n  It is\n  on its way\n",
        "· Mara closed this · 2025-10-09 08:56\n+ 1 more field: --json\n",
    ] {
        assert!(shown.contains(expected), "{expected:?} in {shown}");
    }
    let output = setting.run(&["conversations", "get", "7", "--agent"]);
    let found = document(&output);
    assert_eq!(found["results"]["source"]["body"], "Where is my money?");
    let parts = &found["results"]["conversation_parts"]["conversation_parts"];
    assert_eq!((&parts[0]["body"], &parts[0]["part_type"]), (&json!("Paid twice"), &json!("note")));
    assert_eq!(
        (&parts[1]["body"], &parts[1]["author"]["name"]),
        (&json!("It is\non its way"), &json!("Mara"))
    );
    assert_eq!(found["meta"]["omitted"], json!(["statistics"]));
}

#[test]
fn a_single_record_keeps_its_content() {
    for (words, body, content) in [
        (
            &["articles", "get", "1"][..],
            r#"{"type":"article","id":"1","title":"A","body":"<p>Press <b>start</b></p>"}"#,
            "Press start",
        ),
        (
            &["notes", "1"],
            r#"{"type":"note","id":"1","body":"<p>Call back</p>","author":{"type":"admin","id":"9","name":"Mara"}}"#,
            "Call back",
        ),
        (
            &["tickets", "get", "1"],
            r#"{"type":"ticket","id":"1","ticket_attributes":{"_default_title_":"T","_default_description_":"It broke"},"ticket_parts":{"ticket_parts":[]}}"#,
            "It broke",
        ),
        (
            &["tickets", "get", "1"],
            r#"{"type":"ticket","id":"1","ticket_parts":{"ticket_parts":[{"type":"ticket_part","id":"2","part_type":"comment","body":"<p>On it</p>","author":{"type":"admin","name":"Mara"}}]}}"#,
            "On it",
        ),
        (
            &["contacts", "get", "1"],
            r#"{"type":"contact","id":"1","custom_attributes":{"plan":"enterprise"}}"#,
            "enterprise",
        ),
        (
            &["contacts", "get", "1"],
            r#"{"type":"contact","id":"1","companies":{"type":"list","data":[{"type":"company","id":"co77","url":"/companies/co77"}],"total_count":1,"has_more":false}}"#,
            "co77",
        ),
        (
            &["contacts", "get", "1"],
            r#"{"type":"contact","id":"1","tags":{"type":"list","data":[{"type":"tag","id":"t77"}]}}"#,
            "t77",
        ),
    ] {
        let setting = Setting::new(move |_| answer(200, body));
        let shown = setting.on_terminal("100", words);
        assert!(shown.contains(content), "{words:?}: {shown}");
        let output = setting.run(&[words, &["--agent"]].concat());
        assert!(stdout(&output).contains(content), "{words:?}: {}", stdout(&output));
    }
    let setting =
        Setting::new(|_| answer(200, r#"{"type":"contact","id":"1","external_id":null,"deleted":true}"#));
    let output = setting.run(&["contacts", "delete", "1", "--agent", "--yes"]);
    assert_eq!((code(&output), &document(&output)["results"]["deleted"]), (0, &Value::Bool(true)));
}

#[test]
fn a_compact_list_keeps_key_fields_and_names_omitted_ones() {
    let long = "x".repeat(600);
    let notes = json!({"type": "list", "data": [
        {"type": "note", "id": "1", "body": format!("<p>Call <b>back</b></p><p>{long}</p>"), "author": {"type": "admin", "id": "9", "avatar": {"a": 1}}}]})
    .to_string();
    let setting = Setting::new(move |_| answer(200, &notes));
    let found = document(&setting.run(&["contacts", "notes", "list", "1", "--agent"]));
    let body = found["results"]["data"][0]["body"].as_str().unwrap();
    assert!(
        body.starts_with("Call back\nxxx") && body.ends_with('…') && body.chars().count() < 300,
        "{body}"
    );
    assert_eq!(found["meta"]["omitted"], json!(["author.avatar"]));
    let shown = setting.on_terminal("100", &["contacts", "notes", "list", "1"]);
    assert!(shown.contains("Call back"), "{shown}");

    let attributes = r#"{"type":"list","data":[{"type":"data_attribute","name":"plan","options":[{"value":"pro"}],"description":"Plan"}]}"#;
    let setting = Setting::new(move |_| answer(200, attributes));
    let found = document(&setting.run(&["data-attributes", "list", "--agent"]));
    assert_eq!(found["results"]["data"][0]["options"], json!([{"value": "pro"}]));
    assert_eq!(found["meta"]["omitted"], json!(["description"]));

    let events = r#"{"type":"event.list","events":[{"type":"event","id":"e","event_name":"bought","metadata":{"price":5}}],"pages":{"next":null}}"#;
    let setting = Setting::new(move |_| answer(200, events));
    let words = ["events", "list", "--filter", r#"{"email":"a@example.com"}"#, "--type", "user", "--agent"];
    let output = setting.run(&words);
    assert_eq!(
        document(&output)["results"]["events"][0]["metadata"],
        json!({"price": 5}),
        "{}",
        stderr(&output)
    );

    let found = r#"{"type":"list","data":{"articles":[{"type":"article","id":"1"}],"highlights":[{"article_id":"1","highlighted_title":[]}]}}"#;
    let setting = Setting::new(move |_| answer(200, found));
    let found = document(&setting.run(&["articles", "search", "--phrase", "x", "--highlight", "--agent"]));
    assert_eq!(found["results"]["data"]["highlights"][0]["article_id"], "1");
}
