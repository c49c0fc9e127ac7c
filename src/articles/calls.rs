//! The requests that articles need.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::error::Error;
use crate::api;
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};

/// Records per page: bodies are long.
const PAGE: u32 = 50;

/// Articles fetched at the same time.
const AT_ONCE: usize = 8;

async fn one(client: &Client, id: &str, path: &[&str], body: Option<&Value>) -> Result<Value, api::Error> {
    let arguments = Arguments {
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        body: body.map(|body| body.to_string().into_bytes()),
        ..Arguments::default()
    };
    let reply = client.execute(operation(id)?, &arguments).await?;
    // A change that was made needs no answer.
    if body.is_some() && reply.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_str(reply.json_text()?).unwrap_or_default())
}

pub async fn article(client: &Client, id: &str) -> Result<Value, api::Error> {
    one(client, "retrieveArticle", &[id], None).await
}

pub async fn update(client: &Client, id: &str, body: &Value) -> Result<Value, api::Error> {
    one(client, "updateArticle", &[id], Some(body)).await
}

pub async fn create(client: &Client, body: &Value) -> Result<Value, api::Error> {
    one(client, "createArticle", &[], Some(body)).await
}

pub async fn delete(client: &Client, id: &str) -> Result<(), api::Error> {
    let arguments = Arguments { path: vec![id.to_owned()], ..Arguments::default() };
    client.execute(operation("deleteArticle")?, &arguments).await.map(drop)
}

/// The teammate that the token belongs to.
pub async fn me(client: &Client) -> Result<Option<i64>, api::Error> {
    Ok(super::remote::integer(&one(client, "identifyAdmin", &[], None).await?["id"]))
}

pub async fn collections(client: &Client) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    let each = |record: Value| {
        found.push(record);
        Ok(())
    };
    walk(client, "listAllCollections", each).await?;
    Ok(found)
}

/// Walks all articles; returns how many the list says there are.
pub async fn articles(
    client: &Client,
    mut each: impl AsyncFnMut(Value) -> Result<(), Error>,
) -> Result<Option<u64>, Error> {
    let operation = operation("listArticles")?;
    let mut pages = std::pin::pin!(client.pages(operation, Arguments::default(), Some(PAGE)));
    let mut total = None;
    while let Some(page) = pages.try_next().await? {
        let head: Value = serde_json::from_str(page.reply.json_text()?).unwrap_or(json!(null));
        total = head["total_count"].as_u64().or(total);
        let records = page.items.iter().map(|item| serde_json::from_str(item.get()).unwrap_or_default());
        let mut whole = stream::iter(records.map(|record| complete(client, record))).buffered(AT_ONCE);
        while let Some(record) = whole.try_next().await? {
            if let Some(record) = record {
                each(record).await?;
            }
        }
    }
    Ok(total)
}

/// The article itself where the list shows less of it; `None` when it is gone meanwhile.
async fn complete(client: &Client, listed: Value) -> Result<Option<Value>, Error> {
    let whole = listed.get("body").is_some() && listed.get("translated_content").is_some();
    match (whole, super::remote::text(&listed["id"])) {
        (false, Some(id)) => match article(client, &id).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        },
        _ => Ok(Some(listed)),
    }
}

async fn walk(
    client: &Client,
    id: &str,
    mut each: impl FnMut(Value) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut pages = std::pin::pin!(client.pages(operation(id)?, Arguments::default(), Some(PAGE)));
    while let Some(page) = pages.try_next().await? {
        for item in &page.items {
            each(serde_json::from_str(item.get()).unwrap_or_default())?;
        }
    }
    Ok(())
}
