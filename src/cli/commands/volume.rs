//! `conversations volume`: counts conversations by day, hour or channel.

use std::fmt::Write;

use clap::Args;
use serde_json::json;

use super::sla::OutboundFlag;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::{Extent, Format, Output};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::{open_mirror, time};
use crate::data::printable::one_line;
use crate::mirror::ResourceName;
use crate::report::business_hours::zone_name;
use crate::report::volume::{VolumeCount, VolumeGroup, VolumeOptions, volume};

/// Length of the longest bar in characters.
const BAR: u64 = 40;

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
        if context.globals.output.format_or_default() == Format::Table
            && context.globals.output.select.is_none()
        {
            let output = Output::open(&context.globals.output)?.of(extent, counts.len() as u64);
            return output.text(&chart(&counts)).await;
        }
        let total: u64 = counts.iter().map(|count| count.conversations).sum();
        let meta = json!({
            "source": "local", "synced_at": synced_at, "by": options.by, "outbound": options.start,
            "since": options.since, "until": options.until, "timezone": zone_name(&options.zone), "conversations": total,
        });
        Output::open(&context.globals.output)?.rows(meta, &counts, &extent).await
    }
}

fn chart(counts: &[VolumeCount]) -> String {
    let most = counts.iter().map(|count| count.conversations).max().unwrap_or(0).max(1);
    let width = counts.iter().map(|count| count.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for count in counts {
        let bar = (count.conversations * BAR).div_ceil(most);
        let _ = writeln!(
            text,
            "{:<width$}  {:>7}  {}",
            one_line(&count.name),
            count.conversations,
            "█".repeat(usize::try_from(bar).unwrap_or(0))
        );
    }
    text
}
