//! Records what a request changes, and finds the topics for it.

use std::collections::HashSet;

use super::{Occurrence, contacts, conversations, others};
use crate::sandbox::model::admin::Admin;
use crate::sandbox::workspace::Workspace;

/// What the workspace was before a request. Records are recorded as they are written; teammates are few, and copied.
pub struct Recording {
    admins: Vec<Admin>,
}

impl Recording {
    pub fn start(workspace: &mut Workspace) -> Self {
        workspace.contacts.start_recording();
        workspace.companies.start_recording();
        workspace.conversations.start_recording();
        workspace.tickets.start_recording();
        workspace.articles.start_recording();
        Recording { admins: workspace.admins.clone() }
    }

    /// What happened since the start. People come before what they take part in.
    pub fn finish(self, workspace: &mut Workspace) -> Vec<Occurrence> {
        let contacts = workspace.contacts.stop_recording();
        let companies = workspace.companies.stop_recording();
        let conversations = workspace.conversations.stop_recording();
        let tickets = workspace.tickets.stop_recording();
        let articles = workspace.articles.stop_recording();
        let mut found = Vec::new();
        // A merge is announced as one, not by what it does to the contact that remains.
        let is_gone = |id: &String| workspace.contacts.get(id).is_none();
        let merged = contacts.iter().map(|change| &change.id).filter(|id| is_gone(id));
        let survivors: HashSet<&String> = merged.filter_map(|id| workspace.merged.get(id)).collect();
        for change in contacts.iter().filter(|change| !survivors.contains(&change.id)) {
            contacts::compare(workspace, change, &mut found);
        }
        companies.iter().for_each(|change| contacts::compare_company(workspace, change, &mut found));
        conversations.iter().for_each(|change| conversations::compare(workspace, change, &mut found));
        tickets.iter().for_each(|change| others::compare_ticket(workspace, change, &mut found));
        articles.iter().for_each(|change| others::compare_article(workspace, change, &mut found));
        others::compare_admins(workspace, &self.admins, &mut found);
        found
    }
}

/// The contacts that joined and left a conversation or a ticket. Merged contacts have not left: their successor is there.
pub fn participants<'a>(
    workspace: &Workspace,
    before: &'a [String],
    after: &'a [String],
) -> (Vec<&'a String>, Vec<&'a String>) {
    let left: Vec<_> = before.iter().filter(|id| !after.contains(id)).collect();
    let successors: Vec<_> = left.iter().filter_map(|id| workspace.merged.get(*id)).collect();
    let joined = after.iter().filter(|id| !before.contains(id) && !successors.contains(id)).collect();
    let is_there = |id: &&String| workspace.contacts.get(id).is_some();
    (joined, left.into_iter().filter(is_there).collect())
}
