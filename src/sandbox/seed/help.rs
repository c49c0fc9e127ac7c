//! Seed data: help center, internal articles and news.

use serde_json::{Map, Value, json};

use super::words::TOPICS;
use crate::sandbox::calendar::{DAY, HOUR};
use crate::sandbox::html::normalize_article;
use crate::sandbox::model::article::{HelpArticle, article_content};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::options::Options;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::workspace::{IdSequence, Workspace};

/// Name, and index of the parent collection.
const COLLECTIONS: &[(&str, Option<usize>)] = &[
    ("Getting started", None),
    ("Billing", None),
    ("Integrations", None),
    ("Webhooks", Some(2)),
    ("Troubleshooting", None),
];

/// Building blocks of article bodies. Together they cover every construct found in real articles.
const PIECES: &[&str] = &[
    "<p>This takes about <b>two minutes</b>. You can find it under <i>Settings</i>.</p>",
    "<h2>Before you begin</h2><ul><li><p>An account with <a href=\"https://app.sandbox.test/roles\" target=\"_blank\">admin rights</a></p></li><li><p>The CSV file</p></li></ul>",
    "<h3>Step by step</h3><ol><li><p>Open the menu.</p></li><li><p>Choose <b>Export</b>.</p></li><li><p>Wait for the email.</p></li></ol>",
    "<div class=\"intercom-container\"><img src=\"https://downloads.sandbox.test/i/o/1/screen.png?expires=1700000000&amp;signature=ab12\" alt=\"The settings page\"></div>",
    "<div class=\"intercom-interblocks-callout\" style=\"background-color: #feedaf80; border-color: #fbc91633;\"><p>This cannot be undone.</p></div>",
    "<pre><code>curl -H \"Authorization: Bearer $TOKEN\" https://api.sandbox.test/me</code></pre>",
    "<div class=\"intercom-interblocks-table-container\"><table role=\"presentation\"><tbody><tr><td style=\"background-color: #e8e8e880\"><p>Plan</p></td><td><p>Rows</p></td></tr><tr><td><p>Free</p></td><td><p>10,000</p></td></tr></tbody></table></div>",
    "<details><summary>What if it fails?</summary><p>Start over from the first step &amp; contact us.</p></details>",
    "<p class=\"intercom-align-center\"><a class=\"intercom-h2b-button\" href=\"https://app.sandbox.test\">Open the app</a></p><hr>",
];

pub fn fill(workspace: &mut Workspace, options: &Options) {
    let created_at = options.now - 200 * DAY;
    workspace.help_centers.insert(PlainRecord::new(json!({
        "id": "1",
        "workspace_id": workspace.id,
        "created_at": created_at,
        "updated_at": created_at,
        "identifier": "help",
        "website_turned_on": true,
        "display_name": "Sandbox Help",
        "url": "https://help.sandbox.test",
        "custom_domain": null,
    })));
    let collections = collections(workspace, created_at);
    for number in 0..options.articles {
        let article = article(workspace, number, &collections, options);
        workspace.articles.insert(article);
    }
    for number in 0..options.articles / 8 {
        let owner = workspace.random.pick(&workspace.admins).id;
        let at = options.now - workspace.random.between(1, 90) * DAY;
        let mut article = workspace.new_internal_article([owner, owner], at);
        article.document["title"] = json!(format!("Runbook {number}"));
        article.document["body"] = json!(format!("<p>{}</p>", TOPICS[number % TOPICS.len()].2[0]));
        workspace.internal_articles.insert(article);
    }
    for number in 0..6 {
        let item = news(workspace, number, options.now);
        workspace.news_items.insert(item);
    }
}

fn collections(workspace: &mut Workspace, created_at: i64) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for (order, (name, parent)) in COLLECTIONS.iter().enumerate() {
        let mut collection = workspace.new_collection(created_at);
        collection.document["name"] = json!(name);
        collection.document["description"] = json!(format!("All about {}", name.to_lowercase()));
        collection.document["parent_id"] = json!(parent.map(|index| &ids[index]));
        collection.touch(created_at + order as i64 * HOUR);
        ids.push(collection.id.clone());
        workspace.collections.insert(collection);
    }
    ids
}

fn body(workspace: &mut Workspace) -> String {
    let random = &mut workspace.random;
    let mut pieces = vec![PIECES[0]];
    for _ in 0..2 + random.below(5) {
        pieces.push(*random.pick(PIECES));
    }
    let body = pieces.concat();
    normalize_article(&body, || format!("{:010x}", random.next() >> 24))
}

fn article(
    workspace: &mut Workspace,
    number: usize,
    collections: &[String],
    options: &Options,
) -> HelpArticle {
    let (subject, question, _) = TOPICS[number % TOPICS.len()];
    let title = match number / TOPICS.len() {
        0 => subject.to_owned(),
        round => format!("{subject} ({})", round + 1),
    };
    let created_at = options.now - workspace.random.between(20, 190) * DAY;
    let author_id = workspace.random.pick(&workspace.admins).id;
    let updated_at = workspace.random.between(created_at, options.now);
    let translations = (options.locales.len() > 1).then(|| {
        let translated = options.locales[1..].iter().map(|locale| {
            let (title, body) = (format!("{title} [{locale}]"), body(workspace));
            let times = [created_at, updated_at];
            (locale.clone(), article_content([&title, "", &body], author_id, "published", times))
        });
        translated.collect::<Map<String, Value>>()
    });
    HelpArticle {
        id: workspace.next_id(IdSequence::Article),
        title,
        description: question.to_owned(),
        body: body(workspace),
        author_id,
        published: workspace.random.chance(80),
        parent_id: workspace.random.chance(85).then(|| workspace.random.pick(collections).clone()),
        created_at,
        updated_at,
        translations,
        views: workspace.random.between(0, 5_000),
    }
}

fn news(workspace: &mut Workspace, number: i64, now: i64) -> PlainRecord {
    let feed: Option<i64> = workspace.newsfeeds[0].id.parse().ok();
    let at = now - (number + 1) * 9 * DAY;
    PlainRecord::new(json!({
        "id": workspace.next_id(IdSequence::Other),
        "type": "news-item",
        "workspace_id": workspace.id,
        "title": format!("Release {number}"),
        "body": "<p>What is new this month.</p>",
        "sender_id": workspace.my_id(),
        "state": if number == 0 { "draft" } else { "live" },
        "newsfeed_assignments": [{"newsfeed_id": feed, "published_at": at}],
        "labels": ["Product"],
        "cover_image_url": null,
        "reactions": ["😆", null, "😅"],
        "deliver_silently": true,
        "created_at": at,
        "updated_at": at,
    }))
}
