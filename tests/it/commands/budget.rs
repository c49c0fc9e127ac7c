//! `budget`: the rate limit as the server reports it.

use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::Value;

use crate::support::{Server, against, binary, document, stderr};

#[tokio::test(flavor = "multi_thread")]
async fn budget_shows_the_rate_limit_of_the_server() {
    let sandbox = Sandbox::start(Options { conversations: 1, ..Options::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.args(words).output().unwrap()
    };
    let found = document(&run(&["budget", "--json"]));
    let results = &found["results"];
    let (limit, remaining) = (results["limit"].as_i64().unwrap(), results["remaining"].as_i64().unwrap());
    assert!(remaining < limit && results["used"] == limit - remaining, "{results}");
    assert_eq!(sandbox.requests().len(), 1, "the command takes one request");
    let silent = Server::always(200, r#"{"type":"admin","id":"1"}"#);
    let output = against(home.path(), &silent.url).args(["budget", "--json"]).output().unwrap();
    assert_eq!((&document(&output)["results"]["limit"], output.status.code()), (&Value::Null, Some(0)));
    assert!(stderr(&output).contains("no rate limit"));
    let wrong =
        Server::always(401, r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"x"}]}"#);
    let output = against(home.path(), &wrong.url).args(["budget"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
}
