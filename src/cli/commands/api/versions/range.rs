//! The value of `--changes`: two API versions, the earlier one first.

use std::str::FromStr;

use crate::api::commands::SPEC_VERSION;
use crate::api::version::ApiVersion;

/// From one version, which is not part of it, to another, which is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    pub from: ApiVersion,
    pub to: ApiVersion,
}

impl FromStr for VersionRange {
    type Err = String;

    /// `2.13..2.16`; without the first version, from the pinned one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from, to) = text.split_once("..").unwrap_or(("", text));
        let version = |text: &str| text.parse::<ApiVersion>().map_err(|error| error.to_string());
        let from = version(if from.is_empty() { SPEC_VERSION } else { from })?;
        let to = version(to)?;
        if to < from {
            return Err(format!("{to} is earlier than {from}: expected the earlier version first"));
        }
        Ok(VersionRange { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_begins_at_the_pinned_version_if_it_names_no_other() {
        let range = |text: &str| text.parse::<VersionRange>().unwrap();
        assert_eq!(range("2.14..2.16").from, ApiVersion::Number(2, 14));
        assert_eq!(range("2.16"), range("..2.16"));
        assert_eq!(range("2.16").from.to_string(), SPEC_VERSION);
        assert_eq!(range("2.15..preview").to.to_string(), "Preview");
    }

    #[test]
    fn an_invalid_range_says_what_was_expected() {
        let error = |text: &str| text.parse::<VersionRange>().unwrap_err();
        assert_eq!(error("2.16..2.13"), "2.13 is earlier than 2.16: expected the earlier version first");
        for text in ["", "2.13..", "2.13..x", "2.13-2.16", "2.13...2.16"] {
            assert!(error(text).starts_with("invalid API version"), "{text}");
        }
    }
}
