//! Data connectors and the results of their requests.
//!
//! A connector must be a draft to be deleted, and one that Fin uses stays live. No connector ever sends a request.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::calendar::HOUR;
use crate::sandbox::model::data_connector::{ConnectorExecution, DataConnector};
use crate::sandbox::model::plain::set_fields;
use crate::sandbox::paging::{RecordPage, newest_first, parse_integer};
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{IdSequence, Workspace};

const AUDIENCES: [&str; 3] = ["leads", "users", "visitors"];

operations! {
    "listDataConnectors" => list,
    "RetrieveDataConnector" => retrieve,
    "createDataConnector" => create,
    "updateDataConnector" => update,
    "deleteDataConnector" => delete,
    "listDataConnectorExecutionResults" => list_executions,
    "showDataConnectorExecutionResult" => show_execution,
}

fn not_found() -> ErrorResponse {
    ErrorResponse::new(404, "data_connector_not_found", "Data connector not found")
}

fn connector<'a>(workspace: &'a Workspace, id: &str) -> Result<&'a DataConnector, ErrorResponse> {
    workspace.data_connectors.get(id).ok_or_else(not_found)
}

/// A list whose pages have no numbers.
fn cursor_list<T>(page: RecordPage<'_, T>, document: impl FnMut(&T) -> Value) -> SuccessResponse {
    let next = page.pages["next"]["starting_after"].as_str().map(|cursor| json!({"starting_after": cursor}));
    let pages = json!({"type": "pages", "per_page": page.pages["per_page"], "next": next});
    let data: Vec<_> = page.records.into_iter().map(document).collect();
    json!({"type": "list", "data": data, "pages": pages}).into()
}

fn list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let page = newest_first(request, &workspace.data_connectors, 20, |_| true)?;
    Ok(cursor_list(page, DataConnector::summary))
}

/// The sandbox keeps one version of each connector, which is both its draft and its live one.
fn retrieve(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    Ok(connector(workspace, request.path("id"))?.detail().into())
}

fn create(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = workspace.next_id(IdSequence::Addition);
    let mut connector = DataConnector::new(id, workspace.my_id(), workspace.now());
    set_settings(&mut connector.settings, &request.body)?;
    let document = connector.detail();
    workspace.data_connectors.insert(connector);
    Ok(SuccessResponse::created(document))
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut connector = connector(workspace, request.path("id"))?.clone();
    if connector.settings["direct_fin_usage"] == true && request.text("state") == Some("draft") {
        return Err(in_use("cannot be set to draft"));
    }
    set_settings(&mut connector.settings, &request.body)?;
    connector.updated_by = workspace.my_id();
    connector.touch(workspace.now());
    let document = connector.detail();
    workspace.data_connectors.insert(connector);
    Ok(document.into())
}

fn in_use(refusal: &str) -> ErrorResponse {
    let message = format!("Data connector is in use by other resources and {refusal}");
    ErrorResponse::new(409, "data_connector_in_use", message)
}

/// Sets the fields of the body. A sample response replaces the response fields.
fn set_settings(settings: &mut Value, body: &Value) -> Result<(), ErrorResponse> {
    if body["name"].as_str().is_some_and(|name| name.trim().is_empty()) {
        let missing = ErrorResponse::missing("name");
        return Err(ErrorResponse { status: 422, ..missing });
    }
    let audiences = body["audiences"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if audiences.into_iter().any(|audience| !AUDIENCES.contains(&audience)) {
        let message = format!("audiences must be among {}", AUDIENCES.join(", "));
        return Err(ErrorResponse::unprocessable("audiences", message));
    }
    for input in body["data_inputs"].as_array().into_iter().flatten() {
        if input["name"].as_str().is_none_or(str::is_empty) {
            return Err(ErrorResponse::unprocessable("data_inputs", "every data input needs a name"));
        }
    }
    set_fields(settings, body, &["id", "mock_response", "data_inputs"]);
    if let Some(inputs) = body["data_inputs"].as_array() {
        settings["data_inputs"] = inputs.iter().map(data_input).collect();
    }
    if body["mock_response"].is_object() {
        let mut fields = Vec::new();
        collect_response_fields(&body["mock_response"], "", &mut fields);
        settings["response_fields"] = json!(fields);
        settings["configuration_response_type"] = json!("mock_response_type");
    }
    Ok(())
}

/// An input with its defaults.
fn data_input(input: &Value) -> Value {
    let mut complete =
        json!({"name": "", "type": "string", "description": null, "required": false, "default_value": ""});
    set_fields(&mut complete, input, &[]);
    complete
}

/// The fields of a sample response, by their paths: `order.id`, `lines[0].sku`.
fn collect_response_fields(value: &Value, path: &str, fields: &mut Vec<Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect_response_fields(member, &path, fields);
            }
        }
        Value::Array(elements) => {
            if let Some(first) = elements.first() {
                collect_response_fields(first, &format!("{path}[0]"), fields);
            }
        }
        scalar => {
            let kind = match scalar {
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "decimal",
                Value::Number(_) => "integer",
                _ => "unknown",
            };
            fields.push(json!({"path": path, "type": kind, "example_value": scalar, "redacted": false}));
        }
    }
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let connector = connector(workspace, request.path("id"))?;
    if connector.is_live() {
        let message = "Data connector must be in draft state to be deleted";
        return Err(ErrorResponse::new(409, "conflict", message));
    }
    if connector.settings["direct_fin_usage"] == true {
        return Err(in_use("cannot be deleted"));
    }
    let id = connector.id.clone();
    workspace.data_connectors.remove(&id);
    Ok(SuccessResponse::deleted(&id, "data_connector"))
}

fn list_executions(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let id = &connector(workspace, request.path("data_connector_id"))?.id;
    let now = workspace.now();
    let time = |name, default: i64| request.query(name).map_or(Ok(default), |at| parse_integer(name, at));
    let period = time("start_ts", now - HOUR)?..=time("end_ts", now)?;
    let has = |execution: &ConnectorExecution, name: &str, value: Option<Value>| {
        value.is_none_or(|value| execution.document[name] == value)
    };
    let success = request.query("success").map(|text| json!(text == "true"));
    let error_type = request.query("error_type").map(|text| json!(text));
    let page = newest_first(request, &workspace.connector_executions, 10, |execution| {
        execution.connector_id == *id
            && period.contains(&execution.updated_at)
            && has(execution, "success", success.clone())
            && has(execution, "error_type", error_type.clone())
    })?;
    let with_bodies = request.is_true("include_bodies");
    Ok(cursor_list(page, |execution| execution.document(with_bodies)))
}

fn show_execution(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let connector_id = &connector(workspace, request.path("data_connector_id"))?.id;
    let execution = workspace.connector_executions.get(request.path("id"));
    let missing = || ErrorResponse::new(404, "execution_result_not_found", "Execution result not found");
    let execution = execution.filter(|execution| execution.connector_id == *connector_id);
    Ok(execution.ok_or_else(missing)?.document(true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_response_becomes_typed_fields() {
        let sample =
            json!({"order": {"id": 7, "total": 4.5, "open": true}, "lines": [{"sku": "a"}], "note": null});
        let mut fields = Vec::new();
        collect_response_fields(&sample, "", &mut fields);
        let typed: Vec<_> = fields
            .iter()
            .map(|field| (field["path"].as_str().unwrap(), field["type"].as_str().unwrap()))
            .collect();
        let expected = [
            ("order.id", "integer"),
            ("order.total", "decimal"),
            ("order.open", "boolean"),
            ("lines[0].sku", "string"),
            ("note", "unknown"),
        ];
        assert_eq!(typed, expected);
    }

    #[test]
    fn settings_are_checked_before_any_is_set() {
        let mut settings = DataConnector::new("1".to_owned(), 7, 0).settings;
        for (body, field) in [
            (json!({"description": "x", "name": " "}), "name"),
            (json!({"description": "x", "audiences": ["admins"]}), "audiences"),
            (json!({"description": "x", "data_inputs": [{"type": "string"}]}), "data_inputs"),
        ] {
            let error = set_settings(&mut settings, &body).unwrap_err();
            assert_eq!((error.status, error.field.as_deref()), (422, Some(field)));
            assert!(settings["description"].is_null(), "{body}");
        }
        set_settings(&mut settings, &json!({"data_inputs": [{"name": "id", "required": true}]})).unwrap();
        assert_eq!(settings["data_inputs"][0]["type"], "string");
        assert_eq!(settings["data_inputs"][0]["required"], true);
    }

    #[test]
    fn documents_hide_the_values_of_headers() {
        let mut connector = DataConnector::new("1".to_owned(), 7, 1_764_000_000);
        connector.settings["headers"] = json!([{"name": "X-Key", "value": "secret"}]);
        assert_eq!(connector.detail()["headers"], json!([{"name": "X-Key", "value": "****"}]));
        assert_eq!(connector.summary()["updated_at"], "2025-11-24T16:00:00Z");
        assert!(connector.summary().get("headers").is_none());
    }
}
