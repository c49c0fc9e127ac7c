//! Users and leads, their notes and events.

use serde_json::{Map, Value, json};

use super::tagging::{AppliedTag, taggable};
use crate::sandbox::record_set::workspace_records;

/// Maximum number of tags, notes and companies in a contact document; the document links to the full lists.
pub const MAX_EMBEDDED: usize = 10;

/// A user or a lead. Times are epoch seconds.
#[derive(Debug, Clone, Default)]
pub struct ContactRecord {
    pub id: String,
    pub external_id: Option<String>,
    /// True for a user, false for a lead.
    pub is_user: bool,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub name: Option<String>,
    pub avatar: Option<String>,
    pub owner_id: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub signed_up_at: Option<i64>,
    pub last_seen_at: Option<i64>,
    pub last_replied_at: Option<i64>,
    pub last_contacted_at: Option<i64>,
    pub last_email_opened_at: Option<i64>,
    pub last_email_clicked_at: Option<i64>,
    pub unsubscribed_from_emails: bool,
    pub has_hard_bounced: bool,
    pub marked_email_as_spam: bool,
    pub language: Option<String>,
    pub browser: Option<String>,
    pub os: Option<String>,
    pub country: Option<String>,
    pub city: Option<String>,
    pub custom_attributes: Map<String, Value>,
    pub tags: Vec<AppliedTag>,
    /// Note ids, newest last.
    pub notes: Vec<String>,
    /// Company ids (`id`, not `company_id`).
    pub companies: Vec<String>,
    pub segments: Vec<String>,
    /// Pairs of subscription type id and consent (`opt_in` or `opt_out`).
    pub subscriptions: Vec<(String, String)>,
    /// Archived contacts are returned by id only, never by lists or searches.
    pub archived: bool,
    pub blocked: bool,
}

workspace_records!(ContactRecord);
taggable!(ContactRecord);

impl ContactRecord {
    pub fn role(&self) -> &'static str {
        if self.is_user { "user" } else { "lead" }
    }

    pub fn email_domain(&self) -> Option<&str> {
        self.email.as_deref().and_then(|email| email.split_once('@')).map(|(_, domain)| domain)
    }

    /// The short form used in conversations and in responses to archive, block and delete.
    pub fn reference(&self) -> Value {
        json!({"type": "contact", "id": self.id, "external_id": self.external_id})
    }

    fn embedded_list<'a>(&self, kind: &str, path: &str, ids: impl Iterator<Item = &'a str>) -> Value {
        let ids: Vec<_> = ids.collect();
        let data: Vec<_> = ids
            .iter()
            .take(MAX_EMBEDDED)
            .map(|id| json!({"type": kind, "id": id, "url": format!("/{path}/{id}")}))
            .collect();
        json!({
            "type": "list",
            "data": data,
            "url": format!("/contacts/{}/{path}", self.id),
            "total_count": ids.len(),
            "has_more": ids.len() > MAX_EMBEDDED,
        })
    }

    fn subscriptions_with(&self, consent: &str) -> Value {
        let ids = self.subscriptions.iter().filter(|(_, value)| value == consent);
        self.embedded_list("subscription", "subscriptions", ids.map(|(id, _)| id.as_str()))
    }

    pub fn document(&self, workspace_id: &str) -> Value {
        let mut document = json!({
            "type": "contact",
            "id": self.id,
            "workspace_id": workspace_id,
            "external_id": self.external_id,
            "role": self.role(),
            "email": self.email,
            "email_domain": self.email_domain(),
            "phone": self.phone,
            "name": self.name,
            "avatar": self.avatar,
            "owner_id": self.owner_id,
            "social_profiles": {"type": "list", "data": []},
            "has_hard_bounced": self.has_hard_bounced,
            "marked_email_as_spam": self.marked_email_as_spam,
            "unsubscribed_from_emails": self.unsubscribed_from_emails,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "signed_up_at": self.signed_up_at,
            "last_seen_at": self.last_seen_at,
            "last_replied_at": self.last_replied_at,
            "last_contacted_at": self.last_contacted_at,
            "last_email_opened_at": self.last_email_opened_at,
            "last_email_clicked_at": self.last_email_clicked_at,
            "language_override": self.language,
            "browser": self.browser,
            "browser_version": null,
            "browser_language": self.language,
            "os": self.os,
            "location": {"type": "location", "country": self.country, "region": null, "city": self.city},
        });
        for field in null_fields() {
            document[field] = Value::Null;
        }
        document["custom_attributes"] = Value::Object(self.custom_attributes.clone());
        document["tags"] = self.embedded_list("tag", "tags", self.tags.iter().map(|tag| tag.tag_id.as_str()));
        document["notes"] = self.embedded_list("note", "notes", self.notes.iter().map(String::as_str));
        document["companies"] =
            self.embedded_list("company", "companies", self.companies.iter().map(String::as_str));
        document["opted_out_subscription_types"] = self.subscriptions_with("opt_out");
        document["opted_in_subscription_types"] = self.subscriptions_with("opt_in");
        document
    }
}

/// Fields that only mobile apps and campaigns set; always null in the sandbox.
fn null_fields() -> impl Iterator<Item = String> {
    let app = ["app_name", "app_version", "device", "os_version", "sdk_version", "last_seen_at"];
    let of_apps = ["android", "ios"].into_iter().flat_map(move |os| app.map(|field| format!("{os}_{field}")));
    let of_campaigns =
        ["campaign", "content", "medium", "source", "term"].map(|field| format!("utm_{field}"));
    of_apps.chain(of_campaigns).chain(["referrer".to_owned()])
}

/// A note on a contact.
#[derive(Debug, Clone)]
pub struct ContactNote {
    pub id: String,
    pub created_at: i64,
    pub contact_id: String,
    pub admin_id: i64,
    /// HTML.
    pub body: String,
}

/// An event submitted for a contact.
#[derive(Debug, Clone)]
pub struct DataEvent {
    pub contact_id: String,
    pub name: String,
    pub created_at: i64,
    pub metadata: Value,
}
