//! Taking a new API description: which commands it adds or removes, and which files are rejected.

use serde_json::Value;

use crate::codegen::strip_prose::strip_prose;
use crate::codegen::update::{self, Choices};
use crate::codegen::{self, pin};
use crate::generator::VENDOR;

/// A folder like `spec/` with this description.
fn described(description: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("intercom-2.15.yaml"), description).unwrap();
    std::fs::write(folder.path().join("overlay.yaml"), "operations: {}").unwrap();
    folder
}

fn prepared(vendor: &str, before: &str, allow_removals: bool) -> Result<update::Update, String> {
    let folder = described(before);
    let choices = Choices { allow_removals };
    update::prepare(vendor, folder.path(), choices).map_err(|error| error.to_string())
}

#[test]
fn an_update_reports_added_and_removed_commands() {
    let vendor = VENDOR.replace("operationId: createTool", "operationId: forgeTool");
    assert_ne!(vendor, VENDOR);
    let update = prepared(&vendor, &strip_prose(VENDOR).unwrap().1, true).unwrap();
    let added: Vec<&str> = update.added.iter().map(|command| command.name.as_str()).collect();
    assert_eq!((update.version.to_string().as_str(), added), ("2.15", vec!["tools forge"]));
    let removed: Vec<(&str, Option<&str>)> = update
        .removed
        .iter()
        .map(|removed| (removed.command.name.as_str(), removed.replacement.as_deref()))
        .collect();
    assert_eq!(removed, [("tools create", Some("tools forge"))]);
}

#[test]
fn a_truncated_file_is_rejected() {
    let complete = strip_prose(VENDOR).unwrap().1;
    let dangling = VENDOR.replace("    tool_list:\n", "    tool_lost:\n");
    assert_ne!(dangling, VENDOR);
    let error = prepared(&dangling, &complete, true).err().unwrap();
    assert!(error.contains("/components/schemas/tool_list") && error.contains("incomplete"), "{error}");

    let mut fewer: Value = serde_saphyr::from_str(&complete).unwrap();
    fewer["paths"]["/tools/{id}"].as_object_mut().unwrap().remove("delete");
    let fewer = serde_saphyr::to_string(&fewer).unwrap();
    let error = prepared(&fewer, &complete, false).err().unwrap();
    assert!(error.contains("--allow-removals"), "{error}");
    assert_eq!(prepared(&fewer, &complete, true).unwrap().removed.len(), 1);
    assert!(prepared("paths: [", &complete, true).is_err());
}

#[test]
fn versions_older_than_the_commands_are_rejected() {
    let complete = strip_prose(VENDOR).unwrap().1;
    for (version, usable) in
        [("2.9", false), ("2.12", false), ("1.4", false), ("2.13", true), ("3.0", true), ("Preview", true)]
    {
        let vendor = VENDOR.replace("version: '2.15'", &format!("version: '{version}'"));
        assert!(vendor.contains(version));
        let result = prepared(&vendor, &complete, false);
        assert_eq!(result.is_ok(), usable, "{version}: {:?}", result.err());
    }
}

#[test]
fn another_version_can_be_pinned_without_changing_a_command() {
    let folder = described(&strip_prose(VENDOR).unwrap().1);
    let later = VENDOR.replace("version: '2.15'", "version: '2.16'");
    std::fs::write(folder.path().join("intercom-2.16.yaml"), strip_prose(&later).unwrap().1).unwrap();
    let table = |pinned: Option<&str>| {
        if let Some(pinned) = pinned {
            std::fs::write(folder.path().join(pin::NAME), pin::text(pinned)).unwrap();
        }
        codegen::render(folder.path()).map(|files| files.commands).map_err(|error| error.to_string())
    };
    let by_default = table(None).unwrap();
    assert!(by_default.contains("SPEC_VERSION: &str = \"2.15\""));
    let pinned = table(Some("2.16")).unwrap();
    assert_eq!(pinned, by_default.replace("SPEC_VERSION: &str = \"2.15\"", "SPEC_VERSION: &str = \"2.16\""));
    let error = table(Some("2.17")).unwrap_err();
    assert!(error.contains("2.17, which is not described"), "{error}");
}
