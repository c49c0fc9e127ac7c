//! Merging duplicates: a merge cannot be undone, so it is checked against the workspace, not the mirror.

use serde_json::json;

use super::Scene;
use crate::support::{self, stderr};

/// A lead and a user with the same address, in the workspace and in the mirror.
fn duplicates(scene: &Scene) -> (String, String) {
    let pair = scene.sandbox.with_workspace(|workspace| {
        let id = |is_user| {
            workspace.contacts.iter().find(|contact| contact.is_user == is_user).unwrap().id.clone()
        };
        let (lead, user) = (id(false), id(true));
        for (id, name) in [(&lead, "Lee Lead"), (&user, "Uma User")] {
            let contact = workspace.contacts.get_mut(id).unwrap();
            (contact.email, contact.name) = (Some("same@example.com".into()), Some(name.into()));
        }
        (lead, user)
    });
    assert!(scene.run(&["sync", "--resources", "contacts"]).status.success());
    pair
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_whose_contacts_have_changed_is_skipped() {
    let apply = ["contacts", "dupes", "--merge", "--apply", "--yes", "--json"];
    for (changed, said) in
        [("lead", "the lead no longer has"), ("user", "the user no longer has"), ("role", "no longer a lead")]
    {
        let scene = Scene::new(5).await;
        let (lead, user) = duplicates(&scene);
        let planned = support::document(&scene.run(&["contacts", "dupes", "--merge", "--json"]));
        let row = &planned["results"][0];
        assert_eq!((&row["from_name"], &row["into_name"]), (&json!("Lee Lead"), &json!("Uma User")));
        scene.sandbox.with_workspace(|workspace| {
            let contact = workspace.contacts.get_mut(if changed == "user" { &user } else { &lead }).unwrap();
            if changed == "role" {
                contact.is_user = true;
            } else {
                contact.email = Some("corrected@example.com".into());
            }
        });
        let output = scene.run(&apply);
        assert_eq!(output.status.code(), Some(5), "{changed}: {}", stderr(&output));
        let row = &support::document(&output)["results"][0];
        assert_eq!(row["status"], "skipped", "{changed}: {row}");
        assert!(row["error"].as_str().unwrap().contains(said), "{changed}: {row}");
        assert!(!scene.changing_calls().iter().any(|call| call.ends_with("/merge")), "{changed}");
        assert!(scene.sandbox.with_workspace(|workspace| workspace.contacts.get(&lead).is_some()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_lead_is_removed_from_the_mirror() {
    let scene = Scene::new(5).await;
    let (lead, user) = duplicates(&scene);
    // Addresses are compared without case.
    scene.sandbox.with_workspace(|workspace| {
        workspace.contacts.get_mut(&lead).unwrap().email = Some("Same@Example.com".into());
    });
    let output = scene.run(&["contacts", "dupes", "--merge", "--apply", "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(support::document(&output)["results"][0]["status"], "merged");
    let ids = scene.run(&["sql", "SELECT id FROM contacts WHERE email = 'same@example.com'", "--quiet"]);
    assert_eq!(support::stdout(&ids).trim(), user);
    assert_eq!(
        scene.run(&["contact", "360", "same@example.com", "--data-source", "local"]).status.code(),
        Some(0)
    );
}
