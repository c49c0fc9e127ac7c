//! Response and resolution times.
//!
//! Covers conversations in which a contact wrote. Those that are unanswered, open or incompletely mirrored are
//! counted, never dropped. Times are computed from timestamps only: the API's `time_to_*` values exclude the time
//! outside office hours and must never be used.

mod compute;
mod distribution;
mod explain;
mod figures;
mod groups;
pub mod html_report;
mod options;
mod reconcile;
mod rows;
mod sla_report;
pub mod wording;

pub use compute::sla;
pub use explain::{Explanation, explain};
pub use figures::{Figures, MetricFigures};
pub use groups::{GroupBy, NO_GROUP};
pub use options::{Metric, PeriodAnchor, Resolution, SlaOptions, Targets};
pub use reconcile::{Difference, reconcile};
pub use rows::{RowOrder, SlaRow, labels};
pub use sla_report::{MissingData, SlaReport};
