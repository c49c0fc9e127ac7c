//! What changes between API versions in a way that a description cannot say, for the commands that notice it.
//!
//! Data only: `api versions` shows it, and `doctor` counts it. A change that no command can notice does not belong here,
//! and neither does a new operation, which the table knows. The texts say what the program does, so they change with it.

use crate::api::version::ApiVersion;

/// One change of behaviour.
#[derive(Debug)]
pub struct VersionChange {
    /// The first version that behaves like this.
    pub version: ApiVersion,
    /// The subject in a few words.
    pub name: &'static str,
    /// What is different from this version on.
    pub change: &'static str,
    /// The commands that notice it.
    pub commands: &'static [&'static str],
    /// What this program does about it.
    pub handling: &'static str,
}

const V2_14: ApiVersion = ApiVersion::Number(2, 14);
const V2_15: ApiVersion = ApiVersion::Number(2, 15);
const V2_16: ApiVersion = ApiVersion::Number(2, 16);

/// In the order of the versions.
pub static CHANGES: &[VersionChange] = &[
    VersionChange {
        version: V2_14,
        name: "internal articles",
        change: "Internal articles exist; earlier versions refuse them with status 400",
        commands: &[
            "internal-articles list",
            "internal-articles get",
            "internal-articles search",
            "internal-articles create",
            "internal-articles update",
            "internal-articles delete",
        ],
        handling: "The commands always send at least 2.14",
    },
    VersionChange {
        version: ApiVersion::FLAT_TICKET_ASSIGNMENT,
        name: "assignees in ticket updates",
        change: "An update of a ticket names the assignee in admin_id and assignee_id instead of an assignment object",
        commands: &["tickets assign", "tickets update"],
        handling: "tickets assign sends the form of the version in use; tickets update sends the fields as given",
    },
    VersionChange {
        version: V2_14,
        name: "job_identifier of exports",
        change: "A data export reports its job as job_identifier instead of job_identfier",
        commands: &["intercom-export create", "intercom-export get", "intercom-export cancel"],
        handling: "The response is printed as received",
    },
    VersionChange {
        version: V2_14,
        name: "recipients of messages",
        change: "A message can have several recipients, cc and bcc",
        commands: &["messages"],
        handling: "The body is sent as given",
    },
    VersionChange {
        version: V2_15,
        name: "silent replies",
        change: "A reply can leave out the notifications with skip_notifications",
        commands: &["conversations reply", "conversations note"],
        handling: "Never sent, so that notifications are as before",
    },
    VersionChange {
        version: ApiVersion::UNASSIGNED_IS_ZERO,
        name: "assignee 0 when unassigned",
        change: "Unassigned conversations have assignee 0 instead of null, and assignees of tickets are integers",
        commands: &[
            "conversations list",
            "conversations search",
            "conversations view",
            "conversations sla",
            "conversations stale",
            "conversations bulk-assign",
            "tickets search",
            "tickets view",
            "tickets assign",
            "search",
            "sql",
            "sync",
        ],
        handling: "Both mean unassigned in filters, reports and views; `team = null` and `team = 0` find both",
    },
    VersionChange {
        version: ApiVersion::GRADED_PRIORITIES,
        name: "graded priorities",
        change: "Priority is none, low, medium, high or urgent instead of priority and not_priority",
        commands: &["conversations list", "conversations search", "conversations view", "sql", "sync"],
        handling: "Stored and printed as received; filters take the values of both",
    },
    VersionChange {
        version: ApiVersion::OWNER_IS_TEXT,
        name: "owner_id as text",
        change: "The owner of a contact (owner_id) is text instead of an integer",
        commands: &[
            "contacts list",
            "contacts search",
            "contacts view",
            "contacts 360",
            "contacts update",
            "contacts bulk-update",
            "sync",
        ],
        handling: "Read in both forms, stored as the same value, sent in the form of the version in use",
    },
    VersionChange {
        version: ApiVersion::PARENT_IDS_ONLY,
        name: "parent_ids of articles",
        change: "Articles report their collections only as parent_ids, without parent_id and parent_type",
        commands: &[
            "articles pull",
            "articles push",
            "articles diff",
            "articles status",
            "articles view",
            "articles list",
            "sync",
        ],
        handling: "The first of parent_ids decides the folder and the collection; requests send parent_id as before",
    },
    VersionChange {
        version: ApiVersion::MERGED_IS_GONE,
        name: "410 for merged contacts",
        change: "A contact that was merged into another answers 410 with a link to it, instead of 404",
        commands: &["contacts get", "contacts view", "contacts 360", "sync"],
        handling: "Both mean that the contact is gone; contact 360 --live shows the one it became",
    },
    VersionChange {
        version: V2_16,
        name: "merges of non-duplicates",
        change: "Merging contacts is refused if they do not look like duplicates, unless \
                 skip_duplicate_validation is true",
        commands: &["contacts merge", "contacts dupes"],
        handling: "The refusal is reported; contacts merge takes --skip-duplicate-validation",
    },
    VersionChange {
        version: V2_16,
        name: "tagging of missing records",
        change: "Tagging several contacts or companies leaves out those that do not exist, instead of answering 404",
        commands: &["tags create"],
        handling: "The bulk commands tag one record at a time and check the result",
    },
    VersionChange {
        version: ApiVersion::CONVERSATION_ATTRIBUTES,
        name: "attributes of conversations",
        change: "Attributes of conversations have a separate list; data-attributes refuses \
                 model=conversation with status 422",
        commands: &["data-attributes list", "sync"],
        handling: "sync reads them from the list that the version in use has",
    },
    VersionChange {
        version: ApiVersion::CUSTOM_OBJECT_LIST,
        name: "lists of custom objects",
        change: "Reading instances of a custom object type without an external id lists all of them",
        commands: &["custom-object-instances get-by-external-id"],
        handling: "The command asks for one instance, as before",
    },
    VersionChange {
        version: V2_16,
        name: "invalid sort orders",
        change: "A sort order other than ascending or descending is refused with status 400, instead of ignored",
        commands: &["contacts search", "conversations search", "tickets search"],
        handling: "The commands send ascending or descending",
    },
    VersionChange {
        version: ApiVersion::EXACT_CONTACT_TIMES,
        name: "times in contact search",
        change: "Contact search compares standard times to the second instead of by day",
        commands: &["contacts list", "contacts search", "contacts bulk-update", "contacts bulk-tag", "sync"],
        handling: "Searches ask for whole days and test each contact again, so results are the same",
    },
];

/// The changes after one version, up to and with another.
pub fn between(after: &ApiVersion, to: &ApiVersion) -> impl Iterator<Item = &'static VersionChange> {
    CHANGES.iter().filter(move |change| change.version > *after && change.version <= *to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::catalog;

    #[test]
    fn changes_are_sorted_and_name_commands_that_exist() {
        assert!(CHANGES.is_sorted_by_key(|change| &change.version));
        for change in CHANGES {
            assert!(!change.commands.is_empty() && !change.handling.is_empty(), "{}", change.change);
            for command in change.commands {
                let shown = catalog().entry(command).map(|entry| entry.shown.clone());
                assert_eq!(shown.as_deref(), Some(*command), "named as in lists of commands");
            }
        }
    }

    #[test]
    fn a_range_has_the_changes_after_its_first_version() {
        let versions = |after, to| {
            let mut versions: Vec<String> =
                between(&ApiVersion::Number(2, after), &ApiVersion::Number(2, to))
                    .map(|change| change.version.to_string())
                    .collect();
            versions.dedup();
            versions
        };
        assert_eq!(versions(13, 16), ["2.14", "2.15", "2.16"]);
        assert_eq!(versions(14, 15), ["2.15"]);
        assert_eq!(versions(16, 16), [""; 0]);
        let preview = ApiVersion::Name("Preview".to_owned());
        assert_eq!(between(&ApiVersion::Number(2, 13), &preview).count(), CHANGES.len());
    }
}
