//! The conversations of the golden workspace, each with its expected metrics.

use serde_json::{Value, json};

use super::{DAY, HOUR, at};

/// Who writes: type and id as the API names them.
#[derive(Clone, Copy)]
pub enum By {
    User(&'static str),
    Lead(&'static str),
    Admin(i64),
    /// Deleted from the workspace: not in any list.
    Gone,
    Bot,
    /// The AI agent, which appears as a bot, ...
    Agent,
    /// ... and in some versions as a teammate.
    AgentAsAdmin,
    Nobody,
}
use By::{Admin, Agent, AgentAsAdmin, Bot, Gone, Lead, Nobody, User};

impl By {
    fn author(self) -> Value {
        match self {
            User(id) => json!({"type": "user", "id": id, "name": "Cai", "email": "cai@example.com"}),
            Lead(id) => json!({"type": "lead", "id": id, "name": null, "email": null}),
            Admin(id) => json!({"type": "admin", "id": id.to_string(), "name": "x"}),
            Gone => json!({"type": "admin", "id": "99", "name": "Former Colleague"}),
            Bot => json!({"type": "bot", "id": "1", "name": "Operator"}),
            Agent => json!({"type": "bot", "id": "2", "name": "Fin", "from_ai_agent": true}),
            AgentAsAdmin => json!({"type": "admin", "id": "7", "name": "Fin", "from_ai_agent": true}),
            Nobody => Value::Null,
        }
    }
}

/// One part: type, author, text, minute.
pub type P = (&'static str, By, &'static str, i64);

pub struct Case {
    pub id: &'static str,
    /// The edge case.
    pub trap: &'static str,
    pub opened: By,
    pub started: i64,
    pub parts: Vec<P>,
    pub state: &'static str,
    pub team: Value,
    pub admin: Value,
    pub contacts: Value,
    /// `counted` or `excluded`.
    pub counted: &'static str,
    /// Minutes; `None` without a first response.
    pub first: Option<i64>,
    /// Minutes.
    pub resolution: Option<i64>,
    pub reopened: u32,
    /// Applies the API's quirks to the document.
    pub twist: fn(&mut Value),
}

impl Case {
    pub fn document(&self) -> Value {
        let parts: Vec<Value> = self
            .parts
            .iter()
            .enumerate()
            .map(|(number, (part_type, by, text, minute))| {
                let body = if text.is_empty() { Value::Null } else { json!(format!("<p>{text}</p>")) };
                json!({
                    "type": "conversation_part", "id": format!("{}{:03}", self.id, number), "part_type": part_type,
                    "body": body, "created_at": at(*minute), "updated_at": at(*minute), "author": by.author(),
                    "attachments": [], "assigned_to": null,
                })
            })
            .collect();
        let customer = matches!(self.opened, User(_) | Lead(_));
        let updated = self.parts.iter().map(|part| part.3).max().unwrap_or(self.started).max(self.started);
        let mut document = json!({
            "type": "conversation", "id": self.id, "created_at": at(self.started), "updated_at": at(updated),
            "state": self.state, "open": self.state != "closed", "team_assignee_id": self.team,
            "admin_assignee_id": self.admin, "contacts": self.contacts,
            "source": {"type": "email", "delivered_as": if customer { "customer_initiated" } else { "admin_initiated" },
                       "subject": "", "body": format!("<p>Opening of {}</p>", self.id), "author": self.opened.author()},
            "tags": {"type": "tag.list", "tags": []},
            "statistics": {"count_conversation_parts": parts.len()},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": parts,
                                   "total_count": self.parts.len()},
        });
        (self.twist)(&mut document);
        if let Some(version) = crate::support::api_version() {
            intercom::sandbox::shape(&version.parse().unwrap(), &mut document);
        }
        document
    }
}

fn case(id: &'static str, trap: &'static str, parts: &[P]) -> Case {
    Case {
        id,
        trap,
        opened: User("c1"),
        started: 0,
        parts: parts.to_vec(),
        state: "open",
        team: json!(10),
        admin: json!(7),
        contacts: json!({"type": "contact.list", "contacts": [{"type": "contact", "id": "c1"}]}),
        counted: "counted",
        first: None,
        resolution: None,
        reopened: 0,
        twist: |_| {},
    }
}

/// All cases. Expected times are in minutes from the first message of the contact.
pub fn all() -> Vec<Case> {
    let mut cases = answers();
    cases.extend(closes());
    cases.extend(beginnings());
    cases.extend(quirks());
    cases
}

/// Which parts count as a reply.
fn answers() -> Vec<Case> {
    vec![
        // Note at 5, reply at 30.
        Case {
            first: Some(30),
            ..case(
                "101",
                "a note first",
                &[("note", Admin(7), "Looks odd", 5), ("comment", Admin(7), "Hi", 30)],
            )
        },
        // The bot at 1 and the AI agent at 2 and 3 do not count; the teammate replies at 45.
        Case {
            first: Some(45),
            ..case(
                "102",
                "a bot and an AI agent first",
                &[
                    ("comment", Bot, "Hello!", 1),
                    ("comment", Agent, "Try this", 2),
                    ("comment", AgentAsAdmin, "Or this", 3),
                    ("comment", Admin(7), "Hi", 45),
                ],
            )
        },
        // The assignment at 10 has no text; the one at 20 does.
        Case {
            first: Some(20),
            ..case(
                "103",
                "assignments without and with text",
                &[("assignment", Admin(7), "", 10), ("assignment", Admin(7), "Bo will help", 20)],
            )
        },
        // Closed at 60 with a text: reply and resolution in one.
        Case {
            state: "closed",
            first: Some(60),
            resolution: Some(60),
            ..case("104", "a close that carries text", &[("close", Admin(7), "Done", 60)])
        },
        // Snoozed with a text at 15.
        Case {
            state: "snoozed",
            first: Some(15),
            ..case("105", "a snooze that carries text", &[("snoozed", Admin(7), "Later", 15)])
        },
        // Closed without a text at 30, reopened with a reply at 50.
        Case {
            first: Some(50),
            reopened: 1,
            ..case(
                "106",
                "a reopening that carries text",
                &[("close", Bot, "", 30), ("open", Admin(7), "Sorry, here you are", 50)],
            )
        },
        // No reply; the target of an hour passed long ago.
        case("107", "unanswered past target", &[("comment", User("c1"), "Hello?", 120)]),
        // Closed without a reply: unanswered, but resolved after 2 hours.
        Case {
            state: "closed",
            resolution: Some(120),
            ..case("108", "closed without an answer", &[("close", Bot, "", 120)])
        },
        // An image counts as a reply; the empty paragraph of an assignment does not.
        Case {
            first: Some(40),
            ..case(
                "109",
                "an empty paragraph, and an image",
                &[("assignment", Admin(7), "&nbsp;", 10), ("comment", Admin(8), "<img src='x.png'>", 40)],
            )
        },
        // The customer's rating and the workflow's parts are not messages.
        Case {
            first: Some(25),
            ..case(
                "110",
                "parts that are not messages",
                &[
                    ("conversation_rating_changed", User("c1"), "5", 3),
                    ("conversation_attribute_updated_by_admin", Admin(7), "x", 4),
                    ("away_mode_assignment", Bot, "", 5),
                    ("comment", Admin(7), "Hi", 25),
                ],
            )
        },
    ]
}

/// Closing, reopening, snoozing.
fn closes() -> Vec<Case> {
    vec![
        // Closed at 60, 180 and 300; reopened at 120 and 240. The last close counts: 300 minutes.
        Case {
            state: "closed",
            first: Some(30),
            resolution: Some(300),
            reopened: 2,
            ..case(
                "201",
                "reopened twice",
                &[
                    ("comment", Admin(7), "Hi", 30),
                    ("close", Admin(7), "", 60),
                    ("comment", User("c1"), "Again", 120),
                    ("close", Admin(7), "", 180),
                    ("open", Admin(8), "", 240),
                    ("close", Admin(8), "", 300),
                ],
            )
        },
        // Closed at 60, open again since 90: answered, not resolved.
        Case {
            first: Some(30),
            reopened: 1,
            ..case(
                "202",
                "closed once, open now",
                &[
                    ("comment", Admin(7), "Hi", 30),
                    ("close", Admin(7), "", 60),
                    ("comment", User("c1"), "No", 90),
                ],
            )
        },
        // Snoozed from 60 to 60+1440, closed at 1560: 1560 minutes, 120 without the snooze.
        Case {
            state: "closed",
            first: Some(30),
            resolution: Some(1560),
            ..case(
                "203",
                "snoozed for a day",
                &[
                    ("comment", Admin(7), "Hi", 30),
                    ("snoozed", Admin(7), "", 60),
                    ("timer_unsnooze", Bot, "", 1500),
                    ("close", Admin(7), "", 1560),
                ],
            )
        },
        // A thank-you after the close does not reopen it: the state is closed.
        Case {
            state: "closed",
            first: Some(10),
            resolution: Some(20),
            twist: |document| {
                let parts = &mut document["conversation_parts"]["conversation_parts"];
                for (part, state) in [(0, "open"), (1, "closed"), (2, "closed")] {
                    parts[part]["state"] = json!(state);
                }
            },
            ..case(
                "204",
                "a thank-you after the close",
                &[
                    ("comment", Admin(7), "Hi", 10),
                    ("close", Admin(7), "", 20),
                    ("comment", User("c1"), "Thanks", 30),
                ],
            )
        },
        // Friday 16:30 (4 days and 7.5 hours on) to Monday 09:15: 45 minutes of office hours.
        Case {
            started: 4 * DAY + 7 * HOUR + 30,
            state: "closed",
            first: Some(7 * DAY + 15 - (4 * DAY + 7 * HOUR + 30)),
            resolution: Some(7 * DAY + HOUR - (4 * DAY + 7 * HOUR + 30)),
            ..case(
                "205",
                "a weekend in between",
                &[("comment", Admin(7), "Hi", 7 * DAY + 15), ("close", Admin(7), "", 7 * DAY + HOUR)],
            )
        },
        // The state is missing, but `open` is false: closed.
        Case {
            state: "closed",
            first: Some(12),
            resolution: Some(24),
            twist: |document| {
                document.as_object_mut().unwrap().remove("state");
                document["open"] = json!(false);
            },
            ..case(
                "206",
                "no state, only open",
                &[("comment", Admin(7), "Hi", 12), ("close", Admin(7), "", 24)],
            )
        },
    ]
}

/// Who started the conversation.
fn beginnings() -> Vec<Case> {
    vec![
        // The team wrote, nobody replied: excluded, and in no other metric.
        Case {
            opened: Admin(7),
            counted: "excluded",
            ..case(
                "301",
                "outbound without a reply",
                &[("comment", Admin(7), "Ping", 100), ("close", Admin(7), "", 200)],
            )
        },
        // The team wrote at 0 and 50, closed at 60, the customer first wrote at 100: reply at 130 (30
        // minutes), closed at 400 (300 minutes). The close at 60 does not count.
        Case {
            opened: Admin(7),
            state: "closed",
            first: Some(30),
            resolution: Some(300),
            reopened: 1,
            ..case(
                "302",
                "outbound with a reply",
                &[
                    ("comment", Admin(7), "Ping", 50),
                    ("close", Admin(7), "", 60),
                    ("comment", User("c1"), "Yes?", 100),
                    ("comment", Admin(7), "Good", 130),
                    ("close", Admin(7), "", 400),
                ],
            )
        },
        // A workflow started it: the clock starts when the customer chose a button, at 5.
        Case {
            opened: Bot,
            first: Some(55),
            twist: |document| document["source"]["delivered_as"] = json!("automated"),
            ..case(
                "303",
                "begun by a workflow",
                &[("quick_reply", User("c1"), "Billing", 5), ("comment", Admin(8), "Hi", 60)],
            )
        },
        // Started by a lead that was later merged into c2: its parts still name the lead.
        Case {
            opened: Lead("l9"),
            contacts: json!({"contacts": [{"type": "contact", "id": "c2"}]}),
            first: Some(33),
            ..case(
                "304",
                "a merged contact",
                &[("comment", Lead("l9"), "Anybody?", 3), ("comment", Admin(7), "Hi", 33)],
            )
        },
        // The author is blank, but the delivery type shows that it was a customer.
        Case {
            first: Some(8),
            twist: |document| document["source"]["author"] = Value::Null,
            ..case("305", "no author of the opening message", &[("comment", Admin(7), "Hi", 8)])
        },
    ]
}

/// Quirks of the API.
fn quirks() -> Vec<Case> {
    vec![
        // Reply by a deleted teammate, and still assigned to them.
        Case {
            admin: json!(99),
            first: Some(70),
            ..case("401", "a deleted admin", &[("comment", Gone, "Hi", 70)])
        },
        // The reply at 15 is last in the list.
        Case {
            state: "closed",
            first: Some(15),
            resolution: Some(90),
            ..case(
                "402",
                "parts out of order",
                &[
                    ("close", Admin(7), "", 90),
                    ("comment", User("c1"), "More", 10),
                    ("comment", Admin(7), "Second answer", 60),
                    ("comment", Admin(7), "First answer", 15),
                ],
            )
        },
        // Every time is a string.
        Case {
            state: "closed",
            first: Some(22),
            resolution: Some(44),
            twist: |document| {
                document["created_at"] = json!(document["created_at"].to_string());
                let parts = document["conversation_parts"]["conversation_parts"].as_array_mut().unwrap();
                for part in parts {
                    part["created_at"] = json!(part["created_at"].to_string());
                }
            },
            ..case(
                "403",
                "timestamps as strings",
                &[("comment", Admin(7), "Hi", 22), ("close", Admin(7), "", 44)],
            )
        },
        // Unassigned: 0 and null both mean that.
        Case {
            team: json!(0),
            admin: Value::Null,
            first: Some(16),
            ..case("404", "unassigned", &[("comment", Admin(8), "Hi", 16)])
        },
        // Reassigned from Support to the other team: counted for the current one.
        Case {
            team: json!("20"),
            admin: json!("8"),
            first: Some(35),
            ..case(
                "405",
                "reassigned",
                &[
                    ("assignment", Admin(7), "", 5),
                    ("comment", Admin(7), "Hi", 35),
                    ("assignment", Admin(7), "", 40),
                ],
            )
        },
        // A part without an author, and one with `updated_at` but without `created_at`.
        Case {
            first: Some(18),
            twist: |document| {
                let parts = &mut document["conversation_parts"]["conversation_parts"];
                parts[1]["created_at"] = Value::Null;
            },
            ..case(
                "406",
                "missing fields of parts",
                &[("comment", Nobody, "Hi", 9), ("comment", Admin(7), "Hi", 18)],
            )
        },
        // 600 parts, of which the newest 500 were returned: answered, but the first response is unknown.
        Case {
            state: "closed",
            first: None,
            resolution: Some(700),
            twist: |document| {
                let parts = document["conversation_parts"]["conversation_parts"].as_array_mut().unwrap();
                let template = parts[0].clone();
                let close = parts[1].clone();
                parts.clear();
                for number in 0..499 {
                    let mut part = template.clone();
                    part["id"] = json!(format!("407x{number:04}"));
                    part["created_at"] = json!(at(100 + number));
                    parts.push(part);
                }
                parts.push(close);
                document["statistics"]["count_conversation_parts"] = json!(600);
            },
            ..case("407", "over 500 parts", &[("comment", Admin(7), "Hi", 100), ("close", Admin(7), "", 700)])
        },
        // Across the clock change: Friday 2026-03-27 16:00 to Monday 10:00 in Berlin.
        Case {
            // 45 days before the start, in minutes: 2026-03-27T15:00:00Z.
            started: DST,
            first: Some(2 * DAY + 17 * HOUR),
            ..case("408", "a change of the clocks", &[("comment", Admin(7), "Hi", DST + 2 * DAY + 17 * HOUR)])
        },
    ]
}

/// 2026-03-27T15:00:00Z, in minutes.
pub const DST: i64 = -(44 * DAY + 16 * HOUR);
