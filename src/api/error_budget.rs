//! Distinguishes single records that fail from a service that fails.
//!
//! Whoever requests many records continues after a few failures, but must stop in an outage: the rest would fail too.

use super::error::Error;

/// Failures that single records may explain.
const FAILURES: usize = 20;

/// Counts successes and failures.
#[derive(Debug)]
pub struct ErrorBudget {
    limit: usize,
    succeeded: usize,
    failed: usize,
    in_a_row: usize,
    is_blocked: bool,
    last: Option<Error>,
}

impl Default for ErrorBudget {
    fn default() -> Self {
        ErrorBudget::new(FAILURES)
    }
}

impl ErrorBudget {
    /// A budget that is spent after `limit` failures in a row. As many may fail regardless of how many succeed; beyond
    /// that, more must succeed than fail.
    pub const fn new(limit: usize) -> Self {
        ErrorBudget { limit, succeeded: 0, failed: 0, in_a_row: 0, is_blocked: false, last: None }
    }

    /// Counts a success, which ends the row of failures.
    pub fn record_success(&mut self) {
        self.succeeded += 1;
        self.in_a_row = 0;
    }

    /// Counts a failure, and makes the row of failures longer.
    pub fn record_failure(&mut self) {
        self.failed += 1;
        self.in_a_row += 1;
    }

    /// Uses one failure of the row; false if none was left.
    pub fn take(&mut self) -> bool {
        let is_left = !self.is_spent();
        self.record_failure();
        is_left
    }

    /// Records a failure that affects every request.
    pub fn block(&mut self) {
        self.is_blocked = true;
    }

    /// Whether every further request would fail.
    pub fn is_spent(&self) -> bool {
        self.is_blocked || self.in_a_row >= self.limit
    }

    /// Whether more failed than single records may explain.
    pub fn is_exceeded(&self) -> bool {
        self.failed > self.most_expected()
    }

    /// The largest number of failures, or of missing records, that single records may explain.
    pub fn most_expected(&self) -> usize {
        self.limit.max(self.succeeded)
    }

    /// Records a failure, and returns the error if the budget allows to continue.
    ///
    /// # Errors
    /// The error itself if it affects more than this record, or the budget is exceeded.
    pub fn tolerate(&mut self, error: Error) -> Result<&Error, Error> {
        self.record_failure();
        if error.affects_all() || self.is_exceeded() { Err(error) } else { Ok(self.last.insert(error)) }
    }

    /// Call after the last request.
    ///
    /// # Errors
    /// The last tolerated error, if no request succeeded.
    pub fn finish(self) -> Result<(), Error> {
        self.last.filter(|_| self.succeeded == 0).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget of 3 after these results: `+` is a success, `-` a failure.
    fn after(results: &str) -> ErrorBudget {
        let mut budget = ErrorBudget::new(3);
        for result in results.chars() {
            if result == '+' { budget.record_success() } else { budget.record_failure() }
        }
        budget
    }

    #[test]
    fn a_budget_is_spent_by_a_row_of_failures_and_exceeded_by_their_number() {
        for (results, is_spent, is_exceeded) in [
            ("", false, false),
            ("--", false, false),
            ("---", true, false),
            ("---+", false, false),
            ("--+-", false, false),
            ("--+--", false, true),
            ("--+--++", false, true),
            ("--+--+++", false, false),
            ("++++----", true, false),
        ] {
            let budget = after(results);
            assert_eq!((budget.is_spent(), budget.is_exceeded()), (is_spent, is_exceeded), "{results:?}");
        }
    }

    #[test]
    fn an_error_is_tolerated_unless_it_affects_all_or_is_one_too_many() {
        let error = || Error::PagingLoop { path: String::new() };
        let mut budget = after("");
        let tolerated = (0..5).map(|_| budget.tolerate(error()).is_ok());
        assert_eq!(tolerated.collect::<Vec<_>>(), [true, true, true, false, false]);
        assert!(budget.finish().is_err(), "nothing succeeded");
        let mut budget = after("+");
        let offline = Error::Connect { host: String::new(), cause: String::new() };
        assert!(budget.tolerate(offline).is_err());
        assert!(budget.tolerate(error()).is_ok());
        assert!(budget.finish().is_ok());
    }
}
