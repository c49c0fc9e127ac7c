//! Reports articles whose translation is missing, older than its source, or a draft.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::error::{Error, require_synced};
use crate::data::lenient;
use crate::mirror::read::{RecordQuery, json_cell};
use crate::mirror::{ResourceName, Store};

/// A translation that needs work. Times are epoch seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TranslationGap {
    pub article_id: String,
    pub title: Option<String>,
    pub locale: String,
    /// The first that applies.
    pub status: GapStatus,
    /// Whether it is older than its source.
    pub outdated: bool,
    /// Whether it is a draft while its source is published.
    pub draft: bool,
    pub source_locale: String,
    pub source_updated_at: Option<i64>,
    pub translation_updated_at: Option<i64>,
    pub translation_state: Option<String>,
    /// The state of the article.
    pub state: Option<String>,
    pub url: Option<String>,
}

/// What a translation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum GapStatus {
    Missing,
    // Older than its source.
    Outdated,
    Draft,
}

impl TranslationGap {
    /// Whether a status applies; an outdated draft has both.
    pub fn is(&self, status: GapStatus) -> bool {
        match status {
            GapStatus::Missing => self.status == status,
            GapStatus::Outdated => self.outdated,
            GapStatus::Draft => self.draft,
        }
    }
}

/// The counts of one locale. An article is always current in its source locale. An outdated draft is in both counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LocaleCounts {
    pub locale: String,
    pub articles: u64,
    pub current: u64,
    pub missing: u64,
    pub outdated: u64,
    pub draft: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Translations {
    pub articles: u64,
    pub gaps: Vec<TranslationGap>,
    pub locales: Vec<LocaleCounts>,
}

/// Compares every article with all locales that any article has, or with `locales`.
///
/// # Errors
/// [`Error::NothingSynced`], and if the store cannot be read.
pub fn translations(store: &Store, locales: &[String]) -> Result<Translations, Error> {
    require_synced(store, ResourceName::Articles)?;
    let for_each_article = |each: &mut dyn FnMut(&Value)| {
        store.cells(ResourceName::Articles, &["raw"], &RecordQuery::default(), |cells| {
            cells.iter().try_for_each(|raw| {
                each(&json_cell(*raw)?);
                Ok::<_, Error>(())
            })
        })
    };
    let mut wanted_locales: BTreeSet<String> = locales.iter().cloned().collect();
    let mut articles = 0;
    for_each_article(&mut |article| {
        articles += 1;
        if locales.is_empty() {
            wanted_locales.extend(present(article).map(|(locale, _)| locale.clone()));
            wanted_locales.insert(source_locale(article));
        }
    })?;
    let zero = |locale| LocaleCounts { locale, ..LocaleCounts::default() };
    let mut counts: Vec<LocaleCounts> = wanted_locales.into_iter().map(zero).collect();
    let mut gaps = Vec::new();
    for_each_article(&mut |article| {
        let source = source_locale(article);
        for count in &mut counts {
            let is_source = count.locale == source;
            let gap = if is_source { None } else { gap(article, &source, &count.locale) };
            count.articles += 1;
            let is = |status| u64::from(gap.as_ref().is_some_and(|gap| gap.is(status)));
            count.current += u64::from(gap.is_none());
            count.missing += is(GapStatus::Missing);
            count.outdated += is(GapStatus::Outdated);
            count.draft += is(GapStatus::Draft);
            gaps.extend(gap);
        }
    })?;
    Ok(Translations { articles, gaps, locales: counts })
}

/// The translations with content. `translated_content` may be null, empty or a string.
fn present(article: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let contents = article["translated_content"].as_object();
    contents.into_iter().flatten().filter(|(_, content)| has_words(content))
}

fn has_words(content: &Value) -> bool {
    ["title", "body"].iter().any(|key| content[*key].as_str().is_some_and(|text| !text.trim().is_empty()))
}

fn source_locale(article: &Value) -> String {
    article["default_locale"].as_str().filter(|locale| !locale.is_empty()).unwrap_or("en").to_owned()
}

fn gap(article: &Value, source: &str, locale: &str) -> Option<TranslationGap> {
    let updated_at = &article["translated_content"][source]["updated_at"];
    let source_updated_at = lenient::time(updated_at).or_else(|| lenient::time(&article["updated_at"]));
    let translation = &article["translated_content"][locale];
    let translation_updated_at = lenient::time(&translation["updated_at"]);
    let exists = has_words(translation);
    let outdated = exists && translation_updated_at.is_some() && translation_updated_at < source_updated_at;
    let draft = exists && translation["state"] == "draft" && article["state"] == "published";
    let status = match (exists, outdated, draft) {
        (false, ..) => GapStatus::Missing,
        (_, true, _) => GapStatus::Outdated,
        (_, _, true) => GapStatus::Draft,
        _ => return None,
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(TranslationGap {
        article_id: lenient::id(&article["id"]).unwrap_or_default(),
        title: text(&article["title"]),
        locale: locale.to_owned(),
        status,
        outdated,
        draft,
        source_locale: source.to_owned(),
        source_updated_at,
        translation_updated_at,
        translation_state: text(&translation["state"]).filter(|_| exists),
        state: text(&article["state"]),
        url: text(&translation["url"]).or_else(|| text(&article["url"])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anything_without_content_is_a_missing_translation() {
        for content in
            [json!(null), json!(""), json!("de"), json!({"de": null}), json!({"de": {"title": " "}})]
        {
            let article =
                json!({"id": 5, "default_locale": "en", "updated_at": "90", "translated_content": content});
            let found = gap(&article, "en", "de").unwrap();
            assert_eq!((found.status, found.source_updated_at), (GapStatus::Missing, Some(90)), "{article}");
        }
    }

    #[test]
    fn a_translation_older_than_its_source_is_outdated() {
        let article = |source: i64, translation: i64, state: &str| {
            json!({
                "id": "5", "updated_at": 500, "state": "published", "default_locale": "en", "translated_content": {
                    "type": "article_translated_content",
                    "en": {"title": "A", "updated_at": source},
                    "de": {"title": "B", "updated_at": translation, "state": state},
                }
            })
        };
        let status = |article: Value| gap(&article, "en", "de").map(|gap| gap.status);
        assert_eq!(status(article(100, 100, "published")), None);
        assert_eq!(status(article(101, 100, "published")), Some(GapStatus::Outdated));
        assert_eq!(status(article(100, 100, "draft")), Some(GapStatus::Draft));
        let both = gap(&article(101, 100, "draft"), "en", "de").unwrap();
        assert!(
            [GapStatus::Outdated, GapStatus::Draft].into_iter().all(|status| both.is(status)),
            "{both:?}"
        );
        assert!(!both.is(GapStatus::Missing), "{both:?}");
    }
}
