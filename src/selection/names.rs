//! Looks up the names that a filter uses.
//!
//! Only lists that the filter needs are read. The type of a name must come from a list, never be guessed. Where the lists
//! come from is decided by a [`NameSource`]: the workspace here, or the mirror in [`super::mirror_names`].

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::api::ApiVersion;
use crate::api::client::Client;
use crate::api::error::Error;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::filter::{
    self, Attribute, Directory, Expression, NamedRecord, Searchable, StateLabel, contact_lookup,
};

/// A list of records with names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameList {
    Tags,
    Teams,
    Segments,
    TicketTypes,
    TicketStates,
    Admins,
}

impl NameList {
    /// The operation that lists the records.
    const fn operation(self) -> &'static str {
        match self {
            NameList::Tags => "listTags",
            NameList::Teams => "listTeams",
            NameList::Segments => "listSegments",
            NameList::TicketTypes => "listTicketTypes",
            NameList::TicketStates => "listTicketStates",
            NameList::Admins => "listAdmins",
        }
    }
}

/// Where names are looked up.
pub trait NameSource {
    type Error;

    /// All records of a list.
    async fn list(&self, list: NameList) -> Result<Vec<Value>, Self::Error>;

    /// Companies that may have one of these names or company ids.
    async fn companies(&self, names: Vec<String>) -> Result<Vec<Value>, Self::Error>;

    /// The attributes of records. Empty if they could not be read.
    async fn data_attributes(&self) -> Result<Vec<Value>, Self::Error>;

    /// The ids of the contacts with this id, email address, external id or phone number.
    async fn contacts(&self, name: &str) -> Result<Vec<String>, Self::Error>;

    /// The time zone of the workspace; `None` if it is unknown. `compares_days`: whether the filter depends on it.
    async fn zone(&self, compares_days: bool) -> Result<Option<TimeZone>, Self::Error>;
}

/// The names and the time zone that a filter needs.
///
/// # Errors
/// When a required list cannot be read.
pub async fn directory<S: NameSource>(
    source: &S,
    expression: &Expression,
    searched: Searchable,
    version: ApiVersion,
) -> Result<Directory, S::Error> {
    let has_exact_times = version.has(&ApiVersion::EXACT_CONTACT_TIMES);
    let mut directory = Directory { version: Some(version), ..Directory::default() };
    for kind in filter::required_names(expression, searched) {
        let names = || filter::names_in(expression, searched, kind);
        match kind {
            NamedRecord::Tag => directory.tags = named(&source.list(NameList::Tags).await?, "name"),
            NamedRecord::Team => directory.teams = named(&source.list(NameList::Teams).await?, "name"),
            NamedRecord::Segment => {
                directory.segments = named(&source.list(NameList::Segments).await?, "name");
            }
            NamedRecord::TicketType => {
                directory.ticket_types = named(&source.list(NameList::TicketTypes).await?, "name");
            }
            NamedRecord::Admin => {
                let admins = source.list(NameList::Admins).await?;
                directory.emails = named(&admins, "email");
                directory.admins = pairs(&admins, |admin| text(admin, "name").or(text(admin, "email")));
            }
            NamedRecord::TicketState => {
                let states = source.list(NameList::TicketStates).await?;
                directory.ticket_states = states.iter().filter_map(state).collect();
            }
            NamedRecord::TicketAttribute => {
                let types = source.list(NameList::TicketTypes).await?;
                directory.ticket_attributes = types.iter().flat_map(attributes).collect();
                directory.attribute_types = types.iter().flat_map(types_of_attributes).collect();
            }
            NamedRecord::ContactAttribute => {
                directory.contact_attributes = contact_attributes(&source.data_attributes().await?);
            }
            NamedRecord::Company => {
                let companies = source.companies(names().into_iter().collect()).await?;
                directory.company_ids = named(&companies, "company_id");
                directory.companies = named(&companies, "name");
            }
            NamedRecord::Contact => {
                for name in names() {
                    let ids = source.contacts(&name).await?;
                    directory.contacts.insert(name, ids);
                }
            }
        }
    }
    directory.zone = if has_exact_times {
        // What is still compared by days has them in UTC.
        Some(TimeZone::UTC)
    } else {
        source.zone(filter::compares_days(expression, searched, &directory)).await?
    };
    Ok(directory)
}

/// The custom attributes of contacts. Every workspace has some attributes, so an empty list means that they were not
/// read.
fn contact_attributes(documents: &[Value]) -> Option<Vec<Attribute>> {
    let of_contacts = |document: &&Value| document["model"].as_str().is_none_or(|model| model == "contact");
    (!documents.is_empty()).then(|| documents.iter().filter(of_contacts).filter_map(attribute).collect())
}

impl NameSource for Client {
    type Error = Error;

    async fn list(&self, list: NameList) -> Result<Vec<Value>, Error> {
        records(self, list.operation(), Arguments::default()).await
    }

    async fn companies(&self, names: Vec<String>) -> Result<Vec<Value>, Error> {
        companies(self, names).await
    }

    async fn data_attributes(&self) -> Result<Vec<Value>, Error> {
        let query = vec![("model".to_owned(), "contact".to_owned())];
        let arguments = Arguments { query, ..Arguments::default() };
        // The token may not be allowed to list them; the search works without.
        Ok(records(self, "lisDataAttributes", arguments).await.unwrap_or_default())
    }

    async fn contacts(&self, name: &str) -> Result<Vec<String>, Error> {
        let body = json!({ "query": contact_lookup::search_query(name) }).to_string().into_bytes();
        let arguments = Arguments { body: Some(body), ..Arguments::default() };
        let found = records(self, "SearchContacts", arguments).await?;
        let found = found.iter().filter(|contact| contact_lookup::is_match(name, contact));
        Ok(found.filter_map(|contact| lenient::id(&contact["id"])).collect())
    }

    /// Without the zone, days are only compared where all time zones agree.
    async fn zone(&self, compares_days: bool) -> Result<Option<TimeZone>, Error> {
        if !compares_days {
            return Ok(None);
        }
        let owner = identity(self).await.ok();
        Ok(owner.and_then(|owner| owner.timezone).and_then(|name| TimeZone::get(&name).ok()))
    }
}

fn text(document: &Value, key: &str) -> Option<String> {
    lenient::text(&document[key])
}

/// Ids with the text of a field.
fn named(documents: &[Value], key: &str) -> Vec<(String, String)> {
    pairs(documents, |document| text(document, key))
}

fn pairs(documents: &[Value], name: impl Fn(&Value) -> Option<String>) -> Vec<(String, String)> {
    documents.iter().filter_map(|document| Some((lenient::id(&document["id"])?, name(document)?))).collect()
}

fn state(document: &Value) -> Option<StateLabel> {
    let labels = ["internal_label", "external_label"].iter().filter_map(|key| text(document, key));
    Some(StateLabel {
        id: lenient::id(&document["id"])?,
        category: text(document, "category")?,
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

/// A custom attribute; `None` for a standard one.
fn attribute(document: &Value) -> Option<Attribute> {
    let full = document["full_name"].as_str().and_then(|name| name.strip_prefix("custom_attributes."));
    let is_own = lenient::flag(&document["custom"]) == Some(true);
    let name = full.map(str::to_owned).or_else(|| text(document, "name").filter(|_| is_own))?;
    Some(Attribute { name, data_type: text(document, "data_type") })
}

async fn document(client: &Client, id: &str, arguments: Arguments) -> Result<Value, Error> {
    let reply = client.fetch(operation(id)?, &arguments).await?;
    serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))
}

async fn records(client: &Client, list: &str, arguments: Arguments) -> Result<Vec<Value>, Error> {
    let mut pages = std::pin::pin!(client.pages(operation(list)?, arguments, None));
    let mut records = Vec::new();
    while let Some(page) = pages.try_next().await? {
        page.require_list()?;
        records.extend(page.items.iter().filter_map(|raw| serde_json::from_str::<Value>(raw.get()).ok()));
    }
    Ok(records)
}

/// Finds companies by name or by the id that the workspace gave them. The response is a list, or a single company.
async fn companies(client: &Client, names: impl IntoIterator<Item = String>) -> Result<Vec<Value>, Error> {
    let mut companies = Vec::new();
    for name in names {
        for key in ["name", "company_id"] {
            let arguments = Arguments { query: vec![(key.to_owned(), name.clone())], ..Arguments::default() };
            match document(client, "retrieveCompany", arguments).await {
                Ok(mut found) => match found.get_mut("data").map(Value::take) {
                    Some(Value::Array(list)) => companies.extend(list),
                    _ => companies.push(found),
                },
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        if companies.is_empty() {
            // By the id that Intercom assigned.
            let arguments = Arguments { path: vec![name], ..Arguments::default() };
            match document(client, "RetrieveACompanyById", arguments).await {
                Ok(company) => companies.push(company),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(companies)
}
