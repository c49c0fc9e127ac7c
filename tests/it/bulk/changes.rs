//! The `bulk-*` commands: selecting records, changing them, and undoing the changes.

use std::io::Write;
use std::process::Stdio;

use intercom::sandbox::model::plain::PlainRecord;
use serde_json::{Value, json};

use super::{NOW, PHRASE, Scene, ids};
use crate::support::{self, stderr};

/// Every bulk command with its required arguments.
const COMMANDS: &[&[&str]] = &[
    &["conversations", "incident-tag", "--mentions", "the", "--tag", "new-tag"],
    &["conversations", "bulk-tag", "--where", "state = open", "--tag", "new-tag"],
    &["conversations", "bulk-untag", "--where", "state = open", "--tag", "refund"],
    &["conversations", "bulk-assign", "--where", "state = open", "--team", "Support"],
    &["conversations", "bulk-close", "--where", "state = open"],
    &["conversations", "bulk-snooze", "--where", "state = open", "--until", "+9999d"],
    &["conversations", "bulk-reply-note", "--where", "state = open", "--body", "x"],
    &["contacts", "bulk-update", "--where", "role = lead", "--set", "name=Zed"],
    &["contacts", "bulk-tag", "--where", "role = lead", "--tag", "new-tag"],
    &["contacts", "bulk-archive", "--where", "role = lead"],
    &["companies", "bulk-tag", "--sql", "SELECT id FROM companies", "--tag", "new-tag"],
];

#[tokio::test(flavor = "multi_thread")]
async fn without_apply_only_reads_are_sent() {
    let scene = Scene::new(40).await;
    assert!(scene.run(&["sync", "--resources", "companies"]).status.success());
    for more in [&[][..], &["--dry-run", "--apply", "--yes"][..]] {
        for command in COMMANDS {
            let words: Vec<&str> = command.iter().chain(more).copied().chain(["--json"]).collect();
            let output = scene.run(&words);
            assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
            let document = support::document(&output);
            assert_eq!(document["meta"]["dry_run"], true, "{words:?}");
            assert!(document["results"]["matched"].as_u64().unwrap() > 0, "{words:?}");
            assert_eq!(scene.changing_calls(), Vec::<String>::new(), "{words:?}");
        }
    }
    // An undo is previewed as well.
    let applied =
        scene.results(&["conversations", "bulk-close", "--where", "state = open", "--apply", "--json"], 0);
    scene.sandbox.forget_requests();
    let run = applied["run"].as_str().unwrap();
    assert!(scene.results(&["bulk", "undo", run, "--json"], 0)["would_change"].as_u64().unwrap() > 0);
    assert_eq!(scene.changing_calls(), Vec::<String>::new());
}

/// The fields of a conversation that these commands change.
fn state(scene: &Scene, id: &str) -> Value {
    scene.sandbox.with_workspace(|workspace| {
        let it = workspace.conversations.get(id).unwrap();
        let tags: Vec<_> = it.tags.iter().map(|tag| tag.tag_id.clone()).collect();
        json!([it.state.as_str(), it.snoozed_until, it.admin_assignee_id, it.team_assignee_id, tags])
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_conversations_can_be_undone() {
    let scene = Scene::new(30).await;
    let chosen = scene.mention(6);
    let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
    let before: Vec<Value> = chosen.iter().map(|id| state(&scene, id)).collect();
    for command in
        COMMANDS.iter().filter(|command| command[0] == "conversations" && command[1].starts_with("bulk-"))
    {
        let words: Vec<&str> = command
            .iter()
            .filter(|word| !["--where", "state = open"].contains(*word))
            .chain(&chosen)
            .copied()
            .collect();
        let applied = scene.results(&[&words[..], &["--apply", "--json"]].concat(), 0);
        let name = command[1];
        let changed = ids(&applied, if name == "bulk-tag" { "tagged" } else { "changed" });
        let now: Vec<Value> = chosen.iter().map(|id| state(&scene, id)).collect();
        for (index, id) in chosen.iter().enumerate() {
            let is_changed = changed.iter().any(|changed_id| changed_id == id);
            assert_eq!(now[index] != before[index], is_changed && name != "bulk-reply-note", "{name} {id}");
        }
        let run = applied["run"].as_str();
        let Some(run) = run else {
            assert!(changed.is_empty(), "{name}");
            continue;
        };
        // Notes cannot be undone.
        let code = if name == "bulk-reply-note" { 5 } else { 0 };
        let undone = scene.results(&["bulk", "undo", run, "--apply", "--json"], code);
        if name == "bulk-reply-note" {
            assert_eq!((&undone["changed"], &undone["skipped"]), (&json!(0), &json!(6)));
            assert!(undone["conversations"][0]["reason"].as_str().unwrap().contains("note"));
        }
        let now: Vec<Value> = chosen.iter().map(|id| state(&scene, id)).collect();
        assert_eq!(now, before, "{name}");
        assert_eq!(
            scene.results(&words.iter().copied().chain(["--json"]).collect::<Vec<_>>(), 0)["matched"],
            6
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_skips_records_that_changed_since() {
    let scene = Scene::new(30).await;
    let chosen = scene.mention(3);
    scene.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter_mut().for_each(|conversation| conversation.tags.clear());
    });
    let tag = [
        "conversations",
        "bulk-tag",
        &chosen[0],
        &chosen[1],
        &chosen[2],
        "--tag",
        "vip-now",
        "--apply",
        "--json",
    ];
    scene.results(&["conversations", "bulk-tag", &chosen[0], "--tag", "vip-now", "--apply", "--json"], 0);
    let run = scene.results(&tag, 0)["run"].as_str().unwrap().to_owned();
    scene
        .sandbox
        .with_workspace(|workspace| workspace.conversations.get_mut(&chosen[1]).unwrap().tags.clear());
    let undone = scene.results(&["bulk", "undo", &run, "--apply", "--json"], 6);
    let reasons: Vec<_> = undone["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|conversation| &conversation["reason"])
        .collect();
    assert_eq!(reasons, [&json!("changed since"), &Value::Null], "the first was tagged before");
    assert_eq!(scene.tagged("vip-now"), [chosen[0].clone()]);
    // An undo is itself a run.
    let undone = undone["run"].as_str().unwrap();
    scene.results(&["bulk", "undo", undone, "--apply", "--json"], 0);
    assert_eq!(scene.tagged("vip-now"), [chosen[0].clone(), chosen[2].clone()]);
    assert_eq!(scene.run(&["bulk", "undo", "20260101T000000-00000"]).status.code(), Some(3));
    assert_eq!(scene.run(&["bulk", "undo", "../../etc/passwd"]).status.code(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_updates_from_a_file_can_be_undone() {
    let scene = Scene::new(10).await;
    let people: Vec<(String, Option<String>)> = scene.sandbox.with_workspace(|workspace| {
        workspace
            .contacts
            .iter()
            .filter(|contact| !contact.archived)
            .take(3)
            .map(|contact| (contact.id.clone(), contact.name.clone()))
            .collect()
    });
    let file = scene.home().join("people.csv");
    let mut csv = std::fs::File::create(&file).unwrap();
    writeln!(csv, "Contact ID,Full name,Ignored").unwrap();
    for (index, (id, _)) in people.iter().enumerate() {
        writeln!(csv, "{id},\"Person, {index}\",x").unwrap();
    }
    let names = || {
        scene.sandbox.with_workspace(|workspace| {
            people.iter().map(|(id, _)| workspace.contacts.get(id).unwrap().name.clone()).collect::<Vec<_>>()
        })
    };
    let words = [
        "contacts",
        "bulk-update",
        "--input",
        "people.csv",
        "--map",
        "id=Contact ID,name=Full name",
        "--set",
        "phone=null",
        "--apply",
        "--json",
    ];
    let applied = scene.results(&words, 0);
    assert_eq!(applied["changed"], 3);
    assert_eq!(names(), [0, 1, 2].map(|index| Some(format!("Person, {index}"))));
    let first = &applied["contacts"][0];
    assert_eq!(first["before"]["name"], json!(people[0].1));
    assert_eq!(first["after"]["name"], "Person, 0");
    scene.results(&["bulk", "undo", applied["run"].as_str().unwrap(), "--apply", "--json"], 0);
    assert_eq!(names(), people.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
    assert_eq!(
        scene.run(&["contacts", "bulk-update", &people[0].0, "--set", "nmae=x"]).status.code(),
        Some(2)
    );
    assert_eq!(scene.run(&["contacts", "bulk-update", &people[0].0]).status.code(), Some(2));

    let archived = scene.results(&["contacts", "bulk-archive", &people[0].0, "--apply", "--json"], 0);
    let is_archived =
        || scene.sandbox.with_workspace(|workspace| workspace.contacts.get(&people[0].0).unwrap().archived);
    assert!(is_archived());
    scene.results(&["bulk", "undo", archived["run"].as_str().unwrap(), "--apply", "--json"], 0);
    assert!(!is_archived());
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_with_many_tags_and_companies_can_be_tagged() {
    let scene = Scene::new(10).await;
    let (contact, company) = scene.sandbox.with_workspace(|workspace| {
        let contact = workspace
            .contacts
            .iter()
            .find(|contact| !contact.archived && !contact.tags.is_empty())
            .unwrap()
            .id
            .clone();
        for number in 0..14 {
            let (id, name) = (format!("9{number:02}"), format!("many-{number:02}"));
            let tag = PlainRecord::new(json!({"type": "tag", "id": id, "name": name}));
            workspace.tags.insert(tag.clone());
            let own = workspace.contacts.get_mut(&contact).unwrap();
            let mut applied = own.tags[0].clone();
            applied.tag_id = tag.id;
            own.tags.push(applied);
        }
        (contact, workspace.companies.iter().next().unwrap().id.clone())
    });
    // More tags than a document lists, so the last one is not among them.
    let results = scene.results(&["contacts", "bulk-tag", &contact, "--tag", "many-13", "--json"], 0);
    assert_eq!(results["already_tagged"], 1);
    let results = scene.results(&["companies", "bulk-tag", &company, "--tag", "key", "--apply", "--json"], 0);
    assert_eq!(results["tagged"], 1);
    assert_eq!(
        scene.run(&["companies", "bulk-tag", &company, "--tag", "KEY", "--apply"]).status.code(),
        Some(2)
    );
    let tags = |company: &str| {
        scene.sandbox.with_workspace(|workspace| workspace.companies.get(company).unwrap().tags.len())
    };
    let with = tags(&company);
    scene.results(&["bulk", "undo", results["run"].as_str().unwrap(), "--apply", "--json"], 0);
    assert_eq!(tags(&company), with - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_come_from_stdin_files_filters_and_queries() {
    let scene = Scene::new(40).await;
    let chosen = scene.mention(3);
    let matched = |words: &[&str], input: &str| {
        let mut child = scene
            .command(&[&["conversations", "bulk-close", "--json"], words].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let results = support::document(&output)["results"].take();
        results["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|conversation| conversation["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let lines = format!("{}\n\n{{\"id\": \"{}\"}}\n{}\n", chosen[2], chosen[0], chosen[2]);
    assert_eq!(
        matched(&["-"], &lines),
        [chosen[2].clone(), chosen[0].clone()],
        "in order, without duplicates"
    );
    assert_eq!(matched(&["--input", "-"], &lines).len(), 2);
    let open = scene.sandbox.with_workspace(|workspace| {
        workspace.conversations.iter().filter(|conversation| conversation.state.as_str() == "open").count()
    });
    assert_eq!(matched(&["--where", "state = open"], "").len(), open);
    assert!(scene.run(&["sync", "--resources", "conversations"]).status.success());
    assert_eq!(
        matched(&["--sql", "SELECT state, id FROM conversations WHERE state = 'open'"], "").len(),
        open
    );
    let output = scene.run(&["conversations", "bulk-close", &chosen[0], "9999999", "--json"]);
    assert_eq!(output.status.code(), Some(6), "a missing record is reported");
    assert_eq!(support::document(&output)["results"]["conversations"][1]["reason"], "not_found");
    assert_eq!(scene.run(&["conversations", "bulk-close"]).status.code(), Some(2));
    let output = scene.run(&["conversations", "bulk-close", "--where", "state = open and tem = x", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("column 18"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_any_success_fails() {
    let scene = Scene::new(10).await;
    let id = scene.mention(1)[0].clone();
    let tag = ["conversations", "bulk-tag", "--tag", "t", "--apply", "--json"];
    let none = scene.results(&[&tag[..], &["8888888", "9999999"]].concat(), 5);
    assert_eq!((&none["tagged"], &none["skipped"]), (&json!(0), &json!(2)));
    scene.results(&[&tag[..], &[&id, "9999999"]].concat(), 6);
    scene.results(&[&tag[..], &[&id]].concat(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_tag_is_reported_with_a_hint() {
    let scene = Scene::new(10).await;
    let id = scene.mention(1)[0].clone();
    let number = scene.sandbox.with_workspace(|workspace| workspace.tags.first().unwrap().id.clone());
    for (flag, name, helps) in [
        ("--tag", "nosuch", "--tag-id takes an id"),
        ("--tag", &number, "--tag-id takes an id"),
        ("--tag-id", "999", "shows the ids"),
    ] {
        let output = scene.run(&["conversations", "bulk-untag", &id, flag, name]);
        assert_eq!(output.status.code(), Some(3), "{flag} {name}");
        assert!(stderr(&output).contains(helps), "{flag} {name}: {}", stderr(&output));
        assert!(!stderr(&output).contains("use the name or id"), "{flag} {name}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_has_a_column_for_every_field() {
    let scene = Scene::new(10).await;
    let id = scene.mention(1)[0].clone();
    for words in [&["bulk-close", &id, "9999999"][..], &["bulk-tag", &id, "--tag", "t"]] {
        let output = scene.run(&[&["conversations"], words, &["--apply", "--csv"]].concat());
        let header = support::stdout(&output).lines().next().unwrap_or_default().to_owned();
        let has = |name: &str| header.split(',').any(|column| column == name);
        assert!(has("id") && has("status") && has("name"), "{words:?}: {header}");
        assert!(!stderr(&output).contains("without a column"), "{words:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_the_same_second_are_listed_in_order() {
    let scene = Scene::new(20).await;
    scene.mention(3);
    let mut made = Vec::new();
    for tag in ["one", "two", "three", "four"] {
        let words =
            ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", tag, "--apply", "--json"];
        made.insert(0, scene.results(&words, 0)["run"].as_str().unwrap().to_owned());
    }
    let listed = scene.results(&["bulk", "runs", "--agent"], 0);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(names, made);
    assert_eq!(
        (&listed[0]["command"], &listed[0]["records"]),
        (&json!("conversations incident-tag"), &json!(3))
    );
    scene.results(&["bulk", "undo", &made[0], "--apply", "--json"], 0);
    let listed = scene.results(&["bulk", "runs", "--json"], 0);
    assert_eq!((&listed[1]["state"], &listed[1]["undone_by"]), (&json!("undone"), &listed[0]["id"]));
    let output = scene.command(&["bulk", "runs", "--human-friendly"]).env("COLUMNS", "80").output().unwrap();
    let table = crate::support::stdout(&output);
    let head = table.lines().next().unwrap();
    for name in ["run", "command", "records", "when", "state"] {
        assert!(head.contains(&name.to_uppercase()), "{table}");
    }
    assert!(
        table.contains(&made[3]) && table.contains("undone") && table.contains(" tag conversations"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_records_need_a_confirmation() {
    let scene = Scene::new(130).await;
    scene.mention(120);
    let words = ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "big", "--apply", "--json"];
    let output = scene.run(&words);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--yes"), "{}", stderr(&output));
    assert_eq!(scene.changing_calls(), Vec::<String>::new());
    assert_eq!(scene.results(&[&words[..], &["--limit", "100"]].concat(), 6)["tagged"], 100);
    assert_eq!(scene.results(&words, 0)["tagged"], 20, "few enough to need no confirmation");
}

#[tokio::test(flavor = "multi_thread")]
async fn agent_does_not_confirm_many_records_or_archiving_several() {
    let scene = Scene::new(130).await;
    scene.mention(120);
    let many = ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "big", "--apply"];
    let archive = ["contacts", "bulk-archive", "--where", "role = lead", "--limit", "3", "--apply"];
    for words in [&many[..], &archive] {
        let output = scene.run(&[words, &["--agent"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let error: Value = serde_json::from_str(stderr(&output).lines().last().unwrap()).unwrap();
        assert!(error["error"]["hint"].as_str().unwrap().contains("--yes"), "{error}");
        assert_eq!(scene.changing_calls(), Vec::<String>::new());
    }
    assert_eq!(scene.run(&[&archive[..], &["--agent", "--yes"]].concat()).status.code(), Some(6));
    assert_eq!(scene.changing_calls().len(), 3);
    let few = scene.run(&[&many[..], &["--agent", "--limit", "5"]].concat());
    assert_eq!(few.status.code(), Some(6), "{}", stderr(&few));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_checked_again() {
    let scene = Scene::new(40).await;
    let mentioned = scene.mention(5);
    let words =
        ["conversations", "incident-tag", "--mentions", PHRASE, "--tag", "kept", "--save-plan", "plan.json"];
    assert!(scene.run(&words).status.success());
    scene.sandbox.with_workspace(|workspace| {
        workspace.conversations.remove(&mentioned[0]).unwrap();
    });
    let words = ["conversations", "incident-tag", "--plan", "plan.json", "--apply", "--json"];
    let results = scene.results(&words, 6);
    assert_eq!((&results["tagged"], &results["skipped"]), (&json!(4), &json!(1)));
    assert_eq!(scene.tagged("kept"), mentioned[1..]);
    assert_eq!(scene.run(&["conversations", "bulk-close", "--plan", "plan.json"]).status.code(), Some(2));
    std::fs::write(scene.home().join("plan.json"), "{}").unwrap();
    assert_eq!(scene.run(&words).status.code(), Some(2));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_has_before_and_after_and_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(30).await;
    let chosen = scene.mention(2);
    let applied = scene.results(
        &["conversations", "bulk-snooze", &chosen[0], &chosen[1], "--until", "+9999d", "--apply", "--json"],
        0,
    );
    let runs = scene.results(&["bulk", "runs", "--json"], 0);
    assert_eq!((&runs[0]["id"], &runs[0]["done"]), (&applied["run"], &json!(2)));
    assert!(runs[0]["started_at"].as_i64().unwrap() > NOW - 1_000_000_000);
    let path = runs[0]["journal"].as_str().unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["line"] == kind).cloned().collect::<Vec<_>>();
    assert!(of("record").iter().all(|record| record["before"]["state"].is_string()));
    let done: Vec<Value> = of("change").into_iter().filter(|change| change["status"] == "done").collect();
    assert!(done.len() == 2 && done.iter().all(|change| change["after"]["state"] == "snoozed"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teammate_is_found_by_name_address_or_id() {
    let scene = Scene::new(4).await;
    let (id, name, email, conversation) = scene.sandbox.with_workspace(|workspace| {
        let admin = workspace.admins.first().unwrap();
        let conversation = workspace.conversations.iter().next().unwrap().id.clone();
        (admin.id.to_string(), admin.name.clone(), admin.email.to_uppercase(), conversation)
    });
    for wanted in [&id, &name, &email] {
        let words = ["conversations", "bulk-assign", &conversation, "--admin", wanted, "--json"];
        assert_eq!(ids(&scene.results(&words, 0), "would_change"), [conversation.as_str()], "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_line_after_a_run_is_the_command_that_undoes_it() {
    let scene = Scene::new(40).await;
    let close = ["conversations", "bulk-close", "--where", "state = open", "--human-friendly"];
    let preview = stderr(&scene.run(&close));
    assert!(preview.contains("would change ") && preview.ends_with("; add --apply to do it\n"), "{preview}");
    let applied = stderr(&scene.run(&[&close[..], &["--apply", "--yes"]].concat()));
    let last = applied.lines().last().unwrap();
    let undo = last.strip_prefix("To undo: intercom-pp-cli ").unwrap_or_else(|| panic!("{applied}"));
    let words: Vec<&str> = undo.split(' ').chain(["--yes", "--human-friendly"]).collect();
    assert!(words.contains(&"--apply"), "{undo}");
    let undone = scene.run(&words);
    assert!(undone.status.success() && stderr(&undone).contains("To undo: "), "{}", stderr(&undone));
    // The limit of the user ends with an error, whose hint names the command.
    let limited = stderr(&scene.run(&[&close[..], &["--apply", "--yes", "--limit", "2"]].concat()));
    assert!(limited.lines().last().unwrap().contains("to undo: `intercom-pp-cli bulk undo "), "{limited}");
    let note =
        ["conversations", "bulk-reply-note", "--where", "state = open", "--body", "x", "--apply", "--yes"];
    let noted = stderr(&scene.run(&[&note[..], &["--human-friendly"]].concat()));
    assert!(!noted.contains("undo"), "notes stay: {noted}");

    let shown = scene.command(&["bulk", "runs", "--human-friendly"]).env("COLUMNS", "120").output().unwrap();
    let shown = support::stdout(&shown);
    assert!(shown.contains("  2 of 17  "), "{shown}");
    let commands = ["add a note to conversations", "close conversations", "undo 2", "close conversations"];
    assert_eq!(shown.lines().count(), commands.len() + 1, "newest first: {shown}");
    for (line, command) in shown.lines().skip(1).zip(commands) {
        assert!(line.contains(command), "{command}: {shown}");
    }
    assert!(shown.lines().last().unwrap().contains("  undone"), "{shown}");
}
