//! Tests code generation: every rule on a small made-up description, and the committed files against the real
//! one. Independent of the pinned API version.

use std::collections::BTreeSet;
use std::path::Path;

use crate::codegen;
use crate::codegen::description::Description;
use crate::codegen::normalize;
use crate::codegen::overlay::Overlay;
use crate::codegen::strip_prose::strip_prose;
use crate::codegen::{client, handwritten, schema, shape, table, update};
use serde_json::{Value, json};

const VENDOR: &str = include_str!("../fixtures/vendor.yaml");

fn small() -> Description {
    Description::parse(&strip_prose(VENDOR).unwrap().1).unwrap()
}

fn overlay(text: &str) -> Overlay {
    Overlay::parse(text).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Rewrites stale files and then fails, so that the next run passes.
#[test]
fn committed_files_are_current() {
    let changed = codegen::generate(&root().join("spec"), &root().join("generated")).unwrap();
    assert!(changed.is_empty(), "stale files have been rewritten; commit them: {changed:?}");
}

#[test]
fn every_described_operation_has_exactly_one_command() {
    let spec = root().join("spec");
    let text = std::fs::read_to_string(codegen::description_path(&spec).unwrap()).unwrap();
    let overlay = overlay(&std::fs::read_to_string(spec.join("overlay.yaml")).unwrap());
    let mut description = Description::parse(&text).unwrap();
    let described = description.operations().len();
    overlay.apply(&mut description);
    let rows = table::render(&description, &overlay, &text).unwrap();
    let commands: Vec<&str> = rows.lines().filter_map(|line| line.trim().strip_prefix("command: ")).collect();
    assert!(commands.len() >= described);
    assert_eq!(commands.iter().collect::<BTreeSet<_>>().len(), commands.len());
}

#[test]
fn facts_are_kept_and_prose_is_dropped() {
    let (version, text) = strip_prose(VENDOR).unwrap();
    assert_eq!(version, "2.15");
    assert!(!text.contains("PROSE"), "{text}");
    assert!(!text.contains("example") && !text.contains("x-tags"), "{text}");
    let tool = &small().root["components"]["schemas"]["tool"];
    // Properties may be named like keywords.
    assert_eq!(tool["properties"]["title"], json!({"type": "string"}));
    assert_eq!(tool["properties"]["description"], json!({"type": "string", "nullable": true}));
    assert_eq!(tool["required"], json!(["title"]));
}

#[test]
fn stripping_prose_is_idempotent() {
    let (_, once) = strip_prose(VENDOR).unwrap();
    assert_eq!(strip_prose(&once).unwrap().1, once);
}

#[test]
fn the_pinned_description_contains_no_prose() {
    let text = std::fs::read_to_string(codegen::description_path(&root().join("spec")).unwrap()).unwrap();
    assert_eq!(strip_prose(&text).unwrap().1, text);
}

#[test]
fn an_unusable_vendor_file_is_rejected() {
    for text in ["", "a: [", "info: {version: '2.15'}", "paths: {}"] {
        assert!(strip_prose(text).is_err(), "{text:?}");
    }
}

fn normalized(rule: impl Fn(&mut Description)) -> Value {
    let mut description = small();
    rule(&mut description);
    description.root
}

#[test]
fn missing_operation_ids_are_synthesized() {
    let root = normalized(normalize::rewrite_parameters);
    assert_eq!(root["paths"]["/tools/{id}"]["delete"]["operationId"], "deleteToolsId");
    assert_eq!(root["paths"]["/exports/{job}"]["get"]["operationId"], "getExportsJob");
}

#[test]
fn header_parameters_are_dropped_and_path_parameters_repaired() {
    let root = normalized(normalize::rewrite_parameters);
    let list = root["paths"]["/tools"]["get"]["parameters"].as_array().unwrap();
    assert!(list.iter().all(|parameter| parameter["in"] == "query"), "{list:?}");
    let job = &root["paths"]["/exports/{job}"]["get"]["parameters"][0];
    assert_eq!((&job["in"], &job["required"]), (&json!("path"), &json!(true)));
    assert_eq!(root["paths"]["/tools/{id}"]["delete"]["parameters"][0]["name"], "id");
    assert!(root["paths"]["/tools/{id}"].get("parameters").is_none());
}

#[test]
fn an_exploded_object_becomes_its_properties() {
    let root = normalized(normalize::rewrite_parameters);
    let names: Vec<&str> = root["paths"]["/tools"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    assert_eq!(names, ["page", "per_page", "owner", "shelf"]);
}

#[test]
fn each_operation_keeps_one_response_and_files_are_streams() {
    let root = normalized(normalize::rewrite_responses);
    let list = root["paths"]["/tools"]["get"]["responses"].as_object().unwrap();
    assert_eq!(list.keys().collect::<Vec<_>>(), ["200"]);
    let export = &root["paths"]["/exports/{job}"]["get"]["responses"]["200"]["content"];
    assert_eq!(export["application/octet-stream"]["schema"]["format"], "binary");
    let nothing = &root["paths"]["/tools/{id}"]["delete"]["responses"]["204"];
    assert_eq!(*nothing, json!({"description": ""}));
}

#[test]
fn bodies_are_required_json() {
    let root = normalized(normalize::rewrite_bodies);
    assert_eq!(root["paths"]["/tools"]["post"]["requestBody"]["required"], true);
    assert!(root["paths"]["/tools"]["get"].get("requestBody").is_none());
}

#[test]
fn response_schemas_are_lenient() {
    let description = small();
    let schemas = &description.root["components"]["schemas"];
    let tool = shape::lenient(&description, &schemas["tool"]);
    assert!(tool.get("required").is_none());
    assert_eq!(tool["additionalProperties"], json!({}));
    assert_eq!(tool["properties"]["state"], json!({"type": "string", "nullable": true}));
    assert_eq!(tool["properties"]["made_at"], json!({"type": "integer", "nullable": true}));
    let list = shape::lenient(&description, &schemas["tool_list"]);
    assert_eq!(list["properties"]["pages"]["properties"]["next"], json!({}), "alternatives are any JSON");
    assert_eq!(list["properties"]["data"]["nullable"], true);
}

#[test]
fn request_schemas_are_strict_but_accept_unknown_fields() {
    let description = small();
    let schemas = &description.root["components"]["schemas"];
    let tool = shape::strict(&description, &schemas["tool"], &BTreeSet::new());
    assert_eq!(tool["required"], json!(["title"]));
    assert_eq!(
        tool["properties"]["state"],
        json!({"type": "string", "enum": ["new", "worn"]}),
        "the default is dropped"
    );
    assert_eq!(tool["properties"]["operator"], json!({"type": "string"}), "= cannot be a Rust name");
    assert_eq!(tool["properties"]["made_at"], json!({"type": "integer"}));
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let either = shape::strict(&description, body, &BTreeSet::new());
    assert_eq!(either["required"], json!(["kind"]), "required by every alternative");
    assert_eq!(either["properties"]["kind"]["enum"], json!(["hammer", "saw"]));
}

#[test]
fn schemas_shared_by_requests_and_responses_are_copied_for_requests() {
    let root = normalized(normalize::separate_requests_from_responses);
    let schemas = &root["components"]["schemas"];
    assert!(schemas["tool"].get("required").is_none());
    assert_eq!(schemas["tool_input"]["required"], json!(["title"]));
    let body = &root["paths"]["/tools/{id}"]["put"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/tool_input");
}

#[test]
fn unreachable_schemas_are_dropped() {
    let root = normalized(|description| {
        normalize::rewrite_responses(description);
        normalize::drop_unreachable_schemas(description);
    });
    let names: Vec<&String> = root["components"]["schemas"].as_object().unwrap().keys().collect();
    assert!(!names.iter().any(|name| *name == "orphan" || *name == "problem"), "{names:?}");
    assert!(names.iter().any(|name| *name == "text"), "reachable through another schema");
}

#[test]
fn inline_types_do_not_clash_with_components() {
    let root = normalized(normalize::rename_clashing_inline_types);
    let owner = &root["components"]["schemas"]["tool"]["properties"]["owner"];
    assert_eq!(owner["title"], "ToolOwnerInline");
}

#[test]
fn fields_are_joined_over_all_alternatives() {
    let description = small();
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let fields = schema::fields(&description, body);
    let actual: Vec<(&str, bool)> =
        fields.iter().map(|field| (field.name.as_str(), field.required)).collect();
    let expected = [
        ("kind", true),
        ("weight", false),
        ("owner", false),
        ("region", false),
        ("teeth", false),
        ("made_at", false),
    ];
    assert_eq!(actual, expected);
}

#[test]
fn nullable_becomes_a_json_schema_type() {
    let schema = schema::json_schema(&json!({"type": "string", "nullable": true, "format": "uri"}));
    assert_eq!(schema, json!({"anyOf": [{"type": "string"}, {"type": "null"}]}));
    let reference = schema::json_schema(&json!({"$ref": "#/components/schemas/tool"}));
    assert_eq!(reference, json!({"$ref": "#/$defs/tool"}));
}

#[test]
fn an_operation_without_an_entry_becomes_a_command() {
    let rows = table::render(&small(), &overlay("operations: {}"), "").unwrap();
    insta::assert_snapshot!("commands_of_a_small_description", rows);
}

#[test]
fn the_overlay_names_and_corrects_operations() {
    let overlay = overlay(
        r#"
operations:
  listTools:
    command: tools ls
    help: List the tools
    paging: { kind: page, max: 40, why: test }
    parameters: [{ name: shelf_id, type: integer, why: test }]
    types: { per_page: { type: string, why: test } }
    flags: { page: which page }
  createTool:
    fields: [{ name: sort.order, type: string, enum: [up, down], why: test }]
  gone: { command: tools gone, help: An operation of another version }
additions:
  why: test
  paths:
    /tools: { get: { operationId: listTools, tags: [Tools], responses: {} } }
    /boxes: { get: { operationId: listBoxes, tags: [Boxes], responses: {} } }
"#,
    );
    let mut description = small();
    overlay.apply(&mut description);
    let rows = table::render(&description, &overlay, "").unwrap();
    let has = |text: &str| assert!(rows.contains(text), "{text} in {rows}");
    has(r#"command: "tools ls""#);
    has("Paging::Page { max: 40 }");
    has(r#"name: "shelf_id", flag: "shelf-id", place: Place::Query, kind: Kind::Integer"#);
    has(r#"name: "per_page", flag: "per-page", place: Place::Query, kind: Kind::String"#);
    has(r#"help: "which page""#);
    has(r#"name: "sort.order", flag: "sort-order", place: Place::Body, kind: Kind::Choice(&["up", "down"])"#);
    has(r#"id: "listBoxes""#);
    assert!(!rows.contains("tools gone"));
    assert_eq!(rows.matches(r#"id: "listTools""#).count(), 1, "a described operation is not added again");
}

#[test]
fn an_overlay_with_an_unknown_key_is_rejected() {
    assert!(Overlay::parse("operations: {x: {commmand: typo}}").is_err());
    assert!(
        Overlay::parse("operations: {x: {paging: {kind: page, max: 5}}}").is_err(),
        "a correction needs a reason"
    );
}

#[test]
fn the_client_has_typed_functions_and_lenient_models() {
    let text = client::render(small(), str::to_owned).unwrap();
    insta::assert_snapshot!("client_of_a_small_description", text);
}

/// All names that are declared twice in one scope of the generated models and functions.
fn duplicate_names(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).unwrap();
    let mut duplicates = Vec::new();
    let mut check = |scope: &str, names: Vec<String>| {
        let mut seen = BTreeSet::new();
        duplicates.extend(
            names
                .into_iter()
                .filter(|name| !seen.insert(name.clone()))
                .map(|name| format!("{scope}: {name}")),
        );
    };
    for item in &file.items {
        match item {
            syn::Item::Mod(module) => {
                let types = &module.content.as_ref().unwrap().1;
                let name = |item: &syn::Item| match item {
                    syn::Item::Struct(item) => Some(item.ident.to_string()),
                    syn::Item::Enum(item) => Some(item.ident.to_string()),
                    syn::Item::Type(item) => Some(item.ident.to_string()),
                    _ => None,
                };
                check("types", types.iter().filter_map(name).collect());
                for item in types {
                    match item {
                        syn::Item::Struct(item) => {
                            let fields = item
                                .fields
                                .iter()
                                .filter_map(|field| field.ident.as_ref())
                                .map(ToString::to_string);
                            check(&item.ident.to_string(), fields.collect());
                        }
                        syn::Item::Enum(item) => {
                            let variants = item.variants.iter().map(|variant| variant.ident.to_string());
                            check(&item.ident.to_string(), variants.collect());
                        }
                        _ => {}
                    }
                }
            }
            syn::Item::Impl(item) => {
                let functions = item.items.iter().filter_map(|item| match item {
                    syn::ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
                    _ => None,
                });
                check("functions", functions.collect());
            }
            _ => {}
        }
    }
    duplicates
}

#[test]
fn an_unusual_description_becomes_valid_rust() {
    let text = strip_prose(include_str!("../fixtures/odd.yaml")).unwrap().1;
    let described = Description::parse(&text).unwrap();
    let rows = table::render(&described, &overlay("operations: {}"), &text).unwrap();
    assert_eq!(rows.matches("    Operation {").count(), described.operations().len());
    let client = client::render(Description::parse(&text).unwrap(), str::to_owned).unwrap();
    assert_eq!(duplicate_names(&client), Vec::<String>::new());
    assert!(
        client.contains("pub async fn get_thing<") && client.contains("pub async fn patch_a<"),
        "two operations with the same id"
    );
}

#[test]
fn a_dangling_reference_becomes_any_json() {
    let mut description = small();
    description.root["paths"]["/tools"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] =
        json!({"$ref": "#/components/schemas/of_another_version"});
    normalize::open_dangling_references(&mut description);
    let schema = &description.root["paths"]["/tools"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(*schema, json!({}));
}

#[test]
fn inline_bodies_get_a_free_name() {
    let mut description = small();
    description.root["components"]["schemas"]["create_tool_body"] = json!({"type": "object"});
    normalize::name_inline_bodies(&mut description);
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/createTool_body_inline");
    assert!(description.root["components"]["schemas"]["createTool_body_inline"]["oneOf"].is_array());
}

#[test]
fn components_that_would_become_the_same_rust_type_are_renamed() {
    let mut description = small();
    description.root["components"]["schemas"]["ToolList"] = json!({"$ref": "#/components/schemas/text"});
    description.root["paths"]["/tools"]["get"]["x"] = json!({"$ref": "#/components/schemas/ToolList"});
    normalize::disambiguate_component_names(&mut description);
    assert!(description.root["components"]["schemas"]["ToolList_other"].is_object());
    assert_eq!(
        description.root["paths"]["/tools"]["get"]["x"]["$ref"],
        "#/components/schemas/ToolList_other"
    );
    assert!(description.root["components"]["schemas"]["tool_list"].is_object());
}

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

/// A folder like `spec/` with this description pinned.
fn pinned(description: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("intercom-2.14.yaml"), description).unwrap();
    std::fs::write(folder.path().join("overlay.yaml"), "operations: {}").unwrap();
    folder
}

fn prepared(vendor: &str, pinned: &str, allow_removals: bool) -> Result<update::Update, String> {
    let folder = self::pinned(pinned);
    update::prepare(vendor, folder.path(), allow_removals).map_err(|error| error.to_string())
}

#[test]
fn an_update_reports_added_and_removed_commands() {
    let vendor = VENDOR.replace("operationId: createTool", "operationId: forgeTool");
    assert_ne!(vendor, VENDOR);
    let update = prepared(&vendor, &strip_prose(VENDOR).unwrap().1, false).unwrap();
    let added: Vec<&str> = update.added.iter().map(|command| command.name.as_str()).collect();
    assert_eq!((update.version.as_str(), added), ("2.15", vec!["tools forge"]));
    let removed: Vec<(&str, Option<&str>)> = update
        .removed
        .iter()
        .map(|removed| (removed.command.name.as_str(), removed.replacement.as_deref()))
        .collect();
    assert_eq!(removed, [("tools create", Some("tools forge"))]);
}

#[test]
fn a_truncated_file_is_rejected() {
    let whole = strip_prose(VENDOR).unwrap().1;
    let dangling = VENDOR.replace("    tool_list:\n", "    tool_lost:\n");
    assert_ne!(dangling, VENDOR);
    let error = prepared(&dangling, &whole, true).err().unwrap();
    assert!(error.contains("/components/schemas/tool_list") && error.contains("incomplete"), "{error}");

    let mut fewer: Value = serde_saphyr::from_str(&whole).unwrap();
    fewer["paths"]["/tools/{id}"].as_object_mut().unwrap().remove("delete");
    let fewer = serde_saphyr::to_string(&fewer).unwrap();
    let error = prepared(&fewer, &whole, false).err().unwrap();
    assert!(error.contains("--allow-removals"), "{error}");
    assert_eq!(prepared(&fewer, &whole, true).unwrap().removed.len(), 1);
    assert!(prepared("paths: [", &whole, true).is_err());
}

#[test]
fn versions_older_than_the_commands_are_rejected() {
    let whole = strip_prose(VENDOR).unwrap().1;
    for (version, usable) in
        [("2.9", false), ("2.12", false), ("1.4", false), ("2.13", true), ("3.0", true), ("Preview", true)]
    {
        let vendor = VENDOR.replace("version: '2.15'", &format!("version: '{version}'"));
        assert!(vendor.contains(version));
        let result = prepared(&vendor, &whole, false);
        assert_eq!(result.is_ok(), usable, "{version}: {:?}", result.err());
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
    let rows = table::render(&Description::parse(&text.to_string()).unwrap(), &overlay("operations: {}"), "")
        .unwrap();
    assert_eq!(
        (rows.matches("Paging::Whole").count(), rows.matches("Paging::None").count()),
        (2, 1),
        "{rows}"
    );
}

#[test]
fn a_field_that_every_alternative_requires_is_required() {
    let required = |alternatives: Value| {
        let mut description = small();
        description.root["components"]["schemas"]["body"] = json!({
            "type": "object",
            "properties": { "kind": { "type": "string", "enum": ["a_b"] }, "text": { "type": "string" }, "more": { "type": "string" } },
            "anyOf": alternatives,
        });
        let fields = schema::fields(&description, &json!({ "$ref": "#/components/schemas/body" }));
        fields.into_iter().filter(|field| field.required).map(|field| field.name).collect::<Vec<_>>()
    };
    let both = json!([{ "required": ["kind", "text"] }, { "required": ["kind", "text", "more"] }]);
    assert_eq!(required(both), ["kind", "text"]);
    assert!(required(json!([{ "required": ["kind"] }, { "required": ["text"] }])).is_empty());
    assert!(required(json!([{ "required": ["kind"] }, { "properties": {} }])).is_empty());
}

#[test]
fn the_overlay_corrects_the_choices_of_a_field() {
    let mut description = small();
    description.root["components"]["schemas"]["body"] =
        json!({ "type": "object", "properties": { "kind": { "type": "string", "enum": ["a_b"] } } });
    overlay("choices: { body: { kind: { values: [ab, c], why: recorded } }, none: { x: { values: [y], why: z } } }")
        .apply(&mut description);
    let values = &description.root["components"]["schemas"]["body"]["properties"]["kind"]["enum"];
    assert_eq!(*values, json!(["ab", "c"]));
    assert!(description.root["components"]["schemas"].get("none").is_none());
}
