//! A folder that is pulled with one API version and pushed with another.

use std::collections::BTreeMap;

use crate::articles::help_center::{HelpCenter, statuses, strip_volatile};
use crate::support::stderr;

const PAIRS: [[&str; 2]; 3] = [["2.13", "2.16"], ["2.16", "2.13"], ["2.16", "2.16"]];

impl HelpCenter {
    /// The ids and statuses of a command that is run with an API version.
    fn statuses_at(&self, version: &str, words: &[&str]) -> Vec<(String, String)> {
        let output = self.run(&[words, &["--api-version", version]].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?} with {version}: {}", stderr(&output));
        statuses(&output)
    }

    /// The collections of all articles.
    fn parents(&self) -> BTreeMap<String, Option<String>> {
        self.sandbox.with_workspace(|workspace| {
            workspace.articles.iter().map(|article| (article.id.clone(), article.parent_id.clone())).collect()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_shows_no_differences_with_another_version() {
    for [first, second] in PAIRS {
        let center = HelpCenter::new(12).await;
        center.statuses_at(first, &["pull", "--to", "help", "--tree"]);
        let files = center.files();
        for words in [
            &["status", "--from", "help", "--exit-code"][..],
            &["diff", "--from", "help", "--exit-code"],
            &["pull", "--to", "help", "--tree"],
            &["push", "--from", "help"],
        ] {
            let changed: Vec<_> = center
                .statuses_at(second, words)
                .into_iter()
                .filter(|(_, status)| status != "unchanged")
                .collect();
            assert!(changed.is_empty(), "{words:?} with {second} after {first}: {changed:?}");
        }
        assert!(center.files() == files, "{first}, {second}");
        assert!(center.writes().is_empty(), "{first}, {second}: {:?}", center.writes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_and_collections_are_pushed_with_any_version() {
    for [first, second] in PAIRS {
        let center = HelpCenter::new(8).await;
        center.statuses_at(first, &["pull", "--to", "help", "--tree"]);
        let (parents, texts) = (center.parents(), center.texts());
        let [edited, moved] = [&center.ids()[0], &center.ids()[1]];
        center.edit(&center.file(edited, "en"), " word", " edited");
        // Every language is in the folder of the collection.
        let target = parents.values().flatten().find(|id| parents[moved].as_ref() != Some(id)).unwrap();
        let folder = |id: &str| {
            let other = parents.iter().find(|(_, parent)| parent.as_deref() == Some(id)).unwrap().0;
            center.file(other, "en").rsplit_once('/').unwrap().0.to_owned()
        };
        let folder = folder(target);
        for locale in ["en", "fr", "pt-BR", "zh-CN"] {
            let from = center.file(moved, locale);
            let to = format!("{folder}/{}", from.rsplit('/').next().unwrap());
            std::fs::rename(center.folder().join(&from), center.folder().join(to)).unwrap();
        }
        let pushed = center.statuses_at(second, &["push", "--from", "help"]);
        for id in [edited, moved] {
            assert!(pushed.contains(&(id.clone(), "updated".to_owned())), "{first}, {second}: {pushed:?}");
        }
        let mut expected = parents.clone();
        expected.insert(moved.clone(), Some(target.clone()));
        assert_eq!(center.parents(), expected, "{first}, {second}");
        for (key, text) in center.texts() {
            let before = &texts[&key];
            let expected = match (&key.0, key.1.as_str(), key.2) {
                (id, "en", "body") if id == edited => before.replacen(" word", " edited", 1),
                (id, "en", "parent") if id == moved => target.clone(),
                _ => before.clone(),
            };
            assert_eq!(strip_volatile(&text), strip_volatile(&expected), "{key:?} with {second}");
        }
        for version in [first, second] {
            let after = center.statuses_at(version, &["status", "--from", "help", "--exit-code"]);
            assert!(after.iter().all(|(_, status)| status == "unchanged"), "{version}: {after:?}");
        }
        assert!(center.file(moved, "fr").starts_with(&folder));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_in_the_help_center_is_not_replaced_unasked() {
    let center = HelpCenter::new(2).await;
    let [drafted, other] = [&center.ids()[0], &center.ids()[1]];
    center.sandbox.with_workspace(|workspace| {
        let article = workspace.articles.get_mut(drafted).unwrap();
        article.translations.as_mut().unwrap()["fr"]["has_unpublished_changes"] = true.into();
    });
    center.statuses_at("2.16", &["pull", "--to", "help"]);
    for id in [drafted, other] {
        center.edit(&center.file(id, "fr"), " word", " edited");
    }
    let body = |id: &String| center.texts()[&(id.clone(), "fr".to_owned(), "body")].clone();
    for more in [&["--dry-run"][..], &[]] {
        let pushed = center.push(&[more, &["--api-version", "2.16"]].concat());
        assert_eq!(pushed.status.code(), Some(6), "{}", stderr(&pushed));
        assert!(statuses(&pushed).contains(&(drafted.clone(), "conflict".to_owned())));
        assert!(stderr(&pushed).contains(&format!("--force {drafted}")), "{}", stderr(&pushed));
    }
    assert!(!body(drafted).contains(" edited") && body(other).contains(" edited"));
    center.statuses_at("2.16", &["push", "--from", "help", "--force", drafted]);
    assert!(body(drafted).contains(" edited"));
}
