//! The rate limit, learned from answers before it is hit.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::server::{Server, json, ok};
use crate::*;

/// Enforces `limit` calls per window of `seconds`, aligned to the clock as the API's windows are.
async fn limited(limit: u64, seconds: u64) -> Server {
    let used: Mutex<BTreeMap<u64, u64>> = Mutex::default();
    Server::start(move |_, _| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut used = used.lock().unwrap();
        let used = used.entry(now / seconds).or_default();
        let allowed = *used < limit;
        *used += u64::from(allowed);
        let headers = format!(
            "x-ratelimit-limit: {limit}\r\nx-ratelimit-remaining: {}\r\nx-ratelimit-reset: {}\r\n",
            limit - *used,
            (now / seconds + 1) * seconds,
        );
        match allowed {
            true => json("200 OK", &headers, "{}"),
            false => {
                json("429 Too Many Requests", &headers, "{\"errors\": [{\"code\": \"rate_limit_exceeded\"}]}")
            }
        }
    })
    .await
}

#[tokio::test]
async fn many_calls_at_once_stay_within_the_windows() {
    let server = limited(40, 2).await;
    let transport = transport(&server);
    let calls = (0..100).map(|_| get(&transport, "/contacts"));
    let results = futures::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok));
    let usage = transport.usage();
    assert!(usage.refused <= 3, "{usage:?}");
    assert_eq!(usage.rate.unwrap().limit, 40);
    assert_eq!(server.received().len() as u64, usage.requests);
}

#[tokio::test]
async fn a_used_up_window_is_waited_for() {
    let server = Server::start(|number, _| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        match number {
            0 => json(
                "200 OK",
                &format!("x-ratelimit-remaining: 0\r\nx-ratelimit-reset: {}\r\n", now + 2),
                "{}",
            ),
            _ => ok(),
        }
    })
    .await;
    let transport = transport(&server);
    let start = Instant::now();
    get(&transport, "/").await.unwrap();
    get(&transport.clone(), "/").await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_call_goes_ahead() {
    let (release, gate) = std::sync::mpsc::channel();
    let gate = Mutex::new(gate);
    let server = Server::start(move |number, _| {
        if number == 0 {
            // The thread that waits may be the one that drives sockets and timers: others take over.
            tokio::task::block_in_place(|| gate.lock().unwrap().recv().unwrap());
        }
        ok()
    })
    .await;
    let transport = transport(&server);
    let calls = (0..10).map(|_| get(&transport, "/contacts"));
    let release = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let requests = transport.usage().requests;
        release.send(()).unwrap();
        requests
    };
    let (results, early) = futures::join!(futures::future::join_all(calls), release);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!((early, transport.usage().requests), (1, 10));
}

#[tokio::test]
async fn the_users_own_cap_spaces_calls() {
    let server = Server::start(|_, _| ok()).await;
    let transport = Transport::new(Settings { rate_limit: Some(20.0), ..settings(&server.url()) }).unwrap();
    let start = Instant::now();
    futures::future::join_all((0..11).map(|_| get(&transport, "/"))).await;
    assert!(start.elapsed() >= Duration::from_millis(490), "{:?}", start.elapsed());
}
