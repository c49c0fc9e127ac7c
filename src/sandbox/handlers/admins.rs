//! Teammates, teams and the activity log.

use serde_json::{Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::setup::Activity;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::Workspace;

operations! {
    "identifyAdmin" => identify,
    "listAdmins" => list,
    "retrieveAdmin" => retrieve,
    "setAwayAdmin" => set_away,
    "listActivityLogs" => list_activities,
    "listTeams" => list_teams,
    "retrieveTeam" => retrieve_team,
}

fn not_found() -> ErrorResponse {
    ErrorResponse::new(404, "admin_not_found", "Teammate not found")
}

fn identify(workspace: &mut Workspace, _: &Request) -> HandlerResult {
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

fn list(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let admins: Vec<_> = workspace.admins.iter().map(|admin| admin.document()).collect();
    Ok(json!({"type": "admin.list", "admins": admins}).into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id").parse().map_err(|_| not_found())?;
    Ok(workspace.admin(id).ok_or_else(not_found)?.document().into())
}

fn set_away(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "admin_not_found", "admin_id does not match any teammate");
    let id: i64 = request.path("id").parse().map_err(|_| missing())?;
    let now = workspace.now();
    let activity_id = workspace.random.uuid();
    let admin = workspace.admins.iter_mut().find(|admin| admin.id == id).ok_or_else(missing)?;
    admin.away_mode_enabled = request.flag("away_mode_enabled").unwrap_or_default();
    admin.away_mode_reassign = request.flag("away_mode_reassign").unwrap_or_default();
    workspace.activities.push(Activity {
        id: activity_id,
        admin_id: id,
        created_at: now,
        kind: "admin_away_mode_change",
        description: format!("{} changed their away mode", admin.name),
        metadata: json!({
            "away_mode": admin.away_mode_enabled,
            "reassign_conversations": admin.away_mode_reassign,
            "source": "api",
        }),
    });
    Ok(admin.document().into())
}

fn list_activities(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let timestamp = |name| match request.query(name).map(str::parse::<i64>) {
        None => Ok(None),
        Some(Ok(at)) => Ok(Some(at)),
        Some(Err(_)) => {
            Err(ErrorResponse::invalid_parameter(name, format!("{name} must be a UNIX timestamp")))
        }
    };
    let after = timestamp("created_at_after")?.unwrap_or(0);
    let before = timestamp("created_at_before")?.unwrap_or(i64::MAX);
    let mut activities: Vec<_> = workspace
        .activities
        .iter()
        .filter(|activity| (after..=before).contains(&activity.created_at))
        .collect();
    activities.sort_by_key(|activity| std::cmp::Reverse(activity.created_at));
    let page = numbered_page(request, &activities, 20, 50)?;
    let logs: Vec<_> = page.records.iter().map(|activity| activity_document(workspace, activity)).collect();
    Ok(json!({"type": "activity_log.list", "pages": page.pages, "activity_logs": logs}).into())
}

fn activity_document(workspace: &Workspace, activity: &Activity) -> Value {
    let email = workspace.admin(activity.admin_id).map(|admin| &admin.email);
    json!({
        "id": activity.id,
        "performed_by": {
            "type": "admin",
            "id": activity.admin_id.to_string(),
            "email": email,
            "ip": "127.0.0.1",
        },
        "metadata": activity.metadata,
        "created_at": activity.created_at,
        "activity_type": activity.kind,
        "activity_description": activity.description,
    })
}

fn list_teams(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let teams: Vec<_> = workspace.teams.iter().map(|team| team.document()).collect();
    Ok(json!({"type": "team.list", "teams": teams}).into())
}

fn retrieve_team(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let missing = || ErrorResponse::new(404, "team_not_found", "Team not found");
    let id = request.path("id").parse().map_err(|_| missing())?;
    Ok(workspace.team(id).ok_or_else(missing)?.document().into())
}
