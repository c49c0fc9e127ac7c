//! Tokens that confirm a destructive call.
//!
//! A token is returned with the plan of a call and good for that plan alone: for exactly its arguments and
//! its records, once, and for a short time. It is random, so that nobody can confirm what was not planned.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Long enough to ask a person.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Plans that wait at the same time, and their bytes.
const MOST: usize = 64;
const MOST_BYTES: usize = 32 << 20;

#[derive(Default)]
pub struct Confirmations {
    waiting: Mutex<HashMap<String, Waiting>>,
}

/// What was shown, and what is done when it is confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The call that it is the plan of.
    pub call: Vec<String>,
    /// The records with their changes, where the command can carry out a plan.
    pub plan: Option<String>,
    /// The plan as it was shown, to be compared where the command cannot.
    pub seen: String,
    /// What a person is asked.
    pub question: String,
}

struct Waiting {
    shown: Shown,
    at: Instant,
}

impl Waiting {
    fn bytes(&self) -> usize {
        self.shown.plan.as_ref().map_or(0, String::len) + self.shown.seen.len()
    }
}

impl Confirmations {
    /// A token for this plan; `None` when the system gives no random numbers.
    pub fn issue(&self, shown: Shown) -> Option<String> {
        let token = random()?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, one| one.at.elapsed() < LIFETIME);
        waiting.insert(token.clone(), Waiting { shown, at: Instant::now() });
        while waiting.len() > MOST || waiting.len() > 1 && bytes(&waiting) > MOST_BYTES {
            let oldest = waiting.iter().min_by_key(|(_, one)| one.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| waiting.remove(&token));
        }
        Some(token)
    }

    /// The plan of a token, which stays good.
    ///
    /// # Errors
    /// A sentence that says why it confirms nothing.
    pub fn of(&self, token: &str, call: &[String]) -> Result<Shown, &'static str> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get(token) {
            None => Err("this confirmation is unknown, or was used before"),
            Some(one) if one.at.elapsed() >= LIFETIME => Err("this confirmation has expired"),
            Some(one) if one.shown.call != call => Err("this confirmation is for other arguments"),
            Some(one) => Ok(one.shown.clone()),
        }
    }

    /// Uses a token up. A token that was meant for another call stays good for that one.
    ///
    /// # Errors
    /// As [`Confirmations::of`].
    pub fn redeem(&self, token: &str, call: &[String]) -> Result<Shown, &'static str> {
        let shown = self.of(token, call)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.remove(token) {
            Some(_) => Ok(shown),
            None => Err("this confirmation is unknown, or was used before"),
        }
    }
}

fn bytes(waiting: &HashMap<String, Waiting>) -> usize {
    waiting.values().map(Waiting::bytes).sum()
}

/// 128 random bits as text.
pub fn random() -> Option<String> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str) -> Vec<String> {
        ["contacts", "delete", id].map(str::to_owned).to_vec()
    }

    fn shown(id: &str) -> Shown {
        Shown { call: call(id), plan: Some(id.to_owned()), ..Shown::default() }
    }

    #[test]
    fn a_token_confirms_its_plan_once() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(shown("1")).unwrap();
        assert_eq!(confirmations.of(&token, &call("1")), Ok(shown("1")));
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(shown("1")));
        assert!(confirmations.redeem(&token, &call("1")).is_err());
        assert!(confirmations.redeem("guessed", &call("1")).is_err());
    }

    #[test]
    fn a_token_confirms_no_other_call() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(shown("1")).unwrap();
        assert!(confirmations.redeem(&token, &call("2")).is_err());
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(shown("1")));
    }

    #[test]
    fn a_token_expires_and_plans_do_not_pile_up() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(shown("1")).unwrap();
        for waiting in confirmations.waiting.lock().unwrap().values_mut() {
            waiting.at = Instant::now().checked_sub(LIFETIME).unwrap();
        }
        assert_eq!(confirmations.redeem(&token, &call("1")), Err("this confirmation has expired"));
        (0..2 * MOST).for_each(|at| drop(confirmations.issue(shown(&at.to_string()))));
        assert_eq!(confirmations.waiting.lock().unwrap().len(), MOST);
        let large = Shown { seen: "x".repeat(MOST_BYTES), ..shown("1") };
        let token = confirmations.issue(large).unwrap();
        assert_eq!(confirmations.waiting.lock().unwrap().len(), 1);
        assert!(confirmations.of(&token, &call("1")).is_ok());
    }
}
