//! The API requests for articles and collections.
//!
//! A response to a write may be empty or incomplete; the article is then read again, never assumed.

use futures::{Stream, StreamExt};
use serde_json::Value;

use super::error::Error;
use super::layout::slug;
use super::manifest::Collection;
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::articles::article::Article;
use crate::data::lenient;

/// The owner of the token.
#[derive(Debug, Clone)]
pub struct TokenOwner {
    /// Short code of the workspace; missing in some responses.
    pub workspace: Option<String>,
    pub admin_id: Option<i64>,
}

fn arguments(path: &[&str], body: Option<&Value>) -> Arguments {
    Arguments {
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        body: body.map(|body| body.to_string().into_bytes()),
        ..Arguments::default()
    }
}

async fn read(client: &Client, id: &str, path: &[&str]) -> Result<Value, Error> {
    let operation = operation(id)?;
    let reply = client.fetch(operation, &arguments(path, None)).await?;
    let unusable = |_| Error::Unusable(format!("invalid response to GET {}: expected JSON", operation.path));
    serde_json::from_str(reply.json_text()?).map_err(unusable)
}

/// Sends a change and returns the response; null if it is not JSON.
async fn send(client: &Client, id: &str, path: &[&str], body: Option<&Value>) -> Result<Value, Error> {
    let reply = client.execute(operation(id)?, &arguments(path, body)).await?;
    Ok(reply.json_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null))
}

pub async fn owner(client: &Client) -> Result<TokenOwner, Error> {
    let owner = identity(client).await?;
    let admin_id = owner.admin_id.as_ref().and_then(|id| id.parse().ok());
    Ok(TokenOwner { workspace: owner.reported_workspace().map(str::to_owned), admin_id })
}

/// # Errors
/// When the request fails, or the response is not an article.
pub async fn article(client: &Client, id: &str) -> Result<Article, Error> {
    let document = read(client, "retrieveArticle", &[id]).await?;
    Article::read(document)
        .ok_or_else(|| Error::Unusable(format!("invalid response for article {id}: expected an article")))
}

/// An article; `None` if it was deleted.
pub async fn find_article(client: &Client, id: &str) -> Result<Option<Article>, Error> {
    match article(client, id).await {
        Err(Error::Api(error)) if error.is_gone() => Ok(None),
        found => found.map(Some),
    }
}

/// Updates an article and returns the server's new version.
pub async fn update(client: &Client, before: &Article, body: &Value) -> Result<Article, Error> {
    let response = send(client, "updateArticle", &[&before.id], Some(body)).await?;
    let is_complete = |article: &Article| {
        article.id == before.id && article.is_as_complete_as(before) && has_languages(article, body)
    };
    match Article::read(response).filter(is_complete) {
        Some(article) => Ok(article),
        None => article(client, &before.id).await,
    }
}

pub async fn create(client: &Client, body: &Value) -> Result<Article, Error> {
    let response = send(client, "createArticle", &[], Some(body)).await?;
    let id = lenient::id(&response["id"]);
    let has_body = response.get("body").is_some();
    match (Article::read(response), id) {
        (Some(article), _) if has_body && has_languages(&article, body) => Ok(article),
        (_, Some(id)) => article(client, &id).await,
        _ => {
            Err(Error::Unusable("invalid response to the creation of an article: expected an article".into()))
        }
    }
}

/// Whether a response contains every translation that was sent.
fn has_languages(article: &Article, body: &Value) -> bool {
    let sent = body["translated_content"].as_object().into_iter().flatten();
    sent.filter(|(_, content)| content.is_object()).all(|(locale, _)| article.content(locale).is_some())
}

/// Deletes an article; one that is already deleted is not an error.
pub async fn delete(client: &Client, id: &str) -> Result<(), Error> {
    match send(client, "deleteArticle", &[id], None).await {
        Err(Error::Api(error)) if error.is_gone() => Ok(()),
        result => result.map(drop),
    }
}

/// All articles, page by page.
pub fn pages(client: &Client) -> Result<impl Stream<Item = Result<Vec<Value>, Error>> + '_, Error> {
    let operation = operation("listArticles")?;
    Ok(client.pages(operation, Arguments::default(), None).map(|page| {
        let page = page?;
        page.require_whole()?;
        Ok(page.items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect())
    }))
}

/// All collections, with their paths.
pub async fn collections(client: &Client) -> Result<Vec<Collection>, Error> {
    let operation = operation("listAllCollections")?;
    let mut pages = std::pin::pin!(client.pages(operation, Arguments::default(), None));
    let mut found: Vec<CollectionRow> = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        page.require_whole()?;
        for item in page.items {
            let unusable = |error| Error::Unusable(format!("cannot read a collection: {error}"));
            let document: Value = serde_json::from_str(item.get()).map_err(unusable)?;
            let Some(id) = lenient::id(&document["id"]) else { continue };
            if found.iter().any(|(known, ..)| *known == id) {
                continue;
            }
            let name = lenient::text(&document["name"]).unwrap_or_else(|| id.clone());
            found.push((id, name, lenient::reference(&document["parent_id"])));
        }
    }
    found.sort();
    Ok(found.iter().map(|(id, name, _)| with_path(&found, id, name)).collect())
}

/// Id, name and parent id of a collection.
type CollectionRow = (String, String, Option<String>);

/// A collection with its path and folder. Cycles of parents are cut.
fn with_path(all: &[CollectionRow], id: &str, name: &str) -> Collection {
    let mut ancestry = vec![(id, name)];
    let mut parent = all.iter().find(|(known, ..)| known == id).and_then(|row| row.2.as_deref());
    while let Some((id, name, above)) = parent.and_then(|parent| all.iter().find(|row| row.0 == parent)) {
        if ancestry.iter().any(|(known, _)| known == id) {
            break;
        }
        ancestry.push((id, name));
        parent = above.as_deref();
    }
    ancestry.reverse();
    let parent_of = |id: &str| all.iter().find(|row| row.0 == id).and_then(|row| row.2.clone());
    let folder = |(id, name): &(&str, &str)| {
        let slugged = slug(name);
        let siblings = all.iter().filter(|row| row.2 == parent_of(id) && slug(&row.1) == slugged).count();
        let reserved = matches!(slugged.as_str(), "con" | "prn" | "aux" | "nul" | "article" | "images")
            || slugged.len() == 4 && (slugged.starts_with("com") || slugged.starts_with("lpt"));
        if siblings > 1 || reserved { format!("{slugged}-{id}") } else { slugged }
    };
    Collection {
        id: id.to_owned(),
        path: ancestry.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(" / "),
        folder: ancestry.iter().map(folder).collect::<Vec<_>>().join("/"),
    }
}

/// The id of a teammate by id, email address or name.
///
/// # Errors
/// When no teammate matches, or the request fails.
pub async fn admin(client: &Client, who: &str) -> Result<i64, Error> {
    if let Ok(id) = who.parse() {
        return Ok(id);
    }
    let admins = read(client, "listAdmins", &[]).await?;
    let is_match = |admin: &&Value| {
        ["email", "name"]
            .iter()
            .any(|field| admin[field].as_str().is_some_and(|value| value.eq_ignore_ascii_case(who)))
    };
    let found = admins["admins"].as_array().into_iter().flatten().find(is_match);
    found.and_then(|admin| lenient::integer(&admin["id"])).ok_or_else(|| {
        Error::Unusable(format!(
            "unknown author {who:?}: expected the id, email address or name of a teammate"
        ))
    })
}
