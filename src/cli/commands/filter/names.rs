//! The names that a filter uses, from the workspace or from the mirror.
//!
//! Only what a filter needs is asked. What a name is must come from a list, never from the name itself.

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::api::client::Client;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::lists::{self, Named};
use crate::cli::error::Error;
use crate::cli::people;
use crate::filter::{self, Attribute, Directory, Expression, NamedRecord, Searchable, StateLabel};
use crate::mirror::{self, Store, fields};
use crate::report::contact_360;

/// Asks the workspace.
///
/// # Errors
/// When a list that a name must be found in does not come.
pub async fn live(
    client: &Client,
    expression: &Expression,
    searched: Searchable,
) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    for of in filter::required_names(expression, searched) {
        match of {
            NamedRecord::Tag => directory.tags = pairs(lists::tags(client).await?),
            NamedRecord::Team => directory.teams = pairs(lists::teams(client).await?),
            NamedRecord::Admin => {
                let admins = lists::admins(client).await?;
                let address = |it: &Named| Some((it.id.clone(), it.email.clone()?));
                directory.emails = admins.iter().filter_map(address).collect();
                directory.admins = pairs(admins);
            }
            NamedRecord::Segment => {
                directory.segments = named(&all(client, "listSegments", &[]).await?, "name")
            }
            NamedRecord::TicketType => {
                directory.ticket_types = named(&all(client, "listTicketTypes", &[]).await?, "name");
            }
            NamedRecord::TicketState => {
                let states = all(client, "listTicketStates", &[]).await?;
                directory.ticket_states = states.iter().filter_map(state).collect();
            }
            NamedRecord::TicketAttribute => {
                let types = all(client, "listTicketTypes", &[]).await?;
                directory.ticket_attributes = types.iter().flat_map(attributes).collect();
                directory.attribute_types = types.iter().flat_map(types_of_attributes).collect();
            }
            NamedRecord::ContactAttribute => {
                // A token may not be allowed to list them; the search works without.
                let known = all(client, "lisDataAttributes", &[("model", "contact")]).await;
                directory.contact_attributes = known.ok().and_then(|known| attributes_of_contacts(&known));
            }
            NamedRecord::Company => {
                for written in filter::names_in(expression, searched, of) {
                    companies(client, &written, &mut directory).await?;
                }
            }
            NamedRecord::Contact => {
                for written in filter::names_in(expression, searched, of) {
                    let found = search(client, &people::query(&written)).await?;
                    let ids = found.iter().filter(|contact| people::fits(&written, contact));
                    let ids = ids.filter_map(|contact| fields::id(&contact["id"])).collect();
                    directory.contacts.insert(written, ids);
                }
            }
        }
    }
    if filter::compares_days(expression, searched, &directory) {
        // Without it, a day is only compared where every time zone agrees.
        directory.zone = zone(client).await.ok().flatten();
    }
    Ok(directory)
}

/// Asks the mirror.
///
/// # Errors
/// When the database cannot be read.
pub fn mirrored(store: &Store, expression: &Expression, searched: Searchable) -> Result<Directory, Error> {
    let documents = |table: &str| -> Result<Vec<Value>, mirror::Error> {
        let mut statement = store.connection().prepare(&format!("SELECT raw FROM {table}"))?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let texts = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    };
    let mut directory = Directory { zone: Some(stored_zone(store)?), ..Directory::default() };
    for of in filter::required_names(expression, searched) {
        match of {
            NamedRecord::Tag => directory.tags = named(&documents("tags")?, "name"),
            NamedRecord::Team => directory.teams = named(&documents("teams")?, "name"),
            NamedRecord::Admin => {
                let admins = documents("admins")?;
                directory.emails = named(&admins, "email");
                directory.admins = named(&admins, "name");
            }
            NamedRecord::Segment => directory.segments = named(&documents("segments")?, "name"),
            NamedRecord::TicketType => directory.ticket_types = named(&documents("ticket_types")?, "name"),
            NamedRecord::TicketState => {
                directory.ticket_states = documents("ticket_states")?.iter().filter_map(state).collect();
            }
            NamedRecord::TicketAttribute => {
                let types = documents("ticket_types")?;
                directory.ticket_attributes = types.iter().flat_map(attributes).collect();
                directory.attribute_types = types.iter().flat_map(types_of_attributes).collect();
            }
            NamedRecord::ContactAttribute => {
                directory.contact_attributes = attributes_of_contacts(&documents("data_attributes")?);
            }
            NamedRecord::Company => {
                let companies = documents("companies")?;
                directory.company_ids = named(&companies, "company_id");
                directory.companies = named(&companies, "name");
            }
            NamedRecord::Contact => {
                for written in filter::names_in(expression, searched, of) {
                    let found = contact_360::everybody(store.connection(), &written)?;
                    directory.contacts.insert(written, found.into_iter().map(|contact| contact.id).collect());
                }
            }
        }
    }
    Ok(directory)
}

/// The zone of the workspace that a mirror is of.
///
/// # Errors
/// When the database cannot be read.
pub fn stored_zone(store: &Store) -> Result<TimeZone, Error> {
    let name = store.workspace()?.and_then(|workspace| workspace.timezone);
    Ok(name.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC))
}

async fn zone(client: &Client) -> Result<Option<TimeZone>, Error> {
    let reply = client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?;
    let me = document(&reply)?;
    Ok(me["app"]["timezone"].as_str().and_then(|name| TimeZone::get(name).ok()))
}

fn document(reply: &Reply) -> Result<Value, Error> {
    Ok(serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))?)
}

fn pairs(list: Vec<Named>) -> Vec<(String, String)> {
    list.into_iter().map(|it| (it.id, it.name)).collect()
}

fn named(documents: &[Value], key: &str) -> Vec<(String, String)> {
    let pair = |document: &Value| Some((fields::id(&document["id"])?, fields::text(&document[key])?));
    documents.iter().filter_map(pair).collect()
}

fn state(document: &Value) -> Option<StateLabel> {
    let labels = ["internal_label", "external_label"].iter().filter_map(|key| fields::text(&document[key]));
    Some(StateLabel {
        id: fields::id(&document["id"])?,
        category: fields::text(&document["category"])?,
        labels: labels.collect(),
    })
}

/// The attributes that a ticket type asks for.
fn attributes(kind: &Value) -> Vec<(String, String)> {
    named(kind["ticket_type_attributes"]["data"].as_array().map_or(&[][..], Vec::as_slice), "name")
}

/// The attributes that a ticket type asks for, by id, with the id of the type.
fn types_of_attributes(kind: &Value) -> Vec<(String, String)> {
    let Some(id) = fields::id(&kind["id"]) else { return Vec::new() };
    attributes(kind).into_iter().map(|(attribute, _)| (attribute, id.clone())).collect()
}

/// The attributes that the workspace has added to contacts. Every workspace has some attributes, so an empty list
/// was not read.
fn attributes_of_contacts(documents: &[Value]) -> Option<Vec<Attribute>> {
    let of_contacts = |document: &&Value| document["model"].as_str().is_none_or(|model| model == "contact");
    (!documents.is_empty()).then(|| documents.iter().filter(of_contacts).filter_map(attribute).collect())
}

/// An attribute that the workspace has added.
fn attribute(document: &Value) -> Option<Attribute> {
    let full = document["full_name"].as_str().and_then(|name| name.strip_prefix("custom_attributes."));
    let is_own = fields::flag(&document["custom"]) == Some(true);
    let name = full.map(str::to_owned).or_else(|| fields::text(&document["name"]).filter(|_| is_own))?;
    Some(Attribute { name, data_type: fields::text(&document["data_type"]) })
}

async fn all(client: &Client, list: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    records(client, list, Arguments { query, ..Arguments::default() }).await
}

async fn search(client: &Client, query: &Value) -> Result<Vec<Value>, Error> {
    let body = serde_json::json!({ "query": query }).to_string().into_bytes();
    records(client, "SearchContacts", Arguments { body: Some(body), ..Arguments::default() }).await
}

async fn records(client: &Client, list: &str, arguments: Arguments) -> Result<Vec<Value>, Error> {
    let pages: Vec<_> = client.pages(operation(list)?, arguments, None).try_collect().await?;
    let records = pages.iter().flat_map(|page| &page.items);
    Ok(records.filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect())
}

/// A company by its name or the id that the workspace gives it. The answer is a list, or the company alone.
async fn companies(client: &Client, written: &str, directory: &mut Directory) -> Result<(), Error> {
    for key in ["name", "company_id"] {
        let query = vec![(key.to_owned(), written.to_owned())];
        let arguments = Arguments { query, ..Arguments::default() };
        let found: Value = match client.fetch(operation("retrieveCompany")?, &arguments).await {
            Ok(reply) => document(&reply)?,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error.into()),
        };
        let list = found["data"].as_array().cloned().unwrap_or_else(|| vec![found]);
        directory.company_ids.extend(named(&list, "company_id"));
        directory.companies.extend(named(&list, "name"));
    }
    if directory.companies.is_empty() {
        // By Intercom's own id.
        let arguments = Arguments { path: vec![written.to_owned()], ..Arguments::default() };
        match client.fetch(operation("RetrieveACompanyById")?, &arguments).await {
            Ok(reply) => directory.companies.extend(named(&[document(&reply)?], "name")),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
