//! `budget`: shows how many requests the rate limit allows right now.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::api::identity::identity;
use crate::api::reply::Reply;
use crate::cli::context::Context;
use crate::cli::error::Error;
use crate::cli::output::wrap::wrapped;
use crate::cli::output::{Output, grouped, terminal_width, warn};
use crate::cli::preview;
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::data::printable::one_line;

/// Seconds of one window of the rate limit.
const WINDOW: i64 = 10;

/// Show how many requests the rate limit leaves right now (takes one request)
#[derive(Args)]
#[group(skip)]
#[command(
    after_help = "The rate limit applies to windows of ten seconds: limit, remaining and used are for the current window.\n\n\
             Example: intercom-pp-cli budget --select remaining,limit"
)]
pub struct RateLimitBudget {}

impl HandwrittenCommand for RateLimitBudget {
    const WORDS: &'static str = "budget";
    const EFFECT: Effect = Effect::Read;

    async fn run(self, context: &Context) -> Result<(), Error> {
        if context.globals.consent.dry_run {
            return preview::show_identify(context).await;
        }
        let client = context.client()?;
        let me = identity(&client).await?;
        let reply = &me.reply;
        let (limit, remaining) = (header(reply, "x-ratelimit-limit"), header(reply, "x-ratelimit-remaining"));
        if limit.is_none() && remaining.is_none() {
            warn("the server reports no rate limit");
        }
        let reset_at = header(reply, "x-ratelimit-reset");
        let used = limit.zip(remaining).map(|(limit, remaining)| (limit - remaining).max(0));
        let share =
            |part: i64, limit: i64| (limit > 0).then(|| (part as f64 / limit as f64 * 1000.0).round() / 10.0);
        let budget = json!({
            "limit": limit,
            "remaining": remaining,
            "used": used,
            "remaining_pct": limit.zip(remaining).and_then(|(limit, remaining)| share(remaining, limit)),
            "window_seconds": WINDOW,
            "per_minute": limit.map(|limit| limit * 60 / WINDOW),
            "reset_at": reset_at,
            "reset_in_seconds": reset_at.map(|at| (at - Timestamp::now().as_second()).max(0)),
            "workspace": me.workspace_name,
        });
        if context.globals.output.is_for_people() {
            let left = reset_at.map(|at| (at - Timestamp::now().as_second()).max(0));
            let workspace = me.workspace_name.as_deref().unwrap_or("This workspace");
            let text = sentence(&one_line(workspace), limit.zip(remaining), left);
            let text = format!("{}\n", wrapped(&text, terminal_width().unwrap_or(usize::MAX)).join("\n"));
            return Output::open(&context.globals.output)?.text(&text).await;
        }
        Output::open(&context.globals.output)?.row(json!({ "source": "live" }), &budget).await
    }
}

/// The budget in words. `rate` is the limit of a window, and what remains of it; `left` the rest of the window in
/// seconds.
fn sentence(workspace: &str, rate: Option<(i64, i64)>, left: Option<i64>) -> String {
    let Some((limit, remaining)) = rate else {
        return format!("{workspace}: the server reports no rate limit");
    };
    let number = |number: i64| grouped(number.max(0).unsigned_abs());
    let window = left
        .map_or_else(|| format!("of {WINDOW} s"), |left| format!("of {WINDOW} s, which ends in {left} s"));
    format!(
        "{workspace}: {} of {} requests left in this window {window} ({} a minute)",
        number(remaining),
        number(limit),
        number(limit * 60 / WINDOW)
    )
}

fn header(reply: &Reply, name: &str) -> Option<i64> {
    reply.headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_one_sentence() {
        assert_eq!(
            sentence("Acme", Some((1_667, 1_612)), Some(4)),
            "Acme: 1,612 of 1,667 requests left in this window of 10 s, which ends in 4 s (10,002 a minute)"
        );
        assert_eq!(sentence("Acme", None, None), "Acme: the server reports no rate limit");
    }
}
