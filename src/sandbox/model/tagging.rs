//! Tags applied to contacts, conversations and tickets.

use serde_json::{Value, json};

use crate::sandbox::record_set::WorkspaceRecord;

/// A tag applied to a record.
#[derive(Debug, Clone)]
pub struct AppliedTag {
    pub tag_id: String,
    pub applied_at: i64,
    /// The teammate who applied it.
    pub admin_id: i64,
}

impl AppliedTag {
    pub fn document(&self, name: &str) -> Value {
        json!({
            "type": "tag",
            "id": self.tag_id,
            "name": name,
            "applied_at": self.applied_at,
            "applied_by": {"type": "admin", "id": self.admin_id.to_string()},
        })
    }
}

/// A record that tags can be applied to.
pub trait Taggable: WorkspaceRecord {
    fn tags(&self) -> &[AppliedTag];
    fn tags_mut(&mut self) -> &mut Vec<AppliedTag>;

    /// Applies a tag, unless the record has it already.
    fn add_tag(&mut self, applied: AppliedTag) {
        self.touch(applied.applied_at);
        if self.tags_mut().iter().all(|existing| existing.tag_id != applied.tag_id) {
            self.tags_mut().push(applied);
        }
    }
}

/// Implements [`Taggable`] for types with the field `tags`.
macro_rules! taggable {
    ($record:ty) => {
        impl $crate::sandbox::model::tagging::Taggable for $record {
            fn tags(&self) -> &[AppliedTag] {
                &self.tags
            }
            fn tags_mut(&mut self) -> &mut Vec<AppliedTag> {
                &mut self.tags
            }
        }
    };
}
pub(super) use taggable;
