//! Articles of the help center.
//!
//! Two of the service's habits are dangerous and are kept: an update that leaves `state` out
//! publishes, and an update with `translated_content` drops the locales it leaves out.

use serde_json::{Map, Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::html::{plain_text, stored_article};
use crate::sandbox::model::article::Article;
use crate::sandbox::paging::by_number;
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Sequence, Workspace};

family! {
    "listArticles" => list,
    "retrieveArticle" => retrieve,
    "createArticle" => create,
    "updateArticle" => update,
    "deleteArticle" => delete,
    "searchArticles" => find_many,
}

fn document(workspace: &Workspace, article: &Article) -> Value {
    let mut parents = Vec::new();
    let mut next = article.parent_id.as_ref();
    while let Some(collection) = next.and_then(|id| workspace.collections.get(id)) {
        parents.push(collection.id.clone());
        next = collection.parent_id.as_ref().filter(|id| !parents.contains(*id));
    }
    article.document(&workspace.id, workspace.locale(), &parents)
}

fn detailed(workspace: &Workspace, id: &str) -> Outcome {
    let article = workspace.articles.get(id).ok_or_else(Problem::no_resource)?;
    let mut document = document(workspace, article);
    document["statistics"] = article.statistics();
    Ok(document.into())
}

fn list(workspace: &mut Workspace, request: &Request) -> Outcome {
    let articles: Vec<_> = workspace.articles.newest_first().collect();
    let page = by_number(request, &articles, 25, 150)?;
    let data: Vec<_> = page.records.iter().map(|article| document(workspace, article)).collect();
    let answer = json!({"type": "list", "pages": page.pages, "total_count": page.total_count, "data": data});
    Ok(answer.into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> Outcome {
    detailed(workspace, request.path("id"))
}

fn create(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let mut article = Article {
        id: workspace.issue(Sequence::Article),
        title: request.required("title")?.to_owned(),
        description: String::new(),
        body: String::new(),
        author_id: 0,
        published: false,
        parent_id: None,
        created_at: now,
        updated_at: now,
        translations: (workspace.locales.len() > 1).then(Map::new),
        views: 0,
    };
    apply(workspace, &mut article, &request.body)?;
    article.published = request.text("state") == Some("published");
    let id = article.id.clone();
    workspace.articles.insert(article);
    detailed(workspace, &id)
}

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let id = request.path("id");
    let mut article = workspace.articles.get(id).ok_or_else(Problem::no_resource)?.clone();
    apply(workspace, &mut article, &request.body)?;
    article.published = request.text("state") != Some("draft");
    article.updated_at = article.updated_at.max(workspace.now());
    workspace.articles.insert(article);
    detailed(workspace, id)
}

/// Writes the fields of the body and of the main language in `translated_content`.
fn apply(workspace: &mut Workspace, article: &mut Article, body: &Value) -> Result<(), Problem> {
    let main = body["translated_content"][workspace.locale()].clone();
    for source in [&main, body] {
        for (name, target) in [
            ("title", &mut article.title),
            ("description", &mut article.description),
            ("body", &mut article.body),
        ] {
            if let Some(text) = source[name].as_str() {
                *target = if name == "body" { stored(workspace, text) } else { text.to_owned() };
            }
        }
        if let Some(author_id) = source["author_id"].as_i64() {
            workspace
                .admin(author_id)
                .ok_or_else(|| Problem::invalid("author_id", "author_id is no teammate"))?;
            article.author_id = author_id;
        }
    }
    if let Some(parent) = body.get("parent_id") {
        article.parent_id = checked_parent(workspace, parent)?;
    }
    match &body["translated_content"] {
        Value::Object(contents) => translate(workspace, article, contents),
        _ => Ok(()),
    }
}

fn stored(workspace: &mut Workspace, body: &str) -> String {
    stored_article(body, || format!("{:010x}", workspace.random.next() >> 24))
}

/// The id of a collection, which comes as a number or as text.
fn checked_parent(workspace: &Workspace, parent: &Value) -> Result<Option<String>, Problem> {
    let id = match parent {
        Value::Null => return Ok(None),
        Value::String(id) => id.clone(),
        other => other.to_string(),
    };
    match workspace.collections.get(&id) {
        Some(_) => Ok(Some(id)),
        None => Err(Problem::invalid("parent_id", "parent_id is no collection")),
    }
}

/// Puts the other languages in place of those there were.
fn translate(
    workspace: &mut Workspace,
    article: &mut Article,
    contents: &Map<String, Value>,
) -> Result<(), Problem> {
    let mut translations = Map::new();
    for (locale, content) in contents.iter().filter(|(_, content)| content.is_object()) {
        if !workspace.locales.contains(locale) {
            let message = format!("{locale} is not switched on in this help center");
            return Err(Problem::invalid("translated_content", message));
        }
        if locale == workspace.locale() {
            continue;
        }
        let now = workspace.now();
        let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
        let translation = json!({
            "type": "article_content",
            "title": text("title"),
            "description": text("description"),
            "body": stored(workspace, &text("body")),
            "author_id": content["author_id"].as_i64().unwrap_or(article.author_id),
            "state": content["state"].as_str().unwrap_or("published"),
            "created_at": article.created_at,
            "updated_at": now,
            "url": null,
        });
        translations.insert(locale.clone(), translation);
    }
    if article.translations.is_some() {
        article.translations = Some(translations);
    }
    Ok(())
}

fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let article = workspace.articles.remove(request.path("id")).ok_or_else(Problem::no_resource)?;
    Ok(json!({"id": article.id, "object": "article", "deleted": true}).into())
}

fn find_many(workspace: &mut Workspace, request: &Request) -> Outcome {
    let phrase = request.query("phrase").unwrap_or_default().to_lowercase();
    let state = request.query("state").filter(|state| *state != "all");
    let found: Vec<_> = workspace
        .articles
        .newest_first()
        .filter(|article| state.is_none_or(|state| article.state() == state))
        .filter(|article| in_help_center(workspace, article, request.query("help_center_id")))
        .filter(|article| {
            let text = format!("{} {} {}", article.title, article.description, plain_text(&article.body));
            text.to_lowercase().contains(&phrase)
        })
        .collect();
    let page = by_number(request, &found, 10, 150)?;
    let articles: Vec<_> = page.records.iter().map(|article| document(workspace, article)).collect();
    let highlights: Vec<_> = match request.switched("highlight") {
        true => page.records.iter().map(|article| highlight(article, &phrase)).collect(),
        false => Vec::new(),
    };
    let answer = json!({
        "type": "list",
        "total_count": page.total_count,
        "data": {"articles": articles, "highlights": highlights},
        "pages": page.pages,
    });
    Ok(answer.into())
}

fn in_help_center(workspace: &Workspace, article: &Article, help_center_id: Option<&str>) -> bool {
    let own = article.parent_id.as_ref().and_then(|id| workspace.collections.get(id));
    help_center_id.is_none_or(|id| own.is_some_and(|own| own.help_center_id.to_string() == id))
}

/// The title cut where the phrase begins and ends.
fn highlight(article: &Article, phrase: &str) -> Value {
    let piece = |kind: &str, text: &str| json!({"type": kind, "text": text});
    let at = article.title.to_lowercase().find(phrase).filter(|_| !phrase.is_empty());
    let cut = at.and_then(|at| Some((article.title.get(..at)?, article.title.get(at..at + phrase.len())?)));
    let title = match cut {
        Some((before, hit)) => {
            let after = &article.title[before.len() + hit.len()..];
            vec![piece("plain", before), piece("highlight", hit), piece("plain", after)]
        }
        None => vec![piece("plain", &article.title)],
    };
    json!({"article_id": article.id, "highlighted_title": title, "highlighted_summary": []})
}
