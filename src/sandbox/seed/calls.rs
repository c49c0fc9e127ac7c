//! Phone calls of people who wrote as well.

use super::MINUTE;
use crate::sandbox::Options;
use crate::sandbox::model::call::Call;
use crate::sandbox::workspace::{IdSequence, Workspace};

pub fn fill(workspace: &mut Workspace, options: &Options) {
    let talks: Vec<_> =
        workspace.conversations.iter().map(|row| (row.id.clone(), row.contacts.first().cloned())).collect();
    let admin_id = workspace.my_id();
    for place in 0..options.calls {
        let (conversation_id, contact_id) = talks
            .get(place % talks.len().max(1))
            .cloned()
            .map_or((None, None), |(id, contact)| (Some(id), contact));
        let created_at = options.now - (place as i64 + 2) * 10 * MINUTE;
        let id = workspace.next_id(IdSequence::Call);
        let updated_at = created_at + 3 * MINUTE;
        workspace.calls.insert(Call { id, conversation_id, admin_id, contact_id, created_at, updated_at });
    }
}
