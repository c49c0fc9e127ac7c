//! Confirmation tokens for destructive calls.
//!
//! A token is issued with the plan of a call. It is valid once, for a short time, and only for exactly the
//! arguments and records of that plan. Tokens are random, so that a call without a plan cannot be confirmed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Long enough to ask a person.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Maximum number of pending plans, and their total bytes.
const MAX_PLANS: usize = 64;
const MAX_BYTES: usize = 32 << 20;

#[derive(Default)]
pub struct Confirmations {
    entries: Mutex<HashMap<String, TokenEntry>>,
}

/// What was shown to the user, and what runs once it is confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The identity of the planned call.
    pub call: Vec<String>,
    /// The records with their changes, if the command can run a plan.
    pub plan: Option<String>,
    /// The plan as it was shown, to be compared with a new one if the command cannot.
    pub snapshot: String,
    /// The question for the user.
    pub question: String,
}

struct TokenEntry {
    proposal: Proposal,
    at: Instant,
}

impl TokenEntry {
    fn bytes(&self) -> usize {
        self.proposal.plan.as_ref().map_or(0, String::len) + self.proposal.snapshot.len()
    }
}

impl Confirmations {
    /// A token for this plan; `None` if the system provides no random numbers.
    pub fn issue(&self, proposal: Proposal) -> Option<String> {
        let token = random()?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.at.elapsed() < LIFETIME);
        entries.insert(token.clone(), TokenEntry { proposal, at: Instant::now() });
        while entries.len() > MAX_PLANS || entries.len() > 1 && bytes(&entries) > MAX_BYTES {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| entries.remove(&token));
        }
        Some(token)
    }

    /// The plan of a token, which stays valid.
    ///
    /// # Errors
    /// Why the token is not valid for this call.
    pub fn of(&self, token: &str, call: &[String]) -> Result<Proposal, &'static str> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(token) {
            None => Err("this confirmation is unknown or was used before"),
            Some(entry) if entry.at.elapsed() >= LIFETIME => Err("this confirmation has expired"),
            Some(entry) if entry.proposal.call != call => Err("this confirmation is for other arguments"),
            Some(entry) => Ok(entry.proposal.clone()),
        }
    }

    /// Uses up a token. A token for another call stays valid for that call.
    ///
    /// # Errors
    /// As [`Confirmations::of`].
    pub fn redeem(&self, token: &str, call: &[String]) -> Result<Proposal, &'static str> {
        let proposal = self.of(token, call)?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.remove(token) {
            Some(_) => Ok(proposal),
            None => Err("this confirmation is unknown or was used before"),
        }
    }
}

fn bytes(entries: &HashMap<String, TokenEntry>) -> usize {
    entries.values().map(TokenEntry::bytes).sum()
}

/// 128 random bits as hexadecimal text.
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

    fn proposal(id: &str) -> Proposal {
        Proposal { call: call(id), plan: Some(id.to_owned()), ..Proposal::default() }
    }

    #[test]
    fn a_token_confirms_its_plan_once() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(proposal("1")).unwrap();
        assert_eq!(confirmations.of(&token, &call("1")), Ok(proposal("1")));
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(proposal("1")));
        assert!(confirmations.redeem(&token, &call("1")).is_err());
        assert!(confirmations.redeem("guessed", &call("1")).is_err());
    }

    #[test]
    fn a_token_confirms_no_other_call() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(proposal("1")).unwrap();
        assert!(confirmations.redeem(&token, &call("2")).is_err());
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(proposal("1")));
    }

    #[test]
    fn a_token_expires_and_plans_do_not_pile_up() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(proposal("1")).unwrap();
        for entry in confirmations.entries.lock().unwrap().values_mut() {
            entry.at = Instant::now().checked_sub(LIFETIME).unwrap();
        }
        assert_eq!(confirmations.redeem(&token, &call("1")), Err("this confirmation has expired"));
        (0..2 * MAX_PLANS).for_each(|at| drop(confirmations.issue(proposal(&at.to_string()))));
        assert_eq!(confirmations.entries.lock().unwrap().len(), MAX_PLANS);
        let large = Proposal { snapshot: "x".repeat(MAX_BYTES), ..proposal("1") };
        let token = confirmations.issue(large).unwrap();
        assert_eq!(confirmations.entries.lock().unwrap().len(), 1);
        assert!(confirmations.of(&token, &call("1")).is_ok());
    }
}
