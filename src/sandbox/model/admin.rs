//! Teammates.

use serde_json::{Value, json};

/// A teammate.
#[derive(Debug, Clone)]
pub struct Admin {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub job_title: String,
    pub away_mode_enabled: bool,
    pub away_mode_reassign: bool,
    pub has_inbox_seat: bool,
    pub team_ids: Vec<i64>,
}

impl Admin {
    pub fn document(&self) -> Value {
        json!({
            "type": "admin",
            "id": self.id.to_string(),
            "name": self.name,
            "email": self.email,
            "job_title": self.job_title,
            "away_mode_enabled": self.away_mode_enabled,
            "away_mode_reassign": self.away_mode_reassign,
            "has_inbox_seat": self.has_inbox_seat,
            "team_ids": self.team_ids,
            "avatar": null,
        })
    }

    /// The short form used as the author of a note.
    pub fn author(&self) -> Value {
        let document = self.document();
        let keys = ["type", "id", "name", "email", "away_mode_enabled", "away_mode_reassign"];
        keys.into_iter().map(|key| (key, document[key].clone())).collect()
    }

    /// An entry of the activity log. `action` continues a sentence that starts with the teammate's name.
    pub fn activity(&self, id: String, at: i64, kind: &str, action: &str, metadata: Value) -> Value {
        json!({
            "id": id,
            "performed_by": {
                "type": "admin",
                "id": self.id.to_string(),
                "email": self.email,
                "ip": "127.0.0.1",
            },
            "metadata": metadata,
            "created_at": at,
            "activity_type": kind,
            "activity_description": format!("{} {action}", self.name),
        })
    }
}
