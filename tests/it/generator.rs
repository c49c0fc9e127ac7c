//! Code generation: every rule on a small made-up description, and the committed files against the real one.
//! Independent of the pinned API version.

use std::collections::BTreeSet;
use std::path::Path;

use crate::codegen;
use crate::codegen::description::Description;
use crate::codegen::normalize;
use crate::codegen::overlay::Overlay;
use crate::codegen::strip_prose::strip_prose;
use crate::codegen::{client, schema, shape, table};
use serde_json::{Value, json};

pub const VENDOR: &str = include_str!("../fixtures/vendor.yaml");

fn small() -> Description {
    Description::parse(&strip_prose(VENDOR).unwrap().1).unwrap()
}

pub fn overlay(text: &str) -> Overlay {
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
    let codegen::Spec { description, overlay, versions, sources } =
        codegen::load(&root().join("spec")).unwrap();
    let described = description.operations().len();
    assert!(versions.iter().all(|version| version.operations <= described));
    let rows = table::render(&description, &overlay, &versions, &sources).unwrap();
    let commands: Vec<&str> = rows.lines().filter_map(|line| line.trim().strip_prefix("command: ")).collect();
    assert_eq!(commands.len(), described);
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
fn the_descriptions_contain_no_prose() {
    for (version, path) in codegen::description_paths(&root().join("spec")).unwrap() {
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(strip_prose(&text).unwrap(), (version.to_string(), text));
    }
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
    let rows = table::render(&small(), &overlay("operations: {}"), &[], "").unwrap();
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
"#,
    );
    let mut description = small();
    overlay.apply(&mut description);
    let rows = table::render(&description, &overlay, &[], "").unwrap();
    let has = |text: &str| assert!(rows.contains(text), "{text} in {rows}");
    has(r#"command: "tools ls""#);
    has("Paging::Page { max: 40 }");
    has(r#"name: "shelf_id", flag: "shelf-id", place: Place::Query, kind: Kind::Integer"#);
    has(r#"name: "per_page", flag: "per-page", place: Place::Query, kind: Kind::String"#);
    has(r#"help: "which page""#);
    has(r#"name: "sort.order", flag: "sort-order", place: Place::Body, kind: Kind::Choice(&["up", "down"])"#);
    assert!(!rows.contains("tools gone"));
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
    let rows = table::render(&described, &overlay("operations: {}"), &[], &text).unwrap();
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
