//! Finds contacts in the workspace by id, email address, external id or phone number.
//!
//! The API compares values exactly, so the search covers all spellings and, for phone numbers, the last digits. It can
//! match too much: only [`is_match`] decides.

use serde_json::{Value, json};

use super::person::{Phone, email, email_spellings, folded};
use crate::data::lenient;

/// The search query that finds all candidates.
pub fn search_query(text: &str) -> Value {
    let test = |field: &str, operator: &str, value: &str| json!({"field": field, "operator": operator, "value": value});
    let text = text.trim();
    let mut tests = vec![test("external_id", "=", text)];
    if email(text).is_some() {
        tests.extend(email_spellings(text).iter().map(|spelling| test("email", "=", spelling)));
    }
    if let Some(phone) = Phone::read(text) {
        let digits = phone.digits();
        tests.push(test("phone", "=", text));
        tests.push(test("phone", "=", &format!("+{digits}")));
        tests.extend(Phone::endings(digits).iter().map(|(operator, end)| test("phone", operator, end)));
    } else if email(text).is_none() {
        tests.push(test("phone", "=", text));
    }
    json!({"operator": "OR", "value": tests})
}

/// Whether a contact has this id, email address, external id or phone number.
pub fn is_match(text: &str, contact: &Value) -> bool {
    let text = text.trim();
    let has = |key: &str| lenient::text(&contact[key]).is_some_and(|value| value == text);
    let has_address = || {
        let stored = contact["email"].as_str()?;
        Some(email(text).is_some_and(|address| address == folded(stored)))
    };
    let has_number = || Some(Phone::read(text)?.fits(&Phone::read(contact["phone"].as_str()?)?));
    has("id")
        || has("external_id")
        || has("phone")
        || has_address().unwrap_or(false)
        || has_number().unwrap_or(false)
}
