//! `contacts bulk-update` and `contacts bulk-archive`.

use clap::Args;
use serde_json::{Map, Value, json};

use super::command::BulkChange;
use super::selection::WhereFlag;
use crate::api::client::Client;
use crate::bulk::{BulkTarget, Change, NotFoundKind, contact_fields, directory};
use crate::cli::error::Error;
use crate::cli::registry::Effect;
use crate::cli::time::Times;

#[derive(Args)]
#[group(skip)]
pub struct UpdateContacts {
    /// Field and its new value (repeatable), for example name=Ann, owner=ann@example.com, custom_attributes.seats=5 or
    /// phone=null; fields from --input are set too
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
}

impl BulkChange for UpdateContacts {
    const WORDS: &'static str = "contacts bulk-update";
    const EFFECT: Effect = Effect::Destructive;
    const TARGET: BulkTarget = BulkTarget::Contacts;
    const ABOUT: &'static str =
        "Change fields of many contacts: the same for all, or per contact from a file";
    const EXAMPLE: &'static str = "contacts bulk-update --where 'role = lead and country = Germany' \
                                   --set unsubscribed_from_emails=true --limit 50";
    type Filter = WhereFlag;

    /// The fields that are the same for all contacts.
    async fn resolve(&self, client: &Client, times: &Times) -> Result<(Change, Value), Error> {
        let mut fields = Map::new();
        for pair in &self.set {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Error::usage(format!("--set: invalid {pair:?}: expected FIELD=VALUE")))?;
            let (name, value) = match name.trim() {
                "owner" => ("owner_id", owner(client, value).await?),
                name => (name, json!(value)),
            };
            contact_fields::set(&mut fields, name, &value, &|text| times.moment(text))?;
        }
        Ok((Change::Update { fields }, Value::Null))
    }
}

/// The id of an owner by name, email address or id; null for nobody.
async fn owner(client: &Client, text: &str) -> Result<Value, Error> {
    // Former teammates are not in the list.
    if text == "null" || text.parse::<u64>().is_ok() {
        return Ok(json!(text));
    }
    let admins = directory::admins(client).await?;
    Ok(json!(directory::pick(&admins, NotFoundKind::Teammate, text)?.id))
}

#[derive(Args)]
#[group(skip)]
pub struct ArchiveContacts {}

impl BulkChange for ArchiveContacts {
    const WORDS: &'static str = "contacts bulk-archive";
    const EFFECT: Effect = Effect::Destructive;
    const TARGET: BulkTarget = BulkTarget::Contacts;
    const ABOUT: &'static str = "Archive many contacts";
    const EXAMPLE: &'static str = "contacts bulk-archive --where 'has_hard_bounced = true'";
    type Filter = WhereFlag;

    async fn resolve(&self, _: &Client, _: &Times) -> Result<(Change, Value), Error> {
        Ok((Change::Archive, Value::Null))
    }
}
