//! The server: what it tells of itself, and how it answers.
//!
//! Finds the command of a call and runs it. How it is answered, and what it takes to carry out a change, is
//! decided elsewhere.

use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, Implementation, JsonObject, ListPromptsResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde_json::{Value, json};

use super::answer::Answer;
use super::bound::Bound;
use super::call::Call;
use super::confirmation::Confirmations;
use super::marks::Origin;
use super::options::Options;
use super::pages::Pages;
use super::run::{Ended, Line, run};
use super::schema::Detail;
use super::turns::{Turns, is_local};
use super::{
    effects, elicit, example, instructions, limits, origin, prompts, refusal, resources, schema, tools,
};
use crate::cli::Session;
use crate::cli::catalog;
use crate::cli::catalog::Entry;
use crate::cli::commands::filter;
use crate::cli::consent::Consent;
use crate::cli::effect::Effect;

/// How long one call of the API may take, its retries included: clients give up after a minute.
const PATIENCE: Duration = Duration::from_secs(45);

pub(super) type Request = RequestContext<RoleServer>;

pub struct Server {
    session: Session,
    options: Options,
    pages: Pages,
    pub(super) confirmations: Confirmations,
    turns: Turns,
}

impl Server {
    pub fn new(session: Session, options: Options) -> Self {
        Server {
            session: session.with_mirror(options.db.clone()).with_total(PATIENCE),
            pages: Pages::new(options.max_rows, options.max_bytes),
            options,
            confirmations: Confirmations::default(),
            turns: Turns::default(),
        }
    }

    async fn call(
        &self,
        mut request: CallToolRequestParams,
        context: &Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let answered = elicit::answered(&request);
        let arguments = request.arguments.take().unwrap_or_default();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let missing = |name: &str| {
            let kind = if name == "limit" { "whole number" } else { "text" };
            let message = format!("{}: the argument {name:?} must be a {kind}", request.name);
            self.refused(json!({ "kind": "usage", "message": message, "hint": "see the tool's schema" }))
        };
        Ok(match &*request.name {
            "search_commands" => {
                let limit = arguments.get("limit").filter(|limit| !limit.is_null());
                match (text("need"), limit.map(|limit| limit.as_u64().ok_or("limit"))) {
                    (None, _) => missing("need").into(),
                    (_, Some(Err(name))) => missing(name).into(),
                    (Some(need), limit) => self.own(&found(need, limit.and_then(Result::ok))).into(),
                }
            }
            "describe_command" => {
                text("command").map_or_else(|| missing("command"), |name| self.described(name)).into()
            }
            "read_more" => {
                text("cursor").map_or_else(|| missing("cursor"), |cursor| self.more(cursor)).into()
            }
            "run_read" | "run_local" | "run_write" | "run_destructive" => match text("command") {
                Some(name) => self.by_name(&request.name, name, &arguments, answered, context).await?,
                None => missing("command").into(),
            },
            name => match catalog().entry(name) {
                Some(entry) => self.command(entry, &arguments, None, answered, context).await?,
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
        answered: Option<(String, bool)>,
        context: &Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(entry) = catalog().entry(name) else {
            return Ok(self.refused(refusal::no_command(name, &near(name))).into());
        };
        let mut arguments = match given.get("arguments") {
            None | Some(Value::Null) => JsonObject::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            // Some clients send objects as text.
            Some(Value::String(text)) if serde_json::from_str::<JsonObject>(text).is_ok() => {
                serde_json::from_str(text).unwrap_or_default()
            }
            Some(_) => {
                return Ok(self
                    .refused(json!({ "kind": "usage", "message": "arguments must be an object",
                    "hint": format!("see describe_command with command {name:?}") }))
                    .into());
            }
        };
        for (key, value) in given.iter().filter(|(key, _)| *key != "command" && *key != "arguments") {
            if arguments.insert(key.clone(), value.clone()).is_some_and(|other| other != *value) {
                let message = format!("{name}: the argument {key:?} is given twice, with different values");
                return Ok(self
                    .refused(json!({ "kind": "usage", "message": message,
                    "hint": "give each argument once, inside `arguments`" }))
                    .into());
            }
        }
        self.command(entry, &arguments, Some(tool), answered, context).await
    }

    /// Runs a command; `tool` is the one that runs commands by name, where it came through one.
    async fn command(
        &self,
        entry: &Entry,
        given: &JsonObject,
        tool: Option<&str>,
        answered: Option<(String, bool)>,
        context: &Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let refused = |effect| self.refused(refusal::not_permitted(&entry.words, effect, &self.options));
        let least = effects::least(entry);
        if !tools::permitted(least, &self.options) {
            return Ok(refused(least).into());
        }
        let mut call = match Call::bind(entry, given, &self.options.files()) {
            Ok(call) => call,
            // What is not allowed is refused, whatever else is wrong with the call.
            Err(_)
                if effects::asks_for_changes(entry, given)
                    && !tools::permitted(entry.effect, &self.options) =>
            {
                return Ok(refused(entry.effect).into());
            }
            Err(error) => return Ok(self.refused(refusal::usage(&entry.words, &error)).into()),
        };
        let mut bound = None;
        if Bound::is_needed(entry) {
            let planned = self.ended(entry, call.plan_arguments(), Consent::Withheld, None, context).await?;
            if planned.has_failed() {
                return Ok(self.answer(entry, Some(&call), planned).into());
            }
            bound = self.bound_by(entry, &planned.document());
            if let Some(body) = bound.as_ref().and_then(Bound::body) {
                call.settle(entry, body);
            }
        }
        let effect = effects::of_call(entry, &call, bound.as_ref());
        if !tools::permitted(effect, &self.options) {
            return Ok(refused(effect).into());
        }
        // The hints of a tool must hold whatever is called through it.
        if tool.is_some_and(|tool| !tools::runs(tool, effect)) {
            return Ok(self.refused(refusal::wrong_tool(&entry.shown, tools::runner(effect))).into());
        }
        let may_confirm = tools::permitted(Effect::Destructive, &self.options);
        let is_confirmed = call.confirmation.is_some() || answered.is_some();
        if effect == Effect::Destructive || (may_confirm && is_confirmed) {
            return self.destructive(entry, &call, answered, context).await;
        }
        let more: &[&str] = if call.dry_run { &["--dry-run"] } else { &[] };
        let ended = self.ended(entry, call.arguments(more), Consent::Withheld, None, context).await?;
        match ended.is_unconfirmed() {
            // How many records a call changes shows only once they are known.
            true if may_confirm => self.destructive(entry, &call, None, context).await,
            true => Ok(self.refused(refusal::too_many(&entry.words, &ended)).into()),
            false => Ok(self.answer(entry, Some(&call), ended).into()),
        }
    }

    /// Runs a command line in its turn.
    pub(super) async fn ended(
        &self,
        entry: &Entry,
        arguments: Vec<String>,
        consent: Consent,
        plan: Option<String>,
        context: &Request,
    ) -> Result<Ended, ErrorData> {
        let cancelled = || ErrorData::internal_error("the call was cancelled", None);
        let local = is_local(entry, &arguments);
        let turn = tokio::select! {
            turn = self.turns.take(local) => turn,
            () = context.ct.cancelled() => return Err(cancelled()),
        };
        if turn.is_none() {
            let error = json!({ "kind": "busy", "message": "too many calls are waiting for the workspace",
                "hint": "wait for them to end, and repeat this one" });
            return Ok(Ended { error: Some(error), ..Ended::default() });
        }
        let line = Line { arguments, files: self.options.files(), consent, plan };
        run(&self.session, line, context).await.ok_or_else(cancelled)
    }

    /// The request that a dry run of this command showed.
    pub(super) fn bound_by(&self, entry: &Entry, shown: &Value) -> Option<Bound> {
        if !Bound::is_needed(entry) {
            return None;
        }
        let context = self.session.context();
        let target = context.settings().and_then(|settings| context.target(&settings)).ok()?;
        Bound::read(entry, shown, target.base_url.path())
    }

    /// The result of a command.
    pub(super) fn answer(&self, entry: &Entry, call: Option<&Call>, ended: Ended) -> CallToolResult {
        let Ended { output, said, mut error, meta, .. } = ended;
        if let Some(error) = &mut error {
            refusal::for_agents(error, &entry.words);
        }
        let said: Vec<String> = said.iter().map(|line| refusal::said(line)).collect();
        let answer = Answer::new(origin(entry, call)).with_said(&said).with_failure(error);
        // What a program made could look like an answer of ours.
        let answer = match call.is_some_and(Call::has_program) {
            true => match meta {
                Some(meta) => answer.with_text("meta", meta, Origin::Own).with_results(&output),
                None => answer.with_results(&output),
            },
            false => answer.with_output(&output),
        };
        let mut answer = limits::told_alike(answer);
        if call.is_some_and(Call::is_compact) && !answer.is_error() {
            answer.note("shown", json!("what tells most; full: true gives all"));
        }
        self.result(answer)
    }

    /// An answer as the result of a tool.
    pub(super) fn result(&self, answer: Answer) -> CallToolResult {
        let is_error = answer.is_error();
        let document = answer.document(&self.pages);
        if is_error {
            CallToolResult::structured_error(document)
        } else {
            CallToolResult::structured(document)
        }
    }

    /// An error of this server's.
    pub(super) fn refused(&self, error: Value) -> CallToolResult {
        self.result(Answer::refused(error))
    }

    /// A document of this program's own.
    fn own(&self, document: &Value) -> CallToolResult {
        self.result(Answer::new(Origin::Own).with_output(&document.to_string()))
    }

    fn more(&self, cursor: &str) -> CallToolResult {
        match self.pages.next(cursor) {
            Some(part) => CallToolResult::structured(part),
            None => self
                .refused(json!({ "kind": "not_found", "message": "this cursor is unknown, or has expired",
                "hint": "repeat the call that gave it" })),
        }
    }

    fn described(&self, name: &str) -> CallToolResult {
        let Some(entry) = catalog().entry(name) else {
            return self.refused(refusal::no_command(name, &near(name)));
        };
        let least = effects::least_change(entry);
        let most = tools::permitted(entry.effect, &self.options);
        self.own(&json!({
            "command": entry.shown,
            "tool": entry.tool_name(),
            "about": entry.about,
            "effect": entry.effect.name(),
            // With some bodies it does less, and needs less.
            "least_effect": (least != entry.effect).then(|| least.name()),
            "permitted": tools::permitted(least, &self.options),
            "run_with": tools::runner(if most { entry.effect } else { least }),
            "preview_with": effects::previews(entry).then(|| tools::runner(Effect::Read)),
            "arguments": schema::input(entry, &self.options.files(), Detail::Full),
            "example": example::arguments(entry),
        }))
    }

    async fn read(&self, uri: &str, context: &Request) -> Result<String, ErrorData> {
        let Some(source) = resources::SOURCES.iter().find(|source| source.uri == uri) else {
            return Err(ErrorData::resource_not_found(format!("there is no resource {uri:?}"), None));
        };
        if source.parts.is_empty() {
            let filter = filter::command().get_after_help().map(ToString::to_string);
            let search = catalog().entry("search").map(|entry| (&entry.about, &entry.parameters[0].help));
            let document = json!({ "api": resources::GRAMMAR, "filters": filter, "search": search });
            return Ok(Answer::new(Origin::Own)
                .with_output(&document.to_string())
                .document(&self.pages)
                .to_string());
        }
        let mut answer = Answer::new(Origin::Documents);
        for (part, line) in source.parts {
            let Some(entry) = catalog().entry(&resources::words(line)) else { continue };
            let line = line.iter().map(|word| (*word).to_owned()).collect();
            let ended = self.ended(entry, line, Consent::Withheld, None, context).await?;
            let (text, origin) = match ended.error {
                Some(error) => (json!({ "error": error }).to_string(), Origin::Moved),
                None => (ended.output, if source.is_own { Origin::Own } else { Origin::Documents }),
            };
            answer = answer.with_text(part, text.trim().to_owned(), origin);
        }
        Ok(answer.document(&self.pages).to_string())
    }
}

fn found(need: &str, limit: Option<u64>) -> Value {
    let entries = catalog().entries();
    let limit = limit.map_or(8, |it| it.clamp(1, 50) as usize);
    let found = catalog::find(&entries, need, limit);
    let commands: Vec<Value> = found
        .iter()
        .map(|found| {
            let entry = found.entry;
            json!({ "command": entry.shown, "about": entry.about, "effect": entry.effect.name(), "run_with": tools::runner(entry.effect) })
        })
        .collect();
    let hint = commands
        .is_empty()
        .then_some("no command fits; use other words, such as the name of a resource and what to do with it");
    json!({ "commands": commands, "hint": hint })
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
    found.iter().map(|found| found.entry.shown.clone()).collect()
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
        self.call(request, &context).await
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
