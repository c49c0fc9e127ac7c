//! Asking the workspace who somebody is: an id, an e-mail address, an external id, a telephone number.
//!
//! The search compares what is stored, letter by letter, so it is asked for every spelling and, of numbers,
//! for their last digit. Who is found is looked at again: only [`fits`] decides.

use serde_json::{Value, json};

use crate::filter::person::{Phone, email, email_spellings, folded};
use crate::mirror::fields;

/// The predicate of a search that finds everybody who may be meant.
pub fn query(wanted: &str) -> Value {
    let test = |field: &str, operator: &str, value: &str| json!({"field": field, "operator": operator, "value": value});
    let wanted = wanted.trim();
    let mut tests = vec![test("external_id", "=", wanted)];
    if email(wanted).is_some() {
        tests.extend(email_spellings(wanted).iter().map(|spelling| test("email", "=", spelling)));
    }
    if let Some(phone) = Phone::read(wanted) {
        let digits = phone.digits();
        tests.push(test("phone", "=", wanted));
        tests.push(test("phone", "=", &format!("+{digits}")));
        tests.extend(Phone::endings(digits).iter().map(|(operator, end)| test("phone", operator, end)));
    } else if email(wanted).is_none() {
        tests.push(test("phone", "=", wanted));
    }
    json!({"operator": "OR", "value": tests})
}

/// Whether a contact is one who may be meant.
pub fn fits(wanted: &str, contact: &Value) -> bool {
    let wanted = wanted.trim();
    let is = |key: &str| fields::text(&contact[key]).is_some_and(|value| value == wanted);
    let address = || {
        let stored = contact["email"].as_str()?;
        Some(email(wanted).is_some_and(|address| address == folded(stored)))
    };
    let number = || Some(Phone::read(wanted)?.fits(&Phone::read(contact["phone"].as_str()?)?));
    is("id") || is("external_id") || is("phone") || address().unwrap_or(false) || number().unwrap_or(false)
}
