//! `articles translations`: lists missing and outdated translations.

use clap::{ArgAction, Args};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror;
use crate::cli::output::{Extent, Output, grouped};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::mirror::{ResourceName, Store};
use crate::report::translations::{GapStatus, translations};

/// List translations in the mirror that are missing, outdated or drafts
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "Example: intercom-pp-cli articles translations --locale de,fr --status missing,outdated"
)]
pub struct ArticleTranslations {
    /// Only these locales [default: all locales of all articles]
    #[arg(long, value_name = "LOCALES", value_delimiter = ',', action = ArgAction::Set)]
    locale: Vec<String>,
    /// Only these; an outdated draft counts as both
    #[arg(long, value_name = "STATUS", value_delimiter = ',', action = ArgAction::Set)]
    status: Vec<GapStatus>,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for ArticleTranslations {
    const WORDS: &'static str = "articles translations";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let locales: Vec<String> = self.locale.iter().map(|locale| locale.trim().to_owned()).collect();
        let store = Store::open_read_only(&mirror_paths::for_reading(context, &self.mirror)?)?;
        let mut report = translations(&store, &locales)?;
        let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Articles])?;
        if !self.status.is_empty() {
            report.gaps.retain(|gap| self.status.iter().any(|status| gap.is(*status)));
        }
        let articles = grouped(report.articles);
        let extent = Extent::complete("translations")
            .when_empty(format!("no translation gaps in {articles} articles"));
        let meta = json!({
            "source": "local", "synced_at": synced_at, "articles": report.articles, "locales": report.locales,
        });
        Output::open(&context.globals.output)?.rows(meta, &report.gaps, &extent).await
    }
}
