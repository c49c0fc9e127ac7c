//! `workflow run`: commands in a file.

use serde_json::Value;

use crate::commands::{code, run, sandbox};
use crate::support::{document, stderr};

const NIGHTLY: &str = r#"
[variables]
most = "3"

[[steps]]
name = "mirror"
run = "sync --resources tags,teams"

[[steps]]
run = "tags list --quiet --jq '.results.data[0].id'"
keep = "tag"

[[steps]]
name = "show"
run = ["tags", "get", "{{tag}}", "--deliver", "file:tag.json"]

[[steps]]
name = "count"
run = "sql 'SELECT count(*) AS n FROM tags LIMIT {{most}}' --json"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_in_order_with_variables() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    std::fs::write(home.path().join("nightly.toml"), NIGHTLY).unwrap();
    let plan = document(&run(
        home.path(),
        &sandbox,
        &["workflow", "run", "nightly.toml", "--var", "most=9", "--dry-run", "--json"],
    ));
    assert!(plan["steps"][3]["command"].as_str().unwrap().contains("LIMIT 9"), "{plan}");
    assert!(sandbox.requests().is_empty());
    let output = run(home.path(), &sandbox, &["workflow", "run", "nightly.toml", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let steps = document(&output);
    assert_eq!((&steps["meta"]["complete"], &steps["meta"]["steps"]), (&true.into(), &4.into()));
    assert_eq!(steps["results"][0]["output"]["results"]["complete"], true);
    assert!(steps["results"][3]["output"]["results"]["rows"][0]["n"].as_i64().unwrap() > 0, "{steps}");
    let shown: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("tag.json")).unwrap()).unwrap();
    assert_eq!(shown["results"]["id"], steps["results"][1]["output"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_stops_the_workflow() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    let text = "[[steps]]\nrun = 'me'\n[[steps]]\nname = 'gone'\nrun = 'tags get 1'\n[[steps]]\nrun = 'teams list'\n";
    std::fs::write(home.path().join("w.toml"), text).unwrap();
    let output = run(home.path(), &sandbox, &["workflow", "run", "w.toml", "--json"]);
    assert_eq!(code(&output), 3);
    let steps = document(&output);
    assert_eq!(steps["results"].as_array().unwrap().len(), 2);
    assert_eq!(steps["results"][1]["exit_code"], 3);
    assert!(!sandbox.requests().iter().any(|request| request.path == "/teams"));
    let error: Value = serde_json::from_str(stderr(&output).lines().last().unwrap()).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().starts_with("step gone"), "{error}");
    for (text, reason) in [
        ("steps = 5", "invalid workflow"),
        ("[[steps]]\nrun = 'contacts fly'", "unknown command"),
        ("[[steps]]\nruns = 'me'", "invalid workflow"),
    ] {
        std::fs::write(home.path().join("w.toml"), text).unwrap();
        let output = run(home.path(), &sandbox, &["workflow", "run", "w.toml", "--json"]);
        assert_eq!(code(&output), 2, "{text}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmation_flags_apply_to_every_step() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    assert_eq!(code(&run(home.path(), &sandbox, &["sync", "--resources", "tags"])), 0);
    let tag = document(&run(home.path(), &sandbox, &["tags", "list", "--json"]))["results"]["data"][0]["id"]
        .clone();
    let workflow = |steps: &[&str], flags: &[&str]| {
        let steps: String = steps.iter().map(|step| format!("[[steps]]\nrun = {step:?}\n")).collect();
        std::fs::write(home.path().join("w.toml"), steps).unwrap();
        run(home.path(), &sandbox, &[&["workflow", "run", "w.toml", "--json"], flags].concat())
    };
    let delete = format!("tags delete {}", tag.as_str().unwrap());
    let refused = workflow(&[&delete], &[]);
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    let deletes = || sandbox.requests().iter().filter(|request| request.method == "DELETE").count();
    assert_eq!(deletes(), 0);
    let done = workflow(&[&delete], &["--yes"]);
    assert_eq!((code(&done), deletes()), (0, 1), "{}", stderr(&done));
    assert_eq!(code(&workflow(&[&delete], &["--yes"])), 3);
    let twice =
        [&*delete, "contacts create --email twice@example.com", "contacts create --email twice@example.com"];
    let lenient = workflow(&twice, &["--yes", "--ignore-missing", "--idempotent"]);
    assert_eq!(code(&lenient), 0, "{}", stderr(&lenient));
    let statuses = document(&lenient)["results"].clone();
    assert_eq!(
        (&statuses[0]["output"]["meta"]["status"], &statuses[2]["output"]["meta"]["status"]),
        (&"noop".into(), &"noop".into())
    );
    let before = sandbox.requests().len();
    let local = workflow(&["tags list"], &["--data-source", "local"]);
    assert_eq!(code(&local), 0, "{}", stderr(&local));
    assert_eq!(document(&local)["results"][0]["output"]["meta"]["source"], "local");
    assert_eq!(sandbox.requests().len(), before);
}

/// Customer text is only a value: it must not confirm a deletion, nor read or write a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_captured_value_is_neither_a_flag_nor_a_file() {
    let (sandbox, home) = (sandbox().await, tempfile::tempdir().unwrap());
    std::fs::write(home.path().join("secret"), "the secret").unwrap();
    let (author, other, conversation) = sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.contacts.iter().map(|contact| contact.id.clone()).take(2).collect();
        let conversation = workspace.conversations.iter().next().unwrap().id.clone();
        (ids[0].clone(), ids[1].clone(), conversation)
    });
    let with_name = |name: &str, step: &[&str]| {
        sandbox.with_workspace(|workspace| {
            workspace.contacts.get_mut(&author).unwrap().name = Some(name.to_owned());
        });
        let read = ["api", "GET", &format!("/contacts/{author}"), "--jq", ".results.name", "--plain"];
        let text = format!("[[steps]]\nrun = {read:?}\nkeep = 'n'\n[[steps]]\nrun = {step:?}\n");
        std::fs::write(home.path().join("w.toml"), text).unwrap();
        run(home.path(), &sandbox, &["workflow", "run", "w.toml", "--json"])
    };
    for (name, step) in [
        ("--yes", vec!["contacts", "delete", &other, "{{n}}"]),
        ("--deliver=file:written.json", vec!["contacts", "list", "{{n}}"]),
        ("-", vec!["contacts", "bulk-tag", "{{n}}", "--tag", "x", "--apply"]),
    ] {
        let refused = with_name(name, &step);
        assert_eq!(code(&refused), 2, "{name}: {}", stderr(&refused));
        assert_eq!(document(&refused)["results"].as_array().unwrap().len(), 2, "{name}");
    }
    assert!(!home.path().join("written.json").exists());
    assert!(sandbox.with_workspace(|workspace| workspace.contacts.get(&other).is_some()));
    let literal = home.path().join("secret").to_string_lossy().into_owned();
    for (name, flag) in
        [(format!("@{literal}"), "--body"), ("-".to_owned(), "--body"), (format!("@{literal}"), "--body=")]
    {
        let mut step = vec!["conversations", "bulk-reply-note", &conversation, "--apply"];
        let joined = format!("{flag}{{{{n}}}}");
        step.extend(if flag.ends_with('=') { vec![joined.as_str()] } else { vec![flag, "{{n}}"] });
        let done = with_name(&name, &step);
        assert_eq!(code(&done), 0, "{}", stderr(&done));
        let notes: Vec<String> = sandbox.with_workspace(|workspace| {
            let parts = &workspace.conversations.get(&conversation).unwrap().parts;
            parts.iter().filter_map(|part| part.body.clone()).collect()
        });
        assert!(notes.last().unwrap().contains(&name), "{notes:?}");
        assert!(!notes.iter().any(|note| note.contains("the secret")), "{notes:?}");
    }
}
