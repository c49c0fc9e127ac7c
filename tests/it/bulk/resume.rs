//! Resuming: the named run continues, with its own records.

use intercom::sandbox::{Fault, Quirk};
use serde_json::json;

use super::Scene;
use crate::support::stderr;

/// Ids of two failed runs that were to close two conversations each, and the ids of those conversations.
fn two_failed_runs(scene: &Scene) -> ([String; 2], Vec<String>) {
    let chosen: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        let open =
            workspace.conversations.iter().filter(|conversation| conversation.state.as_str() == "open");
        open.take(5).map(|conversation| conversation.id.clone()).collect()
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
async fn resume_continues_the_named_run() {
    let scene = Scene::new(40).await;
    let ([older, _], chosen) = two_failed_runs(&scene);
    let results =
        scene.results(&["conversations", "bulk-close", "--resume", &older, "--apply", "--yes", "--json"], 0);
    assert_eq!((&results["run"], &results["changed"]), (&json!(older), &json!(2)));
    let closed: Vec<bool> = chosen.iter().map(|id| is_closed(&scene, id)).collect();
    assert_eq!(closed, [true, true, false, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_does_not_accept_ids_or_ids_a_run() {
    let scene = Scene::new(40).await;
    let ([older, newer], chosen) = two_failed_runs(&scene);
    let joined = format!("--resume={newer}");
    for (words, said) in [
        (vec!["--resume", &older, &chosen[4]], "its own records"),
        (vec![&joined, &chosen[4]], "its own records"),
        (vec![&chosen[4], "--resume"], "its own records"),
        (vec![&older, "--apply"], "use --resume="),
        (vec!["--resume", &chosen[4]], "unknown run"),
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
async fn an_undo_continues_an_interrupted_undo_of_the_same_run() {
    let scene = Scene::new(40).await;
    let chosen: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        let open =
            workspace.conversations.iter().filter(|conversation| conversation.state.as_str() == "open");
        open.take(2).map(|conversation| conversation.id.clone()).collect()
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
    // The interrupted undo belongs to another run.
    let results = scene.results(&["bulk", "undo", &runs[1], "--resume", "--json"], 0);
    assert_eq!(results["would_change"], 1);
    assert!(chosen.iter().all(|id| is_closed(&scene, id)));
    scene.results(&["bulk", "undo", &runs[0], "--resume", "--json"], 0);
    assert!(!is_closed(&scene, &chosen[0]) && is_closed(&scene, &chosen[1]));
}
