//! Verbs: commands that make one change to one record or a few, such as `conversations close ID`.
//!
//! A verb says what it does, so it acts at once, without `--apply`. Otherwise it is a bulk run: it reads first, verifies,
//! keeps a journal, and can be undone. A verb must never send what the plan does not show.

mod assignee;
mod carry_out;
mod message;
mod result;
mod session;

use clap::Args;
use serde_json::Value;

pub use assignee::AssigneeFlags;
pub use message::{AddNote, ConversationMessages, SendReply, TicketMessages};
pub use session::{VerbSession, pick};

use crate::bulk::selection::{self, SelectedRecord};
use crate::bulk::{BulkTarget, Change};
use crate::cli::commands::bulk::execute::refuse_run_names;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::files::Content;
use crate::cli::registry::{Effect, HandwrittenCommand};

/// One kind of change, the same for all records.
pub trait Verb: Args {
    const WORDS: &'static str;
    const TARGET: BulkTarget;
    const ABOUT: &'static str;
    /// What the short help leaves out.
    const NOTES: &'static str;
    /// A command line, without the name of the program.
    const EXAMPLE: &'static str;

    /// The change, and its fields in the result.
    ///
    /// # Errors
    /// For invalid flags, and names that the workspace does not have; API errors.
    fn resolve(&self, session: &VerbSession<'_>) -> impl Future<Output = Result<(Change, Value), Error>>;
}

/// The records, and who changes them.
#[derive(Debug, Args)]
#[group(skip)]
pub struct RecordFlags {
    /// Ids of the records; - reads them from stdin, one per line
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    pub actor: ActorFlag,
}

/// The teammate who makes the change.
#[derive(Debug, Args)]
#[group(skip)]
pub struct ActorFlag {
    /// Teammate who acts, by name, email address or id [default: the owner of the token]
    #[arg(id = "as", long = "as", value_name = "NAME|ID")]
    pub name: Option<String>,
}

impl RecordFlags {
    /// The records, each once, in the order given.
    ///
    /// # Errors
    /// A usage error for the name of a run, or if no id is given; if stdin cannot be read.
    pub fn records(&self) -> Result<Vec<SelectedRecord>, Error> {
        refuse_run_names(&self.ids)?;
        let mut records = Vec::new();
        for id in &self.ids {
            match id.trim() {
                "-" => {
                    let lines = Content::of_stdin().text()?;
                    let lines = lines.lines().filter(|line| !line.trim().is_empty());
                    records.extend(lines.map(SelectedRecord::with_id));
                }
                "" => return Err(Error::usage("an id is empty")),
                id => records.push(SelectedRecord::with_id(id)),
            }
        }
        if records.is_empty() {
            return Err(Error::usage("no ids on stdin"));
        }
        Ok(selection::without_duplicates(records))
    }
}

/// Runs a verb.
#[derive(Args)]
#[group(skip)]
#[command(about = V::ABOUT, after_help = after_help(V::NOTES, V::EXAMPLE))]
pub struct VerbCommand<V: Verb> {
    #[command(flatten)]
    verb: V,
    #[command(flatten)]
    records: RecordFlags,
}

/// The help below the flags.
pub fn after_help(notes: &str, example: &str) -> String {
    let space = if notes.is_empty() { "" } else { "\n\n" };
    format!("{notes}{space}Example: intercom-pp-cli {example}")
}

impl<V: Verb> HandwrittenCommand for VerbCommand<V> {
    const WORDS: &'static str = V::WORDS;
    const EFFECT: Effect = Effect::Write;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let records = self.records.records()?;
        let actor = self.records.actor.name.as_deref();
        let session = VerbSession::connect(context, V::WORDS, V::TARGET, actor).await?;
        let plan = async {
            let (change, about) = self.verb.resolve(&session).await?;
            session.plan(records.into_iter().map(|record| (record, change.clone())).collect(), about).await
        };
        session.run(plan).await
    }
}
