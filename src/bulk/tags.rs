//! Finds or creates the tag of a run.
//!
//! Names are case sensitive; surrounding white space matters only if several tags differ in nothing else. A name
//! that looks like a number is never taken for an id.

use std::time::Duration;

use serde_json::{Value, json};

use super::apply::is_retryable;
use super::change::Change;
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

/// The tag to attach; without an id if it does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedTag {
    pub id: Option<String>,
    pub name: String,
    /// An existing tag whose name differs only in case or surrounding white space.
    pub case_variant: Option<String>,
}

impl ResolvedTag {
    /// Its fields in the result.
    pub fn about(&self) -> Value {
        let mut about = json!({ "tag": self.name, "tag_id": self.id });
        if let Some(other) = &self.case_variant {
            about["existing_tag_in_other_case"] = json!(other);
        }
        about
    }

    pub fn change(&self) -> Change {
        Change::Tag { tag_id: self.id.clone().unwrap_or_default(), tag: self.name.clone() }
    }
}

/// Resolves the tag to attach. With `may_create`, an unknown name is that of a new tag.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id, and for an unknown name that may not be created; API errors.
pub async fn resolve(client: &Client, tag: TagRef, may_create: bool) -> Result<ResolvedTag, Error> {
    match (find(client, &tag).await?, tag) {
        (Some(tag), _) => Ok(ResolvedTag { id: Some(tag.id), name: tag.name, case_variant: None }),
        (None, TagRef::Name(name)) if may_create => {
            let name = name.trim().to_owned();
            let case_variant = find_case_variant(client, &name).await?;
            Ok(ResolvedTag { id: None, name, case_variant })
        }
        (None, TagRef::Name(name) | TagRef::Id(name)) => Err(unknown_tag(name)),
    }
}

/// The existing tag.
///
/// # Errors
/// [`Error::NotFound`]; API errors.
pub async fn existing(client: &Client, tag: TagRef) -> Result<DirectoryEntry, Error> {
    let found = find(client, &tag).await?;
    let (TagRef::Id(name) | TagRef::Name(name)) = tag;
    found.ok_or_else(|| unknown_tag(name))
}

fn unknown_tag(name: String) -> Error {
    Error::NotFound { what: NotFoundKind::Tag, name, candidates: Vec::new() }
}

/// Refuses a name that the API could take for another tag: it tags companies by name alone, and may not distinguish
/// spellings.
///
/// # Errors
/// [`Error::AmbiguousTag`]; API errors.
pub async fn check_unique_spelling(client: &Client, name: &str) -> Result<(), Error> {
    match find_case_variant(client, name).await? {
        None => Ok(()),
        Some(existing) => Err(Error::AmbiguousTag { name: name.to_owned(), existing }),
    }
}

/// Looks up a tag in the workspace; `None` if no tag has this name.
///
/// # Errors
/// [`Error::NotFound`] for an unknown id; API errors.
async fn find(client: &Client, tag: &TagRef) -> Result<Option<DirectoryEntry>, Error> {
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
async fn find_case_variant(client: &Client, name: &str) -> Result<Option<String>, Error> {
    let tags = directory::tags(client).await?;
    let folded = |name: &str| name.trim().to_lowercase();
    let is_variant = |tag: &DirectoryEntry| tag.name != name && folded(&tag.name) == folded(name);
    Ok(tags.into_iter().find(is_variant).map(|tag| tag.name))
}

/// The tag with this name, which is created if it does not exist.
///
/// # Errors
/// As `create`.
pub async fn find_or_create(client: &Client, name: &str) -> Result<DirectoryEntry, Error> {
    match find(client, &TagRef::Name(name.to_owned())).await? {
        Some(tag) => Ok(tag),
        None => create(client, name).await,
    }
}

/// Creates a tag exactly once: after a lost response, the list of tags shows whether it exists.
///
/// # Errors
/// [`Error::OtherTag`] if the workspace treats two spellings as one tag; API errors.
async fn create(client: &Client, name: &str) -> Result<DirectoryEntry, Error> {
    let body = json!({ "name": name }).to_string().into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        let error = match client.execute(operation("createTag")?, &arguments).await {
            Ok(reply) => {
                // An unreadable response leaves the outcome to the list of tags.
                let text = reply.json_text().ok();
                let created: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
                let created = created.unwrap_or(Value::Null);
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
