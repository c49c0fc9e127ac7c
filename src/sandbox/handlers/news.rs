//! News items and newsfeeds.

use serde_json::{Map, Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::setup::NewsItem;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listNewsItems" => list,
    "retrieveNewsItem" => retrieve,
    "createNewsItem" => create,
    "updateNewsItem" => update,
    "deleteNewsItem" => delete,
    "listNewsfeeds" => list_feeds,
    "retrieveNewsfeed" => retrieve_feed,
    "listLiveNewsfeedItems" => list_live,
}

fn list_page(request: &Request, documents: &[Value]) -> HandlerResult {
    let page = numbered_page(request, documents, 10, 150)?;
    let response =
        json!({"type": "list", "pages": page.pages, "data": page.records, "total_count": page.total_count});
    Ok(response.into())
}

fn list(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let items: Vec<_> =
        workspace.news_items.newest_first().map(|item| item.document(&workspace.id)).collect();
    list_page(request, &items)
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let item = workspace.news_items.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(item.document(&workspace.id).into())
}

fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let defaults = json!({
        "body": "",
        "state": "draft",
        "labels": [],
        "cover_image_url": null,
        "reactions": [],
        "deliver_silently": false,
        "newsfeed_assignments": [],
        "created_at": now,
    });
    let mut fields = Map::new();
    apply(workspace, &mut fields, &defaults)?;
    apply(workspace, &mut fields, &request.body)?;
    let item = NewsItem { id: workspace.next_id(IdSequence::Other), updated_at: now, fields };
    let document = item.document(&workspace.id);
    workspace.news_items.insert(item);
    Ok(document.into())
}

fn update(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let mut item =
        workspace.news_items.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?.clone();
    apply(workspace, &mut item.fields, &request.body)?;
    item.updated_at = item.updated_at.max(workspace.now());
    let document = item.document(&workspace.id);
    workspace.news_items.insert(item);
    Ok(document.into())
}

fn apply(workspace: &Workspace, fields: &mut Map<String, Value>, body: &Value) -> Result<(), ErrorResponse> {
    if body["sender_id"].as_i64().is_some_and(|id| workspace.admin(id).is_none()) {
        return Err(ErrorResponse::invalid_parameter("sender_id", "sender_id does not match any teammate"));
    }
    let is_writable = |name: &str| !matches!(name, "id" | "type" | "workspace_id" | "updated_at");
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| is_writable(name)) {
        fields.insert(name.clone(), value.clone());
    }
    Ok(())
}

fn delete(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let item = workspace.news_items.remove(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(json!({"id": item.id, "object": "news-item", "deleted": true}).into())
}

fn list_feeds(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let feeds: Vec<_> = workspace.newsfeeds.iter().map(|feed| feed.document()).collect();
    list_page(request, &feeds)
}

fn retrieve_feed(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let feed = workspace.newsfeeds.iter().find(|feed| feed.id == id);
    Ok(feed.ok_or_else(ErrorResponse::record_not_found)?.document().into())
}

fn list_live(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    workspace.newsfeeds.iter().find(|feed| feed.id == id).ok_or_else(ErrorResponse::record_not_found)?;
    let number: i64 = id.parse().map_err(|_| ErrorResponse::record_not_found())?;
    let is_live = |item: &&NewsItem| {
        let feeds = item.fields.get("newsfeed_assignments").and_then(Value::as_array);
        let in_feed = feeds.into_iter().flatten().any(|feed| feed["newsfeed_id"].as_i64() == Some(number));
        in_feed && item.fields.get("state") == Some(&json!("live"))
    };
    let items: Vec<_> = workspace
        .news_items
        .newest_first()
        .filter(is_live)
        .map(|item| item.document(&workspace.id))
        .collect();
    list_page(request, &items)
}
