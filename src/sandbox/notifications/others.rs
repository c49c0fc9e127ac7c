//! Topics of tickets, articles and teammates.

use super::changes::participants;
use super::{Occurrence, items};
use crate::sandbox::model::admin::Admin;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::conversation::Author;
use crate::sandbox::model::ticket::{TicketPart, TicketRecord};
use crate::sandbox::record_set::RecordChange;
use crate::sandbox::workspace::Workspace;

/// Deleted tickets have no topic.
pub fn compare_ticket(
    workspace: &Workspace,
    change: &RecordChange<TicketRecord>,
    found: &mut Vec<Occurrence>,
) {
    let Some(after) = workspace.tickets.get(&change.id) else { return };
    let Some(before) = &change.before else {
        found.push(Occurrence::new("ticket.created", workspace.ticket_document(after)));
        return;
    };
    let is_new = |part: &&TicketPart| before.parts.iter().all(|other| other.id != part.id);
    for part in after.parts.iter().filter(is_new) {
        let is_announced = part.states.is_none() || before.state_id != after.state_id;
        if let Some(topic) = topic_of_part(part).filter(|_| is_announced) {
            found.push(Occurrence::new(topic, items::ticket_part(workspace, after, Some(part))));
        }
    }
    for (topic, is_so) in [
        ("ticket.closed", before.open && !after.open),
        ("ticket.admin.assigned", before.admin_assignee_id != after.admin_assignee_id),
        ("ticket.team.assigned", before.team_assignee_id != after.team_assignee_id),
        ("ticket.attribute.updated", before.attributes != after.attributes),
    ] {
        if is_so {
            found.push(Occurrence::new(topic, items::ticket_part(workspace, after, None)));
        }
    }
    let (joined, left) = participants(workspace, &before.contacts, &after.contacts);
    for (topic, ids) in [("ticket.contact.attached", joined), ("ticket.contact.detached", left)] {
        for id in ids {
            found.push(Occurrence::new(topic, items::ticket_contact(workspace, after, id)));
        }
    }
}

pub fn topic_of_part(part: &TicketPart) -> Option<&'static str> {
    Some(match (part.part_type, &part.author) {
        ("note", _) => "ticket.note.created",
        ("comment" | "quick_reply", Author::Admin(_)) => "ticket.admin.replied",
        ("comment" | "quick_reply", Author::Contact(_)) => "ticket.contact.replied",
        ("ticket_state_updated_by_admin", _) => "ticket.state.updated",
        _ => return None,
    })
}

pub fn compare_article(
    workspace: &Workspace,
    change: &RecordChange<HelpArticle>,
    found: &mut Vec<Occurrence>,
) {
    let after = workspace.articles.get(&change.id);
    let is_published = after.is_some_and(|article| article.published);
    let topics = match (&change.before, after) {
        (None, Some(_)) => [Some("article.created"), is_published.then_some("article.published")],
        (Some(_), None) => [Some("article.deleted"), None],
        (Some(before), Some(after)) => [
            has_other_content(before, after).then_some("article.updated"),
            match (before.published, is_published) {
                (false, true) => Some("article.published"),
                (true, false) => Some("article.unpublished"),
                _ => None,
            },
        ],
        (None, None) => [None, None],
    };
    let Some(article) = after.or(change.before.as_ref()) else { return };
    for topic in topics.into_iter().flatten() {
        found.push(Occurrence::new(topic, items::article(workspace, article)));
    }
}

/// All that `article.updated` is about.
fn has_other_content(before: &HelpArticle, after: &HelpArticle) -> bool {
    fn content(article: &HelpArticle) -> [&String; 3] {
        [&article.title, &article.description, &article.body]
    }
    content(before) != content(after)
        || before.author_id != after.author_id
        || before.parent_id != after.parent_id
        || before.translations != after.translations
}

pub fn compare_admins(workspace: &Workspace, before: &[Admin], found: &mut Vec<Occurrence>) {
    let away = |admin: &Admin| (admin.away_mode_enabled, admin.away_mode_reassign);
    for admin in &workspace.admins {
        let earlier = before.iter().find(|earlier| earlier.id == admin.id);
        if earlier.is_some_and(|earlier| away(earlier) != away(admin)) {
            found.push(Occurrence::new("admin.away_mode_updated", items::admin(admin)));
        }
    }
}
