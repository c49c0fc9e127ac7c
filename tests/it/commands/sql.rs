//! `sql`: read-only queries.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn sql_only_reads() {
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

/// Calls need a later API version than the mirror uses.
#[tokio::test(flavor = "multi_thread")]
async fn an_unavailable_resource_is_not_warned_about() {
    let mirrored = Mirrored::new().await;
    let output = mirrored.run(&["sql", "SELECT 1", "--json"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reports_truncated_results() {
    let mirrored = Mirrored::new().await;
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    let output =
        mirrored.run(&["sql", &format!("{numbers} SELECT i FROM n"), "--limit", "3", "--db", "mirror.db"]);
    assert_eq!(code(&output), 6);
    assert!(stderr(&output).contains("stopped after 3 rows"), "{}", stderr(&output));
    let answer = document(&output);
    assert_eq!(answer["meta"]["has_more"], true);
    assert_eq!(answer["results"]["rows"], json!([{"i": 1}, {"i": 2}, {"i": 3}]));
    assert_eq!(answer["meta"]["complete"], false);
    let endless = format!("{numbers} SELECT count(*) FROM n");
    let output = mirrored.run(&["sql", &endless, "--max-time", "200ms", "--db", "mirror.db"]);
    assert_eq!(code(&output), 6, "{}", stderr(&output));
    assert_eq!(document(&output)["meta"]["complete"], false);
    // Truncation is reported in every format and delivery, and all lines are complete.
    let first_two = format!("{numbers} SELECT i AS id FROM n");
    for flags in [
        &["--csv"][..],
        &["--csv", "--deliver", "file:cut.csv"],
        &["--ndjson"],
        &["--plain"],
        &["--quiet"],
        &["--jq", ".results.rows[].id"],
    ] {
        let cut = mirrored
            .run(&[&["sql", first_two.as_str(), "--limit", "2", "--db", "mirror.db"], flags].concat());
        assert_eq!(code(&cut), 6, "{flags:?}: {}", stderr(&cut));
        assert!(stderr(&cut).contains("stopped after 2 rows"), "{flags:?}: {}", stderr(&cut));
        let text = if flags.contains(&"--deliver") {
            std::fs::read_to_string(mirrored.path("cut.csv")).unwrap()
        } else {
            stdout(&cut)
        };
        let records = text.lines().filter(|line| !line.ends_with("id")).count();
        assert_eq!(records, 2, "{flags:?}: {text}");
    }
    let whole = mirrored.ask(&["sql", "SELECT id FROM contacts", "--limit", "60"]);
    assert_eq!(whole["meta"]["complete"], true, "a result of exactly --limit rows is complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_has_formats_views_and_a_schema() {
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
    assert!(stdout(&table).contains("AMOUNT"), "{}", stdout(&table));
    let same = "SELECT (SELECT count(*) FROM inbox) - (SELECT count(*) FROM conversations) AS inbox,
                       (SELECT count(*) FROM messages) - (SELECT count(*) FROM conversation_parts)
                           - (SELECT count(*) FROM conversations) AS messages,
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
