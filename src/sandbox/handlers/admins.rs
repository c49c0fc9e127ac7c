//! Teammates and their activity log.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::operations::operations;
use super::plain::list_all;
use crate::sandbox::model::activity_kinds;
use crate::sandbox::model::admin::Admin;
use crate::sandbox::paging::{ListKeys, numbered_page, page_in_body, parse_integer, whole_list};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "identifyAdmin" => identify,
    "listAdmins" =>
        |workspace, _| Ok(whole_list("admin.list", "admins", workspace.admins.iter().map(Admin::document))),
    "retrieveAdmin" => retrieve,
    "setAwayAdmin" => set_away,
    "listActivityLogs" => list_activities,
    "searchActivityLogs" => search_activities,
    "listActivityLogEventTypes" => list_activity_kinds,
    "listAwayStatusReasons" => |workspace, _| list_all(&workspace.away_reasons, "list", "data"),
}

fn not_found() -> ErrorResponse {
    ErrorResponse::new(404, "admin_not_found", "Teammate not found")
}

fn identify(workspace: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let admin = workspace.me().ok_or_else(not_found)?;
    let mut document = admin.document();
    document["email_verified"] = json!(true);
    document["avatar"] = json!({"type": "avatar", "image_url": null});
    document["app"] = json!({
        "type": "app",
        "id_code": workspace.id,
        "name": workspace.name,
        "created_at": workspace.created_at,
        "secure": false,
        "identity_verification": false,
        "timezone": workspace.timezone.iana_name().unwrap_or("Etc/UTC"),
        "region": workspace.region,
    });
    Ok(document.into())
}

fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = request.path("id").parse().map_err(|_| not_found())?;
    Ok(workspace.admin(id).ok_or_else(not_found)?.document().into())
}

fn set_away(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "admin_not_found", "admin_id does not match any teammate");
    let id: i64 = request.path("id").parse().map_err(|_| missing())?;
    let (now, activity_id) = (workspace.now(), workspace.random.uuid());
    let admin = workspace.admins.iter_mut().find(|admin| admin.id == id).ok_or_else(missing)?;
    admin.away_mode_enabled = request.flag("away_mode_enabled").unwrap_or_default();
    admin.away_mode_reassign = request.flag("away_mode_reassign").unwrap_or_default();
    let metadata = json!({
        "away_mode": admin.away_mode_enabled,
        "reassign_conversations": admin.away_mode_reassign,
        "source": "api",
    });
    let kind = "admin_away_mode_change";
    let activity = admin.activity(activity_id, now, kind, "changed their away mode", metadata);
    workspace.activities.push(activity);
    Ok(admin.document().into())
}

fn list_activities(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let time = |name, default: i64| request.query(name).map_or(Ok(default), |at| parse_integer(name, at));
    let period = time("created_at_after", 0)?..=time("created_at_before", i64::MAX)?;
    let activities = activities(workspace, &period, |_| true);
    let page = numbered_page(request, &activities, (20, 50))?;
    Ok(page.list("activity_log.list", ACTIVITY_KEYS, |activity| (*activity).clone()))
}

const ACTIVITY_KEYS: ListKeys = &["pages", "activity_logs"];

/// The activities in a period of which `keep` accepts the kind, newest first.
fn activities<'a>(
    workspace: &'a Workspace,
    period: &RangeInclusive<i64>,
    keep: impl Fn(&str) -> bool,
) -> Vec<&'a Value> {
    let created_at = |activity: &Value| activity["created_at"].as_i64();
    let mut activities: Vec<_> = workspace
        .activities
        .iter()
        .filter(|activity| created_at(activity).is_some_and(|at| period.contains(&at)))
        .filter(|activity| keep(activity["activity_type"].as_str().unwrap_or_default()))
        .collect();
    activities.sort_by_key(|activity| Reverse(created_at(activity)));
    activities
}

fn list_activity_kinds(_: &mut Workspace, _: &ApiRequest) -> HandlerResult {
    let kinds: Vec<_> = activity_kinds::names().collect();
    Ok(json!({"type": "activity_log_event_type.list", "event_types": kinds}).into())
}

/// Page and page size are in the body.
fn search_activities(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let from =
        request.integer("created_at_after").ok_or_else(|| ErrorResponse::missing("created_at_after"))?;
    let period = from..=request.integer("created_at_before").unwrap_or(i64::MAX);
    let kinds: Vec<_> =
        request.body["event_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_known = |kind: &str| activity_kinds::names().any(|known| known == kind);
    if let Some(unknown) = kinds.iter().find(|kind| !is_known(kind)) {
        return Err(ErrorResponse::invalid("event_types", format!("{unknown} is not an event type")));
    }
    let activities = activities(workspace, &period, |kind| kinds.is_empty() || kinds.contains(&kind));
    let page = page_in_body(request, &activities, (20, 250))?;
    Ok(page.list("activity_log.list", ACTIVITY_KEYS, |activity| (*activity).clone()))
}
