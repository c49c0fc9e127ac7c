//! Data connectors, and the requests that they made.

use serde_json::{Value, json};

use crate::sandbox::calendar::time_text;
use crate::sandbox::record_set::workspace_records;

/// A data connector. Times are epoch seconds; its documents show them as text.
#[derive(Debug, Clone)]
pub struct DataConnector {
    pub id: String,
    pub created_at: i64,
    pub updated_at: i64,
    pub created_by: i64,
    pub updated_by: i64,
    /// The fields of its document between `type` and the teammates, headers with their secret values.
    pub settings: Value,
}

workspace_records!(DataConnector);

/// The settings that lists show.
const LISTED: [&str; 6] = ["id", "name", "description", "state", "http_method", "direct_fin_usage"];

impl DataConnector {
    /// A draft without any settings.
    pub fn new(id: String, admin_id: i64, at: i64) -> Self {
        let settings = json!({
            "id": id,
            "name": "",
            "description": null,
            "state": "draft",
            "url": null,
            "body": "",
            "headers": [],
            "http_method": "get",
            "direct_fin_usage": false,
            "audiences": [],
            "execution_type": "server_side",
            "configuration_response_type": null,
            "data_transformation_type": "full_access",
            "client_function_name": null,
            "client_function_timeout_ms": null,
            "data_inputs": [],
            "response_fields": [],
            "object_mappings": [],
            "token_ids": [],
            "customer_authentication": false,
            "bypass_authentication": false,
            "validate_missing_attributes": false,
        });
        DataConnector {
            id,
            created_at: at,
            updated_at: at,
            created_by: admin_id,
            updated_by: admin_id,
            settings,
        }
    }

    pub fn is_live(&self) -> bool {
        self.settings["state"] == "live"
    }

    /// The short form of lists.
    pub fn summary(&self) -> Value {
        let settings = LISTED.iter().map(|name| ((*name).to_owned(), self.settings[*name].clone()));
        self.complete(settings.collect())
    }

    /// The whole document. Values of headers are secret.
    pub fn detail(&self) -> Value {
        let mut settings = self.settings.clone();
        for header in settings["headers"].as_array_mut().into_iter().flatten() {
            header["value"] = json!("****");
        }
        self.complete(settings)
    }

    fn complete(&self, settings: Value) -> Value {
        let mut document = json!({"type": "data_connector"});
        for (name, value) in settings.as_object().into_iter().flatten() {
            document[name] = value.clone();
        }
        document["created_by_admin_id"] = json!(self.created_by.to_string());
        document["updated_by_admin_id"] = json!(self.updated_by.to_string());
        document["created_at"] = json!(time_text(self.created_at));
        document["updated_at"] = json!(time_text(self.updated_at));
        document["execution_results_url"] = json!(format!("/data_connectors/{}/execution_results", self.id));
        document
    }
}

/// A request that a data connector made.
#[derive(Debug, Clone)]
pub struct ConnectorExecution {
    pub id: String,
    pub connector_id: String,
    /// When the request was made, in epoch seconds.
    pub updated_at: i64,
    /// The document without its time, with the bodies of request and response.
    pub document: Value,
}

workspace_records!(ConnectorExecution);

/// The fields that a list shows only if they are asked for.
const BODIES: [&str; 3] = ["request_body", "response_body", "raw_response_body"];

impl ConnectorExecution {
    pub fn document(&self, with_bodies: bool) -> Value {
        let mut document = self.document.clone();
        document["created_at"] = json!(time_text(self.updated_at));
        if let Some(fields) = document.as_object_mut().filter(|_| !with_bodies) {
            fields.retain(|name, _| !BODIES.contains(&name.as_str()));
        }
        document
    }
}
