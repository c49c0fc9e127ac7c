//! The flags that select the records to change: ids from arguments, stdin or a file, a filter, or a query of the mirror.
//! Each record is selected once, in the given order.

use std::collections::HashMap;

use clap::{ArgAction, Args};
use futures::TryStreamExt;
use serde_json::json;

use crate::api::client::Client;
use crate::api::request_builder::{Arguments, operation};
use crate::bulk::selection::{self, SelectedRecord};
use crate::bulk::{BulkTarget, SelectionFilter};
use crate::cli::context::Context;
use crate::cli::error::{Error, Hint};
use crate::cli::files::{Content, InputFile};
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::parse_json;
use crate::cli::where_flag;
use crate::data::lenient;
use crate::filter::Searchable;

/// `--where`, for records that can be searched.
pub trait FilterFlag: Args {
    fn filter(&self) -> Option<&str>;
}

/// Offers `--where`.
#[derive(Debug, Args)]
#[group(skip)]
pub struct WhereFlag {
    /// Filter, for example state = open and team = Billing (see help filters)
    #[arg(id = "where", long = "where", value_name = "FILTER", group = "which")]
    filter: Option<String>,
}

impl FilterFlag for WhereFlag {
    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }
}

/// Offers no filter.
#[derive(Debug, Args)]
#[group(skip)]
pub struct NoFilter {}

impl FilterFlag for NoFilter {
    fn filter(&self) -> Option<&str> {
        None
    }
}

/// Flags that select records, one of which is needed.
#[derive(Debug, Args)]
#[group(skip)]
pub struct SelectionFlags<F: FilterFlag> {
    /// Ids to change; - reads them from stdin, one per line
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,
    /// File with one id or JSON object per line, or CSV with a header (.csv); - for stdin
    #[arg(long, value_name = "FILE", group = "which")]
    input: Option<InputFile>,
    /// Columns of the file to use for fields, for example id="Contact ID"
    #[arg(
        long,
        value_name = "FIELD=COLUMN",
        value_delimiter = ',',
        action = ArgAction::Set,
        requires = "input"
    )]
    map: Vec<String>,
    /// Query of the mirror; its id column is used, or else its first column
    #[arg(long, value_name = "QUERY", group = "which")]
    sql: Option<String>,
    #[command(flatten)]
    mirror: MirrorFlag,
    #[command(flatten)]
    filter: F,
}

impl<F: FilterFlag> SelectionFlags<F> {
    /// The ids typed as arguments.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub fn is_given(&self) -> bool {
        !self.ids.is_empty() || self.input.is_some() || self.sql.is_some() || self.filter.filter().is_some()
    }

    /// Returns the selected records, and the filter that they must still match when they are changed.
    ///
    /// # Errors
    /// A usage error for a missing or invalid selection; file and API errors.
    pub async fn select(
        &self,
        context: &Context,
        client: &Client,
        target: BulkTarget,
    ) -> Result<(Vec<SelectedRecord>, Option<SelectionFilter>), Error> {
        let mut condition = None;
        let selected = if let Some(file) = &self.input {
            self.parse(&file.text()?, file.name())?
        } else if let Some(query) = &self.sql {
            selection::query(query, &mirror_paths::for_reading(context, &self.mirror)?)?
                .ok_or_else(|| Error::usage("--sql: the query was stopped before its last row"))?
        } else if let Some(filter_text) = self.filter.filter() {
            let (selected, filter) = search(context, client, filter_text, target).await?;
            condition = Some(filter);
            selected
        } else {
            self.typed()?
        };
        Ok((selection::without_duplicates(selected), condition))
    }

    fn typed(&self) -> Result<Vec<SelectedRecord>, Error> {
        if self.ids.is_empty() {
            return Err(Error::usage_with_hint(
                "no records selected",
                Hint::new("pass ids, ")
                    .flag("input")
                    .text(" FILE, ")
                    .flag("where")
                    .text(" FILTER or ")
                    .flag("sql")
                    .text(" QUERY"),
            ));
        }
        let mut selected = Vec::new();
        for id in &self.ids {
            match id.as_str() {
                "-" => selected.extend(self.parse(&Content::of_stdin().text()?, "-")?),
                id => selected.push(SelectedRecord::with_id(id)),
            }
        }
        Ok(selected)
    }

    fn parse(&self, text: &str, name: &str) -> Result<Vec<SelectedRecord>, Error> {
        Ok(selection::parse(text, name, &self.columns()?)?)
    }

    /// The columns of `--map`, by field.
    fn columns(&self) -> Result<HashMap<String, String>, Error> {
        let pairs = self.map.iter().map(|pair| {
            let (field, column) = pair
                .split_once('=')
                .ok_or_else(|| Error::usage(format!("--map: invalid {pair:?}: expected FIELD=COLUMN")))?;
            Ok((field.trim().to_owned(), column.trim().trim_matches('"').to_owned()))
        });
        pairs.collect()
    }
}

async fn search(
    context: &Context,
    client: &Client,
    filter_text: &str,
    target: BulkTarget,
) -> Result<(Vec<SelectedRecord>, SelectionFilter), Error> {
    let searched =
        if target == BulkTarget::Contacts { Searchable::Contacts } else { Searchable::Conversations };
    let condition = where_flag::resolve(context, client, filter_text, searched).await?;
    let mut body = json!({ "query": condition.compiled.query });
    if searched == Searchable::Conversations {
        // With this order, records that change during pagination reappear at the end, so none is missed.
        body["sort"] = json!({ "field": "updated_at", "order": "ascending" });
    }
    let arguments = Arguments { body: Some(body.to_string().into_bytes()), ..Arguments::default() };
    let search = operation(searched.operation())?;
    let mut pages = std::pin::pin!(client.pages(search, arguments.clone(), None));
    let mut selected = Vec::new();
    let mut first = pages.try_next().await;
    if let Err(error) = &first
        && let Some(other) = condition.without_null(&arguments, error)
    {
        pages.set(client.pages(search, other, None));
        first = pages.try_next().await;
    }
    let mut next = first?;
    while let Some(page) = next {
        page.require_list()?;
        // The server can return records that do not match exactly, and every selected record is changed.
        for raw in condition.select(client, page.items).await? {
            let document = parse_json(raw.get())?;
            let Some(id) = lenient::id(&document["id"]) else { continue };
            selected.push(SelectedRecord { document: Some(document), ..SelectedRecord::with_id(&id) });
        }
        next = pages.try_next().await?;
    }
    Ok((selected, SelectionFilter::from(&condition)))
}
