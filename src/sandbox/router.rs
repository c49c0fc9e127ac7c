//! Maps method and path to an operation, using only the operation table.

use std::cmp::Reverse;

use percent_encoding::percent_decode_str;

use crate::api::ApiVersion;
use crate::api::commands::OPERATIONS;
use crate::api::operation::Operation;

/// The operation with this method and path in a version, and the values of the path's `{parameters}`.
///
/// If several paths match, literal segments take precedence over `{parameters}`: `/companies/list` does not
/// mean the company with the id `list`. Of several operations with one path, the latest that the version has is
/// meant. An operation that the version lacks is returned only if no other matches.
pub fn route(
    version: &ApiVersion,
    method: &str,
    path: &str,
) -> Option<(&'static Operation, Vec<(&'static str, String)>)> {
    let rank = |operation: &&Operation| {
        let since: Option<ApiVersion> = operation.version.and_then(|since| since.parse().ok());
        let is_lacking = !is_available(version, operation);
        (operation.path.matches('{').count(), is_lacking, Reverse(since))
    };
    OPERATIONS
        .iter()
        .filter(|operation| operation.method.as_str() == method && matches_template(operation.path, path))
        .min_by_key(rank)
        .map(|operation| (operation, parameters(operation.path, path)))
}

/// Whether a version has an operation.
pub fn is_available(version: &ApiVersion, operation: &Operation) -> bool {
    let bound = |text: Option<&str>| text.and_then(|text| text.parse::<ApiVersion>().ok());
    bound(operation.version).is_none_or(|since| *version >= since)
        && bound(operation.until).is_none_or(|until| *version <= until)
}

fn parameter_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn matches_template(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(segment), Some(value)) if segment == value => {}
            (Some(segment), Some(value)) if parameter_name(segment).is_some() && !value.is_empty() => {}
            _ => return false,
        }
    }
}

fn parameters(template: &'static str, path: &str) -> Vec<(&'static str, String)> {
    template
        .split('/')
        .zip(path.split('/'))
        .filter_map(|(segment, value)| {
            Some((parameter_name(segment)?, percent_decode_str(value).decode_utf8_lossy().into_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(method: &str, path: &str) -> Option<&'static str> {
        route(&ApiVersion::pinned(), method, path).map(|(operation, _)| operation.id)
    }

    #[test]
    fn literal_segments_take_precedence_over_parameters() {
        assert_eq!(id("GET", "/companies/scroll"), Some("scrollOverAllCompanies"));
        assert_eq!(id("GET", "/companies/abc"), Some("RetrieveACompanyById"));
        assert_eq!(id("POST", "/contacts/search"), Some("SearchContacts"));
        assert_eq!(id("GET", "/articles/search"), Some("searchArticles"));
    }

    #[test]
    fn the_version_decides_between_operations_with_one_path() {
        let at = |version: &str| {
            let path = "/custom_object_instances/Order";
            route(&version.parse().unwrap(), "GET", path).map(|(operation, _)| operation.id)
        };
        assert_eq!(at("2.15"), Some("getCustomObjectInstancesByExternalId"));
        assert_eq!([at("2.16"), at("Preview")], [Some("listCustomObjectInstances"); 2]);
    }

    #[test]
    fn parameters_are_percent_decoded() {
        let (operation, values) =
            route(&ApiVersion::pinned(), "GET", "/contacts/find_by_external_id/a%2Fb%20c").unwrap();
        assert_eq!(operation.id, "ShowContactByExternalId");
        assert_eq!(values, [("external_id", "a/b c".to_owned())]);
    }

    #[test]
    fn unknown_paths_and_methods_match_nothing() {
        assert_eq!(id("GET", "/nothing"), None);
        assert_eq!(id("PATCH", "/contacts"), None);
        assert_eq!(id("GET", "/contacts/"), None);
    }
}
