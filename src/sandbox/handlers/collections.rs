//! Collections of articles, and help centers.

use serde_json::{Map, Value, json};

use super::{HandlerResult, operations};
use crate::sandbox::model::article::Collection;
use crate::sandbox::paging::numbered_page;
use crate::sandbox::request::Request;
use crate::sandbox::response::ErrorResponse;
use crate::sandbox::workspace::{IdSequence, Workspace};

operations! {
    "listAllCollections" => list,
    "retrieveCollection" => retrieve,
    "createCollection" => create,
    "updateCollection" => update,
    "deleteCollection" => delete,
    "listHelpCenters" => list_help_centers,
    "retrieveHelpCenter" => retrieve_help_center,
}

fn document(workspace: &Workspace, collection: &Collection) -> Value {
    collection.document(&workspace.id, workspace.locale())
}

fn list(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let collections: Vec<_> = workspace.collections.newest_first().collect();
    let page = numbered_page(request, &collections, 20, 150)?;
    let data: Vec<_> = page.records.iter().map(|collection| document(workspace, collection)).collect();
    let response =
        json!({"type": "list", "data": data, "total_count": page.total_count, "pages": page.pages});
    Ok(response.into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let collection =
        workspace.collections.get(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?;
    Ok(document(workspace, collection).into())
}

fn create(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let now = workspace.now();
    let default = workspace.help_centers.first().map_or(0, |center| center.id);
    let help_center_id = request.integer("help_center_id").unwrap_or(default);
    if workspace.help_centers.iter().all(|center| center.id != help_center_id) {
        return Err(ErrorResponse::record_not_found());
    }
    let mut collection = Collection {
        id: workspace.next_id(IdSequence::Article),
        name: request.required("name")?.to_owned(),
        description: None,
        order: workspace.collections.len() as i64 + 1,
        parent_id: None,
        help_center_id,
        created_at: now,
        updated_at: now,
        translations: (workspace.locales.len() > 1).then(Map::new),
    };
    apply(workspace, &mut collection, &request.body)?;
    let document = document(workspace, &collection);
    workspace.collections.insert(collection);
    Ok(document.into())
}

fn update(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let mut collection = workspace.collections.get(id).ok_or_else(ErrorResponse::record_not_found)?.clone();
    apply(workspace, &mut collection, &request.body)?;
    collection.updated_at = collection.updated_at.max(workspace.now());
    let document = document(workspace, &collection);
    workspace.collections.insert(collection);
    Ok(document.into())
}

fn apply(workspace: &Workspace, collection: &mut Collection, body: &Value) -> Result<(), ErrorResponse> {
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut collection.name);
    }
    if let Some(description) = body["description"].as_str() {
        collection.description = Some(description.to_owned());
    }
    match body.get("parent_id") {
        Some(Value::String(id)) if *id == collection.id || workspace.collections.get(id).is_none() => {
            return Err(ErrorResponse::invalid_parameter(
                "parent_id",
                "parent_id does not match any other collection",
            ));
        }
        Some(Value::String(id)) => collection.parent_id = Some(id.clone()),
        Some(_) => collection.parent_id = None,
        None => {}
    }
    if let (Some(translations), Some(contents)) =
        (&mut collection.translations, body["translated_content"].as_object())
    {
        *translations = contents.clone();
    }
    Ok(())
}

/// Articles and collections inside the deleted collection lose their parent.
fn delete(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = workspace.collections.remove(request.path("id")).ok_or_else(ErrorResponse::record_not_found)?.id;
    let now = workspace.now();
    for article in workspace.articles.iter_mut().filter(|article| article.parent_id.as_ref() == Some(&id)) {
        (article.parent_id, article.updated_at) = (None, now);
    }
    for inner in workspace.collections.iter_mut().filter(|inner| inner.parent_id.as_ref() == Some(&id)) {
        (inner.parent_id, inner.updated_at) = (None, now);
    }
    Ok(json!({"id": id, "object": "collection", "deleted": true}).into())
}

fn list_help_centers(workspace: &mut Workspace, _: &Request) -> HandlerResult {
    let centers: Vec<_> =
        workspace.help_centers.iter().map(|center| center.document(&workspace.id)).collect();
    Ok(json!({"type": "list", "data": centers}).into())
}

fn retrieve_help_center(workspace: &mut Workspace, request: &Request) -> HandlerResult {
    let id = request.path("id");
    let center = workspace.help_centers.iter().find(|center| center.id.to_string() == id);
    Ok(center.ok_or_else(ErrorResponse::record_not_found)?.document(&workspace.id).into())
}
