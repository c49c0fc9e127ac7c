//! Seed data: snippets, audiences, a redirect, and tags on content.
//!
//! Draws no random numbers, so that the rest of the workspace stays as it is without it.

use serde_json::json;

use crate::sandbox::calendar::DAY;
use crate::sandbox::model::knowledge::{Availability, INTERNAL_ARTICLE, SNIPPET};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::options::Options;
use crate::sandbox::workspace::{IdSequence, Workspace};

/// Name; attribute, comparison and value of the condition.
const AUDIENCES: &[(&str, [&str; 3])] = &[
    ("Customers on a paid plan", ["custom_attributes.plan", "eq", "growth"]),
    ("Beta users", ["custom_attributes.beta_user", "eq", "true"]),
];

/// Title and text.
const SNIPPETS: &[[&str; 2]] = &[
    ["Refund window", "Unused seats are refunded within 30 days of the invoice."],
    ["Export limit", "Exports have at most 10,000 rows. Larger ones arrive by email as several files."],
    ["Status page", "Incidents are announced on https://status.sandbox.test."],
];

/// The tag on content that has one.
const TAG: usize = 1;

pub fn fill(workspace: &mut Workspace, options: &Options) {
    if options.articles == 0 {
        return;
    }
    let created_at = options.now - 120 * DAY;
    for (name, [attribute, comparison, value]) in AUDIENCES {
        let mut audience = workspace.new_audience(name, created_at);
        audience.document["predicates"] = json!([
            {"attribute": attribute, "type": "string", "comparison": comparison, "value": value}
        ]);
        audience.document["role_predicates"] =
            json!([{"attribute": "role", "type": "role", "comparison": "eq", "value": "user"}]);
        workspace.knowledge.audiences.insert(audience);
    }
    for (number, [title, text]) in SNIPPETS.iter().enumerate() {
        let mut snippet = workspace.new_snippet(title, created_at + number as i64 * DAY);
        snippet.document["json_blocks"] = json!([{"type": "paragraph", "text": text}]);
        snippet.document["body_markdown"] = json!(text);
        let availability = Availability { ai_agent: true, copilot: number != 2, sales_agent: false };
        workspace.knowledge.settings_mut(SNIPPET, &snippet.id).availability = availability;
        if number == 0 {
            tag(workspace, SNIPPET, &snippet.id, created_at);
        }
        workspace.knowledge.snippets.insert(snippet);
    }
    if let Some(id) = workspace.internal_articles[..].get(1).map(|article| article.id.clone()) {
        tag(workspace, INTERNAL_ARTICLE, &id, created_at);
    }
    let redirect = PlainRecord::new(json!({
        "id": workspace.next_id(IdSequence::Redirect),
        "type": "help_center_redirect",
        "from_url": "https://help.sandbox.test/old/vat",
        "locale": workspace.locale(),
        "help_center_id": "1",
        "target_type": "article",
        "target_id": workspace.articles.first().map(|article| &article.id),
        "created_at": created_at,
        "updated_at": created_at,
    }));
    workspace.knowledge.redirects.insert(redirect);
}

/// Applies the tag that marks content.
pub fn tag(workspace: &mut Workspace, kind: &'static str, id: &str, applied_at: i64) {
    let Some(tag_id) = workspace.tags[..].get(TAG).map(|tag| tag.id.clone()) else { return };
    let admin_id = workspace.my_id();
    let applied = AppliedTag { tag_id, applied_at, admin_id };
    workspace.knowledge.settings_mut(kind, id).tags.push(applied);
}
