//! `conversations incident-tag`: tags every conversation that mentions a phrase.

use clap::{ArgAction, Args};
use serde_json::json;

use super::execute::{BulkSession, ResumeOptions, RunFlags};
use super::tag_flags::{TagChoice, TagFlags};
use crate::api::client::Client;
use crate::bulk::incident::{self, InboxState, IncidentMatches, IncidentQuery, SearchScope, WindowBasis};
use crate::bulk::phrase_match::{Phrase, Phrases};
use crate::bulk::{self, BulkPlan, BulkTarget, NotFoundKind, directory};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::globals::DataSource;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::warn;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::time;
use crate::mirror::Store;

/// Tag every conversation that mentions a phrase, for example an outage
#[derive(Args)]
#[group(skip)]
#[command(after_help = AFTER_HELP)]
pub struct TagIncident {
    /// Phrase to find, ignoring case, white space and formatting (repeatable: any of them matches)
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        required_unless_present_any = ["resume", "plan"]
    )]
    mentions: Vec<String>,
    /// Require every --mentions phrase, each anywhere in the conversation
    #[arg(long)]
    all_mentions: bool,
    /// Skip conversations that mention this phrase (repeatable)
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    exclude: Vec<String>,
    /// Start of the window: for example 24h, today or a date [default: no start]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End of the window [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// What must be in the window: a message that mentions the phrase, or else the last change of the conversation
    #[arg(long, value_name = "WHAT", value_enum, default_value = "message")]
    window: WindowBasis,
    /// Where to search: the opening message and its subject, the parts after it, or both
    #[arg(id = "in", long = "in", value_name = "WHERE", value_enum, default_value = "all")]
    scope: SearchScope,
    /// Only conversations in these states
    #[arg(long, value_name = "STATE", value_enum, value_delimiter = ',', action = ArgAction::Set)]
    state: Vec<InboxState>,
    /// Only conversations of this team
    #[arg(long, value_name = "NAME|ID")]
    team: Option<String>,
    /// Tag name (exact match); created if it does not exist
    #[arg(long, value_name = "NAME", required_unless_present_any = ["tag_id", "resume", "plan"])]
    tag: Option<String>,
    /// Tag id
    #[arg(long, value_name = "ID", conflicts_with = "tag")]
    tag_id: Option<String>,
    /// Fail if the tag does not exist
    #[arg(long)]
    no_create: bool,
    #[command(flatten)]
    run: RunFlags,
    #[command(flatten)]
    mirror: MirrorFlag,
}

const AFTER_HELP: &str = "\
A conversation is in the window if a message that mentions the phrase was written in it: the opening message, \
a reply or a note. Tagging, assigning or closing a conversation does not count; --window active also \
includes conversations that mention the phrase anywhere and last changed in the window.\n\n\
Opening messages are searched in the workspace. Later parts are read from the mirror if it is as new as \
the conversation, and otherwise from the workspace, with one request per conversation (at most 5000); \
--in source skips them.\n\n\
The result is {tag, matched, already_tagged, tagged, failed, skipped, limit_reached, \
conversations: [{id, status, contact, state, match, ...}]}. Exit code 0: all done; 6: partly done, or \
some conversations could not be read (meta.unread); 5: all failed. \
`bulk undo` reverts a run.\n\n\
Example: intercom-pp-cli conversations incident-tag --mentions \"checkout fails\" --since 24h --tag incident-2026-05-24\n\n\
Example: intercom-pp-cli conversations incident-tag --mentions refund --mentions \"charged twice\" --since 30d \
--exclude \"thank you\" --state open,snoozed --tag incident-2026-05-24 --apply --yes";

impl HandwrittenCommand for TagIncident {
    const WORDS: &'static str = "conversations incident-tag";
    const EFFECT: Effect = Effect::Write;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.connection.data_source() == DataSource::Local {
            return Err(Error::usage_with_hint(
                "incident-tag cannot search the mirror alone",
                Hint::new("leave out ")
                    .flag("data-source")
                    .text(" local")
                    .then("the mirror is still used where it is up to date"),
            ));
        }
        let phrases = self.phrases()?;
        let session = BulkSession::connect(context, &self.run, Self::WORDS).await?;
        let tag = self.tag_flags();
        let options = ResumeOptions {
            has_selection: !phrases.any.is_empty(),
            tag: Some(&tag.choice),
            ..ResumeOptions::default()
        };
        session.run(options, self.plan(&session, &tag, phrases)).await
    }
}

impl TagIncident {
    fn phrases(&self) -> Result<Phrases, Error> {
        let read = |flag: &str, texts: &[String]| {
            let phrases = texts.iter().map(|text| {
                Phrase::new(text)
                    .ok_or_else(|| Error::usage(format!("--{flag}: {text:?} has no visible characters")))
            });
            phrases.collect::<Result<Vec<_>, _>>()
        };
        let (any, exclude) = (read("mentions", &self.mentions)?, read("exclude", &self.exclude)?);
        Ok(Phrases { any, all: self.all_mentions, exclude })
    }

    fn tag_flags(&self) -> TagFlags {
        let choice = TagChoice { tag: self.tag.clone(), tag_id: self.tag_id.clone() };
        TagFlags { choice, no_create: self.no_create }
    }

    async fn plan(
        &self,
        session: &BulkSession<'_>,
        tag: &TagFlags,
        phrases: Phrases,
    ) -> Result<BulkPlan, Error> {
        let (context, client) = (session.context, &session.client);
        let (since, until) = time::period(context, self.since.as_deref(), self.until.as_deref(), 0)?;
        let (tag, team) = futures::try_join!(tag.resolve(client), self.team_id(client))?;
        let (scope, window, states) = (self.scope, self.window, self.state.clone());
        let query = IncidentQuery { phrases, scope, window, since, until, states, team };
        let workspace = &session.identity.workspace;
        let mirror = self.open_mirror(context, workspace)?;
        let found =
            incident::find(client, mirror.as_ref(), &query, &tag.change(), session.concurrency()).await?;
        report_unsearched(&found, &query, mirror.is_some());
        Ok(BulkPlan {
            about: tag.about(),
            meta: json!({
                "since": since, "until": until, "in": scope, "window": window, "searched": found.searched,
                "parts": found.parts, "unread": found.unread,
            }),
            unread: found.unread.len(),
            ..BulkPlan::new(Self::WORDS, BulkTarget::Conversations, workspace, found.records)
        })
    }

    async fn team_id(&self, client: &Client) -> Result<Option<String>, Error> {
        let Some(name) = &self.team else { return Ok(None) };
        let teams = directory::teams(client).await?;
        Ok(Some(directory::pick(&teams, NotFoundKind::Team, name)?.id.clone()))
    }

    /// Opens the mirror of this workspace, if it exists.
    fn open_mirror(&self, context: &Context, workspace: &str) -> Result<Option<Store>, Error> {
        let named = mirror_paths::explicit(context, &self.mirror)?;
        let Some(path) =
            named.clone().map_or_else(|| mirror_paths::of_credentials(context), |path| Ok(Some(path)))?
        else {
            return Ok(None);
        };
        let store = match Store::open_read_only(&path) {
            Ok(store) => store,
            Err(error) if named.is_some() => return Err(error.into()),
            Err(error) => {
                warn(&format!("cannot use the mirror: {error}"));
                return Ok(None);
            }
        };
        match store.workspace()?.map(|owner| owner.id_code) {
            Some(found) if found != workspace && named.is_some() => {
                Err(bulk::Error::OtherWorkspace { found, given: workspace.to_owned() }.into())
            }
            Some(found) => Ok((found == workspace).then_some(store)),
            None => Ok(None),
        }
    }
}

/// Warns about parts that were read from the workspace instead of the mirror, or not searched at all.
fn report_unsearched(found: &IncidentMatches, query: &IncidentQuery, has_mirror: bool) {
    if query.scope == SearchScope::Source {
        return;
    }
    if found.parts.cut > 0 {
        warn(&format!(
            "not searched: older parts of {}; the API returns only the newest 500 of a conversation",
            conversation_count(found.parts.cut)
        ));
    }
    if let Some(first) = found.unread.first() {
        warn(&format!(
            "not searched: the parts of {} that could not be read, for example {} ({})",
            conversation_count(found.unread.len()),
            first.id,
            first.error["message"].as_str().unwrap_or_default()
        ));
    }
    let why = if has_mirror { "the mirror is not up to date for them" } else { "no mirror found" };
    let parts = found.parts;
    if parts.nowhere > 0 {
        warn(&format!(
            "not searched: the parts (replies and notes) of {}: {why} and they are too many to fetch; run \
             `intercom-pp-cli sync --resources conversations,conversation_parts`, or narrow the window",
            conversation_count(parts.nowhere)
        ));
    } else if parts.in_workspace > 0 {
        warn(&format!(
            "{why}: the parts (replies and notes) of {} were read from the workspace",
            conversation_count(parts.in_workspace)
        ));
    }
}

fn conversation_count(count: usize) -> String {
    if count == 1 { "1 conversation".to_owned() } else { format!("{count} conversations") }
}
