//! `export`: every record, in every format.

use super::*;

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
    let summary: Value = serde_json::from_str(&run(&["contacts", "--output", "contacts.ndjson"])).unwrap();
    assert_eq!(summary["results"]["rows"], count("contacts"));
    assert_eq!(std::fs::read_to_string(mirrored.path("contacts.ndjson")).unwrap(), contacts);
    let output = mirrored.run(&[
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
    assert_eq!(stderr(&output), "", "--select applies to the file");
    assert_eq!(document(&output)["results"]["rows"], count("contacts"));
    let ids = std::fs::read_to_string(mirrored.path("ids.csv")).unwrap();
    assert!(ids.starts_with("id\n") && ids.lines().count() == count("contacts") + 1);

    // The global format flags work as everywhere.
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
    assert_eq!(
        run(&["contacts", "--format", "csv", "--json"]),
        csv,
        "the command's own --format takes precedence"
    );
    let unknown = mirrored.run(&["export", "nothing", "--db", "mirror.db"]);
    assert_eq!(code(&unknown), 2);
}

#[cfg(feature = "parquet")]
#[tokio::test(flavor = "multi_thread")]
async fn parquet_files_are_complete_and_partitioned() {
    let mirrored = Mirrored::new().await;
    let run = |words: &[&str]| {
        let output = mirrored.run(&[&["export", "--format", "parquet", "--db", "mirror.db"], words].concat());
        (code(&output), stdout(&output))
    };
    let is_parquet = |path: PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    };
    let (code, summary) = run(&["conversations", "--output", "conversations.parquet"]);
    assert_eq!((code, summary.contains("\"rows\":80")), (0, true), "{summary}");
    is_parquet(mirrored.path("conversations.parquet"));
    let (code, summary) = run(&["conversation_parts", "--output", "parts", "--partition-by", "month"]);
    assert_eq!(code, 0, "{summary}");
    let folders: Vec<PathBuf> =
        std::fs::read_dir(mirrored.path("parts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!folders.is_empty());
    for folder in folders {
        assert!(folder.file_name().unwrap().to_str().unwrap().starts_with("created_month=20"), "{folder:?}");
        is_parquet(folder.join("conversation_parts.parquet"));
    }
    assert_eq!(run(&["conversations"]).0, 2, "Parquet cannot go to stdout");
    assert_eq!(
        run(&["tags", "--output", "tags", "--partition-by", "month"]).0,
        2,
        "tags have no time to partition by"
    );
}
