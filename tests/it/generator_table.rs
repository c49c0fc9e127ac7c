//! The operation table: effects, command names and pagination of operations without an overlay entry.

use serde_json::{Value, json};

use crate::codegen::description::Description;
use crate::codegen::{handwritten, table};
use crate::generator::overlay;

#[test]
fn the_effect_of_an_unknown_operation_is_derived_from_its_words() {
    use crate::codegen::effect::{Confirm, Reach, derived};
    let destroys = (Reach::Destructive, Confirm::Explicit);
    let overwrites = (Reach::Destructive, Confirm::Ask);
    let (reads, writes) = ((Reach::Read, Confirm::Never), (Reach::Write, Confirm::Never));
    for (method, path, id, expected) in [
        ("post", "/content/bulk_actions", "bulkContentActions", destroys),
        ("post", "/contacts/bulk/delete", "bulkDeleteContacts", destroys),
        ("post", "/companies/bulk/delete", "bulkDeleteCompanies", destroys),
        ("post", "/conversations/{id}/merge", "mergeConversation", destroys),
        ("post", "/visitors/convert", "convertVisitor", destroys),
        ("post", "/contacts/{id}/privacy", "anonymiseContact", destroys),
        ("post", "/records", "searchAndRemoveRecords", destroys),
        ("delete", "/audiences/{id}", "deleteAudience", destroys),
        ("delete", "/articles/{article_id}/tags/{id}", "detachTagFromArticle", overwrites),
        (
            "delete",
            "/tickets/{ticket_id}/linked_conversations/{id}",
            "unlinkConversationFromTicket",
            overwrites,
        ),
        ("patch", "/data_connectors/{id}", "updateDataConnector", overwrites),
        ("put", "/articles/{id}/draft", "stageArticleDraft", overwrites),
        ("post", "/articles/{id}/draft/publish", "publishArticleDraft", overwrites),
        ("post", "/contacts/merge/preview", "previewMergeContacts", reads),
        ("post", "/contacts/preview_merge", "previewMergeContacts", reads),
        ("post", "/fin_agent/capabilities", "listFinAgentCapabilities", reads),
        ("post", "/calls/search", "listCallsWithTranscripts", reads),
        ("post", "/admins/activity_logs/search", "searchActivityLogs", reads),
        ("post", "/conversations/attributes/{id}/options", "createConversationAttributeOption", writes),
        ("post", "/tickets/{ticket_id}/change_type", "changeTicketType", writes),
        ("post", "/lists", "createList", writes),
        ("post", "/audiences/list", "createAudienceList", writes),
        ("post", "/fin/start", "startFinConversation", writes),
        ("get", "/contacts/{id}/merge_history", "listMergeHistory", reads),
    ] {
        assert_eq!(derived(method, path, id), expected, "{method} {path} {id}");
    }
}

/// The commands of operations with these tags and ids.
fn commands_of(operations: &[(&str, &str)], overlay_text: &str) -> Result<Vec<table::Command>, String> {
    let paths: serde_json::Map<String, Value> = operations
        .iter()
        .enumerate()
        .map(|(index, (tag, id))| {
            let operation = json!({"operationId": id, "tags": [tag], "responses": {"200": {}}});
            (format!("/p{index}"), json!({ "get": operation }))
        })
        .collect();
    let text = json!({"openapi": "3.0.1", "info": {"version": "2.16"}, "paths": paths}).to_string();
    table::commands(&Description::parse(&text).unwrap(), &overlay(overlay_text))
        .map_err(|error| error.to_string())
}

#[test]
fn derived_names_do_not_conflict_with_handwritten_commands() {
    let operations = [
        ("Contacts", "BulkUpdate"),
        ("Contacts", "BulkTagContacts"),
        ("Contacts", "bulkCreateContacts"),
        ("Content", "bulkContentActions"),
        ("Search", "searchEverything"),
        ("Sync", "startSync"),
        ("Bulk", "runs"),
        ("Conversations", "sla"),
        ("Conversations", "slaPolicies"),
    ];
    let commands = commands_of(&operations, "operations: {}").unwrap();
    let commands: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
    assert_eq!(commands.len(), operations.len());
    for command in &commands {
        assert!(!handwritten::is_taken(command), "{command}");
    }
    for expected in [
        "contacts bulk-create",
        "content bulk-actions",
        "contacts bulk-tag-contacts",
        "other search-everything",
    ] {
        assert!(commands.contains(&expected), "{expected} in {commands:?}");
    }
    for entry in [
        "operations: {slaPolicies: {command: conversations sla}}",
        "operations: {slaPolicies: {command: conversations x, readable: [sync now]}}",
        "operations: {slaPolicies: {command: conversations x}, sla: {command: y, readable: [conversations x]}}",
    ] {
        let error = commands_of(&operations, entry).err().unwrap();
        assert!(error.contains("which another command has"), "{entry}: {error}");
    }
}

#[test]
fn a_response_with_pages_is_a_list() {
    let schema = json!({"type": "object", "properties": {"notes": {"type": "array", "items": {}}, "pages": {"type": "object"}}});
    let history = json!({"type": "object", "properties": {"merges": {"type": "array", "items": {}}, "next_cursor": {"type": "string"}}});
    let operation = |id: &str, schema: &Value| json!({"get": {"operationId": id, "tags": ["Things"], "responses": {"200": {"content": {"application/json": {"schema": schema}}}}}});
    let text = json!({"openapi": "3.0.1", "info": {"version": "2.16"}, "paths": {
        "/notes": operation("listNotes", &schema), "/history": operation("listHistory", &history), "/one": operation("getOne", &json!({"type": "object"}))}});
    let rows =
        table::render(&Description::parse(&text.to_string()).unwrap(), &overlay("operations: {}"), &[], "")
            .unwrap();
    assert_eq!(
        (rows.matches("Paging::Whole").count(), rows.matches("Paging::None").count()),
        (2, 1),
        "{rows}"
    );
}
