//! `note` and `reply`, for conversations and tickets.
//!
//! What is typed is what people read: plain text unless the flags say otherwise. A reply reaches a customer, so it is
//! shown and confirmed before it is sent.

use std::marker::PhantomData;

use clap::Args;
use serde_json::{Value, json};

use super::session::VerbSession;
use super::{ActorFlag, after_help};
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::selection::SelectedRecord;
use crate::bulk::{BulkPlan, BulkTarget, Change};
use crate::cli::commands::bulk::execute::refuse_run_names;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::{Content, InputFile};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::subject;
use crate::data::lenient;
use crate::html::compose;

/// Intercom accepts no more per message.
const MAX_ATTACHMENTS: usize = 10;

/// The people shown by name; the rest are counted.
const MAX_NAMES: usize = 3;

/// The records that messages are added to.
pub trait MessageTarget: Send + Sync + 'static {
    const TARGET: BulkTarget;
    const NOTE: Wording;
    const REPLY: Wording;
    /// The flag that closes the record afterwards, where the API can.
    type Close: CloseFlag;
}

/// Whether the record is closed after a reply.
pub trait CloseFlag: Args {
    fn is_given(&self) -> bool;
}

#[derive(Debug, Args)]
#[group(skip)]
pub struct WithClose {
    /// Close the conversation after the reply
    #[arg(long, conflicts_with = "draft_note")]
    close: bool,
}

impl CloseFlag for WithClose {
    fn is_given(&self) -> bool {
        self.close
    }
}

#[derive(Debug, Args)]
#[group(skip)]
pub struct WithoutClose {}

impl CloseFlag for WithoutClose {
    fn is_given(&self) -> bool {
        false
    }
}

/// The words of a command and its help.
pub struct Wording {
    words: &'static str,
    about: &'static str,
    notes: &'static str,
    example: &'static str,
}

pub struct ConversationMessages;

impl MessageTarget for ConversationMessages {
    const TARGET: BulkTarget = BulkTarget::Conversations;
    const NOTE: Wording = Wording {
        words: "conversations note",
        about: "Add an internal note to a conversation",
        notes: "Customers do not see notes. A note cannot be removed through the API.",
        example: "conversations note 215470000000003 'Asked the warehouse'",
    };
    const REPLY: Wording = Wording {
        words: "conversations reply",
        about: "Reply to the customer in a conversation",
        notes: "The text and the receiver are shown and must be confirmed; without a terminal, --yes is needed. \
                With the fields of the API instead of TEXT (--message-type, --type, --admin-id, --body), this is \
                `conversations reply conversation`, which sends at once; its --help lists the fields.",
        example: "conversations reply 215470000000003 'Your refund is on its way.' --close --yes",
    };
    type Close = WithClose;
}

pub struct TicketMessages;

impl MessageTarget for TicketMessages {
    const TARGET: BulkTarget = BulkTarget::Tickets;
    const NOTE: Wording = Wording {
        words: "tickets note",
        about: "Add an internal note to a ticket",
        notes: "Customers do not see notes. A note cannot be removed through the API.",
        example: "tickets note 7300001 'Waiting for the supplier'",
    };
    const REPLY: Wording = Wording {
        words: "tickets reply",
        about: "Reply to the customer in a ticket",
        notes: "The text and the receiver are shown and must be confirmed; without a terminal, --yes is needed. \
                With the fields of the API instead of TEXT (--message-type, --type, --admin-id, --body), this is \
                `tickets reply ticket`, which sends at once; its --help lists the fields.",
        example: "tickets reply 7300001 'This is fixed now.' --yes",
    };
    type Close = WithoutClose;
}

/// The text of a message.
#[derive(Debug, Args)]
#[group(skip)]
struct TextFlags {
    /// Text of the message, with its line breaks; - reads stdin
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    text: Option<String>,
    /// File with the text; - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<InputFile>,
    /// Treat the text as Markdown
    #[arg(long)]
    markdown: bool,
    /// Send the text unchanged, as HTML
    #[arg(long, conflicts_with = "markdown")]
    html: bool,
}

impl TextFlags {
    /// The body of the message, as HTML.
    fn body(&self) -> Result<String, Error> {
        let text = match (&self.text, &self.file) {
            (Some(text), _) if text == "-" => Content::of_stdin().text()?,
            // A message can begin with the name of a teammate, so @ does not name a file here.
            (Some(text), _) => text.clone(),
            (None, Some(file)) => file.text()?,
            (None, None) => {
                let hint = Hint::new("type it after the id, ")
                    .flag("file")
                    .text(" FILE reads it, and - reads stdin");
                return Err(Error::usage_with_hint("no text given", hint));
            }
        };
        let body = match (self.html, self.markdown) {
            (true, _) => text.trim().to_owned(),
            (false, true) => compose::from_markdown(&text),
            (false, false) => compose::from_text(&text),
        };
        if body.is_empty() {
            return Err(Error::usage("the text is empty"));
        }
        Ok(body)
    }
}

/// Adds an internal note.
#[derive(Args)]
#[group(skip)]
#[command(about = T::NOTE.about, after_help = after_help(T::NOTE.notes, T::NOTE.example))]
pub struct AddNote<T: MessageTarget> {
    /// Id of the record
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    text: TextFlags,
    #[command(flatten)]
    actor: ActorFlag,
    #[arg(skip)]
    target: PhantomData<T>,
}

impl<T: MessageTarget> HandwrittenCommand for AddNote<T> {
    const WORDS: &'static str = T::NOTE.words;
    const EFFECT: Effect = Effect::Write;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let record = single(&self.id)?;
        let body = self.text.body()?;
        let session =
            VerbSession::connect(context, Self::WORDS, T::TARGET, self.actor.name.as_deref()).await?;
        let plan = session.plan(vec![(record, Change::Note { body })], Value::Null);
        session.run(plan).await
    }
}

/// Sends a message to the customer.
#[derive(Args)]
#[group(skip)]
#[command(about = T::REPLY.about, after_help = after_help(T::REPLY.notes, T::REPLY.example))]
pub struct SendReply<T: MessageTarget> {
    /// Id of the record
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    text: TextFlags,
    /// Address of a file to attach (repeatable)
    #[arg(long, value_name = "URL", conflicts_with = "draft_note")]
    attach: Vec<String>,
    #[command(flatten)]
    close: T::Close,
    /// Send nothing to the customer: leave the draft as a note for teammates
    #[arg(long)]
    draft_note: bool,
    #[command(flatten)]
    actor: ActorFlag,
    #[arg(skip)]
    target: PhantomData<T>,
}

impl<T: MessageTarget> HandwrittenCommand for SendReply<T> {
    const WORDS: &'static str = T::REPLY.words;
    const EFFECT: Effect = Effect::Destructive;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let record = single(&self.id)?;
        let body = self.text.body()?;
        check_attachments(&self.attach)?;
        let session =
            VerbSession::connect(context, Self::WORDS, T::TARGET, self.actor.name.as_deref()).await?;
        let plan = async {
            if self.draft_note {
                let body = format!("<p><b>Draft reply</b></p>{body}");
                return session.plan(vec![(record, Change::Note { body })], json!({ "draft": true })).await;
            }
            let (attachments, close) = (self.attach, self.close.is_given());
            reply_plan(&session, record, Change::Reply { body, attachments, close }).await
        };
        session.run(plan).await
    }
}

async fn reply_plan(
    session: &VerbSession<'_>,
    record: SelectedRecord,
    change: Change,
) -> Result<BulkPlan, Error> {
    let mut records = [record];
    session.documents(&mut records).await;
    let [record] = records;
    let to = match &record.document {
        Some(document) => receivers(session, document).await,
        None => None,
    };
    let mut plan = session.plan(vec![(record, change)], Value::Null).await?;
    if let (Some(to), [record]) = (to, plan.records.as_mut_slice()) {
        record.shown["to"] = json!(to);
    }
    Ok(plan)
}

/// The names of the people who get a reply, or their ids if they cannot be read soon; `None` without people.
async fn receivers(session: &VerbSession<'_>, document: &Value) -> Option<String> {
    let ids: Vec<String> = document
        .pointer("/contacts/contacts")?
        .as_array()?
        .iter()
        .filter_map(|contact| lenient::id(&contact["id"]))
        .collect();
    let mut names = Vec::new();
    for id in ids.iter().take(MAX_NAMES) {
        let arguments = Arguments::of_record(id);
        let contact = match operation("ShowContact") {
            Ok(reader) => {
                let reply = session.client.fetch(reader, &arguments);
                tokio::time::timeout(subject::NAME_TIMEOUT, reply).await.ok().and_then(Result::ok)
            }
            Err(_) => None,
        };
        let contact: Option<Value> = contact.and_then(|reply| reply.json().ok());
        let name = contact.as_ref().and_then(subject::name);
        names.push(name.unwrap_or_else(|| format!("contact {id}")));
    }
    let rest = ids.len().saturating_sub(MAX_NAMES);
    if rest > 0 {
        names.push(format!("{rest} more"));
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// The one record of a message.
fn single(id: &str) -> Result<SelectedRecord, Error> {
    refuse_run_names(&[id.to_owned()])?;
    if id.trim().is_empty() {
        return Err(Error::usage("the id is empty"));
    }
    Ok(SelectedRecord::with_id(id))
}

fn check_attachments(addresses: &[String]) -> Result<(), Error> {
    if addresses.len() > MAX_ATTACHMENTS {
        let (given, most) = (addresses.len(), MAX_ATTACHMENTS);
        return Err(Error::usage(format!("--attach: {given} files: expected at most {most}")));
    }
    let is_address = |address: &&String| {
        reqwest::Url::parse(address)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    match addresses.iter().find(|address| !is_address(address)) {
        None => Ok(()),
        Some(wrong) => Err(Error::usage(format!(
            "--attach: invalid address {wrong:?}: expected an http or https address that Intercom can read"
        ))),
    }
}
