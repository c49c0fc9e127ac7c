//! Teammates and teams.

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
        json!({
            "type": "admin",
            "id": self.id.to_string(),
            "name": self.name,
            "email": self.email,
            "away_mode_enabled": self.away_mode_enabled,
            "away_mode_reassign": self.away_mode_reassign,
        })
    }
}

/// An inbox team.
#[derive(Debug, Clone)]
pub struct Team {
    pub id: i64,
    pub name: String,
    pub admin_ids: Vec<i64>,
}

impl Team {
    pub fn document(&self) -> Value {
        json!({"type": "team", "id": self.id.to_string(), "name": self.name, "admin_ids": self.admin_ids})
    }
}
