//! API versions: their order, and the changes between them that affect this program.
//!
//! Code that depends on a version asks here by the name of the change, so that no number is written twice. It
//! must not know how a feature reacts to a change.

use std::fmt;
use std::str::FromStr;

/// An `Intercom-Version`. Versions are ordered; a name is later than any number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// Major and minor number, e.g. `2.16`.
    Number(u32, u32),
    /// The version under development: `Preview`, formerly `Unstable`.
    Name(String),
}

/// The text is not an API version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid API version {0:?}: expected a number such as 2.16, or Preview")]
pub struct InvalidVersion(String);

/// Names of the version under development, which all mean the same.
const NAMES: [&str; 2] = ["Preview", "Unstable"];

impl ApiVersion {
    /// Bodies of ticket updates name the assignee at the top level instead of in `assignment`.
    pub const FLAT_TICKET_ASSIGNMENT: ApiVersion = ApiVersion::Number(2, 14);
    /// Bodies in webhooks are plain text instead of HTML.
    pub const PLAIN_NOTIFICATIONS: ApiVersion = ApiVersion::Number(2, 15);
    /// Unassigned conversations have assignee 0 instead of null, and ticket assignees are integers.
    pub const UNASSIGNED_IS_ZERO: ApiVersion = ApiVersion::Number(2, 16);
    /// Priorities are none, low, medium, high and urgent instead of `priority` and `not_priority`.
    pub const GRADED_PRIORITIES: ApiVersion = ApiVersion::Number(2, 16);
    /// The owner of a contact is text instead of an integer.
    pub const OWNER_IS_TEXT: ApiVersion = ApiVersion::Number(2, 16);
    /// Articles have `parent_ids` but neither `parent_id` nor `parent_type`.
    pub const PARENT_IDS_ONLY: ApiVersion = ApiVersion::Number(2, 16);
    /// A merged contact is answered with 410 and a link to its successor instead of 404.
    pub const MERGED_IS_GONE: ApiVersion = ApiVersion::Number(2, 16);
    /// Merging contacts that share neither email nor phone requires `skip_duplicate_validation`.
    pub const MERGE_REQUIRES_DUPLICATES: ApiVersion = ApiVersion::Number(2, 16);
    /// Tagging people with `POST /tags` skips those who do not exist.
    pub const TAGGING_SKIPS_MISSING: ApiVersion = ApiVersion::Number(2, 16);
    /// Attributes of conversations have a separate list; `/data_attributes` refuses them.
    pub const CONVERSATION_ATTRIBUTES: ApiVersion = ApiVersion::Number(2, 16);
    /// Instances of a custom object type can be listed.
    pub const CUSTOM_OBJECT_LIST: ApiVersion = ApiVersion::Number(2, 16);
    /// Contact search compares times to the second instead of by day.
    pub const EXACT_CONTACT_TIMES: ApiVersion = ApiVersion::Number(2, 17);

    /// The version that a text in a request means. Text that is not a version counts as a name, which is later than any
    /// number, as a service refuses it anyway.
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| ApiVersion::Name(text.to_owned()))
    }

    /// Whether this version has a change, e.g. [`ApiVersion::GRADED_PRIORITIES`].
    pub fn has(&self, change: &ApiVersion) -> bool {
        self >= change
    }
}

impl FromStr for ApiVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidVersion(text.to_owned());
        if let Some(name) = NAMES.iter().find(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(ApiVersion::Name((*name).to_owned()));
        }
        let (major, minor) = text.split_once('.').ok_or_else(invalid)?;
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(major) || !is_number(minor) {
            return Err(invalid());
        }
        match (major.parse(), minor.parse()) {
            (Ok(major), Ok(minor)) => Ok(ApiVersion::Number(major, minor)),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiVersion::Number(major, minor) => write!(formatter, "{major}.{minor}"),
            ApiVersion::Name(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_ordered_by_number() {
        assert!(version("2.14") > version("2.9"));
        assert!(version("3.0") > version("2.99"));
        assert!(version("preview") > version("9.9"));
        assert!(version("2.16").has(&ApiVersion::GRADED_PRIORITIES));
        assert!(!version("2.15").has(&ApiVersion::GRADED_PRIORITIES));
    }

    #[test]
    fn text_that_is_not_a_version_is_refused() {
        for text in ["", "3", "latest", "2,16", "2.", ".1", "2.x", "2.1.3", "+2.1"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
        assert_eq!(version("unstable").to_string(), "Unstable");
        assert_eq!(version("2.16").to_string(), "2.16");
    }
}
