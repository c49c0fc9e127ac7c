//! The server: what it tells of itself, and how it answers.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject, ListPromptsResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::call::Call;
use super::confirmation::{Confirmations, LIFETIME};
use super::options::Options;
use super::pages::Pages;
use super::run::{Ended, run};
use super::schema::Detail;
use super::{effects, instructions, marks, prompts, refusal, resources, schema, tools};
use crate::cli::Session;
use crate::cli::catalog;
use crate::cli::catalog::Entry;
use crate::cli::commands::filter;
use crate::cli::effect::Effect;

/// Commands that run at the same time; others wait.
const AT_ONCE: usize = 8;

type Request = RequestContext<RoleServer>;

pub struct Server {
    session: Session,
    options: Options,
    pages: Pages,
    confirmations: Confirmations,
    turns: Semaphore,
}

impl Server {
    pub fn new(session: Session, options: Options) -> Self {
        Server {
            session: session.with_mirror(options.db.clone()),
            pages: Pages::new(options.max_rows, options.max_bytes),
            options,
            confirmations: Confirmations::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &Request,
    ) -> Result<CallToolResult, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let missing = |name: &str| {
            let kind = if name == "limit" { "whole number" } else { "text" };
            let message = format!("{}: the argument {name:?} must be a {kind}", request.name);
            refusal::of(&json!({ "kind": "usage", "message": message, "hint": "see the tool's schema" }))
        };
        Ok(match &*request.name {
            "search_commands" => {
                let limit = arguments.get("limit").filter(|limit| !limit.is_null());
                match (text("need"), limit.map(|limit| limit.as_u64().ok_or("limit"))) {
                    (None, _) => missing("need"),
                    (_, Some(Err(name))) => missing(name),
                    (Some(need), limit) => found(need, limit.and_then(Result::ok)),
                }
            }
            "describe_command" => {
                text("command").map_or_else(|| missing("command"), |name| self.described(name))
            }
            "read_more" => text("cursor").map_or_else(|| missing("cursor"), |cursor| self.more(cursor)),
            "run_read" | "run_local" | "run_write" | "run_destructive" => match text("command") {
                Some(name) => self.by_name(&request.name, name, &arguments, context).await?,
                None => missing("command"),
            },
            name => match catalog().entry(name) {
                Some(entry) => self.command(entry, &arguments, context).await?,
                None => {
                    let near = match near(name) {
                        near if near.is_empty() => String::new(),
                        near => format!("; near: {}", near.join(", ")),
                    };
                    return Err(ErrorData::invalid_params(format!("there is no tool {name:?}{near}"), None));
                }
            },
        })
    }

    /// A command called through one of the tools that run commands.
    async fn by_name(
        &self,
        tool: &str,
        name: &str,
        given: &JsonObject,
        context: &Request,
    ) -> Result<CallToolResult, ErrorData> {
        let Some(entry) = catalog().entry(name) else { return Ok(refusal::no_command(name, &near(name))) };
        let mut arguments = match given.get("arguments") {
            None | Some(Value::Null) => JsonObject::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            // Some clients send objects as text.
            Some(Value::String(text)) if serde_json::from_str::<JsonObject>(text).is_ok() => {
                serde_json::from_str(text).unwrap_or_default()
            }
            Some(_) => {
                return Ok(refusal::of(&json!({ "kind": "usage", "message": "arguments must be an object",
                    "hint": format!("see describe_command with command {name:?}") })));
            }
        };
        for (key, value) in given.iter().filter(|(key, _)| *key != "command" && *key != "arguments") {
            arguments.insert(key.clone(), value.clone());
        }
        // The hints of a tool must hold whatever is called through it.
        let effect = effects::of_call(entry, &arguments);
        if tools::permitted(effect, &self.options) && tools::runner(effect) != tool {
            return Ok(refusal::wrong_tool(&entry.words, tools::runner(effect)));
        }
        self.command(entry, &arguments, context).await
    }

    async fn command(
        &self,
        entry: &Entry,
        given: &JsonObject,
        context: &Request,
    ) -> Result<CallToolResult, ErrorData> {
        let effect = effects::of_call(entry, given);
        if !tools::permitted(effect, &self.options) {
            return Ok(refusal::not_permitted(&entry.words, effect));
        }
        let call = match Call::bind(entry, given, &self.options.files()) {
            Ok(call) => call,
            Err(error) => return Ok(refusal::usage(&entry.words, &error)),
        };
        if effect == Effect::Destructive {
            return self.destructive(entry, &call, context).await;
        }
        let more: &[&str] = if call.dry_run { &["--dry-run"] } else { &["--yes"] };
        let ended = self.ended(&call, more, context).await?;
        Ok(self.answer(entry, ended))
    }

    /// Plans a call, or carries out one that was planned and confirmed.
    async fn destructive(
        &self,
        entry: &Entry,
        call: &Call,
        context: &Request,
    ) -> Result<CallToolResult, ErrorData> {
        let essence = call.essence();
        if let Some(token) = call.confirmation.as_deref().filter(|_| !call.dry_run) {
            return match self.confirmations.redeem(token, &essence) {
                Ok(()) => Ok(self.answer(entry, self.ended(call, &["--yes"], context).await?)),
                Err(reason) => Ok(refusal::of(&json!({ "kind": "confirmation", "message": reason,
                    "hint": "call with dry_run for a plan and a new confirmation" }))),
            };
        }
        let plan = self.ended(call, &["--dry-run"], context).await?;
        if plan.error.is_some() {
            return Ok(self.answer(entry, plan));
        }
        let answer = json!({
            "plan": plan.document,
            "confirmation": self.confirmations.issue(&essence),
            "expires_in_seconds": LIFETIME.as_secs(),
            "next": "show the plan to the user; when they agree, repeat this call with the same arguments and this confirmation",
        });
        if call.dry_run {
            return Ok(CallToolResult::structured(answer));
        }
        let mut refused = answer;
        refused["error"] = json!({ "kind": "confirmation", "message": "this overwrites or removes something and was not confirmed",
            "hint": "repeat the call with the confirmation, once the user has agreed to the plan" });
        Ok(CallToolResult::structured_error(refused))
    }

    async fn ended(&self, call: &Call, more: &[&str], context: &Request) -> Result<Ended, ErrorData> {
        let cancelled = || ErrorData::internal_error("the call was cancelled", None);
        let _turn = tokio::select! {
            turn = self.turns.acquire() => turn,
            () = context.ct.cancelled() => return Err(cancelled()),
        };
        let ended = run(&self.session, call.arguments(more), self.options.files(), context).await;
        ended.ok_or_else(cancelled)
    }

    /// The result of a command: its document in marked parts, cut to size, and its error if it failed.
    fn answer(&self, entry: &Entry, ended: Ended) -> CallToolResult {
        let mut answer = match ended.document {
            Value::Null => json!({}),
            document if document.is_object() => document,
            other => json!({ "results": other }),
        };
        if !ended.said.is_empty() {
            answer["warnings"] = json!(ended.said);
        }
        if let Some(error) = &ended.error {
            answer["error"] = error["error"].clone();
            refusal::for_agents(&mut answer["error"], &entry.words);
        }
        let has_results = answer.get("results").is_some();
        let mut answer = self.pages.first(answer);
        if let Some(mark) = marks::of(&answer["results"]) {
            answer["untrusted"] = mark;
        }
        if let Some(fields) = answer.as_object_mut().filter(|_| !has_results) {
            fields.retain(|name, value| name != "results" || !value.is_null());
        }
        match ended.error {
            None => CallToolResult::structured(answer),
            Some(_) => CallToolResult::structured_error(answer),
        }
    }

    fn more(&self, cursor: &str) -> CallToolResult {
        match self.pages.next(cursor) {
            None => {
                refusal::of(&json!({ "kind": "not_found", "message": "this cursor is not known any more",
                "hint": "repeat the call that gave it" }))
            }
            Some(mut part) => {
                if let Some(mark) = marks::of(&part["results"]) {
                    part["untrusted"] = mark;
                }
                CallToolResult::structured(part)
            }
        }
    }

    fn described(&self, name: &str) -> CallToolResult {
        let Some(entry) = catalog().entry(name) else { return refusal::no_command(name, &near(name)) };
        let permitted = tools::permitted(entry.effect, &self.options);
        CallToolResult::structured(json!({
            "command": entry.words,
            "about": entry.about,
            "effect": entry.effect.name(),
            "permitted": permitted,
            "run_with": tools::runner(entry.effect),
            "preview_with": effects::previews(entry).then(|| tools::runner(Effect::Read)),
            "arguments": schema::input(entry, &self.options.files(), Detail::Full),
            "example": entry.example,
        }))
    }

    async fn read(&self, uri: &str, context: &Request) -> Result<String, ErrorData> {
        let Some(source) = resources::SOURCES.iter().find(|source| source.uri == uri) else {
            return Err(ErrorData::resource_not_found(format!("there is no resource {uri:?}"), None));
        };
        if source.parts.is_empty() {
            let filter = filter::command().get_after_help().map(ToString::to_string);
            let search = catalog().entry("search").map(|entry| (&entry.about, &entry.parameters[0].help));
            return Ok(json!({ "api": resources::GRAMMAR, "filters": filter, "search": search }).to_string());
        }
        let mut document = json!({});
        for (part, line) in source.parts {
            let line = line.iter().map(|word| (*word).to_owned()).collect();
            let ended = run(&self.session, line, self.options.files(), context).await;
            let ended = ended.ok_or_else(|| ErrorData::internal_error("the call was cancelled", None))?;
            document[part] = match ended.error {
                Some(error) => error,
                None => ended.document,
            };
        }
        Ok(document.to_string())
    }
}

fn found(need: &str, limit: Option<u64>) -> CallToolResult {
    let entries = catalog().entries();
    let limit = limit.map_or(8, |it| it.clamp(1, 50) as usize);
    let found = catalog::find(&entries, need, limit);
    let commands: Vec<Value> = found
        .iter()
        .map(|found| {
            let entry = found.entry;
            json!({ "command": entry.words, "about": entry.about, "effect": entry.effect.name(), "run_with": tools::runner(entry.effect) })
        })
        .collect();
    let hint = commands
        .is_empty()
        .then_some("no command fits; use other words, such as the name of a resource and what to do with it");
    CallToolResult::structured(json!({ "commands": commands, "hint": hint }))
}

/// Refuses every page but the one that lists have.
fn only_page(page: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match page.and_then(|page| page.cursor) {
        None => Ok(()),
        Some(cursor) => Err(ErrorData::invalid_params(format!("there is no cursor {cursor:?}"), None)),
    }
}

/// Commands whose names come close.
fn near(name: &str) -> Vec<String> {
    let entries = catalog().entries();
    let found = catalog::find(&entries, &name.replace('_', " "), 3);
    found.iter().map(|found| found.entry.words.clone()).collect()
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        let mut info = ServerConfig::new(capabilities);
        info.server_info = Implementation::new("intercom-pp-cli", env!("CARGO_PKG_VERSION"));
        info.instructions = Some(instructions::text(&self.session, &self.options));
        info
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: Request,
    ) -> Result<ListToolsResult, ErrorData> {
        only_page(page)?;
        Ok(ListToolsResult::with_all_items(tools::listed(&self.options)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Request,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(request, &context).await.map(CallToolResponse::Complete)
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        _: Request,
    ) -> Result<ListResourcesResult, ErrorData> {
        only_page(page)?;
        Ok(ListResourcesResult::with_all_items(resources::list()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Request,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text = self.read(&request.uri, &context).await?;
        let contents = ResourceContents::text(text, request.uri).with_mime_type("application/json");
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(vec![contents])))
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        _: Request,
    ) -> Result<ListPromptsResult, ErrorData> {
        only_page(page)?;
        Ok(ListPromptsResult::with_all_items(prompts::list()))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: Request,
    ) -> Result<GetPromptResponse, ErrorData> {
        prompts::get(&request.name, request.arguments.as_ref()).map(GetPromptResponse::Complete)
    }

    /// Requests of the protocol get here when their parameters have the wrong shape.
    async fn on_custom_request(&self, request: CustomRequest, _: Request) -> Result<CustomResult, ErrorData> {
        let method = request.method;
        let served = ["tools/", "resources/", "prompts/"].iter().any(|it| method.starts_with(it));
        Err(match served && ["/call", "/get", "/list", "/read"].iter().any(|it| method.ends_with(it)) {
            true => {
                ErrorData::invalid_params(format!("the parameters of {method} have the wrong shape"), None)
            }
            false => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None),
        })
    }
}
