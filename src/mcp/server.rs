//! The request handlers of the server.
//!
//! They find the command of a call, check permissions and run it. The format of results and the confirmation of
//! changes belong to other modules.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject, ListPromptsResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ServerCapabilities, ServerConfig,
};
use rmcp::{ErrorData, ServerHandler};
use serde_json::{Value, json};

use super::arguments::ToolCall;
use super::bound::BoundRequest;
use super::schema::SchemaDetail;
use super::tool_result::ToolResult;
use super::tool_server::{CallContext, ToolServer};
use super::untrusted::TextOrigin;
use super::{effects, elicit, error_result, example, prompts, resources, schema, tools};
use crate::cli::catalog::{self, Catalog, CatalogEntry};
use crate::cli::consent::Consent;
use crate::cli::meta::command_document;
use crate::cli::registry::Effect;

impl ToolServer {
    async fn call(
        &self,
        mut request: CallToolRequestParams,
        context: &CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        let answer = elicit::answer(&request);
        let arguments = request.arguments.take().unwrap_or_default();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let missing = |name: &str| {
            let kind = if name == "limit" { "whole number" } else { "string" };
            let message = format!("{}: the argument {name:?} must be a {kind}", request.name);
            self.refused(json!({ "kind": "usage", "message": message, "hint": "see the tool's schema" }))
        };
        Ok(match &*request.name {
            "search_commands" => {
                let limit = arguments.get("limit").filter(|limit| !limit.is_null());
                match (text("need"), limit.map(|limit| limit.as_u64().ok_or("limit"))) {
                    (None, _) => missing("need").into(),
                    (_, Some(Err(name))) => missing(name).into(),
                    (Some(need), limit) => {
                        self.own(&search_commands(&self.catalog, need, limit.and_then(Result::ok))).into()
                    }
                }
            }
            "describe_command" => {
                text("command").map_or_else(|| missing("command"), |name| self.describe(name)).into()
            }
            "read_more" => {
                text("cursor").map_or_else(|| missing("cursor"), |cursor| self.more(cursor)).into()
            }
            "run_read" | "run_local" | "run_write" | "run_destructive" => match text("command") {
                Some(name) => self.run_by_name(&request.name, name, &arguments, answer, context).await?,
                None => missing("command").into(),
            },
            name => match self.catalog.entry(name) {
                Some(entry) => self.command(entry, &arguments, None, answer, context).await?,
                None => {
                    let similar = match similar_commands(&self.catalog, name) {
                        similar if similar.is_empty() => String::new(),
                        similar => format!("; did you mean {}?", similar.join(", ")),
                    };
                    return Err(ErrorData::invalid_params(format!("unknown tool {name:?}{similar}"), None));
                }
            },
        })
    }

    /// Runs a command that was called through one of the `run_*` tools.
    async fn run_by_name(
        &self,
        tool: &str,
        name: &str,
        given: &JsonObject,
        answer: Option<(String, bool)>,
        context: &CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(entry) = self.catalog.entry(name) else {
            return Ok(self
                .refused(error_result::no_command(name, &similar_commands(&self.catalog, name)))
                .into());
        };
        let arguments: Option<JsonObject> = match given.get("arguments") {
            None | Some(Value::Null) => Some(JsonObject::new()),
            Some(Value::Object(arguments)) => Some(arguments.clone()),
            // Some clients send the object as a JSON string.
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            Some(_) => None,
        };
        let Some(mut arguments) = arguments else {
            return Ok(self
                .refused(json!({ "kind": "usage", "message": "arguments must be an object",
                    "hint": format!("see describe_command with command {name:?}") }))
                .into());
        };
        for (key, value) in given.iter().filter(|(key, _)| *key != "command" && *key != "arguments") {
            if arguments.insert(key.clone(), value.clone()).is_some_and(|other| other != *value) {
                let message = format!("{name}: the argument {key:?} is given twice with different values");
                return Ok(self
                    .refused(json!({ "kind": "usage", "message": message,
                    "hint": "give each argument once, inside `arguments`" }))
                    .into());
            }
        }
        self.command(entry, &arguments, Some(tool), answer, context).await
    }

    /// Runs a command; `tool` is the `run_*` tool it was called through, if any.
    async fn command(
        &self,
        entry: &CatalogEntry,
        given: &JsonObject,
        tool: Option<&str>,
        answer: Option<(String, bool)>,
        context: &CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        let refused = |effect| self.refused(error_result::not_permitted(&entry.words, effect, &self.options));
        let least = effects::least(entry);
        if !tools::permitted(least, &self.options) {
            return Ok(refused(least).into());
        }
        let mut call = match ToolCall::bind(entry, given, &self.options.files()) {
            Ok(call) => call,
            // Missing permission takes precedence over other errors in the call.
            Err(_)
                if effects::asks_for_changes(entry, given)
                    && !tools::permitted(entry.effect, &self.options) =>
            {
                return Ok(refused(entry.effect).into());
            }
            Err(error) => return Ok(self.refused(error_result::usage(&entry.words, &error)).into()),
        };
        let mut bound = None;
        if BoundRequest::is_needed(entry) {
            let planned =
                self.run_command(entry, call.plan_arguments(), Consent::Withheld, None, context).await?;
            if planned.has_failed() {
                return Ok(self.answer(entry, Some(&call), planned).into());
            }
            // Without its request, the call is treated as destructive.
            bound = planned.document().ok().and_then(|request| self.bound_request(entry, &request));
            if let Some(body) = bound.as_ref().and_then(BoundRequest::body) {
                call.fix_body(entry, body);
            }
        }
        let effect = effects::of_call(entry, &call, bound.as_ref());
        if !tools::permitted(effect, &self.options) {
            return Ok(refused(effect).into());
        }
        // A tool's annotations must hold for every command run through it.
        if tool.is_some_and(|tool| !tools::runs(tool, effect)) {
            return Ok(self.refused(error_result::wrong_tool(&entry.shown, tools::runner(effect))).into());
        }
        let may_confirm = tools::permitted(Effect::Destructive, &self.options);
        let is_confirmed = call.confirmation.is_some() || answer.is_some();
        if effect == Effect::Destructive || (may_confirm && is_confirmed) {
            return self.destructive(entry, &call, answer, context).await;
        }
        let more: &[&str] = if call.dry_run { &["--dry-run"] } else { &[] };
        let outcome = self.run_command(entry, call.arguments(more), Consent::Withheld, None, context).await?;
        // Only the command itself finds out how many records it would change.
        match outcome.unconfirmed_action() {
            None => Ok(self.answer(entry, Some(&call), outcome).into()),
            Some(_) if may_confirm => self.destructive(entry, &call, None, context).await,
            Some(action) => Ok(self.refused(error_result::too_many(&entry.words, action)).into()),
        }
    }

    fn more(&self, cursor: &str) -> CallToolResult {
        match self.pages.next(cursor) {
            Some(part) => CallToolResult::structured(part),
            None => self.refused(json!({ "kind": "not_found", "message": "unknown or expired cursor",
                "hint": "repeat the call that returned it" })),
        }
    }

    fn describe(&self, name: &str) -> CallToolResult {
        let Some(entry) = self.catalog.entry(name) else {
            return self.refused(error_result::no_command(name, &similar_commands(&self.catalog, name)));
        };
        let least = effects::least_change(entry);
        let most = tools::permitted(entry.effect, &self.options);
        self.own(&json!({
            "command": entry.shown,
            "tool": entry.tool_name(),
            "about": entry.about,
            "effect": entry.effect.name(),
            // With some bodies the command has a smaller effect, which needs fewer permissions.
            "least_effect": (least != entry.effect).then(|| least.name()),
            "permitted": tools::permitted(least, &self.options),
            "run_with": tools::runner(if most { entry.effect } else { least }),
            "preview_with": effects::previews(entry).then(|| tools::runner(Effect::Read)),
            "arguments": schema::input(entry, &self.options.files(), SchemaDetail::Full),
            "output": command_document::output(entry),
            "example": example::arguments(entry),
        }))
    }

    async fn read(&self, uri: &str, context: &CallContext) -> Result<String, ErrorData> {
        let Some(resource) = resources::RESOURCES.iter().find(|resource| resource.uri == uri) else {
            return Err(ErrorData::resource_not_found(format!("unknown resource {uri:?}"), None));
        };
        if resource.parts.is_empty() {
            let filter = self.session.registry().group("filter").map(|group| group.after_help);
            let search = self.catalog.entry("search").map(|entry| (&entry.about, &entry.parameters[0].help));
            let document = json!({ "api": resources::GRAMMAR, "filters": filter, "search": search });
            return Ok(ToolResult::new(TextOrigin::Own)
                .with_output(&document.to_string())
                .document(&self.pages)
                .to_string());
        }
        let mut answer = ToolResult::new(TextOrigin::Documents);
        for (part, line) in resource.parts {
            let Some(entry) = self.catalog.entry(&resources::words(line)) else { continue };
            let line = line.iter().map(|word| (*word).to_owned()).collect();
            let outcome = self.run_command(entry, line, Consent::Withheld, None, context).await?;
            let (text, origin) = match outcome.error {
                Some(error) => (json!({ "error": error.as_json() }).to_string(), TextOrigin::Derived),
                None => {
                    (outcome.output, if resource.is_own { TextOrigin::Own } else { TextOrigin::Documents })
                }
            };
            answer = answer.with_text(part, text.trim().to_owned(), origin);
        }
        Ok(answer.document(&self.pages).to_string())
    }
}

fn search_commands(catalog: &Catalog, need: &str, limit: Option<u64>) -> Value {
    let entries = catalog.entries();
    let limit = limit.map_or(8, |limit| limit.clamp(1, 50) as usize);
    let matches = catalog::find(&entries, need, limit);
    let commands: Vec<Value> = matches
        .iter()
        .map(|hit| {
            let entry = hit.entry;
            json!({ "command": entry.shown, "about": entry.about, "effect": entry.effect.name(), "run_with": tools::runner(entry.effect) })
        })
        .collect();
    let hint = commands
        .is_empty()
        .then_some("no command matches; try other words, for example the name of a resource and an action");
    json!({ "commands": commands, "hint": hint })
}

/// Rejects cursors: every list has a single page.
fn check_single_page(page: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor) {
        None => Ok(()),
        Some(cursor) => Err(ErrorData::invalid_params(format!("unknown cursor {cursor:?}"), None)),
    }
}

fn similar_commands(catalog: &Catalog, name: &str) -> Vec<String> {
    let entries = catalog.entries();
    let matches = catalog::find(&entries, &name.replace('_', " "), 3);
    matches.iter().map(|hit| hit.entry.shown.clone()).collect()
}

impl ServerHandler for ToolServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("intercom-pp-cli", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(self.options.instructions(&self.session));
        info
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: CallContext,
    ) -> Result<ListToolsResult, ErrorData> {
        check_single_page(page)?;
        Ok(ListToolsResult::with_all_items(tools::list(&self.catalog, &self.options)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, &context).await
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        _: CallContext,
    ) -> Result<ListResourcesResult, ErrorData> {
        check_single_page(page)?;
        Ok(ListResourcesResult::with_all_items(resources::list()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: CallContext,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text = self.read(&request.uri, &context).await?;
        let contents = ResourceContents::text(text, request.uri).with_mime_type("application/json");
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(vec![contents])))
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        _: CallContext,
    ) -> Result<ListPromptsResult, ErrorData> {
        check_single_page(page)?;
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: CallContext,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request.name, request.arguments.as_ref()).map(GetPromptResponse::Complete)
    }

    /// Standard requests end up here when their parameters have the wrong shape.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: CallContext,
    ) -> Result<CustomResult, ErrorData> {
        let method = request.method;
        let is_known = ["tools/", "resources/", "prompts/"].iter().any(|prefix| method.starts_with(prefix))
            && ["/call", "/get", "/list", "/read"].iter().any(|suffix| method.ends_with(suffix));
        Err(if is_known {
            ErrorData::invalid_params(format!("invalid parameters for {method}"), None)
        } else {
            ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None)
        })
    }
}
