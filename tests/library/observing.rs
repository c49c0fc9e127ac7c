//! Observers, header editors and spans.

use tracing::field::{Field, Visit};
use tracing::span;

use super::*;

#[tokio::test]
async fn an_observer_sees_every_attempt_and_the_end_of_the_call() {
    let sandbox = workspace().await;
    let log = Log::default();
    let client = builder(&sandbox).observer(log.clone()).max_attempts(3).build().unwrap();
    contacts(&client).per_page(150).all().await.unwrap();
    assert_eq!(
        log.take(),
        [
            "send 1 GET /contacts ListContacts",
            "response Some(200) again: false",
            "finish 1 Some(200) body failed: false",
        ]
    );

    let mut failures = 1;
    sandbox.intercept(move |_, _| {
        failures -= 1;
        (failures >= 0).then_some(503)
    });
    let show = operation("ShowContact").unwrap();
    assert!(client.execute(show, &Arguments::of_record("no-such-contact")).await.is_err());
    assert_eq!(
        log.take(),
        [
            "send 1 GET /contacts/{id} ShowContact",
            "response Some(503) again: true",
            "send 2 GET /contacts/{id} ShowContact",
            "response Some(404) again: false",
            "finish 2 Some(404) no body failed: true",
        ]
    );
}

#[tokio::test]
async fn an_observer_sees_a_call_that_was_never_sent() {
    let sandbox = workspace().await;
    let log = Arc::new(Log::default());
    let client = builder(&sandbox).observer(log.clone()).read_only().build().unwrap();
    let delete = operation("DeleteContact").unwrap();
    assert!(client.execute(delete, &Arguments::of_record("1")).await.is_err());
    assert_eq!(log.take(), ["response None again: false", "finish 1 None no body failed: true"]);
}

#[tokio::test]
async fn headers_can_be_edited_for_each_attempt() {
    let (server, received) = settings::recording("{}").await;
    let client = Client::builder()
        .base_url(server)
        .unwrap()
        .token(Token::new("t").unwrap())
        .user_agent_suffix("my-app/1.0")
        .header("x-team", "support")
        .unwrap()
        .edit_headers(|attempt, headers| {
            let trace = format!("{}-{}", attempt.operation.unwrap_or("-"), attempt.number);
            headers.insert("x-trace", trace.parse().unwrap());
        })
        .build()
        .unwrap();
    client.execute(operation("identifyAdmin").unwrap(), &Arguments::default()).await.unwrap();
    let request = received.take().concat();
    for header in ["x-trace: identifyAdmin-1", "x-team: support", "my-app/1.0\r\n"] {
        assert!(request.contains(header), "{request}");
    }
}

/// Records the fields of spans.
struct Spans(Log);

struct FieldText<'t>(&'t mut String);

impl Visit for FieldText<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut text = attributes.metadata().name().to_owned();
        attributes.record(&mut FieldText(&mut text));
        self.0.add(text);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = "record".to_owned();
        values.record(&mut FieldText(&mut text));
        self.0.add(text);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn every_attempt_is_a_span() {
    let sandbox = workspace().await;
    let client = client(&sandbox);
    let log = Log::default();
    let guard = tracing::subscriber::set_default(Spans(log.clone()));
    contacts(&client).limit(1).all().await.unwrap();
    drop(guard);
    let spans: Vec<String> = log.take().into_iter().filter(|line| !line.starts_with("hyper")).collect();
    assert_eq!(
        spans,
        [
            "intercom.request operation=\"ListContacts\" method=\"GET\" path=\"/contacts\" attempt=1",
            "record status=200",
        ]
    );
}
