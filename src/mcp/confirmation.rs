//! Tokens that confirm a destructive call.
//!
//! A token is returned with the plan of a call and good for that call alone, with exactly its
//! arguments, once, and for a short time. It is random, so that nobody can confirm what was not planned.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Long enough to ask a person.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Plans that wait at the same time.
const MOST: usize = 64;

#[derive(Default)]
pub struct Confirmations {
    waiting: Mutex<HashMap<String, Planned>>,
}

struct Planned {
    call: Vec<String>,
    at: Instant,
}

impl Confirmations {
    /// A token for this call; `None` when the system gives no random numbers.
    pub fn issue(&self, call: &[String]) -> Option<String> {
        let token = random()?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, planned| planned.at.elapsed() < LIFETIME);
        if waiting.len() >= MOST {
            let oldest = waiting.iter().min_by_key(|(_, planned)| planned.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| waiting.remove(&token));
        }
        waiting.insert(token.clone(), Planned { call: call.to_vec(), at: Instant::now() });
        Some(token)
    }

    /// Uses a token up. A token that was meant for another call stays good for that one.
    ///
    /// # Errors
    /// A sentence that says why it confirms nothing.
    pub fn redeem(&self, token: &str, call: &[String]) -> Result<(), &'static str> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get(token) {
            None => return Err("this confirmation is not known, or was used before"),
            Some(planned) if planned.at.elapsed() >= LIFETIME => return Err("this confirmation has expired"),
            Some(planned) if planned.call != call => return Err("this confirmation is for other arguments"),
            Some(_) => {}
        }
        waiting.remove(token);
        Ok(())
    }
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

    #[test]
    fn a_token_confirms_its_call_once() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(&call("1")).unwrap();
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(()));
        assert!(confirmations.redeem(&token, &call("1")).is_err());
        assert!(confirmations.redeem("guessed", &call("1")).is_err());
    }

    #[test]
    fn a_token_confirms_no_other_call() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(&call("1")).unwrap();
        assert!(confirmations.redeem(&token, &call("2")).is_err());
        assert_eq!(confirmations.redeem(&token, &call("1")), Ok(()));
    }

    #[test]
    fn a_token_expires_and_plans_do_not_pile_up() {
        let confirmations = Confirmations::default();
        let token = confirmations.issue(&call("1")).unwrap();
        for planned in confirmations.waiting.lock().unwrap().values_mut() {
            planned.at = Instant::now().checked_sub(LIFETIME).unwrap();
        }
        assert_eq!(confirmations.redeem(&token, &call("1")), Err("this confirmation has expired"));
        (0..2 * MOST).for_each(|at| drop(confirmations.issue(&call(&at.to_string()))));
        assert_eq!(confirmations.waiting.lock().unwrap().len(), MOST);
    }
}
