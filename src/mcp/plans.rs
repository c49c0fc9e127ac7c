//! Destructive calls, which run only after somebody has agreed to their plan.
//!
//! A plan is the request with the current record, or the records with their changes; it is never just a filter.
//! A command that can run a plan gets exactly the one that was shown. Any other call is planned again first, and
//! refused if the new plan differs.

use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult};
use serde_json::{Map, Value, json};

use super::arguments::{ToolCall, sorted};
use super::bound::BoundRequest;
use super::confirmation::{LIFETIME, Proposal};
use super::elicit::{self, ElicitationMethod};
use super::question;
use super::subject::{self, RecordLookup, RequestSubject};
use super::tool_result::ToolResult;
use super::tool_server::{CallContext, ToolServer};
use super::untrusted::TextOrigin;
use crate::cli::catalog::CatalogEntry;
use crate::cli::consent::Consent;
use crate::cli::output::compact;

/// Fields of a record that the API updates by itself.
const CLOCK_FIELDS: [&str; 8] = [
    "updated_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "last_request_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "synced_at",
];

/// A planned call: the proposal to confirm, and the document to show.
struct PlannedCall {
    proposal: Proposal,
    document: Value,
    origin: TextOrigin,
    /// The request, if the command sends exactly one.
    bound: Option<BoundRequest>,
}

impl ToolServer {
    /// Plans a call, or runs one whose plan was agreed to. `answer` is the token of a call that the client
    /// repeats, and whether the user agreed.
    pub(super) async fn destructive(
        &self,
        entry: &CatalogEntry,
        call: &ToolCall,
        answer: Option<(String, bool)>,
        context: &CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        let identity = call.identity();
        if let Some((token, agreed)) = answer {
            return match self.confirmations.redeem(&token, &identity) {
                Ok(proposal) if agreed => self.carry_out(entry, call, proposal, context).await,
                Ok(_) => Ok(self.declined().into()),
                Err(reason) => Ok(self.unconfirmed(reason).into()),
            };
        }
        let method = elicit::method(context).filter(|_| !call.dry_run);
        if let Some(token) = call.confirmation.as_deref().filter(|_| !call.dry_run) {
            let proposal = match self.confirmations.of(token, &identity) {
                Ok(proposal) => proposal,
                Err(reason) => return Ok(self.unconfirmed(reason).into()),
            };
            return match method {
                Some(ElicitationMethod::InResult) => Ok(self.ask_in_result(&proposal.question, token)),
                Some(ElicitationMethod::Request)
                    if !elicit::ask(context, &proposal.question, LIFETIME).await =>
                {
                    Ok(self.declined().into())
                }
                // Asking takes time, so the token is redeemed only now.
                _ => match self.confirmations.redeem(token, &identity) {
                    Ok(proposal) => self.carry_out(entry, call, proposal, context).await,
                    Err(reason) => Ok(self.unconfirmed(reason).into()),
                },
            };
        }
        let plan = match self.plan(entry, call, context).await? {
            Ok(plan) => plan,
            Err(failed) => return Ok(failed.into()),
        };
        match method {
            Some(ElicitationMethod::Request)
                if elicit::ask(context, &plan.proposal.question, LIFETIME).await =>
            {
                self.carry_out(entry, call, plan.proposal, context).await
            }
            Some(ElicitationMethod::Request) => Ok(self.declined().into()),
            Some(ElicitationMethod::InResult) => {
                let question = plan.proposal.question.clone();
                let token = self.confirmations.issue(plan.proposal);
                Ok(token
                    .map_or_else(|| self.declined().into(), |token| self.ask_in_result(&question, &token)))
            }
            None => {
                let missing = "confirmation required: this call overwrites, removes, reaches customers or changes many records";
                Ok(self.planned(plan, (!call.dry_run).then_some(missing)).into())
            }
        }
    }

    /// The plan with its token; `missing` says why the call was not run.
    fn planned(&self, plan: PlannedCall, missing: Option<&str>) -> CallToolResult {
        let PlannedCall { proposal, document, origin, .. } = plan;
        let error = missing.map(|message| {
            json!({ "kind": "confirmation", "message": message,
                "hint": "repeat the call with the confirmation once the user has agreed to the plan" })
        });
        let next = "show the plan to the user; when they agree, repeat this call with the same arguments and this confirmation";
        let answer = ToolResult::new(TextOrigin::Own)
            .with("confirmation", &json!(self.confirmations.issue(proposal)), TextOrigin::Own)
            .with("expires_in_seconds", &json!(LIFETIME.as_secs()), TextOrigin::Own)
            .with("next", &json!(next), TextOrigin::Own)
            .with("plan", &document, origin);
        self.result(answer.with_error(error))
    }

    fn unconfirmed(&self, reason: &str) -> CallToolResult {
        self.refused(json!({ "kind": "confirmation", "message": reason,
            "hint": "call with dry_run for a plan and a new confirmation" }))
    }

    fn declined(&self) -> CallToolResult {
        self.refused(
            json!({ "kind": "confirmation", "message": "the user did not agree; nothing was changed",
            "hint": "do not repeat the call unless the user asks for it" }),
        )
    }

    fn ask_in_result(&self, question: &str, token: &str) -> CallToolResponse {
        elicit::input_required(question, token)
            .map_or_else(|| self.declined().into(), CallToolResponse::InputRequired)
    }

    async fn carry_out(
        &self,
        entry: &CatalogEntry,
        call: &ToolCall,
        agreed: Proposal,
        context: &CallContext,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut call = call.clone();
        if agreed.plan.is_none() {
            // The user agreed to the record as it was shown.
            match self.plan(entry, &call, context).await? {
                Ok(now) if now.proposal.snapshot == agreed.snapshot => {
                    if let Some(body) = now.bound.as_ref().and_then(BoundRequest::body) {
                        call.fix_body(entry, body);
                    }
                }
                Ok(now) => {
                    return Ok(self
                        .planned(now, Some("the plan has changed since it was shown; nothing was changed"))
                        .into());
                }
                Err(failed) => return Ok(failed.into()),
            }
        }
        let outcome =
            self.run_command(entry, call.arguments(&[]), Consent::Full, agreed.plan, context).await?;
        Ok(self.answer(entry, Some(&call), outcome).into())
    }

    /// Plans a call. The inner error is the result to return for a call that cannot be planned.
    async fn plan(
        &self,
        entry: &CatalogEntry,
        call: &ToolCall,
        context: &CallContext,
    ) -> Result<Result<PlannedCall, CallToolResult>, ErrorData> {
        let planned =
            self.run_command(entry, call.plan_arguments(), Consent::Withheld, None, context).await?;
        if planned.has_failed() {
            return Ok(Err(self.answer(entry, Some(call), planned)));
        }
        let document = match planned.document() {
            Ok(document) if document.is_object() => document,
            Ok(results) => json!({ "results": results }),
            Err(error) => {
                let error = json!({ "kind": "failure", "message": format!("cannot read the plan: {error}"),
                    "hint": "this is a bug in intercom-pp-cli; nothing was changed" });
                return Ok(Err(self.refused(error)));
            }
        };
        let bound = self.bound_request(entry, &document);
        // Put the summary before the list, which may be long.
        let mut summary = Map::new();
        // Our own request only repeats the arguments.
        let mut origin = super::origin(entry, None);
        let mut snapshot = json!({ "results": without_clocks(&document) });
        if let Some(bound) = &bound {
            origin = TextOrigin::Documents;
            let now = self.before(bound, context).await?;
            snapshot = json!({ "method": bound.method, "path": bound.path, "query": bound.query,
                "body": bound.timeless_body(), "before": now.compared() });
            now.describe(bound, &mut summary);
        } else if let Some(records) = record_count(&document) {
            summary.insert("records".to_owned(), json!(records));
        }
        summary.extend(document.as_object().cloned().unwrap_or_default());
        let mut document = Value::Object(summary);
        let question = question::text(entry, &document, bound.as_ref(), call.given());
        if let Some(fields) = document.as_object_mut() {
            fields.shift_remove("names");
        }
        let snapshot = sorted(snapshot).to_string();
        let proposal = Proposal { call: call.identity(), plan: planned.plan, snapshot, question };
        Ok(Ok(PlannedCall { proposal, document, origin, bound }))
    }

    /// The current state of the records that a request names.
    async fn before(&self, bound: &BoundRequest, context: &CallContext) -> Result<Before, ErrorData> {
        let mut records = Vec::new();
        for subject in subject::of(bound) {
            let record = self.record(&subject, bound, context).await?;
            records.push((subject, record));
        }
        let set = bound.body.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
        Ok(Before { records, set })
    }

    /// The current state of a record: its key fields, and the fields that the call would set.
    async fn record(
        &self,
        subject: &RequestSubject,
        bound: &BoundRequest,
        context: &CallContext,
    ) -> Result<Value, ErrorData> {
        let mut error = json!("the API does not show this record");
        for read in &subject.lookups {
            let full = match self.look_up(read, context).await? {
                Ok(full) => full,
                Err(message) => {
                    error = message;
                    continue;
                }
            };
            let mut record = compact::record(&full);
            if let (true, Value::Object(set), Some(fields)) =
                (subject.is_set, &bound.body, record.as_object_mut())
            {
                for (name, value) in set {
                    if let Some(now) = full.get(name) {
                        fields.insert(name.clone(), subject::overwritten(value, now));
                    }
                }
            }
            return Ok(record);
        }
        Ok(json!({ "error": error }))
    }

    /// The record that a lookup returns, or the reason why it returns none.
    async fn look_up(
        &self,
        read: &RecordLookup,
        context: &CallContext,
    ) -> Result<Result<Value, Value>, ErrorData> {
        let mut line: Vec<String> = ["api", "--json", "--no-input"].map(str::to_owned).to_vec();
        line.extend(read.query.iter().map(|(name, value)| format!("--query={name}={value}")));
        line.extend(read.body.iter().map(|body| format!("--body-json={body}")));
        line.extend(["--".to_owned(), read.method.to_owned(), read.path.clone()]);
        let missing = || json!("the API does not show this record");
        let Some(reader) = self.catalog.entry("api") else { return Ok(Err(missing())) };
        let outcome = self.run_command(reader, line, Consent::Withheld, None, context).await?;
        if let Some(error) = outcome.error {
            return Ok(Err(error.as_json()["message"].take()));
        }
        let document = match outcome.document() {
            Ok(document) => document,
            Err(error) => return Ok(Err(json!(format!("cannot read this record: {error}")))),
        };
        let results = &document["results"];
        let record = match (&read.inside, &read.body) {
            (Some(id), _) => subject::inside(results, id).cloned(),
            // A search: any of its hits may be meant.
            (None, Some(_)) => match results["data"].as_array().map(Vec::as_slice) {
                None | Some([]) => None,
                Some([one]) => Some(one.clone()),
                Some(several) => Some(several.iter().map(compact::record).collect()),
            },
            (None, None) => Some(results.clone()),
        };
        Ok(record.ok_or_else(missing))
    }
}

/// The records of a request, before it is sent.
struct Before {
    records: Vec<(RequestSubject, Value)>,
    /// Fields that the request sets.
    set: Vec<String>,
}

impl Before {
    /// The part of the records that must be unchanged when the request is sent: everything except the API's
    /// own timestamps, unless the request sets those.
    fn compared(&self) -> Value {
        let clock = |name: &str| CLOCK_FIELDS.contains(&name) && !self.set.iter().any(|set| set == name);
        let compared = self.records.iter().map(|(subject, record)| {
            let mut record = record.clone();
            if let Some(fields) = record.as_object_mut() {
                fields.retain(|name, _| !clock(name));
            }
            json!([subject.label, record])
        });
        compared.collect()
    }

    /// Adds the records to the plan.
    fn describe(self, bound: &BoundRequest, plan: &mut Map<String, Value>) {
        let changed = self.records.iter().filter(|(subject, _)| subject.is_changed).count();
        plan.insert("records".to_owned(), json!(changed.max(bound.records())));
        let each = self.records.iter().flat_map(|(_, record)| match record {
            Value::Array(several) => several.as_slice(),
            one => std::slice::from_ref(one),
        });
        let names: Vec<String> = each.filter_map(crate::cli::subject::name).collect();
        if !names.is_empty() {
            plan.insert("name".to_owned(), json!(names.join(" → ")));
            plan.insert("names".to_owned(), json!(names));
        }
        let mut main = None;
        let mut others = Map::new();
        for (subject, record) in self.records {
            match subject.label {
                None => main = Some(record),
                Some(label) => drop(others.insert(label, record)),
            }
        }
        match main {
            Some(record) => {
                plan.insert("before".to_owned(), record);
                if !others.is_empty() {
                    plan.insert("named".to_owned(), others.into());
                }
            }
            None => drop(plan.insert("before".to_owned(), others.into())),
        }
    }
}

/// How many records a plan would change.
fn record_count(document: &Value) -> Option<u64> {
    let results = &document["results"];
    let counted = ["would_change", "would_tag"].iter().find_map(|name| results[*name].as_u64());
    counted.or_else(|| results.as_array().map(|rows| rows.len() as u64))
}

/// The part of a plan that must be unchanged when it is run: everything except the API's own timestamps.
fn without_clocks(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let is_ignored = |name: &str| name == "meta" || CLOCK_FIELDS.contains(&name);
            let kept = fields.iter().filter(|(name, _)| !is_ignored(name));
            kept.map(|(name, value)| match name.as_str() {
                "custom_attributes" => (name.clone(), value.clone()),
                _ => (name.clone(), without_clocks(value)),
            })
            .collect::<Map<_, _>>()
            .into()
        }
        Value::Array(elements) => elements.iter().map(without_clocks).collect(),
        other => other.clone(),
    }
}
