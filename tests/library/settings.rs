//! Settings that other tests do not cover: proxy, rate limit, version, environment.

use std::process::Command;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A server with one answer, and the requests it has received.
pub async fn recording(body: &'static str) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log = Log::default();
    let received = log.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 8_192];
            let length = stream.read(&mut request).await.unwrap_or(0);
            received.add(String::from_utf8_lossy(&request[..length]).into_owned());
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
            let response = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    (url, log)
}

/// A server with one answer.
pub async fn answer(body: &'static str) -> String {
    recording(body).await.0
}

async fn me(client: &Client) -> Result<intercom::api::Reply, intercom::Error> {
    client.execute(operation("identifyAdmin").unwrap(), &Arguments::default()).await
}

#[tokio::test]
async fn requests_pass_through_the_proxy() {
    let (proxy, received) = recording("{}").await;
    let proxy = proxy.replace("http://", "http://user:secret@");
    let builder = Client::builder().base_url("http://api.test").unwrap().token(Token::new("t").unwrap());
    let client = builder.proxy(&proxy).unwrap().build().unwrap();
    me(&client).await.unwrap();
    let request = received.take().concat();
    assert!(request.starts_with("GET http://api.test/me HTTP/1.1"), "{request}");
    assert!(request.to_lowercase().contains("proxy-authorization: basic dxnlcjpzzwnyzxq="), "{request}");
}

#[tokio::test]
async fn the_limit_of_the_server_is_followed_unless_that_is_turned_off() {
    let options = Options { rate_limit: 10, contacts: 5, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let hasty = builder(&sandbox).no_rate_limit().no_retries().build().unwrap();
    let start = Instant::now();
    let results = futures::future::join_all((0..14).map(|_| me(&hasty))).await;
    let limited = results.iter().filter(|result| matches!(result, Err(intercom::Error::RateLimited { .. })));
    assert!(limited.count() >= 4 && start.elapsed() < Duration::from_secs(5), "{results:?}");
    assert_eq!(hasty.transport().usage().rate.unwrap().limit, 10);
}

#[tokio::test]
async fn a_limit_spaces_the_requests() {
    let sandbox = workspace().await;
    let client = builder(&sandbox).rate_limit(20).build().unwrap();
    let start = Instant::now();
    futures::future::join_all((0..5).map(|_| me(&client)))
        .await
        .into_iter()
        .for_each(|reply| drop(reply.unwrap()));
    assert!(start.elapsed() >= Duration::from_millis(190), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_version_is_sent() {
    let (server, received) = recording("{}").await;
    let builder = Client::builder().base_url(server).unwrap().token(Token::new("t").unwrap());
    me(&builder.api_version("2.16").build().unwrap()).await.unwrap();
    assert!(received.take().concat().contains("intercom-version: 2.16"));
}

/// Runs in a process with these variables; its name is in the test below.
#[test]
#[ignore = "started by the next test"]
fn prints_the_client_of_the_environment() {
    println!("{:?}", Client::from_env());
}

#[test]
fn the_environment_sets_up_a_client() {
    let of = |variables: &[(&str, &str)]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "settings::prints_the_client_of_the_environment", "--ignored", "--nocapture"])
            .env_remove("INTERCOM_ACCESS_TOKEN")
            .env_remove("INTERCOM_TOKEN")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = of(&[("INTERCOM_TOKEN", "dG9rOnZlcnktc2VjcmV0"), ("INTERCOM_REGION", "eu")]);
    assert!(text.contains("api.eu.intercom.io") && !text.contains("dG9rOnZlcnktc2VjcmV0"), "{text}");
    assert!(of(&[]).contains("Err(Token(Missing))"));
    assert!(
        of(&[("INTERCOM_TOKEN", "t"), ("INTERCOM_REGION", "uk")]).contains("INTERCOM_REGION: unknown region")
    );
}
