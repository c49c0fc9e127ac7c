//! An article as the API returns it, and the bodies of the requests that change it.
//!
//! Responses are read leniently: `translated_content` may be missing, null, a string, or an object that
//! contains more than languages. Requests must not omit anything whose absence could change the article: the
//! state is always sent, and so is every language of the server's current version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use super::convert::addresses::is_locale;
use crate::data::lenient;

#[derive(Debug, Clone)]
pub struct Article {
    pub id: String,
    pub default_locale: String,
    /// Epoch seconds.
    pub updated_at: Option<i64>,
    /// Id of the collection that contains it. See [`parent_id`].
    pub parent_id: Option<String>,
    pub tags: Vec<String>,
    /// Contents by locale, including the default locale.
    pub contents: BTreeMap<String, ArticleContent>,
    document: Value,
}

/// An article in one language. Missing texts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticleContent {
    pub title: String,
    pub description: String,
    /// HTML.
    pub body: String,
    pub state: Option<String>,
    /// Id of a teammate.
    pub author: Option<String>,
    pub url: Option<String>,
    /// Epoch seconds.
    pub updated_at: Option<i64>,
}

/// Changes to a content; `None` leaves the field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub title: Option<String>,
    pub description: Option<String>,
    pub body: Option<String>,
    pub state: Option<String>,
    pub author: Option<String>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        *self == Edit::default()
    }

    /// The changed fields with their names.
    fn changes(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let fields = [
            ("title", &self.title),
            ("description", &self.description),
            ("body", &self.body),
            ("state", &self.state),
            ("author", &self.author),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }

    /// The names of the changed fields.
    pub fn fields(&self) -> Vec<&'static str> {
        self.changes().map(|(name, _)| name).collect()
    }

    fn write_to(&self, object: &mut Map<String, Value>) {
        for (name, value) in self.changes() {
            if name != "author" {
                object.insert(name.to_owned(), json!(value));
            } else if let Ok(author) = value.parse::<i64>() {
                object.insert("author_id".to_owned(), json!(author));
            }
        }
    }
}

impl ArticleContent {
    fn read(value: &Value) -> Self {
        let text = |name: &str| lenient::text(&value[name]).unwrap_or_default();
        ArticleContent {
            title: text("title"),
            description: text("description"),
            body: text("body"),
            state: lenient::text(&value["state"]),
            author: lenient::reference(&value["author_id"]),
            url: lenient::text(&value["url"]).filter(|url| !url.is_empty()),
            updated_at: lenient::time(&value["updated_at"]),
        }
    }
}

impl Article {
    /// `None` if the document has no id that can be part of a file name.
    pub fn read(document: Value) -> Option<Self> {
        let id = lenient::id(&document["id"]).filter(|id| is_id(id))?;
        let locale =
            document["default_locale"].as_str().filter(|locale| is_locale(locale)).unwrap_or("en").to_owned();
        let mut contents: BTreeMap<String, ArticleContent> = BTreeMap::new();
        if let Some(translated) = document["translated_content"].as_object() {
            let translations = translated.iter().filter(|(name, value)| value.is_object() && is_locale(name));
            contents
                .extend(translations.map(|(locale, value)| (locale.clone(), ArticleContent::read(value))));
        }
        contents.insert(locale.clone(), ArticleContent::read(&document));
        let tags = document["tags"]["tags"].as_array().into_iter().flatten();
        Some(Article {
            id,
            default_locale: locale,
            updated_at: lenient::time(&document["updated_at"]),
            parent_id: parent_id(&document),
            tags: tags.filter_map(|tag| lenient::text(&tag["name"])).collect(),
            contents,
            document,
        })
    }

    /// Whether the response to a write contains every language of `before`.
    pub fn is_as_complete_as(&self, before: &Article) -> bool {
        self.document.get("body").is_some()
            && before.contents.keys().all(|locale| self.contents.contains_key(locale))
    }

    /// Whether it will be published or unpublished at a set time.
    fn is_scheduled(&self) -> bool {
        ["scheduled_publish_at", "scheduled_unpublish_at"]
            .iter()
            .any(|field| !self.document[*field].is_null())
    }

    /// Whether the help center has a draft of one of these languages beside the published text.
    pub fn has_draft<'l>(&self, mut locales: impl Iterator<Item = &'l String>) -> bool {
        let is_staged = |content: &Value| lenient::flag(&content["has_unpublished_changes"]).unwrap_or(false);
        locales.any(|locale| {
            is_staged(&self.document["translated_content"][locale])
                || *locale == self.default_locale && is_staged(&self.document)
        })
    }

    pub fn content(&self, locale: &str) -> Option<&ArticleContent> {
        self.contents.get(locale)
    }

    /// The body of an update that makes these edits and changes nothing else.
    pub fn update(&self, edits: &BTreeMap<String, Edit>, parent_id: Option<&str>) -> Value {
        let mut body = Map::new();
        if let Some(edit) = edits.get(&self.default_locale) {
            edit.write_to(&mut body);
        }
        // Without it, the API may set the author to the owner of the token.
        if let Some(author) = lenient::integer(&self.document["author_id"]) {
            body.entry("author_id").or_insert_with(|| json!(author));
        }
        let sources = [&self.document, &self.document["translated_content"][&self.default_locale]];
        let mut states = sources.into_iter().filter_map(|content| content["state"].as_str());
        // An article with a schedule comes from a version that keeps the state when it is left out, and sending it could
        // cancel the schedule.
        if let Some(state) = states.find(|state| is_state(state)).filter(|_| !self.is_scheduled()) {
            body.entry("state").or_insert_with(|| json!(state));
        }
        if let Some(parent_id) = parent_id {
            body.insert("parent_id".to_owned(), json!(parent_id));
            body.insert("parent_type".to_owned(), json!("collection"));
        }
        let mut translated = Map::new();
        let existing = self.document["translated_content"].as_object();
        for (locale, content) in existing.into_iter().flatten().filter(|(_, content)| content.is_object()) {
            let mut content = resend(content);
            if *locale == self.default_locale && self.is_scheduled() {
                content.remove("state");
            }
            translated.insert(locale.clone(), Value::Object(content));
        }
        for (locale, edit) in edits {
            if *locale == self.default_locale && !translated.contains_key(locale) {
                continue;
            }
            let new = || json!({"type": "article_content", "state": "draft"});
            let entry = translated.entry(locale.clone()).or_insert_with(new);
            if let Value::Object(content) = entry {
                edit.write_to(content);
            }
        }
        if !translated.is_empty() {
            translated.insert("type".to_owned(), json!("article_translated_content"));
            body.insert("translated_content".to_owned(), Value::Object(translated));
        }
        Value::Object(body)
    }
}

/// Id of the collection that contains an article: the first of `parent_ids`, which every API version has. A document
/// without them may have `parent_id`, which versions from 2.16 leave out.
pub fn parent_id(document: &Value) -> Option<String> {
    let ids = document["parent_ids"].as_array().into_iter().flatten();
    ids.filter_map(lenient::reference).next().or_else(|| lenient::reference(&document["parent_id"]))
}

/// The body of the request that creates an article.
pub fn creation(
    default_locale: &str,
    contents: &BTreeMap<String, Edit>,
    author_id: i64,
    parent_id: Option<&str>,
) -> Value {
    let mut body = Map::from_iter([("author_id".to_owned(), json!(author_id))]);
    let mut translated = Map::new();
    for (locale, edit) in contents {
        if locale == default_locale {
            edit.write_to(&mut body);
        } else {
            let mut content = Map::from_iter([("type".to_owned(), json!("article_content"))]);
            content.insert("author_id".to_owned(), json!(author_id));
            edit.write_to(&mut content);
            translated.insert(locale.clone(), Value::Object(content));
        }
    }
    body.entry("state").or_insert_with(|| json!("draft"));
    if let Some(parent_id) = parent_id.and_then(|id| id.parse::<i64>().ok()) {
        body.insert("parent_id".to_owned(), json!(parent_id));
        body.insert("parent_type".to_owned(), json!("collection"));
    }
    if !translated.is_empty() {
        translated.insert("type".to_owned(), json!("article_translated_content"));
        body.insert("translated_content".to_owned(), Value::Object(translated));
    }
    Value::Object(body)
}

/// A language of the server's version in the form that the API accepts: without nulls and read-only fields, with ids as
/// numbers.
fn resend(content: &Value) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in content.as_object().into_iter().flatten() {
        let value = match name.as_str() {
            "author_id" => lenient::integer(value).map(Value::from),
            "created_at" | "updated_at" => lenient::time(value).map(Value::from),
            "title" | "description" | "body" | "url" => lenient::text(value).map(Value::from),
            "state" => value.as_str().filter(|state| is_state(state)).map(Value::from),
            "type" => Some(json!("article_content")),
            // Another form of the body, which excludes it in requests.
            "body_markdown" => None,
            "has_unpublished_changes" | "draft_updated_at" | "created_by_id" | "updated_by_id" => None,
            _ => Some(value.clone()).filter(|value| !value.is_null()),
        };
        if let Some(value) = value {
            kept.insert(name.clone(), value);
        }
    }
    kept
}

pub fn is_state(text: &str) -> bool {
    matches!(text, "published" | "draft")
}

/// Whether an id can be part of a file name on every system.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_sends_the_state_and_every_language() {
        let article = Article::read(json!({
            "id": 9007199254740993_u64, "title": "T", "body": "<p>a</p>", "state": "draft", "default_locale": "en",
            "parent_id": 60, "author_id": "9",
            "translated_content": {
                "type": "article_translated_content",
                "en": {"type": "article_content", "title": "T", "body": "<p>a</p>", "description": null},
                "fr": {"title": "F", "body": null, "author_id": "12", "created_at": "1663597223", "state": "published", "url": null},
                "de": null,
            },
        }))
        .unwrap();
        assert_eq!(article.id, "9007199254740993");
        assert_eq!(article.parent_id.as_deref(), Some("60"));
        let edits = BTreeMap::from([("en".to_owned(), Edit { title: Some("U".into()), ..Edit::default() })]);
        assert_eq!(
            article.update(&edits, None),
            json!({
                "title": "U", "state": "draft", "author_id": 9,
                "translated_content": {
                    "en": {"type": "article_content", "title": "U", "body": "<p>a</p>"},
                    "fr": {"title": "F", "author_id": 12, "created_at": 1663597223, "state": "published"},
                    "type": "article_translated_content",
                },
            })
        );
    }

    #[test]
    fn the_first_parent_is_the_collection_in_every_version() {
        for (document, expected) in [
            (json!({"parent_id": 60, "parent_type": "collection", "parent_ids": [60, 5]}), Some("60")),
            (json!({"parent_ids": [60, 5]}), Some("60")),
            (json!({"parent_ids": ["60"]}), Some("60")),
            (json!({"parent_id": "60"}), Some("60")),
            (json!({"parent_id": 60, "parent_ids": []}), Some("60")),
            (json!({"parent_ids": []}), None),
            (json!({"parent_id": null, "parent_ids": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(parent_id(&document).as_deref(), expected, "{document}");
        }
    }

    #[test]
    fn an_update_keeps_what_newer_versions_add() {
        let content = |text: &str| {
            json!({"type": "article_content", "title": text, "body": format!("<p>{text}</p>"), "body_markdown": text,
                "state": "draft", "author_id": 9, "audience_ids": [3], "ai_chatbot_availability": false,
                "ai_copilot_availability": true, "ai_sales_agent_availability": false, "created_by_id": 4,
                "updated_by_id": null, "has_unpublished_changes": false, "draft_updated_at": null})
        };
        let mut document = content("T");
        for (name, value) in [
            ("id", json!("1")),
            ("default_locale", json!("en")),
            ("parent_ids", json!([60])),
            ("scheduled_publish_at", json!(1_795_000_000)),
            ("help_center_audience", json!("restricted")),
            ("exclude_from_article_suggestions", json!(true)),
            ("translated_content", json!({"en": content("T"), "fr": content("F")})),
        ] {
            document[name] = value;
        }
        let edits =
            BTreeMap::from([("fr".to_owned(), Edit { body: Some("<p>G</p>".into()), ..Edit::default() })]);
        let sent = |text: &str, body: &str, state: Option<&str>| {
            let mut sent = json!({"type": "article_content", "title": text, "body": body, "author_id": 9,
                "audience_ids": [3], "ai_chatbot_availability": false, "ai_copilot_availability": true,
                "ai_sales_agent_availability": false});
            if let Some(state) = state {
                sent["state"] = json!(state);
            }
            sent
        };
        // The schedule is kept by leaving the state out.
        let article = Article::read(document.clone()).unwrap();
        let translated = json!({"type": "article_translated_content", "en": sent("T", "<p>T</p>", None),
            "fr": sent("F", "<p>G</p>", Some("draft"))});
        assert_eq!(article.update(&edits, None), json!({"author_id": 9, "translated_content": translated}));
        document["scheduled_publish_at"] = json!(null);
        let update = Article::read(document).unwrap().update(&edits, Some("61"));
        assert_eq!(
            (&update["state"], &update["translated_content"]["en"]["state"]),
            (&json!("draft"), &json!("draft"))
        );
        assert_eq!((&update["parent_id"], &update["parent_type"]), (&json!("61"), &json!("collection")));
    }

    #[test]
    fn a_draft_beside_the_published_text_is_found_by_language() {
        let article = |changed: Value| {
            let document = json!({"id": "1", "default_locale": "en", "has_unpublished_changes": changed["en"],
                "translated_content": {"fr": {"title": "F", "has_unpublished_changes": changed["fr"]}}});
            Article::read(document).unwrap()
        };
        let has_draft = |changed: Value, locale: &str| article(changed).has_draft([locale.to_owned()].iter());
        assert!(has_draft(json!({"en": true}), "en") && has_draft(json!({"fr": true}), "fr"));
        assert!(!has_draft(json!({"en": true}), "fr") && !has_draft(json!({}), "en"));
    }

    #[test]
    fn a_missing_state_does_not_publish_an_article() {
        let translated = json!({"en": {"title": "T", "state": "draft"}});
        for state in [json!(null), json!("odd"), json!(7)] {
            let document = json!({"id": "1", "state": state, "translated_content": translated});
            let edit = Edit { title: Some("U".into()), ..Edit::default() };
            let edits = BTreeMap::from([("en".to_owned(), edit.clone()), ("fr".to_owned(), edit)]);
            let body = Article::read(document).unwrap().update(&edits, None);
            assert_eq!(body["state"], "draft");
            assert_eq!(body["translated_content"]["fr"]["state"], "draft");
        }
    }

    #[test]
    fn malformed_translated_content_is_tolerated() {
        for malformed in
            [json!(null), json!(""), json!("x"), json!([]), json!({"type": "x"}), json!({"../x": {}})]
        {
            let article =
                Article::read(json!({"id": "1", "title": "T", "translated_content": malformed})).unwrap();
            assert_eq!(article.contents.keys().collect::<Vec<_>>(), ["en"]);
            let edits =
                BTreeMap::from([("fr".to_owned(), Edit { title: Some("F".into()), ..Edit::default() })]);
            assert_eq!(article.update(&edits, None)["translated_content"]["fr"]["title"], "F");
        }
        assert!(Article::read(json!({"id": "../1"})).is_none());
        assert!(Article::read(json!({"id": null})).is_none());
    }

    #[test]
    fn locales_are_recognized_by_their_form() {
        assert!(["en", "zh-CN", "pt-BR", "fil"].into_iter().all(is_locale));
        assert!(!["", "type", "EN", "e", "en/..", "en_US", "../x", "statistics"].into_iter().any(is_locale));
    }
}
