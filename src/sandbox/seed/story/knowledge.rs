//! Changes of the prepared articles: an earlier text, a staged draft, and a tag.

use std::collections::BTreeMap;

use super::articles::stored;
use crate::sandbox::calendar::DAY;
use crate::sandbox::model::knowledge::{ARTICLE, ArticleDraft, ArticleText, ArticleVersion};
use crate::sandbox::seed::knowledge::tag;
use crate::sandbox::workspace::Workspace;

/// The article with an earlier text and a staged draft.
const CHANGED: &str = "9100001";
/// The article with a tag.
const TAGGED: &str = "9100005";

pub fn fill(workspace: &mut Workspace, now: i64) {
    tag(workspace, ARTICLE, TAGGED, now - 20 * DAY);
    let locale = workspace.locale().to_owned();
    let Some(article) = workspace.articles.get(CHANGED) else { return };
    let texts = article.texts(&locale);
    let text = texts.get(&locale).cloned().unwrap_or_default();
    let version = |texts: BTreeMap<_, _>, created_at: i64| ArticleVersion {
        texts,
        author_id: article.author_id,
        via: "web",
        created_at,
    };
    let earlier = ArticleText {
        body: stored("<p>Open the login page and choose <b>Forgot password</b>.</p>"),
        ..text.clone()
    };
    let versions = vec![
        version(BTreeMap::from([(locale.clone(), earlier)]), article.created_at),
        version(texts, article.updated_at),
    ];
    let draft = ArticleText {
        body: stored(&text.body.replace("spam folder", "spam folder, and wait five minutes")),
        ..text
    };
    let draft = ArticleDraft { texts: BTreeMap::from([(locale, draft)]), updated_at: now - 2 * DAY };
    workspace.knowledge.versions.insert(CHANGED.to_owned(), versions);
    workspace.knowledge.drafts.insert(CHANGED.to_owned(), draft);
}
