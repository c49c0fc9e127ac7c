//! A folder in version control: fresh clones, a CI job that commits nothing back, and concurrent runs.

use std::path::Path;
use std::process::Output;

use intercom::sandbox::TOKEN;

use crate::articles::help_center::{HelpCenter, statuses};
use crate::support::{binary, stderr, stdout};

const TEXT: &str =
    "---\ntitle: Guide\n---\n\n## How\n\nThe *fee* is 5 euros, see ![a](https://a.test/b.png).\n";

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl HelpCenter {
    /// A copy of the folder, to be cloned repeatedly.
    fn commit(&self) -> tempfile::TempDir {
        let committed = tempfile::tempdir().unwrap();
        copy(&self.folder(), committed.path());
        committed
    }

    fn replace_with_clone(&self, committed: &Path) {
        std::fs::remove_dir_all(self.folder()).unwrap();
        copy(committed, &self.folder());
    }

    fn write_file(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    fn read_file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }
}

fn status_list(output: &Output) -> Vec<String> {
    statuses(output).into_iter().map(|(_, status)| status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_without_the_commit_create_an_article_once() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write_file("guide.md", TEXT);
    center.write_file("guide.fr.md", &TEXT.replace("Guide", "Le guide"));
    center.write_file("other.md", &TEXT.replace("Guide", "Other"));
    let committed = center.commit();
    let first = center.push(&[]);
    assert_eq!(status_list(&first), ["created", "created"], "{}", stderr(&first));
    assert!(stderr(&first).contains("commit manifest.json, .intercom/"), "{}", stderr(&first));
    for _ in 0..2 {
        center.replace_with_clone(committed.path());
        center.sandbox.forget_requests();
        let planned = center.push(&["--dry-run"]);
        assert_eq!(status_list(&planned), ["unchanged", "unchanged"], "{}", stderr(&planned));
        let again = center.push(&[]);
        assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
        assert_eq!(status_list(&again), ["unchanged", "unchanged"]);
        assert!(stderr(&again).contains("which an earlier push created; commit"), "{}", stderr(&again));
        assert!(center.writes().is_empty(), "{:?}", center.writes());
        let lists = center.sandbox.requests().iter().filter(|request| request.path == "/articles").count();
        assert_eq!(lists, 2, "one list for each push, whatever the number of new files");
        assert_eq!(status_list(&center.push(&[])), Vec::<String>::new());
    }
    assert_eq!(center.ids().len(), 4);

    // Edited without an id, it may be that article or another one, which must not be guessed.
    center.replace_with_clone(committed.path());
    center.edit("guide.md", "5 euros", "7 euros");
    let edited = center.push(&[]);
    assert_eq!(edited.status.code(), Some(6), "{}", stderr(&edited));
    assert!(status_list(&edited).contains(&"conflict".to_owned()));
    assert!(stderr(&edited).contains("has the same title but a different text"), "{}", stderr(&edited));
    assert_eq!(center.ids().len(), 4);
    let another = center.push(&["--allow-same-title"]);
    assert_eq!(another.status.code(), Some(0), "{}", stderr(&another));
    assert_eq!(center.ids().len(), 5);

    // Pulled by somebody else while the file still exists.
    let id = statuses(&first)[0].0.clone();
    center.replace_with_clone(committed.path());
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let twice = center.push(&["--only", "guide*"]);
    assert_eq!(twice.status.code(), Some(6), "{}", stderr(&twice));
    assert!(
        stderr(&twice).contains("remove this file") && stderr(&twice).contains(&id),
        "{}",
        stderr(&twice)
    );
    assert_eq!(center.ids().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_new_files_with_the_same_text_stay_two_articles() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write_file("one.md", TEXT);
    center.write_file("two.md", TEXT);
    let committed = center.commit();
    assert_eq!(status_list(&center.push(&[])), ["created", "created"]);
    center.replace_with_clone(committed.path());
    let again = center.push(&[]);
    assert_eq!(status_list(&again), ["unchanged", "unchanged"], "{}", stderr(&again));
    assert_eq!(center.ids().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_can_be_skipped() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write_file("guide.md", TEXT);
    center.edit(&center.file(&center.ids()[0], "en"), " word\n", " EDITED\n");
    let pushed = center.push(&["--no-create"]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert_eq!(status_list(&pushed), ["skipped", "updated"]);
    assert!(
        stderr(&pushed).contains("guide.md: new file, skipped because of --no-create"),
        "{}",
        stderr(&pushed)
    );
    assert_eq!(center.writes(), [format!("PUT /articles/{}", center.ids()[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_clone_duplicates_no_text() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let committed = center.commit();
    let id = center.ids()[0].clone();
    let name = center.file(&id, "en");
    center.edit(&name, " word\n", " word\n\nThe fee is 5 euros.\n");
    assert_eq!(center.push(&[]).status.code(), Some(0));
    center.replace_with_clone(committed.path());
    center.edit(&name, " word\n", " word\n\nThe fee is 7 euros.\n");
    center.sandbox.forget_requests();
    let pushed = center.push(&[]);
    assert_eq!((pushed.status.code(), status_list(&pushed)), (Some(6), vec!["conflict".to_owned()]));
    assert!(center.writes().is_empty());
    let body = || center.texts()[&(id.clone(), "en".to_owned(), "body")].clone();
    assert!(body().contains("5 euros") && !body().contains("7 euros"));
    let forced = center.push(&["--force", &id]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert!(body().contains("7 euros") && !body().contains("5 euros"), "{}", body());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_resolved_in_the_folder() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = center.ids()[0].clone();
    let name = center.file(&id, "en");
    let conflict = name.replace(".md", ".conflict.md");
    center.edit(&name, " word\n", " OURS\n");
    let early = center.run(&["resolve", &id, "--from", "help"]);
    assert_eq!(early.status.code(), Some(3), "{}", stderr(&early));
    center.edit_remotely(&id, " word</p>", " THEIRS</p>");
    assert_eq!(center.push(&[]).status.code(), Some(6));
    assert!(center.read_file(&conflict).contains("articles resolve"));
    // After the pull, a colleague changes it again: the author has not seen that version.
    assert_eq!(center.pull(&[]).status.code(), Some(6));
    center.edit_remotely(&id, " THEIRS</p>", " LATER</p>");
    let late = center.run(&["resolve", &id, "--from", "help"]);
    assert_eq!(late.status.code(), Some(6), "{}", stderr(&late));
    assert!(stderr(&late).contains("changed again"), "{}", stderr(&late));
    assert_eq!(center.pull(&[]).status.code(), Some(6));
    let resolved = center.run(&["resolve", &id, "--from", "help"]);
    assert_eq!(resolved.status.code(), Some(0), "{}", stderr(&resolved));
    assert_eq!(status_list(&resolved), ["resolved"]);
    assert!(center.read_file(&name).contains(" OURS") && !center.files().contains_key(&conflict));
    // Another clone, for example in a CI job, sends it without further steps.
    let committed = center.commit();
    center.replace_with_clone(committed.path());
    assert_eq!(status_list(&center.run(&["status", "--from", "help"])), ["modified"]);
    center.sandbox.forget_requests();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert_eq!(center.writes(), [format!("PUT /articles/{id}")]);
    assert!(center.texts()[&(id.clone(), "en".into(), "body")].contains(" OURS</p>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_language_file_is_reported() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = center.ids()[0].clone();
    let name = center.file(&id, "fr");
    std::fs::remove_file(center.folder().join(&name)).unwrap();
    for act in [center.run(&["status", "--from", "help"]), center.push(&[])] {
        assert_eq!(act.status.code(), Some(0), "{}", stderr(&act));
        assert_eq!(statuses(&act), [(id.clone(), "missing".into())]);
        assert!(stderr(&act).contains(&name) && stderr(&act).contains("still has fr"), "{}", stderr(&act));
    }
    let deleted = center.push(&["--delete", "--yes"]);
    assert_eq!(deleted.status.code(), Some(5), "{}", stdout(&deleted));
    assert!(center.writes().is_empty());
    assert_eq!(center.push(&["--locale", "en"]).status.code(), Some(0));
    assert_eq!(statuses(&center.push(&["--locale", "en"])), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_html_is_restored() {
    let center = HelpCenter::new(4).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let whole = center.files();
    let ids = center.ids();
    let lose = || std::fs::remove_dir_all(center.folder().join(".intercom")).unwrap();
    lose();
    center.edit(&center.file(&ids[0], "en"), " word\n", " OURS\n");
    center.edit_remotely(&ids[1], " word</p>", " THEIRS</p>");
    center.edit(&center.file(&ids[2], "en"), " word\n", " OURS\n");
    center.edit_remotely(&ids[2], " word</p>", " THEIRS</p>");
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(6), "{}", stderr(&pulled));
    let count = |status: &str| status_list(&pulled).iter().filter(|other| *other == status).count();
    assert_eq!((count("kept"), count("updated"), count("conflict"), count("restored")), (1, 1, 1, 13));
    for name in whole.keys().filter(|name| name.ends_with(".html")) {
        let differs = name.contains(&format!("/{}.en", ids[1])) || name.contains(&format!("/{}.en", ids[2]));
        assert!(differs || center.files().get(name) == whole.get(name), "{name}");
    }
    assert!(center.read_file(&center.file(&ids[0], "en")).contains(" OURS"));
    assert!(center.read_file(&center.file(&ids[1], "en")).contains(" THEIRS"));
    assert!(center.read_file(&center.file(&ids[2], "en")).contains(" OURS"));
    // A push does not need a pull first.
    lose();
    let pushed = center.push(&["--only", &ids[0]]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert!(center.texts()[&(ids[0].clone(), "en".into(), "body")].contains(" OURS</p>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_set_the_exit_code_on_request() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for command in ["status", "diff"] {
        assert_eq!(center.run(&[command, "--from", "help", "--exit-code"]).status.code(), Some(0));
    }
    center.edit(&center.file(&center.ids()[0], "en"), " word\n", " EDITED\n");
    for command in ["status", "diff"] {
        assert_eq!(center.run(&[command, "--from", "help", "--exit-code"]).status.code(), Some(6));
        assert_eq!(center.run(&[command, "--from", "help"]).status.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_push_at_a_time() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.write_file("guide.md", TEXT);
    center.write_file(".intercom/.writing-left", "half");
    center.sandbox.inject_faults(|_, served| {
        if served.method == "POST" {
            std::thread::sleep(std::time::Duration::from_secs(4));
        }
        None
    });
    let mut first = binary(center.home.path());
    first.env("INTERCOM_BASE_URL", center.sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    let mut first = first.args(["articles", "push", "--from", "help", "--json"]).spawn().unwrap();
    let lock = center.folder().join(".intercom/lock");
    while !lock.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(200));
    for act in [center.push(&[]), center.pull(&[])] {
        assert_eq!(act.status.code(), Some(8), "{}", stderr(&act));
        assert!(stderr(&act).contains(&format!("process {}", first.id())), "{}", stderr(&act));
        assert!(stderr(&act).contains("\"busy\""), "{}", stderr(&act));
    }
    // Commands that only read are not locked out.
    assert_eq!(center.run(&["lint", "--from", "help"]).status.code(), Some(0));
    // The lock of a killed push is not effective, and the next push removes its temporary files.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(lock.exists());
    center.sandbox.inject_faults(|_, _| None);
    let next = center.push(&[]);
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
    assert!(!center.files().keys().any(|name| name.contains(".writing-") || name.ends_with("lock")));
    let guides = center.texts().values().filter(|text| *text == "Guide").count();
    assert!(guides >= 1 && center.ids().len() == 2, "{:?}", center.ids());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_keeps_the_author() {
    let center = HelpCenter::new(1).await;
    let id = center.ids()[0].clone();
    let before = center.sandbox.with_workspace(|workspace| {
        workspace.quirks.push("token-byline".parse().unwrap());
        let me = workspace.me().unwrap().id;
        let other = workspace.admins.iter().find(|admin| admin.id != me).unwrap().id;
        let article = workspace.articles.get_mut(&id).unwrap();
        (article.author_id, article.translations) = (other, None);
        (me, other)
    });
    assert_eq!(center.pull(&["--locale", "en"]).status.code(), Some(0));
    center.edit(&center.file(&id, "en"), " word\n", " EDITED\n");
    assert_eq!(center.push(&[]).status.code(), Some(0));
    let author = || center.sandbox.with_workspace(|workspace| workspace.articles.get(&id).unwrap().author_id);
    assert_ne!(author(), before.0);
    assert_eq!(author(), before.1);
}
