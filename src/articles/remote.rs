//! Articles as the API sends them, read leniently, and the bodies of updates.
//!
//! Fields may be missing, null, or of another type than described. An update never leaves out `state` or a
//! language: what it does not change it sends as the server last had it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One language of an article. The body is HTML, times are epoch seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub title: String,
    pub description: String,
    pub state: Option<String>,
    pub author_id: Option<i64>,
    pub url: Option<String>,
    pub updated_at: Option<i64>,
    pub body: String,
}

/// An article in all its languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    pub id: String,
    pub default_locale: String,
    pub parent_id: Option<String>,
    pub tags: Vec<String>,
    pub updated_at: Option<i64>,
    pub contents: BTreeMap<String, Content>,
}

/// What an update changes in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub title: Option<String>,
    pub description: Option<String>,
    pub state: Option<String>,
    pub author_id: Option<i64>,
    pub body: Option<String>,
}

impl Change {
    pub fn is_empty(&self) -> bool {
        *self == Change::default()
    }

    fn fields(&self) -> Map<String, Value> {
        let texts = [
            ("title", &self.title),
            ("description", &self.description),
            ("body", &self.body),
            ("state", &self.state),
        ];
        let mut fields: Map<String, Value> = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))))
            .collect();
        if let Some(author) = self.author_id {
            fields.insert("author_id".into(), json!(author));
        }
        fields
    }
}

/// Whether this can be a language: `en`, `pt-BR`, `zh-CN`.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Whether this can be an id: it becomes a part of file names.
pub fn is_id(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

impl Article {
    /// `None` for a document without a usable id.
    pub fn read(document: &Value) -> Option<Self> {
        let id = text(&document["id"]).filter(|id| is_id(id))?;
        let translated = translations(document);
        let default_locale = text(&document["default_locale"])
            .filter(|locale| is_locale(locale))
            .or_else(|| main_locale(document, &translated))
            .unwrap_or_else(|| "en".to_owned());
        let mut contents: BTreeMap<_, _> = translated
            .iter()
            .map(|(locale, value)| ((*locale).clone(), content(value, &Value::Null)))
            .collect();
        let own = &document["translated_content"][&default_locale];
        contents.insert(default_locale.clone(), content(document, own));
        let tags = ["tags", "data"].iter().find_map(|key| document["tags"][key].as_array());
        Some(Article {
            id,
            parent_id: parent(document),
            tags: tags.into_iter().flatten().filter_map(|tag| text(&tag["name"])).collect(),
            updated_at: integer(&document["updated_at"]),
            default_locale,
            contents,
        })
    }
}

fn parent(document: &Value) -> Option<String> {
    let only = match document["parent_ids"].as_array().map(Vec::as_slice) {
        Some([only]) => text(only),
        _ => None,
    };
    text(&document["parent_id"]).filter(|parent| !parent.is_empty()).or(only)
}

impl Article {
    /// Whether both are the same but for the signatures of pictures.
    pub fn is_same(&self, other: &Article) -> bool {
        self == other || self.steady() == other.steady()
    }

    fn steady(&self) -> Self {
        let mut steady = self.clone();
        steady.contents.values_mut().for_each(|content| content.body = super::merge::steady(&content.body));
        steady
    }
}

/// The languages that are there, under their names.
fn translations(document: &Value) -> Vec<(&String, &Value)> {
    let contents = document["translated_content"].as_object();
    contents.into_iter().flatten().filter(|(locale, value)| is_locale(locale) && value.is_object()).collect()
}

fn main_locale(document: &Value, translated: &[(&String, &Value)]) -> Option<String> {
    let same = |value: &Value| value["title"] == document["title"] && value["body"] == document["body"];
    translated.iter().find(|(_, value)| same(value)).map(|(locale, _)| (*locale).clone())
}

fn content(value: &Value, instead: &Value) -> Content {
    let field = |name: &str| text(&value[name]).or_else(|| text(&instead[name]));
    Content {
        title: field("title").unwrap_or_default(),
        description: field("description").unwrap_or_default(),
        state: field("state"),
        author_id: integer(&value["author_id"]).or_else(|| integer(&instead["author_id"])),
        url: field("url"),
        updated_at: integer(&value["updated_at"]),
        body: field("body").unwrap_or_default(),
    }
}

/// The body of `PUT /articles/{id}` that makes these changes to the article as it is on the server.
pub fn update(
    fresh: &Value,
    article: &Article,
    changes: &BTreeMap<String, Change>,
    parent: Option<&str>,
) -> Value {
    let main = &article.default_locale;
    let mut body = changes.get(main).map(Change::fields).unwrap_or_default();
    if let (None, Some(state)) = (body.get("state"), fresh["state"].as_str()) {
        body.insert("state".into(), json!(state));
    }
    if let Some(parent) = parent {
        body.insert("parent_id".into(), json!(parent));
        body.insert("parent_type".into(), json!("collection"));
    }
    let there = translations(fresh);
    if !there.is_empty() || changes.keys().any(|locale| locale != main) {
        let mut contents = Map::new();
        for (locale, value) in there {
            contents.insert(locale.clone(), Value::Object(as_it_is(value)));
        }
        for (locale, change) in changes {
            if locale == main && !contents.contains_key(locale) {
                continue;
            }
            let known = contents.entry(locale.clone()).or_insert_with(|| json!({"type": "article_content"}));
            if let Some(known) = known.as_object_mut() {
                known.extend(change.fields());
            }
        }
        body.insert("translated_content".into(), Value::Object(contents));
    }
    Value::Object(body)
}

/// A language in the shape that requests have: no nulls, numbers as numbers.
fn as_it_is(content: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in content.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "author_id" | "created_at" | "updated_at" => integer(value).map(Value::from),
            "type" | "title" | "description" | "body" | "state" | "url" => text(value).map(Value::from),
            _ => None,
        };
        if let Some(value) =
            value.filter(|value| name != "state" || matches!(value.as_str(), Some("published" | "draft")))
        {
            fields.insert(name.clone(), value);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_loses_no_language_and_keeps_the_state() {
        let fresh = json!({
            "id": 7, "state": "draft", "title": "A", "body": "<p>a</p>", "default_locale": "en",
            "translated_content": {
                "type": null, "en": {"title": "A", "body": "<p>a</p>", "description": null, "author_id": "5"},
                "fr": {"title": "B", "body": null, "state": "published"}, "de": null,
            },
        });
        let article = Article::read(&fresh).unwrap();
        assert_eq!(article.contents.keys().collect::<Vec<_>>(), ["en", "fr"]);
        let change = Change { body: Some("<p>b</p>".into()), ..Change::default() };
        let body = update(&fresh, &article, &[("en".to_owned(), change)].into(), None);
        assert_eq!(
            body,
            json!({
                "body": "<p>b</p>", "state": "draft",
                "translated_content": {
                    "en": {"title": "A", "body": "<p>b</p>", "author_id": 5},
                    "fr": {"title": "B", "state": "published"},
                },
            })
        );
    }

    #[test]
    fn a_document_of_one_language_stays_one() {
        for translated in [json!(null), json!(""), json!({})] {
            let fresh = json!({"id": "7", "title": "A", "body": null, "state": "published", "translated_content": translated});
            let article = Article::read(&fresh).unwrap();
            let change = Change { title: Some("B".into()), ..Change::default() };
            let body = update(&fresh, &article, &[("en".to_owned(), change)].into(), Some("3"));
            assert_eq!(
                body,
                json!({"title": "B", "state": "published", "parent_id": "3", "parent_type": "collection"})
            );
        }
        assert!(Article::read(&json!({"id": "../x"})).is_none());
    }
}
