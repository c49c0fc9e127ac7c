//! `--web` and `--open`, for every command that shows one record: its address in the Intercom app.
//!
//! A browser is started only for a person at a terminal, never for an agent or a workflow.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::output::{Format, Output};
use super::{streams, surroundings};
use crate::api::web_address::WebPage;

#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct WebFlags {
    /// Print the address of the record in the Intercom app, and nothing else
    #[arg(long)]
    web: bool,
    /// Open the record in a browser, and print its address
    #[arg(long)]
    open: bool,
}

impl WebFlags {
    /// Whether the address is wanted instead of the record.
    pub fn is_set(&self) -> bool {
        self.web || self.open
    }

    /// Prints the address, and opens it in a browser if asked to.
    ///
    /// # Errors
    /// If the workspace is unknown, if no browser can be started, and for `--open` without a terminal.
    pub async fn show(&self, context: &Context, page: WebPage, id: &str) -> Result<(), Error> {
        if self.open && streams::current().is_some() {
            return Err(Error::usage_with_hint(
                "--open starts a browser, which only a command in a terminal can do",
                Hint::new("use ").flag("web").text(" to get the address"),
            ));
        }
        let address = surroundings::web_app(context).await?.address(page, id);
        let flags = &context.globals.output;
        let output = Output::open(flags)?;
        if flags.ask_for_data() && flags.format() != Some(Format::Quiet) {
            output.report(json!({}), &json!({ "url": address })).await?;
        } else {
            output.text(&format!("{address}\n")).await?;
        }
        if !self.open {
            return Ok(());
        }
        ::open::that_detached(&address).map_err(|error| Error::Failed {
            message: format!("cannot start a browser: {error}"),
            exit: Exit::Failure,
            hint: Some("open the printed address yourself".into()),
        })
    }
}
