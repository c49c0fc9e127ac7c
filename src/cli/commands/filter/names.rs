//! Looks up the names that a filter uses, in the workspace or in the mirror.
//!
//! Only lists that the filter needs are read. The type of a name must come from a list, never be guessed.

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::api::client::Client;
use crate::api::reply::Reply;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::directory::{self, DirectoryEntry};
use crate::cli::error::Error;
use crate::data::lenient;
use crate::filter::{
    self, Attribute, Directory, Expression, NamedRecord, Searchable, StateLabel, contact_lookup,
};
use crate::mirror::{self, Store};
use crate::report::contact_360;

/// Looks up names in the workspace.
///
/// # Errors
/// When a required list cannot be read.
pub async fn live(
    client: &Client,
    expression: &Expression,
    searched: Searchable,
) -> Result<Directory, Error> {
    let mut directory = Directory::default();
    for kind in filter::required_names(expression, searched) {
        match kind {
            NamedRecord::Tag => directory.tags = pairs(directory::tags(client).await?),
            NamedRecord::Team => directory.teams = pairs(directory::teams(client).await?),
            NamedRecord::Admin => {
                let admins = directory::admins(client).await?;
                let address = |admin: &DirectoryEntry| Some((admin.id.clone(), admin.email.clone()?));
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
                // The token may not be allowed to list them; the search works without.
                let attributes = all(client, "lisDataAttributes", &[("model", "contact")]).await;
                directory.contact_attributes =
                    attributes.ok().and_then(|attributes| attributes_of_contacts(&attributes));
            }
            NamedRecord::Company => {
                for name in filter::names_in(expression, searched, kind) {
                    companies(client, &name, &mut directory).await?;
                }
            }
            NamedRecord::Contact => {
                for name in filter::names_in(expression, searched, kind) {
                    let found = search(client, &contact_lookup::search_query(&name)).await?;
                    let ids = found.iter().filter(|contact| contact_lookup::is_match(&name, contact));
                    let ids = ids.filter_map(|contact| lenient::id(&contact["id"])).collect();
                    directory.contacts.insert(name, ids);
                }
            }
        }
    }
    if filter::compares_days(expression, searched, &directory) {
        // Without the zone, days are only compared where all time zones agree.
        directory.zone = zone(client).await.ok().flatten();
    }
    Ok(directory)
}

/// Looks up names in the mirror.
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
    for kind in filter::required_names(expression, searched) {
        match kind {
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
                for name in filter::names_in(expression, searched, kind) {
                    let found = contact_360::matching_contacts(store.connection(), &name)?;
                    directory.contacts.insert(name, found.into_iter().map(|contact| contact.id).collect());
                }
            }
        }
    }
    Ok(directory)
}

/// The time zone of the mirrored workspace.
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

fn pairs(list: Vec<DirectoryEntry>) -> Vec<(String, String)> {
    list.into_iter().map(|entry| (entry.id, entry.name)).collect()
}

fn named(documents: &[Value], key: &str) -> Vec<(String, String)> {
    let pair = |document: &Value| Some((lenient::id(&document["id"])?, lenient::text(&document[key])?));
    documents.iter().filter_map(pair).collect()
}

fn state(document: &Value) -> Option<StateLabel> {
    let labels = ["internal_label", "external_label"].iter().filter_map(|key| lenient::text(&document[key]));
    Some(StateLabel {
        id: lenient::id(&document["id"])?,
        category: lenient::text(&document["category"])?,
        labels: labels.collect(),
    })
}

/// The attributes of a ticket type.
fn attributes(kind: &Value) -> Vec<(String, String)> {
    named(kind["ticket_type_attributes"]["data"].as_array().map_or(&[][..], Vec::as_slice), "name")
}

/// The ids of the attributes of a ticket type, each with the id of the type.
fn types_of_attributes(kind: &Value) -> Vec<(String, String)> {
    let Some(id) = lenient::id(&kind["id"]) else { return Vec::new() };
    attributes(kind).into_iter().map(|(attribute, _)| (attribute, id.clone())).collect()
}

/// The custom attributes of contacts. Every workspace has some attributes, so an empty list means that they were not
/// read.
fn attributes_of_contacts(documents: &[Value]) -> Option<Vec<Attribute>> {
    let of_contacts = |document: &&Value| document["model"].as_str().is_none_or(|model| model == "contact");
    (!documents.is_empty()).then(|| documents.iter().filter(of_contacts).filter_map(attribute).collect())
}

/// A custom attribute; `None` for a standard one.
fn attribute(document: &Value) -> Option<Attribute> {
    let full = document["full_name"].as_str().and_then(|name| name.strip_prefix("custom_attributes."));
    let is_own = lenient::flag(&document["custom"]) == Some(true);
    let name = full.map(str::to_owned).or_else(|| lenient::text(&document["name"]).filter(|_| is_own))?;
    Some(Attribute { name, data_type: lenient::text(&document["data_type"]) })
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

/// Finds companies by name or by the id that the workspace gave them. The response is a list, or a single company.
async fn companies(client: &Client, name: &str, directory: &mut Directory) -> Result<(), Error> {
    for key in ["name", "company_id"] {
        let query = vec![(key.to_owned(), name.to_owned())];
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
        // By the id that Intercom assigned.
        let arguments = Arguments { path: vec![name.to_owned()], ..Arguments::default() };
        match client.fetch(operation("RetrieveACompanyById")?, &arguments).await {
            Ok(reply) => directory.companies.extend(named(&[document(&reply)?], "name")),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
