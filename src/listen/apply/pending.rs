//! The records that wait to be fetched, each once, with the notifications that asked for them.
//!
//! Several notifications about a record cost one fetch. A notification that arrives while its record is being fetched
//! needs another one, because the answer can be older than it. Nothing here fetches anything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::target::{Cause, Target};

/// How long a record waits for further notifications about it.
const GATHER: Duration = Duration::from_millis(250);

/// How long to wait before a record that could not be fetched is tried again; doubled each time.
const RETRY: Duration = Duration::from_secs(1);
const MAX_ATTEMPTS: u32 = 5;

/// How long to wait for another process that uses the mirror.
const BUSY: Duration = Duration::from_secs(10);

/// A record that is being fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub target: Target,
    pub cause: Cause,
    seqs: Vec<i64>,
    failures: u32,
}

#[derive(Debug)]
struct Waiting {
    cause: Cause,
    seqs: Vec<i64>,
    failures: u32,
    place: Place,
}

/// When a record is due, and a number that makes it unique.
type Place = (Instant, u64);

#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: HashMap<Target, Waiting>,
    /// The same records by the time when they are due.
    order: BTreeMap<Place, Target>,
    places: u64,
    /// Records that are being fetched.
    fetching: HashSet<Target>,
    /// How many records each notification still waits for.
    open: HashMap<i64, usize>,
}

impl Pending {
    /// Adds a notification. Returns it if no record has to be fetched because of it.
    pub fn add(&mut self, seq: i64, targets: Vec<(Target, Cause)>, now: Instant) -> Option<i64> {
        if targets.is_empty() {
            return Some(seq);
        }
        self.open.insert(seq, targets.len());
        for (target, cause) in targets {
            self.wait(Job { target, cause, seqs: vec![seq], failures: 0 }, now + GATHER);
        }
        None
    }

    /// Takes a record that is due, the one that has waited longest.
    pub fn take_due(&mut self, now: Instant) -> Option<Job> {
        let (place, _) = self.first().filter(|((due, _), _)| *due <= now)?;
        let target = self.order.remove(&place)?;
        let Waiting { cause, seqs, failures, .. } = self.waiting.remove(&target)?;
        self.fetching.insert(target.clone());
        Some(Job { target, cause, seqs, failures })
    }

    /// When the next record is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.first().map(|((due, _), _)| due)
    }

    /// The first record that is not being fetched.
    fn first(&self) -> Option<(Place, &Target)> {
        let free = self.order.iter().find(|(_, target)| !self.fetching.contains(*target));
        free.map(|(place, target)| (*place, target))
    }

    /// The record is done. Returns the notifications that wait for nothing else.
    pub fn finish(&mut self, job: &Job) -> Vec<i64> {
        self.fetching.remove(&job.target);
        let mut finished = Vec::new();
        for seq in &job.seqs {
            if let Some(left) = self.open.get_mut(seq) {
                *left -= 1;
                if *left == 0 {
                    self.open.remove(seq);
                    finished.push(*seq);
                }
            }
        }
        finished
    }

    /// The record has to be fetched again after a failure that has nothing to do with it.
    pub fn retry(&mut self, job: Job, now: Instant) {
        self.fetching.remove(&job.target);
        self.wait(job, now + RETRY);
    }

    /// The record has to be fetched again when no other process uses the mirror.
    pub fn wait_for_mirror(&mut self, job: Job, now: Instant) {
        self.fetching.remove(&job.target);
        self.wait(job, now + BUSY);
    }

    /// The record could not be fetched. Returns the notifications that wait for nothing else if it failed too often.
    pub fn retry_or_give_up(&mut self, mut job: Job, now: Instant) -> Option<Vec<i64>> {
        job.failures += 1;
        if job.failures >= MAX_ATTEMPTS {
            return Some(self.finish(&job));
        }
        self.fetching.remove(&job.target);
        let delay = RETRY * 2_u32.pow(job.failures);
        self.wait(job, now + delay);
        None
    }

    /// Makes all records due, because what they waited for may be over.
    pub fn hurry(&mut self, now: Instant) {
        for (number, (target, waiting)) in (1..).zip(&mut self.waiting) {
            if waiting.place.0 > now {
                self.order.remove(&waiting.place);
                waiting.place = (now, self.places + number);
                self.order.insert(waiting.place, target.clone());
            }
        }
        self.places += self.waiting.len() as u64;
    }

    /// The number of notifications.
    pub fn held(&self) -> usize {
        self.open.len()
    }

    /// Whether no record waits or is being fetched.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.fetching.is_empty()
    }

    fn wait(&mut self, job: Job, due: Instant) {
        let Job { target, cause, seqs, failures } = job;
        if let Some(waiting) = self.waiting.get_mut(&target) {
            waiting.cause = waiting.cause.and(cause);
            waiting.seqs.extend(seqs);
            waiting.failures = waiting.failures.max(failures);
            return;
        }
        self.places += 1;
        let place = (due, self.places);
        self.order.insert(place, target.clone());
        self.waiting.insert(target, Waiting { cause, seqs, failures, place });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::ResourceName;

    fn contact(id: &str) -> (Target, Cause) {
        (Target { resource: ResourceName::Contacts, id: id.to_owned() }, Cause::default())
    }

    #[test]
    fn ten_notifications_about_a_record_cost_one_fetch() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        for seq in 1..=10 {
            assert_eq!(pending.add(seq, vec![contact("a")], now), None);
        }
        assert_eq!(pending.take_due(now), None, "it waits for more");
        let job = pending.take_due(now + GATHER).unwrap();
        assert_eq!(pending.take_due(now + GATHER), None);
        assert_eq!(pending.finish(&job), (1..=10).collect::<Vec<_>>());
        assert!(pending.is_empty());
        assert_eq!((pending.held(), pending.next_due()), (0, None));
    }

    #[test]
    fn a_notification_during_the_fetch_needs_another_one_afterwards() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.add(1, vec![contact("a")], now);
        let job = pending.take_due(now + GATHER).unwrap();
        pending.add(2, vec![contact("a")], now);
        assert_eq!(pending.take_due(now + BUSY), None, "never two fetches of a record at the same time");
        assert_eq!(pending.finish(&job), [1]);
        assert_eq!(pending.take_due(now + BUSY).unwrap().seqs, [2]);
    }

    #[test]
    fn a_notification_is_finished_with_its_last_record() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        assert_eq!(pending.add(1, Vec::new(), now), Some(1));
        pending.add(2, vec![contact("a"), contact("b")], now);
        let (a, b) = (pending.take_due(now + GATHER).unwrap(), pending.take_due(now + GATHER).unwrap());
        assert!(pending.finish(&b).is_empty());
        assert_eq!(pending.finish(&a), [2]);
    }

    #[test]
    fn a_record_that_keeps_failing_is_given_up() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.add(1, vec![contact("a")], now);
        let far = now + Duration::from_secs(3600);
        for _ in 1..MAX_ATTEMPTS {
            let job = pending.take_due(far).unwrap();
            assert_eq!(pending.retry_or_give_up(job, now), None);
        }
        let job = pending.take_due(far).unwrap();
        assert_eq!(pending.retry_or_give_up(job, now), Some(vec![1]));
        assert!(pending.is_empty());
    }

    #[test]
    fn what_waits_for_the_mirror_keeps_its_cause_and_can_be_hurried() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        let deletion = Cause { is_deletion: true, ..Cause::default() };
        pending.add(1, vec![(contact("a").0, deletion)], now);
        pending.add(2, vec![contact("b")], now);
        let job = pending.take_due(now + GATHER).unwrap();
        pending.wait_for_mirror(job, now);
        pending.add(3, vec![contact("a")], now);
        pending.hurry(now);
        let jobs: Vec<Job> = std::iter::from_fn(|| pending.take_due(now)).collect();
        assert_eq!(jobs.len(), 2);
        let a = jobs.iter().find(|job| job.target.id == "a").unwrap();
        assert_eq!((a.cause, &a.seqs), (deletion, &vec![1, 3]));
    }
}
