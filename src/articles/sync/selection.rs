//! Resolves `--only` and `--locale`, and reports patterns that match nothing.
//!
//! A command must never succeed silently because its selection matched nothing.

use std::collections::BTreeSet;

use super::outcome::ArticleOutcome;

#[derive(Debug, Clone, Default)]
pub struct ArticleSelection {
    /// Ids, or patterns with `*` and `?` for paths and file names; empty means all.
    pub articles: Vec<String>,
    /// Empty means all.
    pub locales: Vec<String>,
}

impl ArticleSelection {
    pub fn has_article(&self, id: &str, paths: &[&str]) -> bool {
        self.articles.is_empty() || self.articles.iter().any(|pattern| is_match(pattern, id, paths))
    }

    pub fn has_locale(&self, locale: &str) -> bool {
        self.locales.is_empty() || self.locales.iter().any(|selected| selected == locale)
    }
}

/// The parts of a selection that were found.
#[derive(Debug, Default)]
pub struct SelectionMatches {
    /// Patterns that matched an article or a file.
    articles: BTreeSet<String>,
    locales: BTreeSet<String>,
}

impl SelectionMatches {
    /// Records an article, or a file that is not an article yet.
    pub fn record<'a>(
        &mut self,
        selection: &ArticleSelection,
        id: &str,
        paths: &[&str],
        locales: impl IntoIterator<Item = &'a String>,
    ) {
        self.articles
            .extend(selection.articles.iter().filter(|pattern| is_match(pattern, id, paths)).cloned());
        self.locales.extend(locales.into_iter().cloned());
    }

    /// A "not found" outcome for each selected pattern and language that was never recorded.
    pub fn missing(&self, selection: &ArticleSelection) -> Vec<ArticleOutcome> {
        let articles =
            selection.articles.iter().filter(|pattern| !self.articles.contains(*pattern)).map(|pattern| {
                ArticleOutcome::not_found(
                    Some(pattern),
                    None,
                    format!("no article or file matches {pattern:?}"),
                )
            });
        let locales =
            selection.locales.iter().filter(|locale| !self.locales.contains(*locale)).map(|locale| {
                let known: Vec<&str> = self.locales.iter().map(String::as_str).collect();
                let mut reason = format!("no article has the language {locale}");
                if !known.is_empty() {
                    reason.push_str(&format!(": expected {}", known.join(", ")));
                }
                ArticleOutcome::not_found(None, Some(locale), reason)
            });
        // If no article matched, a missing language says nothing new.
        let locales = locales.filter(|_| selection.articles.is_empty() || !self.articles.is_empty());
        articles.chain(locales).collect()
    }
}

fn is_match(pattern: &str, id: &str, paths: &[&str]) -> bool {
    pattern == id
        || paths.iter().any(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            glob_matches(pattern.as_bytes(), path.as_bytes())
                || glob_matches(pattern.as_bytes(), name.as_bytes())
        })
}

/// Whether a text matches a pattern with `*` and `?`. Backtracks to the last `*` only, so it cannot blow up.
fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut to, mut star) = (0, 0, None);
    while to < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, to));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == text[to] => (at, to) = (at + 1, to + 1),
            _ => match star {
                Some((pattern_at, text_at)) => {
                    star = Some((pattern_at, text_at + 1));
                    (at, to) = (pattern_at + 1, text_at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_ids_names_and_paths() {
        let selection = |pattern: &str| ArticleSelection {
            articles: vec![pattern.into()],
            ..ArticleSelection::default()
        };
        let paths = ["billing/12-refund.en.md"];
        assert!(
            ["12", "*refund*", "billing/*", "12-refund.??.md", "*"]
                .into_iter()
                .all(|pattern| selection(pattern).has_article("12", &paths))
        );
        assert!(
            !["1", "refund", "*.fr.md"]
                .into_iter()
                .any(|pattern| selection(pattern).has_article("12", &paths))
        );
        assert!(
            ArticleSelection::default().has_article("1", &[]) && ArticleSelection::default().has_locale("en")
        );
    }

    #[test]
    fn patterns_without_a_match_are_reported() {
        let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let selection =
            ArticleSelection { articles: texts(&["12", "*refund*", "13"]), locales: texts(&["en", "zz"]) };
        let mut matches = SelectionMatches::default();
        matches.record(&selection, "12", &["billing/12-refund.en.md"], &texts(&["en", "fr"]));
        let errors: Vec<String> = matches
            .missing(&selection)
            .iter()
            .filter_map(|outcome| outcome.error.as_ref())
            .map(ToString::to_string)
            .collect();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("\"13\"") && errors[1].contains("zz: expected en, fr"), "{errors:?}");
    }
}
