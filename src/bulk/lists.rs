//! The short lists of a workspace that names are looked up in: who the token belongs to, tags, teams,
//! teammates. Always asked from the workspace, so that what was just made elsewhere is found.

use serde_json::Value;

use super::error::Error;
use crate::api::client::Client;
use crate::api::paging::Page;
use crate::api::request_builder::{Arguments, operation};
use crate::mirror::fields;

/// Who the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Id of the teammate, as the API wants it in requests: a text.
    pub admin_id: Option<String>,
    /// The service's short code of the workspace.
    pub workspace: String,
}

/// # Errors
/// When the workspace does not answer.
pub async fn me(client: &Client) -> Result<Me, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me: Value = serde_json::from_str(reply.json_text()?).unwrap_or_default();
    let workspace =
        fields::id(&me["app"]["id_code"]).unwrap_or_else(|| crate::mirror::store::UNKNOWN.to_owned());
    Ok(Me { admin_id: fields::id(&me["id"]), workspace })
}

/// Something that has an id and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
    /// Of a teammate.
    pub email: Option<String>,
}

/// # Errors
/// When the workspace does not answer.
pub async fn tags(client: &Client) -> Result<Vec<Named>, Error> {
    named(client, "listTags").await
}

/// # Errors
/// When the workspace does not answer.
pub async fn teams(client: &Client) -> Result<Vec<Named>, Error> {
    named(client, "listTeams").await
}

/// # Errors
/// When the workspace does not answer.
pub async fn admins(client: &Client) -> Result<Vec<Named>, Error> {
    named(client, "listAdmins").await
}

async fn named(client: &Client, list: &str) -> Result<Vec<Named>, Error> {
    let operation = operation(list)?;
    let arguments = Arguments::default();
    let reply = client.fetch(operation, &arguments).await?;
    let page = Page::read(operation, &arguments, reply)?;
    page.require_list()?;
    let records = page.items.iter().filter_map(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    Ok(records
        .filter_map(|record| {
            let email = record["email"].as_str().map(str::to_owned);
            let name = record["name"].as_str().or(email.as_deref()).unwrap_or_default().to_owned();
            Some(Named { id: fields::id(&record["id"])?, name, email })
        })
        .collect())
}

impl Named {
    fn is(&self, wanted: &str) -> bool {
        self.id == wanted || self.email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(wanted))
    }
}

/// The one that has this name, or else this id or e-mail address. A name counts first, whatever it looks
/// like.
///
/// # Errors
/// [`Error::NoSuch`] with the names that there are; [`Error::Question`] when several have the name.
pub fn pick<'a>(list: &'a [Named], what: &'static str, wanted: &str) -> Result<&'a Named, Error> {
    let named =
        |fits: &dyn Fn(&str) -> bool| list.iter().filter(|record| fits(&record.name)).collect::<Vec<_>>();
    let plain = |name: &str| name.trim().to_lowercase();
    let mut found = named(&|name| name == wanted);
    if found.is_empty() {
        found = named(&|name| name.trim() == wanted.trim());
    }
    if found.is_empty() {
        found = named(&|name| plain(name) == plain(wanted));
    }
    let wanted = wanted.trim();
    match (&found[..], list.iter().find(|it| it.is(wanted))) {
        ([one], _) => Ok(one),
        ([], Some(one)) => Ok(one),
        ([], None) => {
            let known = list.iter().map(|it| format!("{:?}", it.name)).take(30).collect();
            Err(Error::NoSuch { what, name: wanted.to_owned(), known })
        }
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|it| it.id.as_str()).collect();
            Err(Error::Question(format!(
                "there are several named {wanted:?}; use one of the ids {}",
                ids.join(", ")
            )))
        }
    }
}
