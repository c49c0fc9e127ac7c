//! Finding and making the tag that a run is about.
//!
//! Two tags whose names differ in case are two tags. White space around a name only counts where two
//! tags differ in nothing else. A name that looks
//! like a number is a name.

use std::time::Duration;

use serde_json::{Value, json};

use super::apply::is_worth_another;
use super::error::Error;
use super::lists::{self, Named};
use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::fields;

/// Which tag is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Name(String),
    Id(String),
}

const ATTEMPTS: u32 = 8;
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// The tag as the workspace has it now; `None` when no tag has the name.
///
/// # Errors
/// [`Error::NoSuch`] for an id that no tag has; when the workspace does not answer.
pub async fn find(client: &Client, wanted: &Wanted) -> Result<Option<Named>, Error> {
    let tags = lists::tags(client).await?;
    match wanted {
        Wanted::Name(name) => Ok(named(tags, name)),
        Wanted::Id(id) => match tags.into_iter().find(|tag| tag.id == *id) {
            Some(tag) => Ok(Some(tag)),
            None => Err(Error::NoSuch { what: "tag with id", name: id.clone(), known: Vec::new() }),
        },
    }
}

/// The tag of this name, or else the only one whose name differs in white space around it.
fn named(tags: Vec<Named>, name: &str) -> Option<Named> {
    if let Some(exact) = tags.iter().position(|tag| tag.name == name) {
        return tags.into_iter().nth(exact);
    }
    let mut alike = tags.into_iter().filter(|tag| tag.name.trim() == name.trim());
    alike.next().filter(|_| alike.next().is_none())
}

/// The name of a tag that differs from `name` in upper and lower case, or in white space around it, only. Workspaces can take the two for
/// one tag and refuse to make the second.
///
/// # Errors
/// When the workspace does not answer.
pub async fn other_case(client: &Client, name: &str) -> Result<Option<String>, Error> {
    let tags = lists::tags(client).await?;
    let plain = |name: &str| name.trim().to_lowercase();
    let is_alike = |tag: &Named| tag.name != name && plain(&tag.name) == plain(name);
    Ok(tags.into_iter().find(is_alike).map(|tag| tag.name))
}

/// Makes a tag, once: when the answer is lost, the list tells whether it was made.
///
/// # Errors
/// [`Error::OtherTag`] when the workspace takes two spellings for one tag; as the API says otherwise.
pub async fn create(client: &Client, name: &str) -> Result<Named, Error> {
    let body = json!({ "name": name }).to_string().into_bytes();
    let arguments = Arguments { body: Some(body), ..Arguments::default() };
    let mut delay = FIRST_DELAY;
    let mut attempt = 1;
    loop {
        let error = match client.execute(operation("createTag")?, &arguments).await {
            Ok(reply) => {
                let made: Value = reply
                    .json_text()
                    .ok()
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default();
                match (fields::id(&made["id"]), made["name"].as_str()) {
                    (Some(id), Some(found)) if found == name => {
                        return Ok(Named { id, name: name.to_owned(), email: None });
                    }
                    (Some(_), Some(found)) => {
                        return Err(Error::OtherTag { asked: name.to_owned(), found: found.to_owned() });
                    }
                    _ => None,
                }
            }
            Err(error) if is_worth_another(&error) => Some(error),
            Err(error) => return Err(error.into()),
        };
        if let Some(tag) = find(client, &Wanted::Name(name.to_owned())).await? {
            return Ok(tag);
        }
        if attempt == ATTEMPTS {
            let lost = || Error::Question(format!("the workspace did not make the tag {name:?}"));
            return Err(error.map_or_else(lost, Error::from));
        }
        attempt += 1;
        tokio::time::sleep(delay).await;
        delay *= 2;
    }
}
