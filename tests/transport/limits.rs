//! Tests the rate limiter and the limit of large responses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
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
        if allowed {
            return json("200 OK", &headers, "{}");
        }
        json("429 Too Many Requests", &headers, "{\"errors\": [{\"code\": \"rate_limit_exceeded\"}]}")
    })
    .await
}

#[tokio::test]
async fn concurrent_calls_stay_within_the_windows() {
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
async fn calls_wait_for_the_reset_of_a_used_up_window() {
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
async fn the_first_call_is_sent_alone() {
    let (release, gate) = std::sync::mpsc::channel();
    let gate = Mutex::new(gate);
    let server = Server::start(move |number, _| {
        if number == 0 {
            // The waiting thread may be the one that drives sockets and timers, so let others take over.
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
async fn the_users_limit_paces_calls() {
    let server = Server::start(|_, _| ok()).await;
    let transport = Transport::new(Settings { rate_limit: Some(20.0), ..settings(&server.url()) }).unwrap();
    let start = Instant::now();
    futures::future::join_all((0..11).map(|_| get(&transport, "/"))).await;
    assert!(start.elapsed() >= Duration::from_millis(490), "{:?}", start.elapsed());
}

/// Requests eight responses of 24 MB at once. The server counts how many of them are more than half read.
#[tokio::test(flavor = "multi_thread")]
async fn large_responses_are_read_a_few_at_a_time() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 24 * 16;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (open, max_open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (open.clone(), max_open.clone());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (open, max_open) = counts.clone();
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    CHUNK * CHUNKS
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                for number in 0..CHUNKS {
                    if number == CHUNKS / 2 {
                        max_open.fetch_max(open.fetch_add(1, SeqCst) + 1, SeqCst);
                    }
                    stream.write_all(&[b'x'; CHUNK]).await.unwrap();
                }
                open.fetch_sub(1, SeqCst);
            });
        }
    });
    let transport = Transport::new(settings(&url)).unwrap();
    let requests = (0..8).map(|number| {
        let transport = transport.clone();
        async move { get(&transport, &format!("/{number}")).await.unwrap().body.len() }
    });
    let lengths = futures::future::join_all(requests).await;
    assert_eq!(lengths, [CHUNK * CHUNKS; 8]);
    let max_open = max_open.load(SeqCst);
    // Some responses may still be written while the next ones are read.
    assert!((1..=4).contains(&max_open), "{max_open} at a time");
}
