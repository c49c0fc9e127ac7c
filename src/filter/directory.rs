//! The names that people use in filters, and the ids that the API wants for them.
//!
//! A name is never guessed: what fits nothing or several is refused.

use super::fields::NameOf;
use super::{Error, Literal};

/// The names of a workspace, with their ids.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    pub tags: Vec<(String, String)>,
    pub teams: Vec<(String, String)>,
    pub admins: Vec<(String, String)>,
    /// Addresses of teammates.
    pub emails: Vec<(String, String)>,
}

impl Directory {
    /// The id that a name stands for. A name counts before an id or an address, whatever it looks like, and
    /// one written in other letters only where nothing else fits.
    pub(super) fn id(&self, of: NameOf, literal: &Literal) -> Result<String, Error> {
        let list = match of {
            NameOf::Tag => &self.tags,
            NameOf::Team => &self.teams,
            NameOf::Admin => &self.admins,
        };
        let wanted = literal.text.trim();
        let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&str> {
            list.iter().filter(|(_, name)| fits(name)).map(|(id, _)| id.as_str()).collect()
        };
        let mut found = named(&|name| name == wanted);
        if found.is_empty() && list.iter().any(|(id, _)| id == wanted) {
            return Ok(wanted.to_owned());
        }
        if found.is_empty() && of == NameOf::Admin {
            let addresses = &self.emails;
            found.extend(
                addresses.iter().filter(|(_, it)| it.eq_ignore_ascii_case(wanted)).map(|(id, _)| &**id),
            );
        }
        if found.is_empty() {
            let small = wanted.to_lowercase();
            found = named(&|name| name.to_lowercase() == small);
        }
        match &found[..] {
            [id] => Ok((*id).to_owned()),
            [] => {
                let known: Vec<String> = list.iter().take(20).map(|(_, name)| format!("{name:?}")).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Error::new(
                    literal.at,
                    format!("there is no {} {wanted:?}; there are {known}", of.noun()),
                ))
            }
            ids => Err(Error::new(
                literal.at,
                format!("there are several of this name; use one of the ids {}", ids.join(", ")),
            )),
        }
    }
}
