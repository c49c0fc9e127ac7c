//! The API versions that the operation table was made from, and what each of them adds.

use serde::Serialize;

use crate::api::commands::{OPERATIONS, SPEC_VERSION, VERSIONS};
use crate::api::operation::{DescribedVersion, Operation};
use crate::api::version::ApiVersion;

/// One version. Its number, as text, is the key of scripts.
#[derive(Debug, Serialize)]
pub struct KnownVersion {
    pub version: &'static str,
    /// Whether commands send it, unless they need a later one.
    pub pinned: bool,
    /// How many operations its description has.
    pub operations: usize,
    /// The commands that the version before lacks; all of them for the first version.
    pub additions: Vec<Addition>,
}

#[derive(Debug, Serialize)]
pub struct Addition {
    pub command: &'static str,
    pub method: &'static str,
    pub path: &'static str,
}

/// All versions, oldest first.
pub fn versions() -> Vec<KnownVersion> {
    let mut before = None;
    VERSIONS
        .iter()
        .filter_map(|described| {
            let number: ApiVersion = described.number.parse().ok()?;
            let has = |operation: &&Operation| has(&number, operation);
            let is_new =
                |operation: &&Operation| before.as_ref().is_none_or(|before| !self::has(before, operation));
            let additions = OPERATIONS.iter().filter(has).filter(is_new).map(Addition::of).collect();
            let pinned = described.number == SPEC_VERSION;
            let DescribedVersion { number: version, operations } = *described;
            let known = KnownVersion { version, pinned, operations, additions };
            before = Some(number);
            Some(known)
        })
        .collect()
}

/// The first version after this one.
pub fn after(version: &ApiVersion) -> Option<ApiVersion> {
    VERSIONS.iter().filter_map(|described| described.number.parse().ok()).find(|later| later > version)
}

/// Whether a version has an operation.
pub fn has(version: &ApiVersion, operation: &Operation) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<ApiVersion>().ok());
    let (since, until) = (number(operation.version), number(operation.until));
    since.is_none_or(|since| *version >= since) && until.is_none_or(|until| *version <= until)
}

impl Addition {
    fn of(operation: &Operation) -> Self {
        let command = operation.spellings().next().unwrap_or(operation.command);
        Addition { command, method: operation.method.as_str(), path: operation.path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_what_it_adds_and_one_is_pinned() {
        let versions = versions();
        assert_eq!(versions.iter().filter(|version| version.pinned).count(), 1);
        assert_eq!(versions.len(), VERSIONS.len());
        for version in &versions {
            assert!(version.operations > 0 && !version.additions.is_empty(), "{}", version.version);
        }
        let added: usize = versions.iter().map(|version| version.additions.len()).sum();
        assert_eq!(added, OPERATIONS.len(), "each operation is added by one version");
    }
}
