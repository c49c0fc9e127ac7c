//! Articles visible to teammates only.

use serde_json::json;

use super::{HandlerResult, operations};
use crate::sandbox::model::article::InternalArticle;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listInternalArticles" => list,
    "retrieveInternalArticle" => retrieve,
    "createInternalArticle" => create,
    "updateInternalArticle" => update,
    "deleteInternalArticle" => delete,
    "searchInternalArticles" => search,
}

fn list(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let articles: Vec<_> = workspace.internal_articles.newest_first().collect();
    let page = numbered_page(request, &articles, 25, 150)?;
    let data: Vec<_> = page.records.iter().map(|article| article.document()).collect();
    let response =
        json!({"type": "list", "pages": page.pages, "total_count": page.total_count, "data": data});
    Ok(response.into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let article =
        workspace.internal_articles.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(article.document().into())
}

fn teammate(workspace: &Workspace, request: &Request, name: &str) -> Result<Option<i64>, ErrorResponse> {
    match request.integer(name) {
        Some(id) if workspace.admin(id).is_none() => {
            Err(ErrorResponse::invalid_parameter(name, format!("{name} does not match any teammate")))
        }
        id => Ok(id),
    }
}

fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let teammate =
        |name| teammate(workspace, request, name)?.ok_or_else(|| ErrorResponse::missing_parameter(name));
    let (author_id, owner_id) = (teammate("author_id")?, teammate("owner_id")?);
    let article = InternalArticle {
        id: workspace.next_id(IdSequence::Article),
        title: request.required("title")?.to_owned(),
        body: request.text("body").unwrap_or_default().to_owned(),
        author_id,
        owner_id,
        created_at: now,
        updated_at: now,
    };
    let document = article.document();
    workspace.internal_articles.insert(article);
    Ok(document.into())
}

fn update(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let author_id = teammate(workspace, request, "author_id")?;
    let owner_id = teammate(workspace, request, "owner_id")?;
    let article = workspace
        .internal_articles
        .get_mut(request.path("id"))
        .ok_or_else(ErrorResponse::record_not_found)?;
    if let Some(title) = request.text("title") {
        title.clone_into(&mut article.title);
    }
    if let Some(body) = request.text("body") {
        body.clone_into(&mut article.body);
    }
    article.author_id = author_id.unwrap_or(article.author_id);
    article.owner_id = owner_id.unwrap_or(article.owner_id);
    article.updated_at = article.updated_at.max(now);
    Ok(article.document().into())
}

fn delete(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let article =
        workspace.internal_articles.remove(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(json!({"id": article.id, "object": "internal_article", "deleted": true}).into())
}

/// The sandbox does not model folders, so a search by folder returns nothing.
fn search(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let in_folder = request.query("folder_id").is_some_and(|folder| !folder.is_empty());
    let articles: Vec<_> = workspace.internal_articles.newest_first().filter(|_| !in_folder).collect();
    let page = numbered_page(request, &articles, 10, 150)?;
    let data: Vec<_> = page.records.iter().map(|article| article.document()).collect();
    let response = json!({
        "type": "list",
        "total_count": page.total_count,
        "data": {"internal_articles": data},
        "pages": page.pages,
    });
    Ok(response.into())
}
