//! Tests the limiter against simulated servers in simulated time, independent of the machine.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::UNIX_EPOCH;

use super::*;

/// A server that grants `limit` calls per window and reports it like the API.
struct LimitedServer {
    limit: u64,
    window: f64,
    /// Offset of the windows, in seconds.
    phase: f64,
    /// How the end of a window is rounded to whole seconds.
    round: fn(f64) -> f64,
    dates: bool,
    /// Minimum and maximum latency in one direction, in milliseconds.
    latency: (u64, u64),
    /// One call in this many gets no response.
    silent: Option<u64>,
    /// The server's clock at the start.
    epoch: f64,
    start: Instant,
    used: Mutex<std::collections::BTreeMap<i64, u64>>,
    refused: AtomicU64,
    seed: AtomicU64,
}

impl LimitedServer {
    fn new(limit: u64, skew: f64) -> Self {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        LimitedServer {
            limit,
            window: 10.0,
            phase: 0.0,
            round: f64::round,
            dates: true,
            latency: (10, 40),
            silent: None,
            epoch: machine + skew,
            start: Instant::now(),
            used: Mutex::default(),
            refused: AtomicU64::new(0),
            seed: AtomicU64::new(1),
        }
    }

    fn draw(&self, below: u64) -> u64 {
        let seed = self.seed.fetch_add(1, Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (seed ^ (seed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) % 1_000_003 % below
    }

    async fn travel(&self) {
        let (min, max) = self.latency;
        tokio::time::sleep(Duration::from_millis(min + self.draw(max - min + 1))).await;
    }

    fn now(&self) -> f64 {
        self.epoch + self.start.elapsed().as_secs_f64()
    }

    /// Counts a call and returns what its response would report.
    fn count(&self) -> Observation {
        let now = self.now();
        let index = ((now - self.phase) / self.window).floor();
        let mut used = self.used.lock().unwrap();
        let used = used.entry(index as i64).or_default();
        let refused = *used >= self.limit;
        *used += u64::from(!refused);
        self.refused.fetch_add(u64::from(refused), Relaxed);
        let reset = (self.round)((index + 1.0) * self.window + self.phase) as u64;
        let rate = RateLimit { limit: self.limit, remaining: self.limit - *used, reset };
        Observation { rate: Some(rate), date: self.dates.then_some(now as u64), refused, ordinary: !refused }
    }

    async fn call(&self, limiter: &Arc<Limiter>) {
        let permit = limiter.acquire().await;
        self.travel().await;
        let observation = self.count();
        if self.silent.is_some_and(|every| self.draw(every) == 0) {
            tokio::time::sleep(Duration::from_secs(30)).await;
            return;
        }
        self.travel().await;
        permit.answered(observation);
        if observation.refused {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Percentage of the allowed calls that were used in complete windows, and refusals per thousand calls.
    async fn load(self, workers: usize, seconds: u64) -> (f64, f64) {
        let limiter = Limiter::new(None);
        let server = Arc::new(self);
        let end = server.start + Duration::from_secs(seconds);
        let work = (0..workers).map(|_| {
            let (server, limiter) = (server.clone(), limiter.clone());
            tokio::spawn(async move {
                let forever = async {
                    loop {
                        server.call(&limiter).await;
                    }
                };
                let _ = tokio::time::timeout_at(end, forever).await;
            })
        });
        futures::future::join_all(work.collect::<Vec<_>>()).await;
        let used = server.used.lock().unwrap();
        let complete: Vec<u64> = used.values().copied().skip(1).take(used.len() - 2).collect();
        let all: u64 = used.values().sum();
        let refused = server.refused.load(Relaxed) as f64;
        let share = complete.iter().sum::<u64>() as f64 / (complete.len() as u64 * server.limit) as f64;
        (share * 100.0, refused * 1000.0 / (all as f64 + refused))
    }
}

async fn assert_load(server: LimitedServer, workers: usize, min_percent: f64, max_refused_per_mille: f64) {
    let (used, refused) = server.load(workers, 75).await;
    assert!(used >= min_percent, "{used:.1} % used");
    assert!(refused <= max_refused_per_mille, "{refused:.2} of 1000 refused");
}

#[tokio::test(start_paused = true)]
async fn a_large_budget_is_used_and_not_exceeded() {
    assert_load(LimitedServer::new(1_667, 0.0), 64, 98.0, 0.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_small_budget_is_used_and_not_exceeded() {
    let server = LimitedServer { latency: (50, 250), ..LimitedServer::new(167, 0.0) };
    assert_load(server, 16, 97.0, 0.0).await;
}

#[tokio::test(start_paused = true)]
async fn windows_of_one_second_work_too() {
    let server = LimitedServer { window: 1.0, latency: (1, 5), ..LimitedServer::new(50, 0.0) };
    assert_load(server, 16, 90.0, 2.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_an_hour_off_does_not_matter() {
    assert_load(LimitedServer::new(1_667, -3_600.5), 64, 97.0, 0.0).await;
    assert_load(LimitedServer::new(1_667, 3_600.5), 64, 97.0, 0.0).await;
}

#[tokio::test(start_paused = true)]
async fn rounded_resets_are_corrected() {
    let rounded_down = LimitedServer { phase: 0.7, round: f64::floor, ..LimitedServer::new(1_667, 0.0) };
    assert_load(rounded_down, 64, 97.0, 2.0).await;
    let rounded_up = LimitedServer { phase: 0.3, round: f64::ceil, ..LimitedServer::new(1_667, 0.0) };
    assert_load(rounded_up, 64, 95.0, 2.0).await;
}

#[tokio::test(start_paused = true)]
async fn without_dates_the_local_clock_is_used() {
    assert_load(LimitedServer { dates: false, ..LimitedServer::new(1_667, 0.0) }, 64, 98.0, 0.0).await;
    // The local clock is two seconds fast: windows seem to end early until probes correct it.
    assert_load(LimitedServer { dates: false, ..LimitedServer::new(1_667, -2.0) }, 64, 97.0, 3.0).await;
}

#[tokio::test(start_paused = true)]
async fn calls_without_a_response_do_not_block_the_others() {
    let server = LimitedServer { silent: Some(100), ..LimitedServer::new(1_667, 0.0) };
    assert_load(server, 128, 90.0, 1.0).await;
}

#[tokio::test(start_paused = true)]
async fn another_program_may_share_the_limit() {
    let server = Arc::new(LimitedServer::new(1_667, 0.0));
    let limiter = Limiter::new(None);
    let other = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let refused = server.count().refused;
            // Count only our own refusals.
            server.refused.fetch_sub(u64::from(refused), Relaxed);
        }
    };
    let ours = futures::future::join_all((0..64).map(|_| async {
        loop {
            server.call(&limiter).await;
        }
    }));
    let both = futures::future::join(other, ours);
    let _ = tokio::time::timeout(Duration::from_secs(60), both).await;
    let all: u64 = server.used.lock().unwrap().values().sum();
    let refused = server.refused.load(Relaxed);
    assert!(refused * 500 < all, "{refused} refused of {all}");
}

#[tokio::test(start_paused = true)]
async fn the_first_call_is_sent_alone() {
    let limiter = Limiter::new(None);
    let first = limiter.acquire().await;
    let second = limiter.acquire();
    tokio::pin!(second);
    assert!(tokio::time::timeout(Duration::from_secs(2), &mut second).await.is_err());
    first.answered(Observation { ordinary: true, ..Observation::default() });
    let start = Instant::now();
    let second = second.await;
    // No headers, no limit: a thousand more are sent at once.
    let more = futures::future::join_all((0..1_000).map(|_| limiter.acquire())).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop((second, more));
}

#[tokio::test(start_paused = true)]
async fn an_error_without_headers_reveals_nothing_and_a_lost_probe_does_not_block() {
    let limiter = Limiter::new(None);
    limiter.acquire().await.answered(Observation::default());
    let start = Instant::now();
    let silent = limiter.acquire().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    let next = limiter.acquire().await;
    assert!(start.elapsed() >= Duration::from_secs(3));
    drop((silent, next));
}

/// A response from a server whose clock does not advance.
fn window(remaining: u64, seconds_left: u64) -> Observation {
    const NOW: u64 = 1_800_000_000;
    let rate = RateLimit { limit: 100, remaining, reset: NOW + seconds_left };
    Observation { rate: Some(rate), date: Some(NOW), refused: false, ordinary: true }
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_paced() {
    let limiter = Limiter::new(None);
    limiter.acquire().await.answered(window(99, 10));
    let start = Instant::now();
    let mut permits = Vec::new();
    for _ in 0..50 {
        permits.push(limiter.acquire().await);
    }
    let took = start.elapsed();
    assert!(took > Duration::from_secs(3) && took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn late_responses_do_not_raise_the_budget() {
    let limiter = Limiter::new(None);
    limiter.acquire().await.answered(window(2, 8));
    let (one, two) = (limiter.acquire().await, limiter.acquire().await);
    two.answered(window(0, 8));
    one.answered(window(1, 8));
    assert_eq!(limiter.rate().unwrap().remaining, 0);
    let start = Instant::now();
    let _ = limiter.acquire().await;
    assert!(start.elapsed() > Duration::from_secs(6), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_from_the_previous_window_does_not_close_the_new_one() {
    let limiter = Limiter::new(None);
    limiter.acquire().await.answered(window(2, 2));
    let (one, two) = (limiter.acquire().await, limiter.acquire().await);
    one.answered(window(90, 12));
    two.answered(Observation { refused: true, ..window(0, 2) });
    let start = Instant::now();
    let _ = limiter.acquire().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_implausible_reset_does_not_block() {
    for reset in [1_000_000_000, 0] {
        let limiter = Limiter::new(None);
        limiter.acquire().await.answered(window(0, reset));
        let start = Instant::now();
        let _ = limiter.acquire().await;
        assert!(start.elapsed() <= Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_users_limit_and_holds_are_respected() {
    let limiter = Limiter::new(Some(Duration::from_millis(100)));
    limiter.acquire().await.answered(Observation { ordinary: true, ..Observation::default() });
    let start = Instant::now();
    for _ in 0..10 {
        let _ = limiter.acquire().await;
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_millis(1_100), "{took:?}");
    limiter.hold(Duration::from_secs(5));
    let _ = limiter.acquire().await;
    assert!(start.elapsed() >= took + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_wait_leaves_the_queue_intact() {
    let limiter = Limiter::new(None);
    let first = limiter.acquire().await;
    assert!(tokio::time::timeout(Duration::from_millis(10), limiter.acquire()).await.is_err());
    first.unreached();
    let start = Instant::now();
    let _ = limiter.acquire().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_announced_burst_is_not_paced_if_it_needs_only_a_part_of_the_window() {
    let limiter = Limiter::new(None);
    limiter.acquire().await.answered(window(99, 10));
    let start = Instant::now();
    limiter.expect(60);
    let too_many = futures::future::join_all((0..20).map(|_| limiter.acquire())).await;
    assert!(start.elapsed() > Duration::from_secs(1), "more than half: {:?}", start.elapsed());
    for permit in too_many {
        permit.answered(window(99, 10));
    }
    let start = Instant::now();
    limiter.expect(30);
    let burst = futures::future::join_all((0..30).map(|_| limiter.acquire())).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    let after = futures::future::join_all((0..10).map(|_| limiter.acquire())).await;
    assert!(start.elapsed() > Duration::from_millis(100), "calls after the burst are paced again");
    drop((burst, after));
}
