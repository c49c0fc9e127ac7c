//! Questions to the mirror, as a user asks them: search, SQL, export, counts, and generated commands
//! with `--data-source`; then following and importing, against the sandbox or a server that answers as
//! told.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

use intercom::mirror::Store;
use intercom::mirror::search::SearchOptions;
use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};
use support::{Server, against, binary, document, json as answer, stderr, stdout};

/// A sandbox that is mirrored already.
struct Mirrored {
    home: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Mirrored {
    async fn new() -> Self {
        let options =
            Options { contacts: 60, companies: 12, conversations: 80, tickets: 20, ..Options::default() };
        let it =
            Mirrored { home: tempfile::tempdir().unwrap(), sandbox: Sandbox::start(options).await.unwrap() };
        let synced = it.run(&["sync", "--db", "mirror.db"]);
        assert_eq!(code(&synced), 0, "{}", stderr(&synced));
        let synced = it.run(&["sync"]);
        assert_eq!(code(&synced), 0, "{}", stderr(&synced));
        it
    }

    fn run(&self, words: &[&str]) -> Output {
        self.at(&self.sandbox.base_url(), words)
    }

    fn at(&self, url: &str, words: &[&str]) -> Output {
        let mut command = binary(self.home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", url);
        command.args(words).output().unwrap()
    }

    /// The results of a command that must succeed.
    fn ask(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--db", "mirror.db", "--json"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        document(&output)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn store(&self) -> Store {
        Store::open(&self.path("mirror.db")).unwrap()
    }

    fn execute(&self, sql: &str) {
        self.store().connection().execute_batch(sql).unwrap();
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

/// A part of some conversation with this body, changed in the mirror by whoever.
fn say(mirrored: &Mirrored, body: &str) -> (String, String) {
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
async fn search_finds_what_people_see_and_follows_every_change() {
    let mirrored = Mirrored::new().await;
    let body = "<p>The <b>zeppelin</b>&nbsp;lost its grün&amp;gold <i class=\"hiddenword\">balloon</i></p>";
    let (part, conversation) = say(&mirrored, body);
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
    say(&mirrored, "<p>submarine</p>");
    assert_eq!(search("zeppelin"), json!([]));
    assert_eq!(ids(&search("submarine")), [conversation.as_str()]);
    mirrored.execute(&format!("DELETE FROM conversation_parts WHERE id = '{part}'"));
    assert_eq!(search("submarine"), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_is_a_safe_search() {
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
async fn search_by_type_since_and_limit() {
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
    assert_eq!(mirrored.ask(&["search", "the OR a OR i", "--since", "+1d"])["results"]["hits"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_searches_too() {
    let mirrored = Mirrored::new().await;
    let (_, conversation) = say(&mirrored, "kaleidoscope");
    let mut store = mirrored.store();
    assert_eq!(store.index().unwrap(), 1);
    assert_eq!(store.index().unwrap(), 0);
    let found = store.search("kaleidoscope", &SearchOptions::default()).unwrap();
    assert_eq!((found.hits.len(), found.more), (1, false));
    assert_eq!(found.hits[0].conversation_id.as_deref(), Some(conversation.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reads_and_nothing_else() {
    let mirrored = Mirrored::new().await;
    let before = std::fs::read(mirrored.path("mirror.db")).unwrap();
    let refused = [
        "ATTACH 'other.db' AS other",
        "/* c */ ATTACH 'other.db' AS other",
        "VACUUM INTO 'other.db'",
        "-- c\nVACUUM INTO 'other.db'",
        "VACUUM",
        "PRAGMA writable_schema = 1",
        "PRAGMA query_only = 0",
        "PRAGMA user_version",
        "SELECT * FROM pragma_table_info('contacts')",
        "DELETE FROM contacts",
        "WITH x AS (SELECT 1) DELETE FROM contacts",
        "UPDATE contacts SET name = 'x'",
        "INSERT INTO tags VALUES ('1', 'x', 1, '{}')",
        "REPLACE INTO tags VALUES ('1', 'x', 1, '{}')",
        "INSERT INTO texts_index (texts_index) VALUES ('rebuild')",
        "DELETE FROM contacts RETURNING id",
        "CREATE TABLE x (a)",
        "CREATE TEMP TABLE x (a)",
        "CREATE VIRTUAL TABLE x USING fts5 (a)",
        "DROP TABLE contacts",
        "ALTER TABLE contacts ADD COLUMN x",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "SAVEPOINT x",
        "SELECT load_extension('x')",
        "SELECT LOAD_EXTENSION('x')",
        "SELECT 1; DELETE FROM contacts",
        "SELECT 1; SELECT 2",
        "SELECT ?1",
        "SELECT nothing FROM contacts",
        "SELEC 1",
        "",
        "-- nothing",
    ];
    for sql in refused {
        let output = mirrored.run(&["sql", "--db", "mirror.db", "--json", "--", sql]);
        assert_eq!(code(&output), 2, "{sql}: {} {}", stdout(&output), stderr(&output));
        assert!(output.stdout.is_empty(), "{sql}");
    }
    assert!(!mirrored.path("other.db").exists());
    assert!(std::fs::read(mirrored.path("mirror.db")).unwrap() == before);
    for sql in [
        "SELECT 1 AS n",
        "/* c */ SELECT 1 AS n -- d",
        "SELECT 1 AS n;  -- d",
        "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
        "VALUES (1)",
    ] {
        let rows = mirrored.ask(&["sql", sql])["results"]["rows"].clone();
        assert_eq!(rows[0].as_object().unwrap().values().next(), Some(&json!(1)), "{sql}");
    }
    let found = mirrored.ask(&["sql", "SELECT count(*) AS n FROM texts_index WHERE texts_index MATCH 'the'"]);
    assert!(found["results"]["rows"][0]["n"].as_u64().unwrap() > 0);
}

/// Calls need a later version of the API than the mirror is made with.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_workspace_does_not_offer_is_no_reason_to_warn() {
    let mirrored = Mirrored::new().await;
    let output = mirrored.run(&["sql", "SELECT 1", "--json"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_says_when_it_was_cut() {
    let mirrored = Mirrored::new().await;
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    let output =
        mirrored.run(&["sql", &format!("{numbers} SELECT i FROM n"), "--limit", "3", "--db", "mirror.db"]);
    assert_eq!(code(&output), 0);
    assert!(stderr(&output).contains("cut after 3 rows"), "{}", stderr(&output));
    let told = document(&output);
    assert_eq!(told["results"]["rows"], json!([{"i": 1}, {"i": 2}, {"i": 3}]));
    assert_eq!(told["meta"]["complete"], false);
    let endless = format!("{numbers} SELECT count(*) FROM n");
    let output = mirrored.run(&["sql", &endless, "--max-time", "200ms", "--db", "mirror.db"]);
    assert_eq!(code(&output), 6, "{}", stderr(&output));
    assert_eq!(document(&output)["meta"]["complete"], false);
    let whole = mirrored.ask(&["sql", "SELECT id FROM contacts", "--limit", "60"]);
    assert_eq!(whole["meta"]["complete"], true, "exactly as many rows as allowed are all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_formats_views_and_schema() {
    let mirrored = Mirrored::new().await;
    let csv = stdout(&mirrored.run(&[
        "sql",
        "SELECT '=1+1' AS a, 2 AS a, NULL AS b",
        "--csv",
        "--db",
        "mirror.db",
    ]));
    assert_eq!(csv, "a,a_2,b\n'=1+1,2,\n");
    let none = stdout(&mirrored.run(&["sql", "SELECT 1 AS a WHERE 0", "--csv", "--db", "mirror.db"]));
    assert_eq!(none, "a\n");
    let table = mirrored.run(&[
        "sql",
        "SELECT state, count(*) AS amount FROM inbox GROUP BY 1",
        "--human-friendly",
        "--db",
        "mirror.db",
    ]);
    assert!(stdout(&table).contains("amount"), "{}", stdout(&table));
    let same = "SELECT (SELECT count(*) FROM inbox) - (SELECT count(*) FROM conversations) AS inbox,
                       (SELECT count(*) FROM messages) - (SELECT count(*) FROM conversation_parts) AS messages,
                       (SELECT count(*) FROM inbox i JOIN conversations c USING (id) JOIN teams t ON t.id = c.team_assignee_id
                         WHERE i.team IS NOT t.name) AS teams,
                       (SELECT count(*) FROM messages m JOIN conversation_parts p USING (id) JOIN admins a ON a.id = p.author_id
                         WHERE p.author_type = 'admin' AND m.author IS NOT a.name) AS authors,
                       (SELECT count(*) FROM messages WHERE text LIKE '%<p>%' OR text IS NULL AND part_type = 'comment') AS texts";
    let rows = mirrored.ask(&["sql", same])["results"]["rows"][0].clone();
    assert_eq!(rows, json!({"inbox": 0, "messages": 0, "teams": 0, "authors": 0, "texts": 0}));
    let schema = mirrored.ask(&["sql", "--schema"])["results"]["relations"].clone();
    for relation in schema.as_array().unwrap() {
        assert!(!relation["about"].as_str().unwrap().is_empty(), "{relation}");
        assert!(!relation["columns"].as_str().unwrap().is_empty(), "{relation}");
        let count = format!("SELECT count(*) AS n FROM {}", relation["name"].as_str().unwrap());
        mirrored.ask(&["sql", &count]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn export_writes_every_record() {
    let mirrored = Mirrored::new().await;
    let run = |words: &[&str]| {
        let output = mirrored.run(&[&["export"], words, &["--db", "mirror.db"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        stdout(&output)
    };
    let store = mirrored.store();
    let count = |table: &str| -> usize {
        let sql = format!("SELECT count(*) FROM {table}");
        store.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
    };
    let contacts = run(&["contacts"]);
    assert_eq!(contacts.lines().count(), count("contacts"));
    let (id, raw): (String, String) = store
        .connection()
        .query_row("SELECT id, raw FROM contacts", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(contacts.lines().any(|line| line == raw), "{id}");
    for line in run(&["conversation_parts"]).lines() {
        let part: Value = serde_json::from_str(line).unwrap();
        assert!(part["conversation_id"].is_string() && part["part_type"].is_string(), "{line}");
    }
    mirrored.execute("UPDATE contacts SET name = '=cmd()' WHERE rowid = 1");
    let csv = run(&["contacts", "--format", "csv"]);
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("id,external_id,role,email"), "{csv}");
    assert!(csv.contains(",'=cmd(),"), "{}", csv.lines().nth(1).unwrap());
    assert_eq!(
        run(&["contacts", "--format", "csv", "--select", "id,location.city"]).lines().count(),
        count("contacts") + 1
    );
    let told: Value = serde_json::from_str(&run(&["contacts", "--output", "contacts.ndjson"])).unwrap();
    assert_eq!(told["results"]["rows"], count("contacts"));
    assert_eq!(std::fs::read_to_string(mirrored.path("contacts.ndjson")).unwrap(), contacts);
    let told = mirrored.run(&[
        "export",
        "contacts",
        "--format",
        "csv",
        "--select",
        "id",
        "--output",
        "ids.csv",
        "--db",
        "mirror.db",
    ]);
    assert_eq!(stderr(&told), "", "the selection is the file's");
    assert_eq!(document(&told)["results"]["rows"], count("contacts"));
    let ids = std::fs::read_to_string(mirrored.path("ids.csv")).unwrap();
    assert!(ids.starts_with("id\n") && ids.lines().count() == count("contacts") + 1);

    // The flags for formats mean here what they mean everywhere.
    assert_eq!(run(&["contacts", "--csv"]), csv);
    assert_eq!(run(&["contacts", "--ndjson"]), run(&["contacts"]));
    let document: Value = serde_json::from_str(&run(&["contacts", "--json"])).unwrap();
    assert_eq!(document["results"]["contacts"].as_array().unwrap().len(), count("contacts"));
    assert_eq!(document["meta"]["source"], "local");
    assert_eq!(run(&["contacts", "--quiet"]).lines().count(), count("contacts"));
    assert!(run(&["contacts", "--plain"]).starts_with("id\texternal_id\t"));
    run(&["contacts", "--csv", "--output", "flag.csv"]);
    assert_eq!(std::fs::read_to_string(mirrored.path("flag.csv")).unwrap(), csv);
    run(&["contacts", "--json", "--output", "contacts.ndjson"]);
    assert!(std::fs::read_to_string(mirrored.path("contacts.ndjson")).unwrap().starts_with("{\"type\""));
    assert_eq!(run(&["contacts", "--format", "csv", "--json"]), csv, "its own flag goes first");
    let unknown = mirrored.run(&["export", "nothing", "--db", "mirror.db"]);
    assert_eq!(code(&unknown), 2);
}

#[cfg(feature = "parquet")]
#[tokio::test(flavor = "multi_thread")]
async fn parquet_files_are_whole_and_partitioned() {
    let mirrored = Mirrored::new().await;
    let run = |words: &[&str]| {
        let output = mirrored.run(&[&["export", "--format", "parquet", "--db", "mirror.db"], words].concat());
        (code(&output), stdout(&output))
    };
    let is_parquet = |path: PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    };
    let (code, told) = run(&["conversations", "--output", "conversations.parquet"]);
    assert_eq!((code, told.contains("\"rows\":80")), (0, true), "{told}");
    is_parquet(mirrored.path("conversations.parquet"));
    let (code, told) = run(&["conversation_parts", "--output", "parts", "--partition-by", "month"]);
    assert_eq!(code, 0, "{told}");
    let folders: Vec<PathBuf> =
        std::fs::read_dir(mirrored.path("parts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!folders.is_empty());
    for folder in folders {
        assert!(folder.file_name().unwrap().to_str().unwrap().starts_with("created_month=20"), "{folder:?}");
        is_parquet(folder.join("conversation_parts.parquet"));
    }
    assert_eq!(run(&["conversations"]).0, 2, "not to stdout");
    assert_eq!(run(&["tags", "--output", "tags", "--partition-by", "month"]).0, 2, "tags have no time");
}

#[tokio::test(flavor = "multi_thread")]
async fn analytics_counts_all_rows() {
    let mirrored = Mirrored::new().await;
    let groups =
        |by: &str| mirrored.ask(&["analytics", "conversations", "--by", by])["results"]["groups"].clone();
    let sum = |groups: &Value| {
        groups.as_array().unwrap().iter().map(|it| it["count"].as_u64().unwrap()).sum::<u64>()
    };
    for by in
        ["state", "source.author.type", "created_at:week", "state,open", "custom_attributes.nothing,state"]
    {
        if by.starts_with("custom") {
            let output = mirrored.run(&["analytics", "conversations", "--by", by, "--db", "mirror.db"]);
            assert_eq!(code(&output), 2, "{}", stdout(&output));
            assert!(stderr(&output).contains("custom_attributes.nothing"));
            continue;
        }
        assert_eq!(sum(&groups(by)), 80, "{by}");
    }
    let tagged = "SELECT count(*) AS n FROM conversation_tags";
    let untagged = "SELECT count(*) AS n FROM conversations WHERE id NOT IN (SELECT conversation_id FROM conversation_tags)";
    let number = |sql: &str| mirrored.ask(&["sql", sql])["results"]["rows"][0]["n"].as_u64().unwrap();
    assert_eq!(sum(&groups("tags.tags.id")), number(tagged) + number(untagged));
}

#[tokio::test(flavor = "multi_thread")]
async fn generated_commands_answer_from_the_mirror() {
    let mirrored = Mirrored::new().await;
    let both = |words: &[&str]| {
        let [live, local] = ["live", "local"].map(|source| {
            let output = mirrored.run(&[words, &["--json", "--data-source", source]].concat());
            assert_eq!(code(&output), 0, "{words:?} {source}: {}", stderr(&output));
            document(&output)
        });
        assert_eq!(local["meta"]["source"], "local");
        assert!(local["meta"]["synced_at"].is_i64(), "{local}");
        (live["results"].clone(), local["results"].clone())
    };
    let sorted = |list: &Value| {
        let mut records: Vec<String> = list.as_array().unwrap().iter().map(Value::to_string).collect();
        records.sort();
        records
    };
    for (words, key) in [
        (&["contacts", "list", "--all"][..], "data"),
        (&["tags", "list"], "data"),
        (&["teams", "list"], "teams"),
        (&["admins", "list"], "admins"),
        (&["articles", "list", "--all"], "data"),
    ] {
        let (live, local) = both(words);
        assert_eq!(sorted(&live[key]), sorted(&local[key]), "{words:?}");
    }
    let (live, _) = both(&["conversations", "list", "--limit", "5"]);
    for (group, query) in [
        ("contacts", r#"{"field":"role","operator":"=","value":"user"}"#),
        ("contacts", r#"{"field":"email","operator":"~","value":"PERSON1"}"#),
        ("contacts", r#"{"field":"created_at","operator":">","value":"1700000000"}"#),
        ("contacts", r#"{"field":"custom_attributes.plan","operator":"!=","value":"growth"}"#),
        ("conversations", r#"{"field":"state","operator":"IN","value":["open","snoozed"]}"#),
        ("conversations", r#"{"field":"team_assignee_id","operator":"!=","value":1}"#),
        ("tickets", r#"{"field":"team_assignee_id","operator":"=","value":"0"}"#),
        (
            "conversations",
            r#"{"operator":"OR","value":[{"field":"open","operator":"=","value":false},{"operator":"AND","value":[
                {"field":"source.author.email","operator":"$","value":".example"},
                {"field":"statistics.count_reopens","operator":">","value":0}]}]}"#,
        ),
        ("tickets", r#"{"field":"open","operator":"=","value":true}"#),
        ("tickets", r#"{"field":"category","operator":"!=","value":"Customer"}"#),
    ] {
        let key = if group == "contacts" { "data" } else { group };
        let (live, local) = both(&[group, "search", "--query", query, "--all"]);
        let found = |list: &Value| {
            let mut found: Vec<String> = ids(&list[key]).into_iter().map(str::to_owned).collect();
            found.sort();
            found
        };
        assert_eq!(found(&live), found(&local), "{group} {query}");
    }
    // Numbers of custom attributes may be written as texts.
    let (contacts, _) = both(&["contacts", "list", "--all"]);
    let seats = |it: &Value| it["custom_attributes"]["seats"].as_u64();
    let some = contacts["data"].as_array().unwrap().iter().find_map(seats).unwrap();
    for operator in ["=", "!=", ">", "<"] {
        let found = [some.to_string(), format!("{:?}", some.to_string())].map(|value| {
            let query =
                format!(r#"{{"field":"custom_attributes.seats","operator":"{operator}","value":{value}}}"#);
            let search =
                ["contacts", "search", "--query", &query, "--all", "--data-source", "local", "--json"];
            document(&mirrored.run(&search))["results"]["data"].clone()
        });
        assert!(found[0].as_array().is_some_and(|it| !it.is_empty()), "{operator} {some}");
        assert_eq!(found[0], found[1], "{operator} {some}");
    }
    for id in ids(&live["conversations"]) {
        let (live, local) = both(&["conversations", "retrieve", id]);
        assert_eq!(live, local, "{id}");
    }
    let (contacts, _) = both(&["contacts", "list", "--all"]);
    let with_notes = |it: &&Value| it["notes"]["total_count"].as_u64() > Some(1);
    let contact =
        contacts["data"].as_array().unwrap().iter().find(with_notes).unwrap()["id"].as_str().unwrap();
    for group in ["notes", "tags", "companies", "segments", "subscriptions"] {
        let (live, local) = both(&["contacts", group, "list", contact, "--all"]);
        let named = |list: &Value| ids(&list["data"]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(named(&live), named(&local), "{group}");
        let nobody = mirrored.run(&["contacts", group, "list", "nobody", "--data-source", "local"]);
        assert_eq!(code(&nobody), 3, "{group}: {}", stderr(&nobody));
    }
    let (_, notes) = both(&["contacts", "notes", "list", contact, "--all"]);
    let page =
        ["contacts", "notes", "list", contact, "--page", "2", "--per-page", "1", "--data-source", "local"];
    let second = document(&mirrored.run(&page))["results"]["data"].take();
    assert_eq!(second.as_array().unwrap()[..], notes["data"].as_array().unwrap()[1..2]);
    let company =
        both(&["contacts", "companies", "list", contact]).1["data"][0]["id"].as_str().unwrap().to_owned();
    let (live, local) = both(&["companies", "contacts", "list", &company, "--all"]);
    assert_eq!(sorted(&live["data"]), sorted(&local["data"]));
    let (_, page) = both(&["companies", "list-all", "--page", "2", "--per-page", "5"]);
    let (_, all) = both(&["companies", "list-all", "--all"]);
    assert_eq!(page["data"].as_array().unwrap()[..], all["data"].as_array().unwrap()[5..10]);
    let name = all["data"][0]["name"].as_str().unwrap();
    let local = mirrored.run(&["companies", "retrieve-company", "--name", name, "--data-source", "local"]);
    assert_eq!(document(&local)["results"], all["data"][0]);
    let (live, local) = both(&[
        "companies",
        "retrieve-company",
        "--company-id",
        all["data"][0]["company_id"].as_str().unwrap(),
    ]);
    assert_eq!(live, local);
    let nobody = ["companies", "retrieve-company", "--company-id", "nobody", "--data-source", "local"];
    assert_eq!(code(&mirrored.run(&nobody)), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mirror_cannot_do_is_refused_by_name() {
    let mirrored = Mirrored::new().await;
    let refused = |words: &[&str], name: &str| {
        let output = mirrored.run(&[words, &["--data-source", "local"]].concat());
        assert_eq!(code(&output), 2, "{words:?}: {}", stdout(&output));
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    };
    refused(&["contacts", "list", "--starting-after", "x"], "--starting-after");
    refused(&["conversations", "list", "--display-as", "plaintext"], "--display-as");
    refused(&["companies", "retrieve-company", "--tag-id", "7"], "--tag-id");
    let unknown = r#"{"field":"shoe_size","operator":"=","value":"42"}"#;
    refused(&["contacts", "search", "--query", unknown], "shoe_size");
    let words = r#"{"field":"source.body","operator":"=","value":"refund"}"#;
    refused(&["conversations", "search", "--query", words], "source.body");
    refused(&["contacts", "create", "--email", "x@example.com"], "live workspace only");
    refused(
        &["events", "list-data", "--type", "user", "--filter", r#"{"user_id":"1"}"#],
        "live workspace only",
    );
    let missing = mirrored.run(&["contacts", "show", "nobody", "--data-source", "local"]);
    assert_eq!(code(&missing), 3);
    let sent = mirrored.sandbox.requests().len();
    mirrored.run(&["contacts", "list", "--data-source", "local"]);
    assert_eq!(mirrored.sandbox.requests().len(), sent, "nothing goes over the wire");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_stands_in_when_offline() {
    let mirrored = Mirrored::new().await;
    let url = mirrored.sandbox.base_url();
    let expected = mirrored.run(&["contacts", "list", "--data-source", "local", "--json"]);
    mirrored.sandbox.stop().await;
    let command = |words: &[&str]| {
        let mut command = binary(mirrored.home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", &url);
        command.args(words).output().unwrap()
    };
    let output = command(&["contacts", "list", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), stdout(&expected));
    assert!(stderr(&output).contains("answering from the mirror"), "{}", stderr(&output));
    assert_eq!(code(&command(&["contacts", "list", "--all", "--data-source", "auto"])), 0);
    assert_eq!(code(&command(&["contacts", "list", "--data-source", "live"])), 5);
    let mut other = binary(mirrored.home.path());
    other.env("INTERCOM_ACCESS_TOKEN", "another").env("INTERCOM_BASE_URL", &url);
    let output = other.args(["contacts", "list"]).output().unwrap();
    assert_eq!(code(&output), 5, "a token that no mirror is known of gets none");
}

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
        assert_eq!(seen.len(), lines, "each once");
        let sql = format!("SELECT count(*) AS n FROM {resource}");
        assert_eq!(mirrored.ask(&["sql", &sql])["results"]["rows"][0]["n"], lines, "{resource}");
        assert!(mirrored.sandbox.requests().iter().any(|served| served.operation == Some(operation)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_has_columns_as_every_list() {
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
    let output = mirrored.run(&[
        "tail",
        "conversations",
        "--since",
        "2000-01-01",
        "--polls",
        "1",
        "--format",
        "table",
    ]);
    assert!(stdout(&output).contains("state"), "{}", stdout(&output));
}

#[test]
fn a_dry_tail_shows_its_question_and_asks_nothing() {
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
fn a_record_of_tomorrow_hides_nothing_that_changes_today() {
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
        all.retain(|it| it["updated_at"].as_i64().unwrap() > after);
        let body = json!({ "type": "conversation.list", "conversations": all, "pages": null }).to_string();
        let text = String::from_utf8(answer(200, &body)).unwrap();
        text.replacen("\r\n", &format!("\r\ndate: {date}\r\n"), 1).into_bytes()
    });
    let words = ["tail", "--since", "1759999000", "--polls", "3", "--interval", "1s", "--select", "id"];
    let output = against(home.path(), &server.url).args(words).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), "{\"id\":\"future\"}\n{\"id\":\"later\"}\n");
}

/// Runs `import contacts` against a server and returns code and results.
fn import(home: &std::path::Path, url: &str, more: &[&str]) -> (i32, Vec<Value>) {
    let words =
        [&["import", "contacts", "--input", "in.jsonl", "--ndjson", "--concurrency", "1"], more].concat();
    let output = against(home, url).args(words).output().unwrap();
    (code(&output), stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn statuses(results: &[Value]) -> Vec<String> {
    let mut lines: Vec<&Value> = results.iter().collect();
    lines.sort_by_key(|line| line["line"].as_u64());
    lines.iter().map(|line| line["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_import_creates_each_record_once() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match (request.path.as_str(), request.json()["email"].as_str()) {
        ("/me", _) => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        (_, Some("bad@x")) => {
            answer(422, r#"{"type":"error.list","errors":[{"code":"parameter_invalid","message":"no"}]}"#)
        }
        (_, Some("odd@x")) => answer(502, "{}"),
        _ => answer(200, r#"{"type":"contact","id":"c1"}"#),
    });
    let lines = ["a@x", "bad@x", "odd@x", "a@x"].map(|email| format!("{}\n", json!({ "email": email })));
    std::fs::write(home.path().join("in.jsonl"), format!("{}\n[1]\n", lines.concat())).unwrap();
    let sent = || server.take().iter().filter(|request| request.method == "POST").count();

    let (exit, preview) = import(home.path(), &server.url, &["--dry-run"]);
    assert_eq!((exit, sent()), (2, 0), "a line is no object");
    assert_eq!(preview[0]["body"]["email"], "a@x");
    assert!(!home.path().join("in.jsonl.journal").exists());

    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, sent()), (6, 4), "nothing is sent twice");
    assert_eq!(statuses(&results), ["created", "failed", "unknown", "created", "failed"]);
    assert!(results.iter().any(|result| result["line"] == 6 && result["status"] == "failed"));

    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, sent()), (6, 1), "only what certainly failed is sent again");
    assert_eq!(statuses(&results), ["skipped", "failed", "unknown", "skipped", "failed"]);
    assert_eq!(results.iter().find(|result| result["line"] == 1).unwrap()["id"], "c1");

    import(home.path(), &server.url, &["--retry-unknown"]);
    assert_eq!(sent(), 2);

    let numbers: Vec<&Value> = results.iter().map(|result| &result["line"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 6], "in the order of the input");

    std::fs::write(home.path().join("in.jsonl"), lines[1].as_str()).unwrap();
    assert_eq!(import(home.path(), &server.url, &["--journal", "other"]).0, 5, "nothing was created at all");
    let elsewhere = Server::always(200, r#"{"type":"admin","app":{"id_code":"w2"}}"#);
    assert_eq!(import(home.path(), &elsewhere.url, &[]).0, 2, "the journal is another workspace's");
}

#[test]
fn a_line_that_is_no_text_fails_alone() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        _ => answer(200, r#"{"type":"contact","id":"c1"}"#),
    });
    let input = b"\xEF\xBB\xBF{\"email\":\"a@x\"}\r\n{\"email\":\"\xff\"}\n\n{\"email\":\"b@x\"}";
    std::fs::write(home.path().join("in.jsonl"), input).unwrap();
    let (exit, results) = import(home.path(), &server.url, &[]);
    assert_eq!((exit, statuses(&results)), (6, ["created", "failed", "created"].map(str::to_owned).to_vec()));
    assert_eq!(results[1]["line"], 2);
    let sent: Vec<_> = server.take().iter().filter(|it| it.method == "POST").map(|it| it.json()).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.contains(&json!({"email": "a@x"})), "{sent:?}");
}

#[test]
fn an_import_from_stdin_needs_a_journal() {
    use std::io::Write;
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => answer(200, r#"{"type":"admin","app":{"id_code":"w1"}}"#),
        _ => {
            // The first line takes the longest.
            let first = request.json()["email"] == "0@x";
            std::thread::sleep(std::time::Duration::from_millis(if first { 300 } else { 0 }));
            answer(200, r#"{"type":"contact","id":"c1"}"#)
        }
    });
    let lines: String = (0..5).map(|at| format!("{{\"email\":\"{at}@x\"}}\n")).collect();
    let import = |more: &[&str]| {
        let mut child = against(home.path(), &server.url)
            .args([&["import", "contacts", "--input", "-", "--ndjson"], more].concat())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Without a journal nothing is read.
        let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
        child.wait_with_output().unwrap()
    };
    let refused = import(&[]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--journal"), "{}", stderr(&refused));
    for status in ["created", "skipped"] {
        let told = import(&["--journal", "people.journal"]);
        let results: Vec<Value> =
            stdout(&told).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(code(&told), 0, "{}", stderr(&told));
        let rows: Vec<_> = results.iter().map(|it| (it["line"].as_u64(), it["status"].as_str())).collect();
        assert_eq!(rows, (1..=5).map(|at| (Some(at), Some(status))).collect::<Vec<_>>());
    }
    assert_eq!(server.take().iter().filter(|request| request.method == "POST").count(), 5);
    assert_eq!(code(&import(&["--dry-run"])), 0);
}
