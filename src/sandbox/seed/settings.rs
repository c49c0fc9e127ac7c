//! Seed data: office hours, brands, addresses, workflows and data connectors.
//!
//! Draws no random numbers and takes no ids of a sequence, so that all other records stay as they are without it.

use serde_json::json;

use crate::sandbox::calendar::{DAY, HOUR, MINUTE, time_text};
use crate::sandbox::model::data_connector::{ConnectorExecution, DataConnector};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::workspace::{IpAllowlist, Workspace};

/// Schedule of all weekdays from 9:00 to 17:00, and one that never closes.
const SCHEDULES: [(&str, &str); 2] = [("6001", "Support"), ("6002", "On call")];

pub fn fill(workspace: &mut Workspace, now: i64) {
    let created_at = now - 300 * DAY;
    away_reasons(workspace, created_at);
    workspace.ip_allowlist = IpAllowlist { is_enabled: false, entries: vec!["192.0.2.0/24".to_owned()] };
    office_hours(workspace, created_at);
    brands(workspace, created_at);
    workflow(workspace, created_at);
    connectors(workspace, now);
}

fn away_reasons(workspace: &mut Workspace, at: i64) {
    let reasons = [("Lunch", "🍽", false), ("In a meeting", "📅", false), ("Fire drill", "🧯", true)];
    for (order, (label, emoji, is_deleted)) in reasons.into_iter().enumerate() {
        workspace.away_reasons.insert(PlainRecord::new(json!({
            "type": "away_status_reason",
            "id": (8_001 + order).to_string(),
            "label": label,
            "emoji": emoji,
            "order": order + 1,
            "deleted": is_deleted,
            "created_at": at,
            "updated_at": at,
        })));
    }
}

fn office_hours(workspace: &mut Workspace, at: i64) {
    let zone = workspace.timezone.iana_name().unwrap_or("Etc/UTC").to_owned();
    let weekdays: Vec<_> = (0..5)
        .map(|day| {
            let midnight = day * 24 * 60;
            json!({"start_minute": midnight + 540, "end_minute": midnight + 1_020, "day_of_week": day})
        })
        .collect();
    let always = vec![json!({"start_minute": 0, "end_minute": 10_080, "day_of_week": 0})];
    for ((id, name), times) in SCHEDULES.into_iter().zip([weekdays, always]) {
        workspace.office_hours.insert(PlainRecord::new(json!({
            "type": "office_hours_schedule",
            "id": id,
            "name": name,
            "time_zone_name": zone,
            "twenty_four_seven": times.len() == 1,
            "time_intervals": times,
            "created_at": at,
            "updated_at": at,
        })));
    }
    let shorter = json!([{"start_minute": 540, "end_minute": 780, "day_of_week": 3}]);
    for (id, date, name, kind, times, is_annual) in [
        ("6101", "2026-01-01", "New Year's Day", "closed", json!(null), true),
        ("6102", "2026-12-24", "Christmas Eve", "custom_hours", shorter, false),
    ] {
        workspace.office_hours_exceptions.insert(PlainRecord::new(json!({
            "type": "office_hours_exception",
            "id": id,
            "office_hours_schedule_id": SCHEDULES[0].0,
            "exception_date": date,
            "exception_type": kind,
            "name": name,
            "time_intervals": times,
            "recurring_annually": is_annual,
            "created_at": at,
            "updated_at": at,
        })));
    }
}

/// The default brand has the id of the workspace.
fn brands(workspace: &mut Workspace, at: i64) {
    let addresses = [
        ("50021", "support@sandbox.test", workspace.id.clone(), true, Some(at + 299 * DAY)),
        ("50022", "hello@outlet.sandbox.test", "3001".to_owned(), false, None),
    ];
    for (id, name) in [(workspace.id.as_str(), "Sandbox"), ("3001", "Sandbox Outlet")] {
        let is_default = id == workspace.id;
        workspace.brands.insert(PlainRecord::new(json!({
            "type": "brand",
            "id": id,
            "name": name,
            "is_default": is_default,
            "created_at": at,
            "updated_at": at,
            "help_center_id": if is_default { "1" } else { "2" },
            "default_address_settings_id": if is_default { "50021" } else { "50022" },
        })));
    }
    for (id, email, brand_id, is_verified, received_at) in addresses {
        workspace.sender_addresses.insert(PlainRecord::new(json!({
            "type": "email_setting",
            "id": id,
            "email": email,
            "verified": is_verified,
            "domain": email.split('@').next_back(),
            "brand_id": brand_id,
            "forwarding_enabled": received_at.is_some(),
            "forwarded_email_last_received_at": received_at,
            "created_at": at,
            "updated_at": at,
        })));
    }
}

fn workflow(workspace: &mut Workspace, at: i64) {
    workspace.workflows.insert(PlainRecord::new(json!({
        "id": "31001",
        "title": "Route billing questions",
        "description": null,
        "trigger_type": "inbound_conversation",
        "state": "live",
        "target_channels": ["chat", "email"],
        "preferred_devices": ["desktop", "mobile"],
        "created_at": time_text(at),
        "updated_at": time_text(at + 20 * DAY),
        "targeting": {"predicates": [{"attribute": "plan", "comparison": "eq", "value": "growth"}]},
        "snapshot": {"steps": [{"id": "s1", "type": "assign", "team_id": "5017691"}]},
        "attributes": [],
        "embedded_rules": [],
    })));
}

/// A connector that Fin uses, with the requests of the last days, and a draft.
fn connectors(workspace: &mut Workspace, now: i64) {
    let admin_id = workspace.my_id();
    let mut live = DataConnector::new("7001".to_owned(), admin_id, now - 60 * DAY);
    live.settings["name"] = json!("Order status");
    live.settings["description"] = json!("Looks up an order by its number");
    live.settings["state"] = json!("live");
    live.settings["url"] = json!("https://orders.sandbox.test/v1/orders/{{order_id}}");
    live.settings["headers"] = json!([{"name": "X-Api-Key", "value": "sandbox-secret"}]);
    live.settings["direct_fin_usage"] = json!(true);
    live.settings["audiences"] = json!(["users"]);
    live.settings["configuration_response_type"] = json!("test_response_type");
    live.settings["data_inputs"] = json!([{
        "name": "order_id",
        "type": "string",
        "description": "Number of the order",
        "required": true,
        "default_value": "",
    }]);
    live.settings["response_fields"] =
        json!([{"path": "status", "type": "string", "example_value": "shipped", "redacted": false}]);
    let mut draft = DataConnector::new("7002".to_owned(), admin_id, now - 3 * DAY);
    draft.settings["name"] = json!("Open a return");
    draft.settings["http_method"] = json!("post");
    draft.settings["url"] = json!("https://orders.sandbox.test/v1/returns");
    for connector in [live, draft] {
        workspace.data_connectors.insert(connector);
    }
    let conversation_id = workspace.conversations.first().map(|conversation| conversation.id.clone());
    for number in 0..24 {
        let execution = execution(number, conversation_id.as_deref(), now);
        workspace.connector_executions.insert(execution);
    }
}

/// Every fifth request fails. The first dozen is from the last hour.
fn execution(number: i64, conversation_id: Option<&str>, now: i64) -> ConnectorExecution {
    let (id, is_failure) = ((71_001 + number).to_string(), number % 5 == 0);
    let ago = if number < 12 { (4 * number + 1) * MINUTE } else { (number - 10) * 3 * HOUR };
    let order = 1_800 + number;
    let response = if is_failure {
        "{\"error\":\"unavailable\"}".to_owned()
    } else {
        format!("{{\"order\":{order},\"status\":\"shipped\"}}")
    };
    let document = json!({
        "type": "data_connector.execution",
        "id": id,
        "data_connector_id": "7001",
        "success": !is_failure,
        "http_status": if is_failure { 503 } else { 200 },
        "http_method": "get",
        "error_type": is_failure.then_some("3rd_party_error"),
        "error_message": is_failure.then_some("The server answered 503"),
        "execution_time_ms": 120 + 7 * number,
        "source_type": "fin",
        "source_id": null,
        "conversation_id": conversation_id,
        "created_at": "",
        "request_url": format!("https://orders.sandbox.test/v1/orders/{order}"),
        "request_body": null,
        "response_body": response,
        "raw_response_body": response,
    });
    ConnectorExecution { id, connector_id: "7001".to_owned(), updated_at: now - ago, document }
}
