//! The local copy as a Rust program uses it.

use std::time::Duration;

use intercom::local::{
    ErrorKind, GroupBy, Metric, Mirror, Refreshed, ResourceName, SearchType, SlaOptions, SqlEnd, SqlLimits,
    SyncOptions,
};
use intercom::sandbox::{Fault, Options, Sandbox};
use intercom::{Client, Timestamp};
use serde::Deserialize;
use tempfile::TempDir;

struct Copy {
    sandbox: Sandbox,
    client: Client,
    folder: TempDir,
    mirror: Mirror,
}

async fn copy_of(resources: &[ResourceName]) -> Copy {
    let options = Options { contacts: 12, conversations: 20, tickets: 0, articles: 3, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = sandbox.client().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open(folder.path().join("copy.db")).unwrap();
    let options = SyncOptions::new().only(resources.iter().copied());
    let report = mirror.sync(&client, options).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    sandbox.forget_requests();
    Copy { sandbox, client, folder, mirror }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn a_sync_reports_each_resource_and_its_progress() {
    let sandbox = Sandbox::start(Options { contacts: 12, ..Options::default() }).await.unwrap();
    let client = sandbox.client().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open(folder.path().join("deep/copy.db")).unwrap();
    let mut seen = Vec::new();
    let options = SyncOptions::new().only([ResourceName::Contacts, ResourceName::Tags]);
    let before = Timestamp::now();
    let sync = mirror.sync_with_progress(&client, options, |progress| seen.push(progress.clone()));
    let report = is_send(sync).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(report.resources.len(), 2);
    assert_eq!(report.of(ResourceName::Contacts).unwrap().inserted, 12);
    assert!(report.of(ResourceName::Teams).is_none());
    assert!(report.started_at >= before - Duration::from_secs(2), "{report:?}");
    let last = seen.iter().rfind(|progress| progress.resource == ResourceName::Contacts).unwrap();
    assert_eq!(last.done, 12);
    assert_eq!(mirror.path(), folder.path().join("deep/copy.db"));
}

#[tokio::test]
async fn one_record_is_refreshed_and_found_at_once() {
    let mut copy = copy_of(&[ResourceName::Contacts, ResourceName::Conversations]).await;
    let id = copy.sandbox.with_workspace(|workspace| {
        let contact = workspace.contacts.iter_mut().next().unwrap();
        contact.name = Some("Zenobia Quill".to_owned());
        contact.id.clone()
    });
    assert!(copy.mirror.search("Zenobia").unwrap().hits.is_empty());
    let refreshed = is_send(copy.mirror.refresh_contact(&copy.client, &id)).await.unwrap();
    assert_eq!(refreshed, Refreshed::Stored { id: id.clone() });
    let requests = copy.sandbox.requests();
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/me", format!("/contacts/{id}").as_str()]);
    let contact = copy.mirror.contact(&id).unwrap().unwrap();
    assert_eq!(contact.name.as_deref(), Some("Zenobia Quill"));
    assert!(contact.raw().contains("\"Zenobia Quill\""));
    let hits = copy.mirror.search("Zenobia").unwrap().hits;
    assert_eq!((hits[0].kind, hits[0].id.as_str()), (SearchType::Contacts, id.as_str()));
    assert!(copy.mirror.contact("nobody").unwrap().is_none());
}

#[tokio::test]
async fn a_refreshed_conversation_has_its_parts() {
    let mut copy = copy_of(&[ResourceName::Conversations]).await;
    let ids = copy.mirror.query("SELECT id FROM conversations ORDER BY id LIMIT 1").unwrap();
    let id = ids.rows[0][0].as_str().unwrap().to_owned();
    let parts = |mirror: &Mirror| {
        let raw = mirror.conversation(&id).unwrap().unwrap().raw().to_owned();
        let document: serde_json::Value = serde_json::from_str(&raw).unwrap();
        document["conversation_parts"]["conversation_parts"].as_array().unwrap().len()
    };
    assert_eq!(parts(&copy.mirror), 0);
    let refreshed = copy.mirror.refresh_conversation(&copy.client, &id).await.unwrap();
    assert_eq!(refreshed, Refreshed::Stored { id: id.clone() });
    assert!(parts(&copy.mirror) > 0);

    copy.sandbox.inject_faults(|_, request| {
        request.path.starts_with("/conversations/").then_some(Fault::Status(404))
    });
    let refreshed = copy.mirror.refresh_conversation(&copy.client, &id).await.unwrap();
    assert_eq!(refreshed, Refreshed::Gone);
    assert!(copy.mirror.conversation(&id).unwrap().is_some(), "only a sync removes records");
}

#[tokio::test]
async fn response_times_are_durations() {
    let copy =
        copy_of(&[ResourceName::Conversations, ResourceName::ConversationParts, ResourceName::Teams]).await;
    let options = || SlaOptions::new().group_by(GroupBy::None).min_samples(1);
    let report = copy.mirror.sla(options().target(Metric::FirstResponse, Duration::from_secs(60))).unwrap();
    let figures = report.total.figures.of(Metric::FirstResponse).unwrap();
    let (median, late) = (figures.median().unwrap(), figures.percentile_90().unwrap());
    assert!(median <= late);
    assert!((median.as_secs_f64() / 60.0 - figures.p50.unwrap()).abs() < 0.01, "{figures:?}");
    assert!(figures.target_met_pct.is_some());
    assert!(report.total.figures.of(Metric::Handle).is_none());

    let closed: [&[&str]; 7] = [&[], &[], &[], &[], &[], &[], &[]];
    let report = copy.mirror.sla(options().office_hours("Europe/Dublin", closed, &[]).unwrap()).unwrap();
    let figures = report.total.figures.of(Metric::FirstResponse).unwrap();
    assert_eq!(figures.median(), Some(Duration::ZERO), "nobody ever works");
    let error = options().office_hours("Europe/Dublim", closed, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("Europe/Dublin"), "{error}");
}

#[tokio::test]
async fn statements_return_rows_and_can_only_read() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Count {
        role: String,
        contacts: u64,
    }
    let copy = copy_of(&[ResourceName::Contacts]).await;
    let rows = copy
        .mirror
        .query("SELECT role, count(*) AS contacts FROM contacts GROUP BY role ORDER BY role")
        .unwrap();
    assert_eq!(rows.columns, ["role", "contacts"]);
    let counts: Vec<Count> = rows.read().unwrap();
    assert_eq!(counts.iter().map(|count| count.contacts).sum::<u64>(), 12, "{counts:?}");
    assert_eq!(rows.read::<Vec<u64>>().unwrap_err().kind(), ErrorKind::InvalidDocument);

    let limits = SqlLimits { rows: Some(5), ..SqlLimits::default() };
    let some = copy.mirror.query_with("SELECT id FROM contacts", limits).unwrap();
    assert_eq!((some.rows.len(), some.end, some.is_complete()), (5, SqlEnd::Rows, false));
    let error = copy.mirror.query("DELETE FROM contacts").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidQuery);
    assert_eq!(copy.mirror.query("SELECT id FROM contacts").unwrap().rows.len(), 12);
}

#[tokio::test]
async fn errors_have_a_kind() {
    let mut copy = copy_of(&[ResourceName::Contacts]).await;
    let missing = copy.folder.path().join("none.db");
    let error = Mirror::open_read_only(&missing).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Missing, Some(missing.as_path())));
    assert_eq!(copy.mirror.sla(SlaOptions::new()).unwrap_err().kind(), ErrorKind::NothingSynced);
    assert_eq!(copy.mirror.search("?!").unwrap_err().kind(), ErrorKind::InvalidQuery);

    copy.sandbox.inject_faults(|_, _| Some(Fault::Status(401)));
    let error = copy.mirror.sync(&copy.client, SyncOptions::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api);
    assert_eq!(error.api().unwrap().status(), Some(401));
    copy.sandbox.inject_faults(|_, _| None);

    copy.sandbox.with_workspace(|workspace| workspace.id = "other".to_owned());
    let error = copy.mirror.refresh_contact(&copy.client, "1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherWorkspace, "{error:?}");
}

#[tokio::test]
async fn a_reader_sees_what_another_program_synced() {
    let mut copy = copy_of(&[ResourceName::Contacts]).await;
    let mut reader = Mirror::open_read_only(copy.mirror.path()).unwrap();
    let id = copy.mirror.query("SELECT id FROM contacts LIMIT 1").unwrap().rows[0][0].clone();
    assert!(reader.contact(id.as_str().unwrap()).unwrap().is_some());
    assert!(reader.sync(&copy.client, SyncOptions::new()).await.is_err());
    copy.mirror.sync(&copy.client, SyncOptions::new().except([ResourceName::Segments])).await.unwrap();
    assert!(!reader.query("SELECT id FROM conversations").unwrap().rows.is_empty());
}
