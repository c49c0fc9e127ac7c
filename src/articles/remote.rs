//! The requests that articles need.

use futures::{Stream, StreamExt};
use serde_json::Value;

use super::article::Article;
use super::error::Error;
use super::folder::slug;
use super::manifest::Collection;
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
use crate::mirror::fields;

/// Who the token belongs to.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The service's short code of it; not every answer tells.
    pub workspace: Option<String>,
    pub admin_id: Option<i64>,
}

fn arguments(path: &[&str], body: Option<&Value>) -> Arguments {
    Arguments {
        path: path.iter().map(|it| (*it).to_owned()).collect(),
        body: body.map(|it| it.to_string().into_bytes()),
        ..Arguments::default()
    }
}

async fn read(client: &Client, id: &str, path: &[&str]) -> Result<Value, Error> {
    let operation = operation(id)?;
    let reply = client.fetch(operation, &arguments(path, None)).await?;
    let unusable = |_| Error::Unusable(format!("the answer to GET {} cannot be used", operation.path));
    serde_json::from_str(reply.json_text()?).map_err(unusable)
}

/// The answer to a change; null when it is none: what was done is then read.
async fn send(client: &Client, id: &str, path: &[&str], body: Option<&Value>) -> Result<Value, Error> {
    let reply = client.execute(operation(id)?, &arguments(path, body)).await?;
    Ok(reply.json_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
}

/// # Errors
/// When the API cannot be asked.
pub async fn owner(client: &Client) -> Result<Owner, Error> {
    let me = read(client, "identifyAdmin", &[]).await?;
    let workspace = fields::id(&me["app"]["id_code"]);
    Ok(Owner { workspace, admin_id: fields::integer(&me["id"]) })
}

/// # Errors
/// When the API cannot be asked, or answers something else.
pub async fn article(client: &Client, id: &str) -> Result<Article, Error> {
    let document = read(client, "retrieveArticle", &[id]).await?;
    Article::read(document)
        .ok_or_else(|| Error::Unusable(format!("the answer for article {id} is no article")))
}

/// Changes an article and returns what the server made of it.
///
/// # Errors
/// When the API refuses, or cannot be asked.
pub async fn update(client: &Client, before: &Article, body: &Value) -> Result<Article, Error> {
    let answer = send(client, "updateArticle", &[&before.id], Some(body)).await?;
    let whole = |it: &Article| it.id == before.id && it.is_as_full_as(before) && has_languages(it, body);
    match Article::read(answer).filter(whole) {
        Some(article) => Ok(article),
        None => article(client, &before.id).await,
    }
}

/// # Errors
/// When the API refuses, or cannot be asked.
pub async fn create(client: &Client, body: &Value) -> Result<Article, Error> {
    let answer = send(client, "createArticle", &[], Some(body)).await?;
    let id = fields::id(&answer["id"]);
    let complete = answer.get("body").is_some();
    match (Article::read(answer), id) {
        (Some(article), _) if complete && has_languages(&article, body) => Ok(article),
        (_, Some(id)) => article(client, &id).await,
        _ => Err(Error::Unusable("the answer to the creation is no article".into())),
    }
}

/// Whether an answer shows every translation that was sent.
fn has_languages(article: &Article, body: &Value) -> bool {
    let sent = body["translated_content"].as_object().into_iter().flatten();
    sent.filter(|(_, it)| it.is_object()).all(|(locale, _)| article.content(locale).is_some())
}

/// # Errors
/// When the API refuses, or cannot be asked.
pub async fn delete(client: &Client, id: &str) -> Result<(), Error> {
    match send(client, "deleteArticle", &[id], None).await {
        Err(Error::Api(error)) if error.is_gone() => Ok(()),
        result => result.map(drop),
    }
}

/// All articles, page by page.
///
/// # Errors
/// When the operation is unknown.
pub fn pages(client: &Client) -> Result<impl Stream<Item = Result<Vec<Value>, Error>> + '_, Error> {
    let operation = operation("listArticles")?;
    Ok(client.pages(operation, Arguments::default(), None).map(|page| {
        let page = page?;
        Ok(page.items.iter().filter_map(|it| serde_json::from_str(it.get()).ok()).collect())
    }))
}

/// All collections, with their paths.
///
/// # Errors
/// When the API cannot be asked.
pub async fn collections(client: &Client) -> Result<Vec<Collection>, Error> {
    let operation = operation("listAllCollections")?;
    let mut pages = std::pin::pin!(client.pages(operation, Arguments::default(), None));
    let mut found: Vec<(String, String, Option<String>)> = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page?.items {
            let document: Value = serde_json::from_str(item.get()).unwrap_or_default();
            let Some(id) = fields::id(&document["id"]) else { continue };
            if found.iter().any(|(known, ..)| *known == id) {
                continue;
            }
            let name = fields::text(&document["name"]).unwrap_or_else(|| id.clone());
            found.push((id, name, fields::reference(&document["parent_id"])));
        }
    }
    found.sort();
    Ok(found.iter().map(|(id, name, _)| located(&found, id, name)).collect())
}

type Named = (String, String, Option<String>);

/// A collection with its place among the others.
fn located(all: &[Named], id: &str, name: &str) -> Collection {
    let mut line = vec![(id, name)];
    let mut parent = all.iter().find(|(known, ..)| known == id).and_then(|it| it.2.as_deref());
    while let Some((id, name, above)) = parent.and_then(|parent| all.iter().find(|it| it.0 == parent)) {
        if line.iter().any(|(known, _)| known == id) {
            break;
        }
        line.push((id, name));
        parent = above.as_deref();
    }
    line.reverse();
    let parent_of = |id: &str| all.iter().find(|it| it.0 == id).and_then(|it| it.2.clone());
    let folder = |(id, name): &(&str, &str)| {
        let plain = slug(name);
        let siblings = all.iter().filter(|it| it.2 == parent_of(id) && slug(&it.1) == plain).count();
        let reserved = matches!(plain.as_str(), "con" | "prn" | "aux" | "nul" | "article" | "images")
            || plain.len() == 4 && (plain.starts_with("com") || plain.starts_with("lpt"));
        if siblings > 1 || reserved { format!("{plain}-{id}") } else { plain }
    };
    Collection {
        id: id.to_owned(),
        path: line.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(" / "),
        folder: line.iter().map(folder).collect::<Vec<_>>().join("/"),
    }
}

/// The id of a teammate by id, e-mail address or name.
///
/// # Errors
/// When there is none, or the API cannot be asked.
pub async fn admin(client: &Client, who: &str) -> Result<i64, Error> {
    if let Ok(id) = who.parse() {
        return Ok(id);
    }
    let admins = read(client, "listAdmins", &[]).await?;
    let is_meant = |admin: &&Value| {
        ["email", "name"].iter().any(|it| admin[it].as_str().is_some_and(|it| it.eq_ignore_ascii_case(who)))
    };
    let found = admins["admins"].as_array().into_iter().flatten().find(is_meant);
    found
        .and_then(|it| fields::integer(&it["id"]))
        .ok_or_else(|| Error::Unusable(format!("author: no teammate is called {who:?}")))
}
