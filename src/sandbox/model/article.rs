//! Articles of a help center.

use serde_json::{Map, Value, json};

use super::plain::set_fields;
use crate::sandbox::record_set::workspace_records;

/// A help center article. Times are epoch seconds.
#[derive(Debug, Clone, Default)]
pub struct HelpArticle {
    pub id: String,
    pub title: String,
    pub description: String,
    /// HTML, as stored by the API.
    pub body: String,
    pub author_id: i64,
    pub published: bool,
    /// Id of the collection that contains it.
    pub parent_id: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    /// Translations by locale, without the default locale; `None` if multilingual help is disabled.
    pub translations: Option<Map<String, Value>>,
    pub views: i64,
}

workspace_records!(HelpArticle);

impl HelpArticle {
    pub fn state(&self) -> &'static str {
        if self.published { "published" } else { "draft" }
    }

    /// Public URL; drafts have none.
    pub fn url(&self, locale: &str) -> Option<String> {
        let slug: String = self
            .title
            .to_lowercase()
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        self.published.then(|| format!("https://help.sandbox.test/{locale}/articles/{}-{slug}", self.id))
    }

    /// `parents` are the ids of the enclosing collections, innermost first.
    pub fn document(&self, workspace_id: &str, locale: &str, parents: &[String]) -> Value {
        let number = |id: &String| id.parse::<i64>().ok();
        let mut document = json!({
            "type": "article",
            "id": self.id,
            "workspace_id": workspace_id,
            "parent_id": self.parent_id.as_ref().and_then(number),
            "parent_type": self.parent_id.as_ref().map(|_| "collection"),
            "parent_ids": parents.iter().filter_map(number).collect::<Vec<_>>(),
            "tags": {"type": "tag.list", "tags": []},
        });
        let content = self.content(locale);
        set_fields(&mut document, &content, &["type"]);
        document["default_locale"] = json!(locale);
        if let Some(translations) = &self.translations {
            let mut contents = translations.clone();
            contents.insert("type".to_owned(), json!("article_translated_content"));
            contents.insert(locale.to_owned(), content);
            document["translated_content"] = Value::Object(contents);
        }
        document
    }

    /// The default locale as an entry of `translated_content`.
    fn content(&self, locale: &str) -> Value {
        let texts = [&self.title, &self.description, &self.body].map(String::as_str);
        let mut content =
            article_content(texts, self.author_id, self.state(), [self.created_at, self.updated_at]);
        content["url"] = json!(self.url(locale));
        content
    }

    /// Statistics, which only the single-article document includes.
    pub fn statistics(&self) -> Value {
        json!({
            "type": "article_statistics",
            "views": self.views,
            "conversations": self.views / 40,
            "reactions": self.views / 10,
            "happy_reaction_percentage": 71,
            "neutral_reaction_percentage": 18,
            "sad_reaction_percentage": 11,
        })
    }
}

/// An entry of `translated_content`: title, description and body, and times of creation and last change.
pub fn article_content(
    [title, description, body]: [&str; 3],
    author_id: i64,
    state: &str,
    [created_at, updated_at]: [i64; 2],
) -> Value {
    json!({
        "type": "article_content",
        "title": title,
        "description": description,
        "body": body,
        "author_id": author_id,
        "state": state,
        "created_at": created_at,
        "updated_at": updated_at,
        "url": null,
    })
}
