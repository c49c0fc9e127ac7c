//! Which articles and languages a run is about.

#[derive(Debug, Clone, Default)]
pub struct Only {
    /// Ids, or patterns with `*` and `?` for paths and file names; empty means all.
    pub articles: Vec<String>,
    /// Empty means all.
    pub locales: Vec<String>,
}

impl Only {
    pub fn article(&self, id: &str, paths: &[&str]) -> bool {
        self.articles.is_empty()
            || self.articles.iter().any(|pattern| {
                pattern == id
                    || paths.iter().any(|path| {
                        let name = path.rsplit('/').next().unwrap_or(path);
                        matches(pattern.as_bytes(), path.as_bytes())
                            || matches(pattern.as_bytes(), name.as_bytes())
                    })
            })
    }

    pub fn locale(&self, locale: &str) -> bool {
        self.locales.is_empty() || self.locales.iter().any(|it| it == locale)
    }
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
}
