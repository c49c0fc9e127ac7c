//! Commands in a file.

use serde_json::Value;

use crate::support::{document, stderr};
use crate::{code, run, sandbox};

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
async fn the_first_failure_ends_the_run() {
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
        ("steps = 5", "no workflow"),
        ("[[steps]]\nrun = 'contacts fly'", "no command"),
        ("[[steps]]\nruns = 'me'", "no workflow"),
    ] {
        std::fs::write(home.path().join("w.toml"), text).unwrap();
        let output = run(home.path(), &sandbox, &["workflow", "run", "w.toml", "--json"]);
        assert_eq!(code(&output), 2, "{text}");
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}
