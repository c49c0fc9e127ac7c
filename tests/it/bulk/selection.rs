//! `--where` through the binary: it selects the same records on servers with every quirk, accepts names, and
//! refuses meaningless values.

use intercom::sandbox::model::conversation::Conversation;
use intercom::sandbox::model::plain::PlainRecord;
use intercom::sandbox::model::ticket::TicketRecord;
use intercom::sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use super::{NOW, Scene};
use crate::support::{self, stderr};

/// Ids of the conversations that should be selected.
fn expected_ids(scene: &Scene, test: impl Fn(&Conversation) -> bool) -> Vec<String> {
    scene.sandbox.with_workspace(|workspace| {
        let found = workspace.conversations.iter().filter(|conversation| test(conversation));
        let mut ids: Vec<String> = found.map(|conversation| conversation.id.clone()).collect();
        ids.sort_unstable();
        ids
    })
}

fn ids_of(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list}"));
    let mut ids: Vec<String> = list.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

/// Ids that a search finds on all its pages. Asserts that a bulk change selects the same.
fn selected(scene: &Scene, filter: &str) -> Vec<String> {
    let found = scene
        .results(&["conversations", "search", "--where", filter, "--all", "--per-page", "7", "--json"], 0);
    let plan = scene.results(
        &["conversations", "bulk-tag", "--where", filter, "--tag", "a-new-one", "--limit", "500", "--json"],
        0,
    );
    let found = ids_of(&found["conversations"]);
    assert_eq!(ids_of(&plan["conversations"]), found, "{filter}");
    assert_eq!(plan["matched"], found.len(), "{filter}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_mean_the_same_on_every_server() {
    for quirks in [&[][..], &["inclusive-comparison"]] {
        let scene = Scene::quirky(60, quirks).await;
        let parts = |conversation: &Conversation| conversation.parts.len();
        let middle = {
            let mut counts: Vec<usize> =
                scene.sandbox.with_workspace(|workspace| workspace.conversations.iter().map(parts).collect());
            counts.sort_unstable();
            counts[30]
        };
        let field = "statistics.count_conversation_parts";
        let more = expected_ids(&scene, |conversation| parts(conversation) > middle);
        assert!(
            !more.is_empty() && expected_ids(&scene, |conversation| parts(conversation) == middle).len() > 1
        );
        assert_eq!(selected(&scene, &format!("{field} > {middle}")), more);
        assert_eq!(selected(&scene, &format!("{field} >= {}", middle + 1)), more);
        assert_eq!(
            selected(&scene, &format!("{field} < {middle}")),
            expected_ids(&scene, |conversation| parts(conversation) < middle)
        );
        assert_eq!(
            selected(&scene, &format!("{field} <= {middle}")),
            expected_ids(&scene, |conversation| parts(conversation) <= middle)
        );

        // The first page is full, has the right total, and its records are byte-identical.
        let filter = format!("{field} > {middle}");
        let words = ["conversations", "search", "--where", &filter, "--per-page", "150", "--json"];
        let output = scene.run(&words);
        let page = &support::document(&output)["results"];
        assert_eq!(
            (ids_of(&page["conversations"]), &page["total_count"]),
            (more.clone(), &json!(more.len()))
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let written = scene.sandbox.with_workspace(|workspace| {
            let one = workspace.conversations.get(&more[0]).unwrap();
            let mut item = workspace.conversation_item(one);
            let version = support::api_version().map(|version| version.parse().unwrap());
            intercom::sandbox::shape(&version.unwrap_or_else(intercom::api::ApiVersion::pinned), &mut item);
            item.to_string()
        });
        assert!(text.contains(&written), "{written}");

        let small = ["conversations", "search", "--where", &filter, "--per-page", "5", "--json"];
        let document = support::document(&scene.run(&small));
        let shown = ids_of(&document["results"]["conversations"]);
        assert!(shown.len() >= 5 && shown.iter().all(|id| more.contains(id)), "{shown:?}");
        let total = &document["results"]["total_count"];
        let at_most = document["meta"]["total_count_at_most"].as_u64().unwrap() as usize;
        assert!(at_most >= more.len() && (total.is_null() || *total == at_most), "{document}");

        let limited = |limit: usize| {
            let limit = limit.to_string();
            let words = ["conversations", "search", "--where", &filter, "--limit", &limit, "--json"];
            support::document(&scene.run(&words))["meta"].take()
        };
        let meta = limited(more.len());
        assert_eq!((&meta["count"], &meta["has_more"]), (&json!(more.len()), &json!(false)), "{meta}");
        assert_eq!(limited(more.len() - 1)["has_more"], true);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn null_comparisons_work_on_every_server() {
    for quirks in [&[][..], &["unassigned=null"]] {
        let scene = Scene::quirky(50, quirks).await;
        let nobody = expected_ids(&scene, |conversation| conversation.team_assignee_id.is_none());
        let somebody = expected_ids(&scene, |conversation| conversation.team_assignee_id.is_some());
        assert!(!nobody.is_empty() && !somebody.is_empty());
        for filter in ["team = null", "team = 0", "team in (null)", "team_assignee_id = null"] {
            assert_eq!(selected(&scene, filter), nobody, "{filter}");
        }
        for filter in ["team != null", "team != 0"] {
            assert_eq!(selected(&scene, filter), somebody, "{filter}");
        }
        let both = expected_ids(&scene, |conversation| {
            conversation.team_assignee_id.is_none() && conversation.admin_assignee_id.is_some()
        });
        assert_eq!(selected(&scene, "assignee != null and team = null"), both);
        let bare = expected_ids(&scene, |conversation| conversation.tags.is_empty());
        assert!(!bare.is_empty());
        assert_eq!(selected(&scene, "tags = null"), bare);
        assert_eq!(
            selected(&scene, "tags != null"),
            expected_ids(&scene, |conversation| !conversation.tags.is_empty())
        );
        let open = expected_ids(&scene, |conversation| {
            conversation.tags.is_empty() && conversation.state.as_str() == "open"
        });
        assert_eq!(selected(&scene, "tags = null and state = open"), open);
        assert!(scene.run(&["sync", "--resources", "conversations,teams,tags"]).status.success());
        for (filter, expected) in [("team = null", &nobody), ("tags = null", &bare)] {
            let words =
                ["conversations", "search", "--where", filter, "--data-source", "local", "--all", "--json"];
            assert_eq!(ids_of(&scene.results(&words, 0)["conversations"]), *expected, "{filter}");
        }
        let assign = ["conversations", "bulk-assign", "--where", "team = null", "--team", "Support"];
        let words: Vec<&str> = assign.into_iter().chain(["--apply", "--yes", "--json"]).collect();
        assert_eq!(scene.results(&words, 0)["changed"], nobody.len());
        assert_eq!(
            expected_ids(&scene, |conversation| conversation.team_assignee_id.is_none()),
            Vec::<String>::new()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_without_last_seen_at_are_found() {
    let scene = Scene::new(5).await;
    let never: Vec<String> = scene.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> = workspace.contacts.iter().take(4).map(|contact| contact.id.clone()).collect();
        for id in &ids {
            let contact = workspace.contacts.get_mut(id).unwrap();
            contact.last_seen_at = None;
            contact.companies.clear();
            contact.segments.clear();
        }
        let unseen =
            workspace.contacts.iter().filter(|contact| contact.last_seen_at.is_none() && !contact.archived);
        let mut unseen: Vec<String> = unseen.map(|contact| contact.id.clone()).collect();
        unseen.sort_unstable();
        unseen
    });
    let found = |filter: &str| {
        let words = ["contacts", "search", "--where", filter, "--all", "--json"];
        ids_of(&scene.results(&words, 0)["data"])
    };
    assert_eq!(found("last_seen_at = null"), never);
    assert_eq!(
        found("last_seen_at = null").len() + found("last_seen_at != null").len(),
        found("id != x").len()
    );
    let within = |test: fn(&intercom::sandbox::model::contact::ContactRecord) -> bool| {
        scene
            .sandbox
            .with_workspace(|workspace| workspace.contacts.iter().filter(|contact| test(contact)).count())
    };
    assert_eq!(found("segment = null").len(), within(|contact| contact.segments.is_empty()));
    assert_eq!(found("companies = null").len(), within(|contact| contact.companies.is_empty()));
    let (name, members) = scene.sandbox.with_workspace(|workspace| {
        let id = workspace.contacts.iter().find_map(|contact| contact.companies.first().cloned()).unwrap();
        let members = workspace.contacts.iter().filter(|contact| contact.companies.contains(&id)).count();
        (workspace.companies.get(&id).unwrap().name.clone().unwrap(), members)
    });
    assert_eq!(found(&format!("company = \"{name}\"")).len(), members);
    assert!(found("segment = Active").len() > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn meaningless_filters_are_refused_before_searching() {
    let scene = Scene::new(10).await;
    for (group, filter, hint) in [
        ("conversations", "state = opened", "\"open\""),
        ("conversations", "priority = soon", "expected one of"),
        ("conversations", "channel = e-mail", "\"email\""),
        ("conversations", "contact = nobody@example.com", "unknown contact"),
        ("conversations", "created_at > 1795883405000", "1795883405"),
        ("contacts", "role = users", "\"user\""),
        ("contacts", "segment = Activ", "\"Active\""),
        ("contacts", "company = \"No such company\"", "unknown company"),
        ("contacts", "Plan = pro", "custom_attributes.plan"),
        ("tickets", "state = opn", "ticket state"),
        ("tickets", "type = \"Bug repord\"", "\"Bug report\""),
    ] {
        scene.sandbox.forget_requests();
        let output = scene.run(&[group, "search", "--where", filter, "--json"]);
        assert_eq!(output.status.code(), Some(2), "{filter}: {}", stderr(&output));
        assert!(stderr(&output).replace('\\', "").contains(hint), "{filter}: {}", stderr(&output));
        let searched = format!("/{group}/search");
        assert!(scene.sandbox.requests().iter().all(|request| request.path != searched), "{filter}");
    }
    let output =
        scene.run(&["conversations", "bulk-tag", "--where", "state = opened", "--tag", "x", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_accept_contacts_by_address_and_external_id() {
    let scene = Scene::new(30).await;
    let (id, email, external) = scene.sandbox.with_workspace(|workspace| {
        let id = workspace.conversations.iter().next().unwrap().contacts[0].clone();
        let contact = workspace.contacts.get_mut(&id).unwrap();
        contact.email = Some("ivan+jörg@example.com".to_owned());
        contact.external_id = Some("crm 77".to_owned());
        contact.phone = Some("+353 86 123 4567".to_owned());
        (id, "Ivan <IVAN+JÖRG@example.com>", "\"crm 77\"")
    });
    let expected = expected_ids(&scene, |conversation| conversation.contacts.contains(&id));
    for name in [id.as_str(), &format!("\"{email}\""), external, "\"00353 86 1234567\"", "0861234567"] {
        assert_eq!(selected(&scene, &format!("contact = {name}")), expected, "{name}");
    }
    assert!(scene.run(&["sync"]).status.success());
    for name in [external, "\"tel:+353-86-123-4567\""] {
        let filter = format!("contact = {name}");
        let words = ["conversations", "search", "--where", &filter, "--data-source", "local", "--json"];
        assert_eq!(ids_of(&scene.results(&words, 0)["conversations"]), expected, "{name}");
    }
    for wanted in [
        "+353861234567",
        "00353861234567",
        "+353-86-123-4567",
        "tel:+353861234567",
        "086 123 4567",
        "IVAN+JÖRG@EXAMPLE.COM",
        "mailto:ivan+jo\u{308}rg@example.com",
        "Ivan <ivan+jörg@example.com>",
    ] {
        for more in [&[][..], &["--live"]] {
            let words: Vec<&str> =
                ["contact", "360", wanted].iter().chain(more).copied().chain(["--json"]).collect();
            assert_eq!(scene.results(&words, 0)["contact"]["id"], id, "{words:?}");
        }
    }
    // A national number may match several people.
    scene.sandbox.with_workspace(|workspace| {
        let other =
            workspace.contacts.iter().map(|contact| contact.id.clone()).find(|other| *other != id).unwrap();
        workspace.contacts.get_mut(&other).unwrap().phone = Some("+44861234567".to_owned());
    });
    let output = scene.run(&["contact", "360", "086 123 4567", "--live", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("matches 2 contacts"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_can_be_selected_by_type_state_label_and_attribute() {
    let options = Options { now: NOW, conversations: 0, contacts: 20, tickets: 40, ..Options::default() };
    let scene = Scene { sandbox: Sandbox::start(options).await.unwrap(), home: tempfile::tempdir().unwrap() };
    scene.sandbox.with_workspace(|workspace| {
        let state = workspace.ticket_states.iter_mut().nth(1).unwrap();
        state.document["internal_label"] = json!("With Dev Team");
        let mut second = state.document.clone();
        for (field, value) in [("id", "9999"), ("internal_label", "With Ops"), ("external_label", "With Ops")]
        {
            second[field] = json!(value);
        }
        workspace.ticket_states.insert(PlainRecord::new(second));
        let ids: Vec<String> = workspace.tickets.iter().map(|ticket| ticket.id.clone()).collect();
        let first = workspace.ticket_states[1].id.clone();
        for (index, id) in ids.iter().enumerate() {
            let ticket = workspace.tickets.get_mut(id).unwrap();
            if ticket.state_id == first && index % 2 == 0 {
                ticket.state_id = "9999".to_owned();
            }
        }
    });
    let found = |filter: &str, source: &str| {
        let words = ["tickets", "search", "--where", filter, "--all", "--data-source", source, "--json"];
        ids_of(&scene.results(&words, 0)["tickets"])
    };
    let expected_ids = |test: &dyn Fn(&TicketRecord) -> bool| {
        scene.sandbox.with_workspace(|workspace| {
            let found = workspace.tickets.iter().filter(|ticket| test(ticket));
            let mut ids: Vec<String> = found.map(|ticket| ticket.id.clone()).collect();
            ids.sort_unstable();
            ids
        })
    };
    let (kind, progress, title) = scene.sandbox.with_workspace(|workspace| {
        let kind = workspace
            .ticket_types
            .iter()
            .find(|ticket_type| ticket_type.text("name") == "Bug report")
            .unwrap();
        let title = workspace.ticket_attributes(&kind.id)[0]["id"].as_str().unwrap().to_owned();
        (kind.id.clone(), workspace.ticket_states[1].id.clone(), title)
    });
    assert!(scene.run(&["sync"]).status.success());
    for source in ["live", "local"] {
        let bugs = expected_ids(&|ticket| ticket.type_id == kind);
        assert!(!bugs.is_empty());
        assert_eq!(found("type = \"Bug report\"", source), bugs);
        let dev = expected_ids(&|ticket| ticket.state_id == progress);
        let all = expected_ids(&|ticket| ticket.state_id == progress || ticket.state_id == "9999");
        assert!(!dev.is_empty() && dev.len() < all.len());
        assert_eq!(found("state = \"With dev team\"", source), dev);
        assert_eq!(found("state = in_progress", source), all);
        let other = expected_ids(&|ticket| ticket.state_id != progress);
        assert_eq!(found("state != \"With Dev Team\"", source), other);
        let nobody = expected_ids(&|ticket| ticket.admin_assignee_id.is_none());
        assert!(!nobody.is_empty());
        assert_eq!(found("assignee = null", source), nobody);
        assert_eq!(found("assignee = 0", source), nobody);
        let text = scene.sandbox.with_workspace(|workspace| {
            let bug = workspace.tickets.iter().find(|ticket| ticket.type_id == kind).unwrap();
            bug.attributes["_default_title_"].as_str().unwrap().to_owned()
        });
        let titled = expected_ids(&|ticket| {
            ticket.type_id == kind && ticket.attributes["_default_title_"] == text.as_str()
        });
        let filter = format!("type = \"Bug report\" and ticket_attribute.{title} = \"{text}\"");
        assert_eq!(found(&filter, source), titled);
        assert_eq!(found("created_at > 2000d", source).len(), 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sql_of_a_filter_selects_what_the_search_selects() {
    let scene = Scene::new(20).await;
    let ids = scene.sandbox.with_workspace(|workspace| {
        let ids: Vec<String> =
            workspace.conversations.iter().take(3).map(|conversation| conversation.id.clone()).collect();
        for id in &ids {
            workspace.conversations.get_mut(id).unwrap().source.body =
                "<p>It is <b>5 MB</b> &amp; then</p><p>it fails</p>".to_owned();
        }
        let mut ids = ids;
        ids.sort_unstable();
        ids
    });
    assert!(scene.run(&["sync"]).status.success());
    let by_sql = |resource: &str, filter: &str| {
        let explained = scene.results(&["filter", "explain", filter, "--resource", resource, "--json"], 0);
        let rows = scene.results(&["sql", explained["sql"].as_str().unwrap(), "--json"], 0);
        ids_of(&rows["rows"])
    };
    assert_eq!(by_sql("conversations", "body ~ \"5 MB & then\""), ids);
    assert_eq!(selected(&scene, "body ~ \"5 MB & then\""), ids);
    for (resource, key, filter) in [
        ("contacts", "data", "email_domain ^ example"),
        ("contacts", "data", "phone = null or owner = null"),
        ("contacts", "data", "name ~ Ü or tags = null"),
        ("conversations", "conversations", "team = null and statistics.count_reopens >= 1"),
        ("conversations", "conversations", "waiting_since != null and tags != null"),
        ("tickets", "tickets", "assignee = null or state = resolved"),
    ] {
        let found = scene.results(&[resource, "search", "--where", filter, "--all", "--json"], 0);
        assert_eq!(by_sql(resource, filter), ids_of(&found[key]), "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_accept_a_filter() {
    let scene = Scene::new(40).await;
    let results = scene.results(
        &["conversations", "search", "--where", "state = open and team != null", "--all", "--json"],
        0,
    );
    let found = results["conversations"].as_array().unwrap();
    let is_match =
        |conversation: &Value| conversation["state"] == "open" && !conversation["team_assignee_id"].is_null();
    assert!(!found.is_empty() && found.iter().all(is_match));
    let output = scene.run(&["contacts", "search", "--where", "created_at >= 24h", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(scene.run(&["sync", "--resources", "conversations,teams,tags,admins"]).status.success());
    let words = [
        "conversations",
        "search",
        "--where",
        "state = open and team != null",
        "--data-source",
        "local",
        "--json",
    ];
    assert_eq!(scene.results(&words, 0)["conversations"].as_array().unwrap().len(), found.len());
    let dry = support::document(&scene.run(&["contacts", "search", "--where", "role = lead", "--dry-run"]));
    assert_eq!(dry["body"]["query"], json!({ "field": "role", "operator": "=", "value": "lead" }));
    let both = ["contacts", "search", "--where", "role = lead", "--query", "{}"];
    assert_eq!(scene.run(&both).status.code(), Some(2));

    let explained = scene.results(
        &["filter", "explain", "state = open and (read = true or priority = priority)", "--json"],
        0,
    );
    let sql = explained["sql"].as_str().unwrap();
    let rows = scene.results(&["sql", sql, "--json"], 0);
    let found = scene.results(
        &["conversations", "search", "--query", &explained["predicate"].to_string(), "--all", "--json"],
        0,
    );
    assert_eq!(rows["rows"].as_array().unwrap().len(), found["conversations"].as_array().unwrap().len());
}
