//! `conversations bulk-*`, `contacts bulk-*` and `companies bulk-tag`: one kind of change for many records.

use clap::Args;
use serde_json::{Value, json};

use super::execute::{self, BulkSession, ResumeOptions, RunFlags};
use super::selection::{FilterFlag, SelectionFlags};
use super::tag_flags::TagChoice;
use crate::api::client::Client;
use crate::bulk::{BulkPlan, BulkTarget, Change, contact_fields};
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::time::{Times, times};

/// A kind of change, with the flags that describe it.
pub trait BulkChange: Args {
    const WORDS: &'static str;
    const EFFECT: Effect;
    const TARGET: BulkTarget;
    const ABOUT: &'static str;
    /// A command line, without the name of the program.
    const EXAMPLE: &'static str;
    type Filter: FilterFlag;

    /// The tag to attach or remove.
    fn tag(&self) -> Option<&TagChoice> {
        None
    }

    /// The change, and its fields in the result.
    ///
    /// # Errors
    /// For invalid flags, and names that the workspace does not have; API errors.
    fn resolve(&self, client: &Client, times: &Times)
    -> impl Future<Output = Result<(Change, Value), Error>>;
}

/// Makes one kind of change to many records.
#[derive(Args)]
#[group(skip)]
#[command(about = C::ABOUT, after_help = after_help(C::EXAMPLE))]
pub struct BulkCommand<C: BulkChange> {
    #[command(flatten)]
    change: C,
    #[command(flatten)]
    selection: SelectionFlags<C::Filter>,
    #[command(flatten)]
    run: RunFlags,
}

fn after_help(example: &str) -> String {
    format!(
        "Nothing is changed without --apply. Each run keeps a journal: --resume continues an interrupted run, \
         `bulk undo` reverts a run. More than 100 records must be confirmed by typing their number, or with --yes. \
         Runs on one machine wait for each other; if two machines change the same record at the same time, both \
         may count it as theirs, and `bulk undo` of either run reverts it, unless the record shows that another \
         teammate made the change.\n\n\
         Example: intercom-pp-cli {example}"
    )
}

impl<C: BulkChange> HandwrittenCommand for BulkCommand<C> {
    const WORDS: &'static str = C::WORDS;
    const EFFECT: Effect = C::EFFECT;

    async fn run(self, context: &Context) -> Result<(), Error> {
        execute::refuse_run_names(self.selection.ids())?;
        let session = BulkSession::connect(context, &self.run, C::WORDS).await?;
        let options = ResumeOptions {
            has_selection: self.selection.is_given(),
            ids: self.selection.ids(),
            tag: self.change.tag(),
            undoes: None,
        };
        session.run(options, self.plan(&session)).await
    }
}

impl<C: BulkChange> BulkCommand<C> {
    async fn plan(&self, session: &BulkSession<'_>) -> Result<BulkPlan, Error> {
        let times = times(session.context)?;
        let (change, fields) = self.change.resolve(&session.client, &times).await?;
        let action = C::WORDS.rsplit_once("bulk-").map_or(C::WORDS, |(_, action)| action);
        let mut about = json!({ "action": action });
        if let (Value::Object(about), Value::Object(fields)) = (&mut about, fields) {
            about.extend(fields);
        }
        let (selected, selection) =
            self.selection.select(session.context, &session.client, C::TARGET).await?;
        let with_change = selected.into_iter().map(|record| {
            let change = contact_fields::change_of(&change, &record, &|text| times.moment(text))?;
            Ok((record, change))
        });
        let records = with_change.collect::<Result<Vec<_>, Error>>()?;
        let records = session.planner(C::TARGET).plan(records).await?;
        Ok(BulkPlan {
            selection,
            about,
            ..BulkPlan::new(C::WORDS, C::TARGET, &session.identity.workspace, records)
        })
    }
}
