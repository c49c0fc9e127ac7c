//! Code generation: every rule on a small made-up description, and the committed files against the
//! real one. Nothing here depends on which version of the API is pinned.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../src/codegen/mod.rs"]
#[allow(dead_code, reason = "a part is used by build.rs only")]
mod codegen;

use std::collections::BTreeSet;
use std::path::Path;

use codegen::description::Description;
use codegen::distill::distill;
use codegen::normalise;
use codegen::overlay::Overlay;
use codegen::{client, schema, shape, table};
use serde_json::{Value, json};

const VENDOR: &str = include_str!("fixtures/vendor.yaml");

fn small() -> Description {
    Description::parse(&distill(VENDOR).unwrap().1).unwrap()
}

fn overlay(text: &str) -> Overlay {
    Overlay::parse(text).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Rewrites a stale file, then fails: the next run passes.
#[test]
fn committed_files_are_current() {
    let changed = codegen::generate(&root().join("spec"), &root().join("generated")).unwrap();
    assert!(changed.is_empty(), "these were stale and have been rewritten, commit them: {changed:?}");
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
fn distilling_keeps_facts_and_drops_prose() {
    let (version, text) = distill(VENDOR).unwrap();
    assert_eq!(version, "2.15");
    assert!(!text.contains("PROSE"), "{text}");
    assert!(!text.contains("example") && !text.contains("x-tags"), "{text}");
    let tool = &small().root["components"]["schemas"]["tool"];
    // Properties may have the names of keywords.
    assert_eq!(tool["properties"]["title"], json!({"type": "string"}));
    assert_eq!(tool["properties"]["description"], json!({"type": "string", "nullable": true}));
    assert_eq!(tool["required"], json!(["title"]));
}

#[test]
fn distilling_a_distilled_file_changes_nothing() {
    let (_, once) = distill(VENDOR).unwrap();
    assert_eq!(distill(&once).unwrap().1, once);
}

#[test]
fn the_pinned_description_holds_no_prose() {
    let text = std::fs::read_to_string(codegen::description_path(&root().join("spec")).unwrap()).unwrap();
    assert_eq!(distill(&text).unwrap().1, text);
}

#[test]
fn an_unusable_vendor_file_is_refused() {
    for text in ["", "a: [", "info: {version: '2.15'}", "paths: {}"] {
        assert!(distill(text).is_err(), "{text:?}");
    }
}

fn normalised(rule: impl Fn(&mut Description)) -> Value {
    let mut description = small();
    rule(&mut description);
    description.root
}

#[test]
fn missing_operation_ids_are_synthesised() {
    let root = normalised(normalise::rewrite_parameters);
    assert_eq!(root["paths"]["/tools/{id}"]["delete"]["operationId"], "deleteToolsId");
    assert_eq!(root["paths"]["/exports/{job}"]["get"]["operationId"], "getExportsJob");
}

#[test]
fn header_parameters_go_and_path_parameters_are_repaired() {
    let root = normalised(normalise::rewrite_parameters);
    let list = root["paths"]["/tools"]["get"]["parameters"].as_array().unwrap();
    assert!(list.iter().all(|it| it["in"] == "query"), "{list:?}");
    let job = &root["paths"]["/exports/{job}"]["get"]["parameters"][0];
    assert_eq!((&job["in"], &job["required"]), (&json!("path"), &json!(true)));
    assert_eq!(root["paths"]["/tools/{id}"]["delete"]["parameters"][0]["name"], "id");
    assert!(root["paths"]["/tools/{id}"].get("parameters").is_none());
}

#[test]
fn an_exploded_object_becomes_its_properties() {
    let root = normalised(normalise::rewrite_parameters);
    let names: Vec<&str> = root["paths"]["/tools"]["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    assert_eq!(names, ["page", "per_page", "owner", "shelf"]);
}

#[test]
fn each_operation_keeps_one_answer_and_files_are_streams() {
    let root = normalised(normalise::rewrite_answers);
    let list = root["paths"]["/tools"]["get"]["responses"].as_object().unwrap();
    assert_eq!(list.keys().collect::<Vec<_>>(), ["200"]);
    let export = &root["paths"]["/exports/{job}"]["get"]["responses"]["200"]["content"];
    assert_eq!(export["application/octet-stream"]["schema"]["format"], "binary");
    let nothing = &root["paths"]["/tools/{id}"]["delete"]["responses"]["204"];
    assert_eq!(*nothing, json!({"description": ""}));
}

#[test]
fn bodies_are_required_json() {
    let root = normalised(normalise::rewrite_bodies);
    assert_eq!(root["paths"]["/tools"]["post"]["requestBody"]["required"], true);
    assert!(root["paths"]["/tools"]["get"].get("requestBody").is_none());
}

#[test]
fn answers_are_lenient() {
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
fn requests_are_strict_but_take_unknown_fields() {
    let description = small();
    let schemas = &description.root["components"]["schemas"];
    let tool = shape::strict(&description, &schemas["tool"], &BTreeSet::new());
    assert_eq!(tool["required"], json!(["title"]));
    assert_eq!(
        tool["properties"]["state"],
        json!({"type": "string", "enum": ["new", "worn"]}),
        "without its default"
    );
    assert_eq!(tool["properties"]["operator"], json!({"type": "string"}), "= makes no Rust name");
    assert_eq!(tool["properties"]["made_at"], json!({"type": "integer"}));
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let either = shape::strict(&description, body, &BTreeSet::new());
    assert_eq!(either["required"], json!(["kind"]), "required by every alternative");
    assert_eq!(either["properties"]["kind"]["enum"], json!(["hammer", "saw"]));
}

#[test]
fn what_requests_and_answers_share_is_copied_for_requests() {
    let root = normalised(normalise::separate_requests_from_answers);
    let schemas = &root["components"]["schemas"];
    assert!(schemas["tool"].get("required").is_none());
    assert_eq!(schemas["tool_input"]["required"], json!(["title"]));
    let body = &root["paths"]["/tools/{id}"]["put"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/tool_input");
}

#[test]
fn unreachable_schemas_are_dropped() {
    let root = normalised(|description| {
        normalise::rewrite_answers(description);
        normalise::drop_unreachable_schemas(description);
    });
    let names: Vec<&String> = root["components"]["schemas"].as_object().unwrap().keys().collect();
    assert!(!names.iter().any(|name| *name == "orphan" || *name == "problem"), "{names:?}");
    assert!(names.iter().any(|name| *name == "text"), "reached through another one");
}

#[test]
fn inline_types_do_not_take_the_name_of_a_component() {
    let root = normalised(normalise::rename_clashing_inline_types);
    let owner = &root["components"]["schemas"]["tool"]["properties"]["owner"];
    assert_eq!(owner["title"], "ToolOwnerInline");
}

#[test]
fn fields_join_all_alternatives() {
    let description = small();
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let fields = schema::fields(&description, body);
    let shown: Vec<(&str, bool)> = fields.iter().map(|it| (it.name.as_str(), it.required)).collect();
    let expected = [
        ("kind", true),
        ("weight", false),
        ("owner", false),
        ("region", false),
        ("teeth", false),
        ("made_at", false),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn nullable_becomes_a_type_of_json_schema() {
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
fn the_overlay_names_and_corrects() {
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
fn an_overlay_with_an_unknown_key_is_refused() {
    assert!(Overlay::parse("operations: {x: {commmand: typing slip}}").is_err());
    assert!(
        Overlay::parse("operations: {x: {paging: {kind: page, max: 5}}}").is_err(),
        "a correction needs its why"
    );
}

#[test]
fn the_client_has_typed_functions_and_tolerant_models() {
    let text = client::render(small(), str::to_owned).unwrap();
    insta::assert_snapshot!("client_of_a_small_description", text);
}

/// Every name that is declared twice in one scope of the generated models and functions.
fn names_declared_twice(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).unwrap();
    let mut twice = Vec::new();
    let mut note = |scope: &str, names: Vec<String>| {
        let mut seen = BTreeSet::new();
        twice.extend(
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
                note("types", types.iter().filter_map(name).collect());
                for item in types {
                    match item {
                        syn::Item::Struct(item) => {
                            let fields = item
                                .fields
                                .iter()
                                .filter_map(|it| it.ident.as_ref())
                                .map(ToString::to_string);
                            note(&item.ident.to_string(), fields.collect());
                        }
                        syn::Item::Enum(item) => {
                            note(
                                &item.ident.to_string(),
                                item.variants.iter().map(|it| it.ident.to_string()).collect(),
                            );
                        }
                        _ => {}
                    }
                }
            }
            syn::Item::Impl(item) => {
                let functions = item.items.iter().filter_map(|it| match it {
                    syn::ImplItem::Fn(it) => Some(it.sig.ident.to_string()),
                    _ => None,
                });
                note("functions", functions.collect());
            }
            _ => {}
        }
    }
    twice
}

#[test]
fn an_odd_description_makes_sound_rust() {
    let text = distill(include_str!("fixtures/odd.yaml")).unwrap().1;
    let described = Description::parse(&text).unwrap();
    let rows = table::render(&described, &overlay("operations: {}"), &text).unwrap();
    assert_eq!(rows.matches("    Operation {").count(), described.operations().len());
    let client = client::render(Description::parse(&text).unwrap(), str::to_owned).unwrap();
    assert_eq!(names_declared_twice(&client), Vec::<String>::new());
    assert!(
        client.contains("pub async fn get_thing<") && client.contains("pub async fn patch_a<"),
        "one id, two operations"
    );
}

#[test]
fn a_reference_to_nothing_is_any_json() {
    let mut description = small();
    description.root["paths"]["/tools"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] =
        json!({"$ref": "#/components/schemas/of_another_version"});
    normalise::open_dangling_references(&mut description);
    let schema = &description.root["paths"]["/tools"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(*schema, json!({}));
}

#[test]
fn bodies_written_inside_an_operation_get_a_free_name() {
    let mut description = small();
    description.root["components"]["schemas"]["create_tool_body"] = json!({"type": "object"});
    normalise::name_inline_bodies(&mut description);
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/createTool_body_inline");
    assert!(description.root["components"]["schemas"]["createTool_body_inline"]["oneOf"].is_array());
}

#[test]
fn components_that_would_be_one_rust_type_are_told_apart() {
    let mut description = small();
    description.root["components"]["schemas"]["ToolList"] = json!({"$ref": "#/components/schemas/text"});
    description.root["paths"]["/tools"]["get"]["x"] = json!({"$ref": "#/components/schemas/ToolList"});
    normalise::tell_component_names_apart(&mut description);
    assert!(description.root["components"]["schemas"]["ToolList_other"].is_object());
    assert_eq!(
        description.root["paths"]["/tools"]["get"]["x"]["$ref"],
        "#/components/schemas/ToolList_other"
    );
    assert!(description.root["components"]["schemas"]["tool_list"].is_object());
}
