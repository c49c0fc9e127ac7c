//! Looks up names in the workspace: tags, teams and teammates. Always requests the current list, so that records
//! created a moment ago are found.

use serde_json::Value;

use super::error::{Error, NotFoundKind};
use crate::api::client::Client;
use crate::api::paging::RawPage;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::data::spelling::nearest;

/// A tag, team or teammate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    pub id: String,
    pub name: String,
    /// Only teammates have one.
    pub email: Option<String>,
}

/// # Errors
/// API errors.
pub async fn tags(client: &Client) -> Result<Vec<DirectoryEntry>, Error> {
    fetch_list(client, "listTags").await
}

/// # Errors
/// API errors.
pub async fn teams(client: &Client) -> Result<Vec<DirectoryEntry>, Error> {
    fetch_list(client, "listTeams").await
}

/// # Errors
/// API errors.
pub async fn admins(client: &Client) -> Result<Vec<DirectoryEntry>, Error> {
    fetch_list(client, "listAdmins").await
}

async fn fetch_list(client: &Client, list: &str) -> Result<Vec<DirectoryEntry>, Error> {
    let operation = operation(list)?;
    let arguments = Arguments::default();
    let reply = client.fetch(operation, &arguments).await?;
    let page = RawPage::read(operation, &arguments, reply)?;
    page.require_list()?;
    let records = page.items.iter().filter_map(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    Ok(records
        .filter_map(|record| {
            let email = record["email"].as_str().map(str::to_owned);
            let name = record["name"].as_str().or(email.as_deref()).unwrap_or_default().to_owned();
            Some(DirectoryEntry { id: lenient::id(&record["id"])?, name, email })
        })
        .collect())
}

impl DirectoryEntry {
    fn has_id_or_email(&self, text: &str) -> bool {
        self.id == text || self.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(text))
    }
}

/// Picks the entry with this name, or else with this id or email address. Names take precedence, even if they look
/// like an id.
///
/// # Errors
/// [`Error::NotFound`] with the existing names; [`Error::Usage`] if several entries have the name.
pub fn pick<'a>(
    list: &'a [DirectoryEntry],
    what: NotFoundKind,
    text: &str,
) -> Result<&'a DirectoryEntry, Error> {
    let with_name = |is_match: &dyn Fn(&str) -> bool| {
        list.iter().filter(|entry| is_match(&entry.name)).collect::<Vec<_>>()
    };
    let folded = |name: &str| name.trim().to_lowercase();
    let mut matches = with_name(&|name| name == text);
    if matches.is_empty() {
        matches = with_name(&|name| name.trim() == text.trim());
    }
    if matches.is_empty() {
        matches = with_name(&|name| folded(name) == folded(text));
    }
    let text = text.trim();
    match (&matches[..], list.iter().find(|entry| entry.has_id_or_email(text))) {
        ([entry], _) => Ok(entry),
        ([], Some(entry)) => Ok(entry),
        ([], None) => {
            let names: Vec<&str> = list.iter().map(|entry| entry.name.as_str()).collect();
            // The one that was probably meant comes first, so that it is never cut.
            let meant = nearest(text, &names).into_iter();
            let candidates = meant.chain(names.iter().copied()).take(30);
            let candidates = candidates.map(|name| format!("{name:?}")).collect();
            Err(Error::NotFound { what, name: text.to_owned(), candidates })
        }
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|entry| entry.id.as_str()).collect();
            Err(Error::Usage(format!(
                "several {what}s are named {text:?}: use one of the ids {}",
                ids.join(", ")
            )))
        }
    }
}
