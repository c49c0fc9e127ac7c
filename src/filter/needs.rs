//! Determines what a filter needs to know about the workspace before it can be compiled.
//!
//! Callers use this to fetch only the lists that the filter uses. No names are resolved here.

use std::collections::BTreeSet;

use super::directory::{Directory, is_contact_id};
use super::fields::{FieldType, NamedRecord, STATE_CATEGORIES, Searchable};
use super::{Expression, Literal};

/// The kinds of names that the directory must contain to compile a filter.
pub fn required_names(expression: &Expression, searchable: Searchable) -> BTreeSet<NamedRecord> {
    let mut required = BTreeSet::new();
    expression.for_each_test(&mut |test| {
        let kind = match searchable.field(&test.field) {
            Some((_, FieldType::Custom)) if searchable == Searchable::Tickets => {
                Some(NamedRecord::TicketAttribute)
            }
            Some((_, FieldType::Custom)) => Some(NamedRecord::ContactAttribute),
            // Even a test for null needs the list of segments.
            Some((_, FieldType::Ids(NamedRecord::Segment))) => Some(NamedRecord::Segment),
            // Categories are the same in every workspace, labels are not.
            Some((_, FieldType::TicketState)) if test.operator.is_whole() => {
                let is_label = |value: &Literal| {
                    !value.is_null() && !STATE_CATEGORIES.contains(&value.text.trim().to_lowercase().as_str())
                };
                test.values.iter().any(is_label).then_some(NamedRecord::TicketState)
            }
            Some((_, field_type)) => {
                field_type.names().filter(|_| test.values.iter().any(|value| !value.is_null()))
            }
            // Needed for the suggestion in the error.
            None => (searchable == Searchable::Contacts).then_some(NamedRecord::ContactAttribute),
        };
        required.extend(kind);
    });
    if names_in(expression, searchable, NamedRecord::Contact).is_empty() {
        required.remove(&NamedRecord::Contact);
    }
    required
}

/// The names of records of this kind in a filter. Contact ids are omitted, because they do not have to be
/// looked up.
pub fn names_in(expression: &Expression, searchable: Searchable, kind: NamedRecord) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    expression.for_each_test(&mut |test| {
        if searchable.field(&test.field).and_then(|(_, field_type)| field_type.names()) == Some(kind) {
            let values = test.values.iter().filter(|value| !value.is_null()).map(|value| value.text.trim());
            names.extend(
                values.filter(|text| kind != NamedRecord::Contact || !is_contact_id(text)).map(str::to_owned),
            );
        }
    });
    names
}

/// Whether a filter compares calendar days, which depend on the time zone of the workspace. The directory says
/// which attributes are dates.
pub fn compares_days(expression: &Expression, searchable: Searchable, directory: &Directory) -> bool {
    let is_of_days = |name: &str| match directory.field(searchable, name) {
        Some((_, FieldType::Day)) => true,
        Some((field, FieldType::Custom)) => {
            let name = field.strip_prefix("custom_attributes.");
            name.and_then(|name| directory.data_type(name)) == Some("date")
        }
        _ => false,
    };
    let mut found = false;
    expression.for_each_test(&mut |test| {
        found |= is_of_days(&test.field) && test.values.iter().any(|value| !value.is_null());
    });
    found
}
