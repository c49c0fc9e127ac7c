//! A sandbox with articles of every kind, and the binary that pulls and pushes them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::binary;

pub const LOCALES: [&str; 4] = ["en", "fr", "pt-BR", "zh-CN"];

/// Constructs found in bodies of real articles. `@` is replaced by a number, so that no two blocks are equal.
pub const PIECES: [&str; 22] = [
    "<p class=\"no-margin\">para @ word with <b>bold</b>, <i>italic</i> &amp; <a href=\"https://x.test/a?b=1&amp;c=2\" target=\"_blank\" class=\"intercom-content-link\">a link</a></p>",
    "<h1 id=\"h_0a1b2c@\">Head @</h1>",
    "<h3 id=\"h_33@\">Three <i>@</i></h3>",
    "<ul><li><p class=\"no-margin\">one @</p><ul><li><p class=\"no-margin\">nested</p><ol><li>deep</li></ol></li></ul></li><li><p class=\"no-margin\">two</p></li></ul>",
    "<ol start=\"4\"><li>first @</li><li>second<br>line</li></ol>",
    "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"background-color: #e8e8e880\"><p class=\"no-margin\">A|@</p></td><td><p class=\"no-margin\"><b>B</b></p></td></tr><tr><td></td><td><p class=\"no-margin\">10,000</p></td></tr></tbody></table></div>",
    "<div class=\"intercom-container\"><img src=\"https://downloads.test/i/o/@/a.png?expires=1779616800&amp;signature=abc&amp;req=x%3D\" width=\"320\" alt=\"pic @\"></div>",
    "<iframe src=\"https://www.youtube.com/embed/a@\" frameborder=\"0\" allowfullscreen></iframe>",
    "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p class=\"no-margin\">Note <b>this</b> @</p><ul><li>a</li></ul></div>",
    "<pre><code>if (a &lt; @) {\n\n  b();\n}</code></pre>",
    "<details><summary>More @</summary><p class=\"no-margin\">inside <code>x</code></p><ul><li>y</li></ul></details>",
    "<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://x.test/@\">Press @</a></p>",
    "<p class=\"no-margin\">&copy; &eacute; &nbsp;&nbsp; &#128512; 😀 5 &lt; 6 &quot;@&quot;</p>",
    "<p dir=\"rtl\" class=\"no-margin\">שלום @ עולם مرحبا</p>",
    "<p class=\"no-margin\"></p>",
    "<hr>",
    "<p class=\"no-margin\">1. not a list @</p>",
    "<p class=\"no-margin\"># no * heading * _em_ [x](y) `code` \\ ~ @</p>",
    "<blink data-x=\"@\">weird</blink>",
    "<section><div><p class=\"no-margin\">unknown @</section>",
    "<p class=\"no-margin\"><span style=\"color: red\">red @</span> <u>under</u> H<sub>2</sub>O <b> spaced </b>x</p>",
    "<blockquote><p class=\"no-margin\">quote @</p></blockquote>",
];

/// A body with an editable first paragraph and a different choice of pieces for each number.
pub fn body(number: usize) -> String {
    let gap = ["", "\n", "\n\n", " "][number % 4];
    let mut state = number as u64 + 1;
    let mut pieces = vec![format!("<p class=\"no-margin\">opening {number} word</p>")];
    for at in 0..4 + number % 9 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let piece = PIECES[(state >> 33) as usize % PIECES.len()];
        pieces.push(piece.replace('@', &format!("{number}{at}")));
    }
    pieces.join(gap)
}

/// All texts of all articles, by `(id, locale, field)`.
pub type Texts = BTreeMap<(String, String, &'static str), String>;

pub struct HelpCenter {
    pub sandbox: Sandbox,
    pub home: TempDir,
}

impl HelpCenter {
    pub async fn new(articles: usize) -> Self {
        let options = Options {
            articles,
            contacts: 2,
            companies: 1,
            conversations: 2,
            tickets: 1,
            locales: LOCALES.map(str::to_owned).to_vec(),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.with_workspace(|workspace| {
            for (number, article) in workspace.articles.iter_mut().enumerate() {
                article.body = body(number);
                let contents = article.translations.iter_mut().flat_map(|locales| locales.values_mut());
                for (at, content) in contents.enumerate() {
                    content["body"] = body(10_000 * (at + 1) + number).into();
                }
            }
        });
        HelpCenter { sandbox, home: tempfile::tempdir().unwrap() }
    }

    pub fn folder(&self) -> PathBuf {
        self.home.path().join("help")
    }

    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = binary(self.home.path());
        command.env("INTERCOM_BASE_URL", self.sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
        command.arg("articles").args(words).arg("--json").output().unwrap()
    }

    pub fn pull(&self, more: &[&str]) -> Output {
        self.run(&[&["pull", "--to", "help"], more].concat())
    }

    pub fn push(&self, more: &[&str]) -> Output {
        self.run(&[&["push", "--from", "help"], more].concat())
    }

    /// The write requests so far, as method and path.
    pub fn writes(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        let writes = requests.iter().filter(|request| request.method != "GET");
        writes.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub fn texts(&self) -> Texts {
        let mut texts = Texts::new();
        self.sandbox.with_workspace(|workspace| {
            for article in workspace.articles.iter() {
                let mut add = |locale: &str, field, text: &str| {
                    texts.insert((article.id.clone(), locale.to_owned(), field), text.to_owned());
                };
                add("en", "title", &article.title);
                add("en", "description", &article.description);
                add("en", "body", &article.body);
                add("en", "state", article.state());
                add("en", "parent", article.parent_id.as_deref().unwrap_or_default());
                for (locale, content) in article.translations.iter().flatten() {
                    for field in ["title", "description", "body", "state"] {
                        add(locale, field, content[field].as_str().unwrap_or_default());
                    }
                }
            }
        });
        texts
    }

    /// Changes the body of an article on the server, as a colleague would.
    pub fn edit_remotely(&self, id: &str, from: &str, to: &str) {
        self.sandbox.with_workspace(|workspace| {
            let article = workspace.articles.get_mut(id).unwrap();
            assert!(article.body.contains(from), "{}", article.body);
            article.body = article.body.replacen(from, to, 1);
            article.updated_at += 5;
        });
    }

    /// All files by path, including hidden ones.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut pending = vec![self.folder()];
        while let Some(folder) = pending.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                } else {
                    let name = path.strip_prefix(self.folder()).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, std::fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// Path of the file of an article in a language.
    pub fn file(&self, id: &str, locale: &str) -> String {
        let ending = format!(".{locale}.md");
        let start = format!("{id}-");
        let is_match =
            |name: &&String| name.rsplit('/').next().unwrap().starts_with(&start) && name.ends_with(&ending);
        self.files().keys().find(is_match).unwrap().clone()
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.folder().join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.sandbox.with_workspace(|workspace| {
            workspace.articles.iter().map(|article| article.id.clone()).collect()
        });
        ids.sort();
        ids
    }
}

/// The body without heading ids and image signatures, which the server regenerates.
pub fn strip_volatile(html: &str) -> String {
    intercom::articles::convert::normalize::strip_volatile(html).into_owned()
}

/// Id and status of each record in a command's output.
pub fn statuses(output: &Output) -> Vec<(String, String)> {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let records = document["results"]["articles"].as_array().unwrap();
    records.iter().map(|record| (text(&record["id"]), text(&record["status"]))).collect()
}
