//! Calls that are carried out only when somebody has agreed to what they would do.
//!
//! What is agreed to is a plan: the request with the record as it is, or the records with their changes. The
//! plan is kept as it was shown. A command that can carry out a plan gets that very one; any other call is
//! planned again, and not made when that shows something else. Nobody agrees to a filter.

use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::bound::Bound;
use super::call::{Call, sorted};
use super::confirmation::{LIFETIME, Shown};
use super::elicit::{self, Way};
use super::marks::Origin;
use super::question;
use super::run::Ended;
use super::server::{Request, Server};
use super::subject::{self, Read, Subject};
use crate::cli::catalog::Entry;
use crate::cli::consent::Consent;
use crate::cli::output::compact;

/// Fields of a record that the API moves on by itself.
const CLOCKS: [&str; 8] = [
    "updated_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "last_request_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "synced_at",
];

/// A plan, and what there is to show of it.
struct Plan {
    shown: Shown,
    document: Value,
    origin: Origin,
    /// The request, where the call is one.
    bound: Option<Bound>,
}

impl Server {
    /// Plans a call, or carries out one that was planned and agreed to. `answered` is the token of a
    /// call that the client repeats, and whether somebody agreed to it there.
    pub(super) async fn destructive(
        &self,
        entry: &Entry,
        call: &Call,
        answered: Option<(String, bool)>,
        context: &Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let essence = call.essence();
        if let Some((token, agreed)) = answered {
            return match self.confirmations.redeem(&token, &essence) {
                Ok(shown) if agreed => self.carry_out(entry, call, shown, context).await,
                Ok(_) => Ok(self.declined().into()),
                Err(reason) => Ok(self.unconfirmed(reason).into()),
            };
        }
        let way = elicit::way(context).filter(|_| !call.dry_run);
        if let Some(token) = call.confirmation.as_deref().filter(|_| !call.dry_run) {
            let shown = match self.confirmations.of(token, &essence) {
                Ok(shown) => shown,
                Err(reason) => return Ok(self.unconfirmed(reason).into()),
            };
            return match way {
                Some(Way::Answer) => Ok(self.ask_in_answer(&shown.question, token)),
                Some(Way::Request) if !elicit::ask(context, &shown.question, LIFETIME).await => {
                    Ok(self.declined().into())
                }
                // Asking takes time: only now the token is used up.
                _ => match self.confirmations.redeem(token, &essence) {
                    Ok(shown) => self.carry_out(entry, call, shown, context).await,
                    Err(reason) => Ok(self.unconfirmed(reason).into()),
                },
            };
        }
        let plan = match self.plan(entry, call, context).await? {
            Ok(plan) => plan,
            Err(failed) => return Ok(failed.into()),
        };
        match way {
            Some(Way::Request) if elicit::ask(context, &plan.shown.question, LIFETIME).await => {
                self.carry_out(entry, call, plan.shown, context).await
            }
            Some(Way::Request) => Ok(self.declined().into()),
            Some(Way::Answer) => {
                let question = plan.shown.question.clone();
                let token = self.confirmations.issue(plan.shown);
                Ok(token
                    .map_or_else(|| self.declined().into(), |token| self.ask_in_answer(&question, &token)))
            }
            None => {
                let missing = "this call needs a confirmation: it overwrites, removes, reaches customers, or changes many records";
                Ok(self.planned(plan, (!call.dry_run).then_some(missing)).into())
            }
        }
    }

    /// The plan as an answer, with its token; `missing` says why nothing was done.
    fn planned(&self, plan: Plan, missing: Option<&str>) -> CallToolResult {
        let Plan { shown, document, origin, .. } = plan;
        let error = missing.map(|message| {
            json!({ "kind": "confirmation", "message": message,
                "hint": "repeat the call with the confirmation, once the user has agreed to the plan" })
        });
        let next = "show the plan to the user; when they agree, repeat this call with the same arguments and this confirmation";
        let answer = Answer::new(Origin::Own)
            .with("confirmation", &json!(self.confirmations.issue(shown)), Origin::Own)
            .with("expires_in_seconds", &json!(LIFETIME.as_secs()), Origin::Own)
            .with("next", &json!(next), Origin::Own)
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

    fn ask_in_answer(&self, question: &str, token: &str) -> CallToolResponse {
        elicit::required(question, token)
            .map_or_else(|| self.declined().into(), CallToolResponse::InputRequired)
    }

    async fn carry_out(
        &self,
        entry: &Entry,
        call: &Call,
        agreed: Shown,
        context: &Request,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut call = call.clone();
        if agreed.plan.is_none() {
            // Whoever agreed has seen the record as it was.
            match self.plan(entry, &call, context).await? {
                Ok(now) if now.shown.seen == agreed.seen => {
                    if let Some(body) = now.bound.as_ref().and_then(Bound::body) {
                        call.settle(entry, body);
                    }
                }
                Ok(now) => {
                    return Ok(self
                        .planned(now, Some("what this call would change is not what was shown any more"))
                        .into());
                }
                Err(failed) => return Ok(failed.into()),
            }
        }
        let ended = self.ended(entry, call.arguments(&[]), Consent::Full, agreed.plan, context).await?;
        Ok(self.answer(entry, Some(&call), ended).into())
    }

    /// Plans a call; the answer of a call that cannot be planned is its error.
    async fn plan(
        &self,
        entry: &Entry,
        call: &Call,
        context: &Request,
    ) -> Result<Result<Plan, CallToolResult>, ErrorData> {
        let planned = self.ended(entry, call.plan_arguments(), Consent::Withheld, None, context).await?;
        if planned.has_failed() {
            return Ok(Err(self.answer(entry, Some(call), planned)));
        }
        let mut document = planned.document();
        if !document.is_object() {
            document = json!({ "results": document });
        }
        let bound = self.bound_by(entry, &document);
        // What it is about comes before a list that may be long.
        let mut about = Map::new();
        // Our own request says nothing that the arguments do not say.
        let mut origin = super::origin(entry, None);
        let mut seen = json!({ "results": lasting(&document) });
        if let Some(bound) = &bound {
            origin = Origin::Documents;
            let now = self.before(bound, context).await?;
            seen = json!({ "method": bound.method, "path": bound.path, "query": bound.query,
                "body": bound.timeless_body(), "before": now.compared() });
            now.describe(bound, &mut about);
        } else if let Some(records) = due(&document) {
            about.insert("records".to_owned(), json!(records));
        }
        about.extend(document.as_object().cloned().unwrap_or_default());
        let mut document = Value::Object(about);
        let question = question::text(entry, &document, bound.as_ref(), call.given());
        if let Some(fields) = document.as_object_mut() {
            fields.shift_remove("names");
        }
        let shown =
            Shown { call: call.essence(), plan: planned.plan, seen: sorted(seen).to_string(), question };
        Ok(Ok(Plan { shown, document, origin, bound }))
    }

    /// The records that a request names, as they are now.
    async fn before(&self, bound: &Bound, context: &Request) -> Result<Before, ErrorData> {
        let mut records = Vec::new();
        for subject in subject::of(bound) {
            let record = self.record(&subject, bound, context).await?;
            records.push((subject, record));
        }
        let set = bound.body.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
        Ok(Before { records, set })
    }

    /// A record as it is now: what identifies it, and the fields that the call would set.
    async fn record(&self, subject: &Subject, bound: &Bound, context: &Request) -> Result<Value, ErrorData> {
        let mut error = json!("the API does not show this record");
        for read in &subject.reads {
            let whole = match self.found(read, context).await? {
                Ok(whole) => whole,
                Err(message) => {
                    error = message;
                    continue;
                }
            };
            let mut record = compact::record(&whole);
            if let (true, Value::Object(set), Some(shown)) =
                (subject.is_set, &bound.body, record.as_object_mut())
            {
                for (name, value) in set {
                    if let Some(now) = whole.get(name) {
                        shown.insert(name.clone(), subject::overwritten(value, now));
                    }
                }
            }
            return Ok(record);
        }
        Ok(json!({ "error": error }))
    }

    /// The record that a read shows, or why it shows none.
    async fn found(&self, read: &Read, context: &Request) -> Result<Result<Value, Value>, ErrorData> {
        let mut line: Vec<String> = ["api", "--json", "--no-input"].map(str::to_owned).to_vec();
        line.extend(read.query.iter().map(|(name, value)| format!("--query={name}={value}")));
        line.extend(read.body.iter().map(|body| format!("--body-json={body}")));
        line.extend(["--".to_owned(), read.method.to_owned(), read.path.clone()]);
        let missing = || json!("the API does not show this record");
        let Some(reader) = crate::cli::catalog().entry("api") else { return Ok(Err(missing())) };
        let Ended { output, error, .. } = self.ended(reader, line, Consent::Withheld, None, context).await?;
        if let Some(error) = error {
            return Ok(Err(error["message"].clone()));
        }
        let document: Value = serde_json::from_str(&output).unwrap_or_default();
        let whole = &document["results"];
        let shown = match (&read.inside, &read.body) {
            (Some(id), _) => subject::inside(whole, id).cloned(),
            // A search: all that it finds may be meant.
            (None, Some(_)) => match whole["data"].as_array().map(Vec::as_slice) {
                None | Some([]) => None,
                Some([one]) => Some(one.clone()),
                Some(several) => Some(several.iter().map(compact::record).collect()),
            },
            (None, None) => Some(whole.clone()),
        };
        Ok(shown.ok_or_else(missing))
    }
}

/// The records of a request before it is sent.
struct Before {
    records: Vec<(Subject, Value)>,
    /// Fields that the request sets.
    set: Vec<String>,
}

impl Before {
    /// What of the records must still be so when the request is sent: everything but the API's own clocks,
    /// and these too where the request sets them.
    fn compared(&self) -> Value {
        let clock = |name: &str| CLOCKS.contains(&name) && !self.set.iter().any(|set| set == name);
        let compared = self.records.iter().map(|(subject, record)| {
            let mut record = record.clone();
            if let Some(fields) = record.as_object_mut() {
                fields.retain(|name, _| !clock(name));
            }
            json!([subject.label, record])
        });
        compared.collect()
    }

    /// Puts the records into the plan.
    fn describe(self, bound: &Bound, plan: &mut Map<String, Value>) {
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
        let mut own = None;
        let mut named = Map::new();
        for (subject, record) in self.records {
            match subject.label {
                None => own = Some(record),
                Some(label) => drop(named.insert(label, record)),
            }
        }
        match own {
            Some(record) => {
                plan.insert("before".to_owned(), record);
                if !named.is_empty() {
                    plan.insert("named".to_owned(), named.into());
                }
            }
            None => drop(plan.insert("before".to_owned(), named.into())),
        }
    }
}

/// How many records a plan would change.
fn due(document: &Value) -> Option<u64> {
    let results = &document["results"];
    let counted = ["would_change", "would_tag"].iter().find_map(|name| results[*name].as_u64());
    counted.or_else(|| results.as_array().map(|rows| rows.len() as u64))
}

/// What of a plan must still be so when it is carried out: not what the API's clocks say.
fn lasting(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let passing = |name: &str| name == "meta" || CLOCKS.contains(&name);
            let kept = fields.iter().filter(|(name, _)| !passing(name));
            kept.map(|(name, value)| match name.as_str() {
                "custom_attributes" => (name.clone(), value.clone()),
                _ => (name.clone(), lasting(value)),
            })
            .collect::<Map<_, _>>()
            .into()
        }
        Value::Array(elements) => elements.iter().map(lasting).collect(),
        other => other.clone(),
    }
}
