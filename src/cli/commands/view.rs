//! `view`: one record as people look at it. The request, the mirror and the documents are those of the `get` command.

use clap::Args;
use serde_json::json;

use crate::api::request_builder::operation;
use crate::api::web_address::WebPage;
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::globals::DataSource;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::view::options::ViewOptions;
use crate::cli::output::{Extent, Format, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::web_flags::WebFlags;
use crate::cli::{endpoint, preview};
use crate::mirror::{ContactSummary, Store, contact_search, matching_contacts};
use crate::report;
use crate::selection::find_contacts;

/// `--markdown`, for records with a text.
#[derive(Debug, Clone, Args)]
#[group(skip)]
struct MarkdownFlag {
    /// Print Markdown, for a ticket or a language model; notes are marked as internal
    #[arg(long, conflicts_with_all = ["web", "open"])]
    markdown: bool,
}

/// `--last`, for records with a thread.
#[derive(Debug, Clone, Args)]
#[group(skip)]
struct LastFlag {
    /// Show only the last N messages, and what happened after them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["web", "open"])]
    last: Option<u32>,
}

/// Show a conversation as people read it: who, what state, and the whole thread
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints text unless a format is asked for: with --json or --agent, the same document as `conversations \
                  get`.\n\nExample: intercom-pp-cli sql \"SELECT id FROM conversations LIMIT 1\" --quiet | xargs \
                  intercom-pp-cli conversations view"
)]
pub struct ViewConversation {
    /// Id of the conversation
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    last: LastFlag,
    #[command(flatten)]
    markdown: MarkdownFlag,
    #[command(flatten)]
    web: WebFlags,
}

impl HandwrittenCommand for ViewConversation {
    const WORDS: &'static str = "conversations view";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = options(self.markdown.markdown, self.last.last);
        show(context, "retrieveConversation", &self.id, WebPage::Conversation, options, &self.web).await
    }
}

/// Show a ticket as people read it: type, state, attributes, description and history
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints text unless a format is asked for: with --json or --agent, the same document as `tickets \
                  get`.\n\nExample: intercom-pp-cli sql \"SELECT id FROM tickets LIMIT 1\" --quiet | xargs \
                  intercom-pp-cli tickets view"
)]
pub struct ViewTicket {
    /// Id of the ticket, not the number shown in the inbox
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    last: LastFlag,
    #[command(flatten)]
    markdown: MarkdownFlag,
    #[command(flatten)]
    web: WebFlags,
}

impl HandwrittenCommand for ViewTicket {
    const WORDS: &'static str = "tickets view";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = options(self.markdown.markdown, self.last.last);
        show(context, "getTicket", &self.id, WebPage::Ticket, options, &self.web).await
    }
}

/// Show an article as people read it: state, collection, author, languages and text
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints text unless a format is asked for: with --json or --agent, the same document as `articles \
                  get`.\n\nExample: intercom-pp-cli sql \"SELECT id FROM articles LIMIT 1\" --quiet | xargs \
                  intercom-pp-cli articles view"
)]
pub struct ViewArticle {
    /// Id of the article
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    markdown: MarkdownFlag,
    #[command(flatten)]
    web: WebFlags,
}

impl HandwrittenCommand for ViewArticle {
    const WORDS: &'static str = "articles view";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = options(self.markdown.markdown, None);
        show(context, "retrieveArticle", &self.id, WebPage::Article, options, &self.web).await
    }
}

/// Show a contact: tags, companies, segments, owner, attributes, and when it was last seen
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints text unless a format is asked for: with --json or --agent, the same document as `contacts \
                  get`. If several contacts match, they are listed (exit code 2); if none match, the exit code is 3.\n\n\
                  Example: intercom-pp-cli sql \"SELECT email FROM contacts WHERE email <> '' LIMIT 1\" --quiet | xargs \
                  intercom-pp-cli contacts view"
)]
pub struct ViewContact {
    /// Id, email address, external id or phone number
    #[arg(value_name = "CONTACT")]
    contact: String,
    #[command(flatten)]
    markdown: MarkdownFlag,
    #[command(flatten)]
    web: WebFlags,
}

impl HandwrittenCommand for ViewContact {
    const WORDS: &'static str = "contacts view";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = options(self.markdown.markdown, None);
        let query = self.contact.trim();
        if context.globals.consent.dry_run && !is_id(query) {
            // The request for the contact depends on the response.
            let client = context.client_for_preview()?;
            let request = client.request(operation("SearchContacts")?, &contact_search(query))?;
            return preview::show(context, &client, &request).await;
        }
        let id = contact_id(context, query).await?;
        show(context, "ShowContact", &id, WebPage::Contact, options, &self.web).await
    }
}

/// Show a company: plan, number of people, tags, segments and attributes
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Prints text unless a format is asked for: with --json or --agent, the same document as `companies \
                  get`.\n\nExample: intercom-pp-cli sql \"SELECT id FROM companies LIMIT 1\" --quiet | xargs \
                  intercom-pp-cli companies view"
)]
pub struct ViewCompany {
    /// Id of the company, as assigned by Intercom
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    markdown: MarkdownFlag,
    #[command(flatten)]
    web: WebFlags,
}

impl HandwrittenCommand for ViewCompany {
    const WORDS: &'static str = "companies view";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let options = options(self.markdown.markdown, None);
        show(context, "RetrieveACompanyById", &self.id, WebPage::Company, options, &self.web).await
    }
}

fn options(markdown: bool, last: Option<u32>) -> ViewOptions {
    ViewOptions { markdown, last: last.map(|last| last as usize), ..ViewOptions::default() }
}

/// Shows the record, or its address.
async fn show(
    context: &Context,
    operation_id: &str,
    id: &str,
    page: WebPage,
    options: ViewOptions,
    web: &WebFlags,
) -> Result<(), Error> {
    if web.is_set() {
        return web.show(context, page, id).await;
    }
    let mut output = context.globals.output.clone();
    let asks_for_data = output.ask_for_data();
    let is_json =
        output.format().is_none_or(|format| matches!(format, Format::Json | Format::Toon | Format::Table));
    if options.markdown && !(is_json && output.select.is_none()) {
        return Err(Error::usage_with_hint(
            "--markdown prints text or, with --json, one field",
            Hint::new("omit the other format, and ").flag("select"),
        ));
    }
    let is_text = options.markdown || !asks_for_data || output.format() == Some(Format::Table);
    if options.last.is_some() && !is_text {
        return Err(Error::usage_with_hint(
            "--last shortens texts for people; documents are always whole",
            Hint::new("omit it, or use ").flag("markdown"),
        ));
    }
    if !asks_for_data {
        output = output.with_format(Format::Table);
    }
    output.view = options;
    endpoint::show(&context.with_output(output), operation(operation_id)?, id).await
}

fn is_id(query: &str) -> bool {
    query.len() == 24 && query.chars().all(|letter| letter.is_ascii_hexdigit())
}

/// The id of the contact that a query means.
async fn contact_id(context: &Context, query: &str) -> Result<String, Error> {
    if is_id(query) {
        return Ok(query.to_owned());
    }
    let (source, found) = match context.globals.connection.data_source() {
        DataSource::Local => ("local", of_mirror(context, query)?),
        source => match find_contacts(&context.client()?, query).await {
            Ok(found) => ("live", found),
            Err(error) if source == DataSource::Auto && error.is_offline() => {
                let Some(path) = mirror_paths::of_credentials(context)? else { return Err(error.into()) };
                ("local", matching_contacts(Store::open_read_only(&path)?.connection(), query)?)
            }
            Err(error) => return Err(error.into()),
        },
    };
    let query = query.to_owned();
    match (&found[..], source) {
        ([only], _) => Ok(only.id.clone()),
        ([], "local") => Err(report::Error::NoContact { query }.into()),
        ([], _) => Err(report::Error::NotInWorkspace { query, is_mirrored: false }.into()),
        _ => {
            list_candidates(context, source, &found).await?;
            Err(report::Error::SeveralContacts { query, candidates: found }.into())
        }
    }
}

fn of_mirror(context: &Context, query: &str) -> Result<Vec<ContactSummary>, Error> {
    let store = Store::open_read_only(&mirror_paths::for_reading(context, &MirrorFlag::default())?)?;
    Ok(matching_contacts(store.connection(), query)?)
}

async fn list_candidates(context: &Context, source: &str, found: &[ContactSummary]) -> Result<(), Error> {
    let meta = json!({ "source": source, "ambiguous": true });
    let output = Output::open(&context.globals.output)?.of(Extent::complete("contacts"), found.len() as u64);
    output.report(meta, &found).await
}
