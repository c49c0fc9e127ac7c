//! Generates `docs/mirror-schema.md` from the migrations.

use std::fmt::Write;

use intercom::mirror::Store;

use super::{assert_current, root};

const HEAD: &str = "\
# Tables of the mirror

This page is generated from the migrations in `src/mirror/store/schema/`. `intercom-pp-cli sql --schema` prints the same
for your file.

- Ids are text, as in the API. Flags are 0 and 1.
- Times in tables are epoch seconds (UTC); in views, those whose names do not end in `_at` are text in UTC.
- `raw` is the record's document as received: `raw ->> '$.source.type'` reads a field of it. Read the other columns where
  you can, because they are faster.
- `synced_at` is when the row was last written by `sync`.
- Tables whose names begin with `sync_` or end in `_state` belong to `sync`. Read them, but do not write to any table.

```sh
intercom-pp-cli sql \"SELECT id, state, team, waiting FROM inbox WHERE waiting IS NOT NULL ORDER BY waiting LIMIT 5\"
intercom-pp-cli sql \"SELECT name, count(*) AS contacts FROM contact_tags JOIN tags ON tags.id = tag_id GROUP BY name\"
intercom-pp-cli sql \"SELECT id, raw ->> '$.source.type' AS channel FROM conversations LIMIT 3\"
```
";

/// Column, and what it refers to.
fn references(store: &Store, table: &str) -> Vec<(String, String)> {
    let sql = "SELECT \"from\", \"table\" || '.' || coalesce(\"to\", 'id') FROM pragma_foreign_key_list(?1)";
    let mut statement = store.connection().prepare(sql).unwrap();
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn key_columns(store: &Store, table: &str) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let mut statement = store.connection().prepare(sql).unwrap();
    let rows = statement.query_map([table], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn page(store: &Store) -> String {
    let mut page = HEAD.to_owned();
    let relations = store.relations().unwrap();
    for (kind, heading) in [("view", "Views"), ("table", "Tables")] {
        let _ = write!(page, "\n## {heading}\n");
        for relation in relations.iter().filter(|relation| relation.kind == kind) {
            let _ = write!(page, "\n### {}\n\n{}.\n\n", relation.name, relation.about);
            let references = references(store, &relation.name);
            let keys = key_columns(store, &relation.name);
            let _ = writeln!(page, "| Column | Type | |\n|---|---|---|");
            for (column, of_type) in &relation.columns {
                let target = references.iter().find(|(from, _)| from == column);
                let mut remarks = Vec::new();
                if keys.contains(column) {
                    remarks.push("key".to_owned());
                }
                remarks.extend(target.map(|(_, to)| format!("refers to `{to}`")));
                let _ =
                    writeln!(page, "| `{column}` | {} | {} |", of_type.to_lowercase(), remarks.join(", "));
            }
        }
    }
    page
}

#[test]
fn the_tables_are_described_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("mirror.db")).unwrap();
    let page = page(&store);
    for table in ["inbox", "messages", "conversations", "contacts"] {
        assert!(page.contains(&format!("\n### {table}\n")), "{table}");
    }
    assert!(!page.contains("\n\n.\n"), "a table has no description: {page}");
    assert_current(&root().join("docs/mirror-schema.md"), &page);
}
