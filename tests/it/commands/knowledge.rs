//! Conversation attributes, snippets and drafts of articles: listed, created, changed and deleted by commands.

use intercom::sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use super::{code, ids, run};
use crate::support::{document, stderr};

struct Desk {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let options =
            Options { contacts: 60, companies: 12, conversations: 80, articles: 8, ..Options::default() };
        let sandbox = Sandbox::start(options.with_story()).await.unwrap();
        Desk { sandbox, home: tempfile::tempdir().unwrap() }
    }

    /// The results of a command that must succeed.
    fn ask(&self, words: &str) -> Value {
        let words = shlex::split(words).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--json", "--yes"]).collect();
        let output = run(self.home.path(), &self.sandbox, &words);
        assert_eq!(code(&output), 0, "{words:?}: {}", stderr(&output));
        if output.stdout.is_empty() { Value::Null } else { document(&output)["results"].take() }
    }

    /// The exit code of a command, and what it prints for people.
    fn refuse(&self, words: &str) -> (i32, String) {
        let words = shlex::split(words).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = run(self.home.path(), &self.sandbox, &words);
        (code(&output), stderr(&output))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conversation_attributes_are_changed_by_commands() {
    let desk = Desk::new().await;
    let created = desk.ask(
        r#"conversations attributes create --name Reason --data-type list --options '[{"label":"Late"},{"label":"Lost"}]'"#,
    );
    let id = &created["id"];
    let names = |list: &Value| -> Vec<String> {
        list["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&desk.ask("conversations attributes list")).contains(&"Reason".to_owned()));
    let updated =
        desk.ask(&format!("conversations attributes update {id} --description 'Why' --required=true"));
    assert_eq!((&updated["description"], &updated["required"]), (&json!("Why"), &json!(true)));
    let more = desk.ask(&format!("conversations attributes options create {id} --label Broken"));
    let option = more["options"][2]["id"].as_str().unwrap();
    let path = format!("{id} {option}");
    let renamed = desk.ask(&format!("conversations attributes options update {path} --label Damaged"));
    assert_eq!(renamed["options"][2]["label"], "Damaged");
    desk.ask(&format!("conversations attributes options delete {path}"));
    let shown = desk.ask(&format!("conversations attributes get {id}"));
    assert_eq!(shown["options"][2]["archived"], true);
    let delete = format!("conversations attributes delete {id}");
    assert_eq!(desk.refuse(&format!("{delete} --no-input")).0, 2);
    desk.ask(&delete);
    assert!(!names(&desk.ask("conversations attributes list")).contains(&"Reason".to_owned()));
    let archived = desk.ask("conversations attributes list --include-archived=true");
    assert!(names(&archived).contains(&"Reason".to_owned()));
    assert_eq!(desk.refuse("conversations attributes get 404").0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn snippets_are_changed_by_commands_and_listed_to_the_end() {
    let desk = Desk::new().await;
    let created = desk.ask("content-snippets create --title Refunds --body-markdown 'Within 30 days.'");
    let id = created["id"].as_str().unwrap();
    assert_eq!(created["ai_chatbot_availability"], false);
    let changed = desk.ask(&format!(
        "content-snippets update {id} --body-markdown 'Within 60 days.' --ai-chatbot-availability=true --audience-ids 6100001 --audience-ids 6100002"
    ));
    assert_eq!(
        (&changed["body_markdown"], &changed["audience_ids"]),
        (&json!("Within 60 days."), &json!([6_100_001, 6_100_002]))
    );
    // The page numbers are beside the records, and every page is read.
    let listed = desk.ask("content-snippets list --all --per-page 1");
    assert_eq!(ids(&listed["data"]), [id, "6200003", "6200002", "6200001"]);
    desk.sandbox.forget_requests();
    let found = desk.ask("content search --query days --content-types snippet --content-types article");
    assert_eq!(found["data"][0]["id"], id);
    let query = desk.sandbox.requests()[0].query.clone();
    assert!(query.contains("content_types=snippet%2Carticle"), "{query}");
    desk.ask(&format!("content-snippets delete {id}"));
    assert_eq!(desk.refuse(&format!("content-snippets get {id}")).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_staged_and_published_by_commands() {
    let desk = Desk::new().await;
    let live = desk.ask("articles get 9100002");
    assert_eq!(desk.refuse("articles draft get 9100002").0, 3);
    let staged =
        desk.ask("articles draft stage 9100002 --title 'VAT numbers' --body '<p>See the settings.</p>'");
    assert_eq!((&staged["title"], &staged["has_unpublished_changes"]), (&json!("VAT numbers"), &json!(true)));
    assert_eq!(desk.ask("articles draft get 9100002")["title"], "VAT numbers");
    assert_eq!(desk.ask("articles get 9100002")["title"], live["title"]);
    let (exit, message) = desk.refuse("articles draft publish 9100002 --yes");
    assert!(exit != 0 && message.contains("locales"), "{message}");
    let published = desk.ask("articles draft publish 9100002 --locales en");
    assert_eq!(published["title"], "VAT numbers");
    let versions = desk.ask("articles versions list 9100002");
    let titles: Vec<_> = versions["data"].as_array().unwrap().iter().map(|row| &row["title"]).collect();
    assert_eq!(titles, [&json!("VAT numbers"), &live["title"]]);
    let earlier = versions["data"][1]["id"].as_str().unwrap();
    assert_eq!(desk.ask(&format!("articles versions get 9100002 {earlier}"))["body"], live["body"]);
    let (exit, message) = desk.refuse("articles draft stage 9100003 --title x --yes");
    assert!(exit != 0 && message.contains("published"), "{message}");
}
