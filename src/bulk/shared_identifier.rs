//! What two contacts must still share when one is merged into the other.
//!
//! A merge cannot be undone, so any difference from the plan must prevent it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::lenient;
use crate::filter::By;

/// An identifier that two contacts share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedIdentifier {
    pub by: By,
    /// Normalized by [`By::key`].
    pub value: String,
}

impl SharedIdentifier {
    /// The reason not to merge the lead into the user, if any, given the documents of both.
    pub fn mismatch(&self, lead: &Value, user: &Value) -> Option<String> {
        let has_value = |contact: &Value| {
            let stored = lenient::text(&contact[self.by.field()]).and_then(|value| self.by.key(&value));
            stored.as_deref() == Some(self.value.as_str())
        };
        let (field, value) = (self.by.field(), &self.value);
        for (contact, role, part) in [(lead, "lead", "merge"), (user, "user", "keep")] {
            if contact["role"] != role {
                return Some(format!("changed since the plan: the contact to {part} is no longer a {role}"));
            }
            if !has_value(contact) {
                return Some(format!(
                    "changed since the plan: the {role} no longer has the {field} {value:?}"
                ));
            }
        }
        None
    }
}

/// Error code of a change that was skipped because its record no longer matches the plan.
pub const CHANGED_SINCE_PLAN: &str = "changed_since_plan";
