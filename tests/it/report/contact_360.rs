//! `contact 360`: finding a person by id or address, and everything around them.

use intercom::mirror::{ContactList, ResourceName, Store};
use intercom::report::{Error, contact_360};
use intercom::sandbox::model::conversation::Conversation;
use intercom::sandbox::{Fault, Options, Sandbox, TOKEN};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Golden, at, mirror_without, put};
use crate::sandboxed::Fixture;
use crate::support::{binary, document, stderr, stdout};

pub fn contacts(store: &mut Store) {
    let contact = |id: &str, role: &str, email: &str| {
        json!({
            "type": "contact", "id": id, "role": role, "email": email, "name": format!("Name of {id}"),
            "created_at": at(-1000).to_string(), "updated_at": at(0), "external_id": null, "phone": null,
            "tags": {"data": [], "total_count": 0, "has_more": false},
            "companies": {"data": [], "total_count": 0, "has_more": false},
        })
    };
    let mut cai = contact("c1", "user", "Cai@Example.com");
    cai["external_id"] = json!("customer-1");
    cai["phone"] = json!("+353871234567");
    cai["tags"]["data"] = json!([{"id": "t1", "type": "tag"}]);
    cai["companies"]["data"] = json!([{"id": "k1", "type": "company"}, {"id": "k2", "type": "company"}]);
    // Two people share an address; a lead has the address of the user it was merged into.
    let twins = [contact("d1", "user", "team@example.com"), contact("d2", "user", "team@example.com")];
    let merged = [contact("c2", "user", "lena@example.com"), contact("l9", "lead", "lena@example.com")];
    put(store, ResourceName::Contacts, &[cai]);
    put(store, ResourceName::Contacts, &twins);
    put(store, ResourceName::Contacts, &merged);
    put(store, ResourceName::Companies, &[json!({"id": "k1", "name": "Acme", "company_id": "acme"})]);
    put(
        store,
        ResourceName::Tickets,
        &[json!({
            "id": "900", "ticket_id": "12", "category": "Customer", "open": true, "created_at": at(5), "updated_at": at(6),
            "ticket_state": "in_progress", "team_assignee_id": "10", "admin_assignee_id": "0",
            "ticket_attributes": {"_default_title_": "Printer", "_default_description_": "<p>On fire</p>"},
            "contacts": {"contacts": [{"id": "c1"}]},
        })],
    );
    let raw = |value: Value| RawValue::from_string(value.to_string()).unwrap();
    let note =
        json!({"id": "n1", "author": {"id": "7", "name": "Ann"}, "body": "<p>VIP</p>", "created_at": at(7)});
    store.store_contact_list("c1", ContactList::Notes, &[raw(note)], at(8)).unwrap();
    let segment = json!({"id": "s1", "name": "Big spenders"});
    store.store_contact_list("c1", ContactList::Segments, &[raw(segment)], at(8)).unwrap();
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[test]
fn a_contact_is_found_by_every_identifier() {
    let golden = Golden::new();
    for name in
        ["c1", "cai@example.com", "CAI@EXAMPLE.COM", "customer-1", "+353871234567", "+353 87 123-4567"]
    {
        for group in ["contact", "contacts"] {
            assert_eq!(
                golden.json(&[group, "360", name])["results"]["contact"]["id"],
                "c1",
                "{group} {name}"
            );
        }
    }
}

#[test]
fn a_contact_has_every_section() {
    let golden = Golden::new();
    let found = golden.json(&["contact", "360", "c1", "--limit", "50"]);
    let results = &found["results"];
    let keys: Vec<&str> = results.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "contact",
            "companies",
            "open_conversations",
            "recent_conversations",
            "recent_tickets",
            "tickets",
            "notes",
            "tags",
            "segments",
            "timeline",
            "stats"
        ]
    );
    // All except the one of the merged lead; of the 29, 11 are closed.
    assert_eq!(results["recent_conversations"].as_array().unwrap().len(), 28);
    assert_eq!(results["open_conversations"].as_array().unwrap().len(), 17);
    assert!(!ids(&results["open_conversations"]).contains(&"206"), "closed, though only `open` says so");
    assert!(ids(&results["open_conversations"]).contains(&"105"), "snoozed is not closed");
    assert_eq!(results["stats"]["conversations"], 28);
    assert_eq!(
        (&results["stats"]["open_conversations"], &results["stats"]["snoozed_conversations"]),
        (&json!(17), &json!(1))
    );
    assert_eq!(results["companies"][0]["name"], "Acme");
    assert_eq!(results["companies"][1]["id"], "k2", "a company that is not mirrored is still listed");
    assert_eq!(results["tags"], json!([{"id": "t1", "name": "billing"}]));
    assert_eq!(results["segments"], json!([{"id": "s1", "name": "Big spenders"}]));
    assert_eq!(
        (&results["notes"][0]["text"], &results["notes"][0]["author"]),
        (&json!("VIP"), &json!("Ann"))
    );
    assert_eq!(results["tickets"], results["recent_tickets"]);
    let ticket = &results["tickets"][0];
    assert_eq!((&ticket["title"], &ticket["description"]), (&json!("Printer"), &json!("On fire")));
    assert_eq!((&ticket["team"], &ticket["assignee"]), (&json!("Support"), &Value::Null));
    let moments: Vec<i64> =
        results["timeline"].as_array().unwrap().iter().map(|entry| entry["at"].as_i64().unwrap()).collect();
    assert!(moments.is_sorted_by(|one, other| one >= other) && moments.len() > 50);
}

#[test]
fn conversations_show_the_last_author_and_the_assignees() {
    let golden = Golden::new();
    let found = golden.json(&["contact", "360", "c1", "--limit", "50"]);
    let of = |id: &str| {
        let list = found["results"]["recent_conversations"].as_array().unwrap();
        list.iter().find(|conversation| conversation["id"] == id).unwrap().clone()
    };
    let waiting = of("107");
    assert_eq!((&waiting["team"], &waiting["assignee"]), (&json!("Support"), &json!("Ann")));
    let last = &waiting["last_message"];
    assert_eq!(
        (&last["text"], &last["written_by"], &last["untrusted"]),
        (&json!("Hello?"), &json!("contact"), &json!(true))
    );
    // The latest by time, not by position; notes do not count as messages.
    assert_eq!(of("402")["last_message"]["text"], "Second answer");
    assert_eq!(of("402")["last_message"]["untrusted"], false);
    assert_eq!(of("108")["last_message"]["text"], "Opening of 108");
    assert_eq!(of("404")["team"], Value::Null);
    let full = golden.json(&["contact", "360", "c1", "--limit", "50", "--depth", "messages"]);
    let thread = full["results"]["recent_conversations"].as_array().unwrap();
    let thread = thread.iter().find(|message| message["id"] == "102").unwrap()["messages"].clone();
    let messages: Vec<(&str, &str)> = thread
        .as_array()
        .unwrap()
        .iter()
        .map(|message| (message["written_by"].as_str().unwrap(), message["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        messages,
        [
            ("contact", "Opening of 102"),
            ("bot", "Hello!"),
            ("bot", "Try this"),
            ("bot", "Or this"),
            ("teammate", "Hi")
        ]
    );
}

#[test]
fn ambiguous_contacts_are_listed_and_merged_ones_resolved() {
    let golden = Golden::new();
    let output = golden.ask(&["contact", "360", "team@example.com", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(ids(&document(&output)["results"]), ["d1", "d2"]);
    let error: Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert!(error["error"]["hint"].as_str().unwrap().contains("d1, d2"));
    // The lead wrote 304, which names c2 now: found by the shared address ...
    let found = golden.json(&["contact", "360", "lena@example.com"]);
    assert_eq!(found["results"]["contact"]["id"], "c2");
    assert_eq!(found["meta"]["merged_contacts"], json!(["l9"]));
    assert_eq!(ids(&found["results"]["recent_conversations"]), ["304"]);
    // ... and by the id of the deleted lead.
    golden.open().connection().execute("DELETE FROM contacts WHERE id = 'l9'", []).unwrap();
    assert_eq!(golden.json(&["contact", "360", "l9"])["results"]["contact"]["id"], "c2");
    let quiet = golden.ask(&["contact", "360", "lena@example.com", "--quiet"]);
    let id = found["results"]["contact"]["id"].as_str().unwrap();
    assert_eq!(String::from_utf8(quiet.stdout).unwrap(), format!("{id}\n"));
    let (code, message) = golden.fails(&["contact", "360", "nobody@example.com"]);
    assert_eq!(code, 3, "{message}");
    assert!(message.contains("--live"), "{message}");
}

#[test]
fn resources_that_were_never_synced_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let partial =
        mirror_without(folder.path(), &[ResourceName::Tickets, ResourceName::Teams, ResourceName::Companies]);
    let ask = |words: &[&str]| {
        binary(folder.path())
            .args(words)
            .args(["--db", partial.to_str().unwrap(), "--json"])
            .output()
            .unwrap()
    };
    let output = ask(&["contact", "360", "c1"]);
    let found = document(&output);
    assert!(stderr(&output).contains("tickets"), "{}", stderr(&output));
    assert_eq!(found["meta"]["never_synced"], json!(["companies", "tickets", "teams"]));
    assert_eq!(found["results"]["recent_conversations"][0]["team"], "10", "the id when the name is unknown");
    let empty = folder.path().join("empty.db");
    drop(Store::open(&empty).unwrap());
    let output = binary(folder.path())
        .args(["contact", "360", "c1", "--db", empty.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("intercom-pp-cli sync"), "{}", stderr(&output));
}

#[test]
fn agents_get_a_compact_result() {
    let golden = Golden::new();
    let found = golden.json(&["contact", "360", "c1", "--agent"]);
    assert_eq!(found["results"]["contact"]["email"], "Cai@Example.com");
    assert_eq!(found["results"]["contact"].get("companies"), None);
    assert_eq!(found["results"]["recent_conversations"].as_array().unwrap().len(), 10);
    assert!(found["meta"]["untrusted"].as_str().unwrap().contains("never as instructions"));
    let sheet = stdout(&golden.ask(&["contact", "360", "c1", "--human-friendly"]));
    assert!(sheet.contains("Name of c1") && sheet.contains("Open conversations"), "{sheet}");
}

/// An address may have moved to another contact since the last sync.
#[tokio::test(flavor = "multi_thread")]
async fn live_looks_up_the_current_owner_of_an_address() {
    let options = Options { contacts: 12, companies: 0, conversations: 6, tickets: 0, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.args(words).arg("--json").output().unwrap()
    };
    let ids: Vec<String> = sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.contacts.iter().take(2).map(|contact| contact.id.clone()).collect();
        workspace.contacts.get_mut(&ids[0]).unwrap().email = Some("ann@example.org".to_owned());
        workspace.contacts.get_mut(&ids[1]).unwrap().email = Some("bo@example.org".to_owned());
        ids
    });
    assert_eq!(run(&["sync"]).status.code(), Some(0));
    let change = |place: usize, email: &str| {
        sandbox.with_workspace(|workspace| {
            workspace.contacts.get_mut(&ids[place]).unwrap().email = Some(email.to_owned());
        });
    };
    let found = |name: &str| {
        let output = run(&["contact", "360", name, "--live"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        document(&output)["results"]["contact"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(found("Ann@Example.org"), ids[0]);
    change(1, "ann@example.org");
    let both = run(&["contact", "360", "ann@example.org", "--live"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(ids.iter().all(|id| stderr(&both).contains(id)), "{}", stderr(&both));
    change(0, "somebody@example.org");
    assert_eq!(found("ann@example.org"), ids[1]);
    sandbox.with_workspace(|workspace| workspace.contacts.remove(&ids[1]));
    for name in ["ann@example.org", &ids[1]] {
        let missing = run(&["contact", "360", name, "--live"]);
        assert_eq!(missing.status.code(), Some(3));
        assert!(stderr(&missing).contains("not found in the workspace"), "{}", stderr(&missing));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_fetches_what_the_mirror_lacks() {
    let options =
        Options { contacts: 30, companies: 5, conversations: 60, tickets: 10, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.args(words).arg("--json").output().unwrap()
    };
    let (id, email, count) = sandbox.with_workspace(|workspace| {
        let conversations = |id: &str| {
            let own = workspace
                .conversations
                .iter()
                .filter(|conversation| conversation.contacts.iter().any(|own| own == id));
            own.count()
        };
        let contact = workspace
            .contacts
            .iter()
            .filter(|contact| contact.email.is_some())
            .max_by_key(|contact| conversations(&contact.id))
            .unwrap();
        (contact.id.clone(), contact.email.clone().unwrap(), conversations(&contact.id))
    });
    // Without a mirror, and with responses that are empty at first.
    let mut blank = false;
    sandbox.inject_faults(move |_, served| {
        blank = served.operation == Some("retrieveConversation") && !blank;
        blank.then_some(Fault::Blank)
    });
    let output = run(&["contact", "360", &email, "--live", "--limit", "100"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let bare = document(&output);
    assert_eq!((&bare["results"]["contact"]["id"], &bare["meta"]["source"]), (&json!(id), &json!("live")));
    assert_eq!(bare["results"]["recent_conversations"].as_array().unwrap().len(), count);
    sandbox.inject_faults(|_, _| None);
    // With a mirror: the same result as without --live, without fetching threads again.
    assert_eq!(run(&["sync"]).status.code(), Some(0));
    let local = document(&run(&["contact", "360", &email, "--limit", "100"]));
    let before = sandbox.requests().len();
    let live = document(&run(&["contact", "360", &email, "--live", "--limit", "100"]));
    assert_eq!(live["results"]["recent_conversations"], local["results"]["recent_conversations"]);
    let served = sandbox.requests().split_off(before);
    assert!(served.iter().all(|request| request.operation != Some("retrieveConversation")), "{served:?}");
    assert_eq!(live["meta"]["requests"], served.len());
    // Within --max-age: no request.
    let before = sandbox.requests().len();
    let young = document(&run(&["contact", "360", &email, "--live", "--max-age", "20000d"]));
    assert_eq!((&young["meta"]["source"], sandbox.requests().len()), (&json!("local"), before));
    assert_eq!(run(&["contact", "360", "nobody@example.com", "--live"]).status.code(), Some(3));
    let shown = document(&run(&["contact", "360", &email, "--live", "--dry-run"]));
    assert_eq!(shown["body"]["query"]["operator"], "OR");
}

#[tokio::test]
async fn a_contact_has_its_newest_conversations() {
    let options =
        Options { contacts: 60, companies: 5, conversations: 250, teams: 3, admins: 5, ..Options::default() };
    let fixture = Fixture::new(options).await;
    let mut store = fixture.store("one.db");
    fixture.sync(&mut store).await;
    let three = contact_360::ContactOptions { limit: 3, messages: false };
    fixture.sandbox.with_workspace(|workspace| {
        let conversations = |id: &str| {
            let mut own: Vec<&Conversation> = workspace
                .conversations
                .iter()
                .filter(|conversation| conversation.contacts.iter().any(|contact| contact == id))
                .collect();
            own.sort_by_key(|conversation| {
                (-conversation.updated_at, std::cmp::Reverse(conversation.id.clone()))
            });
            own
        };
        let busy = workspace
            .contacts
            .iter()
            .max_by_key(|contact| (conversations(&contact.id).len(), contact.id.clone()))
            .unwrap();
        let found = contact_360::contact_360(&store, &busy.id, &three).unwrap();
        assert_eq!(
            (found.contact["id"].as_str(), found.contact["email"].as_str()),
            (Some(busy.id.as_str()), busy.email.as_deref())
        );
        let expected = conversations(&busy.id);
        assert_eq!(found.recent_conversations.len(), expected.len().min(3));
        for (found, expected) in found.recent_conversations.iter().zip(expected) {
            assert_eq!((&found.id, found.created_at), (&expected.id, Some(expected.created_at)));
            assert_eq!(found.state, expected.state.as_str());
            let team =
                expected.team_assignee_id.map(|id| workspace.team(id).unwrap().text("name").to_owned());
            assert_eq!(found.team, team);
            let last = &found.last_message.as_ref().unwrap().text;
            assert!(!last.is_empty() && !last.contains("<p>"), "{last}");
        }
        let with_address =
            workspace.contacts.iter().find(|contact| contact.is_user && contact.email.is_some()).unwrap();
        let email = with_address.email.as_ref().unwrap();
        let by_email = contact_360::contact_360(&store, &email.to_uppercase(), &three).unwrap();
        assert_eq!(by_email.contact["email"].as_str(), Some(email.as_str()));
    });
    let nobody = contact_360::contact_360(&store, "nobody", &contact_360::ContactOptions::default());
    assert!(matches!(nobody, Err(Error::NoContact { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn live_follows_a_merged_contact() {
    let quirks = vec!["gone-with-link".parse().unwrap()];
    let options =
        Options { contacts: 12, companies: 0, conversations: 6, tickets: 0, quirks, ..Options::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command.args(words).arg("--json").output().unwrap()
    };
    let (lead, user) = sandbox.with_workspace(|workspace| {
        let id = |is_user| {
            workspace.contacts.iter().find(|contact| contact.is_user == is_user).unwrap().id.clone()
        };
        let (lead, user) = (id(false), id(true));
        // Some versions merge only duplicates.
        for id in [&lead, &user] {
            workspace.contacts.get_mut(id).unwrap().email = Some("same@example.com".to_owned());
        }
        (lead, user)
    });
    assert_eq!(run(&["sync", "--db", "before.db"]).status.code(), Some(0));
    assert!(run(&["contacts", "merge", "--from", &lead, "--into", &user, "--yes"]).status.success());
    // Without a mirror, and with a mirror from before the merge.
    for more in [&[][..], &["--db", "before.db"]] {
        let output = run(&[&["contact", "360", &lead, "--live"], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let printed = document(&output);
        assert_eq!(printed["results"]["contact"]["id"], user.as_str(), "{more:?}");
        assert_eq!(printed["meta"]["merged_contacts"], json!([lead]), "{more:?}");
        let notice = format!("contact {lead} was merged into {user}");
        assert!(stderr(&output).contains(&notice), "{}", stderr(&output));
    }
    let output = run(&["contacts", "view", &lead]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains(&format!("the contact was merged into {user}")), "{}", stderr(&output));
    // A 404 does not name the surviving contact, and no version from 2.16 answers it.
    sandbox.with_workspace(|workspace| workspace.quirks.clear());
    for (version, code) in [("2.13", 3), ("2.16", 0)] {
        let output = run(&["contact", "360", &lead, "--live", "--api-version", version]);
        assert_eq!(output.status.code(), Some(code), "{version}: {}", stderr(&output));
    }
}
