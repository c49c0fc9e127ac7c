//! Runs an operation: binds its arguments, previews or confirms it, sends it, and writes the result.

use clap::ArgMatches;
use futures::TryStreamExt;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::context::Context;
use super::error::{Error, Exit};
use super::flags::RunFlags;
use super::globals::DataSource;
use super::list_extent::{extent, first_page, more_hint, next_page};
use super::output::{Deliver, DocumentList, Format, Output, notice, warn};
use super::{arguments, confirmation, download, offline, preview, surroundings, where_flag};
use crate::api;
use crate::api::client::Client;
use crate::api::conflict::Conflict;
use crate::api::operation::{Answer, Effect, Operation, Paging};
use crate::api::page_arguments::requested_size;
use crate::api::paging::{Coverage, RawPage};
use crate::api::reply::Reply;
use crate::api::request_builder::Arguments;
use crate::selection::WhereFilter;

/// # Errors
/// Usage errors, and those of the API and the output.
pub async fn run(
    context: &Context,
    operation: &'static Operation,
    matches: &ArgMatches,
) -> Result<(), Error> {
    let flags = RunFlags::read(matches);
    let filter = where_flag::of_search(context, operation, flags.filter.as_deref()).await?;
    let query = filter.as_ref().map(|filter| &filter.compiled.query);
    let arguments = arguments::bind(context, operation, matches, query)?;
    Call { context, operation, flags, filter, arguments }.answer().await
}

/// Reads one record, as the operation's command does.
///
/// # Errors
/// Those of the API and the output.
pub async fn show(context: &Context, operation: &'static Operation, id: &str) -> Result<(), Error> {
    let arguments = Arguments::of_record(id);
    Call { context, operation, flags: RunFlags::default(), filter: None, arguments }.answer().await
}

/// Writes all pages of a list as one document. They always come from the workspace.
///
/// # Errors
/// Those of the API and the output.
pub async fn every_page(
    context: &Context,
    client: &Client,
    operation: &'static Operation,
    arguments: Arguments,
) -> Result<(), Error> {
    let context = &context.always_live();
    let flags = RunFlags { all: true, ..RunFlags::default() };
    Call { context, operation, flags, filter: None, arguments }.list(client).await
}

/// One call of an operation.
struct Call<'a> {
    context: &'a Context,
    operation: &'static Operation,
    flags: RunFlags,
    filter: Option<WhereFilter>,
    arguments: Arguments,
}

impl Call<'_> {
    async fn answer(&self) -> Result<(), Error> {
        let Call { context, operation, flags, filter, arguments } = self;
        if context.globals.connection.data_source() == DataSource::Local {
            return offline::answer(context, operation, arguments, flags, filter.as_ref()).await;
        }
        if context.globals.consent.dry_run {
            return self.preview().await;
        }
        let action = match operation.effect {
            Effect::Read => None,
            _ => Some(confirmation::confirm(context, operation, arguments).await?),
        };
        let client = context.client()?;
        match (operation.answer, filter) {
            (Answer::Bytes, _) => {
                download::download(context, &client, operation, arguments, flags.out.as_ref()).await
            }
            _ if flags.spans_pages() => self.list(&client).await,
            (_, Some(filter)) => self.filtered_page(&client, filter).await,
            (_, None) => self.single_request(&client, action.as_deref()).await,
        }
    }

    async fn preview(&self) -> Result<(), Error> {
        let client = self.context.client_for_preview()?;
        let request = if self.flags.spans_pages() {
            client.first_page_request(self.operation, &self.arguments, self.page_size())?
        } else {
            client.request(self.operation, &self.arguments)?
        };
        preview::show(self.context, &client, &request).await
    }

    /// The page size for several pages; `None` for the largest. With a filter, one record above the limit is fetched,
    /// to find out whether there are more.
    fn page_size(&self) -> Option<u32> {
        let limit = self.flags.limit.map(|limit| limit.saturating_add(u64::from(self.filter.is_some())));
        requested_size(&self.arguments).or(limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)))
    }

    /// Answers a failed read from the mirror if the workspace cannot be reached.
    async fn answer_if_offline(&self, error: api::Error) -> Result<(), Error> {
        let Call { context, operation, flags, filter, arguments } = self;
        offline::answer_if_offline(context, operation, arguments, flags, filter.as_ref(), error).await
    }

    /// Sends a single request. `action` describes a change.
    async fn single_request(&self, client: &Client, action: Option<&str>) -> Result<(), Error> {
        let Call { context, operation, flags, arguments, .. } = self;
        let reply = match operation.effect {
            Effect::Read if operation.answer == Answer::Json => client.fetch(operation, arguments).await,
            _ => client.execute(operation, arguments).await,
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) if operation.effect == Effect::Read => return self.answer_if_offline(error).await,
            Err(error) => return success_if_no_op(context, operation.method.as_str(), error).await,
        };
        if flags.text {
            let mut text = Output::bytes(&context.globals.output)?;
            text.write(&reply.body)?;
            return text.end().await;
        }
        let (raw, page) = document(operation, arguments, reply)?;
        let records = page.as_ref().and_then(|page| {
            let advice = match operation.paging {
                Paging::None => "the API returns no more".into(),
                _ => more_hint(),
            };
            let extent = first_page(operation, arguments, page, advice);
            let extent = extent.followed_by(next_page(operation, page.next.as_ref()));
            Some(DocumentList { key: page.key.as_deref()?, extent, shown: page.items.len() as u64 })
        });
        // What a view shows beside its record is requested before anything is written.
        let output = match (&records, operation.effect) {
            (None, Effect::Read) => surroundings::complete(context, Some(client), &raw).await?,
            _ => context.globals.output.clone(),
        };
        let shown = Output::open(&output)?.document(meta(), &raw, records).await;
        match action {
            Some(_) if shown.is_err() => {
                warn("the change was made, only its output failed: do not send it again")
            }
            // The response may be a bare id, which does not say what happened.
            Some(action) if context.globals.output.format_or_default() == Format::Table => {
                notice(&confirmation::done(action));
            }
            _ => {}
        }
        shown
    }

    /// Fetches one page of the records that match the filter.
    async fn filtered_page(&self, client: &Client, filter: &WhereFilter) -> Result<(), Error> {
        let page = match filter.page(client, self.operation, &self.arguments).await {
            Ok(page) => page,
            Err(error) => return self.answer_if_offline(error).await,
        };
        let mut meta = meta();
        if let Some(count) = page.at_most {
            meta["total_count_at_most"] = json!(count);
        }
        let records = page.list.as_deref().map(|key| {
            let total = page.total.filter(|total| *total >= page.shown);
            let extent = extent(self.operation, total, page.has_more, more_hint());
            let extent = extent.followed_by(next_page(self.operation, page.next.as_ref()));
            DocumentList { key, extent, shown: page.shown }
        });
        Output::open(&self.context.globals.output)?.document(meta, &page.text, records).await
    }

    /// Writes records as their pages arrive. If a page fails, the document is still completed, and marked incomplete.
    async fn list(&self, client: &Client) -> Result<(), Error> {
        let Call { context, operation, flags: RunFlags { limit, .. }, filter, arguments } = self;
        let mut pages = std::pin::pin!(client.pages(operation, arguments.clone(), self.page_size()));
        // Write nothing before the first page has arrived, so that a failed request leaves stdout empty.
        let mut first = pages.try_next().await;
        if let (Some(filter), Err(error)) = (filter, &first)
            && let Some(other) = filter.without_null(arguments, error)
        {
            pages.set(client.pages(operation, other, self.page_size()));
            first = pages.try_next().await;
        }
        let mut page = match first {
            Ok(Some(first)) => first,
            Ok(None) => return Ok(()),
            Err(error) => return self.answer_if_offline(error).await,
        };
        let Some(key) = page.key.clone().or_else(|| page.is_empty_list().then(|| "data".to_owned())) else {
            warn("the response contains no list and is shown unchanged");
            return Output::open(&context.globals.output)?
                .document(meta(), page.reply.json_text()?, None)
                .await;
        };
        let mut records = self.matching(client, &mut page).await?;
        let mut list = Output::open(&context.globals.output)?.list(&key, &records)?;
        let first_total = page.total;
        let (mut fetched, mut failure, mut more) = (0_u64, None, false);
        let end = loop {
            fetched += 1;
            for record in &records {
                // One record above the limit proves that there is more.
                if *limit == Some(list.count()) {
                    more = true;
                    break;
                }
                if let Err(error) = list.raw(record) {
                    failure = Some(error);
                    break;
                }
            }
            let is_full = *limit == Some(list.count());
            // Without a filter, a next page means more records; with one, they may not match.
            more |= is_full && filter.is_none() && page.next.is_some();
            if failure.is_some() || more || (is_full && filter.is_none()) {
                break page.end;
            }
            match pages.try_next().await {
                Ok(None) => break page.end,
                Ok(Some(next)) => page = next,
                // The limit was reached before; only whether there is more is unknown.
                Err(_) if is_full => {
                    more = true;
                    break page.end;
                }
                Err(error) => {
                    failure = Some(Error::from(error));
                    break page.end;
                }
            }
            records = self.matching(client, &mut page).await?;
        };
        // Compare the server's count with the records received, unless the limit cut the list.
        let missing = end.filter(|end: &Coverage| !more && !end.complete);
        let is_full = *limit == Some(list.count());
        more |= is_full && missing.is_some();
        let missing = missing.filter(|_| !is_full);
        let failure = failure.or_else(|| missing.as_ref().map(incomplete_list));
        let has_more = more || failure.is_some();
        let count = list.count();
        // The server's search may count more records than match the filter.
        let is_exact = filter.is_none();
        let total = missing.and_then(|end| end.total).or(first_total);
        let total = total.filter(|total| is_exact && *total >= count);
        let meta =
            json!({ "source": "live", "count": count, "pages": fetched, "complete": failure.is_none() });
        let total = if has_more { total } else { Some(count) };
        let extent = extent(operation, total, has_more, more_hint()).with_error(failure.is_some());
        match failure {
            // Do not replace an existing file with an incomplete one.
            Some(error) if *context.globals.output.deliver() != Deliver::Stdout => Err(error),
            Some(error) => list.end(meta, &extent).await.and(Err(error)),
            None => list.end(meta, &extent).await,
        }
    }

    /// Takes the records of a page that match the filter.
    async fn matching(&self, client: &Client, page: &mut RawPage) -> Result<Vec<Box<RawValue>>, api::Error> {
        let records = std::mem::take(&mut page.items);
        match &self.filter {
            Some(filter) => filter.select(client, records).await,
            None => Ok(records),
        }
    }
}

fn meta() -> Value {
    json!({ "source": "live" })
}

/// The response as JSON text, and as a page if it may be a list. Responses to changes may be empty.
fn document(
    operation: &Operation,
    arguments: &Arguments,
    reply: Reply,
) -> Result<(String, Option<RawPage>), Error> {
    let empty = reply.body.iter().all(u8::is_ascii_whitespace);
    match operation.answer {
        Answer::Text => Ok((json!(String::from_utf8_lossy(&reply.body)).to_string(), None)),
        Answer::Nothing if reply.json_text().is_err() => Ok(("null".to_owned(), None)),
        // An error would make the caller repeat a change that was made.
        _ if empty && operation.effect != Effect::Read => Ok(("null".to_owned(), None)),
        _ => {
            let text = reply.json_text()?.to_owned();
            let list = text.trim_start().starts_with('{').then(|| RawPage::read(operation, arguments, reply));
            Ok((text, list.transpose()?))
        }
    }
}

/// `--idempotent` and `--ignore-missing`: creating a record that exists, and deleting one that does not, succeed as
/// no-ops. An archived or ambiguous match does not count as existing.
///
/// # Errors
/// The given error in all other cases.
pub async fn success_if_no_op(context: &Context, method: &str, error: api::Error) -> Result<(), Error> {
    let (reason, id) = match (method, error.status(), error.conflict()) {
        ("POST", _, Some(Conflict::Exists { id })) if context.globals.consent.idempotent => {
            ("already_exists", id)
        }
        ("DELETE", Some(404 | 410), _) if context.globals.consent.ignore_missing => ("already_deleted", None),
        _ => return Err(error.into()),
    };
    if id.is_none() && context.globals.output.format_or_default() == Format::Quiet {
        return Ok(());
    }
    let meta = json!({ "source": "live", "status": "noop", "reason": reason });
    let mut result = json!({ "status": "noop", "reason": reason });
    if let Some(id) = id {
        result["id"] = json!(id);
    }
    Output::open(&context.globals.output)?.document(meta, &result.to_string(), None).await
}

/// The error for a list that ended before all records were received.
fn incomplete_list(end: &Coverage) -> Error {
    Error::Failed {
        message: format!(
            "the list is incomplete: {}",
            end.reason.as_deref().unwrap_or("records are missing")
        ),
        exit: Exit::Partial,
        hint: Some("run it again: records that change while a list is fetched can be missed".into()),
    }
}
