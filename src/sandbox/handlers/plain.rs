//! Resources without behaviour: teams, tags, segments, collections, internal articles, news, calls and the like.
//!
//! Changes of tags are in `tags.rs`.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::plain::{PlainRecord, set_fields};
use crate::sandbox::paging::{COUNT_LAST, DATA_FIRST, ListKeys, PAGES_FIRST, numbered_page, whole_list};
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::{RecordSet, WorkspaceRecord};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listTeams" => |workspace, _| list_all(&workspace.teams, "team.list", "teams"),
    "retrieveTeam" => retrieve_team,
    "listTags" => |workspace, _| list_all(&workspace.tags, "list", "data"),
    "findTag" => |workspace, request| retrieve(&workspace.tags, request),
    "listSegments" => list_segments,
    "retrieveSegment" => |workspace, request| retrieve(&workspace.segments, request),
    "listSubscriptionTypes" => |workspace, _| list_all(&workspace.subscription_types, "list", "data"),
    "listHelpCenters" => |workspace, _| list_all(&workspace.help_centers, "list", "data"),
    "retrieveHelpCenter" => |workspace, request| retrieve(&workspace.help_centers, request),
    "listAllCollections" =>
        |workspace, request| list_page(request, &workspace.collections, (20, 150), DATA_FIRST),
    "retrieveCollection" => |workspace, request| retrieve(&workspace.collections, request),
    "listInternalArticles" =>
        |workspace, request| list_page(request, &workspace.internal_articles, (25, 150), PAGES_FIRST),
    "retrieveInternalArticle" => |workspace, request| retrieve(&workspace.internal_articles, request),
    "deleteInternalArticle" =>
        |workspace, request| delete(&mut workspace.internal_articles, request, "internal_article"),
    "listNewsItems" => |workspace, request| list_page(request, &workspace.news_items, (10, 150), COUNT_LAST),
    "retrieveNewsItem" => |workspace, request| retrieve(&workspace.news_items, request),
    "deleteNewsItem" => |workspace, request| delete(&mut workspace.news_items, request, "news-item"),
    "listNewsfeeds" => list_newsfeeds,
    "retrieveNewsfeed" => |workspace, request| retrieve(&workspace.newsfeeds, request),
    "listCalls" => list_calls,
    "showCall" => |workspace, request| retrieve(&workspace.calls, request),
    "createCollection" => create_collection,
    "updateCollection" => update_collection,
    "deleteCollection" => delete_collection,
    "createInternalArticle" => create_internal_article,
    "updateInternalArticle" => update_internal_article,
    "searchInternalArticles" => search_internal_articles,
    "createNewsItem" => create_news_item,
    "updateNewsItem" => update_news_item,
    "listLiveNewsfeedItems" => list_live_news,
}

/// The record with the id in the path.
pub fn retrieve(records: &RecordSet<PlainRecord>, request: &ApiRequest) -> HandlerResult {
    Ok(records.find(request.path("id"))?.document.clone().into())
}

/// All records, in insertion order.
pub fn list_all(records: &RecordSet<PlainRecord>, kind: &str, key: &str) -> HandlerResult {
    Ok(whole_list(kind, key, records.iter().map(|record| record.document.clone())))
}

/// A page of the records, last updated first.
fn list_page(
    request: &ApiRequest,
    records: &RecordSet<PlainRecord>,
    sizes: (usize, usize),
    keys: ListKeys,
) -> HandlerResult {
    let records: Vec<_> = records.newest_first().collect();
    Ok(numbered_page(request, &records, sizes)?.list("list", keys, |record| record.document.clone()))
}

/// Removes the record with the id in the path.
pub fn delete<T: WorkspaceRecord>(
    records: &mut RecordSet<T>,
    request: &ApiRequest,
    object: &str,
) -> HandlerResult {
    let record = records.remove(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(SuccessResponse::deleted(record.id(), object))
}

fn retrieve_team(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let team = request.path("id").parse().ok().and_then(|id| workspace.team(id));
    let missing = || ErrorResponse::new(404, "team_not_found", "Team not found");
    Ok(team.ok_or_else(missing)?.document.clone().into())
}

fn list_segments(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let segments = workspace.segments.iter().map(|segment| {
        let mut document = segment.document.clone();
        if request.is_true("include_count") {
            let members = workspace.contacts.iter().filter(|contact| contact.segments.contains(&segment.id));
            document["count"] = json!(members.count());
        }
        document
    });
    Ok(whole_list("segment.list", "segments", segments))
}

fn list_newsfeeds(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    Ok(numbered_page(request, &workspace.newsfeeds, (10, 150))?
        .list("list", COUNT_LAST, |feed| feed.document.clone()))
}

/// A workspace without any calls has no phone, and does not offer them.
fn list_calls(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    if workspace.calls.is_empty() {
        return Err(ErrorResponse::new(501, "not_implemented", "This workspace has no phone: no listCalls"));
    }
    let mut calls: Vec<_> = workspace.calls.newest_first().collect();
    if workspace.quirks.contains(&Quirk::OldestCallsFirst) {
        calls.reverse();
    }
    Ok(numbered_page(request, &calls, (25, 25))?.list("list", COUNT_LAST, |call| call.document.clone()))
}

fn create_collection(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let help_center_id = request.integer("help_center_id");
    if let Some(id) = help_center_id {
        workspace.help_centers.find(&id.to_string())?;
    }
    let mut collection = workspace.new_collection(workspace.now());
    if let Some(id) = help_center_id {
        collection.document["help_center_id"] = json!(id);
    }
    request.required("name")?;
    save_collection(workspace, collection, &request.body)
}

fn update_collection(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut collection = workspace.collections.find(request.path("id"))?.clone();
    collection.touch(workspace.now());
    save_collection(workspace, collection, &request.body)
}

/// Applies the fields of the body, and stores the collection.
fn save_collection(workspace: &mut Workspace, mut collection: PlainRecord, body: &Value) -> HandlerResult {
    collection.update(body, &["name", "description", "translated_content"]);
    match body.get("parent_id") {
        Some(Value::String(id)) if *id == collection.id || workspace.collections.get(id).is_none() => {
            return Err(ErrorResponse::invalid("parent_id", "parent_id does not match any other collection"));
        }
        Some(Value::String(id)) => collection.document["parent_id"] = json!(id),
        Some(_) => collection.document["parent_id"] = Value::Null,
        None => {}
    }
    let document = collection.document.clone();
    workspace.collections.insert(collection);
    Ok(document.into())
}

/// Articles and collections inside the deleted collection lose their parent.
fn delete_collection(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let collection =
        workspace.collections.remove(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    let is_inside = |article: &HelpArticle| article.parent_id.as_ref() == Some(&collection.id);
    for article in workspace.articles.matching_mut(is_inside) {
        article.parent_id = None;
        article.touch(now);
    }
    let is_inside = |inner: &&mut PlainRecord| inner.text("parent_id") == collection.id;
    for inner in workspace.collections.iter_mut().filter(is_inside) {
        inner.document["parent_id"] = Value::Null;
        inner.touch(now);
    }
    Ok(SuccessResponse::deleted(&collection.id, "collection"))
}

fn teammate(workspace: &Workspace, request: &ApiRequest, name: &str) -> Result<Option<i64>, ErrorResponse> {
    match request.integer(name) {
        Some(id) if workspace.admin(id).is_none() => {
            Err(ErrorResponse::invalid(name, format!("{name} does not match any teammate")))
        }
        id => Ok(id),
    }
}

fn create_internal_article(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let teammate = |name| teammate(workspace, request, name)?.ok_or_else(|| ErrorResponse::missing(name));
    let (author_id, owner_id) = (teammate("author_id")?, teammate("owner_id")?);
    let mut article = workspace.new_internal_article([owner_id, author_id], workspace.now());
    request.required("title")?;
    article.update(&request.body, &["title", "body"]);
    let document = article.document.clone();
    workspace.internal_articles.insert(article);
    Ok(document.into())
}

fn update_internal_article(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let author_id = teammate(workspace, request, "author_id")?;
    let owner_id = teammate(workspace, request, "owner_id")?;
    let article = workspace.internal_articles.find_mut(request.path("id"))?;
    article.update(&request.body, &["title", "body"]);
    for (name, id) in [("author_id", author_id), ("owner_id", owner_id)] {
        if let Some(id) = id {
            article.document[name] = json!(id);
        }
    }
    article.touch(now);
    Ok(article.document.clone().into())
}

/// The sandbox does not model folders, so a search by folder returns nothing.
fn search_internal_articles(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let in_folder = request.query("folder_id").is_some_and(|folder| !folder.is_empty());
    let articles: Vec<_> = workspace.internal_articles.newest_first().filter(|_| !in_folder).collect();
    let page = numbered_page(request, &articles, (10, 150))?;
    let data: Vec<_> = page.records.iter().map(|article| &article.document).collect();
    let response = json!({
        "type": "list",
        "total_count": page.total_count,
        "data": {"internal_articles": data},
        "pages": page.pages,
    });
    Ok(response.into())
}

fn create_news_item(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    check_sender(workspace, &request.body)?;
    let item = PlainRecord::new(json!({
        "id": workspace.next_id(IdSequence::Other),
        "type": "news-item",
        "workspace_id": workspace.id,
        "body": "",
        "state": "draft",
        "labels": [],
        "cover_image_url": null,
        "reactions": [],
        "deliver_silently": false,
        "newsfeed_assignments": [],
        "created_at": workspace.now(),
    }));
    save_news_item(workspace, item, &request.body)
}

fn update_news_item(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let item = workspace.news_items.find(request.path("id"))?.clone();
    check_sender(workspace, &request.body)?;
    save_news_item(workspace, item, &request.body)
}

fn check_sender(workspace: &Workspace, body: &Value) -> Result<(), ErrorResponse> {
    match body["sender_id"].as_i64() {
        Some(id) if workspace.admin(id).is_none() => {
            Err(ErrorResponse::invalid("sender_id", "sender_id does not match any teammate"))
        }
        _ => Ok(()),
    }
}

/// Applies the fields of the body, and stores the item. `updated_at` stays the last key of the document.
fn save_news_item(workspace: &mut Workspace, mut item: PlainRecord, body: &Value) -> HandlerResult {
    let updated_at = item.document.as_object_mut().and_then(|fields| fields.shift_remove("updated_at"));
    set_fields(&mut item.document, body, &["id", "type", "workspace_id", "updated_at"]);
    let updated_at = updated_at.and_then(|at| at.as_i64()).max(Some(workspace.now()));
    item.document["updated_at"] = json!(updated_at);
    let document = item.document.clone();
    workspace.news_items.insert(item);
    Ok(document.into())
}

fn list_live_news(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let feed = workspace.newsfeeds.find(request.path("id"))?;
    let is_live = |item: &&PlainRecord| {
        let feeds = item.document["newsfeed_assignments"].as_array();
        let mut feed_ids = feeds.into_iter().flatten().map(|feed| feed["newsfeed_id"].to_string());
        item.text("state") == "live" && feed_ids.any(|id| id == feed.id)
    };
    let items: Vec<_> = workspace.news_items.newest_first().filter(is_live).collect();
    Ok(numbered_page(request, &items, (10, 150))?.list("list", COUNT_LAST, |item| item.document.clone()))
}
