//! `auth list`: the saved tokens by profile, with the workspaces that they belonged to at login. Sends no request.

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::{Extent, Format, Output, notice};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{credentials, profiles};

/// List the profiles with their workspaces, regions and tokens, and show which one is in use
#[derive(Args)]
#[group(skip)]
#[command(after_help = "Example: intercom-pp-cli auth list")]
pub struct ListLogins {}

impl HandwrittenCommand for ListLogins {
    const WORDS: &'static str = "auth list";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let variable = credentials::variable().filter(|_| context.globals.connection.profile.is_none());
        let columns = ["name", "current", "workspace", "region", "base_url", "token"].map(str::to_owned);
        let mut list = Output::open(&context.globals.output)?.list_with_columns("profiles", &columns)?;
        let is_table = context.globals.output.format_or_default() == Format::Table;
        for mut login in profiles::logins(context)? {
            if is_table {
                login.name.get_or_insert("(no profile)".to_owned());
            }
            list.row(&login)?;
        }
        let meta = json!({
            "source": "local",
            "path": context.config_path()?,
            "overridden_by": variable,
        });
        if let Some(variable) = variable {
            notice(&format!("{variable} is set: it is used instead, unless --profile NAME is typed"));
        }
        let extent = Extent::complete("profiles")
            .when_empty("no token is saved; save one with `intercom-pp-cli auth login`");
        list.end(meta, &extent).await
    }
}
