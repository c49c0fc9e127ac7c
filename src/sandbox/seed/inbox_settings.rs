//! Seed data: macros, banners, and the attributes of conversations.
//!
//! Draws no random numbers, so that the rest of the workspace stays as it is without it.

use serde_json::json;

use crate::sandbox::calendar::{DAY, HOUR};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::options::Options;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::workspace::{IdSequence, Workspace};

const FIRST_MACRO: usize = 6_400_001;
const FIRST_BANNER: usize = 6_700_001;

/// Name, HTML with placeholders as the API writes them, and text with placeholders as people write them.
const MACROS: &[[&str; 3]] = &[
    [
        "Ask for a screenshot",
        "<p>Hi <attribute key=\"user.name\" default=\"there\"/>, could you send us a screenshot?</p>",
        "Hi {{user.name|fallback:\"there\"}}, could you send us a screenshot?",
    ],
    [
        "Refund is on its way",
        "<p>We have refunded your unused seats. It takes up to five days to arrive.</p>",
        "We have refunded your unused seats. It takes up to five days to arrive.",
    ],
    [
        "Hand over to engineering",
        "<p><attribute key=\"teammate.name\"/> has passed this on to our engineers.</p>",
        "{{teammate.name}} has passed this on to our engineers.",
    ],
];

/// Name, type, description, and labels of options.
const ATTRIBUTES: &[([&str; 3], &[&str])] = &[
    (["Severity", "list", "How much the customer is affected"], &["Low", "Medium", "High"]),
    (["Order number", "string", "The order that the conversation is about"], &[]),
    (["Order total", "decimal", "The value of the order"], &[]),
];

pub fn fill(workspace: &mut Workspace, options: &Options) {
    macros(workspace, options.now);
    attributes(workspace, options.now - 400 * DAY);
    banners(workspace, options.now - 30 * DAY);
}

fn macros(workspace: &mut Workspace, now: i64) {
    let team = workspace.teams.first().map(|team| team.id.clone());
    for (number, [name, body, text]) in MACROS.iter().enumerate() {
        // The last one is for one team only.
        let teams: Vec<_> = team.iter().filter(|_| number + 1 == MACROS.len()).collect();
        workspace.macros.insert(PlainRecord::new(json!({
            "type": "macro",
            "id": (FIRST_MACRO + number).to_string(),
            "name": name,
            "body": body,
            "body_text": text,
            "created_at": now - 200 * DAY,
            "updated_at": now - (number as i64 * 40 + 2) * DAY - HOUR,
            "visible_to": if teams.is_empty() { "everyone" } else { "specific_teams" },
            "visible_to_team_ids": teams,
            "available_on": ["inbox", "messenger"],
        })));
    }
}

/// The conversation attributes among the data attributes, which keep their ids, and those that only newer versions of
/// the API show.
fn attributes(workspace: &mut Workspace, at: i64) {
    let known: Vec<(u64, String, String)> = workspace
        .data_attributes
        .iter()
        .filter(|attribute| attribute.text("model") == "conversation")
        .filter_map(|attribute| {
            let text = |name: &str| attribute.text(name).to_owned();
            Some((attribute.id().parse().ok()?, text("name"), text("data_type")))
        })
        .collect();
    for (number, name, data_type) in &known {
        let attribute = workspace.new_conversation_attribute(*number, [name, data_type], at);
        workspace.conversation_attributes.insert(attribute);
    }
    for ([name, data_type, description], labels) in ATTRIBUTES {
        let number = workspace.next_number(IdSequence::ConversationAttribute);
        let mut attribute = workspace.new_conversation_attribute(number, [name, data_type], at);
        attribute.document["description"] = json!(description);
        if !labels.is_empty() {
            let options = labels.iter().enumerate().map(|(place, label)| {
                let id = format!("{number}0-0000-4000-a000-{:012}", place + 1);
                json!({"id": id, "label": label, "archived": false})
            });
            attribute.document["options"] = options.collect();
        }
        workspace.conversation_attributes.insert(attribute);
    }
}

fn banners(workspace: &mut Workspace, at: i64) {
    let link = json!({"type": "url", "label": "Read more", "target": "https://status.sandbox.test"});
    let banners = [
        ("Maintenance on Saturday", "<p>We are offline for ten minutes on Saturday.</p>", "floating", link),
        ("How do you like the new dashboard?", "<p>Tell us in one click.</p>", "inline", json!(null)),
    ];
    for (number, (title, body, style, action)) in banners.into_iter().enumerate() {
        workspace.banners.insert(PlainRecord::new(json!({
            "id": (FIRST_BANNER + number).to_string(),
            "title": title,
            "body": body,
            "style": style,
            "position": "top",
            "show_dismiss_button": true,
            "action": action,
            "updated_at": at,
        })));
    }
}
