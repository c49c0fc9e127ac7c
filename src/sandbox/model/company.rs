//! Companies.

use serde_json::{Map, Value, json};

use crate::sandbox::record_set::workspace_records;

/// A company. Times are epoch seconds.
#[derive(Debug, Clone, Default)]
pub struct Company {
    /// Assigned by Intercom; `company_id` is assigned by the customer.
    pub id: String,
    pub company_id: String,
    pub name: Option<String>,
    pub plan: Option<String>,
    pub size: Option<i64>,
    pub website: Option<String>,
    pub industry: Option<String>,
    pub monthly_spend: i64,
    pub session_count: i64,
    pub remote_created_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub last_request_at: Option<i64>,
    pub custom_attributes: Map<String, Value>,
    pub tags: Vec<String>,
    pub segments: Vec<String>,
}

workspace_records!(Company);

impl Company {
    /// The company document without tags and segments, whose names are stored in the workspace.
    pub fn document(&self, workspace_id: &str, user_count: usize) -> Value {
        let plan = match &self.plan {
            Some(name) => json!({"type": "plan", "id": plan_id(name), "name": name}),
            None => json!({}),
        };
        json!({
            "type": "company",
            "company_id": self.company_id,
            "id": self.id,
            "app_id": workspace_id,
            "name": self.name,
            "remote_created_at": self.remote_created_at,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "last_request_at": self.last_request_at,
            "monthly_spend": self.monthly_spend,
            "session_count": self.session_count,
            "user_count": user_count,
            "size": self.size,
            "website": self.website,
            "industry": self.industry,
            "plan": plan,
            "custom_attributes": self.custom_attributes,
        })
    }
}

/// Plans are stored by name only, so the id is derived from the name.
fn plan_id(name: &str) -> String {
    name.bytes().fold(17_u32, |id, byte| id.wrapping_mul(31).wrapping_add(byte.into())).to_string()
}
