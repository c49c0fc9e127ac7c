//! Smaller record types: tags, segments, data attributes, subscription types, news, data events, activity log.

use serde_json::{Map, Value, json};

use crate::sandbox::table::Record;

#[derive(Debug, Clone)]
pub struct Tag {
    pub id: String,
    pub name: String,
}

impl Tag {
    pub fn document(&self) -> Value {
        json!({"type": "tag", "id": self.id, "name": self.name})
    }
}

#[derive(Debug, Clone)]
pub struct Segment {
    pub id: String,
    pub name: String,
    /// `contact` or `user`.
    pub person_type: &'static str,
    pub created_at: i64,
}

impl Segment {
    pub fn document(&self, count: Option<usize>) -> Value {
        let mut document = json!({
            "type": "segment",
            "id": self.id,
            "name": self.name,
            "created_at": self.created_at,
            "updated_at": self.created_at,
            "person_type": self.person_type,
        });
        if let Some(count) = count {
            document["count"] = json!(count);
        }
        document
    }
}

/// A built-in or custom field of contacts, companies or conversations.
#[derive(Debug, Clone)]
pub struct DataAttribute {
    /// `None` for built-in attributes.
    pub id: Option<i64>,
    /// `contact`, `company` or `conversation`.
    pub model: String,
    pub name: String,
    pub data_type: String,
    pub description: String,
    pub options: Vec<String>,
    pub messenger_writable: bool,
    pub archived: bool,
    pub created_at: i64,
    pub updated_at: i64,
    pub admin_id: i64,
}

impl DataAttribute {
    pub fn document(&self) -> Value {
        let custom = self.id.is_some();
        let full_name = if custom { format!("custom_attributes.{}", self.name) } else { self.name.clone() };
        let mut document = json!({
            "type": "data_attribute",
            "name": self.name,
            "full_name": full_name,
            "label": self.name,
            "description": self.description,
            "data_type": self.data_type,
            "api_writable": true,
            "ui_writable": custom,
            "messenger_writable": self.messenger_writable,
            "custom": custom,
            "archived": self.archived,
            "model": self.model,
        });
        if let Some(id) = self.id {
            document["id"] = json!(id);
            document["created_at"] = json!(self.created_at);
            document["updated_at"] = json!(self.updated_at);
            document["admin_id"] = json!(self.admin_id.to_string());
        }
        if !self.options.is_empty() {
            document["options"] = json!(self.options);
        }
        document
    }
}

#[derive(Debug, Clone)]
pub struct SubscriptionType {
    pub id: String,
    pub name: String,
    pub description: String,
    /// `opt_in` or `opt_out`.
    pub consent_type: &'static str,
}

impl SubscriptionType {
    pub fn document(&self) -> Value {
        let translation = json!({"name": self.name, "description": self.description, "locale": "en"});
        json!({
            "type": "subscription",
            "id": self.id,
            "state": "live",
            "consent_type": self.consent_type,
            "default_translation": translation,
            "translations": [translation],
            "content_types": ["email"],
        })
    }
}

/// A news item. Its fields are stored as sent, plus the defaults set by the handler.
#[derive(Debug, Clone)]
pub struct NewsItem {
    pub id: String,
    pub updated_at: i64,
    pub fields: Map<String, Value>,
}

impl Record for NewsItem {
    fn id(&self) -> &str {
        &self.id
    }
    fn updated_at(&self) -> i64 {
        self.updated_at
    }
}

impl NewsItem {
    pub fn document(&self, workspace_id: &str) -> Value {
        let mut document = json!({"id": self.id, "type": "news-item", "workspace_id": workspace_id});
        for (name, value) in &self.fields {
            document[name] = value.clone();
        }
        document["updated_at"] = json!(self.updated_at);
        document
    }
}

#[derive(Debug, Clone)]
pub struct Newsfeed {
    pub id: String,
    pub name: String,
    pub created_at: i64,
}

impl Newsfeed {
    pub fn document(&self) -> Value {
        json!({
            "id": self.id,
            "type": "newsfeed",
            "name": self.name,
            "created_at": self.created_at,
            "updated_at": self.created_at,
        })
    }
}

/// An event submitted for a contact.
#[derive(Debug, Clone)]
pub struct DataEvent {
    pub contact_id: String,
    pub name: String,
    pub created_at: i64,
    pub metadata: Value,
}

/// An entry in the activity log of teammates.
#[derive(Debug, Clone)]
pub struct Activity {
    pub id: String,
    pub admin_id: i64,
    pub created_at: i64,
    pub kind: &'static str,
    pub description: String,
    pub metadata: Value,
}
