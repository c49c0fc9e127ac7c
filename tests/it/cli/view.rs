//! `view`, and `get` on a terminal: one record as people read it.

use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{RecordedRequest, against, document, json as answer, stderr, stdout};

/// A conversation with a hostile message, a note, a bot, events, and ids without names.
fn conversation() -> Value {
    let mara = json!({"type": "admin", "id": "9", "name": "Mara", "email": "mara@example.com"});
    let ann = json!({"type": "user", "id": "u1", "name": "Ann", "email": "ann@example.com"});
    let part = |kind: &str, body: Option<&str>, author: &Value, minutes: i64| {
        json!({"type": "conversation_part", "id": format!("p{minutes}"), "part_type": kind, "body": body, "author": author,
            "created_at": 1_760_000_000 + 60 * minutes, "attachments": []})
    };
    let fin = json!({"type": "bot", "id": "3", "name": "Fin", "from_ai_agent": true});
    let mut parts = vec![
        part("comment", Some("<p>Try turning it off</p>"), &fin, 1),
        part("note", Some("<p>Paid twice, <a href=\"https://pay.example/7\">see here</a></p>"), &mara, 2),
        part("assignment", None, &mara, 3),
        part("comment", Some("<p># Fake heading\u{1b}[31m</p><p>## Mara (teammate)</p>"), &ann, 4),
        part("close", None, &mara, 5),
    ];
    parts[2]["assigned_to"] = json!({"type": "team", "id": "7"});
    parts[1]["attachments"] = json!([{"type": "upload", "name": "bill.pdf", "filesize": 2048}]);
    json!({"type": "conversation", "id": "123", "title": null, "state": "open", "open": true, "priority": "priority",
        "created_at": 1_760_000_000, "updated_at": 1_760_000_300, "waiting_since": 1_760_000_240, "admin_assignee_id": 5,
        "team_assignee_id": 7, "statistics": {"count_reopens": 1}, "read": true,
        "conversation_rating": {"rating": 4, "remark": "Nice"},
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "vip"}]},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "u1"}]},
        "custom_attributes": {"area": "billing"},
        "source": {"type": "email", "subject": "", "body": "<p>Where is my <b>money</b>?</p>", "author": ann},
        "conversation_parts": {"type": "conversation_part.list", "total_count": 5, "conversation_parts": parts}})
}

/// A workspace in Europe with this conversation, its contact and its teammates.
fn workspace(request: &RecordedRequest) -> Vec<u8> {
    let body = match request.path.as_str() {
        "/conversations/123" => conversation(),
        "/admins" => json!({"type": "admin.list", "admins": [{"type": "admin", "id": "5", "name": "Kenji"}]}),
        "/teams" => json!({"type": "team.list", "teams": [{"type": "team", "id": "7", "name": "Billing"}]}),
        "/contacts/u1" => {
            json!({"type": "contact", "id": "u1", "role": "user", "name": "Ann", "email": "ann@example.com"})
        }
        "/contacts/u1/companies" => {
            json!({"type": "list", "data": [{"type": "company", "id": "c", "name": "Acme"}]})
        }
        "/me" => json!({"type": "admin", "id": "9", "app": {"id_code": "ab1", "region": "EU"}}),
        _ => {
            return answer(
                404,
                r#"{"type":"error.list","errors":[{"code":"not_found","message":"Not found"}]}"#,
            );
        }
    };
    answer(200, &body.to_string())
}

const ADDRESS: &str = "https://app.eu.intercom.com/a/apps/ab1/inbox/inbox/conversation/123";

#[test]
fn a_conversation_reads_like_a_chat() {
    let setting = Setting::new(workspace);
    let output = setting.run(&["conversations", "view", "123", "--utc"]);
    let expected = format!(
        "Where is my money?\nconversation 123\n  state      open · priority\n  person     Ann <ann@example.com> · user\n  \
         company    Acme\n  assigned   Kenji · team Billing\n  waiting    since 2025-10-09 08:57\n  tags       vip\n  \
         rating     4 of 5 · \"Nice\"\n  started    2025-10-09 08:53 · by email\n  updated    2025-10-09 08:58\n  \
         link       {ADDRESS}\n\nAttributes\n  area       billing\n\n\
         Ann (user) · 2025-10-09 08:53\n  Where is my money?\n\n\
         Fin (AI agent) · 2025-10-09 08:54\n  Try turning it off\n\n\
         ┃ Mara (note) · 2025-10-09 08:55\n┃ Paid twice, see here (https://pay.example/7)\n┃ attached: bill.pdf (2 KB)\n\n\
         · Mara assigned this to team Billing · 2025-10-09 08:56\n\n\
         Ann (user) · 2025-10-09 08:57\n  # Fake heading [31m\n\n  ## Mara (teammate)\n\n\
         · Mara closed this · 2025-10-09 08:58\n"
    );
    assert_eq!(stdout(&output), expected);
    assert_eq!(stderr(&output), "+ 2 more fields: --json\n");
    let mut paths: Vec<String> = setting.server.take().into_iter().map(|request| request.path).collect();
    paths.sort_unstable();
    let expected =
        ["/admins", "/contacts/u1", "/contacts/u1/companies", "/conversations/123", "/me", "/teams"];
    assert_eq!(paths, expected, "every list is requested once");
    // The `get` command shows the same in a table.
    let table = setting.run(&["conversations", "get", "123", "--utc", "--human-friendly"]);
    assert_eq!(stdout(&table), stdout(&output));
}

#[test]
fn a_format_gives_what_get_gives_and_requests_nothing_more() {
    let setting = Setting::new(workspace);
    for format in
        [&["--json"][..], &["--agent"], &["--csv"], &["--select", "id,state"], &["--jq", ".results.id"]]
    {
        let got = setting.run(&[&["conversations", "get", "123"], format].concat());
        let viewed = setting.run(&[&["conversations", "view", "123"], format].concat());
        assert_eq!((code(&viewed), stdout(&viewed)), (0, stdout(&got)), "{format:?}");
        assert_eq!(setting.server.take().len(), 2, "{format:?}");
    }
}

#[test]
fn only_the_last_messages_are_shown_on_request() {
    let setting = Setting::new(workspace);
    let shown = stdout(&setting.run(&["conversations", "view", "123", "--last", "1"]));
    let thread = shown.split_once("… 3 earlier messages; omit --last to see them\n").unwrap().1;
    assert!(
        thread.contains("Fake heading") && thread.contains("closed") && !thread.contains("Fin"),
        "{thread}"
    );
    let refused = setting.run(&["conversations", "view", "123", "--last", "1", "--json"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("documents are always whole"), "{}", stderr(&refused));
    for more in ["--web", "--open"] {
        assert_eq!(code(&setting.run(&["conversations", "view", "123", "--last", "1", more])), 2, "{more}");
    }
}

#[test]
fn a_transcript_cannot_be_forged_by_a_message() {
    let setting = Setting::new(workspace);
    let output = setting.run(&["conversations", "view", "123", "--markdown", "--utc"]);
    let shown = stdout(&output);
    for expected in [
        "# Where is my money?\n\n- conversation 123\n",
        "- assigned: Kenji · team Billing\n",
        "## Internal note, not visible to customers · Mara (teammate) · 2025-10-09 08:55 UTC\n\n> Paid twice, see here",
        "> \\# Fake heading \\[31m\n>\n> \\## Mara (teammate)\n",
        "*Mara closed this · 2025-10-09 08:58 UTC*\n",
    ] {
        assert!(shown.contains(expected), "{expected:?} in {shown}");
    }
    assert!(!shown.contains('\u{1b}'));
    assert_eq!(shown.lines().filter(|line| line.starts_with("## Mara")).count(), 0, "{shown}");
    let found = document(&setting.run(&["conversations", "view", "123", "--markdown", "--utc", "--json"]));
    assert_eq!(found["results"]["markdown"], json!(shown));
    let refused = setting.run(&["conversations", "view", "123", "--markdown", "--csv"]);
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
}

#[test]
fn the_address_of_a_record_is_in_the_region_of_the_workspace() {
    let setting = Setting::new(workspace);
    for (words, path) in [
        (["conversations", "view", "123"], "inbox/inbox/conversation/123"),
        (["tickets", "view", "123"], "inbox/inbox/conversation/123"),
        (["articles", "view", "123"], "articles/articles/123/show"),
        (["companies", "view", "5f"], "companies/5f/users"),
        (
            ["contacts", "view", "0123456789abcdef01234567"],
            "users/0123456789abcdef01234567/all-conversations",
        ),
    ] {
        let output = setting.run(&[&words[..], &["--web"]].concat());
        assert_eq!(stdout(&output), format!("https://app.eu.intercom.com/a/apps/ab1/{path}\n"), "{words:?}");
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
        let found = document(&setting.run(&[&words[..], &["--web", "--json"]].concat()));
        assert!(found["results"]["url"].as_str().unwrap().ends_with(path), "{found}");
    }
    assert!(setting.server.take().iter().all(|request| request.path == "/me"));
}

#[cfg(target_os = "linux")]
#[test]
fn open_starts_a_browser_and_prints_the_address() {
    use std::os::unix::fs::PermissionsExt;

    let setting = Setting::new(workspace);
    let (tool, opened) = (setting.home.path().join("xdg-open"), setting.home.path().join("opened"));
    std::fs::write(&tool, format!("#!/bin/sh\necho \"$1\" > '{}'\n", opened.display())).unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |path: &str| {
        let mut command = against(setting.home.path(), &setting.server.url);
        command.env("PATH", path).args(["conversations", "view", "123", "--open"]).output().unwrap()
    };
    let output = run(setting.home.path().to_str().unwrap());
    assert_eq!((code(&output), stdout(&output)), (0, format!("{ADDRESS}\n")), "{}", stderr(&output));
    let read = || std::fs::read_to_string(&opened).unwrap_or_default();
    for _ in 0..100 {
        if read().ends_with('\n') {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(read(), format!("{ADDRESS}\n"));
    let output = run("/nonexistent");
    assert_eq!((code(&output), stdout(&output)), (5, format!("{ADDRESS}\n")));
    assert!(stderr(&output).contains("open the printed address yourself"), "{}", stderr(&output));
}

/// A workflow may run unattended, where a browser is of no use.
#[test]
fn a_workflow_starts_no_browser() {
    let setting = Setting::new(workspace);
    let steps = "[[steps]]\nrun = 'conversations view 123 --open'\n";
    std::fs::write(setting.home.path().join("w.toml"), steps).unwrap();
    let output = setting.run(&["workflow", "run", "w.toml"]);
    assert_ne!(code(&output), 0);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(said.contains("--open starts a browser, which only a command in a terminal can do"), "{said}");
}

/// The mirror has the record, its contact and all names: nothing is requested.
#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_has_all_that_a_view_shows() {
    let sizes = Options { contacts: 20, companies: 4, conversations: 20, tickets: 4, ..Options::default() };
    let (sandbox, home) = (Sandbox::start(sizes).await.unwrap(), tempfile::tempdir().unwrap());
    let run = |words: &[&str]| {
        let mut command = against(home.path(), &sandbox.base_url());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).args(words).output().unwrap()
    };
    assert_eq!(code(&run(&["sync"])), 0);
    let sql = "SELECT c.id, co.name FROM conversations c JOIN conversation_contacts l ON l.conversation_id = c.id
               JOIN contact_companies cc ON cc.contact_id = l.contact_id JOIN companies co ON co.id = cc.company_id LIMIT 1";
    let row = document(&run(&["sql", sql]))["results"]["rows"][0].take();
    let before = sandbox.requests().len();
    let local = run(&["conversations", "view", row["id"].as_str().unwrap(), "--data-source", "local"]);
    let shown = stdout(&local);
    assert!(shown.contains(row["name"].as_str().unwrap()) && shown.contains("link "), "{shown}");
    assert!(shown.contains("/a/apps/"), "{shown}");
    assert_eq!(sandbox.requests().len(), before);
    let live = run(&["conversations", "view", row["id"].as_str().unwrap()]);
    assert_eq!(stdout(&live), shown);
    assert_eq!(sandbox.requests().len(), before + 1, "only the conversation itself");
    let address = "SELECT id, email FROM contacts WHERE email <> '' LIMIT 1";
    let row = document(&run(&["sql", address]))["results"]["rows"][0].take();
    let found = run(&["contacts", "view", row["email"].as_str().unwrap(), "--data-source", "local"]);
    assert!(
        stdout(&found).contains(&format!("contact {}", row["id"].as_str().unwrap())),
        "{}",
        stderr(&found)
    );
    let web = run(&["contacts", "view", row["id"].as_str().unwrap(), "--web", "--data-source", "local"]);
    assert!(stdout(&web).starts_with("https://app."), "{}", stderr(&web));
    assert_eq!(sandbox.requests().len(), before + 1);
}

#[test]
fn a_contact_is_found_by_its_address_and_never_guessed() {
    let person = |id: &str, email: &str| {
        json!({"type": "contact", "id": id, "role": "user", "name": "Ann", "email": email,
        "custom_attributes": {"plan": "pro"}, "owner_id": 5, "unsubscribed_from_emails": true,
        "companies": {"type": "list", "data": [{"type": "company", "id": "c"}], "total_count": 1},
        "tags": {"type": "list", "data": [{"type": "tag", "id": "t"}], "total_count": 1}, "browser": "x"})
    };
    let (ann, twin) = (person("a1", "ann@example.com"), person("a2", "twin@example.com"));
    let found = json!({"type": "list", "data": [ann, twin, person("a3", "twin@example.com")], "pages": {"next": null}});
    let setting = Setting::new(move |request| {
        let list = |kind: &str, name: &str| json!({"type": "list", "data": [{"type": kind, "id": "x", "name": name}]});
        let body = match request.path.as_str() {
            "/contacts/search" => found.clone(),
            "/contacts/a1" => person("a1", "ann@example.com"),
            "/contacts/a1/companies" => list("company", "Acme"),
            "/contacts/a1/tags" => list("tag", "vip"),
            "/contacts/a1/segments" => list("segment", "Active"),
            _ => return workspace(request),
        };
        answer(200, &body.to_string())
    });
    let output = setting.run(&["contacts", "view", "Ann@Example.com"]);
    let shown = stdout(&output);
    for line in [
        "Ann\ncontact a1\n",
        "  email       ann@example.com\n",
        "  owner       Kenji\n",
        "  companies   Acme\n",
        "  tags        vip\n",
        "  segments    Active\n",
        "  email state unsubscribed from emails\n",
        "Attributes\n  plan       pro\n",
    ] {
        assert!(shown.contains(line), "{line:?} in {shown}");
    }
    assert_eq!(stderr(&output), "+ 1 more field: --json\n");
    let several = setting.run(&["contacts", "view", "twin@example.com", "--json"]);
    assert_eq!(code(&several), 2, "{}", stderr(&several));
    let candidates = document(&several)["results"].as_array().unwrap().clone();
    let ids: Vec<&str> = candidates.iter().map(|candidate| candidate["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a2", "a3"]);
    let preview = setting.run(&["contacts", "view", "ann@example.com", "--dry-run", "--json"]);
    assert!(
        document(&preview)["url"].as_str().unwrap().ends_with("/contacts/search"),
        "{}",
        stderr(&preview)
    );
    let none = setting.run(&["contacts", "view", "nobody@example.com"]);
    assert_eq!((code(&none), stdout(&none).as_str()), (3, ""), "{}", stderr(&none));
}

#[test]
fn every_other_record_has_its_view() {
    for (words, body, lines) in [
        (
            &["tickets", "view", "1"][..],
            json!({"type": "ticket", "id": "1", "ticket_id": "24", "open": true, "category": "Customer",
                "ticket_attributes": {"_default_title_": "Printer", "_default_description_": "<p>On <b>fire</b></p>", "floor": 3},
                "ticket_state": {"type": "ticket_state", "category": "in_progress", "internal_label": "Fixing"},
                "ticket_type": {"type": "ticket_type", "id": "8", "name": "Bug"},
                "ticket_parts": {"ticket_parts": [{"type": "ticket_part", "part_type": "ticket_state_updated_by_admin",
                    "author": {"type": "admin", "id": "9", "name": "Mara"}, "previous_ticket_state": "submitted",
                    "ticket_state": "in_progress", "created_at": 1_760_000_000}]}}),
            &[
                "Printer\nticket #24 (1)\n  state      in progress · Fixing\n  type       Bug · Customer\n",
                "assigned   nobody\n",
                "Attributes\n  floor      3\n\nDescription\nOn fire\n",
                "· Mara moved this from submitted to in progress · 2025-10-09 08:53\n",
            ][..],
        ),
        (
            &["articles", "view", "1"],
            json!({"type": "article", "id": "1", "title": "Start", "state": "published", "author_id": 5, "default_locale": "en",
                "body": "<h2>First</h2><ul><li>Press <b>start</b></li></ul>",
                "translated_content": {"type": "article_translated_content", "en": {"title": "Start"},
                    "fr": {"title": "Debut", "state": "draft"}, "de": null}}),
            &[
                "Start\narticle 1\n  state      published\n",
                "languages  en, fr (draft)\n",
                "\nFirst\n\n- Press start\n",
            ],
        ),
        (
            &["companies", "view", "1"],
            json!({"type": "company", "id": "1", "name": "Acme", "company_id": "a-1", "plan": {"type": "plan", "name": "Pro"},
                "user_count": 1200, "custom_attributes": {"tier": "gold"}}),
            &[
                "Acme\ncompany 1\n  company id a-1\n  plan       Pro\n  people     1,200\n",
                "Attributes\n  tier       gold\n",
            ],
        ),
        (
            &["notes", "1", "--human-friendly"],
            json!({"type": "note", "id": "1", "body": "<p>Call back</p>", "created_at": 1_760_000_000,
                "contact": {"type": "contact", "id": "u1"}, "author": {"type": "admin", "id": "9", "name": "Mara"}}),
            &["Note about Ann\nnote 1\n", "┃ Mara (note) · 2025-10-09 08:53\n┃ Call back\n"],
        ),
    ] {
        let body = body.to_string();
        let setting = Setting::new(move |request| {
            let is_record = request.path.ends_with("/1");
            if is_record { answer(200, &body) } else { workspace(request) }
        });
        let output = setting.run(&[words, &["--utc"]].concat());
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        for expected in lines {
            assert!(stdout(&output).contains(expected), "{expected:?} in {}", stdout(&output));
        }
    }
}

#[test]
fn an_article_becomes_markdown_with_its_own_headings() {
    let body =
        r#"{"type":"article","id":"1","title":"Start","body":"<h2>First</h2><p>Press <b>start</b></p>"}"#;
    let setting = Setting::new(|_| answer(200, body));
    let shown = stdout(&setting.run(&["articles", "view", "1", "--markdown"]));
    assert!(shown.starts_with("# Start\n") && shown.ends_with("\n## First\n\nPress **start**\n"), "{shown}");
}

/// The whole text of each note, not a cell of a table.
#[test]
fn notes_are_listed_with_their_texts() {
    let long = "word ".repeat(60);
    let note = |id: &str, text: &str| {
        json!({"type": "note", "id": id, "body": format!("<p>{text}</p>"), "created_at": 1_760_000_000,
        "author": {"type": "admin", "id": "9", "name": "Mara"}})
    };
    let notes =
        json!({"type": "list", "data": [note("1", "Call back"), note("2", long.trim())], "total_count": 2})
            .to_string();
    let setting = Setting::new(move |_| answer(200, &notes));
    let shown = stdout(&setting.run(&["contacts", "notes", "list", "u1", "--human-friendly", "--utc"]));
    assert!(shown.starts_with("┃ Mara (note) · 2025-10-09 08:53\n┃ Call back\n\n┃ Mara (note)"), "{shown}");
    assert_eq!(shown.matches("word").count(), 60, "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

/// What is beside a record is optional: its failure is not the failure of the record.
#[test]
fn a_record_is_shown_even_if_nothing_else_can_be_read() {
    let setting = Setting::new(|request| match request.path.as_str() {
        "/conversations/123" => workspace(request),
        _ => answer(403, r#"{"type":"error.list","errors":[{"code":"api_plan_restricted","message":"No"}]}"#),
    });
    let output = setting.run(&["conversations", "view", "123"]);
    assert_eq!((code(&output), stderr(&output).contains("error")), (0, false), "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(
        shown.contains("assigned   5 · team 7\n") && shown.contains("Mara assigned this to team 7"),
        "{shown}"
    );
    assert!(!shown.contains("link "), "{shown}");
}
