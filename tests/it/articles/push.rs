//! What a push sends, and what it does not.

use intercom::sandbox::Fault;

use crate::articles::help_center::{HelpCenter, statuses, strip_volatile};
use crate::support::{stderr, stdout};

fn status_of(output: &std::process::Output, id: &str) -> String {
    statuses(output).into_iter().find(|(other, _)| other == id).map(|(_, status)| status).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_different_blocks_merge_and_of_the_same_block_conflict() {
    let center = HelpCenter::new(6).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    let (merged, conflicting, plain) = (&ids[0], &ids[1], &ids[2]);
    let before = center.texts();
    center.sandbox.with_workspace(|workspace| {
        workspace
            .articles
            .get_mut(merged)
            .unwrap()
            .body
            .push_str("<p class=\"no-margin\">appended by a colleague</p>");
    });
    center.edit_remotely(conflicting, " word</p>", " THEIRS</p>");
    for id in [merged, conflicting, plain] {
        center.edit(&center.file(id, "en"), " word\n", " OURS\n");
    }
    let theirs = center.texts();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(6), "{}", stderr(&pushed));
    assert_eq!(status_of(&pushed, merged), "updated");
    assert_eq!(status_of(&pushed, conflicting), "conflict");
    assert_eq!(status_of(&pushed, plain), "updated");
    let key = |id: &String| (id.clone(), "en".to_owned(), "body");
    let after = center.texts();
    assert_eq!(
        strip_volatile(&after[&key(merged)]),
        strip_volatile(&theirs[&key(merged)].replacen(" word", " OURS", 1))
    );
    assert_eq!(after[&key(conflicting)], theirs[&key(conflicting)]);
    assert_eq!(
        strip_volatile(&after[&key(plain)]),
        strip_volatile(&before[&key(plain)].replacen(" word", " OURS", 1))
    );
    let conflict = center.file(conflicting, "en").replace(".md", ".conflict.md");
    let shown = String::from_utf8(center.files()[&conflict].clone()).unwrap();
    assert!(shown.contains(" word") && shown.contains(" OURS") && shown.contains(" THEIRS"), "{shown}");

    let forced = center.push(&["--force", conflicting]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert!(center.texts()[&key(conflicting)].contains(" OURS</p>"));
    assert!(!center.files().contains_key(&conflict));
    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_merges_and_never_overwrites() {
    let center = HelpCenter::new(4).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    for id in &ids[..2] {
        center.edit(&center.file(id, "en"), " word\n", " OURS\n");
    }
    center.edit(&center.file(&ids[2], "en"), " word\n", " KEPT\n");
    center.sandbox.with_workspace(|workspace| {
        let article = workspace.articles.get_mut(&ids[0]).unwrap();
        article.body.push_str("<p>appended</p>");
        article.title = "Renamed".into();
    });
    center.edit_remotely(&ids[1], " word</p>", " THEIRS</p>");
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(6), "{}", stderr(&pulled));
    let text = |id: &String| String::from_utf8(center.files()[&center.file(id, "en")].clone()).unwrap();
    assert!(text(&ids[0]).contains(" OURS") && text(&ids[0]).contains("appended"));
    assert!(text(&ids[0]).contains("title: Renamed"));
    assert!(text(&ids[1]).contains(" OURS") && !text(&ids[1]).contains("THEIRS"));
    assert!(text(&ids[2]).contains(" KEPT"));
    let forced = center.pull(&["--force", "--only", &ids[1]]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert!(text(&ids[1]).contains("THEIRS"));
    assert!(center.files().iter().any(
        |(name, content)| name.contains("backup/") && String::from_utf8_lossy(content).contains(" OURS")
    ));
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert_eq!(center.writes().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_reported_and_the_other_articles_are_pushed() {
    let center = HelpCenter::new(3).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    for id in &ids {
        center.edit(&center.file(id, "fr"), " word\n", " EDITED\n");
    }
    let failing = ids[1].clone();
    center.sandbox.inject_faults(move |_, served| {
        (served.method == "PUT" && served.path.ends_with(&failing)).then_some(Fault::Status(422))
    });
    let before = center.texts();
    let pushed = center.push(&["--yes"]);
    assert_eq!(pushed.status.code(), Some(6), "{}", stderr(&pushed));
    assert_eq!(status_of(&pushed, &ids[1]), "failed");
    let after = center.texts();
    let changed: Vec<_> = before
        .iter()
        .filter(|(key, text)| strip_volatile(text) != strip_volatile(&after[*key]))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(changed.iter().all(|(id, locale, field)| *id != ids[1] && locale == "fr" && *field == "body"));
    let all = center.push(&["--yes"]);
    assert_eq!(all.status.code(), Some(5), "{}", stdout(&all));
    center.sandbox.inject_faults(|_, _| None);
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.push(&[]).status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_response_is_requested_again() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for id in center.ids() {
        center.edit(&center.file(&id, "fr"), " word\n", " EDITED\n");
    }
    let mut blank = false;
    center.sandbox.inject_faults(move |_, served| {
        let reads = matches!(served.operation, Some("retrieveArticle" | "identifyAdmin"));
        blank = reads && !blank;
        blank.then_some(Fault::Blank)
    });
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert_eq!(center.writes().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_stay_drafts_and_only_edited_fields_change() {
    let center = HelpCenter::new(4).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = false)
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    let before = center.texts();
    center.edit(&center.file(&ids[0], "en"), "title: ", "title: New ");
    center.edit(&center.file(&ids[1], "zh-CN"), "state: published", "state: draft");
    center.edit(&center.file(&ids[2], "en"), "state: draft", "state: published");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let after = center.texts();
    let changed: Vec<(usize, &str, &str)> = before
        .iter()
        .filter(|(key, text)| strip_volatile(text) != strip_volatile(&after[*key]))
        .map(|((id, locale, field), _)| {
            (ids.iter().position(|other| other == id).unwrap(), locale.as_str(), *field)
        })
        .collect();
    assert_eq!(changed, [(0, "en", "title"), (1, "zh-CN", "state"), (2, "en", "state")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_translations_moves_and_deletions_are_pushed() {
    let center = HelpCenter::new(3).await;
    assert_eq!(center.pull(&["--tree"]).status.code(), Some(0));
    let ids = center.ids();
    let folder = center.folder();
    let text = "---\ntitle: Fresh one\n---\n\n## Hello\n\nSome *new* text.\n";
    std::fs::write(folder.join("fresh.en.md"), text).unwrap();
    std::fs::write(folder.join("fresh.fr.md"), "---\ntitle: Neuf\n---\n\nBonjour.\n").unwrap();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let id = statuses(&pushed).into_iter().find(|(_, status)| status == "created").unwrap().0;
    let now = center.texts();
    let of = |locale: &str, field| now[&(id.clone(), locale.to_owned(), field)].clone();
    assert_eq!((of("en", "title"), of("en", "state")), ("Fresh one".into(), "draft".into()));
    assert_eq!(
        strip_volatile(&of("en", "body")),
        "<h2>Hello</h2><p class=\"no-margin\">Some <i>new</i> text.</p>"
    );
    assert_eq!(of("fr", "title"), "Neuf");
    assert!(center.files().contains_key(&format!("{id}-fresh-one.en.md")));
    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());

    std::fs::write(folder.join(format!("{id}-fresh-one.zh-CN.md")), "---\ntitle: 新\n---\n\n你好\n").unwrap();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let now = center.texts();
    assert_eq!(now[&(id.clone(), "zh-CN".into(), "title")], "新");
    assert_eq!(now[&(id.clone(), "fr".into(), "title")], "Neuf");

    let name = format!("{id}-fresh-one.en.md");
    std::fs::create_dir_all(folder.join("billing")).unwrap();
    std::fs::rename(folder.join(&name), folder.join("billing").join(&name)).unwrap();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let parent = center.texts()[&(id.clone(), "en".into(), "parent")].clone();
    let billing = center.sandbox.with_workspace(|workspace| {
        workspace
            .collections
            .iter()
            .find(|collection| collection.text("name") == "Billing")
            .unwrap()
            .id
            .clone()
    });
    assert_eq!(parent, billing);

    // The other languages still name the old collection, and do not move the article back.
    center.sandbox.with_workspace(|workspace| {
        for collection in workspace.collections.iter_mut() {
            collection.document["name"] = format!("{} renamed", collection.text("name")).into();
        }
    });
    center.edit(&center.file(&id, "fr"), "Bonjour", "Salut");
    for act in [center.push(&[]), center.pull(&[])] {
        assert_eq!(act.status.code(), Some(0), "{}", stderr(&act));
    }
    center.edit(&center.file(&id, "fr"), "Salut", "Bonsoir");
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.texts()[&(id.clone(), "en".into(), "parent")], billing);
    assert!(center.texts()[&(id.clone(), "fr".into(), "body")].contains("Bonsoir"));

    for locale in ["en", "fr", "pt-BR", "zh-CN"] {
        std::fs::remove_file(folder.join(center.file(&ids[0], locale))).unwrap();
    }
    center.sandbox.forget_requests();
    let kept = center.push(&[]);
    assert_eq!((kept.status.code(), status_of(&kept, &ids[0])), (Some(0), "missing".into()));
    assert_eq!(center.push(&["--delete"]).status.code(), Some(2));
    assert!(center.writes().is_empty());
    assert_eq!(center.push(&["--delete", "--yes"]).status.code(), Some(0));
    assert_eq!(center.writes(), [format!("DELETE /articles/{}", ids[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_sends_nothing_twice() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = &center.ids()[0];
    let name = center.file(id, "en");
    let old = center.files();
    center.edit(&name, " word\n", " EDITED\n\nadded\n");
    let edited = center.files()[&name].clone();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    // The folder after a push that was killed right after the server stored its update.
    for (path, content) in &old {
        std::fs::write(center.folder().join(path), content).unwrap();
    }
    std::fs::write(center.folder().join(&name), edited).unwrap();
    center.sandbox.forget_requests();
    let again = center.push(&[]);
    assert_eq!(
        (again.status.code(), status_of(&again, id)),
        (Some(0), "unchanged".into()),
        "{}",
        stdout(&again)
    );
    assert!(center.writes().is_empty());
    let status = center.run(&["status", "--from", "help"]);
    assert_eq!(statuses(&status), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_response_is_not_taken_for_another_workspace() {
    let center = HelpCenter::new(2).await;
    let asked = std::sync::Mutex::new(std::collections::BTreeSet::new());
    center.sandbox.inject_faults(move |_, served| {
        let reads = served.method == "GET" && served.path != "/articles";
        (reads && asked.lock().unwrap().insert(served.path.clone())).then_some(Fault::Blank)
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.edit(&center.file(&center.ids()[0], "en"), " word\n", " OURS\n");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    center.sandbox.inject_faults(|_, served| (served.path == "/me").then_some(Fault::Blank));
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(5), "{}", stderr(&pulled));
    assert!(!stderr(&pulled).contains("workspace"), "{}", stderr(&pulled));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_confirms_more_than_a_hundred_articles_by_itself() {
    let center = HelpCenter::new(104).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for id in &center.ids() {
        center.edit(&center.file(id, "en"), " word\n", " OURS\n");
    }
    let refused = center.push(&["--agent"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("more than 100 records need --yes"), "{}", stderr(&refused));
    assert!(center.writes().is_empty());
    assert_eq!(center.push(&["--agent", "--yes"]).status.code(), Some(0));
    assert_eq!(center.writes().len(), 104);
}
