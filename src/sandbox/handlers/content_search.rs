//! The search over all content: articles, internal articles and snippets.
//!
//! The sandbox has no folders, external pages and files, so searches for them find nothing.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::operations::operations;
use crate::html::plain;
use crate::sandbox::model::article::HelpArticle;
use crate::sandbox::model::knowledge::{
    ARTICLE, ARTICLE_CONTENT, ContentSettings, INTERNAL_ARTICLE, SNIPPET,
};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::{next_link, numbered_page, parse_integer};
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::Workspace;

operations! {
    "searchContent" => search,
}

const STATES: &[&str] = &["published", "draft"];
/// Types of content, as the search takes them. The first three are those of the records.
const CONTENT_TYPES: &[&str] =
    &[ARTICLE, INTERNAL_ARTICLE, "snippet", "external_content", "file_source_content"];

impl Workspace {
    /// Whether there is an article, an internal article or a snippet with this id.
    pub fn has_content(&self, kind: &str, id: &str) -> bool {
        match kind {
            ARTICLE => self.articles.get(id).is_some(),
            INTERNAL_ARTICLE => self.internal_articles.get(id).is_some(),
            SNIPPET => self.knowledge.snippets.get(id).is_some(),
            _ => self.article_content(id).is_some(),
        }
    }

    /// The id of an article's text in one language.
    pub fn article_content_id(&self, article_id: &str, locale: &str) -> String {
        let place = self.locales.iter().position(|enabled| enabled == locale).unwrap_or_default();
        format!("{article_id}{:02}", place + 1)
    }

    /// The article and the locale of the text with this id.
    pub fn article_content(&self, id: &str) -> Option<(&HelpArticle, &str)> {
        let (article_id, place) = id.split_at_checked(id.len().checked_sub(2)?)?;
        let article = self.articles.get(article_id)?;
        let locale = self.locales.get(place.parse::<usize>().ok()?.checked_sub(1)?)?;
        article.texts(self.locale()).contains_key(locale).then_some((article, locale))
    }
}

/// What the search knows about one piece of content.
struct FoundContent {
    /// As in `content_types`.
    kind: &'static str,
    document: Value,
    text: String,
    states: Vec<String>,
    locales: Vec<String>,
    /// Times of creation and last change.
    times: [i64; 2],
    author_id: Option<i64>,
    /// One per language of an article.
    settings: Vec<ContentSettings>,
    tags: Vec<i64>,
}

fn article(workspace: &Workspace, article: &HelpArticle) -> FoundContent {
    let texts = article.texts(workspace.locale());
    let state = |locale: &str| match &article.translations {
        Some(translations) if locale != workspace.locale() => {
            translations.get(locale).and_then(|content| content["state"].as_str())
        }
        _ => Some(article.state()),
    };
    let contents: Vec<_> = texts
        .iter()
        .map(|(locale, text)| {
            let id = workspace.article_content_id(&article.id, locale);
            json!({"type": ARTICLE_CONTENT, "id": id, "title": text.title, "locale": locale})
        })
        .collect();
    let content_ids = texts.keys().map(|locale| workspace.article_content_id(&article.id, locale));
    let own = workspace.knowledge.settings(ARTICLE, &article.id);
    FoundContent {
        kind: ARTICLE,
        text: texts.values().map(|text| format!("{} {} ", text.title, plain::text(&text.body))).collect(),
        states: texts.keys().filter_map(|locale| state(locale)).map(str::to_owned).collect(),
        times: [article.created_at, article.updated_at],
        author_id: Some(article.author_id),
        settings: content_ids.map(|id| workspace.knowledge.settings(ARTICLE_CONTENT, &id)).collect(),
        tags: tag_ids(&own),
        document: json!({"type": ARTICLE, "id": article.id, "title": article.title, "contents": contents}),
        locales: texts.into_keys().collect(),
    }
}

/// An internal article or a snippet.
fn record(
    workspace: &Workspace,
    record: &PlainRecord,
    [kind, result_type]: [&'static str; 2],
    body: &str,
) -> FoundContent {
    let settings = workspace.knowledge.settings(result_type, &record.id);
    let title = record.text("title");
    let time = |name: &str| record.document[name].as_i64().unwrap_or_default();
    FoundContent {
        kind,
        document: json!({"type": result_type, "id": record.id, "title": title}),
        text: format!("{title} {}", plain::text(record.text(body))),
        states: vec!["published".to_owned()],
        locales: vec![record.text("locale").to_owned()],
        times: [time("created_at"), time("updated_at")],
        author_id: record.document["author_id"].as_i64(),
        tags: tag_ids(&settings),
        settings: vec![settings],
    }
}

fn tag_ids(settings: &ContentSettings) -> Vec<i64> {
    settings.tags.iter().filter_map(|tag| tag.tag_id.parse().ok()).collect()
}

fn refused(field: &str, message: String) -> ErrorResponse {
    ErrorResponse { status: 422, ..ErrorResponse::invalid(field, message) }
}

/// The values of a list in the query, which are separated by commas or repeated. `None` if it is not given.
fn list<'a>(request: &'a ApiRequest, name: &str) -> Option<Vec<&'a str>> {
    let given = request.query.iter().filter(|(key, _)| key == name || key.strip_suffix("[]") == Some(name));
    let values: Vec<_> = given.flat_map(|(_, value)| value.split(',')).map(str::trim).collect();
    (!values.is_empty()).then_some(values)
}

fn choices<'a>(
    request: &'a ApiRequest,
    name: &str,
    choices: &[&str],
) -> Result<Option<Vec<&'a str>>, ErrorResponse> {
    let values = list(request, name);
    match values.iter().flatten().find(|value| !choices.contains(value)) {
        Some(value) => {
            Err(refused(name, format!("{name} contains {value}, expected {}", choices.join(", "))))
        }
        None => Ok(values),
    }
}

fn numbers(request: &ApiRequest, name: &str) -> Result<Option<Vec<i64>>, ErrorResponse> {
    let number = |value: &str| {
        value.parse().map_err(|_| refused(name, format!("{name} contains {value}, expected an integer")))
    };
    list(request, name).map(|values| values.into_iter().map(number).collect()).transpose()
}

/// Whether a filter that may be missing has any of these values.
fn any<T: PartialEq>(filter: Option<&Vec<T>>, values: impl IntoIterator<Item = T>) -> bool {
    filter.is_none_or(|filter| values.into_iter().any(|value| filter.contains(&value)))
}

fn search(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let query = request.query("query").unwrap_or_default().to_lowercase();
    if query.chars().count() > 500 {
        return Err(refused("query", "query must not be longer than 500 characters".to_owned()));
    }
    let folders = numbers(request, "folder_ids")?;
    if folders.is_some() && request.query("folder_entity_type").is_none() {
        return Err(refused(
            "folder_entity_type",
            "folder_entity_type is required with folder_ids".to_owned(),
        ));
    }
    let (kinds, states) =
        (choices(request, "content_types", CONTENT_TYPES)?, choices(request, "states", STATES)?);
    let locales = list(request, "locales");
    let (tags, any_tags) = (numbers(request, "tag_ids")?, numbers(request, "any_tag_ids")?);
    let excludes_tags = request.query("tag_operator") == Some("NIN");
    let (creators, editors) = (numbers(request, "created_by_ids")?, numbers(request, "last_updated_by_ids")?);
    let time = |name: &str| request.query(name).map(|text| parse_integer(name, text)).transpose();
    let after = [time("created_at_after")?, time("updated_at_after")?];
    let before = [time("created_at_before")?, time("updated_at_before")?];
    let is_on = |name: &str, found: &FoundContent, flag: fn(&ContentSettings) -> bool| {
        request.query(name).is_none_or(|state| found.settings.iter().any(flag) == (state == "on"))
    };

    let mut found: Vec<FoundContent> = all_content(workspace);
    found.retain(|content| {
        let text = content.text.to_lowercase();
        let has_tag = any(tags.as_ref(), content.tags.iter().copied());
        folders.is_none()
            && query.split_whitespace().all(|word| text.contains(word))
            && any(kinds.as_ref(), [content.kind])
            && any(states.as_ref(), content.states.iter().map(String::as_str))
            && any(locales.as_ref(), content.locales.iter().map(String::as_str))
            && (tags.is_none() || has_tag != excludes_tags)
            && any(any_tags.as_ref(), content.tags.iter().copied())
            && any(creators.as_ref(), content.author_id)
            && any(editors.as_ref(), content.author_id)
            && after.iter().zip(content.times).all(|(limit, at)| limit.is_none_or(|limit| at >= limit))
            && before.iter().zip(content.times).all(|(limit, at)| limit.is_none_or(|limit| at <= limit))
            && is_on("fin_service_state", content, |settings| settings.availability.ai_agent)
            && is_on("copilot_state", content, |settings| settings.availability.copilot)
            && is_on("fin_sales_state", content, |settings| settings.availability.sales_agent)
    });
    found.sort_by_key(|content| Reverse((content.times[1], content.document["id"].to_string())));

    let mut page = numbered_page(request, &found, (10, 50))?;
    let (number, per_page) = (page.pages["page"].as_u64(), page.pages["per_page"].as_u64());
    let previous = number.zip(per_page).filter(|(number, _)| *number > 1).and_then(|(number, per_page)| {
        Some(next_link(request, usize::try_from(number - 1).ok()?, usize::try_from(per_page).ok()?))
    });
    page.pages["prev"] = json!(previous);
    Ok(page.list("list", &["total_count", "pages", "data"], |content| content.document.clone()))
}

fn all_content(workspace: &Workspace) -> Vec<FoundContent> {
    let articles = workspace.articles.iter().map(|row| article(workspace, row));
    let internal = workspace
        .internal_articles
        .iter()
        .map(|row| record(workspace, row, [INTERNAL_ARTICLE, INTERNAL_ARTICLE], "body"));
    let snippets = workspace
        .knowledge
        .snippets
        .iter()
        .map(|row| record(workspace, row, ["snippet", SNIPPET], "body_markdown"));
    articles.chain(internal).chain(snippets).collect()
}
