//! Which articles and languages a run is about, and which of them there are none of.
//!
//! A run that was asked for something that does not exist says so. It must never end as if there had been
//! nothing to do.

use std::collections::BTreeSet;

use super::outcome::Outcome;

#[derive(Debug, Clone, Default)]
pub struct Only {
    /// Ids, or patterns with `*` and `?` for paths and file names; empty means all.
    pub articles: Vec<String>,
    /// Empty means all.
    pub locales: Vec<String>,
}

impl Only {
    pub fn article(&self, id: &str, paths: &[&str]) -> bool {
        self.articles.is_empty() || self.articles.iter().any(|pattern| names(pattern, id, paths))
    }

    pub fn locale(&self, locale: &str) -> bool {
        self.locales.is_empty() || self.locales.iter().any(|it| it == locale)
    }
}

/// What a run came across of that which it was asked for.
#[derive(Debug, Default)]
pub struct Met {
    /// Patterns that named something.
    articles: BTreeSet<String>,
    locales: BTreeSet<String>,
}

impl Met {
    /// Notes an article, or a file that is none yet.
    pub fn note<'a>(
        &mut self,
        only: &Only,
        id: &str,
        paths: &[&str],
        locales: impl IntoIterator<Item = &'a String>,
    ) {
        self.articles.extend(only.articles.iter().filter(|it| names(it, id, paths)).cloned());
        self.locales.extend(locales.into_iter().cloned());
    }

    /// An outcome for each thing that was asked for and never met.
    pub fn missing(&self, only: &Only) -> Vec<Outcome> {
        let articles = only.articles.iter().filter(|it| !self.articles.contains(*it)).map(|pattern| {
            Outcome::not_found(Some(pattern), None, format!("no article and no file is called {pattern:?}"))
        });
        let locales = only.locales.iter().filter(|it| !self.locales.contains(*it)).map(|locale| {
            let known: Vec<&str> = self.locales.iter().map(String::as_str).collect();
            let reason = match known.is_empty() {
                true => format!("no article has the language {locale}"),
                false => format!("no article has the language {locale}; there are {}", known.join(", ")),
            };
            Outcome::not_found(None, Some(locale), reason)
        });
        // Where no article was met, none could have had a language.
        let locales = locales.filter(|_| only.articles.is_empty() || !self.articles.is_empty());
        articles.chain(locales).collect()
    }
}

fn names(pattern: &str, id: &str, paths: &[&str]) -> bool {
    pattern == id
        || paths.iter().any(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            matches(pattern.as_bytes(), path.as_bytes()) || matches(pattern.as_bytes(), name.as_bytes())
        })
}

/// Whether a text fits a pattern. Linear but for one point to come back to.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
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
    pattern[at..].iter().all(|it| *it == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_and_paths() {
        let only = |pattern: &str| Only { articles: vec![pattern.into()], ..Only::default() };
        let paths = ["billing/12-refund.en.md"];
        assert!(
            ["12", "*refund*", "billing/*", "12-refund.??.md", "*"]
                .into_iter()
                .all(|it| only(it).article("12", &paths))
        );
        assert!(!["1", "refund", "*.fr.md"].into_iter().any(|it| only(it).article("12", &paths)));
        assert!(Only::default().article("1", &[]) && Only::default().locale("en"));
    }

    #[test]
    fn what_was_asked_for_and_never_met_is_told() {
        let texts = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let only = Only { articles: texts(&["12", "*refund*", "13"]), locales: texts(&["en", "zz"]) };
        let mut met = Met::default();
        met.note(&only, "12", &["billing/12-refund.en.md"], &texts(&["en", "fr"]));
        let told: Vec<String> =
            met.missing(&only).iter().filter_map(|it| it.error.as_ref()).map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("\"13\"") && told[1].contains("zz; there are en, fr"), "{told:?}");
    }
}
