//! A push creates each new file as an article exactly once, even if it is interrupted, and never deletes it.

use intercom::sandbox::Fault;
use serde_json::{Value, json};

use crate::articles::help_center::{HelpCenter, statuses, strip_volatile};
use crate::support::{stderr, stdout};

const TEXT: &str = "---\ntitle: Birth\n---\n\nSome *new* text.\n";

impl HelpCenter {
    fn write(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Pushes, and expects that nothing is left to do.
    fn assert_settled(&self) {
        self.sandbox.forget_requests();
        let again = self.push(&["--delete", "--yes"]);
        assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
        assert!(self.writes().is_empty(), "{:?}", self.writes());
        assert_eq!(statuses(&self.run(&["status", "--from", "help"])), []);
    }
}

fn sorted(output: &std::process::Output) -> Vec<String> {
    let mut found: Vec<String> = statuses(output).into_iter().map(|(_, status)| status).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_does_not_delete_what_it_created() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write("birth.md", TEXT);
    center.write("second/other.md", &TEXT.replace("Birth", "Second"));
    center.write("fr/third.md", &TEXT.replace("title: Birth", "title: Birth\nlocale: en"));
    let planned = center.push(&["--delete", "--yes", "--dry-run"]);
    assert_eq!(sorted(&planned), ["would_create"; 3]);
    let pushed = center.push(&["--delete", "--yes"]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert_eq!(sorted(&pushed), ["created"; 3], "{}", stdout(&pushed));
    assert_eq!(center.ids().len(), 5);
    assert_eq!(center.writes(), ["POST /articles"; 3]);
    center.assert_settled();
    // Without --delete, it is not reported as missing either.
    center.write("fourth.md", TEXT);
    assert_eq!(sorted(&center.push(&[])), ["created"]);
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_creates_no_duplicate_and_loses_no_edit() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write("birth.md", TEXT);
    center.write("late.md", &TEXT.replace("Birth", "Late"));
    center.sandbox.inject_faults(|_, served| (served.method == "POST").then_some(Fault::Drop));
    assert_eq!(center.push(&[]).status.code(), Some(5));
    center.sandbox.inject_faults(|_, _| None);
    assert_eq!(center.ids().len(), 3);
    // One file is unchanged; the other was edited in the meantime.
    center.write("late.md", &TEXT.replace("Birth", "Late").replace("text", "words"));
    center.sandbox.forget_requests();
    let pushed = center.push(&[]);
    assert_eq!(sorted(&pushed), ["conflict", "created"], "{}", stdout(&pushed));
    assert!(center.writes().is_empty(), "{:?}", center.writes());
    assert!(center.read("late.md").contains("*new* words"));
    let results = statuses(&pushed);
    let id = &results.iter().find(|(_, status)| status == "conflict").unwrap().0;
    let forced = center.push(&["--force", id]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert_eq!(center.writes(), [format!("PUT /articles/{id}")]);
    assert!(center.texts()[&(id.clone(), "en".into(), "body")].contains("words"));
    assert_eq!(center.ids().len(), 3);
    center.assert_settled();
}

/// The folder after a push that was killed right after it received the response.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_killed_after_the_response_is_completed() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let old = center.files();
    center.write("birth.en.md", &TEXT.replace("title: Birth", "title: Birth\nauthor: nobody@x.test"));
    center.write("birth.fr.md", TEXT);
    let author = center
        .sandbox
        .with_workspace(|workspace| workspace.admins.first().unwrap().document()["email"].clone());
    center.edit("birth.en.md", "nobody@x.test", author.as_str().unwrap());
    let (english, french) = (center.read("birth.en.md"), center.read("birth.fr.md"));
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let id = statuses(&pushed)[0].0.clone();

    let mut manifest: Value = serde_json::from_slice(&old["manifest.json"]).unwrap();
    let note = json!({"title": "Birth", "since": 1, "id": id});
    manifest["articles"][&id] = json!({"default_locale": "en", "files": {}});
    manifest["creating"] = json!({"birth.en.md": note, "birth.fr.md": note});
    // The French file was not written before the kill; the English one already had its id.
    std::fs::remove_file(center.folder().join(center.file(&id, "en"))).unwrap();
    std::fs::remove_file(center.folder().join(center.file(&id, "fr"))).unwrap();
    center.write("manifest.json", &manifest.to_string());
    center.write("birth.en.md", &english.replace("title", &format!("id: {id}\ntitle")));
    center.write("birth.fr.md", &french);
    center.sandbox.forget_requests();
    let again = center.push(&["--delete", "--yes"]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_eq!(statuses(&again), [(id.clone(), "unchanged".into())]);
    assert!(center.writes().is_empty(), "{:?}", center.writes());
    assert!(center.read("birth.fr.md").contains(&format!("id: {id}\n")));
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_after_a_lost_response_creates_no_duplicate() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write("birth.md", TEXT);
    center.sandbox.inject_faults(|_, served| (served.method == "POST").then_some(Fault::Drop));
    assert_eq!(center.push(&[]).status.code(), Some(5));
    center.sandbox.inject_faults(|_, _| None);
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stdout(&pushed));
    assert!(stderr(&pushed).contains("remove this file"), "{}", stderr(&pushed));
    assert_eq!(center.ids().len(), 2);
    std::fs::remove_file(center.folder().join("birth.md")).unwrap();
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_its_id_still_belongs_to_its_article() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = &center.ids()[0];
    let name = center.file(id, "en");
    center.edit(&name, &format!("id: {id}\n"), "");
    center.edit(&name, " word\n", " EDITED\n");
    let pushed = center.push(&["--delete", "--yes"]);
    assert_eq!(statuses(&pushed), [(id.clone(), "updated".into())], "{}", stderr(&pushed));
    assert!(center.read(&name).contains(&format!("id: {id}\n")));
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_article_needs_the_default_language() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write("neuf.fr.md", TEXT);
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stdout(&pushed));
    assert!(stderr(&pushed).contains("needs a text in en"), "{}", stderr(&pushed));
    center.write("neuf.md", TEXT);
    center.write("neuf.en.md", TEXT);
    let twice = center.push(&[]);
    assert!(stderr(&twice).contains("several files are the same new article in en"), "{}", stderr(&twice));
    assert!(center.writes().is_empty());
    std::fs::remove_file(center.folder().join("neuf.md")).unwrap();
    let pushed = center.push(&["--only", "neuf*"]);
    assert_eq!(center.writes(), ["POST /articles"], "{}", stderr(&pushed));
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_while_a_file_is_unreadable() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&["--locale", "en"]).status.code(), Some(0));
    let ids = center.ids();
    let name = center.file(&ids[0], "en");
    std::fs::rename(center.folder().join(&name), center.folder().join("moved.md")).unwrap();
    center.edit("moved.md", "title: ", "title: [");
    let pushed = center.push(&["--delete", "--yes"]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stdout(&pushed));
    assert!(stderr(&pushed).contains("moved.md cannot be read"), "{}", stderr(&pushed));
    assert!(center.writes().is_empty());
    // A single language of an article cannot be deleted.
    assert_eq!(center.push(&["--delete", "--yes", "--locale", "en"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_front_matter_are_reported() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write("birth.md", "# Birth\n\ntext\n");
    center.write("README.md", "# How we write\n");
    center.write(".github/notes.md", "x\n");
    for act in [center.push(&[]), center.run(&["status", "--from", "help"]), center.push(&["--dry-run"])] {
        assert_eq!(act.status.code(), Some(0), "{}", stderr(&act));
        assert_eq!(sorted(&act), ["skipped"]);
        assert!(stderr(&act).contains("birth.md:1: no front matter"), "{}", stderr(&act));
    }
    assert!(center.writes().is_empty());
    // A file that is named like a translation must be one.
    center.write("birth.fr.md", "# Naissance\n");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stdout(&pushed));
    assert!(stderr(&pushed).contains("birth.fr.md:1: no front matter: expected"), "{}", stderr(&pushed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_description_is_cleared_and_a_removed_line_is_restored() {
    let center = HelpCenter::new(1).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.description = "About it".into());
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = center.ids()[0].clone();
    let name = center.file(&id, "en");
    let described = || center.texts()[&(id.clone(), "en".to_owned(), "description")].clone();
    center.edit(&name, "description: About it\n", "");
    assert_eq!(statuses(&center.push(&[])), [(id.clone(), "unchanged".into())]);
    assert_eq!(described(), "About it");
    assert!(
        center.read(&name).contains("description: About it\n"),
        "the file shows the server's description"
    );
    center.edit(&name, "description: About it\n", "description:\n");
    let pushed = center.push(&[]);
    assert_eq!(statuses(&pushed), [(id.clone(), "updated".into())], "{}", stderr(&pushed));
    assert_eq!(described(), "");
    assert!(strip_volatile(&center.texts()[&(id.clone(), "en".into(), "body")]).contains(" word"));
    center.assert_settled();
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_names_that_do_not_exist_are_reported() {
    let center = HelpCenter::new(2).await;
    for words in [&["--only", "bogus"][..], &["--only", "*bogus*"], &["--locale", "zz"]] {
        let pulled = center.pull(words);
        assert_eq!(pulled.status.code(), Some(3), "{words:?}: {}", stdout(&pulled));
        assert_eq!(sorted(&pulled), ["not_found"]);
    }
    assert!(stderr(&center.pull(&["--locale", "zz"])).contains("zz: expected en, fr, pt-BR, zh-CN"));
    let id = center.ids()[0].clone();
    let some = center.pull(&["--only", &format!("{id},bogus"), "--locale", "en"]);
    assert_eq!((some.status.code(), sorted(&some)), (Some(6), vec!["created".into(), "not_found".into()]));
    for (words, message) in [
        (["push", "--force", "nope"], "article nope not found in this folder"),
        (["push", "--only", "bogus"], "no article or file matches"),
        (["push", "--locale", "zz"], "no article has the language zz: expected en"),
        (["diff", "--only", "bogus"], "no article or file matches"),
        (["status", "--locale", "zz"], "no article has the language zz"),
        (["lint", "--only", "bogus"], "not found: bogus"),
    ] {
        let output = center.run(&[&words[..], &["--from", "help"]].concat());
        assert_eq!(output.status.code(), Some(3), "{words:?}: {}", stdout(&output));
        assert!(stderr(&output).contains(message), "{words:?}: {}", stderr(&output));
    }
    // It is not an error if there is nothing to do, or if only the server has the article.
    assert_eq!(center.push(&["--only", &id, "--force", &id, "--locale", "en"]).status.code(), Some(0));
    let other = center.run(&["status", "--from", "help", "--only", &center.ids()[1]]);
    assert_eq!(other.status.code(), Some(0), "{}", stderr(&other));
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_mention_conflict_files_only_if_there_are_any() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    center.edit(&center.file(&ids[0], "en"), "title: ", "title: [");
    let failed = center.push(&[]);
    assert_eq!(failed.status.code(), Some(5));
    assert!(!stderr(&failed).contains(".conflict.md"), "{}", stderr(&failed));
    center.edit_remotely(&ids[1], " word</p>", " THEIRS</p>");
    center.edit(&center.file(&ids[1], "en"), " word\n", " OURS\n");
    let planned = center.push(&["--dry-run"]);
    assert!(!stderr(&planned).contains(".conflict.md"), "{}", stderr(&planned));
    assert!(stderr(&center.push(&[])).contains("each conflict is in a .conflict.md"));
    for locale in ["en", "fr", "pt-BR", "zh-CN"] {
        std::fs::remove_file(center.folder().join(center.file(&ids[1], locale))).unwrap();
    }
    center.edit(&center.file(&ids[0], "en"), "title: [", "title: ");
    let deleted = center.push(&["--delete", "--yes"]);
    assert_eq!(statuses(&deleted), [(ids[1].clone(), "conflict".into())], "{}", stderr(&deleted));
    assert!(!stderr(&deleted).contains(".conflict.md"), "{}", stderr(&deleted));
}
