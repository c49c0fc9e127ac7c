//! Turns the declared routes into requests.

use serde_json::json;

use crate::api::request_builder::Arguments;
use crate::mirror::resources::{Bound, Resource, Route};

/// Seconds that reach the previous day in any time zone, even across a change of the clocks.
const OVER_A_DAY: i64 = 25 * 3_600;
/// Epoch seconds before the first activity log, which requires a start time.
const LOG_START: i64 = 1_262_304_000;

impl Route {
    /// The arguments to list what changed since a time in epoch seconds, or everything.
    pub(super) fn arguments(&self, since: Option<i64>) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.query.extend(self.query.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let updated = |after: i64, order: Option<&str>| {
            let mut body = json!({"query": {"field": "updated_at", "operator": ">", "value": after}});
            if let Some(order) = order {
                body["sort"] = json!({"field": "updated_at", "order": order});
            }
            Some(body.to_string().into_bytes())
        };
        let days = since.map_or(0, |since| (since - OVER_A_DAY).max(0));
        match self.bound {
            Bound::None | Bound::NewestFirst => {}
            Bound::Search => {
                arguments.body = updated(since.map_or(0, |since| (since - 1).max(0)), Some("ascending"));
            }
            Bound::SearchByDay => arguments.body = updated(days, Some("descending")),
            Bound::SearchByDayUnordered => arguments.body = updated(days, None),
            Bound::Query(name) => {
                let since = since.unwrap_or(LOG_START).max(LOG_START);
                arguments.query.push((name.to_owned(), since.to_string()));
            }
        }
        arguments
    }

    /// Whether the latest changes come first, so that the listing can stop early.
    pub(super) fn is_newest_first(&self) -> bool {
        matches!(self.bound, Bound::NewestFirst | Bound::SearchByDay)
    }
}

impl Resource {
    /// Routes to changes, then routes to everything.
    pub(super) fn all_routes(&self) -> impl Iterator<Item = &'static Route> + use<> {
        self.changes.iter().chain(self.routes)
    }
}
