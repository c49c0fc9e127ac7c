//! Articles that only the team sees.

use serde_json::json;

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::model::article::InternalArticle;
use crate::sandbox::paging::by_number;
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

family! {
    "listInternalArticles" => list,
    "retrieveInternalArticle" => retrieve,
    "createInternalArticle" => create,
    "updateInternalArticle" => update,
    "deleteInternalArticle" => delete,
    "searchInternalArticles" => find_many,
}

fn list(workspace: &mut Workspace, request: &Request) -> Outcome {
    let articles: Vec<_> = workspace.internal_articles.newest_first().collect();
    let page = by_number(request, &articles, 25, 150)?;
    let data: Vec<_> = page.records.iter().map(|article| article.document()).collect();
    let answer = json!({"type": "list", "pages": page.pages, "total_count": page.total_count, "data": data});
    Ok(answer.into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> Outcome {
    let article = workspace.internal_articles.get(request.path("id")).ok_or_else(Problem::no_resource)?;
    Ok(article.document().into())
}

fn teammate(workspace: &Workspace, request: &Request, name: &str) -> Result<Option<i64>, Problem> {
    match request.integer(name) {
        Some(id) if workspace.admin(id).is_none() => {
            Err(Problem::invalid(name, format!("{name} is no teammate")))
        }
        id => Ok(id),
    }
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let teammate = |name| teammate(workspace, request, name)?.ok_or_else(|| Problem::missing(name));
    let (author_id, owner_id) = (teammate("author_id")?, teammate("owner_id")?);
    let article = InternalArticle {
        id: workspace.issue(Sequence::Article),
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

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let author_id = teammate(workspace, request, "author_id")?;
    let owner_id = teammate(workspace, request, "owner_id")?;
    let article = workspace.internal_articles.get_mut(request.path("id")).ok_or_else(Problem::no_resource)?;
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

fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let article = workspace.internal_articles.remove(request.path("id")).ok_or_else(Problem::no_resource)?;
    Ok(json!({"id": article.id, "object": "internal_article", "deleted": true}).into())
}

/// The sandbox has no folders: a search by folder finds nothing.
fn find_many(workspace: &mut Workspace, request: &Request) -> Outcome {
    let in_folder = request.query("folder_id").is_some_and(|folder| !folder.is_empty());
    let found: Vec<_> = workspace.internal_articles.newest_first().filter(|_| !in_folder).collect();
    let page = by_number(request, &found, 10, 150)?;
    let data: Vec<_> = page.records.iter().map(|article| article.document()).collect();
    let answer = json!({
        "type": "list",
        "total_count": page.total_count,
        "data": {"internal_articles": data},
        "pages": page.pages,
    });
    Ok(answer.into())
}
