//! The help center as files: pulled, edited and pushed with the binary against a sandbox workspace.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod conversion;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use intercom::sandbox::{Fault, Options, Sandbox, TOKEN};
use serde_json::{Value, json};
use support::{binary, document, stderr};

/// Between them they hold everything that bodies were seen to hold.
const WILD: &str = concat!(
    "<h2 id=\"h_0a\">Überblick &amp; mehr</h2>\n<p class=\"no-margin\">Most people need <b>two minutes</b> for this \u{1f389}.</p>",
    "<ul>\n<li><p class=\"no-margin\">One <a href=\"https://x.test/a?b=1&amp;c=2\" target=\"_blank\" rel=\"noopener\">link</a></p>",
    "<ul><li><p class=\"no-margin\">Two</p></li></ul></li></ul>",
    "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"background-color: #e8e8e880\"><p class=\"no-margin\">Plan</p></td></tr></tbody></table></div>",
    "<table><tbody><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></tbody></table>",
    "<div class=\"intercom-container\"><img src=\"https://d.test/i.png?expires=1&amp;signature=a\" alt=\"A page\"></div>",
    "<div class=\"intercom-container\"><img src=\"https://d.test/j.png\" alt=\"\" width=\"200\"/></div>",
    "<iframe src=\"https://www.youtube.com/embed/x\" frameborder=\"0\" allowfullscreen></iframe>",
    "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p class=\"no-margin\">Careful</p></div>",
    "<pre><code>if (a &lt; b) {\n\n  go();\n}</code></pre><details><summary>Why?</summary><p class=\"no-margin\">Because.</p></details>",
    "<p dir=\"rtl\" class=\"no-margin\">\u{645}\u{631}\u{62d}\u{628}\u{627}</p><p class=\"intercom-align-center\">Centre &nbsp; &copy;</p>",
    "<p class=\"no-margin\">Unclosed bold<p class=\"no-margin\">Next</p>\r\n\r\n<custom-tag>\n\nx</custom-tag><p class=\"no-margin\">The end.</p>",
);

struct Desk {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Desk {
    async fn new(articles: usize, locales: &[&str]) -> Desk {
        let locales = locales.iter().map(|it| (*it).to_owned()).collect();
        let options = Options {
            articles,
            locales,
            contacts: 1,
            companies: 1,
            conversations: 1,
            tickets: 1,
            ..Options::default()
        };
        Desk { sandbox: Sandbox::start(options).await.unwrap(), home: tempfile::tempdir().unwrap() }
    }

    fn run(&self, words: &str) -> Output {
        let mut command = binary(self.home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", self.sandbox.base_url());
        command.args(words.split_whitespace()).arg("--json").output().unwrap()
    }

    fn ok(&self, words: &str) -> Value {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(0), "{words}: {}", stderr(&output));
        document(&output)
    }

    fn pull(&self) -> Value {
        self.ok("articles pull --to help")
    }

    /// Every file but the hidden ones.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let root = self.home.path().join("help");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with(".intercom") {
                    folders.push(path);
                } else if path.is_file() {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("help").join(name)
    }

    /// The file of an article.
    fn file(&self, id: &str, locale: &str) -> PathBuf {
        let ending = format!(".{locale}.md");
        let name = self.files().into_keys().find(|name| {
            let name = name.rsplit('/').next().unwrap();
            name.starts_with(&format!("{id}-")) && name.ends_with(&ending)
        });
        self.path(&name.unwrap_or_else(|| panic!("{id} {locale}")))
    }

    fn edit(&self, id: &str, locale: &str, from: &str, to: &str) {
        let path = self.file(id, locale);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn ids(&self) -> Vec<String> {
        self.sandbox.with_workspace(|workspace| workspace.articles.iter().map(|it| it.id.clone()).collect())
    }

    fn body(&self, id: &str, locale: &str) -> String {
        self.sandbox.with_workspace(|workspace| {
            let article = workspace.articles.get(id).unwrap();
            match article.translations.as_ref().and_then(|all| all.get(locale)) {
                Some(content) => content["body"].as_str().unwrap().to_owned(),
                None => article.body.clone(),
            }
        })
    }

    /// Puts a body into every language of an article, as the server keeps it.
    fn set(&self, id: &str, body: &str) {
        self.sandbox.with_workspace(|workspace| {
            let now = workspace.now();
            let article = workspace.articles.get_mut(id).unwrap();
            body.clone_into(&mut article.body);
            article.updated_at = now;
            for content in article.translations.iter_mut().flat_map(|all| all.values_mut()) {
                content["body"] = json!(body);
            }
        });
    }

    fn writes(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        self.sandbox.forget_requests();
        requests
            .into_iter()
            .filter(|it| it.method != "GET")
            .map(|it| format!("{} {}", it.method, it.path))
            .collect()
    }
}

/// HTML without the ids that the server gives to headings with every write.
fn without_ids(html: &str) -> String {
    let mut parts = html.split(" id=\"h_");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + part.split_once('"').unwrap().1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_help_center_goes_there_and_back() {
    let desk = Desk::new(300, &["en", "fr", "de", "ar"]).await;
    let ids = desk.ids();
    ids.iter().step_by(3).for_each(|id| desk.set(id, WILD));
    let pulled = desk.pull();
    assert_eq!(pulled["meta"]["count"], 1200);
    assert_eq!(desk.files().len(), 1201);
    desk.sandbox.forget_requests();
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);
    assert_eq!(desk.writes(), Vec::<String>::new());

    let edited: Vec<(&String, &str)> =
        ids.iter().step_by(15).zip(["en", "fr", "de", "ar"].into_iter().cycle()).collect();
    assert_eq!(edited.len(), 20);
    let before: Vec<_> =
        ids.iter().map(|id| ["en", "fr", "de", "ar"].map(|locale| desk.body(id, locale))).collect();
    let states: Vec<_> =
        desk.sandbox.with_workspace(|it| it.articles.iter().map(|it| it.published).collect());
    edited.iter().for_each(|(id, locale)| desk.edit(id, locale, "Most people need", "Everybody needs"));
    let pushed = desk.ok("articles push --from help");
    assert_eq!(pushed["meta"]["count"], 20, "{pushed}");
    let writes = desk.writes();
    assert_eq!(writes.len(), 20, "{writes:?}");
    for (id, before) in ids.iter().zip(before) {
        for (locale, before) in ["en", "fr", "de", "ar"].into_iter().zip(before) {
            let now = desk.body(id, locale);
            match edited.contains(&(id, locale)) {
                true => assert_eq!(
                    without_ids(&now),
                    without_ids(&before.replacen("Most people need", "Everybody needs", 1))
                ),
                false => assert_eq!(without_ids(&now), without_ids(&before)),
            }
        }
    }
    let after: Vec<_> = desk.sandbox.with_workspace(|it| it.articles.iter().map(|it| it.published).collect());
    assert_eq!(states, after);
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);
    assert_eq!(desk.writes(), Vec::<String>::new());
    let files = desk.files();
    assert_eq!(desk.pull()["meta"]["count"], 0);
    assert!(files == desk.files());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_s_work_is_kept() {
    let desk = Desk::new(6, &["en", "fr"]).await;
    let ids = desk.ids();
    ids.iter().for_each(|id| desk.set(id, WILD));
    desk.pull();
    desk.edit(&ids[0], "en", "The end.", "The very end.");
    desk.edit(&ids[1], "en", "The end.", "Our end.");
    desk.edit(&ids[2], "fr", "Careful", "Attention");
    desk.set(&ids[0], &WILD.replace("Because", "Since").replace("h_0a", "h_0b"));
    desk.set(&ids[1], &WILD.replace("The end", "Their end"));
    desk.sandbox.forget_requests();

    let status = desk.ok("articles status --from help");
    let shown: Vec<_> = status["results"]["articles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["status"].as_str().unwrap())
        .collect();
    assert!(
        shown.contains(&"conflict") && shown.contains(&"modified") && shown.contains(&"remote changed"),
        "{shown:?}"
    );
    let dry = desk.run("articles push --from help --dry-run");
    assert_eq!(dry.status.code(), Some(6));
    assert_eq!(desk.writes(), Vec::<String>::new());

    let pushed = desk.run("articles push --from help");
    assert_eq!(pushed.status.code(), Some(6), "{}", stderr(&pushed));
    assert_eq!(desk.writes().len(), 2);
    let merged = WILD.replace("Because", "Since").replace("The end", "The very end");
    assert_eq!(without_ids(&desk.body(&ids[0], "en")), without_ids(&merged));
    assert_eq!(desk.body(&ids[1], "en"), WILD.replace("The end", "Their end"));
    assert_eq!(without_ids(&desk.body(&ids[2], "fr")), without_ids(&WILD.replace("Careful", "Attention")));
    let conflict =
        std::fs::read_to_string(desk.file(&ids[1], "en").to_str().unwrap().replace(".md", ".conflict.md"))
            .unwrap();
    assert!(["The end.", "Our end.", "Their end."].iter().all(|text| conflict.contains(text)), "{conflict}");
    assert!(std::fs::read_to_string(desk.file(&ids[0], "en")).unwrap().contains("Since."));

    // A pull meets the same conflict and keeps the edit; force is for this article alone.
    assert_eq!(desk.run("articles pull --to help").status.code(), Some(6));
    assert!(std::fs::read_to_string(desk.file(&ids[1], "en")).unwrap().contains("Our end."));
    desk.ok(&format!("articles push --from help --force {}", ids[1]));
    assert!(desk.body(&ids[1], "en").contains("Our end."));
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_and_made_good() {
    let desk = Desk::new(4, &["en"]).await;
    let ids = desk.ids();
    ids.iter().for_each(|id| desk.set(id, WILD));
    desk.pull();
    ids.iter().for_each(|id| desk.edit(id, "en", "The end.", "An end."));
    desk.sandbox.intercept(|_, served| (served.method == "PUT").then_some(422));
    let output = desk.run("articles push --from help");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let refused = format!("/articles/{}", ids[1]);
    desk.sandbox
        .intercept(move |_, served| (served.method == "PUT" && served.path == refused).then_some(409));
    assert_eq!(desk.run("articles push --from help").status.code(), Some(6));
    desk.sandbox.intercept(|_, _| None);
    desk.sandbox.forget_requests();
    desk.ok("articles push --from help");
    assert_eq!(desk.writes(), [format!("PUT /articles/{}", ids[1])]);
    ids.iter().for_each(|id| assert!(desk.body(id, "en").contains("An end.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_killed_is_continued() {
    let desk = Desk::new(8, &["en", "fr"]).await;
    let ids = desk.ids();
    ids.iter().for_each(|id| desk.set(id, WILD));
    desk.pull();
    ids.iter().for_each(|id| desk.edit(id, "fr", "The end.", "Fin."));
    let (tell, told) = std::sync::mpsc::channel();
    desk.sandbox.intercept(move |_, served| {
        if served.method == "PUT" {
            let _ = tell.send(());
        }
        None
    });
    let mut command = binary(desk.home.path());
    command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", desk.sandbox.base_url());
    let mut child = command
        .args(["articles", "push", "--from", "help", "--json"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    (0..3).for_each(|_| told.recv().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    desk.ok("articles push --from help");
    ids.iter().for_each(|id| {
        assert_eq!(without_ids(&desk.body(id, "fr")), without_ids(&WILD.replace("The end.", "Fin.")));
        assert_eq!(without_ids(&desk.body(id, "en")), without_ids(WILD));
    });
    desk.sandbox.forget_requests();
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);
    assert_eq!(desk.writes(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn articles_are_created_translated_moved_and_deleted() {
    let desk = Desk::new(5, &["en", "pt-BR"]).await;
    desk.ok("articles pull --to help --tree");
    let ids = desk.ids();
    std::fs::write(desk.path("new.en.md"), "---\ntitle: Brand new\n---\n\nHello **you**.\n").unwrap();
    std::fs::write(desk.path("new.pt-BR.md"), "---\ntitle: Novo\nstate: published\n---\n\nOi.\n").unwrap();
    let created = desk.ok("articles push --from help");
    let id = created["results"]["articles"][0]["article"].as_str().unwrap().to_owned();
    assert_eq!(without_ids(&desk.body(&id, "pt-BR")), "<p class=\"no-margin\">Oi.</p>");
    assert!(!desk.sandbox.with_workspace(|it| it.articles.get(&id).unwrap().published));
    assert!(std::fs::read_to_string(desk.path("new.en.md")).unwrap().contains(&format!("id: \"{id}\"")));
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);

    // An answer that is lost does not make a second article.
    std::fs::write(desk.path("lost.en.md"), "---\ntitle: Lost\n---\n\nx\n").unwrap();
    desk.sandbox.disturb(|_, served| (served.method == "POST").then_some(Fault::Drop));
    assert_ne!(desk.run("articles push --from help").status.code(), Some(0));
    desk.sandbox.disturb(|_, _| None);
    desk.ok("articles push --from help");
    let lost = |workspace: &mut intercom::sandbox::Workspace| {
        workspace.articles.iter().filter(|it| it.title == "Lost").count()
    };
    assert_eq!(desk.sandbox.with_workspace(lost), 1);

    // Into another collection's folder, with all its languages.
    let files = desk.files();
    let folder = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let moving = files.keys().find(|name| folder(name).is_some() && name.ends_with(".en.md")).unwrap();
    let target =
        files.keys().filter_map(|name| folder(name)).find(|it| Some(it) != folder(moving).as_ref()).unwrap();
    let name = moving.rsplit('/').next().unwrap();
    for name in [name.to_owned(), name.replace(".en.", ".pt-BR.")] {
        let from = desk.path(&folder(moving).unwrap()).join(&name);
        std::fs::rename(from, desk.path(&target).join(&name)).unwrap();
    }
    let moved = name.split('-').next().unwrap();
    desk.sandbox.forget_requests();
    desk.ok("articles push --from help");
    assert_eq!(desk.writes(), [format!("PUT /articles/{moved}")]);
    let parent = desk.sandbox.with_workspace(|it| it.articles.get(moved).unwrap().parent_id.clone().unwrap());
    assert!(target.ends_with(&format!("-{parent}")), "{target} {parent}");

    let gone = ids.iter().find(|id| *id != moved).unwrap();
    for locale in ["en", "pt-BR"] {
        std::fs::remove_file(desk.file(gone, locale)).unwrap();
    }
    desk.ok("articles push --from help");
    assert_eq!(desk.run("articles push --from help --delete").status.code(), Some(2));
    assert!(desk.ids().contains(gone));
    desk.ok("articles push --from help --delete --yes");
    assert!(!desk.ids().contains(gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_outside_and_one_bad_file_stops_no_other() {
    let desk = Desk::new(7, &["en", "zh-CN"]).await;
    let ids = desk.ids();
    let titles = ["../../etc/passwd", "CON", &"x".repeat(300), "\u{1f389}", "Same", "Same", "a: \"b\" #c"];
    desk.sandbox.with_workspace(|workspace| {
        for (id, title) in ids.iter().zip(titles) {
            workspace.articles.get_mut(id).unwrap().title = title.to_owned();
        }
    });
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(desk.path("")).unwrap();
    let trap = desk.path(&format!("{}-con.en.md", ids[1]));
    std::os::unix::fs::symlink(outside.path().join("trap.md"), &trap).unwrap();
    let output = desk.run("articles pull --to help");
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(std::fs::read_dir(outside.path()).unwrap().next().is_none());
    assert!(
        desk.files().keys().all(|name| name.is_ascii() && name.len() < 100 && !name.contains("..")),
        "{:?}",
        desk.files().keys()
    );
    std::fs::remove_file(trap).unwrap();
    desk.pull();
    desk.sandbox.forget_requests();
    assert_eq!(desk.ok("articles push --from help")["meta"]["count"], 0);

    let damage = |id: &str, text: &[u8]| std::fs::write(desk.file(id, "en"), text).unwrap();
    damage(&ids[0], b"---\ntitle: [\n---\n\nx\n");
    damage(&ids[1], b"---\ntitle: x\n---\n\n\xff\n");
    damage(&ids[2], b"---\ntitle: x\nlocale: ../x\n---\n");
    damage(&ids[3], b"---\ntitle: x\nid: ../../x\n---\n");
    let windows = std::fs::read_to_string(desk.file(&ids[4], "en")).unwrap();
    damage(&ids[4], format!("\u{feff}{}", windows.replace('\n', "\r\n")).as_bytes());
    desk.edit(&ids[5], "en", "Most people", "Most of us");
    let renamed = desk.path("other-name.en.md");
    std::fs::rename(desk.file(&ids[6], "en"), &renamed).unwrap();
    let output = desk.run("articles push --from help");
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert_eq!(desk.writes(), [format!("PUT /articles/{}", ids[5])]);
    let told = document(&output)["results"].to_string();
    for reason in ["line 2", "line 5: this is not UTF-8", "line 3", "is no locale", "is no id"] {
        assert!(told.contains(reason), "{reason}: {told}");
    }

    std::fs::remove_file(desk.path("manifest.json")).unwrap();
    assert_eq!(desk.run("articles push --from help").status.code(), Some(2));
    let other = Desk::new(1, &["en"]).await;
    other.pull();
    let manifest = std::fs::read_to_string(other.path("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["workspace"] = json!("another");
    std::fs::write(other.path("manifest.json"), manifest.to_string()).unwrap();
    other.edit(&other.ids()[0], "en", "Most", "All");
    assert_eq!(other.run("articles push --from help").status.code(), Some(10));
    assert_eq!(other.run("articles pull --to help").status.code(), Some(10));
    std::fs::write(other.path("manifest.json"), "{\n nonsense").unwrap();
    let output = other.run("articles push --from help");
    assert!(stderr(&output).contains("line 2"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_keeps_edits_and_tells_what_is_gone() {
    let desk = Desk::new(4, &["en"]).await;
    let ids = desk.ids();
    ids.iter().for_each(|id| desk.set(id, WILD));
    desk.pull();
    desk.edit(&ids[0], "en", "The end.", "Mine.");
    desk.edit(&ids[1], "en", "The end.", "Mine.");
    desk.set(&ids[0], &WILD.replace("Because", "Since"));
    desk.sandbox.with_workspace(|workspace| drop(workspace.articles.remove(&ids[3])));
    let pulled = desk.pull();
    let status: BTreeMap<_, _> = pulled["results"]["articles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["article"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect();
    assert_eq!(status, BTreeMap::from([(ids[0].as_str(), "merged"), (ids[3].as_str(), "deleted upstream")]));
    let text = std::fs::read_to_string(desk.file(&ids[0], "en")).unwrap();
    assert!(text.contains("Mine.") && text.contains("Since."));
    desk.sandbox.forget_requests();
    desk.ok("articles push --from help");
    assert_eq!(desk.writes().len(), 2);
    assert_eq!(
        without_ids(&desk.body(&ids[0], "en")),
        without_ids(&WILD.replace("Because", "Since").replace("The end", "Mine"))
    );
    desk.ok("articles pull --to help --prune");
    assert!(!desk.files().keys().any(|name| name.starts_with(&ids[3])));
    desk.edit(&ids[1], "en", "Mine.", "Lost.");
    desk.set(&ids[1], WILD);
    desk.ok("articles pull --to help --force");
    let kept = std::fs::read_dir(desk.path(".intercom/backup")).unwrap();
    assert!(
        kept.map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap())
            .any(|text| text.contains("Lost."))
    );
    assert!(Path::new(&desk.file(&ids[1], "en")).exists());
}
