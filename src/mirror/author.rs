//! Who wrote a message: a contact, a person of the team, or a machine.
//!
//! One reading for every report, because the service says it in several ways: by the author's type, by flags of
//! the AI agent, and, for messages of Operator and of workflows, by the address of an author that is typed as a
//! teammate or as a customer. Nothing may count such a message as the answer of a person.

use serde_json::Value;

use super::fields;

/// As it stands in the columns: `contact`, `teammate` or `bot`.
pub const CONTACT: &str = "contact";
pub const TEAMMATE: &str = "teammate";
pub const BOT: &str = "bot";

/// Where Operator's addresses are, also below a region such as `eu.intercom.io`.
const HOSTS: [&str; 2] = ["intercom.io", "intercom-mail.com"];

/// Where the API versions say that the AI agent wrote.
pub const AI_AGENT: &[&str] =
    &["/author/from_ai_agent", "/author/is_ai_answer", "/from_ai_agent", "/is_ai_answer"];

/// What is needed of a part to tell who wrote it.
pub const OF_PART: &[&str] = &[
    "/author/type",
    "/author/name",
    "/author/email",
    "/author/from_ai_agent",
    "/author/is_ai_answer",
    "/from_ai_agent",
    "/is_ai_answer",
];

/// What is needed of a conversation to tell who began it.
pub const OF_OPENING: &[&str] = &[
    "/source/author/type",
    "/source/author/name",
    "/source/author/email",
    "/source/author/from_ai_agent",
    "/source/author/is_ai_answer",
    "/source/delivered_as",
];

/// Whether the AI agent wrote the part, wherever the API version at hand says so.
pub fn is_ai_agent(part: &Value) -> bool {
    AI_AGENT.iter().any(|place| fields::at(part, place).and_then(fields::flag) == Some(true))
}

/// Who wrote a part. What nobody is known to have written, a machine has.
pub fn of_part(part: &Value) -> &'static str {
    if is_ai_agent(part) { BOT } else { of(&part["author"]) }
}

/// Who began a conversation. Where the author is left blank, how it was delivered tells.
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

/// Whether this is Intercom's own bot, whatever its author is typed as: only the service has addresses there.
fn has_operator_address(author: &Value) -> bool {
    let email = lowercase(&author["email"]);
    let Some((name, host)) = email.split_once('@') else { return false };
    let is_host =
        |own: &str| host.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    (name == "operator" || name.starts_with("operator+")) && HOSTS.iter().any(|own| is_host(own))
}

/// Whether a teammate without an address is the bot. A customer may have this name.
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
    fn operator_is_nobody_of_the_team_however_it_is_typed() {
        let written = |author: Value| of_part(&json!({ "author": author }));
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
            assert_eq!(written(author.clone()), BOT, "{author}");
        }
        for author in [
            json!({"type": "admin", "name": "Operator", "email": "switchboard@example.com"}),
            json!({"type": "admin", "name": "Ann", "email": "ann@intercom.io"}),
            json!({"type": "admin", "name": "Ann", "email": "operator+ann@example.com"}),
            json!({"type": "admin", "name": "Ann", "email": "operator@evilintercom.io"}),
            json!({"type": "admin"}),
        ] {
            assert_eq!(written(author.clone()), TEAMMATE, "{author}");
        }
        assert_eq!(written(json!({"type": "lead", "name": "Operator"})), CONTACT);
        assert_eq!(written(json!({"type": "user", "email": "operator@example.com"})), CONTACT);
    }

    #[test]
    fn a_blank_author_is_told_by_the_delivery() {
        let began = |source: Value| of_opening(&json!({ "source": source }));
        assert_eq!(began(json!({"delivered_as": "customer_initiated", "author": {"type": ""}})), CONTACT);
        assert_eq!(began(json!({"delivered_as": "operator_initiated"})), BOT);
        assert_eq!(began(json!({"delivered_as": "admin_initiated", "author": {"type": "admin"}})), TEAMMATE);
        assert_eq!(began(Value::Null), BOT);
    }
}
