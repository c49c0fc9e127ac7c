//! Descriptions that no vendor should write: the generator must make valid Rust and usable names of all of them.

use serde_json::{Value, json};

use crate::codegen::description::Description;
use crate::codegen::names::{Named, derived_commands};
use crate::codegen::strip_prose::strip_prose;
use crate::codegen::update::{self, Choices};
use crate::codegen::{client, schema, table};
use crate::generator::overlay;

fn description(paths: Value, schemas: Value) -> Description {
    let text = json!({"openapi": "3.0.1", "info": {"version": "2.16"}, "paths": paths,
        "components": {"schemas": schemas}});
    Description::parse(&strip_prose(&text.to_string()).unwrap().1).unwrap()
}

/// The generated client, its calls and the table.
fn rendered(paths: Value, schemas: Value) -> [String; 3] {
    let description = description(paths, schemas);
    let overlay = overlay("operations: {}");
    let table = table::render(&description, &overlay, &[], "").unwrap();
    let files = client::render(description, &overlay).unwrap();
    [files.client, files.calls, table]
}

fn content(schema: Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

/// A path whose operation takes and returns this schema.
fn echo(schema: Value) -> Value {
    json!({"/tools": {"post": {"operationId": "createTool", "tags": ["Tools"],
        "requestBody": {"content": content(schema.clone())}, "responses": {"200": {"content": content(schema)}}}}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn fields(description: &Description, name: &str) -> Vec<(String, bool)> {
    let fields = schema::fields(description, &reference(name));
    fields.into_iter().map(|field| (field.name, field.required)).collect()
}

#[test]
fn a_schema_that_is_a_part_of_itself_ends() {
    let text = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    for (name, node) in [
        ("a part", json!({"allOf": [reference("node"), text]})),
        ("an alternative", json!({"oneOf": [text, {"anyOf": [reference("other"), text]}]})),
    ] {
        let schemas = json!({"node": node, "other": {"allOf": [reference("node")]}});
        let [client, ..] = rendered(echo(reference("node")), schemas.clone());
        assert!(client.contains("pub fn x("), "{name}: {client}");
        assert_eq!(fields(&description(echo(reference("node")), schemas), "node"), [("x".to_owned(), false)]);
    }
    rendered(echo(reference("node")), json!({"node": reference("node")}));
}

#[test]
fn a_record_that_requires_its_own_kind_can_be_built() {
    let schemas = json!({
        "node": {"required": ["name", "next"], "properties": {"name": {"type": "string"}, "next": reference("other")}},
        "other": {"required": ["node"], "properties": {"node": reference("node")}},
    });
    let description = description(echo(reference("node")), schemas.clone());
    assert_eq!(fields(&description, "node"), [("name".to_owned(), true), ("next".to_owned(), false)]);
    rendered(echo(reference("node")), schemas);
    let all = json!({"node": {"required": ["all"], "properties": {"all": {"type": "array", "items": reference("node")}}}});
    rendered(echo(reference("node")), all);
}

#[test]
fn references_to_parts_and_to_odd_names_lead_to_the_same() {
    let schemas = json!({
        "tool": {"type": "object", "properties": {
            "size": {"$ref": "#/components/schemas/a%20b~1c"},
            "width": {"$ref": "#/components/schemas/a%20b~1c/properties/width"}}},
        "a b/c": {"type": "object", "properties": {"width": {"type": "integer"}}},
    });
    let [client, ..] = rendered(echo(reference("tool")), schemas);
    assert!(client.contains("width: i64"), "{client}");
    assert!(!client.contains("serde_json::Value ="), "{client}");
}

#[test]
fn openapi_3_1_is_written_as_3_0() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": ["string", "null"]}, "kind": {"const": "tool"}, "both": {"type": ["string", "integer"]},
        "nothing": {"type": "null"}}});
    let description = description(echo(schema.clone()), json!({}));
    let operations = description.operations();
    let properties = &operations[0].body.unwrap().1["properties"];
    assert_eq!(properties["name"], json!({"type": "string", "nullable": true}));
    assert_eq!(properties["kind"], json!({"enum": ["tool"]}));
    assert_eq!(properties["both"], json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}));
    assert_eq!(properties["nothing"], json!({"nullable": true}));
    let (_, once) =
        strip_prose(&json!({"info": {"version": "2.16"}, "paths": echo(schema.clone())}).to_string())
            .unwrap();
    assert_eq!(strip_prose(&once).unwrap().1, once);
    rendered(echo(schema), json!({}));
}

#[test]
fn operation_ids_that_are_not_names_become_names() {
    let get = |id: &str| {
        json!({"get": {"operationId": id, "responses": {"200": {"content": content(
        json!({"type": "object", "properties": {"x": {"type": "string"}}}))}}}})
    };
    let paths = json!({"/a": get("make a/b thing"), "/b": get("日本"), "/c": get("--"), "/d": get("with\"quote"),
        "/e_": get("getE"), "/e": {"get": {"responses": {}}}, "/{é}": get(""), "/": get("")});
    let description = description(paths.clone(), json!({}));
    let ids: Vec<String> = description.operations().into_iter().map(|facts| facts.id).collect();
    assert_eq!(ids, ["make a/b thing", "getB", "getC", "with\"quote", "getE", "getE2", "get", "get2"]);
    rendered(paths, json!({}));
}

#[test]
fn an_empty_combination_is_valid_json_schema() {
    assert_eq!(schema::json_schema(&json!({"allOf": [], "oneOf": []})), json!({}));
    assert_eq!(schema::json_schema(&json!({"type": "file"})), json!({}), "so is an unknown type");
}

#[test]
fn paths_are_escaped() {
    let paths = json!({"/a b/{é}/日?x#y": {"get": {"responses": {}}}});
    assert_eq!(description(paths, json!({})).operations()[0].path, "/a%20b/{é}/%E6%97%A5%3Fx%23y");
}

#[test]
fn groups_and_types_may_have_any_name() {
    let names =
        ["type", "gen", "Self", "Some", "Query", "1st", "日本", "Into", "IntoIterator", "new", "list"];
    let mut paths = json!({});
    for (index, name) in names.into_iter().enumerate() {
        let body = json!({"type": "object", "required": ["gen"], "properties": {
            "gen": {"type": "string"}, name: reference(name)}});
        let operation = |id: &str| {
            json!({"operationId": format!("{id}{index}"), "tags": [name],
            "requestBody": {"content": content(body.clone())}, "responses": {"200": {}}})
        };
        paths[format!("/p{index}")] = json!({"post": operation("create"), "put": operation("update")});
    }
    let schemas =
        names.map(|name| (name, json!({"type": "object", "properties": {"x": {"type": "string"}}})));
    let schemas: serde_json::Map<String, Value> =
        schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let [client, ..] = rendered(paths, schemas.into());
    for expected in
        ["pub fn gen_(&self)", "struct SomeGroup", "struct QueryGroup", "struct Group1st", "struct IntoOther"]
    {
        assert!(client.contains(expected), "{expected} in {client}");
    }
    assert!(!client.contains(" gen: String") && !client.contains("(gen:"), "{client}");
}

#[test]
fn fields_and_parameters_may_be_named_like_our_own_functions() {
    let text = json!({"type": "string", "nullable": true});
    let names = ["new", "set_new", "set_new_", "x", "clear_x", "clear_clear_x", "extra", "self", "gen"];
    let properties = names.map(|name| (name.to_owned(), text.clone()));
    let properties: serde_json::Map<String, Value> = properties.into_iter().collect();
    let mut paths = echo(json!({"type": "object", "properties": properties}));
    let parameters: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}})).collect();
    paths["/tools"]["get"] =
        json!({"operationId": "ref", "tags": ["Tools"], "parameters": parameters, "responses": {}});
    let [client, ..] = rendered(paths, json!({}));
    let (_, setters) = client.split_once("impl CreateToolRequest").unwrap();
    for name in ["set_new", "set_new_", "clear_x", "clear_x_"] {
        assert_eq!(setters.matches(&format!("fn {name}(")).count(), 1, "{name} in {client}");
    }
    assert!(client.contains("new_: String, impl Into<String> = \"new\""), "{client}");
    assert!(client.contains("fn ref_with("), "{client}");
}

#[test]
fn any_value_can_be_a_choice() {
    let values = json!(["\"#", "\"##", "\\", "\n", "", "é"]);
    let schema = json!({"type": "object", "properties": {"kind": {"type": "string", "enum": values}}});
    let [_, _, table] = rendered(echo(schema), json!({}));
    syn::parse_file(&table).unwrap();
}

#[test]
fn a_body_may_be_a_scalar() {
    let [client, calls, _] = rendered(echo(json!({"type": "string"})), json!({}));
    assert!(client.contains("body: &String"), "{client}");
    assert!(calls.contains(".to_owned()"), "{calls}");
    let lists = json!({"type": "array", "items": {"type": "array", "items": {"type": "string"}}});
    let [_, calls, _] = rendered(echo(lists), json!({}));
    assert!(calls.contains("&vec![vec![\"a text/with ünsafe?&\".to_owned()]]"), "{calls}");
}

#[test]
fn an_operation_with_another_kind_of_body_is_reported() {
    let operation = json!({"operationId": "uploadTool", "tags": ["Tools"], "responses": {"200": {}}, "requestBody":
        {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}});
    let paths = json!({"/tools": {"post": operation, "head": {"responses": {}}}});
    let [client, calls, table] = rendered(paths.clone(), json!({}));
    assert!(client.contains("// uploadTool takes multipart/form-data"), "{client}");
    assert!(calls.contains("OMITTED: &[&str] = &[\n    \"uploadTool\""), "{calls}");
    assert!(table.contains("POST /tools (its body, multipart/form-data, cannot be sent)"), "{table}");

    let folder = tempfile::tempdir().unwrap();
    let text = |version: &str, paths: &Value| {
        json!({"openapi": "3.0.1", "info": {"version": version}, "paths": paths, "components": {}})
            .to_string()
    };
    std::fs::write(folder.path().join("intercom-2.14.yaml"), text("2.14", &json!({}))).unwrap();
    std::fs::write(folder.path().join("overlay.yaml"), "operations: {}").unwrap();
    let update = update::prepare(&text("2.15", &paths), folder.path(), Choices::default()).unwrap();
    assert_eq!(
        update.unusable,
        ["HEAD /tools: no command has this method", "uploadTool: its body is multipart/form-data, not JSON"]
    );
}

#[test]
fn overlay_entries_of_odd_ids_are_yaml() {
    let folder = tempfile::tempdir().unwrap();
    let get = |id: &str| json!({"get": {"operationId": id, "responses": {"200": {}}}});
    let paths = json!({"/a": get("with: \"quote"), "/b": get("{b}"), "/c": get("# c")});
    let text = |version: &str, paths: Value| {
        json!({"openapi": "3.0.1", "info": {"version": version}, "paths": paths, "components": {}})
            .to_string()
    };
    std::fs::write(folder.path().join("intercom-2.14.yaml"), text("2.14", json!({}))).unwrap();
    std::fs::write(folder.path().join("overlay.yaml"), "operations: {}").unwrap();
    let update = update::prepare(&text("2.15", paths), folder.path(), Choices::default()).unwrap();
    let entries = overlay(&format!("operations:\n{}", update.entries)).operations;
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["# c", "with: \"quote", "{b}"]);
}

#[test]
fn slips_and_taken_groups_do_not_spoil_a_name() {
    for (tag, id, method, path, expected) in [
        ("Foos", "lisFoos", "get", "/foos", "foos list"),
        ("Gizmos", "delteGizmo", "delete", "/gizmos/{id}", "gizmos delete"),
        ("Gizmos", "retreiveGizmo", "get", "/gizmos/{id}", "gizmos retrieve"),
        ("Gizmos", "lastGizmo", "get", "/gizmos/last", "gizmos last"),
        ("Widgets", "listWidgetsWidget", "get", "/widgets", "widgets list"),
        ("Things", "postKw", "post", "/kw/___", "things create-kw"),
    ] {
        let derived = derived_commands(&Named { tags: &[tag], id, method, path });
        assert_eq!(derived[0], expected, "{derived:?}");
    }
    let derived = derived_commands(&Named {
        tags: &["Export Baz"],
        id: "postExportBaz",
        method: "post",
        path: "/export/baz",
    });
    assert_eq!(derived[..2], ["export baz create", "export-baz create"]);
}

#[test]
fn fields_whose_names_collide_are_all_typed() {
    let text = json!({"type": "string"});
    let body = json!({"type": "object", "required": ["a_b", "-"], "properties": {
        "a-b": text, "a_b": text, "aB": {"type": "object", "properties": {"x": text}}, "-": text, "日": text, "extra": text}});
    let [client, calls, table] = rendered(
        json!({"/tools": {"post": {"operationId": "createTool", "tags": ["Tools"], "responses": {"200": {}},
            "requestBody": {"content": {"application/json": {"schema": body}}}}}}),
        json!({}),
    );
    for wire in ["a-b", "a_b", "aB", "-", "日", "extra"] {
        assert_eq!(client.matches(&format!(" = {wire:?},\n")).count(), 1, "{wire} in {client}");
    }
    assert!(calls.contains("CreateToolRequest::new("), "{calls}");
    for flag in ["a-b", "body-a-b", "field", "body-field", "extra"] {
        assert_eq!(table.matches(&format!("flag: {flag:?}")).count(), 1, "{flag} in {table}");
    }
}

#[test]
fn parameters_whose_names_collide_are_all_typed() {
    let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    let [client, _, table] = rendered(
        json!({"/tools": {"get": {"operationId": "listTools", "tags": ["Tools"], "responses": {"200": {}},
            "parameters": [parameter("a-b"), parameter("a_b"), parameter("aB"), parameter("aB")]}}}),
        json!({}),
    );
    for wire in ["a-b", "a_b", "aB"] {
        assert_eq!(client.matches(&format!(" = {wire:?},\n")).count(), 1, "{wire} in {client}");
        assert_eq!(table.matches(&format!("name: {wire:?}")).count(), 1, "{wire} in {table}");
    }
}

#[test]
fn a_time_in_the_query_has_the_described_form() {
    let time = |schema: Value| json!({"name": "at", "in": "query", "required": true, "schema": schema});
    for (schema, argument) in [
        (json!({"type": "string", "format": "date-time"}), "at: impl AsRef<str>"),
        (json!({"type": "integer", "format": "date-time"}), "at: impl Into<Timestamp>"),
    ] {
        let [client, ..] = rendered(
            json!({"/tools": {"get": {"operationId": "listTools", "tags": ["Tools"], "responses": {"200": {}},
                "parameters": [time(schema)]}}}),
            json!({}),
        );
        assert!(client.contains(argument), "{argument} in {client}");
    }
}
