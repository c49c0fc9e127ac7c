//! Help centers: articles, collections and internal articles.

use serde_json::{Map, Value, json};

use crate::sandbox::table::Record;

/// A help center article. Times are epoch seconds.
#[derive(Debug, Clone)]
pub struct Article {
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

impl Record for Article {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

impl Article {
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
            "title": self.title,
            "description": self.description,
            "body": self.body,
            "author_id": self.author_id,
            "state": self.state(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "url": self.url(locale),
            "default_locale": locale,
        });
        if let Some(translations) = &self.translations {
            let mut contents = translations.clone();
            contents.insert("type".to_owned(), json!("article_translated_content"));
            contents.insert(locale.to_owned(), self.content(locale));
            document["translated_content"] = Value::Object(contents);
        }
        document
    }

    /// The default locale as an entry of `translated_content`.
    fn content(&self, locale: &str) -> Value {
        json!({
            "type": "article_content",
            "title": self.title,
            "description": self.description,
            "body": self.body,
            "author_id": self.author_id,
            "state": self.state(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "url": self.url(locale),
        })
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

/// A collection of articles and nested collections.
#[derive(Debug, Clone)]
pub struct Collection {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub order: i64,
    pub parent_id: Option<String>,
    pub help_center_id: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub translations: Option<Map<String, Value>>,
}

impl Record for Collection {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

impl Collection {
    pub fn document(&self, workspace_id: &str, locale: &str) -> Value {
        let mut document = json!({
            "id": self.id,
            "workspace_id": workspace_id,
            "name": self.name,
            "description": self.description,
            "url": format!("https://help.sandbox.test/{locale}/collections/{}", self.id),
            "icon": "bookmark",
            "order": self.order,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "default_locale": locale,
            "parent_id": self.parent_id,
            "help_center_id": self.help_center_id,
        });
        if let Some(translations) = &self.translations {
            document["translated_content"] = Value::Object(translations.clone());
        }
        document
    }
}

/// An article visible to teammates only.
#[derive(Debug, Clone)]
pub struct InternalArticle {
    pub id: String,
    pub title: String,
    pub body: String,
    pub author_id: i64,
    pub owner_id: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Record for InternalArticle {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

impl InternalArticle {
    pub fn document(&self) -> Value {
        json!({
            "type": "internal_article",
            "id": self.id,
            "title": self.title,
            "body": self.body,
            "owner_id": self.owner_id,
            "author_id": self.author_id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "locale": "en",
        })
    }
}

/// A help center.
#[derive(Debug, Clone)]
pub struct HelpCenter {
    pub id: i64,
    pub display_name: String,
    pub created_at: i64,
}

impl HelpCenter {
    pub fn document(&self, workspace_id: &str) -> Value {
        json!({
            "id": self.id.to_string(),
            "workspace_id": workspace_id,
            "created_at": self.created_at,
            "updated_at": self.created_at,
            "identifier": "help",
            "website_turned_on": true,
            "display_name": self.display_name,
            "url": "https://help.sandbox.test",
            "custom_domain": null,
        })
    }
}
