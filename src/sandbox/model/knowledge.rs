//! What the knowledge base has beside live articles: staged drafts, versions, snippets, audiences, redirects, and the
//! settings that all content shares.
//!
//! It is kept outside the articles, so that their documents do not depend on it. Content is addressed by type and id,
//! as in bulk actions and searches of the API.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::article::HelpArticle;
use super::plain::PlainRecord;
use super::tagging::AppliedTag;
use crate::sandbox::record_set::RecordSet;

pub const ARTICLE: &str = "article";
/// The text of an article in one language.
pub const ARTICLE_CONTENT: &str = "article_content";
pub const INTERNAL_ARTICLE: &str = "internal_article";
pub const SNIPPET: &str = "content_snippet";

#[derive(Debug, Default)]
pub struct Knowledge {
    pub audiences: RecordSet<PlainRecord>,
    pub snippets: RecordSet<PlainRecord>,
    pub redirects: RecordSet<PlainRecord>,
    /// Staged drafts by article id.
    pub drafts: HashMap<String, ArticleDraft>,
    /// Versions by article id, oldest first. An article that never changed has none: its only version is its text.
    pub versions: HashMap<String, Vec<ArticleVersion>>,
    settings: HashMap<(&'static str, String), ContentSettings>,
}

impl Knowledge {
    pub fn settings(&self, kind: &'static str, id: &str) -> ContentSettings {
        self.settings.get(&(kind, id.to_owned())).cloned().unwrap_or_default()
    }

    pub fn settings_mut(&mut self, kind: &'static str, id: &str) -> &mut ContentSettings {
        self.settings.entry((kind, id.to_owned())).or_default()
    }

    pub fn forget_settings(&mut self, kind: &'static str, id: &str) {
        self.settings.remove(&(kind, id.to_owned()));
    }

    /// Removes a deleted tag from all content.
    pub fn remove_tag(&mut self, tag_id: &str) {
        self.settings.values_mut().for_each(|settings| settings.tags.retain(|tag| tag.tag_id != tag_id));
    }

    /// Removes a deleted audience from all content.
    pub fn remove_audience(&mut self, audience_id: i64) {
        self.settings.values_mut().for_each(|settings| settings.audience_ids.retain(|id| *id != audience_id));
    }
}

/// What content of every type has.
#[derive(Debug, Clone, Default)]
pub struct ContentSettings {
    pub tags: Vec<AppliedTag>,
    /// Ids of the audiences that the content is limited to.
    pub audience_ids: Vec<i64>,
    pub availability: Availability,
}

/// Who may use the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Availability {
    pub ai_agent: bool,
    pub copilot: bool,
    pub sales_agent: bool,
}

impl Availability {
    /// Sets the fields of a document.
    pub fn write_to(self, document: &mut Value) {
        document["ai_chatbot_availability"] = json!(self.ai_agent);
        document["ai_copilot_availability"] = json!(self.copilot);
        document["ai_sales_agent_availability"] = json!(self.sales_agent);
    }
}

/// The text of an article in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticleText {
    pub title: String,
    pub description: String,
    /// HTML, as stored by the API.
    pub body: String,
}

impl ArticleText {
    /// The fields of an entry of `translated_content`.
    pub fn of_translation(content: &Value) -> Self {
        let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
        ArticleText { title: text("title"), description: text("description"), body: text("body") }
    }

    fn write_to(&self, fields: &mut Value) {
        fields["title"] = json!(self.title);
        fields["description"] = json!(self.description);
        fields["body"] = json!(self.body);
    }
}

/// Staged text of a published article, complete for each language that has any.
#[derive(Debug, Clone, Default)]
pub struct ArticleDraft {
    pub texts: BTreeMap<String, ArticleText>,
    pub updated_at: i64,
}

/// The text of an article in all languages, as one change left it.
#[derive(Debug, Clone)]
pub struct ArticleVersion {
    pub texts: BTreeMap<String, ArticleText>,
    pub author_id: i64,
    /// `api` or `web`.
    pub via: &'static str,
    pub created_at: i64,
}

impl HelpArticle {
    /// The text in each language. `locale` is that of the article itself.
    pub fn texts(&self, locale: &str) -> BTreeMap<String, ArticleText> {
        let own = ArticleText {
            title: self.title.clone(),
            description: self.description.clone(),
            body: self.body.clone(),
        };
        let translations = self.translations.iter().flatten();
        let translations =
            translations.map(|(locale, content)| (locale.clone(), ArticleText::of_translation(content)));
        translations.chain([(locale.to_owned(), own)]).collect()
    }

    /// Replaces the text in one language. `default` is the locale of the article itself.
    pub fn set_text(&mut self, locale: &str, default: &str, text: ArticleText, at: i64) {
        if locale == default {
            (self.title, self.description, self.body) = (text.title, text.description, text.body);
            return;
        }
        let (author_id, created_at) = (self.author_id, self.created_at);
        let content = self.translations.get_or_insert_with(Map::new).entry(locale).or_insert_with(|| {
            super::article::article_content(["", "", ""], author_id, "published", [created_at, at])
        });
        text.write_to(content);
        content["updated_at"] = json!(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(title: &str) -> ArticleText {
        ArticleText { title: title.to_owned(), ..ArticleText::default() }
    }

    #[test]
    fn an_article_has_a_text_per_language() {
        let mut article = HelpArticle { title: "One".to_owned(), ..HelpArticle::default() };
        assert_eq!(article.texts("en"), BTreeMap::from([("en".to_owned(), text("One"))]));
        article.set_text("fr", "en", text("Un"), 7);
        article.set_text("en", "en", text("Two"), 7);
        assert_eq!(
            article.texts("en"),
            BTreeMap::from([("en".to_owned(), text("Two")), ("fr".to_owned(), text("Un"))])
        );
        assert_eq!(article.translations.unwrap()["fr"]["updated_at"], 7);
    }

    #[test]
    fn deleted_tags_and_audiences_leave_no_trace() {
        let mut knowledge = Knowledge::default();
        let settings = knowledge.settings_mut(SNIPPET, "1");
        settings.audience_ids = vec![5, 6];
        settings.tags = vec![AppliedTag { tag_id: "9".to_owned(), applied_at: 0, admin_id: 1 }];
        knowledge.remove_tag("9");
        knowledge.remove_audience(5);
        let left = knowledge.settings(SNIPPET, "1");
        assert_eq!((left.tags.len(), left.audience_ids), (0, vec![6]));
        knowledge.forget_settings(SNIPPET, "1");
        assert!(knowledge.settings(SNIPPET, "1").audience_ids.is_empty());
    }
}
