//! New records, with ids and defaults, as both seed data and requests create them.
//!
//! Equal seeds must produce equal ids: each function takes its ids in a fixed order.

use serde_json::{Value, json};

use super::model::plain::{PlainRecord, set_fields};
use super::model::ticket::TicketRecord;
use super::workspace::{IdSequence, Workspace};

impl Workspace {
    pub fn new_tag(&mut self, name: &str) -> PlainRecord {
        let id = self.next_id(IdSequence::Other);
        PlainRecord::new(json!({"type": "tag", "id": id, "name": name}))
    }

    /// A field of contacts, companies or conversations. Built-in ones have no id.
    pub fn new_data_attribute(
        &mut self,
        custom: bool,
        [model, name, data_type]: [&str; 3],
        at: i64,
    ) -> PlainRecord {
        let full_name = if custom { format!("custom_attributes.{name}") } else { name.to_owned() };
        let mut document = json!({
            "type": "data_attribute",
            "name": name,
            "full_name": full_name,
            "label": name,
            "description": "",
            "data_type": data_type,
            "api_writable": true,
            "ui_writable": custom,
            "messenger_writable": false,
            "custom": custom,
            "archived": false,
            "model": model,
        });
        let mut id = format!("{model}.{name}");
        if custom {
            let number = self.next_number(IdSequence::Other);
            id = number.to_string();
            document["id"] = json!(number);
            document["created_at"] = json!(at);
            document["updated_at"] = json!(at);
            document["admin_id"] = json!(self.my_id().to_string());
        }
        PlainRecord { id, document }
    }

    /// An unnamed collection at the end of the first help center.
    pub fn new_collection(&mut self, at: i64) -> PlainRecord {
        let (id, locale) = (self.next_id(IdSequence::Article), self.locale());
        let mut document = json!({
            "id": id,
            "workspace_id": self.id,
            "name": "",
            "description": null,
            "url": format!("https://help.sandbox.test/{locale}/collections/{id}"),
            "icon": "bookmark",
            "order": self.collections.len() + 1,
            "created_at": at,
            "updated_at": at,
            "default_locale": locale,
            "parent_id": null,
            "help_center_id": self.help_centers.first().and_then(|center| center.id.parse::<i64>().ok()),
        });
        if self.locales.len() > 1 {
            document["translated_content"] = json!({});
        }
        PlainRecord::new(document)
    }

    /// An untitled article that only teammates can see.
    pub fn new_internal_article(&mut self, [owner_id, author_id]: [i64; 2], at: i64) -> PlainRecord {
        PlainRecord::new(json!({
            "type": "internal_article",
            "id": self.next_id(IdSequence::Article),
            "title": "",
            "body": "",
            "owner_id": owner_id,
            "author_id": author_id,
            "created_at": at,
            "updated_at": at,
            "locale": "en",
        }))
    }

    /// An audience without conditions.
    pub fn new_audience(&mut self, name: &str, at: i64) -> PlainRecord {
        PlainRecord::new(json!({
            "type": "audience",
            "id": self.next_id(IdSequence::Audience),
            "name": name,
            "predicates": [],
            "role_predicates": [],
            "created_at": at,
            "updated_at": at,
        }))
    }

    /// A snippet without text.
    pub fn new_snippet(&mut self, title: &str, at: i64) -> PlainRecord {
        PlainRecord::new(json!({
            "type": "content_snippet",
            "id": self.next_id(IdSequence::Snippet),
            "title": title,
            "locale": "en",
            "json_blocks": [],
            "body_markdown": "",
            "created_at": at,
            "updated_at": at,
        }))
    }

    /// An attribute of conversations that all teams see. List attributes start without options.
    pub fn new_conversation_attribute(
        &self,
        number: u64,
        [name, data_type]: [&str; 2],
        at: i64,
    ) -> PlainRecord {
        let mut document = json!({
            "type": "conversation_attribute",
            "id": number,
            "name": name,
            "description": "",
            "data_type": data_type,
            "required": false,
            "visible_to_team_ids": [],
            "archived": false,
            "created_at": at,
            "updated_at": at,
            "admin_id": self.my_id().to_string(),
        });
        match data_type {
            "string" => document["multiline"] = json!(false),
            "list" => document["options"] = json!([]),
            "relationship" => document["reference"] = json!({"type": "one", "object_type_id": null}),
            _ => {}
        }
        PlainRecord { id: number.to_string(), document }
    }

    /// A ticket type for customers, with a title and a description.
    pub fn new_ticket_type(&mut self, id: &str, name: &str, at: i64) -> PlainRecord {
        let attributes = [("_default_title_", false), ("_default_description_", true)]
            .iter()
            .enumerate()
            .map(|(order, (name, multiline))| {
                let fields = json!({
                    "name": name,
                    "description": "",
                    "data_type": "string",
                    "input_options": {"multiline": multiline},
                    "order": order,
                    "required_to_create": false,
                    "required_to_create_for_contacts": false,
                    "visible_on_create": true,
                    "visible_to_contacts": true,
                    "default": true,
                    "created_at": at,
                    "updated_at": at,
                });
                let attribute_id = self.next_id(IdSequence::Other);
                self.ticket_type_attribute(attribute_id, id, &fields)
            })
            .collect::<Vec<_>>();
        PlainRecord::new(json!({
            "type": "ticket_type",
            "id": id,
            "name": name,
            "description": "",
            "icon": "🎟️",
            "archived": false,
            "is_internal": false,
            "category": "Customer",
            "workspace_id": self.id,
            "created_at": at,
            "updated_at": at,
            "ticket_type_attributes": {"type": "list", "data": attributes},
        }))
    }

    /// The document of a ticket type's attribute: defaults, and `fields`.
    pub fn ticket_type_attribute(&self, id: String, type_id: &str, fields: &Value) -> Value {
        let mut attribute = json!({
            "type": "ticket_type_attribute",
            "id": id,
            "workspace_id": self.id,
            "ticket_type_id": type_id.parse::<i64>().ok(),
            "default": false,
            "archived": false,
        });
        set_fields(&mut attribute, fields, &["id"]);
        attribute
    }

    /// A ticket without attributes, contacts or parts.
    pub fn new_ticket(&mut self, type_id: &str, at: i64) -> TicketRecord {
        TicketRecord {
            id: self.next_id(IdSequence::Ticket),
            ticket_id: self.next_id(IdSequence::TicketNumber),
            type_id: type_id.to_owned(),
            state_id: self.ticket_states.first().map(|state| state.id.clone()).unwrap_or_default(),
            created_at: at,
            updated_at: at,
            open: true,
            is_shared: true,
            ..TicketRecord::default()
        }
    }
}

/// An instance of a custom object without attributes: its id, its type, and the id that the customer gave it.
pub fn new_custom_object([id, kind, external_id]: [&str; 3], at: i64) -> PlainRecord {
    PlainRecord::new(json!({
        "id": id,
        "external_id": external_id,
        "external_created_at": null,
        "external_updated_at": null,
        "created_at": at,
        "updated_at": at,
        "type": kind,
        "custom_attributes": {},
    }))
}
