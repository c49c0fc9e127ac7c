//! Finds or creates the tag of a run.
//!
//! Names are case sensitive; surrounding white space matters only if several tags differ in nothing else. A name
//! that looks like a number is never taken for an id.

use std::time::Duration;

use serde_json::{Value, json};

use super::apply::is_retryable;
use super::directory::{self, DirectoryEntry};
use super::error::{Error, NotFoundKind};
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRef {
    Name(String),
    Id(String),
}

const ATTEMPTS: u32 = 8;
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// Looks up a tag in the workspace; `None` if no tag has this name.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id; API errors.
pub async fn find(client: &Client, tag: &TagRef) -> Result<Option<DirectoryEntry>, Error> {
    let tags = directory::tags(client).await?;
    match tag {
        TagRef::Name(name) => Ok(find_by_name(tags, name)),
        TagRef::Id(id) => match tags.into_iter().find(|tag| tag.id == *id) {
            Some(tag) => Ok(Some(tag)),
            None => {
                Err(Error::NotFound { what: NotFoundKind::TagId, name: id.clone(), candidates: Vec::new() })
            }
        },
    }
}

/// The tag with exactly this name, or else the only one that differs in surrounding white space.
fn find_by_name(tags: Vec<DirectoryEntry>, name: &str) -> Option<DirectoryEntry> {
    if let Some(exact) = tags.iter().position(|tag| tag.name == name) {
        return tags.into_iter().nth(exact);
    }
    let mut candidates = tags.into_iter().filter(|tag| tag.name.trim() == name.trim());
    candidates.next().filter(|_| candidates.next().is_none())
}

/// An existing tag name that differs from `name` only in case or surrounding white space. Some workspaces treat both
/// as one tag and refuse to create the second.
///
/// # Errors
/// API errors.
pub async fn find_case_variant(client: &Client, name: &str) -> Result<Option<String>, Error> {
    let tags = directory::tags(client).await?;
    let folded = |name: &str| name.trim().to_lowercase();
    let is_variant = |tag: &DirectoryEntry| tag.name != name && folded(&tag.name) == folded(name);
    Ok(tags.into_iter().find(is_variant).map(|tag| tag.name))
}

/// Creates a tag exactly once: after a lost response, the list of tags shows whether it exists.
///
/// # Errors
/// [`Error::OtherTag`] if the workspace treats two spellings as one tag; API errors.
pub async fn create(client: &Client, name: &str) -> Result<DirectoryEntry, Error> {
    let body = json!({ "name": name }).to_string().into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        let error = match client.execute(operation("createTag")?, &arguments).await {
            Ok(reply) => {
                let created: Value = reply
                    .json_text()
                    .ok()
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default();
                match (lenient::id(&created["id"]), created["name"].as_str()) {
                    (Some(id), Some(found)) if found == name => {
                        return Ok(DirectoryEntry { id, name: name.to_owned(), email: None });
                    }
                    (Some(_), Some(found)) => {
                        return Err(Error::OtherTag { requested: name.to_owned(), found: found.to_owned() });
                    }
                    _ => None,
                }
            }
            Err(error) if is_retryable(&error) => Some(error),
            Err(error) => return Err(error.into()),
        };
        if let Some(tag) = find(client, &TagRef::Name(name.to_owned())).await? {
            return Ok(tag);
        }
        if attempt == ATTEMPTS {
            let not_created =
                || Error::Usage(format!("cannot create the tag {name:?}: the workspace does not list it"));
            return Err(error.map_or_else(not_created, Error::from));
        }
        attempt += 1;
        tokio::time::sleep(delay).await;
        delay *= 2;
    }
}
