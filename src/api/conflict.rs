//! Reads the conflicting record from a 409.
//!
//! The API names the record only in the message text. An id must never be guessed from a text that is not
//! understood.

use super::error_response::ApiError;

/// Why a record could not be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The record exists.
    Exists {
        /// Its id, if the message names one.
        id: Option<String>,
    },
    /// The matching contact is archived and must be unarchived first.
    Archived {
        /// Its id, if the message names one.
        id: Option<String>,
    },
    /// Several contacts match, and the API does not choose between them.
    Ambiguous,
    /// Another job is running, for example an export.
    Busy,
}

impl Conflict {
    /// `None` unless the status is 409.
    pub(super) fn read(error: &ApiError) -> Option<Self> {
        if error.status != 409 {
            return None;
        }
        let text = error.errors.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n");
        let words = text.to_lowercase();
        let id = id(&text);
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        let without_spaces = words.replace(' ', "");
        let says_busy =
            ["inprogress", "running", "underway", "locked"].iter().any(|word| without_spaces.contains(word));
        // A change or a removal can conflict with the state of the record itself.
        let creates = error.method == reqwest::Method::POST || id.is_some() || says(&["exist"]);
        Some(if says(&["multiple", "several", "more than one"]) {
            Conflict::Ambiguous
        } else if says(&["archived"]) {
            Conflict::Archived { id }
        } else if id.is_none() && says_busy {
            Conflict::Busy
        } else if creates {
            Conflict::Exists { id }
        } else {
            return None;
        })
    }

    /// Id of the existing record, if the message names one.
    pub fn id(&self) -> Option<&str> {
        match self {
            Conflict::Exists { id } | Conflict::Archived { id } => id.as_deref(),
            Conflict::Ambiguous | Conflict::Busy => None,
        }
    }
}

/// The value after the last `id=` or `id:` in the text.
fn id(text: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let ids = text.match_indices("id").filter_map(|(place, _)| {
        let begins_word = !text[..place].ends_with(is_part);
        let rest = text[place + 2..].trim_start().strip_prefix(['=', ':'])?;
        let rest = rest.trim_start_matches([' ', '"', '\'']);
        let id: String = rest.chars().take_while(|character| is_part(*character)).collect();
        (begins_word && !id.is_empty()).then_some(id)
    });
    ids.last()
}

#[cfg(test)]
mod tests {
    use reqwest::{Method, StatusCode};

    use super::*;

    fn read(status: u16, message: &str) -> Option<Conflict> {
        let body =
            serde_json::json!({"type": "error.list", "errors": [{"code": "conflict", "message": message}]});
        let status = StatusCode::from_u16(status).unwrap();
        Conflict::read(&ApiError::read(status, Method::POST, "/contacts".into(), None, &body.to_string()))
    }

    #[test]
    fn a_removal_that_conflicts_with_the_state_of_its_record_names_no_other() {
        let conflict = |method: Method, message: &str| {
            let body = serde_json::json!({"errors": [{"message": message}]}).to_string();
            Conflict::read(&ApiError::read(StatusCode::CONFLICT, method, "/x/1".into(), None, &body))
        };
        let state = "It must be in draft state to be deleted";
        assert_eq!(conflict(Method::DELETE, state), None);
        assert_eq!(conflict(Method::POST, state), Some(Conflict::Exists { id: None }));
        let taken = "A contact matching those details already exists with id=5";
        assert_eq!(conflict(Method::PUT, taken), Some(Conflict::Exists { id: Some("5".to_owned()) }));
    }

    #[test]
    fn the_conflicting_record_is_identified() {
        let id = Some("6a70c1".to_owned());
        for (message, conflict) in [
            ("A contact with these details exists: id=6a70c1", Conflict::Exists { id: id.clone() }),
            ("Contact exists (id: \"6a70c1\")", Conflict::Exists { id: id.clone() }),
            ("An archived contact has these details: id=6a70c1", Conflict::Archived { id }),
            ("The name is a duplicate, valid or not", Conflict::Exists { id: None }),
            ("Multiple users have this address, use an id", Conflict::Ambiguous),
            ("Another job is running", Conflict::Busy),
        ] {
            assert_eq!(read(409, message), Some(conflict), "{message}");
        }
        assert_eq!(read(400, "A contact exists: id=6a70c1"), None);
    }
}
