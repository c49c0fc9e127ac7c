//! Finds what a view shows beside its record: names of teammates and teams, the person and company of a conversation,
//! the lists of a contact, the address in the app.
//!
//! All of it is optional. What the mirror has costs no request; the rest is requested at the same time, each list once.
//! A failure leaves something out and never becomes an error. Programs get documents as received, so nothing is
//! requested for them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::context::Context;
use super::error::{Error, Exit};
use super::globals::DataSource;
use super::mirror_paths::{self, MirrorFlag};
use super::output::view::has_view;
use super::output::view::options::Surroundings;
use super::output::{OutputFlags, parse_json};
use crate::api::client::Client;
use crate::api::identity::identity;
use crate::api::request_builder::{Arguments, operation};
use crate::api::web_address::{WebApp, WebPage};
use crate::articles::article::parent_id;
use crate::data::lenient;
use crate::mirror::offline::{OfflineAnswer, OfflineRequest, offline_operation};
use crate::mirror::{ResourceName, Store};

/// How long a record waits for what is beside it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The output flags for a record, with what its view needs. Without a client, only the mirror is read.
///
/// # Errors
/// If the record cannot be parsed.
pub async fn complete(context: &Context, client: Option<&Client>, raw: &str) -> Result<OutputFlags, Error> {
    let mut flags = context.globals.output.clone();
    if !flags.shows_view() {
        return Ok(flags);
    }
    let record = parse_json(raw)?;
    if has_view(&record) {
        let store = mirror_paths::certain(context).and_then(|path| Store::open_read_only(&path).ok());
        let sources = Sources { context, store, client };
        flags.view.surroundings = sources.surroundings(&record).await;
    }
    Ok(flags)
}

/// The page of the app about a record; `None` for records without one.
pub fn page_of(record: &Value) -> Option<WebPage> {
    Some(match record["type"].as_str()? {
        "conversation" => WebPage::Conversation,
        "ticket" => WebPage::Ticket,
        "contact" | "user" | "lead" => WebPage::Contact,
        "company" => WebPage::Company,
        "article" => WebPage::Article,
        _ => return None,
    })
}

/// The app of the workspace, from the mirror or the owner of the token.
///
/// # Errors
/// If neither says which workspace it is.
pub async fn web_app(context: &Context) -> Result<WebApp, Error> {
    if context.globals.connection.data_source() == DataSource::Local {
        mirror_paths::for_reading(context, &MirrorFlag::default())?;
    }
    let store = mirror_paths::certain(context).and_then(|path| Store::open_read_only(&path).ok());
    let sources = Sources { context, store, client: None };
    if let Some(app) = sources.app_of_mirror() {
        return Ok(app);
    }
    let owner = identity(&context.client()?).await?;
    let code = owner.reported_workspace().ok_or_else(|| Error::Failed {
        message: "the address is unknown: the API did not report the code of the workspace".to_owned(),
        exit: Exit::Failure,
        hint: Some("open the record from the inbox".into()),
    })?;
    Ok(WebApp::new(sources.region(owner.region.as_deref()), code))
}

/// Where to look.
struct Sources<'a> {
    context: &'a Context,
    /// A mirror that is certain to belong to the workspace.
    store: Option<Store>,
    client: Option<&'a Client>,
}

/// A request about the surroundings: an operation, and the id in its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lookup {
    operation: &'static str,
    id: Option<String>,
}

impl Lookup {
    fn of(operation: &'static str, id: impl Into<String>) -> Self {
        Lookup { operation, id: Some(id.into()) }
    }

    fn list(operation: &'static str) -> Self {
        Lookup { operation, id: None }
    }

    fn arguments(&self) -> Arguments {
        self.id.as_deref().map_or_else(Arguments::default, Arguments::of_record)
    }
}

impl Sources<'_> {
    async fn surroundings(&self, record: &Value) -> Surroundings {
        let lookups: Vec<Lookup> = self.lookups(record).into_iter().collect();
        let mut answers: Vec<Option<Value>> = lookups.iter().map(|lookup| self.mirrored(lookup)).collect();
        let mut app = self.app_of_mirror().or_else(|| self.app_of_record(record));
        if let Some(client) = self.client {
            let missing = lookups.iter().zip(&mut answers).filter(|(_, answer)| answer.is_none());
            let requests =
                missing.map(|(lookup, answer)| async move { *answer = live(client, lookup).await });
            let requests = join_all(requests);
            let is_app_missing = app.is_none() && page_of(record).is_some();
            let owner = async {
                if is_app_missing { timeout(PATIENCE, identity(client)).await.ok()?.ok() } else { None }
            };
            let (_, owner) = futures::join!(requests, owner);
            if let Some(owner) = owner {
                let region = self.region(owner.region.as_deref());
                app = owner.reported_workspace().map(|code| WebApp::new(region, code));
            }
        }
        let mut around = Surroundings::default();
        for (lookup, answer) in lookups.iter().zip(answers) {
            let Some(answer) = answer else { continue };
            match lookup.operation {
                "ShowContact" => around.contact = Some(answer),
                "listCompaniesForAContact" => around.companies = names(&answer),
                "listTagsForAContact" => around.tags = names(&answer),
                "listSegmentsForAContact" => around.segments = names(&answer),
                // Names are known by type, and some versions leave it out.
                "retrieveCollection" => {
                    let mut collection = answer;
                    collection["type"] = json!("collection");
                    around.named.push(collection);
                }
                _ => around.named.push(answer),
            }
        }
        around.address = app
            .zip(page_of(record))
            .zip(lenient::id(&record["id"]))
            .map(|((app, page), id)| app.address(page, &id));
        around
    }

    /// What to look up for a record.
    fn lookups(&self, record: &Value) -> BTreeSet<Lookup> {
        let mut lookups = BTreeSet::new();
        let contact = match record["type"].as_str() {
            Some("conversation" | "ticket") => {
                let id = lenient::id(&record["contacts"]["contacts"][0]["id"]);
                lookups.extend(id.iter().map(|id| Lookup::of("ShowContact", id)));
                lookups.extend(id.map(|id| Lookup::of("listCompaniesForAContact", id)));
                None
            }
            Some("contact" | "user" | "lead") => lenient::id(&record["id"]),
            Some("note") => {
                let id = lenient::id(&record["contact"]["id"]);
                lookups.extend(id.map(|id| Lookup::of("ShowContact", id)));
                None
            }
            Some("article") => {
                let is_in_collection = record["parent_type"].as_str().is_none_or(|kind| kind == "collection");
                let id = parent_id(record).filter(|_| is_in_collection);
                lookups.extend(id.map(|id| Lookup::of("retrieveCollection", id)));
                None
            }
            _ => None,
        };
        if let Some(id) = contact {
            lookups.insert(Lookup::of("listSegmentsForAContact", &id));
            let has_members =
                |list: &str| record[list]["data"].as_array().is_some_and(|data| !data.is_empty());
            for (list, operation) in
                [("tags", "listTagsForAContact"), ("companies", "listCompaniesForAContact")]
            {
                if has_members(list) {
                    lookups.insert(Lookup::of(operation, &id));
                }
            }
        }
        for (resource, operation) in
            [(ResourceName::Admins, "listAdmins"), (ResourceName::Teams, "listTeams")]
        {
            let ids = unnamed_ids(record, resource);
            let is_known = |id: &String| {
                let store = self.store.as_ref();
                store.is_some_and(|store| store.name_of(resource, id).is_ok_and(|name| name.is_some()))
            };
            if !ids.iter().all(is_known) {
                lookups.insert(Lookup::list(operation));
            }
        }
        if let Some(id) = lenient::reference(&record["company_id"]).filter(|_| record["type"] == "ticket") {
            lookups.insert(Lookup::of("RetrieveACompanyById", id));
        }
        lookups
    }

    /// The answer of the mirror, if it has synced the resource.
    fn mirrored(&self, lookup: &Lookup) -> Option<Value> {
        let store = self.store.as_ref()?;
        let offline = offline_operation(operation(lookup.operation).ok()?)?;
        store.sync_state(offline.resource).ok()??;
        let arguments = lookup.arguments();
        let request = OfflineRequest { arguments: &arguments, predicate: None, limit: None, all: true };
        match offline.answer(store, &request).ok()? {
            OfflineAnswer::Record(text) => serde_json::from_str(&text).ok(),
            OfflineAnswer::List(list) => {
                let mut records = Vec::new();
                let read = list.read(None, |record| {
                    records.extend(serde_json::from_str::<Value>(record.get()));
                    Ok::<_, crate::mirror::Error>(())
                });
                read.ok()?;
                Some(json!({ "data": records }))
            }
        }
    }

    fn app_of_mirror(&self) -> Option<WebApp> {
        let workspace = self.store.as_ref()?.workspace().ok()??;
        Some(WebApp::new(self.region(workspace.region.as_deref()), workspace.id_code))
    }

    /// Some documents name their workspace.
    fn app_of_record(&self, record: &Value) -> Option<WebApp> {
        let code = ["workspace_id", "app_id"].iter().find_map(|field| lenient::id(&record[*field]))?;
        Some(WebApp::new(self.region(None), code))
    }

    /// The region of the server in the settings; behind a server that is not Intercom's, the one that was reported.
    fn region(&self, reported: Option<&str>) -> crate::api::Region {
        let settings = self.context.settings().ok();
        let server = settings.and_then(|settings| self.context.api_server(&settings).ok());
        let reported = || reported.and_then(|region| region.parse().ok());
        server.and_then(|server| server.region).or_else(reported).unwrap_or_default()
    }
}

/// The answer of the workspace.
async fn live(client: &Client, lookup: &Lookup) -> Option<Value> {
    let (operation, arguments) = (operation(lookup.operation).ok()?, lookup.arguments());
    let reply = timeout(PATIENCE, client.fetch(operation, &arguments)).await.ok()?.ok()?;
    serde_json::from_str(reply.json_text().ok()?).ok()
}

/// The names of the records in a list.
fn names(list: &Value) -> Vec<String> {
    let records = ["data", "companies"].iter().find_map(|key| list[*key].as_array());
    let name = |record: &Value| {
        let name = lenient::text(&record["name"]).filter(|name| !name.trim().is_empty());
        name.or_else(|| lenient::id(&record["id"]))
    };
    records.into_iter().flatten().filter_map(name).collect()
}

/// The ids of teammates or teams in a record that has no names for them.
fn unnamed_ids(record: &Value, resource: ResourceName) -> BTreeSet<String> {
    let (fields, kind): (&[&str], _) = match resource {
        ResourceName::Teams => (&["team_assignee_id"], "team"),
        _ => (&["admin_assignee_id", "author_id", "owner_id"], "admin"),
    };
    let mut ids: BTreeSet<String> =
        fields.iter().filter_map(|field| lenient::reference(&record[*field])).collect();
    let parts =
        ["conversation_parts", "ticket_parts"].iter().find_map(|list| record[*list][*list].as_array());
    let parts = parts.into_iter().flatten();
    let has_name = |person: &Value| person["name"].as_str().is_some_and(|name| !name.is_empty());
    let mut named = BTreeSet::new();
    for part in parts {
        for person in
            [&part["assigned_to"], &part["author"]].into_iter().filter(|person| person["type"] == kind)
        {
            let ids = if has_name(person) { &mut named } else { &mut ids };
            ids.extend(lenient::reference(&person["id"]));
        }
    }
    ids.retain(|id| !named.contains(id));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_without_a_name_are_looked_up() {
        let record = json!({"type": "conversation", "admin_assignee_id": 5, "team_assignee_id": 0, "conversation_parts":
        {"conversation_parts": [
            {"author": {"type": "admin", "id": "5", "name": "Mara"}, "assigned_to": {"type": "admin", "id": "6"}},
            {"author": {"type": "bot"}, "assigned_to": {"type": "team", "id": "7", "name": "Support"}},
        ]}});
        assert_eq!(unnamed_ids(&record, ResourceName::Admins), BTreeSet::from(["6".to_owned()]));
        assert!(unnamed_ids(&record, ResourceName::Teams).is_empty());
    }

    #[test]
    fn a_name_that_is_blank_is_replaced_by_the_id() {
        let list = json!({"data": [{"id": "1", "name": "Acme"}, {"id": "2", "name": " "}]});
        assert_eq!(names(&list), ["Acme", "2"]);
        assert!(names(&Value::Null).is_empty());
    }
}
