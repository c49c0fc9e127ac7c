//! Office hours, data connectors and other settings of the workspace.

use super::*;

fn times(pairs: &[(i64, i64)]) -> Value {
    pairs.iter().map(|(from, to)| json!({"start_minute": from, "end_minute": to})).collect()
}

impl TestClient {
    /// Like [`TestClient::call`], for an operation that needs this version.
    pub async fn call_at(&self, version: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let mut request = self.request(method, path).header("Intercom-Version", version);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        read(request.send().await.unwrap()).await
    }

    pub async fn latest(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.call_at("2.16", method, path, body).await
    }

    /// The document of a successful request.
    pub async fn latest_get(&self, path: &str) -> Value {
        let (status, body) = self.latest(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Status and code of a request that must fail.
    pub async fn refusal(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, response) = self.latest(method, path, body).await;
        (status, response["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    }
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn office_hours_are_created_changed_and_deleted() {
    let client = TestClient::with_defaults().await;
    let path = "/office_hours_schedules";
    let weekday =
        json!({"name": "Desk", "time_zone_name": "Europe/Dublin", "time_intervals": times(&[(540, 1020)])});
    let (status, created) = client.latest(Method::POST, path, weekday).await;
    assert_eq!(status, 201, "{created}");
    assert_eq!(created["time_intervals"][0]["day_of_week"], 0);
    let one = format!("{path}/{}", created["id"].as_str().unwrap());
    let always = json!({"time_intervals": times(&[(5_010, 10_080), (0, 5_010)])});
    let (_, updated) = client.latest(Method::PUT, &one, always).await;
    assert_eq!((&updated["twenty_four_seven"], &updated["name"]), (&json!(true), &json!("Desk")));
    assert_eq!(updated["time_intervals"][0]["start_minute"], 0);
    for wrong in [
        json!({"time_intervals": times(&[(0, 50)])}),
        json!({"time_zone_name": "Moon/Crater"}),
        json!({"name": " "}),
    ] {
        assert_eq!(client.refusal(Method::PUT, &one, wrong).await, refused(422, "parameter_invalid"));
    }
    let missing = json!({"name": "Desk"});
    assert_eq!(client.refusal(Method::POST, path, missing).await, refused(400, "parameter_not_found"));
    let (_, deleted) = client.latest(Method::DELETE, &one, Value::Null).await;
    assert_eq!(deleted["object"], "office_hours_schedule");
    assert_eq!(client.refusal(Method::GET, &one, Value::Null).await, refused(404, "not_found"));
}

#[tokio::test]
async fn exceptions_belong_to_a_schedule_and_a_date() {
    let client = TestClient::with_defaults().await;
    let path = "/office_hours_schedules/6001/office_hours_exceptions";
    assert_eq!(ids(&client.latest_get(path).await["data"]), ["6101", "6102"]);
    let closed = json!({"exception_date": "2026-12-25", "exception_type": "closed"});
    let (status, created) = client.latest(Method::POST, path, closed.clone()).await;
    assert_eq!((status, &created["time_intervals"]), (201, &Value::Null));
    let twice = client.refusal(Method::POST, path, closed).await;
    assert_eq!(twice, refused(422, "parameter_invalid"));
    let one = format!("{path}/{}", created["id"].as_str().unwrap());
    let without_times = json!({"exception_type": "custom_hours"});
    assert_eq!(client.refusal(Method::PUT, &one, without_times).await.0, 422);
    let shorter = json!({"exception_type": "custom_hours", "time_intervals": times(&[(600, 727)])});
    let (_, updated) = client.latest(Method::PUT, &one, shorter).await;
    assert_eq!(
        updated["time_intervals"],
        json!([{"start_minute": 600, "end_minute": 727, "day_of_week": 4}])
    );
    let (_, moved) = client.latest(Method::PUT, &one, json!({"exception_date": "2026-12-28"})).await;
    assert_eq!(moved["time_intervals"][0]["day_of_week"], 0);
    for wrong in [
        json!({"exception_date": "25.12.2026"}),
        json!({"exception_type": "closed", "time_intervals": times(&[(0, 60)])}),
    ] {
        assert_eq!(client.refusal(Method::PUT, &one, wrong).await.0, 422);
    }
    let elsewhere = "/office_hours_schedules/6002/office_hours_exceptions/6101";
    assert_eq!(client.refusal(Method::GET, elsewhere, Value::Null).await, refused(404, "not_found"));
    client.latest(Method::DELETE, "/office_hours_schedules/6001", Value::Null).await;
    assert_eq!(client.refusal(Method::GET, &one, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_data_connector_is_a_draft_until_it_is_set_live() {
    let client = TestClient::with_defaults().await;
    let body = json!({
        "name": "Parcels",
        "headers": [{"name": "X-Key", "value": "secret"}],
        "mock_response": {"parcel": {"id": 7}},
    });
    let (status, created) = client.latest(Method::POST, "/data_connectors", body).await;
    assert_eq!((status, &created["state"]), (201, &json!("draft")));
    assert_eq!(created["headers"][0]["value"], "****");
    assert_eq!(created["response_fields"][0]["path"], "parcel.id");
    let one = format!("/data_connectors/{}", created["id"].as_str().unwrap());
    let (_, live) = client.latest(Method::PATCH, &one, json!({"state": "live"})).await;
    assert_eq!((&live["state"], &live["name"]), (&json!("live"), &json!("Parcels")));
    assert_eq!(client.refusal(Method::DELETE, &one, Value::Null).await, refused(409, "conflict"));
    client.latest(Method::PATCH, &one, json!({"state": "draft"})).await;
    assert_eq!(client.latest(Method::DELETE, &one, Value::Null).await.1["deleted"], true);
    let gone = client.refusal(Method::GET, &one, Value::Null).await;
    assert_eq!(gone, refused(404, "data_connector_not_found"));
    let used = client.refusal(Method::PATCH, "/data_connectors/7001", json!({"state": "draft"})).await;
    assert_eq!(used, refused(409, "data_connector_in_use"));
}

#[tokio::test]
async fn execution_results_are_those_of_the_last_hour_unless_a_time_is_given() {
    let client = TestClient::with_defaults().await;
    let path = "/data_connectors/7001/execution_results";
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = client.latest_get(&format!("{path}?per_page=5{next}")).await;
        found.extend(ids(&page["data"]));
        assert!(page["data"][0].get("response_body").is_none(), "{page}");
        match page["pages"]["next"]["starting_after"].as_str() {
            Some(cursor) => next = format!("&starting_after={cursor}"),
            None => break,
        }
    }
    assert_eq!(found.len(), 12);
    let failed = client.latest_get(&format!("{path}?start_ts=1&success=false&include_bodies=true")).await;
    assert_eq!(failed["data"].as_array().unwrap().len(), 5);
    assert!(failed["data"][0]["response_body"].is_string());
    let none = client.latest_get(&format!("{path}?start_ts=1&error_type=faraday_error")).await;
    assert_eq!(none["data"], json!([]));
    assert_eq!(client.latest_get(&format!("{path}/71001")).await["request_body"], Value::Null);
    let missing = client.refusal(Method::GET, &format!("{path}/1"), Value::Null).await;
    assert_eq!(missing, refused(404, "execution_result_not_found"));
    let too_large = client.refusal(Method::GET, &format!("{path}?per_page=31"), Value::Null).await;
    assert_eq!(too_large.0, 400);
}

#[tokio::test]
async fn the_allowlist_never_locks_out_the_caller() {
    let client = TestClient::with_defaults().await;
    let locked = client.refusal(Method::PUT, "/ip_allowlist", json!({"enabled": true})).await;
    assert_eq!(locked, refused(422, "parameter_invalid"));
    assert_eq!(client.latest_get("/ip_allowlist").await["enabled"], false);
    let wrong = json!({"ip_allowlist": ["192.0.2.0/40"]});
    assert_eq!(client.refusal(Method::PUT, "/ip_allowlist", wrong).await.0, 422);
    let body = json!({"enabled": true, "ip_allowlist": ["127.0.0.0/8"]});
    client.latest(Method::PUT, "/ip_allowlist", body).await;
    assert_eq!(client.latest_get("/ip_allowlist").await["ip_allowlist"], json!(["127.0.0.0/8"]));
}

#[tokio::test]
async fn activities_are_searched_by_kind_with_the_page_in_the_body() {
    let client = TestClient::with_defaults().await;
    let path = "/admins/activity_logs/search";
    let search = |page: i64| json!({"created_at_after": 1, "event_types": ["admin_login_success"], "per_page": 15, "page": page});
    let (_, first) = client.latest(Method::POST, path, search(1)).await;
    let (_, second) = client.latest(Method::POST, path, search(2)).await;
    assert_eq!(first["activity_logs"].as_array().unwrap().len(), 15);
    assert_eq!(second["activity_logs"].as_array().unwrap().len(), 5);
    assert_eq!(first["pages"]["total_pages"], 2);
    let unknown = json!({"created_at_after": 1, "event_types": ["nothing"]});
    assert_eq!(client.refusal(Method::POST, path, unknown).await.0, 400);
    assert_eq!(client.refusal(Method::POST, path, json!({})).await.0, 400);
    let kinds = client.latest_get("/admins/activity_log_event_types").await;
    assert!(kinds["event_types"].as_array().unwrap().contains(&json!("office_hours_change")));
}

#[tokio::test]
async fn settings_that_are_only_read_have_a_list_and_its_records() {
    let client = TestClient::with_defaults().await;
    assert_eq!(ids(&client.latest_get("/brands").await["data"]), ["sandbox1", "3001"]);
    assert_eq!(client.latest_get("/brands/sandbox1").await["is_default"], true);
    assert_eq!(ids(&client.latest_get("/emails").await["data"]), ["50021", "50022"]);
    assert_eq!(client.latest_get("/emails/50022").await["verified"], false);
    assert_eq!(client.latest_get("/export/workflows/31001").await["workflow"]["state"], "live");
    for path in ["/brands/1", "/emails/1", "/export/workflows/1"] {
        assert_eq!(client.refusal(Method::GET, path, Value::Null).await, refused(404, "not_found"), "{path}");
    }
    let reasons = client.latest_get("/away_status_reasons").await;
    assert!(reasons["data"].as_array().unwrap().iter().any(|reason| reason["deleted"] == true));
    let too_old = client.call_at("2.14", Method::GET, "/brands", Value::Null).await;
    assert_eq!(too_old.0, 400);
}
