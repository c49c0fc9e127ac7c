//! Unusual titles, files and folders: clear messages, and never a write outside the folder.

use crate::articles::help_center::{HelpCenter, statuses};
use crate::support::{Server, binary, json, response, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn file_names_are_safe_for_any_title() {
    let center = HelpCenter::new(7).await;
    let titles = ["../../etc/passwd", "CON", &"A".repeat(300), "😀😀", "Same", "Same", "a: b # \"c\""]
        .map(str::to_owned);
    center.sandbox.with_workspace(|workspace| {
        for (article, title) in workspace.articles.iter_mut().zip(&titles) {
            article.title.clone_from(title);
        }
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for name in center.files().keys().filter(|name| name.ends_with(".md")) {
        assert!(name.len() < 120 && name.is_ascii() && !name.contains(['/', ':', ' ']), "{name}");
        assert!(name.starts_with(|letter: char| letter.is_ascii_digit()), "{name}");
    }
    let outside = std::fs::read_dir(center.home.path()).unwrap().count();
    assert_eq!(outside, 1);
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());
    // File names stay when the title changes.
    let names: Vec<String> = center.files().into_keys().collect();
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.title = "Another".into());
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    assert_eq!(center.files().into_keys().collect::<Vec<_>>(), names);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn symbolic_links_are_not_followed() {
    let center = HelpCenter::new(2).await;
    let outside = tempfile::tempdir().unwrap();
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = &center.ids()[0];
    let name = center.file(id, "en");
    let target = outside.path().join("victim.md");
    std::fs::write(&target, "mine").unwrap();
    std::fs::remove_file(center.folder().join(&name)).unwrap();
    std::os::unix::fs::symlink(&target, center.folder().join(&name)).unwrap();
    center.edit_remotely(id, " word</p>", " THEIRS</p>");
    let other = center.ids()[1].clone();
    center.edit_remotely(&other, " word</p>", " THEIRS</p>");
    let pulled = center.pull(&[]);
    assert_eq!(pulled.status.code(), Some(6), "{}", stderr(&pulled));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine");
    assert!(
        std::fs::read_to_string(center.folder().join(center.file(&other, "en"))).unwrap().contains("THEIRS")
    );
    let pushed = center.push(&["--delete", "--yes"]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stderr(&pushed));
    let link = |(_, status): &&(String, String)| status == "failed";
    assert_eq!(statuses(&pushed).iter().filter(link).count(), 1, "{}", stderr(&pushed));
    assert!(stderr(&pushed).contains("symbolic link") && center.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_file_does_not_block_the_others() {
    let center = HelpCenter::new(8).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let ids = center.ids();
    let write = |at: usize, change: &dyn Fn(String) -> Vec<u8>| {
        let path = center.folder().join(center.file(&ids[at], "en"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(text)).unwrap();
    };
    write(0, &|text| text.replacen("title: ", "title: [", 1).into_bytes());
    write(1, &|text| [text.as_bytes(), b"caf\xe9\n"].concat());
    write(2, &|text| text.replacen("locale: en", "locale: ../en", 1).into_bytes());
    write(3, &|text| text.replacen("id: ", "id: ../", 1).into_bytes());
    write(4, &|text| text.replace('\n', "\r\n").into_bytes());
    write(5, &|text| format!("\u{feff}{text}").into_bytes());
    write(6, &|text| text.replacen(" word\n", " EDITED\n", 1).replace('\n', "\r\n").into_bytes());
    let name = center.file(&ids[7], "en");
    std::fs::rename(center.folder().join(&name), center.folder().join("my-own-name.md")).unwrap();
    let pushed = center.push(&[]);
    let errors = stderr(&pushed);
    assert_eq!(pushed.status.code(), Some(6), "{errors}");
    assert_eq!(center.writes(), [format!("PUT /articles/{}", ids[6])]);
    assert_eq!(statuses(&pushed).iter().filter(|(_, status)| status == "failed").count(), 4, "{errors}");
    for (at, line) in [(2, ":3: invalid locale"), (3, ":2: invalid id")] {
        assert!(errors.contains(&format!("{}{line}", center.file(&ids[at], "en"))), "{errors}");
    }
    assert!(errors.contains("invalid UTF-8"), "{errors}");
    let files = center.files();
    assert!(files[&center.file(&ids[6], "en")].windows(2).any(|pair| pair == b"\r\n"));
    assert!(files.contains_key("my-own-name.md"));
    // A pull does not overwrite the invalid ones either.
    let again = center.pull(&[]);
    assert_ne!(again.status.code(), Some(0));
    assert!(center.files()[&center.file(&ids[1], "en")].ends_with(b"caf\xe9\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_must_exist_and_match_the_workspace() {
    let center = HelpCenter::new(1).await;
    let nothing = center.push(&[]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(stderr(&nothing).contains("articles pull --to"), "{}", stderr(&nothing));
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let path = center.folder().join("manifest.json");
    let manifest = std::fs::read_to_string(&path).unwrap();
    let workspace = center.sandbox.with_workspace(|workspace| workspace.id.clone());
    std::fs::write(&path, manifest.replace(&workspace, "another")).unwrap();
    for output in [center.push(&[]), center.pull(&[])] {
        assert_eq!(output.status.code(), Some(10));
        assert!(stderr(&output).contains("another"), "{}", stderr(&output));
    }
    let name = center.file(&center.ids()[0], "en");
    std::fs::write(&path, manifest.replace(&name, "../outside.md")).unwrap();
    assert_eq!(center.pull(&[]).status.code(), Some(10));
    std::fs::write(&path, "{").unwrap();
    assert!(stderr(&center.push(&[])).contains("manifest.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lint_finds_problems_that_readers_would_notice() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&["--locale", "en"]).status.code(), Some(0));
    let name = center.file(&center.ids()[0], "en");
    let path = center.folder().join(&name);
    let head: String = std::fs::read_to_string(&path).unwrap().split_inclusive("---\n").take(2).collect();
    let text =
        "# A\n\n### B\n\n![](https://x.test/a.png) [gone](999-x.en.md) [here](NAME)\n".replace("NAME", &name);
    std::fs::write(&path, format!("{head}\n{text}")).unwrap();
    let other = std::fs::read_to_string(&path).unwrap().replace("locale: en", "locale: fr");
    std::fs::write(center.folder().join(name.replace(".en.", ".fr.")), other).unwrap();
    let linted = center.run(&["lint", "--from", "help", "--only", &center.ids()[0]]);
    assert_eq!(linted.status.code(), Some(6), "{}", stderr(&linted));
    let errors = String::from_utf8(linted.stdout).unwrap();
    for rule in ["heading_jump", "missing_alt", "broken_link"] {
        assert_eq!(errors.matches(&format!("\"{rule}\"")).count(), 2, "{rule}: {errors}");
    }
    let all = String::from_utf8(center.run(&["lint", "--from", "help"]).stdout).unwrap();
    assert!(all.contains("missing_translation"), "{all}");
    // An unreadable file does not count as a missing translation.
    std::fs::write(&path, b"---\ntitle: caf\xe9\n---\n").unwrap();
    let linted = center.run(&["lint", "--from", "help", "--only", &center.ids()[0]]);
    let errors = String::from_utf8(linted.stdout.clone()).unwrap();
    assert!(errors.contains("unreadable") && !errors.contains("missing_translation"), "{errors}");
    assert!(!stderr(&linted).contains("doctor"), "{}", stderr(&linted));
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_downloaded_into_the_folder() {
    let center = HelpCenter::new(1).await;
    let images = Server::start(|_| response(200, "image/png", "PNG"));
    let id = center.ids()[0].clone();
    let image = format!("<img src=\"{}/a/Screen Shot.png?expires=1&amp;signature=2\" alt=\"s\">", images.url);
    let html = format!("<p class=\"no-margin\">see {image} here</p>").replace("Screen Shot", "Screen%20Shot");
    center.sandbox.with_workspace(|workspace| {
        let article = workspace.articles.get_mut(&id).unwrap();
        article.body.clone_from(&html);
        for content in article.translations.iter_mut().flat_map(|locales| locales.values_mut()) {
            content["body"] = html.clone().into();
        }
    });
    let pulled = center.pull(&["--images", "download"]);
    assert_eq!(pulled.status.code(), Some(0), "{}", stderr(&pulled));
    assert_eq!(images.take().len(), 1);
    let files = center.files();
    let kept: Vec<_> = files.iter().filter(|(name, _)| name.starts_with("images/")).collect();
    assert_eq!((kept.len(), kept[0].1.as_slice()), (1, b"PNG".as_slice()));
    let text = String::from_utf8(files[&center.file(&id, "en")].clone()).unwrap();
    assert!(text.contains(&format!("see ![s]({}) here", kept[0].0)), "{text}");
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());
    center.edit(&center.file(&id, "en"), " here", " there");
    assert_eq!(center.push(&[]).status.code(), Some(0));
    let body = center.texts()[&(id.clone(), "en".into(), "body")].clone();
    assert_eq!(body, html.replace(" here", " there"));
    let again = center.pull(&["--images", "download"]);
    assert!(statuses(&again).iter().all(|(_, status)| status == "unchanged"));
    assert!(images.take().is_empty());
}

/// A killed pull leaves files that the manifest does not list.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_pull_completes_an_interrupted_one() {
    let center = HelpCenter::new(6).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let whole = center.files();
    let ids = center.ids();
    std::fs::remove_file(center.folder().join("manifest.json")).unwrap();
    for locale in ["en", "fr"] {
        let _ = std::fs::remove_file(center.folder().join(format!(".intercom/{}.{locale}.html", ids[0])));
    }
    std::fs::remove_file(center.folder().join(center.file(&ids[1], "en"))).unwrap();
    let again = center.pull(&[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(statuses(&again).iter().all(|(_, status)| status == "created"), "{:?}", statuses(&again));
    assert_eq!(center.files(), whole);
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());

    // Changes made on either side in the meantime are merged.
    std::fs::remove_file(center.folder().join("manifest.json")).unwrap();
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(2), "{}", stderr(&pushed));
    center.edit(&center.file(&ids[2], "en"), " word\n", " OURS\n");
    center.edit_remotely(&ids[3], " word</p>", " THEIRS</p>");
    let again = center.pull(&[]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let text = |id: &String| String::from_utf8(center.files()[&center.file(id, "en")].clone()).unwrap();
    assert!(text(&ids[2]).contains(" OURS") && text(&ids[3]).contains(" THEIRS"));
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert_eq!(center.writes(), [format!("PUT /articles/{}", ids[2])]);
}

/// A 404 page of a proxy does not mean that the article was deleted.
#[test]
fn only_a_404_of_the_api_counts_as_deleted() {
    use std::sync::atomic::{AtomicU8, Ordering};
    let home = tempfile::tempdir().unwrap();
    let stage = std::sync::Arc::new(AtomicU8::new(0));
    let now = std::sync::Arc::clone(&stage);
    let article = r#"{"id":"1","title":"T","body":"<p>a</p>","state":"draft","default_locale":"en"}"#;
    let server = Server::start(move |request| match (request.path.as_str(), now.load(Ordering::SeqCst)) {
        ("/me", _) => json(200, r#"{"app":{"id_code":"w1"}}"#),
        (path, 0) if path.starts_with("/articles?") || path == "/articles" => {
            json(200, &format!(r#"{{"type":"list","data":[{article}],"total_count":1}}"#))
        }
        ("/articles/1", 1) => response(404, "text/html", "<html><h1>404 Not Found</h1>nginx</html>"),
        ("/articles/1", _) => json(
            404,
            r#"{"type":"error.list","errors":[{"code":"not_found","message":"Resource Not Found"}]}"#,
        ),
        _ => json(200, r#"{"type":"list","data":[],"total_count":0}"#),
    });
    let pull = |more: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_BASE_URL", &server.url).env("INTERCOM_ACCESS_TOKEN", "token_of_a_test");
        command.args(["articles", "pull", "--to", "help", "--json"]).args(more).output().unwrap()
    };
    let file = home.path().join("help/1-t.en.md");
    let first = pull(&[]);
    assert!(first.status.success() && file.exists(), "{}", stderr(&first));
    stage.store(1, Ordering::SeqCst);
    assert_eq!(pull(&["--prune"]).status.code(), Some(5));
    assert!(file.exists());
    stage.store(2, Ordering::SeqCst);
    let pruned = pull(&["--prune"]);
    assert!(pruned.status.success() && !file.exists(), "{}", stderr(&pruned));
}
