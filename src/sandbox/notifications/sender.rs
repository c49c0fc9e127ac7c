//! Delivers notifications at least once, in the background.
//!
//! The first attempts are made one after the other, so that a run can be repeated. What is not accepted is sent again by a
//! separate task after growing waits, and does not hold up the others. At most [`MAX_WAITING`] notifications wait; the
//! sandbox drops others, and counts them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::StatusCode;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::envelope::{Envelope, notification_id};
use super::items;
use super::post::Post;
use super::{Occurrence, shape};
use crate::api::ApiVersion;
use crate::sandbox::options::{Options, Webhooks};
use crate::sandbox::random::Random;
use crate::sandbox::server::lock;

/// The topic of tests. The vendor's have no id.
const PING: &str = "ping";
/// How many notifications may wait for their delivery.
const MAX_WAITING: usize = 1_000;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(60);
/// How much longer the sender waits after a 429.
const THROTTLED: u32 = 5;

/// Notifications that are sent out of order together: at most this many, of at most this time.
const SHUFFLED: usize = 8;
const SHUFFLE_TIME: Duration = Duration::from_millis(200);

/// What became of the notifications of a sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookCounts {
    /// Accepted with a 2xx, each counted once.
    pub delivered: usize,
    /// Not accepted yet.
    pub waiting: usize,
    /// Never sent, because too many were waiting.
    pub dropped: usize,
}

#[derive(Debug, Default)]
struct Counters {
    delivered: AtomicUsize,
    dropped: AtomicUsize,
}

/// A notification, and its place among those that may wait.
struct Queued {
    envelope: Envelope,
    is_repeated: bool,
    _place: OwnedSemaphorePermit,
}

/// Takes notifications. Sending is left to the [`Worker`].
pub struct Sender {
    post: Post,
    app_id: String,
    version: ApiVersion,
    ids: Mutex<Random>,
    repeat_percent: usize,
    repeats: Mutex<Random>,
    queue: UnboundedSender<Queued>,
    places: Arc<Semaphore>,
    counters: Arc<Counters>,
}

/// Sends what a [`Sender`] takes.
pub struct Worker {
    post: Post,
    shuffles: Option<Random>,
    queue: UnboundedReceiver<Queued>,
    counters: Arc<Counters>,
}

impl Sender {
    /// # Errors
    /// A sentence that says why the address cannot be used.
    pub fn new(webhooks: &Webhooks, options: &Options, app_id: &str) -> Result<(Self, Worker), String> {
        let post = Post::new(&webhooks.url, &webhooks.client_secret)?;
        let (queue, queued) = unbounded_channel();
        let counters = Arc::<Counters>::default();
        let worker = Worker {
            post: post.clone(),
            shuffles: webhooks.shuffle.then(|| Random::new(options.seed)),
            queue: queued,
            counters: Arc::clone(&counters),
        };
        let sender = Sender {
            post,
            app_id: app_id.to_owned(),
            version: options.api_version.clone(),
            // Not the seed alone: a receiver would take the notifications of the next start for repeats.
            ids: Mutex::new(Random::new(options.seed.rotate_left(32) ^ options.now.unsigned_abs())),
            repeat_percent: webhooks.repeat_percent.into(),
            repeats: Mutex::new(Random::new(options.seed)),
            queue,
            places: Arc::new(Semaphore::new(MAX_WAITING)),
            counters,
        };
        Ok((sender, worker))
    }

    pub fn post(&self) -> &Post {
        &self.post
    }

    /// The notification of an occurrence, with a new id.
    pub fn envelope(&self, occurrence: Occurrence, now: i64) -> Envelope {
        let Occurrence { topic, mut item } = occurrence;
        let id = (topic != PING).then(|| notification_id(&lock(&self.ids).uuid()));
        shape::finish(&self.version, &mut item);
        Envelope { app_id: self.app_id.clone(), id, topic, item, created_at: now }
    }

    /// Sends the test with which every subscription begins.
    pub fn ping(&self, now: i64) {
        self.queue(self.envelope(Occurrence::new(PING, items::ping()), now), false);
    }

    /// Sends notifications, without waiting for it. `now` is the workspace's time in epoch seconds.
    pub fn send(&self, occurrences: Vec<Occurrence>, now: i64) {
        for occurrence in occurrences {
            let envelope = self.envelope(occurrence, now);
            let is_repeated = lock(&self.repeats).chance(self.repeat_percent);
            self.queue(envelope, is_repeated);
        }
    }

    fn queue(&self, envelope: Envelope, is_repeated: bool) {
        match Arc::clone(&self.places).try_acquire_owned() {
            // Fails only when the sandbox stops.
            Ok(place) => drop(self.queue.send(Queued { envelope, is_repeated, _place: place })),
            Err(_) => drop(self.counters.dropped.fetch_add(1, Ordering::Relaxed)),
        }
    }

    pub fn counts(&self) -> WebhookCounts {
        WebhookCounts {
            delivered: self.counters.delivered.load(Ordering::Relaxed),
            waiting: MAX_WAITING - self.places.available_permits(),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
        }
    }
}

impl Worker {
    /// Sends until the sender is gone.
    pub async fn run(mut self) {
        while let Some(first) = self.queue.recv().await {
            let mut window = vec![first];
            if let Some(random) = &mut self.shuffles {
                collect(&mut self.queue, &mut window).await;
                shuffle(random, &mut window);
            }
            for queued in window {
                if let Err(wait) = attempt(&self.post, &self.counters, &queued, 1).await {
                    let (post, counters) = (self.post.clone(), Arc::clone(&self.counters));
                    tokio::spawn(async move { send_again(&post, &counters, &queued, wait).await });
                }
            }
        }
    }
}

/// Adds to the window what comes within its time.
async fn collect(queue: &mut UnboundedReceiver<Queued>, window: &mut Vec<Queued>) {
    let time = tokio::time::sleep(SHUFFLE_TIME);
    tokio::pin!(time);
    while window.len() < SHUFFLED {
        tokio::select! {
            queued = queue.recv() => match queued {
                Some(queued) => window.push(queued),
                None => return,
            },
            () = &mut time => return,
        }
    }
}

/// Changes the order: two or more elements are never left as they were.
fn shuffle<T>(random: &mut Random, window: &mut Vec<T>) {
    let mut order: Vec<usize> = (0..window.len()).collect();
    for end in (1..order.len()).rev() {
        order.swap(end, random.below(end + 1));
    }
    if order.is_sorted() && !order.is_empty() {
        order.rotate_left(1);
    }
    let mut taken: Vec<Option<T>> = window.drain(..).map(Some).collect();
    window.extend(order.into_iter().filter_map(|index| taken[index].take()));
}

/// Sends a notification until it is accepted.
async fn send_again(post: &Post, counters: &Counters, queued: &Queued, mut wait: Wait) {
    let mut delay = FIRST_WAIT;
    for number in 2.. {
        tokio::time::sleep(match wait {
            Wait::Usual => delay,
            Wait::Throttled => delay * THROTTLED,
        })
        .await;
        delay = (delay * 2).min(MAX_WAIT);
        match attempt(post, counters, queued, number).await {
            Ok(()) => return,
            Err(next) => wait = next,
        }
    }
}

/// How long to wait before the next attempt.
enum Wait {
    Usual,
    Throttled,
}

async fn attempt(post: &Post, counters: &Counters, queued: &Queued, number: u32) -> Result<(), Wait> {
    let envelope = &queued.envelope;
    let answer = post.send(envelope, number).await;
    tracing::debug!(topic = envelope.topic, id = envelope.id, attempt = number, ?answer, "webhook");
    match answer {
        Ok(status) if status.is_success() => {}
        Ok(StatusCode::TOO_MANY_REQUESTS) => return Err(Wait::Throttled),
        Ok(_) | Err(_) => return Err(Wait::Usual),
    }
    counters.delivered.fetch_add(1, Ordering::Relaxed);
    if queued.is_repeated {
        // As if the first answer had been lost. Nothing depends on this one.
        let _ = post.send(envelope, number + 1).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffled_window_has_another_order_and_the_same_elements() {
        let shuffled = |seed: u64, length: usize| {
            let mut window: Vec<usize> = (0..length).collect();
            shuffle(&mut Random::new(seed), &mut window);
            window
        };
        for length in 2..=SHUFFLED {
            for seed in 0..50 {
                let mut window = shuffled(seed, length);
                assert!(!window.is_sorted(), "{length} {seed}");
                assert_eq!(window, shuffled(seed, length));
                window.sort_unstable();
                assert_eq!(window, (0..length).collect::<Vec<_>>());
            }
        }
        assert_eq!(shuffled(1, 1), [0]);
    }
}
