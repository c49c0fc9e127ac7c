//! Quirks: behaviour that makes a workspace harder to work with.

use intercom::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::{TestClient, options};

async fn with_quirk(quirk: &str) -> TestClient {
    TestClient::new(Options { quirks: vec![quirk.parse().unwrap()], ..options() }).await
}

#[tokio::test]
async fn a_refused_path_returns_the_status_and_other_paths_still_work() {
    let client = with_quirk("refuse=/contacts:403").await;
    let error = client.error(Method::GET, "/contacts", Value::Null).await;
    assert_eq!(error, (403, "forbidden".to_owned()));
    client.get("/tags").await;
}

#[tokio::test]
async fn errors_can_have_status_200() {
    let client = with_quirk("errors-in-success=/contacts").await;
    assert_eq!(client.get("/contacts").await["type"], "error.list");
    assert_eq!(client.get("/tags").await["type"], "list");
}

/// Searches for conversations whose team assignee is `value`. Returns the number of results and the team assignee
/// of the first one.
async fn search_by_team_assignee(client: &TestClient, value: Value) -> (u64, Value) {
    let query = json!({"query": {"field": "team_assignee_id", "operator": "=", "value": value}});
    let results = client.post("/conversations/search", query).await;
    (results["total_count"].as_u64().unwrap(), results["conversations"][0]["team_assignee_id"].clone())
}

#[tokio::test]
async fn unassigned_is_zero_by_default_and_can_be_null() {
    let (default, quirky) = (TestClient::new(options()).await, with_quirk("unassigned=null").await);
    let (count, assignee) = search_by_team_assignee(&default, json!(0)).await;
    assert_eq!((count > 0, assignee), (true, json!(0)));
    assert_eq!(search_by_team_assignee(&default, Value::Null).await.0, 0);
    assert_eq!(search_by_team_assignee(&quirky, Value::Null).await, (count, Value::Null));
    assert_eq!(search_by_team_assignee(&quirky, json!(0)).await.0, 0);
}

#[tokio::test]
async fn fields_can_be_left_out() {
    let client = with_quirk("unassigned=absent").await;
    let listed = client.get("/conversations?per_page=150").await;
    let (with, without): (Vec<&Value>, Vec<&Value>) = listed["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .partition(|conversation| conversation.get("team_assignee_id").is_some());
    assert!(!with.is_empty() && !without.is_empty());
    assert!(with.iter().all(|conversation| conversation["team_assignee_id"].as_i64() > Some(0)));
    let client = with_quirk("without=tags").await;
    let listed = client.get("/conversations").await;
    let one =
        client.get(&format!("/conversations/{}", listed["conversations"][0]["id"].as_str().unwrap())).await;
    let contacts = client.get("/contacts").await;
    for document in [&listed["conversations"][0], &one, &contacts["data"][0]] {
        assert!(document.get("tags").is_none() && document.get("id").is_some(), "{document}");
    }
}

#[tokio::test]
async fn an_archived_contact_can_be_hidden() {
    let client = with_quirk("hidden-archived").await;
    let id = client.get("/contacts").await["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/contacts/{id}");
    client.post(&format!("{path}/archive"), Value::Null).await;
    assert_eq!(client.error(Method::GET, &path, Value::Null).await.0, 404);
    client.post(&format!("{path}/unarchive"), Value::Null).await;
    assert_eq!(client.get(&path).await["id"], id.as_str());
}

#[tokio::test]
async fn taking_the_teammate_off_can_take_the_team_off() {
    for (client, left) in
        [(TestClient::new(options()).await, true), (with_quirk("unassign-clears-team").await, false)]
    {
        let admin = client.get("/me").await["id"].as_str().unwrap().to_owned();
        let team = client.get("/teams").await["teams"][0]["id"].clone();
        let id = client.get("/conversations").await["conversations"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/conversations/{id}/parts");
        let assign = async |kind: &str, to: &Value| {
            let body = json!({
                "message_type": "assignment", "type": kind, "admin_id": admin, "assignee_id": to,
            });
            client.post(&path, body).await["team_assignee_id"].clone()
        };
        assert_ne!(assign("team", &team).await, json!(0));
        assert_eq!(assign("admin", &json!("0")).await != json!(0), left);
    }
}

#[tokio::test]
async fn comparisons_can_include_equality() {
    let field = "statistics.count_conversation_parts";
    for (strict, inclusive) in [(">", ">="), ("<", "<=")] {
        let (default, quirky) = (TestClient::new(options()).await, with_quirk("inclusive-comparison").await);
        let count = async |client: &TestClient, operator: &str| {
            let query = json!({"query": {"field": field, "operator": operator, "value": 3}});
            client.post("/conversations/search", query).await["total_count"].as_u64().unwrap()
        };
        assert!(count(&default, strict).await < count(&default, inclusive).await);
        assert_eq!(count(&quirky, strict).await, count(&default, inclusive).await);
    }
}

#[tokio::test]
async fn searches_by_a_list_of_ids_can_be_rejected() {
    let client = with_quirk("no-search-by-ids").await;
    let query = |operator: &str, value: Value| json!({"query": {"field": "id", "operator": operator, "value": value}});
    let error = client.error(Method::POST, "/contacts/search", query("IN", json!(["1"]))).await;
    assert_eq!(error.0, 400);
    let (_, results) = client.call(Method::POST, "/contacts/search", query("=", json!("1"))).await;
    assert_eq!(results["total_count"], 0);
}

#[tokio::test]
async fn updating_an_article_without_an_author_can_change_its_author() {
    let client = with_quirk("token-byline").await;
    let me = client.get("/me").await["id"].as_str().unwrap().parse::<i64>().unwrap();
    let listed = client.get("/articles?per_page=150").await;
    let mut articles = listed["data"].as_array().unwrap().iter();
    let article = articles.find(|article| article["author_id"] != me).expect("an article by another author");
    let path = format!("/articles/{}", article["id"].as_str().unwrap());
    let body = json!({"title": "A", "author_id": article["author_id"]});
    assert_eq!(client.call(Method::PUT, &path, body).await.1["author_id"], article["author_id"]);
    let (_, updated) = client.call(Method::PUT, &path, json!({"title": "B"})).await;
    assert_eq!(updated["author_id"], me);
}

fn ids(page: &Value, list: &str) -> Vec<String> {
    page[list].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

/// The path of the page after this one.
fn next_path(page: &Value) -> String {
    let cursor = page["pages"]["next"]["starting_after"].as_str().unwrap();
    format!("/contacts?per_page=2&starting_after={}", cursor.replace('=', "%3D"))
}

#[tokio::test]
async fn pages_can_be_cut_short_repeated_capped_or_followed_by_a_null_cursor() {
    let client = with_quirk("short-page=/contacts").await;
    let first = client.get("/contacts?per_page=2").await;
    let second = client.get(&next_path(&first)).await;
    assert_eq!((ids(&first, "data").len(), ids(&second, "data").len()), (2, 0));
    assert_eq!((&second["pages"]["next"], &second["total_count"]), (&Value::Null, &first["total_count"]));

    let client = with_quirk("repeating-page=/contacts").await;
    let first = client.get("/contacts?per_page=2").await;
    let second = client.get(&next_path(&first)).await;
    assert_eq!(ids(&first, "data"), ids(&second, "data"));
    assert_ne!(next_path(&first), next_path(&second));

    let client = with_quirk("null-cursor").await;
    let page = client.get("/contacts?per_page=150").await;
    let next = &page["pages"]["next"];
    assert!(next["page"].is_u64() && next["starting_after"].is_null(), "{next}");

    let client = with_quirk("page-cap=3").await;
    assert_eq!(client.error(Method::GET, "/contacts?per_page=4", Value::Null).await.0, 400);
    assert_eq!(ids(&client.get("/contacts?per_page=3").await, "data").len(), 3);
}

#[tokio::test]
async fn lists_of_contacts_can_be_null() {
    let page = with_quirk("null-lists").await.get("/contacts?per_page=1").await;
    for list in ["tags", "companies", "notes"] {
        assert!(page["data"][0][list].is_null(), "{list}");
    }
}

#[tokio::test]
async fn a_scroll_can_be_stuck_or_lost() {
    let client = with_quirk("stuck-scroll").await;
    let first = client.get("/companies/scroll").await;
    let token = first["scroll_param"].as_str().unwrap().to_owned();
    let second = client.get(&format!("/companies/scroll?scroll_param={token}")).await;
    assert_eq!(ids(&first, "data"), ids(&second, "data"));
    assert_eq!(second["scroll_param"], token);

    let client = with_quirk("lost-scroll").await;
    let token = client.get("/companies/scroll").await["scroll_param"].as_str().unwrap().to_owned();
    let path = format!("/companies/scroll?scroll_param={token}");
    assert_eq!(client.error(Method::GET, &path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn bots_can_have_the_type_of_people() {
    let authors = async |client: &TestClient| {
        let listed = client.get("/conversations?per_page=150").await;
        let mut authors = Vec::new();
        for conversation in listed["conversations"].as_array().unwrap() {
            let path = format!("/conversations/{}", conversation["id"].as_str().unwrap());
            let parts = client.get(&path).await["conversation_parts"]["conversation_parts"].clone();
            authors.extend(parts.as_array().unwrap().iter().map(|part| part["author"].clone()));
        }
        authors.retain(|author| author["id"] == "278");
        authors
    };
    let default = authors(&TestClient::new(options()).await).await;
    assert!(!default.is_empty() && default.iter().all(|author| author["type"] == "bot"), "{default:?}");
    for (quirk, kind) in [("operator-as-admin", "admin"), ("operator-as-user", "user")] {
        let quirky = authors(&with_quirk(quirk).await).await;
        assert_eq!(quirky.len(), default.len());
        for author in quirky {
            assert_eq!(author["type"], kind);
            assert_eq!(author["email"], "operator+sandbox@intercom.io");
        }
    }
}

#[tokio::test]
async fn conversations_and_tickets_can_say_null_in_place_of_lists() {
    let caller = with_quirk("null-links=/conversations/search").await;
    let body = json!({"query": {"field": "id", "operator": "!=", "value": "0"}});
    let found = caller.post("/conversations/search", body).await["conversations"][0].clone();
    for list in ["contacts", "tags", "linked_objects"] {
        assert!(found[list].is_null(), "{list}");
    }
    let path = format!("/conversations/{}", found["id"].as_str().unwrap());
    assert!(caller.get(&path).await["contacts"]["contacts"].is_array(), "another path");

    let caller = with_quirk("null-links=/conversations/*").await;
    let one = caller.get(&path).await;
    assert!(one["contacts"].is_null() && one["conversation_parts"].is_null());
    assert_eq!(one["id"], found["id"]);
}

#[tokio::test]
async fn parts_can_be_counted_and_withheld() {
    let plain = TestClient::new(options()).await;
    let caller = with_quirk("withheld-parts=1").await;
    let listed = caller.get("/conversations?per_page=150").await;
    let counted = |one: &Value| one["statistics"]["count_conversation_parts"].as_u64().unwrap();
    let longest = listed["conversations"].as_array().unwrap().iter().max_by_key(|one| counted(one)).unwrap();
    let path = format!("/conversations/{}", longest["id"].as_str().unwrap());
    let (whole, cut) = (plain.get(&path).await, caller.get(&path).await);
    let parts = |one: &Value| one["conversation_parts"]["conversation_parts"].as_array().unwrap().clone();
    assert!(parts(&whole).len() > 1);
    assert_eq!(parts(&cut), parts(&whole)[parts(&whole).len() - 1..]);
    assert_eq!(cut["conversation_parts"]["total_count"], whole["conversation_parts"]["total_count"]);
}

#[tokio::test]
async fn a_record_can_come_without_its_id() {
    let caller = with_quirk("nameless=/contacts").await;
    let page = caller.get("/contacts?per_page=3").await;
    let named: Vec<bool> = page["data"].as_array().unwrap().iter().map(|one| one["id"].is_string()).collect();
    assert_eq!(named, [true, true, false]);
    assert!(page["data"][2]["email"].is_string() || page["data"][2]["role"].is_string());
}

#[tokio::test]
async fn a_resource_can_need_another_version() {
    let caller = with_quirk("wrong-version=/articles").await;
    let refusal = caller.error(Method::GET, "/articles", Value::Null).await;
    assert_eq!(refusal, (400, "intercom_version_invalid".to_owned()));
    caller.get("/tags").await;
}

#[tokio::test]
async fn a_workspace_with_a_phone_lists_its_calls() {
    let refusal = TestClient::new(options()).await.error(Method::GET, "/calls", Value::Null).await;
    assert_eq!(refusal.0, 400, "they need a later version");
    let caller = TestClient::new(Options { calls: 30, ..options() }).await;
    let later = async |path: String| {
        let request = caller.request(Method::GET, &path).header("Intercom-Version", "2.14");
        crate::sandbox::read(request.send().await.unwrap()).await.1
    };
    let page = later("/calls?per_page=25".to_owned()).await;
    assert_eq!((ids(&page, "data").len(), &page["total_count"]), (25, &json!(30)));
    let one = later(format!("/calls/{}", ids(&page, "data")[0])).await;
    assert_eq!(one, page["data"][0]);
}

#[tokio::test]
async fn the_key_of_nobody_can_be_left_out() {
    let (plain, sparse) = (TestClient::new(options()).await, with_quirk("unassigned=absent").await);
    let (count, _) = search_by_team_assignee(&plain, json!(0)).await;
    assert_eq!(search_by_team_assignee(&sparse, Value::Null).await, (count, Value::Null));
    let query = json!({"query": {"field": "team_assignee_id", "operator": "=", "value": null}});
    let found = sparse.post("/conversations/search", query).await;
    assert!(found["conversations"][0].get("team_assignee_id").is_none());
}

#[tokio::test]
async fn a_search_can_show_less_than_the_record() {
    let caller = with_quirk("sparse-search=tags").await;
    let query = json!({"query": {"field": "created_at", "operator": ">", "value": 0}});
    let found = caller.post("/conversations/search", query).await;
    let first = &found["conversations"][0];
    assert!(first.get("tags").is_none() && first.get("state").is_some());
    let path = format!("/conversations/{}", first["id"].as_str().unwrap());
    assert!(caller.get(&path).await["tags"].is_object());
}

#[tokio::test]
async fn a_search_can_know_an_earlier_state_than_the_record() {
    let (plain, stale) = (TestClient::new(options()).await, with_quirk("stale-search").await);
    let query = |state: &str| json!({"query": {"field": "state", "operator": "=", "value": state}});
    let count = async |caller: &TestClient, state: &str| {
        caller.post("/conversations/search", query(state)).await["total_count"].as_u64().unwrap()
    };
    let (open, closed) = (count(&plain, "open").await, count(&plain, "closed").await);
    assert!(closed > 0);
    assert_eq!((count(&stale, "open").await, count(&stale, "closed").await), (open + closed, 0));
}

#[tokio::test]
async fn a_search_can_compare_messages_with_their_markup() {
    let query = json!({"query": {"field": "source.body", "operator": "~", "value": "<p>"}});
    let plain = TestClient::new(options()).await.post("/conversations/search", query.clone()).await;
    let markup = with_quirk("markup-search").await.post("/conversations/search", query).await;
    assert_eq!(plain["total_count"], 0);
    assert!(markup["total_count"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_search_can_refuse_null_and_mixed_groups() {
    let nobody = json!({"field": "team_assignee_id", "operator": "=", "value": null});
    let open = json!({"field": "state", "operator": "=", "value": "open"});
    let group = json!({"operator": "OR", "value": [open, open]});
    for (quirk, query) in [
        ("no-null-search", json!({"operator": "AND", "value": [open, nobody]})),
        ("strict-groups", json!({"operator": "AND", "value": [open, group]})),
    ] {
        let body = json!({ "query": query });
        let refusal =
            with_quirk(quirk).await.error(Method::POST, "/conversations/search", body.clone()).await;
        assert_eq!(refusal.0, 400, "{quirk}");
        TestClient::new(options()).await.post("/conversations/search", body).await;
    }
}

#[tokio::test]
async fn searches_by_a_list_of_ids_can_find_nothing() {
    let client = with_quirk("blind-search-by-ids").await;
    let id = client.get("/contacts?per_page=1").await["data"][0]["id"].clone();
    let query = |operator: &str, value: Value| json!({"query": {"field": "id", "operator": operator, "value": value}});
    let count = async |query: Value| client.post("/contacts/search", query).await["total_count"].clone();
    assert_eq!(
        (count(query("IN", json!([id]))).await, count(query("=", id.clone())).await),
        (json!(0), json!(1))
    );
}

#[tokio::test]
async fn a_list_can_count_more_records_than_it_has() {
    let (default, quirky) = (TestClient::new(options()).await, with_quirk("extra-count=/contacts").await);
    let count = async |client: &TestClient| client.get("/contacts").await["total_count"].as_u64().unwrap();
    assert_eq!(count(&quirky).await, count(&default).await + 5);
}

#[tokio::test]
async fn conversations_can_come_without_parts_and_statistics() {
    let client = with_quirk("bare=/conversations/*").await;
    let listed = client.get("/conversations?per_page=1").await["conversations"][0].clone();
    assert!(listed["statistics"].is_object());
    let shown = client.get(&format!("/conversations/{}", listed["id"].as_str().unwrap())).await;
    assert!(shown.get("conversation_parts").is_none() && shown.get("statistics").is_none());
}

#[tokio::test]
async fn the_scroll_can_have_small_pages_and_end_early() {
    let quirks = ["short-scroll", "scroll-page=2"].map(|quirk| quirk.parse().unwrap()).to_vec();
    let client = TestClient::new(Options { quirks, ..options() }).await;
    let first = client.get("/companies/scroll").await;
    let token = first["scroll_param"].as_str().unwrap();
    let second = client.get(&format!("/companies/scroll?scroll_param={token}")).await;
    assert_eq!((ids(&first, "data").len(), ids(&second, "data").len()), (2, 0));
}
