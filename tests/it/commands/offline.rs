//! `--data-source local`: generated commands answered by the mirror.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn generated_commands_read_the_mirror() {
    let mirrored = Mirrored::new().await;
    let both = |words: &[&str]| {
        let [live, local] = ["live", "local"].map(|source| {
            let output = mirrored.run(&[words, &["--json", "--data-source", source]].concat());
            assert_eq!(code(&output), 0, "{words:?} {source}: {}", stderr(&output));
            document(&output)
        });
        assert_eq!(local["meta"]["source"], "local");
        assert!(local["meta"]["synced_at"].is_i64(), "{local}");
        (live["results"].clone(), local["results"].clone())
    };
    let sorted = |list: &Value| {
        let mut records: Vec<String> = list.as_array().unwrap().iter().map(Value::to_string).collect();
        records.sort();
        records
    };
    for (words, key) in [
        (&["contacts", "list", "--all"][..], "data"),
        (&["tags", "list"], "data"),
        (&["teams", "list"], "teams"),
        (&["admins", "list"], "admins"),
        (&["articles", "list", "--all"], "data"),
    ] {
        let (live, local) = both(words);
        assert_eq!(sorted(&live[key]), sorted(&local[key]), "{words:?}");
    }
    let (live, _) = both(&["conversations", "list", "--limit", "5"]);
    for (group, query) in [
        ("contacts", r#"{"field":"role","operator":"=","value":"user"}"#),
        ("contacts", r#"{"field":"email","operator":"~","value":"PERSON1"}"#),
        ("contacts", r#"{"field":"created_at","operator":">","value":"1700000000"}"#),
        ("contacts", r#"{"field":"custom_attributes.plan","operator":"!=","value":"growth"}"#),
        ("conversations", r#"{"field":"state","operator":"IN","value":["open","snoozed"]}"#),
        ("conversations", r#"{"field":"team_assignee_id","operator":"!=","value":1}"#),
        ("tickets", r#"{"field":"team_assignee_id","operator":"=","value":"0"}"#),
        (
            "conversations",
            r#"{"operator":"OR","value":[{"field":"open","operator":"=","value":false},{"operator":"AND","value":[
                {"field":"source.author.email","operator":"$","value":".example"},
                {"field":"statistics.count_reopens","operator":">","value":0}]}]}"#,
        ),
        ("tickets", r#"{"field":"open","operator":"=","value":true}"#),
        ("tickets", r#"{"field":"category","operator":"!=","value":"Customer"}"#),
    ] {
        let key = if group == "contacts" { "data" } else { group };
        let (live, local) = both(&[group, "search", "--query", query, "--all"]);
        let found = |list: &Value| {
            let mut found: Vec<String> = ids(&list[key]).into_iter().map(str::to_owned).collect();
            found.sort();
            found
        };
        assert_eq!(found(&live), found(&local), "{group} {query}");
    }
    // Numeric custom attributes may be stored as strings.
    let (contacts, _) = both(&["contacts", "list", "--all"]);
    let seats = |record: &Value| record["custom_attributes"]["seats"].as_u64();
    let some = contacts["data"].as_array().unwrap().iter().find_map(seats).unwrap();
    for operator in ["=", "!=", ">", "<"] {
        let found = [some.to_string(), format!("{:?}", some.to_string())].map(|value| {
            let query =
                format!(r#"{{"field":"custom_attributes.seats","operator":"{operator}","value":{value}}}"#);
            let search =
                ["contacts", "search", "--query", &query, "--all", "--data-source", "local", "--json"];
            document(&mirrored.run(&search))["results"]["data"].clone()
        });
        assert!(found[0].as_array().is_some_and(|rows| !rows.is_empty()), "{operator} {some}");
        assert_eq!(found[0], found[1], "{operator} {some}");
    }
    for id in ids(&live["conversations"]) {
        let (live, local) = both(&["conversations", "retrieve", id]);
        assert_eq!(live, local, "{id}");
    }
    let (contacts, _) = both(&["contacts", "list", "--all"]);
    let with_notes = |record: &&Value| record["notes"]["total_count"].as_u64() > Some(1);
    let contact =
        contacts["data"].as_array().unwrap().iter().find(with_notes).unwrap()["id"].as_str().unwrap();
    for group in ["notes", "tags", "companies", "segments", "subscriptions"] {
        let (live, local) = both(&["contacts", group, "list", contact, "--all"]);
        let named = |list: &Value| ids(&list["data"]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(named(&live), named(&local), "{group}");
        let nobody = mirrored.run(&["contacts", group, "list", "nobody", "--data-source", "local"]);
        assert_eq!(code(&nobody), 3, "{group}: {}", stderr(&nobody));
    }
    let (_, notes) = both(&["contacts", "notes", "list", contact, "--all"]);
    let page =
        ["contacts", "notes", "list", contact, "--page", "2", "--per-page", "1", "--data-source", "local"];
    let second = document(&mirrored.run(&page))["results"]["data"].take();
    assert_eq!(second.as_array().unwrap()[..], notes["data"].as_array().unwrap()[1..2]);
    let company =
        both(&["contacts", "companies", "list", contact]).1["data"][0]["id"].as_str().unwrap().to_owned();
    let (live, local) = both(&["companies", "contacts", "list", &company, "--all"]);
    assert_eq!(sorted(&live["data"]), sorted(&local["data"]));
    let (_, page) = both(&["companies", "list-all", "--page", "2", "--per-page", "5"]);
    let (_, all) = both(&["companies", "list-all", "--all"]);
    assert_eq!(page["data"].as_array().unwrap()[..], all["data"].as_array().unwrap()[5..10]);
    let name = all["data"][0]["name"].as_str().unwrap();
    let local = mirrored.run(&["companies", "retrieve-company", "--name", name, "--data-source", "local"]);
    assert_eq!(document(&local)["results"], all["data"][0]);
    let (live, local) = both(&[
        "companies",
        "retrieve-company",
        "--company-id",
        all["data"][0]["company_id"].as_str().unwrap(),
    ]);
    assert_eq!(live, local);
    let nobody = ["companies", "retrieve-company", "--company-id", "nobody", "--data-source", "local"];
    assert_eq!(code(&mirrored.run(&nobody)), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_flags_are_refused_by_name() {
    let mirrored = Mirrored::new().await;
    let refused = |words: &[&str], name: &str| {
        let output = mirrored.run(&[words, &["--data-source", "local"]].concat());
        assert_eq!(code(&output), 2, "{words:?}: {}", stdout(&output));
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    };
    refused(&["contacts", "list", "--starting-after", "x"], "--starting-after");
    refused(&["conversations", "list", "--display-as", "plaintext"], "--display-as");
    refused(&["companies", "retrieve-company", "--tag-id", "7"], "--tag-id");
    let unknown = r#"{"field":"shoe_size","operator":"=","value":"42"}"#;
    refused(&["contacts", "search", "--query", unknown], "shoe_size");
    let words = r#"{"field":"source.body","operator":"=","value":"refund"}"#;
    refused(&["conversations", "search", "--query", words], "source.body");
    refused(&["contacts", "create", "--email", "x@example.com"], "only reads from the live workspace");
    refused(
        &["events", "list-data", "--type", "user", "--filter", r#"{"user_id":"1"}"#],
        "only reads from the live workspace",
    );
    let missing = mirrored.run(&["contacts", "show", "nobody", "--data-source", "local"]);
    assert_eq!(code(&missing), 3);
    let sent = mirrored.sandbox.requests().len();
    mirrored.run(&["contacts", "list", "--data-source", "local"]);
    assert_eq!(mirrored.sandbox.requests().len(), sent, "no request is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_is_used_when_the_workspace_is_unreachable() {
    let mirrored = Mirrored::new().await;
    let url = mirrored.sandbox.base_url();
    let expected = mirrored.run(&["contacts", "list", "--data-source", "local", "--json"]);
    mirrored.sandbox.stop().await;
    // Reserves the port, which the sandbox of another test could take. A socket that does not listen refuses connections.
    let reserved = tokio::net::TcpSocket::new_v4().unwrap();
    reserved.bind(url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()).unwrap();
    let command = |words: &[&str]| {
        let mut command = binary(mirrored.home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", &url);
        command.args(words).output().unwrap()
    };
    let output = command(&["contacts", "list", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), stdout(&expected));
    assert!(stderr(&output).contains("using the mirror instead"), "{}", stderr(&output));
    assert_eq!(code(&command(&["contacts", "list", "--all", "--data-source", "auto"])), 0);
    assert_eq!(code(&command(&["contacts", "list", "--data-source", "live"])), 5);
    let mut other = binary(mirrored.home.path());
    other.env("INTERCOM_ACCESS_TOKEN", "another").env("INTERCOM_BASE_URL", &url);
    let output = other.args(["contacts", "list"]).output().unwrap();
    assert_eq!(code(&output), 5, "a token without a mirror gets no other mirror");
    drop(reserved);
}
