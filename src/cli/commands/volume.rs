//! `conversations volume`: counts conversations by day, hour or channel.

use std::fmt::Write;

use clap::Args;
use serde_json::json;

use super::sla::OutboundFlag;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::palette::Palette;
use crate::cli::output::{Extent, Output, grouped, terminal_width};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{open_mirror, time};
use crate::data::printable::one_line;
use crate::mirror::ResourceName;
use crate::report::business_hours::zone_name;
use crate::report::sla::wording;
use crate::report::volume::{VolumeCount, VolumeGroup, VolumeOptions, volume};

/// Length of the longest bar in characters, on a terminal with room for more.
const LONGEST_BAR: usize = 80;
const SHORTEST_BAR: usize = 10;

/// Count conversations in the mirror by day, hour of the day or channel
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "A conversation begins with its opening message. One begun by the team or a workflow counts from the \
                  first message of a contact, or from its creation if no contact wrote; --outbound created always counts \
                  from the creation.\n\n\
                  Example: intercom-pp-cli conversations volume --by hour --since 2024-01-01 --timezone Europe/Dublin"
)]
pub struct ConversationsVolume {
    /// Group by this
    #[arg(long, value_name = "WHAT", default_value = "day")]
    by: VolumeGroup,
    /// Only conversations begun since then, for example 2024-01-01 or 28d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only conversations begun before then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// IANA time zone of days and hours [default: that of the office hours, else UTC]
    // The global flag with another help text: cli/globals.rs reads it by its id.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    #[command(flatten)]
    outbound: OutboundFlag,
    #[command(flatten)]
    mirror: MirrorFlag,
}

impl HandwrittenCommand for ConversationsVolume {
    const WORDS: &'static str = "conversations volume";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let zone = context.zone()?;
        let (since, until) = (self.since.as_deref(), self.until.as_deref());
        let (since, until) = time::period(context, since, until, time::SHORTEST_PERIOD)?;
        let options = VolumeOptions { by: self.by, start: self.outbound.outbound, since, until, zone };
        let store = open_mirror::with_timelines(&mirror_paths::for_reading(context, &self.mirror)?)?;
        let counts = volume(&store, &options)?;
        let synced_at = open_mirror::check_freshness(context, &store, &[ResourceName::Conversations])?;
        let extent = Extent::complete("rows").when_empty("no conversations began in this period");
        if context.globals.output.is_for_people() {
            let output = Output::open(&context.globals.output)?.of(extent, counts.len() as u64);
            let mut text = String::new();
            if !counts.is_empty() {
                let title = Palette::of(&context.globals.output).bold(&title(&options));
                text = format!("{title}\n\n{}", chart(&counts, terminal_width().unwrap_or(80)));
            }
            return output.text(&text).await;
        }
        let total: u64 = counts.iter().map(|count| count.conversations).sum();
        let meta = json!({
            "source": "local", "synced_at": synced_at, "by": options.by, "outbound": options.start,
            "since": options.since, "until": options.until, "timezone": zone_name(&options.zone), "conversations": total,
        });
        Output::open(&context.globals.output)?.rows(meta, &counts, &extent).await
    }
}

fn title(options: &VolumeOptions) -> String {
    let zone = zone_name(&options.zone);
    let by = match options.by {
        VolumeGroup::Day => format!("day ({zone})"),
        VolumeGroup::Hour => format!("hour of the day ({zone})"),
        VolumeGroup::Channel => "channel".to_owned(),
    };
    let at = |seconds| wording::shown(seconds, &options.zone);
    let period = match (options.since, options.until) {
        (None, None) => String::new(),
        (Some(since), None) => format!(", since {}", at(since)),
        (None, Some(until)) => format!(", before {}", at(until)),
        (Some(since), Some(until)) => format!(", {} to {}", at(since), at(until)),
    };
    format!("New conversations by {by}{period}")
}

/// A bar per row, on a screen of `width` columns.
fn chart(counts: &[VolumeCount], width: usize) -> String {
    let most = counts.iter().map(|count| count.conversations).max().unwrap_or(0).max(1);
    let name = counts.iter().map(|count| count.name.chars().count()).max().unwrap_or(0);
    let number = counts.iter().map(|count| grouped(count.conversations).len()).max().unwrap_or(0);
    let longest = width.saturating_sub(name + number + 5).clamp(SHORTEST_BAR, LONGEST_BAR) as u64;
    let mut text = String::new();
    for count in counts {
        let bar = (count.conversations * longest).div_ceil(most);
        let _ = writeln!(
            text,
            "{:<name$}  {:>number$}  {}",
            one_line(&count.name),
            grouped(count.conversations),
            "█".repeat(usize::try_from(bar).unwrap_or(0))
        );
    }
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}
