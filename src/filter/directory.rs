//! Maps the names used in filters to the ids that the API needs.
//!
//! Never guesses: a name without a match, or with several, is an error.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::fields::{FieldType, NamedRecord, Searchable};
use super::{Error, Literal};
use crate::api::ApiVersion;
use crate::data::spelling::did_you_mean;

/// The names in a workspace, each list as pairs of id and name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    pub tags: Vec<(String, String)>,
    pub teams: Vec<(String, String)>,
    pub admins: Vec<(String, String)>,
    /// Email addresses of teammates.
    pub emails: Vec<(String, String)>,
    pub segments: Vec<(String, String)>,
    pub companies: Vec<(String, String)>,
    /// The workspace's own company ids, with Intercom's ids.
    pub company_ids: Vec<(String, String)>,
    pub ticket_types: Vec<(String, String)>,
    pub ticket_states: Vec<StateLabel>,
    pub ticket_attributes: Vec<(String, String)>,
    /// Ids of ticket attributes, each with the id of its ticket type.
    pub attribute_types: Vec<(String, String)>,
    /// The custom attributes of contacts. `None` if the list could not be read.
    pub contact_attributes: Option<Vec<Attribute>>,
    /// Ids of contacts by the email address, external id or phone number in the filter.
    pub contacts: HashMap<String, Vec<String>>,
    /// The API version of the search. `None` means none of the changes that came with later versions.
    pub version: Option<ApiVersion>,
    /// Time zone of the workspace, in which its days start and end.
    pub zone: Option<TimeZone>,
}

/// A custom attribute of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: String,
    /// `string`, `integer`, `float`, `boolean` or `date`.
    pub data_type: Option<String>,
}

/// A ticket state with the labels that teammates and customers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateLabel {
    pub id: String,
    pub category: String,
    pub labels: Vec<String>,
}

impl Directory {
    /// Whether the search has a change of the API, e.g. [`ApiVersion::GRADED_PRIORITIES`].
    pub(super) fn has(&self, change: &ApiVersion) -> bool {
        self.version.as_ref().is_some_and(|version| version.has(change))
    }

    /// The API's name of a field, and its type in this API version.
    pub(super) fn field(&self, searchable: Searchable, name: &str) -> Option<(String, FieldType)> {
        let (name, field_type) = searchable.field(name)?;
        let field_type = match field_type {
            FieldType::Day if self.has(&ApiVersion::EXACT_CONTACT_TIMES) => FieldType::Time,
            FieldType::NumericId(kind)
                if searchable == Searchable::Contacts && self.has(&ApiVersion::OWNER_IS_TEXT) =>
            {
                FieldType::TextId(kind)
            }
            other => other,
        };
        Some((name, field_type))
    }

    fn list(&self, kind: NamedRecord) -> &[(String, String)] {
        match kind {
            NamedRecord::Tag => &self.tags,
            NamedRecord::Team => &self.teams,
            NamedRecord::Admin => &self.admins,
            NamedRecord::Segment => &self.segments,
            NamedRecord::Company => &self.companies,
            NamedRecord::TicketType => &self.ticket_types,
            NamedRecord::TicketAttribute => &self.ticket_attributes,
            NamedRecord::TicketState | NamedRecord::ContactAttribute | NamedRecord::Contact => &[],
        }
    }

    /// Resolves a name, an id or an address to an id. `ids` documents the precedence.
    pub(super) fn id(&self, kind: NamedRecord, literal: &Literal) -> Result<String, Error> {
        let ids = self.ids(kind, &literal.text);
        match &ids[..] {
            [id] => Ok(id.clone()),
            [] => Err(self.unknown(kind, literal)),
            ids => Err(Error::new(
                literal.at,
                format!(
                    "ambiguous {} {:?}: use one of the ids {}",
                    kind.noun(),
                    literal.text,
                    ids.join(", ")
                ),
            )),
        }
    }

    /// All ids with this name. An exact name takes precedence over an id, an id over an address, and an
    /// address over a name in another case.
    pub(super) fn ids(&self, kind: NamedRecord, wanted: &str) -> Vec<String> {
        let list = self.list(kind);
        let matching = |list: &[(String, String)], is_match: &dyn Fn(&str) -> bool| -> Vec<String> {
            list.iter().filter(|(_, name)| is_match(name)).map(|(id, _)| id.clone()).collect()
        };
        let exact = matching(list, &|name| name == wanted);
        if !exact.is_empty() {
            return exact;
        }
        // Names are stored with the white space around them.
        let wanted = wanted.trim();
        let trimmed = matching(list, &|name| name.trim() == wanted);
        if !trimmed.is_empty() {
            return trimmed;
        }
        if list.iter().any(|(id, _)| id == wanted) {
            return vec![wanted.to_owned()];
        }
        let addresses = match kind {
            NamedRecord::Admin => &self.emails[..],
            NamedRecord::Company => &self.company_ids,
            _ => &[],
        };
        let by_address = matching(addresses, &|address| address.eq_ignore_ascii_case(wanted));
        if !by_address.is_empty() {
            return by_address;
        }
        let lower = wanted.to_lowercase();
        matching(list, &|name| name.trim().to_lowercase() == lower)
    }

    /// The contacts that a value refers to: one, or all that share an address. An id is not looked up.
    pub(super) fn contacts(&self, literal: &Literal) -> Result<Vec<String>, Error> {
        let wanted = literal.text.trim();
        if is_contact_id(wanted) {
            return Ok(vec![wanted.to_owned()]);
        }
        match self.contacts.get(wanted) {
            Some(ids) if !ids.is_empty() => Ok(ids.clone()),
            _ => Err(Error::new(
                literal.at,
                format!(
                    "unknown contact {wanted:?}: expected an id, email address, external id or phone number"
                ),
            )),
        }
    }

    pub(super) fn unknown(&self, kind: NamedRecord, literal: &Literal) -> Error {
        // Companies are looked up one by one, so nothing can be suggested.
        if kind == NamedRecord::Company {
            let message = format!(
                "unknown company {:?}: expected the name, company_id or id of a company",
                literal.text.trim()
            );
            return Error::new(literal.at, message);
        }
        let names: Vec<&str> = self.list(kind).iter().map(|(_, name)| name.as_str()).collect();
        Error::new(literal.at, unknown_name(kind.noun(), literal.text.trim(), &names))
    }
}

impl Directory {
    /// Names of the custom attributes of contacts.
    pub(super) fn attribute_names(&self) -> Vec<&str> {
        self.contact_attributes.iter().flatten().map(|attribute| attribute.name.as_str()).collect()
    }

    /// The data type of a custom attribute of contacts.
    pub(super) fn data_type(&self, name: &str) -> Option<&str> {
        let mut known = self.contact_attributes.iter().flatten();
        known.find(|attribute| attribute.name == name)?.data_type.as_deref()
    }
}

/// Whether a text has the format of a contact id.
pub(super) fn is_contact_id(text: &str) -> bool {
    text.len() == 24 && text.chars().all(|letter| letter.is_ascii_hexdigit())
}

/// The error for an unknown name, with the nearest known one.
pub(super) fn unknown_name(what: &str, wanted: &str, known: &[&str]) -> String {
    const MAX_LISTED: usize = 20;
    let suggestion = did_you_mean(wanted, known);
    let listed: Vec<String> = known.iter().take(MAX_LISTED).map(|name| format!("{name:?}")).collect();
    let more = if known.len() > MAX_LISTED {
        format!(" and {} more", known.len() - MAX_LISTED)
    } else {
        String::new()
    };
    match &listed[..] {
        [] => format!("unknown {what} {wanted:?}: the workspace does not have any"),
        [one] => format!("unknown {what} {wanted:?}: expected {one}"),
        _ => format!("unknown {what} {wanted:?}: {suggestion}expected one of {}{more}", listed.join(", ")),
    }
}
