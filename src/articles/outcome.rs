//! What became of a file, and which files are meant.

use serde_json::{Value, json};

/// What happened to one file or article, or would happen.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub article: Option<String>,
    pub locale: Option<String>,
    pub path: Option<String>,
    pub status: &'static str,
    pub fields: Vec<&'static str>,
    pub diff: String,
    pub error: Option<String>,
}

impl Outcome {
    pub fn new(status: &'static str, article: &str, locale: &str, path: &str) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Outcome {
            status,
            article: some(article),
            locale: some(locale),
            path: some(path),
            ..Outcome::default()
        }
    }

    pub fn failed(article: &str, path: &str, error: impl Into<String>) -> Self {
        Outcome { error: Some(error.into()), ..Outcome::new("failed", article, "", path) }
    }

    pub fn is_failure(&self) -> bool {
        self.status == "failed"
    }

    pub fn is_conflict(&self) -> bool {
        self.status == "conflict"
    }

    pub fn as_json(&self) -> Value {
        json!({
            "article": self.article, "locale": self.locale, "path": self.path, "status": self.status,
            "fields": self.fields, "diff": self.diff, "error": self.error,
        })
    }
}

/// The articles and languages that a run is about; empty means all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Ids, or patterns of paths with `*` and `?`.
    pub only: Vec<String>,
    pub locales: Vec<String>,
}

impl Selection {
    pub fn takes(&self, id: &str, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let wanted = |only: &String| {
            only == id
                || matches(only.as_bytes(), path.as_bytes())
                || matches(only.as_bytes(), name.as_bytes())
        };
        self.only.is_empty() || self.only.iter().any(wanted)
    }

    pub fn takes_locale(&self, locale: &str) -> bool {
        self.locales.is_empty() || self.locales.iter().any(|it| it == locale)
    }
}

/// Whether a pattern with `*` and `?` fits the whole text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut of, mut star) = (0, 0, None);
    while at < text.len() {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(letter) if *letter == b'?' || *letter == text[at] => {
                at += 1;
                of += 1;
            }
            _ => match star {
                Some((place, from)) => {
                    star = Some((place, from + 1));
                    (of, at) = (place + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        let selection = Selection { only: vec!["7".into(), "bill*.en.md".into()], locales: Vec::new() };
        assert!(selection.takes("7", "x.md") && selection.takes("8", "a/billing.en.md"));
        assert!(!selection.takes("77", "billing.fr.md"));
    }
}
