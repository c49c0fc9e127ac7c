//! How a sandbox delivers notifications: at least once, in the background, within limits.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use intercom::sandbox::{TRIGGER_PATH, Webhooks, known_topics};
use intercom::webhooks::{Event, Notification, SIGNATURE_HEADER};

use super::*;
use crate::support::{RecordedRequest, Server, response};

const SECRET: &str = "made-up";

fn options_to(url: &str) -> Options {
    let webhooks = Webhooks::new(url, SECRET);
    Options { rate_limit: u32::MAX, webhooks: Some(webhooks), ..options() }
}

fn options_with(url: &str, change: impl FnMut(&mut Webhooks)) -> Options {
    let mut options = options_to(url);
    options.webhooks.iter_mut().for_each(change);
    options
}

fn received(request: &RecordedRequest) -> Notification {
    let signature = request.header(&SIGNATURE_HEADER.to_lowercase()).unwrap_or_default();
    Notification::receive(SECRET, &request.body, signature).unwrap()
}

/// The notifications until nothing waits, without the ping.
async fn drained(client: &TestClient, receiver: &Server) -> Vec<Notification> {
    let start = Instant::now();
    while client.sandbox.webhook_counts().waiting > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", client.sandbox.webhook_counts());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    receiver.take().iter().map(received).filter(|notification| notification.topic != "ping").collect()
}

async fn create_contacts(client: &TestClient, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let contact =
            client.post("/contacts", json!({"role": "lead", "name": format!("Lead {number}")})).await;
        ids.push(contact["id"].as_str().unwrap().to_owned());
    }
    ids
}

fn records(notifications: &[Notification]) -> Vec<String> {
    let ids = notifications.iter().map(|notification| notification.item["id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test]
async fn the_envelope_is_that_of_the_vendor() {
    let receiver = Server::start(|_| response(204, "text/plain", ""));
    let client = TestClient::new(options_to(&format!("{}/hook?key=1", receiver.url))).await;
    let ids = create_contacts(&client, 1).await;
    while client.sandbox.webhook_counts().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let requests = receiver.take();
    let ping = requests[0].json();
    assert_eq!(
        (&ping["topic"], &ping["id"], &ping["delivery_status"]),
        (&json!("ping"), &Value::Null, &Value::Null)
    );
    let request = &requests[1];
    assert_eq!(
        (request.method.as_str(), request.path.as_str(), request.query("key")),
        ("POST", "/hook", Some("1"))
    );
    assert!(request.header("user-agent").unwrap().starts_with("intercom-pp-cli-sandbox/"));
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(
        received(request).event(),
        Event::Changed(vec![intercom::webhooks::Record::Contact(ids[0].as_str().into())])
    );
    let mut envelope = request.json();
    let id = envelope["id"].take();
    assert_eq!(id.as_str().map(|id| (id.starts_with("notif_"), id.len())), Some((true, 42)));
    envelope["data"]["item"].take();
    let created_at = envelope["created_at"].as_i64().unwrap();
    assert!((NOW..NOW + 60).contains(&created_at));
    let expected = json!({
        "type": "notification_event", "app_id": "sandbox1",
        "data": {"type": "notification_event_data", "item": null}, "links": {}, "id": null,
        "topic": "contact.lead.created", "delivery_status": "pending", "delivery_attempts": 1, "delivered_at": 0,
        "first_sent_at": created_at, "created_at": created_at, "self": null,
    });
    assert_eq!(envelope, expected);
}

#[tokio::test]
async fn what_is_not_accepted_is_sent_again_and_does_not_hold_up_others() {
    let refused = AtomicUsize::new(0);
    let receiver = Server::start(move |request| {
        let is_first = request.json()["topic"] != "ping" && refused.fetch_add(1, Ordering::Relaxed) == 0;
        response(if is_first { 500 } else { 200 }, "text/plain", "")
    });
    let client = TestClient::new(options_to(&receiver.url)).await;
    let ids = create_contacts(&client, 2).await;
    let notifications = drained(&client, &receiver).await;
    assert_eq!(records(&notifications), [ids[0].clone(), ids[1].clone(), ids[0].clone()]);
    let [first, _, again] = &notifications[..] else { panic!() };
    assert_eq!(first.id, again.id);
    assert_eq!((first.delivery_attempts, again.delivery_attempts), (Some(1), Some(2)));
    assert_eq!(client.sandbox.webhook_counts().delivered, 3, "with the ping");
}

#[tokio::test]
async fn a_receiver_that_starts_later_gets_everything() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = TestClient::new(options_to(&format!("http://{address}/"))).await;
    let ids = create_contacts(&client, 3).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(client.sandbox.webhook_counts().waiting, 4);
    let receiver = Server::on(TcpListener::bind(address).unwrap(), |_| response(200, "text/plain", ""));
    let notifications = drained(&client, &receiver).await;
    let found: HashSet<_> = records(&notifications).into_iter().collect();
    assert_eq!(found, ids.into_iter().collect());
    assert!(notifications.iter().all(|notification| notification.delivery_attempts > Some(1)));
}

#[tokio::test]
async fn repeats_have_the_id_of_the_first_and_follow_the_seed() {
    let run = async |percent: u8| {
        let receiver = Server::start(|_| response(200, "text/plain", ""));
        let options = options_with(&receiver.url, |webhooks| webhooks.repeat_percent = percent);
        let client = TestClient::new(options).await;
        create_contacts(&client, 20).await;
        drained(&client, &receiver).await
    };
    let all = run(100).await;
    assert_eq!(all.len(), 40);
    for pair in all.chunks(2) {
        assert_eq!((&pair[0].id, &pair[0].item), (&pair[1].id, &pair[1].item));
        assert_eq!((pair[0].delivery_attempts, pair[1].delivery_attempts), (Some(1), Some(2)));
    }
    let half = run(50).await;
    assert!((21..40).contains(&half.len()), "{}", half.len());
    let ids =
        |notifications: &[Notification]| notifications.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&half), ids(&run(50).await), "equal seeds");
}

#[tokio::test]
async fn shuffled_notifications_all_arrive_in_another_order() {
    let receiver = Server::start(|_| response(200, "text/plain", ""));
    let client = TestClient::new(options_with(&receiver.url, |webhooks| webhooks.shuffle = true)).await;
    // Not together with the ping, which is not counted.
    while client.sandbox.webhook_counts().waiting > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut ids = create_contacts(&client, 8).await;
    let mut arrived = records(&drained(&client, &receiver).await);
    assert_ne!(arrived, ids);
    arrived.sort();
    ids.sort();
    assert_eq!(arrived, ids);
}

#[tokio::test]
async fn a_slow_receiver_does_not_delay_answers() {
    let receiver = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(3));
        response(200, "text/plain", "")
    });
    let client = TestClient::new(options_to(&receiver.url)).await;
    let start = Instant::now();
    create_contacts(&client, 5).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(client.sandbox.webhook_counts().waiting >= 5);
}

#[tokio::test]
async fn no_more_than_a_thousand_notifications_wait() {
    // Nothing listens on port 1.
    let client = TestClient::new(options_to("http://127.0.0.1:1/")).await;
    create_contacts(&client, 1_020).await;
    let counts = client.sandbox.webhook_counts();
    assert_eq!((counts.waiting, counts.dropped, counts.delivered), (1_000, 21, 0));
}

#[tokio::test]
async fn every_known_topic_can_be_triggered() {
    let receiver = Server::start(|_| response(200, "text/plain", ""));
    let client = TestClient::new(options_to(&receiver.url)).await;
    for topic in known_topics() {
        let sent = client.post(TRIGGER_PATH, json!({"topic": topic})).await;
        assert_eq!((&sent["topic"], &sent["status"]), (&json!(topic), &json!(200)));
        let requests = receiver.take();
        let notification = received(requests.last().unwrap());
        assert_eq!((notification.topic.as_str(), notification.id.as_deref()), (topic, sent["id"].as_str()));
        let event = notification.event();
        assert_eq!(event == Event::Ping, topic == "ping", "{topic}");
        assert_ne!(event, Event::Other, "{topic}: {:?}", notification.item);
        assert!(topic == "ping" || notification.id.is_some());
    }
    assert_eq!(client.sandbox.requests().len(), 0, "not a request of the API");
}

#[tokio::test]
async fn a_trigger_is_refused_with_the_reason() {
    let receiver = Server::start(|_| response(200, "text/plain", ""));
    let client = TestClient::new(options_to(&receiver.url)).await;
    let error = async |client: &TestClient, body: Value| client.error_of_trigger(body).await;
    assert_eq!(
        error(&client, json!({"topic": "contact.exploded"})).await,
        (400, "parameter_invalid".to_owned())
    );
    assert_eq!(error(&client, json!({})).await, (400, "parameter_not_found".to_owned()));
    let bad = json!({"topic": "contact.deleted", "overrides": [["id.x", 1]]});
    assert_eq!(error(&client, bad).await, (400, "parameter_invalid".to_owned()));
    let empty = Options { conversations: 0, ..options_to(&receiver.url) };
    let without_records = TestClient::new(empty).await;
    let replied = json!({"topic": "conversation.user.replied"});
    assert_eq!(error(&without_records, replied).await, (404, "not_found".to_owned()));
    let silent = TestClient::with_defaults().await;
    assert_eq!(error(&silent, json!({"topic": "ping"})).await, (409, "webhooks_disabled".to_owned()));
    let url = format!("{}{TRIGGER_PATH}", client.sandbox.base_url());
    assert_eq!(client.http.post(url).body("{}").send().await.unwrap().status(), 401);
}

impl TestClient {
    async fn error_of_trigger(&self, body: Value) -> (u16, String) {
        let (status, response) = self.call(Method::POST, TRIGGER_PATH, body).await;
        (status, response["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }
}
