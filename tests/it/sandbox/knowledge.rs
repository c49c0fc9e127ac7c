//! The knowledge base: drafts, versions, tags, snippets, audiences, redirects, search and bulk actions.

use super::*;

/// Status and document of a request in the newest version.
pub async fn newest(client: &TestClient, method: Method, path: &str, body: Value) -> (u16, Value) {
    let mut request = client.request(method, path).header("Intercom-Version", "2.16");
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    read(request.send().await.unwrap()).await
}

pub async fn newest_get(client: &TestClient, path: &str) -> Value {
    let (status, body) = newest(client, Method::GET, path, Value::Null).await;
    assert_eq!(status, 200, "GET {path}: {body}");
    body
}

/// Status and error code of a request that must fail.
pub async fn refusal(client: &TestClient, method: Method, path: &str, body: Value) -> (u16, String) {
    let (status, response) = newest(client, method, path, body).await;
    assert_eq!(response["type"], "error.list", "{path}: {response}");
    (status, response["errors"][0]["code"].as_str().unwrap().to_owned())
}

fn code(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn bilingual() -> TestClient {
    TestClient::new(Options { locales: ["en", "fr"].map(str::to_owned).into(), ..options() }).await
}

/// The path of a new article.
async fn article(client: &TestClient, state: &str) -> String {
    let author = client.sandbox.with_workspace(|workspace| workspace.my_id());
    let body = json!({"title": "Old", "author_id": author, "body": "<p>Old text</p>", "state": state});
    let (_, created) = newest(client, Method::POST, "/articles", body).await;
    format!("/articles/{}", created["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_draft_is_staged_over_a_published_article_and_published_by_locale() {
    let client = bilingual().await;
    let unpublished = format!("{}/draft", article(&client, "draft").await);
    let change = json!({"title": "New", "ai_copilot_availability": true});
    let refused = refusal(&client, Method::PUT, &unpublished, change.clone()).await;
    assert_eq!(refused, code(422, "parameter_invalid"));

    let path = article(&client, "published").await;
    let draft = format!("{path}/draft");
    assert_eq!(refusal(&client, Method::GET, &draft, Value::Null).await, code(404, "not_found"));
    let publish = format!("{draft}/publish");
    assert_eq!(refusal(&client, Method::POST, &publish, Value::Null).await.0, 422);

    let (status, staged) = newest(&client, Method::PUT, &draft, change).await;
    assert_eq!(
        (status, &staged["title"], &staged["has_unpublished_changes"]),
        (200, &json!("New"), &json!(true))
    );
    let both = json!({"body": "<p>x</p>", "body_markdown": "x"});
    assert_eq!(refusal(&client, Method::PUT, &draft, both).await.0, 400);
    newest(&client, Method::PUT, &draft, json!({"body_markdown": "**New** text"})).await;
    let shown = newest_get(&client, &draft).await;
    assert_eq!(shown["title"], "New");
    assert!(shown["body"].as_str().unwrap().contains("New</"), "{shown}");
    assert_eq!(newest_get(&client, &path).await["title"], "Old");

    assert_eq!(refusal(&client, Method::POST, &publish, json!({})).await, code(422, "parameter_not_found"));
    let french = json!({"locales": ["fr"]});
    assert_eq!(refusal(&client, Method::POST, &publish, french).await, code(422, "parameter_invalid"));
    let (status, published) = newest(&client, Method::POST, &publish, json!({"locales": ["en"]})).await;
    assert_eq!((status, &published["has_unpublished_changes"]), (200, &json!(false)));
    assert_eq!(newest_get(&client, &path).await["title"], "New");
    assert_eq!(refusal(&client, Method::GET, &draft, Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_single_language_needs_no_locales_to_publish() {
    let client = TestClient::with_defaults().await;
    let path = article(&client, "published").await;
    newest(&client, Method::PUT, &format!("{path}/draft"), json!({"title": "New"})).await;
    let (status, published) =
        newest(&client, Method::POST, &format!("{path}/draft/publish"), Value::Null).await;
    assert_eq!((status, &published["title"]), (200, &json!("New")));
}

#[tokio::test]
async fn every_change_of_a_text_leaves_a_version() {
    let client = bilingual().await;
    let path = article(&client, "published").await;
    let versions = format!("{path}/versions");
    let first = newest_get(&client, &versions).await;
    assert_eq!((&first["total_count"], &first["data"][0]["state"]), (&json!(1), &json!("published")));
    let change = json!({
        "title": "Second",
        "state": "published",
        "translated_content": {"fr": {"title": "Deux", "body": "<p>Texte</p>"}},
    });
    newest(&client, Method::PUT, &path, change).await;
    newest(&client, Method::PUT, &path, json!({"state": "published"})).await;

    let page = newest_get(&client, &format!("{versions}?per_page=1")).await;
    assert_eq!((&page["total_count"], &page["pages"]["total_pages"]), (&json!(2), &json!(2)));
    assert!(page["pages"].get("next").is_none(), "{page}");
    let newest_version = &page["data"][0];
    assert_eq!((&newest_version["title"], &newest_version["state"]), (&json!("Second"), &json!("published")));
    assert!(newest_version.get("body").is_none());
    let earlier = newest_get(&client, &format!("{versions}?per_page=1&page=2")).await["data"][0].take();
    assert_eq!((&earlier["state"], &earlier["from_version_id"]), (&json!("draft"), &Value::Null));
    assert_eq!(newest_version["from_version_id"], earlier["id"]);
    let whole = newest_get(&client, &format!("{versions}/{}", earlier["id"].as_str().unwrap())).await;
    assert!(whole["body"].as_str().unwrap().contains("Old text"), "{whole}");

    let french = newest_get(&client, &format!("{versions}?locale=fr")).await;
    assert_eq!((&french["total_count"], &french["data"][0]["title"]), (&json!(1), &json!("Deux")));
    let unknown = format!("{versions}?locale=de");
    assert_eq!(refusal(&client, Method::GET, &unknown, Value::Null).await, code(400, "parameter_invalid"));
    let missing = format!("{versions}/1");
    assert_eq!(refusal(&client, Method::GET, &missing, Value::Null).await.0, 404);
}

#[tokio::test]
async fn content_can_be_tagged_and_found_by_its_tags() {
    let client = TestClient::with_defaults().await;
    let (article, internal, tag) = client.sandbox.with_workspace(|workspace| {
        (
            workspace.articles[0].id.clone(),
            workspace.internal_articles[0].id.clone(),
            workspace.tags[5].id.clone(),
        )
    });
    let tagged = [
        (format!("/articles/{article}/tags"), "article_not_found"),
        (format!("/internal_articles/{internal}/tags"), "internal_article_not_found"),
        ("/content_snippets/6200002/tags".to_owned(), "content_snippet_not_found"),
    ];
    for (path, missing) in &tagged {
        let (status, attached) = newest(&client, Method::POST, path, json!({"id": tag})).await;
        assert_eq!((status, &attached["id"], &attached["type"]), (200, &json!(tag), &json!("tag")));
        let unknown_tag = json!({"id": "404"});
        assert_eq!(refusal(&client, Method::POST, path, unknown_tag).await, code(404, "tag_not_found"));
        let collection = path.split('/').nth(1).unwrap();
        let elsewhere = format!("/{collection}/404/tags");
        assert_eq!(refusal(&client, Method::POST, &elsewhere, json!({"id": tag})).await, code(404, missing));
    }
    let shown = newest_get(&client, &format!("/articles/{article}")).await;
    assert_eq!(shown["tags"]["tags"][0]["id"], json!(tag));
    let found = newest_get(&client, &format!("/content/search?tag_ids={tag},404&per_page=50")).await;
    assert_eq!(found["total_count"], 3, "{found}");
    let other = newest_get(&client, &format!("/content/search?tag_ids={tag}&tag_operator=NIN")).await;
    let all = newest_get(&client, "/content/search").await;
    assert_eq!(other["total_count"].as_u64().unwrap() + 3, all["total_count"].as_u64().unwrap());
    for (path, _) in &tagged {
        let one = format!("{path}/{tag}");
        assert_eq!(newest(&client, Method::DELETE, &one, Value::Null).await.0, 200);
        assert_eq!(refusal(&client, Method::DELETE, &one, Value::Null).await, code(404, "tag_not_found"));
    }
}

#[tokio::test]
async fn audiences_and_snippets_are_created_changed_and_deleted() {
    let client = TestClient::with_defaults().await;
    let (status, audience) = newest(&client, Method::POST, "/audiences", json!({"name": "Trial"})).await;
    assert_eq!((status, &audience["predicates"]), (201, &json!([])));
    let blank = json!({"name": " "});
    assert_eq!(refusal(&client, Method::POST, "/audiences", blank).await, code(422, "validation_error"));
    let page = newest_get(&client, "/audiences?per_page=2").await;
    assert_eq!((&page["total_count"], &page["total_pages"]), (&json!(3), &json!(2)));
    assert_eq!(refusal(&client, Method::GET, "/audiences?per_page=51", Value::Null).await.0, 400);
    let audience_id: i64 = audience["id"].as_str().unwrap().parse().unwrap();
    let one = format!("/audiences/{audience_id}");
    let rule = json!([{"attribute": "role", "type": "role", "comparison": "eq", "value": "lead"}]);
    let (_, changed) = newest(&client, Method::PUT, &one, json!({"role_predicates": rule})).await;
    assert_eq!((&changed["name"], &changed["role_predicates"]), (&json!("Trial"), &rule));

    let snippets = "/content_snippets";
    let text = json!({"title": "Refunds", "body_markdown": "One.\n\nTwo.", "audience_ids": [audience_id]});
    let (status, snippet) = newest(&client, Method::POST, snippets, text).await;
    assert_eq!((status, snippet["json_blocks"].as_array().unwrap().len()), (201, 2));
    assert_eq!((&snippet["ai_chatbot_availability"], &snippet["locale"]), (&json!(false), &json!("en")));
    for (wrong, expected) in [
        (json!({"title": "x"}), code(422, "validation_error")),
        (json!({"title": "x", "body_markdown": "x", "json_blocks": []}), code(422, "validation_error")),
        (json!({"title": "x", "body_markdown": "x", "locale": "tlh"}), code(422, "validation_error")),
        (json!({"title": "x", "body_markdown": "x", "audience_ids": [404]}), code(404, "parameter_invalid")),
    ] {
        assert_eq!(refusal(&client, Method::POST, snippets, wrong).await, expected);
    }
    let path = format!("{snippets}/{}", snippet["id"].as_str().unwrap());
    let on = json!({"ai_chatbot_availability": true});
    let (_, changed) = newest(&client, Method::PUT, &path, on).await;
    assert_eq!(
        (&changed["chatbot_availability"], &changed["body_markdown"]),
        (&json!(1), &json!("One.\n\nTwo."))
    );
    assert_eq!(newest(&client, Method::DELETE, &one, Value::Null).await, (204, Value::Null));
    assert_eq!(newest_get(&client, &path).await["audience_ids"], json!([]));
    assert_eq!(newest(&client, Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(refusal(&client, Method::GET, &path, Value::Null).await, code(404, "not_found"));
}

#[tokio::test]
async fn redirects_lead_from_the_help_center_to_its_content() {
    let client = TestClient::with_defaults().await;
    let target = client.sandbox.with_workspace(|workspace| workspace.articles[0].id.clone());
    let path = "/help_center/help_centers/1/redirects";
    let redirect = |from: &str, id: &str| json!({"from_url": from, "locale": "en", "target_type": "article", "target_id": id});
    let (status, created) =
        newest(&client, Method::POST, path, redirect("https://help.sandbox.test/old", &target)).await;
    assert_eq!((status, &created["target_id"]), (200, &json!(target)));
    for (from, id, expected) in [
        ("https://help.sandbox.test/old", target.as_str(), code(409, "resource_conflict")),
        ("https://elsewhere.example/old", &target, code(422, "data_invalid")),
        ("https://help.sandbox.test/older", "404", code(404, "not_found")),
    ] {
        assert_eq!(refusal(&client, Method::POST, path, redirect(from, id)).await, expected);
    }
    assert_eq!(newest_get(&client, path).await["total_count"], 2);
    let one = format!("{path}/{}", created["id"].as_str().unwrap());
    assert_eq!(newest_get(&client, &one).await, created);
    let elsewhere = one.replace("help_centers/1", "help_centers/2");
    assert_eq!(refusal(&client, Method::GET, &elsewhere, Value::Null).await.0, 404);
    let (_, deleted) = newest(&client, Method::DELETE, &one, Value::Null).await;
    assert_eq!(deleted["object"], "help_center_redirect");
    assert_eq!(refusal(&client, Method::GET, &one, Value::Null).await.0, 404);
}

#[tokio::test]
async fn content_is_searched_by_words_kind_state_and_availability() {
    let client = bilingual().await;
    let count = async |query: &str| {
        newest_get(&client, &format!("/content/search?{query}")).await["total_count"].as_u64().unwrap()
    };
    assert_eq!(count("query=refund+invoice&content_types=snippet").await, 1);
    assert_eq!(count("query=refund+invoice&content_types=internal_article,external_content").await, 0);
    let (drafts, published) =
        (count("content_types=article&states=draft").await, count("content_types=article").await);
    assert!(0 < drafts && drafts < published, "{drafts} {published}");
    assert_eq!(count("copilot_state=off&content_types=snippet").await, 1);
    assert_eq!(count("updated_at_after=1999999999").await, 0);
    let page = newest_get(&client, "/content/search?per_page=5&page=2").await;
    for neighbour in ["next", "prev"] {
        assert!(page["pages"][neighbour].as_str().unwrap().contains("per_page=5"), "{page}");
    }
    let articles = newest_get(&client, "/content/search?content_types=article").await;
    let contents = articles["data"][0]["contents"].as_array().unwrap();
    let locales: Vec<_> = contents.iter().map(|content| content["locale"].as_str().unwrap()).collect();
    assert_eq!(locales, ["en", "fr"]);
    for wrong in ["content_types=video", "states=open", "tag_ids=x", "folder_ids=1"] {
        let path = format!("/content/search?{wrong}");
        assert_eq!(refusal(&client, Method::GET, &path, Value::Null).await, code(422, "parameter_invalid"));
    }
    assert_eq!(refusal(&client, Method::GET, "/content/search?per_page=51", Value::Null).await.0, 400);
}

#[tokio::test]
async fn bulk_actions_change_supported_content_and_skip_the_rest() {
    let client = bilingual().await;
    let path = article(&client, "draft").await;
    let id = path.rsplit('/').next().unwrap();
    let search = newest_get(&client, "/content/search?content_types=article").await;
    let content = &search["data"][0]["contents"][0]["id"];
    let run = async |body: Value| newest(&client, Method::POST, "/content/bulk_actions", body).await;
    // An article itself cannot be published, only its text in a language.
    for (kind, content_id, state) in
        [("article", json!(id), "draft"), ("article_content", content.clone(), "published")]
    {
        let body = json!({"action": "publish", "content_ids": [{"type": kind, "id": content_id}, {"type": kind, "id": "0"}]});
        assert_eq!(run(body).await, (202, json!({"type": "content_bulk_action", "status": "queued"})));
        assert_eq!(newest_get(&client, &path).await["state"], state);
    }
    let snippet = json!([{"type": "content_snippet", "id": "6200002"}]);
    let off =
        json!({"action": "set_availability", "content_ids": snippet, "availability": {"ai_agent": false}});
    assert_eq!(run(off).await.0, 202);
    let audience = json!({"action": "set_audience", "content_ids": snippet, "audience": {"add_segment_ids": [6_100_001]}});
    assert_eq!(run(audience).await.0, 202);
    let shown = newest_get(&client, "/content_snippets/6200002").await;
    assert_eq!(
        [&shown["ai_chatbot_availability"], &shown["ai_copilot_availability"], &shown["audience_ids"]],
        [&json!(false), &json!(true), &json!([6_100_001])]
    );
    for wrong in [
        json!({"action": "set_availability", "content_ids": snippet}),
        json!({"action": "set_audience", "content_ids": snippet}),
        json!({"action": "update_tags", "content_ids": snippet, "tags": {}}),
        json!({"action": "update_tags", "content_ids": snippet, "tags": {"add_tag_ids": [404]}}),
    ] {
        let refused = refusal(&client, Method::POST, "/content/bulk_actions", wrong).await;
        assert_eq!(refused, code(422, "parameter_invalid"));
    }
    let many: Vec<_> =
        (0..1_001).map(|id| json!({"type": "article_content", "id": id.to_string()})).collect();
    assert_eq!(run(json!({"action": "publish", "content_ids": many})).await.0, 400);
    assert_eq!(run(json!({"action": "delete", "content_ids": snippet})).await.0, 202);
    assert_eq!(newest(&client, Method::GET, "/content_snippets/6200002", Value::Null).await.0, 404);
}
