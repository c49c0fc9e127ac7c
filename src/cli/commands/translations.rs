//! `articles translations`: lists missing and outdated translations.

use clap::{ArgAction, Args};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::open_mirror;
use crate::cli::output::clock::Clock;
use crate::cli::output::grid::{Grid, Shape};
use crate::cli::output::{Extent, Output, grouped};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::mirror::{ResourceName, Store};
use crate::report::translations::{GapStatus, TranslationGap, translations};

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
        let output = Output::open(&context.globals.output)?;
        if context.globals.output.is_for_people() {
            let text = if report.gaps.is_empty() { String::new() } else { table(context, &report.gaps) };
            return output.of(extent, report.gaps.len() as u64).text(&text).await;
        }
        output.rows(meta, &report.gaps, &extent).await
    }
}

fn table(context: &Context, gaps: &[TranslationGap]) -> String {
    let clock = Clock::of(&context.globals.output);
    let mut grid = Grid::new(&[
        ("article", Shape::Text),
        ("locale", Shape::Text),
        ("status", Shape::Text),
        ("title", Shape::Flexible(20)),
        ("source updated", Shape::Text),
        ("translation updated", Shape::Text),
        ("source", Shape::Text),
        ("state", Shape::Text),
    ]);
    let time = |at: Option<i64>| at.map(|at| clock.short(at)).unwrap_or_default();
    for gap in gaps {
        grid.row([
            gap.article_id.clone(),
            gap.locale.clone(),
            status(gap).to_owned(),
            gap.title.clone().unwrap_or_default(),
            time(gap.source_updated_at),
            time(gap.translation_updated_at),
            gap.source_locale.clone(),
            gap.state.clone().unwrap_or_default(),
        ]);
    }
    grid.print(&context.globals.output, |palette, column, cell| match (column, cell) {
        ("status", "missing") => palette.red(cell),
        ("status", _) => palette.yellow(cell),
        ("state", _) => palette.state(cell),
        _ => cell.to_owned(),
    })
}

fn status(gap: &TranslationGap) -> &'static str {
    match (gap.status, gap.draft) {
        (GapStatus::Missing, _) => "missing",
        (GapStatus::Outdated, true) => "outdated draft",
        (GapStatus::Outdated, false) => "outdated",
        (GapStatus::Draft, _) => "draft",
    }
}
