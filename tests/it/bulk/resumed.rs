//! Which run is continued: the one that was named, with its own records.

use intercom::sandbox::{Fault, Quirk};
use serde_json::json;

use super::Scene;
use crate::support::stderr;

/// Two runs that close two conversations each, both interrupted by a workspace that refuses; and their records.
fn two_failed_runs(scene: &Scene) -> ([String; 2], Vec<String>) {
    let chosen: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        let open = workspace.conversations.iter().filter(|it| it.state.as_str() == "open");
        open.take(5).map(|it| it.id.clone()).collect()
    });
    scene.sandbox.inject_faults(|_, served| {
        (served.operation == Some("manageConversation")).then_some(Fault::Status(422))
    });
    let close = |ids: &[String]| {
        let mut words = vec!["conversations", "bulk-close", "--apply", "--json"];
        words.extend(ids.iter().map(String::as_str));
        scene.results(&words, 5)["run"].as_str().unwrap().to_owned()
    };
    let runs = [close(&chosen[..2]), close(&chosen[2..4])];
    scene.sandbox.inject_faults(|_, _| None);
    (runs, chosen)
}

fn is_closed(scene: &Scene, id: &str) -> bool {
    scene
        .sandbox
        .with_workspace(|workspace| workspace.conversations.get(id).unwrap().state.as_str() == "closed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_that_is_named_is_the_one_that_continues() {
    let scene = Scene::new(40).await;
    let ([older, _], chosen) = two_failed_runs(&scene);
    let results =
        scene.results(&["conversations", "bulk-close", "--resume", &older, "--apply", "--yes", "--json"], 0);
    assert_eq!((&results["run"], &results["changed"]), (&json!(older), &json!(2)));
    let closed: Vec<bool> = chosen.iter().map(|id| is_closed(&scene, id)).collect();
    assert_eq!(closed, [true, true, false, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_beside_a_run_are_refused_and_so_is_a_run_among_ids() {
    let scene = Scene::new(40).await;
    let ([older, newer], chosen) = two_failed_runs(&scene);
    let joined = format!("--resume={newer}");
    for (words, said) in [
        (vec!["--resume", &older, &chosen[4]], "its own records"),
        (vec![&joined, &chosen[4]], "its own records"),
        (vec![&chosen[4], "--resume"], "its own records"),
        (vec![&older, "--apply"], "write --resume="),
        (vec!["--resume", &chosen[4]], "no run"),
    ] {
        let output = scene.run(&[&["conversations", "bulk-close"], &words[..]].concat());
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        assert!(stderr(&output).contains(said), "{words:?}: {}", stderr(&output));
    }
    assert!(chosen.iter().all(|id| !is_closed(&scene, id)));
    let tagging = scene.run(&["conversations", "incident-tag", "--resume", &older]);
    assert!(stderr(&tagging).contains("bulk-close"), "{}", stderr(&tagging));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_continues_the_undo_of_its_own_run() {
    let scene = Scene::new(40).await;
    let chosen: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        let open = workspace.conversations.iter().filter(|it| it.state.as_str() == "open");
        open.take(2).map(|it| it.id.clone()).collect()
    });
    let runs: Vec<String> = chosen
        .iter()
        .map(|id| {
            let results = scene.results(&["conversations", "bulk-close", id, "--apply", "--json"], 0);
            results["run"].as_str().unwrap().to_owned()
        })
        .collect();
    scene.sandbox.with_workspace(|workspace| {
        workspace.quirks.push("ignored-writes=/conversations/*/parts".parse::<Quirk>().unwrap());
    });
    scene.results(&["bulk", "undo", &runs[0], "--apply", "--json"], 5);
    scene.sandbox.with_workspace(|workspace| workspace.quirks.clear());
    // The interrupted undo is that of another run.
    let results = scene.results(&["bulk", "undo", &runs[1], "--resume", "--json"], 0);
    assert_eq!(results["would_change"], 1);
    assert!(chosen.iter().all(|id| is_closed(&scene, id)));
    scene.results(&["bulk", "undo", &runs[0], "--resume", "--json"], 0);
    assert!(!is_closed(&scene, &chosen[0]) && is_closed(&scene, &chosen[1]));
}
