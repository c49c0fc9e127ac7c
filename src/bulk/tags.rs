//! Finding and making the tag that a run is about.
//!
//! Names are compared letter by letter: two tags that differ in case are two tags. A name that looks
//! like a number is a name.

use std::time::Duration;

use serde_json::{Value, json};

use super::apply::is_worth_another;
use super::error::Error;
use super::lists::{self, Named};
use crate::api::client::Client;
use crate::api::executor::{Arguments, operation};
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
        Wanted::Name(name) => Ok(tags.into_iter().find(|tag| tag.name == *name)),
        Wanted::Id(id) => match tags.into_iter().find(|tag| tag.id == *id) {
            Some(tag) => Ok(Some(tag)),
            None => Err(Error::NoSuch { what: "tag with id", name: id.clone(), known: Vec::new() }),
        },
    }
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
