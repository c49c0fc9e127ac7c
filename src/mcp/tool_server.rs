//! The state of the server, and what all of its handlers need: to run a command, and to build a result.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, JsonObject};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use super::arguments::ToolCall;
use super::bound::BoundRequest;
use super::concurrency::{ConcurrencyLimit, is_local};
use super::confirmation::Confirmations;
use super::options::ServerOptions;
use super::run::{CommandFailure, CommandLine, CommandOutcome, run};
use super::tool_result::ToolResult;
use super::truncate::Pages;
use super::untrusted::TextOrigin;
use super::{error_result, limits, origin};
use crate::cli::Session;
use crate::cli::catalog::{Catalog, CatalogEntry};
use crate::cli::consent::Consent;

/// Time limit of one API call including its retries. Clients give up after a minute.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);

pub(super) type CallContext = RequestContext<RoleServer>;

pub struct ToolServer {
    pub(super) session: Session,
    pub(super) catalog: Catalog,
    pub(super) options: ServerOptions,
    pub(super) pages: Pages,
    pub(super) confirmations: Confirmations,
    limit: ConcurrencyLimit,
}

impl ToolServer {
    pub fn new(session: Session, options: ServerOptions) -> Self {
        ToolServer {
            catalog: Catalog::new(session.registry()),
            session: session.with_mirror(options.db.clone()).with_total(CALL_TIMEOUT),
            pages: Pages::new(options.max_rows, options.max_bytes),
            options,
            confirmations: Confirmations::default(),
            limit: ConcurrencyLimit::default(),
        }
    }

    /// Runs a command line once the concurrency limit allows it.
    pub(super) async fn run_command(
        &self,
        entry: &CatalogEntry,
        arguments: Vec<String>,
        consent: Consent,
        plan: Option<String>,
        context: &CallContext,
    ) -> Result<CommandOutcome, ErrorData> {
        let cancelled = || ErrorData::internal_error("the call was cancelled", None);
        let local = is_local(entry, &arguments);
        let turn = tokio::select! {
            turn = self.limit.take(local) => turn,
            () = context.ct.cancelled() => return Err(cancelled()),
        };
        if turn.is_none() {
            let error = json!({ "kind": "busy", "message": "too many calls are running",
                "hint": "wait until they end, then repeat this call" });
            return Ok(CommandOutcome {
                error: Some(CommandFailure::Server(error)),
                ..CommandOutcome::default()
            });
        }
        let line = CommandLine { arguments, files: self.options.files(), consent, plan };
        run(&self.session, line, context).await.ok_or_else(cancelled)
    }

    /// The request that a dry run of this command has shown.
    pub(super) fn bound_request(&self, entry: &CatalogEntry, dry_run: &Value) -> Option<BoundRequest> {
        if !BoundRequest::is_needed(entry) {
            return None;
        }
        let context = self.session.context();
        let target = context.settings().and_then(|settings| context.api_server(&settings)).ok()?;
        BoundRequest::read(entry, dry_run, target.base_url.path())
    }

    /// The result of a command.
    pub(super) fn answer(
        &self,
        entry: &CatalogEntry,
        call: Option<&ToolCall>,
        outcome: CommandOutcome,
    ) -> CallToolResult {
        let CommandOutcome { output, notices, error, meta, .. } = outcome;
        let none = JsonObject::new();
        let given = call.map_or(&none, ToolCall::given);
        let error = error.map(|error| error_result::of_command(&error, &entry.words, given));
        let notices: Vec<String> = notices.iter().filter_map(error_result::notice).collect();
        let answer = ToolResult::new(origin(entry, call)).with_notices(&notices).with_failure(error);
        // The output of a jq program could look like an envelope of ours.
        let answer = if call.is_some_and(ToolCall::has_program) {
            match meta {
                Some(meta) => answer.with_text("meta", meta, TextOrigin::Own).with_results(&output),
                None => answer.with_results(&output),
            }
        } else {
            answer.with_output(&output)
        };
        let mut answer = limits::normalize(answer);
        if call.is_some_and(ToolCall::is_compact) && !answer.is_error() {
            answer.note("shown", json!("key fields; full: true shows all"));
        }
        self.result(answer)
    }

    /// Converts to the protocol's result type.
    pub(super) fn result(&self, answer: ToolResult) -> CallToolResult {
        let is_error = answer.is_error();
        let document = answer.document(&self.pages);
        if is_error {
            CallToolResult::structured_error(document)
        } else {
            CallToolResult::structured(document)
        }
    }

    /// An error made by this server.
    pub(super) fn refused(&self, error: Value) -> CallToolResult {
        self.result(ToolResult::from_error(error))
    }

    /// A document written by this program.
    pub(super) fn own(&self, document: &Value) -> CallToolResult {
        self.result(ToolResult::new(TextOrigin::Own).with_output(&document.to_string()))
    }
}
