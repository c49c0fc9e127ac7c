//! Versions of articles: the texts that changes left behind.
//!
//! Versions are recorded when a text changes, and must never be changed afterwards.

use serde_json::{Value, json};

use super::operations::operations;
use crate::html::readable;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::knowledge::{ArticleText, ArticleVersion};
use crate::sandbox::paging::{PAGES_FIRST, numbered_page};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "listArticleVersions" => list,
    "retrieveArticleVersion" => retrieve,
}

/// Records the text after a change. The first change also records the text before it.
pub fn record_version(workspace: &mut Workspace, before: &HelpArticle, after: &HelpArticle) {
    let locale = workspace.locale();
    let (earlier, texts) = (before.texts(locale), after.texts(locale));
    if earlier == texts {
        return;
    }
    let first = || ArticleVersion {
        texts: earlier,
        author_id: before.author_id,
        via: "web",
        created_at: before.updated_at,
    };
    let change =
        ArticleVersion { texts, author_id: after.author_id, via: "api", created_at: after.updated_at };
    let versions = workspace.knowledge.versions.entry(after.id.clone()).or_default();
    if versions.is_empty() {
        versions.push(first());
    }
    versions.push(change);
}

/// Oldest first. An article without recorded versions has its text as the only one.
fn versions_of(workspace: &Workspace, article: &HelpArticle) -> Vec<ArticleVersion> {
    match workspace.knowledge.versions.get(&article.id) {
        Some(versions) => versions.clone(),
        None => vec![ArticleVersion {
            texts: article.texts(workspace.locale()),
            author_id: article.author_id,
            via: "web",
            created_at: article.updated_at,
        }],
    }
}

/// The locale that the request asks for, or the default one.
fn requested_locale<'a>(workspace: &'a Workspace, request: &'a ApiRequest) -> Result<&'a str, ErrorResponse> {
    let locale = request.query("locale").unwrap_or(workspace.locale());
    let is_enabled = workspace.locales.iter().any(|enabled| enabled == locale);
    if is_enabled { Ok(locale) } else { Err(ErrorResponse::invalid("locale", "Unknown locale")) }
}

/// A version and its place in the history, starting at 1.
struct NumberedVersion {
    number: usize,
    is_live: bool,
    version: ArticleVersion,
    text: ArticleText,
}

impl NumberedVersion {
    fn summary(&self, article: &HelpArticle) -> Value {
        let created_by_id = self.version.author_id.to_string();
        json!({
            "type": "article_version",
            "id": version_id(article, self.number),
            "article_id": article.id,
            "title": self.text.title,
            "description": self.text.description,
            "author_id": created_by_id,
            "created_by_id": created_by_id,
            "created_via": self.version.via,
            "from_version_id": (self.number > 1).then(|| version_id(article, self.number - 1)),
            "state": if self.is_live { "published" } else { "draft" },
            "created_at": self.version.created_at,
        })
    }
}

fn version_id(article: &HelpArticle, number: usize) -> String {
    format!("{}{number:03}", article.id)
}

/// The versions that have a text in the requested locale, newest first.
fn numbered_versions(workspace: &Workspace, article: &HelpArticle, locale: &str) -> Vec<NumberedVersion> {
    let versions = versions_of(workspace, article);
    let newest = versions.len();
    let numbered = versions.into_iter().zip(1..).filter_map(|(version, number)| {
        let text = version.texts.get(locale)?.clone();
        Some(NumberedVersion { number, is_live: number == newest && article.published, version, text })
    });
    let mut numbered: Vec<_> = numbered.collect();
    numbered.reverse();
    numbered
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let article = workspace.articles.find(request.path("article_id"))?;
    let versions = numbered_versions(workspace, article, requested_locale(workspace, request)?);
    let page = numbered_page(request, &versions, (25, 150))?.without_link();
    Ok(page.list("list", PAGES_FIRST, |version| version.summary(article)))
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let article = workspace.articles.find(request.path("article_id"))?;
    let versions = numbered_versions(workspace, article, requested_locale(workspace, request)?);
    let has_id = |version: &&NumberedVersion| version_id(article, version.number) == request.path("id");
    let version = versions.iter().find(has_id).ok_or_else(ErrorResponse::record_not_found)?;
    let mut document = version.summary(article);
    document["body"] = json!(version.text.body);
    document["body_markdown"] = json!(readable::text(&version.text.body));
    document["updated_at"] = json!(version.version.created_at);
    Ok(document.into())
}
