//! Names in place of ids, only in tables.

use serde_json::json;

use crate::commands::{Mirrored, code};
use crate::support::{document, stderr, stdout};

/// A conversation with a teammate and a team: its id, and the ids and names of both.
async fn assigned() -> (Mirrored, serde_json::Value) {
    let mirrored = Mirrored::new().await;
    let sql = "SELECT c.id, a.id AS admin_id, a.name AS admin, t.id AS team_id, t.name AS team, l.contact_id
                 FROM conversations c JOIN admins a ON a.id = c.admin_assignee_id JOIN teams t ON t.id = c.team_assignee_id
                 JOIN conversation_contacts l ON l.conversation_id = c.id ORDER BY c.updated_at DESC LIMIT 1";
    let row = mirrored.ask(&["sql", sql])["results"]["rows"][0].take();
    assert!(row.is_object(), "the sandbox has assigned conversations");
    (mirrored, row)
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_show_names_where_the_mirror_knows_them() {
    let (mirrored, row) = assigned().await;
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let search = ["conversations", "search", "--where", &format!("id = {}", text("id"))];
    let run = |more: &[&str]| {
        let output = mirrored.run(&[&search[..], more].concat());
        assert_eq!(code(&output), 0, "{more:?}: {}", stderr(&output));
        stdout(&output)
    };
    for source in ["--data-source=live", "--data-source=local"] {
        let table = run(&["--human-friendly", source]);
        for (name, id) in [("admin", "admin_id"), ("team", "team_id")] {
            assert!(table.contains(&text(name)) && !table.contains(&text(id)), "{source}: {table}");
        }
        let head = table.lines().next().unwrap();
        assert!(head.contains("ASSIGNEE") && head.contains("TEAM"), "{head}");
    }
    // A selected column, and every other format, keeps ids.
    for more in [
        &["--human-friendly", "--select", "id,admin_assignee_id,team_assignee_id"][..],
        &["--csv"],
        &["--plain"],
        &["--json"],
        &["--ndjson", "--compact"],
    ] {
        let shown = run(more);
        assert!(shown.contains(&text("admin_id")) && shown.contains(&text("team_id")), "{more:?}: {shown}");
        assert!(more.contains(&"--json") || !shown.contains("Support"), "{more:?}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_shows_names_for_its_ids() {
    let (mirrored, row) = assigned().await;
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let output = mirrored.run(&["conversations", "get", &text("id"), "--human-friendly"]);
    let shown = stdout(&output);
    let line = format!("assigned   {} · team {}\n", text("admin"), text("team"));
    assert!(shown.contains(&line), "{line:?} in {shown}");
    let output = mirrored.run(&["conversations", "get", &text("id"), "--json"]);
    assert_eq!(document(&output)["results"]["admin_assignee_id"].to_string(), text("admin_id"));
    // A contact refers to its companies and tags by id.
    let sql = "SELECT l.contact_id AS id, c.name FROM contact_companies l JOIN companies c ON c.id = l.company_id LIMIT 1";
    let member = mirrored.ask(&["sql", sql])["results"]["rows"][0].take();
    let output = mirrored.run(&["contacts", "get", member["id"].as_str().unwrap(), "--human-friendly"]);
    assert!(stdout(&output).contains(member["name"].as_str().unwrap()), "{}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mirror_tables_show_ids() {
    let (mirrored, row) = assigned().await;
    let other = tempfile::tempdir().unwrap();
    let mut command = crate::support::against(other.path(), &mirrored.sandbox.base_url());
    command.env("INTERCOM_ACCESS_TOKEN", intercom::sandbox::TOKEN);
    let filter = format!("id = {}", row["id"].as_str().unwrap());
    let output =
        command.args(["conversations", "search", "--where", &filter, "--human-friendly"]).output().unwrap();
    assert_eq!((code(&output), stderr(&output).contains("error")), (0, false), "{}", stderr(&output));
    assert!(stdout(&output).contains(row["admin_id"].as_str().unwrap()), "{}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_have_names_in_tables_and_ids_elsewhere() {
    let (mirrored, row) = assigned().await;
    let (id, name) = (row["team_id"].as_str().unwrap(), row["team"].as_str().unwrap());
    let run = |format: &str| {
        let output = mirrored.run(&["analytics", "conversations", "--by", "team_assignee_id", format]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    let table = run("--human-friendly");
    assert!(table.contains(name) && !table.contains(id) && table.starts_with("TEAM_ASSIGNEE "), "{table}");
    assert!(run("--csv").contains(id) && run("--json").contains(id));
}

/// An assignee missing from the mirror must not appear as unassigned.
#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_shows_unknown_assignees_by_id() {
    let (mirrored, row) = assigned().await;
    let counted = "SELECT count(*) AS all_, count(team) AS teams, count(assignee) AS assignees,
                          sum(team = team_assignee_id) AS bare_teams, sum(assignee = admin_assignee_id) AS bare_assignees,
                          count(team_assignee_id) AS with_team, count(admin_assignee_id) AS with_assignee FROM inbox";
    let count = || mirrored.ask(&["sql", counted])["results"]["rows"][0].take();
    let before = count();
    assert_eq!((&before["bare_teams"], &before["bare_assignees"]), (&json!(0), &json!(0)), "{before}");
    assert!(before["all_"].as_i64() > before["with_team"].as_i64(), "some are unassigned: {before}");
    let (team, admin) = (row["team_id"].as_str().unwrap(), row["admin_id"].as_str().unwrap());
    mirrored
        .execute(&format!("DELETE FROM teams WHERE id = '{team}'; DELETE FROM admins WHERE id = '{admin}'"));
    let one = format!("SELECT team, assignee FROM inbox WHERE id = '{}'", row["id"].as_str().unwrap());
    assert_eq!(mirrored.ask(&["sql", &one])["results"]["rows"][0], json!({"team": team, "assignee": admin}));
    mirrored.execute("DELETE FROM teams; DELETE FROM admins");
    let after = count();
    for (shown, known) in [("teams", "with_team"), ("assignees", "with_assignee")] {
        assert_eq!(after[shown], before[shown], "{shown}: {after}");
        assert_eq!(after[shown], after[known], "{shown}: {after}");
    }
    assert_eq!(
        (&after["bare_teams"], &after["bare_assignees"]),
        (&after["with_team"], &after["with_assignee"])
    );
    let nobody = "SELECT count(*) AS n FROM inbox WHERE team IS NULL AND team_assignee_id IS NOT NULL";
    assert_eq!(mirrored.ask(&["sql", nobody])["results"]["rows"][0], json!({"n": 0}));
    let authors = "SELECT count(*) AS n FROM messages WHERE author IS NULL AND author_id IS NOT NULL";
    assert_eq!(mirrored.ask(&["sql", authors])["results"]["rows"][0], json!({"n": 0}));
}
