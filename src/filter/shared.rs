//! Identifiers that two contacts can share, and their normal form.
//!
//! Compares text only. Different values must never have the same normal form.

use serde::{Deserialize, Serialize};

use super::person::{Phone, email, folded};

/// The field of a contact that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Email,
    Phone,
    ExternalId,
}

impl By {
    pub const fn field(self) -> &'static str {
        match self {
            By::Email => "email",
            By::Phone => "phone",
            By::ExternalId => "external_id",
        }
    }

    /// One spelling for all values that mean the same; `None` for what is not a value of the field.
    pub fn key(self, value: &str) -> Option<String> {
        let value = value.trim();
        match self {
            By::Email => Some(email(value).unwrap_or_else(|| folded(value))),
            By::ExternalId => Some(value.to_owned()),
            // Words beside a number do not make it another number.
            By::Phone => Phone::read(value).map(|phone| phone.digits().to_owned()).or_else(|| {
                let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                Phone::read(&digits).map(|phone| phone.digits().to_owned())
            }),
        }
        .filter(|value| !value.is_empty())
    }
}
