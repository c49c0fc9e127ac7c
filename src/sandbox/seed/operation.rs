//! Seed data: what happens in a workspace beside its conversations. Notes about companies, pauses of teammates,
//! WhatsApp messages, conversations and calls of Fin, finished jobs.
//!
//! Draws no random numbers and takes no ids of a sequence, so that all other records stay as they are without it.

use serde_json::{Value, json};

use crate::sandbox::calendar::{DAY, HOUR, MINUTE, time_text};
use crate::sandbox::model::fin::FinConversation;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::reporting_job::ReportingJob;
use crate::sandbox::workspace::Workspace;

pub fn fill(workspace: &mut Workspace, now: i64) {
    company_notes(workspace, now);
    handling_events(workspace);
    whatsapp_messages(workspace, now);
    fin(workspace);
    fin_voice_calls(workspace, now);
    jobs(workspace, now);
}

/// Two notes about each of the first companies.
fn company_notes(workspace: &mut Workspace, now: i64) {
    let author = workspace.me().map(|admin| admin.author());
    let companies: Vec<_> = workspace.companies.iter().take(3).map(|company| company.id.clone()).collect();
    let texts = ["<p>Renewal is in spring.</p>", "<p>Asked for an invoice per department.</p>"];
    for (number, (company, text)) in
        companies.iter().flat_map(|company| texts.map(|text| (company, text))).enumerate()
    {
        workspace.company_notes.insert(PlainRecord::new(json!({
            "type": "note",
            "id": (36_001 + number).to_string(),
            "created_at": now - (40 - number as i64) * DAY,
            "company": {"type": "company", "id": company},
            "author": author,
            "body": text,
        })));
    }
}

/// Somebody paused and resumed the first conversation.
fn handling_events(workspace: &mut Workspace) {
    let Some((conversation, admin)) = workspace.conversations.first().zip(workspace.admins.first()) else {
        return;
    };
    let event = |kind: &str, reason: Option<&str>, after: i64| {
        json!({
            "teammate": {"type": "admin", "id": admin.id, "name": admin.name, "email": admin.email},
            "type": kind,
            "timestamp": time_text(conversation.created_at + after),
            "reason": reason,
        })
    };
    let events = vec![event("paused", Some("Away"), 5 * MINUTE), event("resumed", None, 35 * MINUTE)];
    workspace.handling_events.insert(conversation.id.clone(), events);
}

/// One send to sixty people.
fn whatsapp_messages(workspace: &mut Workspace, now: i64) {
    let conversations: Vec<_> =
        workspace.conversations.iter().take(60).map(|conversation| conversation.id.clone()).collect();
    for (number, conversation_id) in conversations.into_iter().enumerate() {
        let status = match number % 10 {
            3 => "failed",
            1 | 7 => "delivered",
            9 => "sent",
            _ => "read",
        };
        let error = (status == "failed")
            .then(|| json!({"message": "Message undeliverable", "details": "The number has no WhatsApp"}));
        let at = now - 2 * DAY + number as i64;
        // The first id is in examples of commands.
        let id =
            if number == 0 { "wamid.c2FuZGJveC0x".to_owned() } else { format!("wamid.sandbox-{number}") };
        workspace.whatsapp_messages.insert(PlainRecord::new(json!({
            "id": id,
            "event_id": (91_001 + number).to_string(),
            "ruleset_id": "9001",
            "conversation_id": conversation_id,
            "status": status,
            "type": "broadcast_outbound",
            "created_at": at,
            "updated_at": at + 90,
            "template_name": "order_update",
            "error": error,
        })));
    }
}

/// A conversation for which Fin has asked for a rating.
fn fin(workspace: &mut Workspace) {
    let asked = FinConversation {
        user_id: "user-1".to_owned(),
        is_rating_requested: true,
        ..FinConversation::default()
    };
    workspace.fin_conversations.insert("case-1001".to_owned(), asked);
}

/// Two calls of the first conversation.
fn fin_voice_calls(workspace: &mut Workspace, now: i64) {
    let conversation_id = workspace.conversations.first().map(|conversation| conversation.id.clone());
    for (id, phone_number, external_id, summary) in [
        (7_701, "+353215550101", "c-77101", "Asked for the opening hours."),
        (7_702, "+353215550102", "c-77102", "Wanted a call back."),
    ] {
        let mut call = workspace.new_fin_voice_call(id, phone_number, external_id);
        let said = |speaker: &str, text: &str, at: i64| json!({"speaker": speaker, "text": text, "timestamp": time_text(at)});
        let transcript: Value = [
            said("user", "When are you open?", now - 5 * HOUR),
            said("fin", "On weekdays from nine to five.", now - 5 * HOUR + 4),
        ]
        .into_iter()
        .collect();
        for (name, value) in [
            ("status", json!("resolved")),
            ("intercom_call_id", json!((89_000 + id).to_string())),
            ("intercom_conversation_id", json!(conversation_id)),
            ("call_transcript", transcript),
            ("call_summary", json!(summary)),
            ("intent", json!([{"name": "general_question"}])),
        ] {
            call.document[name] = value;
        }
        workspace.fin_voice_calls.insert(call);
    }
}

fn jobs(workspace: &mut Workspace, now: i64) {
    if let Some(ticket) = workspace.tickets.first() {
        workspace.jobs.insert(PlainRecord::new(json!({
            "type": "job",
            "id": "31700001",
            "status": "success",
            "resource_type": "ticket",
            "resource_id": ticket.id,
        })));
    }
    let export = ReportingJob {
        id: "rd5k2m8q1z".to_owned(),
        dataset: "conversation",
        attributes: vec!["conversation_id", "conversation_started_at", "state"],
        from: now - 30 * DAY,
        until: now,
        expires_at: Some(now + 2 * DAY),
    };
    workspace.reporting_jobs.insert(export.id.clone(), export);
}
