//! Office hours and data connectors: listed, created, changed and deleted.

use intercom::sandbox::Sandbox;
use serde_json::{Value, json};

use super::{code, run, sandbox};
use crate::support::{document, stderr};

/// A sandbox, and a home directory without a mirror.
struct Setting {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Setting {
    async fn new() -> Self {
        Setting { sandbox: sandbox().await, home: tempfile::tempdir().unwrap() }
    }

    /// The document of a command that must succeed.
    fn ask(&self, words: &[&str]) -> Value {
        let output = run(self.home.path(), &self.sandbox, &[words, &["--json"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        document(&output)["results"].take()
    }

    /// The exit code and the message of a command that must fail.
    fn refuse(&self, words: &[&str]) -> (i32, String) {
        let output = run(self.home.path(), &self.sandbox, words);
        (code(&output), stderr(&output))
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn office_hours_and_their_exceptions_are_changed_by_commands() {
    let setting = Setting::new().await;
    let times = r#"[{"start_minute":7740,"end_minute":8160}]"#;
    let created = setting.ask(&[
        "office-hours",
        "create",
        "--name",
        "Saturday",
        "--time-zone-name",
        "Europe/Dublin",
        "--time-intervals",
        times,
    ]);
    let id = created["id"].as_str().unwrap();
    assert_eq!(created["time_intervals"][0]["day_of_week"], 5);
    assert_eq!(ids(&setting.ask(&["office-hours", "list"])), ["6001", "6002", id]);
    let updated = setting.ask(&["office-hours", "update", id, "--name", "Weekend", "--yes"]);
    assert_eq!(
        (&updated["name"], &updated["time_intervals"]),
        (&json!("Weekend"), &created["time_intervals"])
    );

    let exceptions = |verb: &'static str| ["office-hours", "exceptions", verb, id];
    let closed =
        ["--exception-date", "2026-12-26", "--exception-type", "closed", "--recurring-annually=true"];
    let exception = setting.ask(&[&exceptions("create")[..], &closed].concat());
    assert_eq!(
        (&exception["time_intervals"], &exception["recurring_annually"]),
        (&Value::Null, &json!(true))
    );
    let exception_id = exception["id"].as_str().unwrap();
    assert_eq!(ids(&setting.ask(&exceptions("list"))), [exception_id]);
    let hours = r#"[{"start_minute":600,"end_minute":720}]"#;
    let changes = [exception_id, "--exception-type", "custom_hours", "--time-intervals", hours, "--yes"];
    setting.ask(&[&exceptions("update")[..], &changes].concat());
    let read = setting.ask(&[&exceptions("get")[..], &[exception_id]].concat());
    assert_eq!(
        (&read["exception_type"], &read["time_intervals"][0]["end_minute"]),
        (&json!("custom_hours"), &json!(720))
    );
    assert_eq!(setting.ask(&[&exceptions("delete")[..], &[exception_id, "--yes"]].concat())["deleted"], true);
    assert_eq!(setting.ask(&["office-hours", "delete", id, "--yes"])["deleted"], true);

    let (gone, message) = setting.refuse(&["office-hours", "get", id]);
    assert_eq!(gone, 3, "{message}");
    let (wrong, message) =
        setting.refuse(&["office-hours", "update", "6001", "--time-zone-name", "Moon", "--yes"]);
    assert!(wrong != 0 && message.contains("IANA"), "{wrong}: {message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_connectors_are_changed_by_commands() {
    let setting = Setting::new().await;
    let address = "https://parcels.example/{{parcel_id}}";
    let header = r#"[{"name":"X-Key","value":"secret"}]"#;
    let created = setting.ask(&[
        "data-connectors",
        "create",
        "--name",
        "Parcels",
        "--http-method",
        "get",
        "--url",
        address,
        "--headers",
        header,
        "--audiences",
        "users",
        "--audiences",
        "leads",
        "--customer-authentication=true",
    ]);
    let id = created["id"].as_str().unwrap();
    assert_eq!((&created["state"], &created["url"]), (&json!("draft"), &json!(address)));
    assert_eq!(
        (&created["audiences"], &created["headers"][0]["value"]),
        (&json!(["users", "leads"]), &json!("****"))
    );
    assert_eq!(ids(&setting.ask(&["data-connectors", "list", "--all"])), [id, "7002", "7001"]);
    assert_eq!(ids(&setting.ask(&["data-connectors", "list", "--limit", "1"])), [id]);

    let live = setting.ask(&["data-connectors", "update", id, "--state", "live", "--yes"]);
    assert_eq!((&live["state"], &live["name"]), (&json!("live"), &json!("Parcels")));
    let (_, message) = setting.refuse(&["data-connectors", "delete", id, "--yes"]);
    assert!(message.contains("draft"), "{message}");
    setting.ask(&["data-connectors", "update", id, "--state", "draft", "--yes"]);
    assert_eq!(setting.ask(&["data-connectors", "delete", id, "--yes"])["deleted"], true);
    let (gone, message) = setting.refuse(&["data-connectors", "get", id]);
    assert!(gone == 3 && message.contains("not found"), "{message}");

    let results = ["data-connectors", "execution-results", "list", "7001", "--start-ts", "7d"];
    assert_eq!(ids(&setting.ask(&[&results[..], &["--all"]].concat())).len(), 24);
    let failed = setting.ask(&[&results[..], &["--success", "false", "--all"]].concat());
    assert_eq!(ids(&failed), ["71001", "71006", "71011", "71016", "71021"]);
    let one = setting.ask(&["data-connectors", "execution-results", "get", "7001", "71001"]);
    assert_eq!(one["http_status"], 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_its_page_in_the_body_is_read_to_its_end() {
    let setting = Setting::new().await;
    let search = ["admins", "search-activity-logs", "--created-at-after", "60d"];
    let count = |flags: &[&str]| {
        let found = setting.ask(&[&search[..], flags].concat());
        found["activity_logs"].as_array().unwrap().len()
    };
    assert_eq!(
        (count(&["--all"]), count(&["--all", "--per-page", "7"]), count(&["--limit", "9"])),
        (30, 30, 9)
    );
    let kinds = setting.ask(&["admins", "activity-log-event-types"]);
    assert!(kinds["event_types"].as_array().unwrap().contains(&json!("admin_login_success")), "{kinds}");
}
