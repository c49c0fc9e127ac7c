//! Malformed messages: every request is answered.

use serde_json::{Value, json};

use crate::mcp::client::Client;
use crate::support::Server;

fn client(home: &std::path::Path) -> (Client, Server) {
    let server = Server::always(200, r#"{"type":"admin","id":"1"}"#);
    (Client::start(home, &server.url, "dG9rOnRlc3Q", &["--allow-writes"]), server)
}

fn call(id: u64, name: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
    )
}

#[test]
fn messages_with_broken_characters_or_numbers_are_read() {
    let home = tempfile::tempdir().unwrap();
    let (mut client, server) = client(home.path());
    client.send_text(&call(70, "contacts_create", r#"{"email":"a@example.com","name":"party \ud83c"}"#));
    let answer = client.answer(70);
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let sent = server.take().into_iter().find(|request| request.path == "/contacts").unwrap().json();
    assert_eq!(sent["name"], "party \u{fffd}");
    client.send_text(&call(71, "contacts_list", r#"{"per_page":1e400}"#));
    let answer = client.answer(71);
    let error = &answer["result"]["structuredContent"]["error"];
    assert!(error["message"].as_str().unwrap().starts_with("per_page"), "{answer}");
}

#[test]
fn unreadable_messages_are_answered_with_an_error() {
    let home = tempfile::tempdir().unwrap();
    let (mut client, _server) = client(home.path());
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    for (line, code, id) in [
        ("not a message".to_owned(), -32700, Value::Null),
        (r#"{"jsonrpc":"2.0","id":80,"method":"ping""#.to_owned(), -32700, Value::Null),
        (call(81, "contacts_create", &format!(r#"{{"custom_attributes":{deep}}}"#)), -32700, json!(81)),
        ("[1,2]".to_owned(), -32600, Value::Null),
        (r#"{"jsonrpc":"2.0","id":"x","method":"no/such"}"#.to_owned(), -32601, json!("x")),
        (
            r#"{"jsonrpc":"2.0","id":"y","method":"tools/call","params":{"arguments":{}}}"#.to_owned(),
            -32602,
            json!("y"),
        ),
        ("x".repeat(17 << 20), -32600, Value::Null),
    ] {
        client.send_text(&line);
        let answer = client.next();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{answer}");
        assert!(answer.as_object().unwrap().contains_key("id"), "{answer}");
    }
    assert_eq!(client.content("me", json!({}))["results"]["id"], "1");
}
