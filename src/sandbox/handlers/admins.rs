//! Teammates and their activity log.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::admin::Admin;
use crate::sandbox::paging::{numbered_page, parse_integer, whole_list};
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
    let created_at = |activity: &Value| activity["created_at"].as_i64();
    let mut activities: Vec<_> = workspace
        .activities
        .iter()
        .filter(|activity| created_at(activity).is_some_and(|at| period.contains(&at)))
        .collect();
    activities.sort_by_key(|activity| Reverse(created_at(activity)));
    let page = numbered_page(request, &activities, (20, 50))?;
    Ok(page.list("activity_log.list", &["pages", "activity_logs"], |activity| (*activity).clone()))
}
