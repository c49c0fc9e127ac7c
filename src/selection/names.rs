//! Looks up the names that a filter uses, in the workspace or in the mirror.
//!
//! Only lists that the filter needs are read. The type of a name must come from a list, never be guessed.

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::api::ApiVersion;
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::data::lenient;
use crate::filter::{
    self, Attribute, Directory, Expression, NamedRecord, Searchable, StateLabel, contact_lookup,
};
use crate::mirror::read::RecordQuery;
use crate::mirror::{Error, ResourceName, Store, matching_contacts};

/// Where names are looked up.
#[derive(Clone, Copy)]
pub enum NameSource<'a> {
    Workspace(&'a Client),
    Mirror(&'a Store),
}

impl NameSource<'_> {
    /// The names and the time zone that a filter needs.
    ///
    /// # Errors
    /// When a required list cannot be read.
    pub async fn directory(
        self,
        expression: &Expression,
        searched: Searchable,
        version: ApiVersion,
    ) -> Result<Directory, Error> {
        let has_exact_times = version.has(&ApiVersion::EXACT_CONTACT_TIMES);
        let mut directory = Directory { version: Some(version), ..Directory::default() };
        for kind in filter::required_names(expression, searched) {
            let names = || filter::names_in(expression, searched, kind);
            match kind {
                NamedRecord::Tag => directory.tags = self.names(ResourceName::Tags).await?,
                NamedRecord::Team => directory.teams = self.names(ResourceName::Teams).await?,
                NamedRecord::Segment => directory.segments = self.names(ResourceName::Segments).await?,
                NamedRecord::TicketType => {
                    directory.ticket_types = self.names(ResourceName::TicketTypes).await?;
                }
                NamedRecord::Admin => {
                    let admins = self.list(ResourceName::Admins).await?;
                    directory.emails = named(&admins, "email");
                    directory.admins = pairs(&admins, |admin| text(admin, "name").or(text(admin, "email")));
                }
                NamedRecord::TicketState => {
                    let states = self.list(ResourceName::TicketStates).await?;
                    directory.ticket_states = states.iter().filter_map(state).collect();
                }
                NamedRecord::TicketAttribute => {
                    let types = self.list(ResourceName::TicketTypes).await?;
                    directory.ticket_attributes = types.iter().flat_map(attributes).collect();
                    directory.attribute_types = types.iter().flat_map(types_of_attributes).collect();
                }
                NamedRecord::ContactAttribute => {
                    directory.contact_attributes = self.contact_attributes().await?;
                }
                NamedRecord::Company => {
                    let companies = match self {
                        NameSource::Workspace(client) => companies(client, names()).await?,
                        NameSource::Mirror(_) => self.list(ResourceName::Companies).await?,
                    };
                    directory.company_ids = named(&companies, "company_id");
                    directory.companies = named(&companies, "name");
                }
                NamedRecord::Contact => {
                    for name in names() {
                        let ids = self.contacts(&name).await?;
                        directory.contacts.insert(name, ids);
                    }
                }
            }
        }
        directory.zone = match self {
            // What is still compared by days has them in UTC.
            _ if has_exact_times => Some(TimeZone::UTC),
            NameSource::Mirror(store) => Some(stored_zone(store)?),
            // Without the zone, days are only compared where all time zones agree.
            NameSource::Workspace(client) if filter::compares_days(expression, searched, &directory) => {
                zone(client).await.ok().flatten()
            }
            NameSource::Workspace(_) => None,
        };
        Ok(directory)
    }

    /// The ids and names of all records of a resource.
    async fn names(self, resource: ResourceName) -> Result<Vec<(String, String)>, Error> {
        Ok(named(&self.list(resource).await?, "name"))
    }

    /// All records of a resource.
    async fn list(self, resource: ResourceName) -> Result<Vec<Value>, Error> {
        let mut documents = Vec::new();
        match self {
            NameSource::Workspace(client) => {
                if let Some(route) = resource.resource().routes.first() {
                    documents = records(client, route.operation, Arguments::default()).await?;
                }
            }
            NameSource::Mirror(store) => store.documents(resource, &RecordQuery::default(), |raw| {
                documents.extend(serde_json::from_str::<Value>(raw));
                Ok::<_, Error>(())
            })?,
        }
        Ok(documents)
    }

    /// The custom attributes of contacts. Every workspace has some attributes, so an empty list means that they were
    /// not read.
    async fn contact_attributes(self) -> Result<Option<Vec<Attribute>>, Error> {
        let documents = match self {
            NameSource::Mirror(_) => self.list(ResourceName::DataAttributes).await?,
            NameSource::Workspace(client) => {
                let query = vec![("model".to_owned(), "contact".to_owned())];
                let arguments = Arguments { query, ..Arguments::default() };
                // The token may not be allowed to list them; the search works without.
                records(client, "lisDataAttributes", arguments).await.unwrap_or_default()
            }
        };
        let of_contacts =
            |document: &&Value| document["model"].as_str().is_none_or(|model| model == "contact");
        Ok((!documents.is_empty())
            .then(|| documents.iter().filter(of_contacts).filter_map(attribute).collect()))
    }

    /// The ids of the contacts with this id, email address, external id or phone number.
    async fn contacts(self, name: &str) -> Result<Vec<String>, Error> {
        match self {
            NameSource::Workspace(client) => {
                let body = json!({ "query": contact_lookup::search_query(name) }).to_string().into_bytes();
                let arguments = Arguments { body: Some(body), ..Arguments::default() };
                let found = records(client, "SearchContacts", arguments).await?;
                let found = found.iter().filter(|contact| contact_lookup::is_match(name, contact));
                Ok(found.filter_map(|contact| lenient::id(&contact["id"])).collect())
            }
            NameSource::Mirror(store) => {
                let found = matching_contacts(store.connection(), name)?;
                Ok(found.into_iter().map(|contact| contact.id).collect())
            }
        }
    }
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
    let owner = identity(client).await?;
    Ok(owner.timezone.and_then(|name| TimeZone::get(&name).ok()))
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
    Ok(serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))?)
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
    let is_missing = |error: &Error| matches!(error, Error::Api(error) if error.is_not_found());
    for name in names {
        for key in ["name", "company_id"] {
            let arguments = Arguments { query: vec![(key.to_owned(), name.clone())], ..Arguments::default() };
            match document(client, "retrieveCompany", arguments).await {
                Ok(mut found) => match found.get_mut("data").map(Value::take) {
                    Some(Value::Array(list)) => companies.extend(list),
                    _ => companies.push(found),
                },
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if companies.is_empty() {
            // By the id that Intercom assigned.
            let arguments = Arguments { path: vec![name], ..Arguments::default() };
            match document(client, "RetrieveACompanyById", arguments).await {
                Ok(company) => companies.push(company),
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(companies)
}
