//! Code generation: every rule on a small made-up description, and the committed files against the real one.
//! Independent of the pinned API version.

use std::collections::BTreeSet;
use std::path::Path;

use crate::codegen;
use crate::codegen::description::Description;
use crate::codegen::normalize;
use crate::codegen::overlay::Overlay;
use crate::codegen::strip_prose::strip_prose;
use crate::codegen::{answers, client, inline, schema, shape, table};
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
    assert_eq!(tool["properties"]["state"], json!({"type": "string", "enum": ["new", "worn"]}));
    assert_eq!(tool["properties"]["made_at"], json!({"type": "integer", "format": "date-time"}));
    assert_eq!(tool["properties"]["description"], json!({"type": "string"}), "every field can be missing");
    let list = shape::lenient(&description, &schemas["tool_list"]);
    assert_eq!(list["properties"]["pages"]["properties"]["next"], json!({}), "alternatives are any JSON");
}

#[test]
fn alternatives_of_objects_are_one_object_in_responses() {
    let description = small();
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let either = shape::lenient(&description, body);
    let names: Vec<&String> = either["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["kind", "weight", "owner", "region", "teeth", "made_at"]);
    assert!(either.get("required").is_none());
}

#[test]
fn a_later_version_does_not_change_the_type_of_a_field() {
    let description = small();
    let lenient = |schema: Value| shape::lenient(&description, &schema);
    for later in ["string", "number", "array", "object"] {
        let retyped = json!({"type": "integer", "x-later": {"version": "2.16", "schema": {"type": later}}});
        assert_eq!(lenient(retyped), json!({"type": "integer"}), "{later}");
    }
    assert_eq!(lenient(json!({"type": "string", "x-since": "2.14"}))["x-since"], "2.14");
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
    assert_eq!(tool["properties"]["description"], json!({"type": "string", "nullable": true}));
    assert_eq!(tool["properties"]["operator"], json!({"type": "string", "enum": ["=", "!="]}));
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
fn objects_inside_components_become_components_with_free_names() {
    let root = normalized(|description| {
        normalize::separate_requests_from_responses(description);
        inline::name_inline_objects(description);
    });
    let schemas = &root["components"]["schemas"];
    let owner = &schemas["tool"]["properties"]["owner"];
    assert_eq!(owner["$ref"], "#/components/schemas/ToolOwnerObject", "tool_owner is another component");
    assert_eq!(schemas["ToolOwnerObject"]["properties"], json!({"name": {"type": "string"}}));
}

#[test]
fn equal_objects_at_the_same_property_are_one_type() {
    let mut description = small();
    let avatar = json!({"type": "object", "properties": {"url": {"type": "string"}}});
    for name in ["contact", "visitor"] {
        description.root["components"]["schemas"][name] =
            json!({"type": "object", "properties": {"avatar": avatar, "other": avatar}});
    }
    inline::name_inline_objects(&mut description);
    let schemas = &description.root["components"]["schemas"];
    for (name, property, expected) in [
        ("contact", "avatar", "ContactAvatar"),
        ("visitor", "avatar", "ContactAvatar"),
        ("contact", "other", "ContactOther"),
    ] {
        assert_eq!(schemas[name]["properties"][property]["$ref"], format!("#/components/schemas/{expected}"));
    }
}

/// A description with one operation that returns `response` and takes `body`.
fn with_operation(schemas: Value, response: Value, body: Option<Value>) -> Description {
    let content = |schema: Value| json!({"application/json": {"schema": schema}});
    let mut operation = json!({"operationId": "createTool", "tags": ["Tools"], "responses": {"200": {"content": content(response)}}});
    if let Some(body) = body {
        operation["requestBody"] = json!({"content": content(body)});
    }
    let text = json!({"openapi": "3.0.1", "info": {"version": "2.16"},
        "paths": {"/tools": {"post": operation}}, "components": {"schemas": schemas}});
    Description::parse(&text.to_string()).unwrap()
}

#[test]
fn one_thing_has_one_schema_in_responses() {
    let text = json!({"type": "string"});
    let tool = json!({"type": "object", "properties": {"id": text}});
    let reference = json!({"$ref": "#/components/schemas/tool"});
    let response = json!({"allOf": [reference], "properties": {"more": text}});
    let mut description = with_operation(
        json!({"tool": tool, "tool_list_item": {"type": "object", "properties": {"listed": text}}}),
        response,
        None,
    );
    answers::merge_partial_records(&mut description);
    answers::extend_references(&mut description);
    let root = &description.root;
    assert_eq!(
        root["paths"]["/tools"]["post"]["responses"]["200"]["content"]["application/json"]["schema"],
        reference
    );
    let schemas = &root["components"]["schemas"];
    assert_eq!(schemas["tool"]["properties"], json!({"id": text, "listed": text, "more": text}));
    assert!(schemas.get("tool_list_item").is_none());
}

#[test]
fn a_reference_that_requests_share_is_not_extended() {
    let reference = json!({"$ref": "#/components/schemas/tool"});
    let response = json!({"allOf": [reference], "properties": {"more": {"type": "string"}}});
    let schemas = json!({"tool": {"type": "object", "properties": {"id": {"type": "string"}}}});
    let mut description = with_operation(schemas.clone(), response, Some(reference));
    answers::extend_references(&mut description);
    assert_eq!(description.root["components"]["schemas"], schemas);
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
    let files = client::render(small(), &overlay("operations: {}")).unwrap();
    insta::assert_snapshot!("client_of_a_small_description", files.client);
}

/// All names that are declared twice in one scope of the generated client, which is text of macros and functions.
fn duplicate_names(text: &str) -> Vec<String> {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let (mut module, mut scope) = ("", String::new());
    let mut duplicates = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("pub mod ") {
            module = name;
            continue;
        }
        if line.starts_with("impl") {
            scope = line.to_owned();
        }
        let word = |rest: &str| {
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
        };
        let declared = if let Some(rest) =
            ["pub struct ", "pub enum "].iter().find_map(|kind| line.strip_prefix(kind))
        {
            scope = word(rest);
            (module.to_owned(), word(rest))
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|(before, _)| before.starts_with("pub"))
        {
            (scope.clone(), format!("fn {}", word(rest)))
        } else if line.ends_with(',') && line.contains(" = \"") {
            (scope.clone(), word(line))
        } else {
            continue;
        };
        if !seen.insert(declared.clone()) {
            duplicates.push(format!("{}: {}", declared.0, declared.1));
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
    let client =
        client::render(Description::parse(&text).unwrap(), &overlay("operations: {}")).unwrap().client;
    assert_eq!(duplicate_names(&client), Vec::<String>::new());
    assert!(
        client.contains("\"getThing\"") && client.contains("\"patchA\""),
        "two operations with the same id"
    );
    assert!(!client.contains("\"post_b\","), "a body of multipart/form-data cannot be typed");
    assert!(client.contains("// post_b takes multipart/form-data"), "{client}");
}

/// Descriptions of one operation each, with what their client must contain.
#[test]
fn odd_schemas_become_valid_rust() {
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let node = json!({"$ref": "#/components/schemas/node"});
    for (name, schemas, response, body, expected) in [
        (
            "recursion",
            json!({"node": object(json!({"next": node, "all": {"type": "array", "items": node}}))}),
            node.clone(),
            Some(node.clone()),
            &["next: Box<Node>", "all: Vec<Node>"][..],
        ),
        (
            "a list that contains itself",
            json!({"node": {"type": "array", "items": node}}),
            node.clone(),
            None,
            &["Response<Vec<serde_json::Value>>"],
        ),
        (
            "choices that are not names",
            json!({"node": object(json!({"kind": {"type": "string", "enum": ["=", "!=", "", "1", "a b", "a-b", "A", "other", "self"]}}))}),
            node.clone(),
            None,
            &[
                "Equal = \"=\"",
                "NotEqual = \"!=\"",
                "Empty = \"\"",
                "V1 = \"1\"",
                "AB = \"a b\"",
                "AB_ = \"a-b\"",
                "Self_ = \"self\"",
            ],
        ),
        (
            "names that collide with Rust and with our own",
            json!({"string": object(json!({"new": {"type": "string"}, "type": {"type": "string"}, "extra": {}, "self": {"type": "string"}}))}),
            json!({"$ref": "#/components/schemas/string"}),
            Some(json!({"$ref": "#/components/schemas/string"})),
            &["pub struct StringOther", "pub fn set_new(", "type_: String"],
        ),
        (
            "a component whose name is a number",
            json!({"3d": object(json!({"x": {"type": "integer"}}))}),
            json!({"$ref": "#/components/schemas/3d"}),
            None,
            &["pub struct Schema3d"],
        ),
        (
            "values that can be null, and constants",
            json!({}),
            json!({}),
            Some(json!({"type": "object", "required": ["type", "name"], "properties": {
                "type": {"type": "string", "enum": ["tool"]}, "name": {"type": "string"},
                "phone": {"type": "string", "nullable": true}, "made_at": {"type": "string", "format": "date-time"}}})),
            &[
                "type_: \"tool\".into()",
                "pub fn new(name: impl Into<String>)",
                "pub fn clear_phone(mut self)",
                "\"made_at\" Rfc3339",
            ],
        ),
    ] {
        let description = with_operation(schemas, response, body);
        let files = client::render(description, &overlay("operations: {}"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(duplicate_names(&files.client), Vec::<String>::new(), "{name}");
        for expected in expected {
            assert!(files.client.contains(expected), "{name}: {expected} in\n{}", files.client);
        }
    }
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
    description.root["components"]["schemas"]["create_tool_request"] = json!({"type": "object"});
    normalize::name_inline_bodies(&mut description);
    let body =
        &description.root["paths"]["/tools"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/createTool_request_inline");
    assert!(description.root["components"]["schemas"]["createTool_request_inline"]["oneOf"].is_array());
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
