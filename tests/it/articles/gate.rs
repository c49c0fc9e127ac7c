//! Push, its dry run, status, diff and lint block the same articles for the same reasons.

use std::process::Output;

use serde_json::Value;

use crate::articles::help_center::{HelpCenter, statuses, strip_volatile};
use crate::support::{stderr, stdout};

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)))
}

/// Path, line and rule of the findings that block an article, as a push reports them.
fn blocking_findings(output: &Output) -> Vec<(String, u64, String)> {
    let records = document(output)["results"]["articles"].as_array().unwrap().clone();
    let findings =
        records.iter().flat_map(|record| record["findings"].as_array().cloned().unwrap_or_default());
    errors_of(findings)
}

fn errors_of(findings: impl Iterator<Item = Value>) -> Vec<(String, u64, String)> {
    let errors = findings.filter(|finding| finding["severity"] == "error");
    let mut found: Vec<_> = errors
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            (text("path"), finding["line"].as_u64().unwrap_or_default(), text("rule"))
        })
        .collect();
    found.sort();
    found
}

impl HelpCenter {
    fn put(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn lint(&self) -> Output {
        self.run(&["lint", "--from", "help"])
    }

    /// Asserts that push, its dry run, status, diff and lint report the same findings, and that nothing is
    /// written.
    #[track_caller]
    fn assert_blocked(&self, expected: &[(&str, u64, &str)]) {
        let expected: Vec<(String, u64, String)> = expected
            .iter()
            .map(|(path, line, rule)| ((*path).to_owned(), *line, (*rule).to_owned()))
            .collect();
        self.sandbox.forget_requests();
        let linted = self.lint();
        assert_eq!(linted.status.code(), Some(6), "{}", stdout(&linted));
        let findings = document(&linted)["results"]["findings"].as_array().unwrap().clone();
        assert_eq!(errors_of(findings.into_iter()), expected, "lint");
        for words in [&["push", "--dry-run"][..], &["status"], &["diff"], &["push"]] {
            let output = self.run(&[words, &["--from", "help"]].concat());
            assert_eq!(blocking_findings(&output), expected, "{words:?}: {}", stderr(&output));
            if words[0] == "push" {
                let is_article =
                    expected.iter().any(|(.., rule)| rule != "placement" && rule != "missing_title");
                let code = if is_article { 6 } else { 5 };
                assert_eq!(output.status.code(), Some(code), "{words:?}: {}", stderr(&output));
            }
            for (path, line, _) in expected.iter().filter(|(_, line, _)| *line > 0) {
                assert!(stderr(&output).contains(&format!("{path}:{line}: ")), "{}", stderr(&output));
            }
        }
        assert!(self.writes().is_empty(), "{:?}", self.writes());
    }

    /// Asserts that a new file with this text is blocked by this rule, in this line of the text.
    #[track_caller]
    fn assert_new_blocked(&self, text: &str, line: u64, rule: &str) {
        self.put("new.md", &format!("---\ntitle: New\n---\n\n{text}\n"));
        self.assert_blocked(&[("new.md", line + 4, rule)]);
        std::fs::remove_file(self.folder().join("new.md")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unresolved_merge_is_not_published() {
    let center = HelpCenter::new(3).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for marker in ["<<<<<<< HEAD", "=======", ">>>>>>> branch", "||||||| 1a2b3c4", "|||||||"] {
        center.assert_new_blocked(&format!("a\n\n{marker}\n\nb"), 3, "merge_marker");
    }
    center.assert_new_blocked("```\n<<<<<<< HEAD\n```", 2, "merge_marker");
    center.put("new.md", "---\n<<<<<<< HEAD\ntitle: A\n=======\ntitle: B\n>>>>>>> b\n---\n\na\n");
    let pushed = center.push(&[]);
    assert!(stderr(&pushed).contains("new.md:2: unresolved merge conflict"), "{}", stderr(&pushed));
    assert_eq!(center.lint().status.code(), Some(6));
    center.put("new.md", "<<<<<<< HEAD\n---\ntitle: A\n---\n=======\n>>>>>>> b\n");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(5), "{}", stdout(&pushed));
    assert!(stderr(&pushed).contains("new.md:1: unresolved merge conflict"), "{}", stderr(&pushed));
    assert!(center.writes().is_empty());
    std::fs::remove_file(center.folder().join("new.md")).unwrap();

    // Other articles are pushed, and text that the help center already has does not block a push.
    let ids = center.ids();
    center.sandbox.with_workspace(|workspace| {
        let article = workspace.articles.get_mut(&ids[2]).unwrap();
        article.body.push_str("<pre><code>&lt;&lt;&lt;&lt;&lt;&lt;&lt; HEAD\na\n=======</code></pre>");
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    for id in &ids {
        center.edit(&center.file(id, "en"), " word\n", " EDITED\n");
    }
    center.edit(&center.file(&ids[0], "fr"), " word\n", " word\n<<<<<<< HEAD\n");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(6), "{}", stdout(&pushed));
    assert_eq!(center.writes(), [format!("PUT /articles/{}", ids[1]), format!("PUT /articles/{}", ids[2])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_not_emptied_by_accident() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let id = center.ids()[0].clone();
    for locale in ["en", "fr"] {
        let name = center.file(&id, locale);
        let whole = String::from_utf8(center.files()[&name].clone()).unwrap();
        let head: String = whole.split_inclusive("---\n").take(2).collect();
        let line = head.lines().count() as u64 + 2;
        for state in ["published", "draft"] {
            for text in ["", "  \n\t\n", "<!-- later -->\n", "&nbsp;\n", "<p></p>\n", "[a]: https://b.test\n"]
            {
                center.put(
                    &name,
                    &format!("{}\n{text}", head.replace("state: published", &format!("state: {state}"))),
                );
                center.assert_blocked(&[(&name, line, "emptied")]);
            }
        }
        center.put(&name, &whole);
    }
    // Consent to everything, as agents give it, is not enough.
    let name = center.file(&id, "en");
    let whole = String::from_utf8(center.files()[&name].clone()).unwrap();
    let head: String = whole.split_inclusive("---\n").take(2).collect();
    center.put(&name, &head);
    assert_eq!(center.push(&["--agent"]).status.code(), Some(6));
    assert_eq!(center.push(&["--allow-empty", "999"]).status.code(), Some(6));
    assert!(center.writes().is_empty());
    let allowed = center.push(&["--allow-empty", &id]);
    assert_eq!(allowed.status.code(), Some(0), "{}", stderr(&allowed));
    assert_eq!(center.texts()[&(id.clone(), "en".into(), "body")], "");
    center.put(&center.file(&id, "fr"), &head.replace("locale: en", "locale: fr"));
    assert_eq!(center.push(&["--yes"]).status.code(), Some(0));
    assert_eq!(center.texts()[&(id, "fr".into(), "body")], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn images_need_a_complete_address() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.put("img/shot.png", "PNG");
    center.put("images/shot.png", "PNG");
    for text in [
        "![a](img/shot.png)",
        "![a](images/shot.png){width=300}",
        "![a](./img/none.png)",
        "![a](/img/shot.png)",
        "![a](//cdn.test/a.png)",
        "![a](data:image/png;base64,AAAA)",
        "![a][r]\n\n[r]: img/shot.png",
        "<img src=\"img/shot.png\">",
        "x <IMG alt=a SRC=img/shot.png> y",
        "> [!NOTE]\n> ![a](img/shot.png)",
        "| a |\n| --- |\n| ![a](img/shot.png) |",
        "<details>\n<summary>a</summary>\n\n![a](img/shot.png)\n\n</details>",
        "```html raw\n<img src='img/shot.png'>\n```",
    ] {
        let line = text
            .lines()
            .position(|line| line.contains("shot") || line.contains("![") || line.contains("src"));
        let line = if text.contains("[r]") { 0 } else { line.unwrap() };
        center.assert_new_blocked(text, line as u64 + 1, "local_image");
    }
    // The same in an existing article, but only for new images.
    let name = center.file(&center.ids()[0], "en");
    center.edit(&name, " word\n", " word\n\n![a](img/none.png)\n");
    let text = String::from_utf8(center.files()[&name].clone()).unwrap();
    let line = text.lines().position(|line| line.contains("none.png")).unwrap() as u64 + 1;
    center.assert_blocked(&[(&name, line, "local_image")]);
    assert!(stderr(&center.push(&[])).contains("image img/none.png not found"));
    center.edit(&name, "img/none.png", "https://cdn.test/a.png");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_are_sent_verbatim() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let titles = ["1.10", "2.0", "No", "On", "007", "1e3", "2026-01-01", "0x1F", "true", "12:30"];
    for title in titles {
        center.put(
            &format!("t{}.md", title.replace([':', '.'], "-")),
            &format!("---\ntitle: {title}\ndescription: {title}\n---\n\nText of {title}.\n"),
        );
    }
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let texts = center.texts();
    for field in ["title", "description"] {
        for title in titles {
            assert!(texts.iter().any(|((_, _, of), text)| *of == field && text == title), "{field} {title}");
        }
    }
    assert_eq!(center.push(&[]).status.code(), Some(0));
    let name = center.file(&center.ids()[0], "en");
    let title = texts[&(center.ids()[0].clone(), "en".to_owned(), "title")].clone();
    for empty in ["~", "null", "", "\"\"", "\" \""] {
        let text = String::from_utf8(center.files()[&name].clone()).unwrap();
        let line = text.lines().position(|line| line.starts_with("title:")).unwrap();
        let old = text.lines().nth(line).unwrap().to_owned();
        center.edit(&name, &old, &format!("title: {empty}"));
        center.assert_blocked(&[(&name, line as u64 + 1, "missing_title")]);
    }
    assert_eq!(center.texts()[&(center.ids()[0].clone(), "en".to_owned(), "title")], title);
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_of_other_tools_is_rejected() {
    let center = HelpCenter::new(1).await;
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.put("new.md", "---\ntitle: New\n---\n\nText[^1].\n\n[^1]: note\n");
    center.assert_blocked(&[("new.md", 5, "unsupported"), ("new.md", 7, "unsupported")]);
    for (text, line) in [
        ("a\n\n- [ ] task", 3),
        ("a\n\n:::note\nb\n", 3),
        ("<Note>\n\na\n\n</Note>", 1),
        ("a\n\n{% hint style=\"info\" %}", 3),
        ("Term\n: definition", 1),
        ("a\n\n$$\nx\n$$", 3),
        ("> [!INFO]\n> a", 1),
    ] {
        center.assert_new_blocked(text, line, "unsupported");
    }
    // Text that only loses its formatting is sent, with a warning.
    center.put("new.md", "---\ntitle: New\n---\n\n> quote\n\n~~struck~~\n");
    for words in [&["push", "--dry-run"][..], &["push"]] {
        let output = center.run(&[words, &["--from", "help"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("warning: new.md:5: the help center removes quotes"),
            "{}",
            stderr(&output)
        );
        assert!(stderr(&output).contains("warning: new.md:7: "), "{}", stderr(&output));
    }
    // Text that the help center already has is not checked, even if other parts are edited.
    let id = center.ids()[0].clone();
    center.sandbox.with_workspace(|workspace| {
        let article = workspace.articles.get_mut(&id).unwrap();
        article
            .body
            .push_str("<p>{% x %} [^1] <sub>2</sub></p><blockquote><p>q</p></blockquote><p>&lt;Note&gt;</p>");
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.edit(&center.file(&id, "en"), " word\n", " EDITED\n");
    center.edit(&center.file(&id, "en"), "{% x %}", "edited {% x %}");
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert!(!stderr(&pushed).contains("warning"), "{}", stderr(&pushed));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_between_files_become_addresses() {
    let center = HelpCenter::new(3).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = true)
    });
    assert_eq!(center.pull(&["--tree"]).status.code(), Some(0));
    let ids = center.ids();
    let url = |id: &str| {
        center.sandbox.with_workspace(|workspace| workspace.articles.get(id).unwrap().url("en").unwrap())
    };
    let (from, to) = (center.file(&ids[0], "en"), center.file(&ids[1], "en"));
    let up = "../".repeat(from.matches('/').count());
    let path = format!("{up}{to}");
    center.edit(
        &from,
        " word\n",
        &format!(" [one]({path}) [two](<{path}#x>) [r] <a href=\"{path}\">h</a>\n\n[r]: {path}\n"),
    );
    center.edit(
        &from,
        "[r]: ",
        &format!("<div><a href='{path}'>raw</a></div>\n\n[b]({path}){{.button}}\n\n[r]: "),
    );
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    let body = center.texts()[&(ids[0].clone(), "en".into(), "body")].clone();
    assert!(!body.contains(".md"), "{body}");
    assert_eq!(body.matches(&format!("\"{}\"", url(&ids[1]))).count(), 4, "{body}");
    assert!(
        body.contains(&format!("'{}'", url(&ids[1]))) && body.contains(&format!("{}#x", url(&ids[1]))),
        "{body}"
    );
    assert!(stderr(&pushed).contains("has no heading #x"), "{}", stderr(&pushed));
    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());

    // A fresh pull shows addresses of this help center as paths, and an edit next to a link leaves it
    // unchanged.
    std::fs::remove_dir_all(center.folder()).unwrap();
    center.edit_remotely(
        &ids[2],
        " word</p>",
        &format!(" <a class=\"k\" href=\"{}-old\">o</a> word</p>", url(&ids[1])),
    );
    assert_eq!(center.pull(&["--tree"]).status.code(), Some(0));
    let text = |id: &str| String::from_utf8(center.files()[&center.file(id, "en")].clone()).unwrap();
    assert_eq!(text(&ids[0]).matches(&path).count(), 6, "{}", text(&ids[0]));
    assert!(!text(&ids[0]).contains("/en/articles/") || text(&ids[0]).matches("/en/articles/").count() == 1);
    center.edit(&center.file(&ids[2], "en"), " word\n", " EDITED\n");
    let before = center.texts()[&(ids[2].clone(), "en".into(), "body")].clone();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    let after = center.texts()[&(ids[2].clone(), "en".into(), "body")].clone();
    assert_eq!(strip_volatile(&after), strip_volatile(&before.replacen(" word<", " EDITED<", 1)));
    // Another form of the same link is not an edit.
    let name = center.file(&ids[0], "en");
    center.edit(&name, &path, &url(&ids[1]));
    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty(), "{:?}", center.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_heading_uses_its_id() {
    let center = HelpCenter::new(2).await;
    let ids = center.ids();
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = true);
        let body = "<p>a</p><h2 id=\"h_abc\">Set it up</h2>";
        workspace.articles.get_mut(&ids[1]).unwrap().body = body.into();
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let (from, to) = (center.file(&ids[0], "en"), center.file(&ids[1], "en"));
    center.edit(&from, " word\n", &format!(" [x]({to}#set-it-up)\n"));
    let pushed = center.push(&[]);
    assert_eq!(pushed.status.code(), Some(0), "{}", stderr(&pushed));
    assert!(center.texts()[&(ids[0].clone(), "en".into(), "body")].contains("#h_abc\""));
    assert!(String::from_utf8(center.files()[&from].clone()).unwrap().contains(&format!("{to}#set-it-up")));
    center.sandbox.forget_requests();
    assert_eq!(center.push(&[]).status.code(), Some(0));
    assert!(center.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_links_block_their_article() {
    let center = HelpCenter::new(1).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = true)
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    center.put("README.md", "# How we write\n");
    for text in [
        "[a](none.md)",
        "[a](none.md#x)",
        "[a](./none)",
        "[a](../outside.md)",
        "[a](README.md)",
        "[a](www.example.com)",
        "[a](/guides/x.md)",
        "[a]()",
        "[a][r]\n\n[r]: none.md",
        "<a href=\"none.md\">a</a>",
        "<div><p><a class='x' href=none.md>a</a></p></div>",
        "> [!NOTE]\n> [a](none.md)",
        "[a](none.md){.button}",
        "[▶ Video](clip.mp4)",
        "[a](https://help.sandbox.test/en/articles/999-x)",
        "[a](https://help.sandbox.test/fr/articles/999)",
    ] {
        let line = if text.contains("NOTE") { 2 } else { 1 };
        center.assert_new_blocked(text, line, "broken_link");
    }
    for text in [
        "[a](https://support.other.example/en/articles/777-x) [b](mailto:a@b.test) [c](tel:1) [d](/en/collections/1)",
        "`[a](none.md)`\n\n```\n[a](none.md)\n```",
    ] {
        center.put("new.md", &format!("---\ntitle: New\n---\n\n{text}\n"));
        let linted = center.lint();
        assert_eq!(linted.status.code(), Some(0), "{}", stdout(&linted));
        let planned = center.push(&["--dry-run"]);
        assert_eq!(planned.status.code(), Some(0), "{}", stderr(&planned));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_that_link_to_each_other_are_created_in_order() {
    let center = HelpCenter::new(1).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = true)
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let known = center.file(&center.ids()[0], "en");
    center.put("a.md", "---\ntitle: A\n---\n\n[b](b.md) and <a href=\"b.md#x\">b</a>\n");
    center.put("b.md", "---\ntitle: B\nstate: published\n---\n\n[c](sub/c.md)\n");
    center.put("sub/c.md", &format!("---\ntitle: C\nstate: published\n---\n\n[k](../{known})\n"));
    center.edit(&known, " word\n", " [a](a.md)\n");
    for act in [center.lint(), center.push(&["--dry-run"]), center.push(&[])] {
        assert_eq!(act.status.code(), Some(0), "{}{}", stdout(&act), stderr(&act));
    }
    let texts = center.texts();
    let of = |title: &str| {
        let (id, ..) = texts.iter().find(|(key, text)| key.2 == "title" && *text == title).unwrap().0.clone();
        (id.clone(), texts[&(id, "en".to_owned(), "body")].clone())
    };
    let (a, body) = of("A");
    let (b, body_of_b) = of("B");
    let (c, body_of_c) = of("C");
    assert!(body.contains(&format!("https://help.sandbox.test/en/articles/{b}-b\"")), "{body}");
    assert!(body.contains(&format!("https://help.sandbox.test/en/articles/{b}-b#x\"")), "{body}");
    assert!(body_of_b.contains(&format!("articles/{c}-c\"")), "{body_of_b}");
    assert!(body_of_c.contains(&format!("articles/{}", center.ids()[0])), "{body_of_c}");
    assert!(texts[&(center.ids()[0].clone(), "en".into(), "body")].contains(&format!("/articles/{a}\"")));
    // The files are renamed, and the links follow.
    let text = |name: &str| String::from_utf8(center.files()[name].clone()).unwrap();
    assert!(
        text(&center.file(&a, "en")).contains(&format!("[b]({b}-b.en.md) and <a href=\"{b}-b.en.md#x\">"))
    );
    assert!(text(&center.file(&b, "en")).contains(&format!("[c](sub/{c}-c.en.md)")));
    assert!(text(&known).contains(&format!("[a]({a}-a.en.md)")), "{}", text(&known));
    assert_eq!(center.lint().status.code(), Some(0), "{}", stdout(&center.lint()));
    center.sandbox.forget_requests();
    assert_eq!(statuses(&center.push(&[])), []);
    assert!(center.writes().is_empty());

    // In a cycle, no article can be created first.
    center.put("x.md", "---\ntitle: X\n---\n\n[y](y.md)\n");
    center.put("y.md", "---\ntitle: Y\n---\n\n[x](x.md)\n");
    center.put("z.md", "---\ntitle: Z\n---\n\n[x](x.md)\n");
    center.assert_blocked(&[
        ("x.md", 5, "broken_link"),
        ("y.md", 5, "broken_link"),
        ("z.md", 5, "broken_link"),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_read_only_fields_are_reported() {
    let center = HelpCenter::new(1).await;
    center.sandbox.with_workspace(|workspace| {
        workspace.articles.iter_mut().for_each(|article| article.published = true)
    });
    assert_eq!(center.pull(&[]).status.code(), Some(0));
    let name = center.file(&center.ids()[0], "en");
    center.edit(&name, "title:", "tags: [a, b]\ntitle:");
    center.edit(&name, "url: https://", "url: https://elsewhere.");
    for act in [center.lint(), center.push(&["--dry-run"]), center.push(&[])] {
        assert_eq!(act.status.code(), Some(0), "{}", stderr(&act));
        assert_eq!(stdout(&act).matches("\"not_sent\"").count(), 2, "{}", stdout(&act));
    }
    assert!(center.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_a_tree_must_be_a_collection() {
    let center = HelpCenter::new(2).await;
    assert_eq!(center.pull(&["--tree"]).status.code(), Some(0));
    center.put("unheard-of/new.md", "---\ntitle: New\n---\n\ntext\n");
    center.assert_blocked(&[("unheard-of/new.md", 0, "placement")]);
}
