//! Carries out a verb: plan, preview or confirm, send, verify, report.
//!
//! Nothing may be sent before the plan is in the journal and, for a reply, before somebody has seen its text and its
//! receiver and agreed.

use super::result;
use super::session::{CONCURRENCY, VerbSession};
use crate::bulk::report::RunReport;
use crate::bulk::{BulkPlan, Change, PlannedRecord, run};
use crate::cli::commands::bulk::execute;
use crate::cli::consent::{Confirm, Intent};
use crate::cli::error::Error;
use crate::cli::output::{notice, to_json_text};
use crate::cli::streams;
use crate::data::printable::one_line;
use crate::html::plain;

impl VerbSession<'_> {
    /// Shows the plan with `--dry-run`, and carries it out otherwise.
    ///
    /// # Errors
    /// Those of planning and sending; if the changes are not confirmed; if a record was not changed.
    pub async fn run(&self, new_plan: impl Future<Output = Result<BulkPlan, Error>>) -> Result<(), Error> {
        let dry_run = self.context.globals.consent.dry_run;
        let plan = match self.agreed_plan().await? {
            Some(plan) => plan,
            None => new_plan.await?,
        };
        if let Some(capture) = streams::current() {
            capture.keep_plan(to_json_text(&plan)?);
        }
        if dry_run || plan.due() == 0 {
            return result::print(self, &RunReport::of_plan(&plan, dry_run), &plan.about).await;
        }
        self.agree(&plan)?;
        let about = plan.about.clone();
        let mut journal = run::start(&self.client, &self.identity, plan).await?;
        execute::send(
            &self.context.globals.output,
            &self.client,
            &mut journal,
            CONCURRENCY,
            "finishing the requests in progress",
        )
        .await?;
        result::print(self, &RunReport::of_run(journal.run(), false), &about).await
    }

    /// The plan that an agent's user has agreed to, with the current state of its records.
    async fn agreed_plan(&self) -> Result<Option<BulkPlan>, Error> {
        let capture = streams::current();
        let Some(text) = capture.as_ref().and_then(|capture| capture.plan()) else { return Ok(None) };
        let mut plan = BulkPlan::parse(text, "the plan", self.command, &self.identity.workspace)?;
        self.planner().refresh(&mut plan, true).await?;
        Ok(Some(plan))
    }

    /// Asks before a reply is sent, and before many records are changed.
    fn agree(&self, plan: &BulkPlan) -> Result<(), Error> {
        let reply = plan.records.iter().find(|record| matches!(record.change, Change::Reply { .. }));
        if let Some(record) = reply {
            let receiver = result::receiver(record, self.target);
            let intent = Intent::new(format!("Reply to {receiver}"), Confirm::Explicit)
                .with_consequence("A sent reply cannot be taken back.")
                .or_else("not sent");
            if self.context.needs_confirmation(&intent)? {
                notice(&self.letter(record));
            }
            return self.context.confirm(&intent);
        }
        let due = plan.due();
        let records = if due == 1 { plan.target.singular() } else { plan.target.as_str() };
        let intent = Intent::new(format!("{} {due} {records}", plan.verb()), Confirm::Never);
        self.context.confirm(&intent.with_records(due).undoable())
    }

    /// The reply as people read it: to whom, from whom, and every line.
    fn letter(&self, record: &PlannedRecord) -> String {
        let Change::Reply { body, attachments, close } = &record.change else { return String::new() };
        let from = self.identity.admin_name.as_deref().unwrap_or("the owner of the token");
        let mut lines = vec![
            format!("To:   {}", result::receiver(record, self.target)),
            format!("From: {}, in {} {}", one_line(from), self.target.singular(), record.id),
        ];
        lines.push(String::new());
        lines.extend(plain::text(body).lines().map(|line| format!("  {line}")));
        lines.extend(attachments.iter().map(|address| format!("  attached: {address}")));
        if *close {
            lines.extend([String::new(), format!("The {} is closed afterwards.", self.target.singular())]);
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
