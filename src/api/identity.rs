//! Who a token belongs to: its teammate and its workspace, as `/me` reports them.
//!
//! No other module reads that response. Mirrors, journals and plans belong to the workspace that it names, so a response
//! that cannot be read must be an error.

use super::client::Client;
use super::error::{Error, Unexpected};
use super::generated::types::AdminWithApp;
use super::reply::Reply;
use super::request_builder::{Arguments, operation};

/// Name for a workspace whose code the API did not report.
pub const UNKNOWN_WORKSPACE: &str = "unknown";

/// The owner of a token.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Id of the teammate.
    pub admin_id: Option<String>,
    /// Name of the teammate, as the inbox shows it.
    pub admin_name: Option<String>,
    /// Short code of the workspace (`id_code`); [`UNKNOWN_WORKSPACE`] if the API did not report it.
    pub workspace: String,
    /// Name of the workspace.
    pub workspace_name: Option<String>,
    /// Region of the workspace as the API spells it, for example `US`; not a [`super::Region`], which chooses a server.
    pub region: Option<String>,
    /// As reported by the API, for example `America/New_York`.
    pub timezone: Option<String>,
    /// The response, for its headers.
    pub reply: Reply,
}

/// Asks who the client's token belongs to.
///
/// # Errors
/// Those of [`Client::fetch`], and a response that names neither teammate nor workspace, as from a server that is not
/// Intercom's.
pub async fn identity(client: &Client) -> Result<Identity, Error> {
    Identity::read(client.fetch(operation("identifyAdmin")?, &Arguments::default()).await?)
}

impl Identity {
    fn read(reply: Reply) -> Result<Self, Error> {
        let me: AdminWithApp =
            serde_json::from_str(reply.json_text()?).map_err(|error| reply.wrong_shape(&error))?;
        if me.id.is_none() && me.app.is_none() && me.type_.is_none() {
            let reason = "it names neither teammate nor workspace".to_owned();
            return Err(reply.unexpected(Unexpected::Shape, Some(reason)));
        }
        let (code, name, region, timezone) =
            me.app.map(|app| (app.id_code, app.name, app.region, app.timezone)).unwrap_or_default();
        Ok(Identity {
            admin_id: trimmed(me.id.map(String::from)),
            admin_name: me.name,
            workspace: trimmed(code).unwrap_or_else(|| UNKNOWN_WORKSPACE.to_owned()),
            workspace_name: name,
            region,
            timezone,
            reply,
        })
    }

    /// The workspace's short code, if the API reported one.
    pub fn reported_workspace(&self) -> Option<&str> {
        Some(self.workspace.as_str()).filter(|code| *code != UNKNOWN_WORKSPACE)
    }
}

/// An id without white space around it; `None` if it is blank.
fn trimmed(id: Option<String>) -> Option<String> {
    id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    fn read(body: &'static str) -> Result<Identity, Error> {
        Identity::read(Reply::new(StatusCode::OK, HeaderMap::new(), Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn a_workspace_without_a_code_is_unknown() {
        for (body, admin, workspace, reported) in [
            (r#"{"id":"7","app":{"id_code":" ab1 "}}"#, Some("7"), "ab1", Some("ab1")),
            (r#"{"id":7,"app":{"id_code":12}}"#, Some("7"), "12", Some("12")),
            (r#"{"id":" ","app":{"id_code":""}}"#, None, "unknown", None),
            (r#"{"type":"admin","app":null}"#, None, "unknown", None),
        ] {
            let identity = read(body).unwrap();
            assert_eq!(identity.admin_id.as_deref(), admin, "{body}");
            assert_eq!((identity.workspace.as_str(), identity.reported_workspace()), (workspace, reported));
        }
    }

    #[test]
    fn a_response_that_names_nobody_is_an_error() {
        for body in ["{}", "[]", "null", r#"{"status":"ok"}"#, r#"{"id":null,"app":null}"#, "<html>", ""] {
            assert!(read(body).is_err(), "{body}");
        }
    }
}
