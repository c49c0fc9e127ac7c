//! Determines who wrote a message: a contact, a teammate, or a bot.
//!
//! The API shows this in several ways: by the author's type, by flags of the AI agent and, for messages of
//! Operator and workflows, only by the email address of an author that is typed as a teammate or a contact. All
//! reports use this module, because a bot's message must never count as a teammate's reply.

use serde_json::Value;

use crate::data::lenient;

/// Values of the author columns.
pub const CONTACT: &str = "contact";
pub const TEAMMATE: &str = "teammate";
pub const BOT: &str = "bot";

/// Domains of Operator's addresses, also with a region as in `eu.intercom.io`.
const HOSTS: [&str; 2] = ["intercom.io", "intercom-mail.com"];

/// Flags of the AI agent in the various API versions.
pub const AI_AGENT_FIELDS: &[&str] =
    &["/author/from_ai_agent", "/author/is_ai_answer", "/from_ai_agent", "/is_ai_answer"];

/// Fields that [`of_part`] reads.
pub const PART_FIELDS: &[&str] = &[
    "/author/type",
    "/author/name",
    "/author/email",
    "/author/from_ai_agent",
    "/author/is_ai_answer",
    "/from_ai_agent",
    "/is_ai_answer",
];

/// Fields that [`of_opening`] reads.
pub const OPENING_FIELDS: &[&str] = &[
    "/source/author/type",
    "/source/author/name",
    "/source/author/email",
    "/source/author/from_ai_agent",
    "/source/author/is_ai_answer",
    "/source/delivered_as",
];

/// Whether the AI agent wrote the part.
pub fn is_ai_agent(part: &Value) -> bool {
    AI_AGENT_FIELDS.iter().any(|pointer| lenient::at(part, pointer).and_then(lenient::flag) == Some(true))
}

/// Who wrote a part. Without a known author, it was a bot.
pub fn of_part(part: &Value) -> &'static str {
    if is_ai_agent(part) { BOT } else { of(&part["author"]) }
}

/// Who started a conversation. If the author is blank, the delivery decides.
pub fn of_opening(conversation: &Value) -> &'static str {
    let source = &conversation["source"];
    let blank = source["author"]["type"].as_str().is_none_or(str::is_empty);
    if blank && source["delivered_as"] == "customer_initiated" { CONTACT } else { of_part(source) }
}

fn of(author: &Value) -> &'static str {
    if has_operator_address(author) {
        return BOT;
    }
    match author["type"].as_str() {
        Some("user" | "lead" | "contact" | "visitor") => CONTACT,
        Some("admin") if !is_named_operator(author) => TEAMMATE,
        _ => BOT,
    }
}

/// Whether this is Intercom's bot, regardless of the author type: only Intercom has addresses at these domains.
fn has_operator_address(author: &Value) -> bool {
    let email = lowercase(&author["email"]);
    let Some((name, host)) = email.split_once('@') else { return false };
    let is_host =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    (name == "operator" || name.starts_with("operator+")) && HOSTS.iter().any(|domain| is_host(domain))
}

/// Whether a teammate without an address is the bot. A contact may have this name.
fn is_named_operator(author: &Value) -> bool {
    !lowercase(&author["email"]).contains('@') && lowercase(&author["name"]) == "operator"
}

fn lowercase(text: &Value) -> String {
    text.as_str().map(|text| text.trim().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operator_is_a_bot_regardless_of_its_author_type() {
        let author_of = |author: Value| of_part(&json!({ "author": author }));
        for author in [
            json!({"type": "admin", "id": "274", "name": "Operator", "email": "operator+abcd1234@intercom.io"}),
            json!({"type": "admin", "name": "Acme bot", "email": "Operator+x@Intercom.io"}),
            json!({"type": "admin", "name": "Operator", "email": "operator+x@intercom-mail.com"}),
            json!({"type": "admin", "name": "Operator", "email": null}),
            json!({"type": "admin", "name": "Operator", "email": "operator+x@eu.intercom.io"}),
            json!({"type": "user", "name": "Operator", "email": "operator+abcd1234@intercom.io"}),
            json!({"type": "lead", "name": "Acme bot", "email": "operator@au.intercom-mail.com"}),
            json!({"type": "contact", "email": "OPERATOR+x@intercom.io "}),
            json!({"type": "admin", "name": "Ann", "from_ai_agent": true}),
            json!({"type": "admin", "name": "Ann", "is_ai_answer": true}),
            json!({"type": "bot"}),
            json!({"type": "team"}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(author_of(author.clone()), BOT, "{author}");
        }
        for author in [
            json!({"type": "admin", "name": "Operator", "email": "switchboard@example.com"}),
            json!({"type": "admin", "name": "Ann", "email": "ann@intercom.io"}),
            json!({"type": "admin", "name": "Ann", "email": "operator+ann@example.com"}),
            json!({"type": "admin", "name": "Ann", "email": "operator@evilintercom.io"}),
            json!({"type": "admin"}),
        ] {
            assert_eq!(author_of(author.clone()), TEAMMATE, "{author}");
        }
        assert_eq!(author_of(json!({"type": "lead", "name": "Operator"})), CONTACT);
        assert_eq!(author_of(json!({"type": "user", "email": "operator@example.com"})), CONTACT);
    }

    #[test]
    fn the_delivery_determines_a_blank_author() {
        let opener_of = |source: Value| of_opening(&json!({ "source": source }));
        assert_eq!(opener_of(json!({"delivered_as": "customer_initiated", "author": {"type": ""}})), CONTACT);
        assert_eq!(opener_of(json!({"delivered_as": "operator_initiated"})), BOT);
        assert_eq!(
            opener_of(json!({"delivered_as": "admin_initiated", "author": {"type": "admin"}})),
            TEAMMATE
        );
        assert_eq!(opener_of(Value::Null), BOT);
    }
}
