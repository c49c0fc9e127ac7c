//! The addresses of links and images: paths in the files, URLs in the help center.
//!
//! An author links to `../billing/12-refunds.en.md#h_1`; readers need the article's address. Both resolve to
//! the same target here, so that a link never counts as edited because of its form. An address is never
//! guessed: if it does not exist, the gate blocks the article. The server signs image addresses differently in
//! every response; signatures are stripped before addresses are displayed or compared, and taken from the
//! stored HTML when something is sent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::html::scan::{Scanner, TokenKind, attribute_value, links};
use super::normalize::{normalize_line_endings, strip_signature};

/// Index of the files and addresses of all known articles.
#[derive(Debug, Clone, Default)]
pub struct LinkIndex {
    /// Id and locale by path, including earlier paths of moved files.
    by_path: HashMap<String, (String, String)>,
    /// Id and locale by public address.
    by_url: HashMap<String, (String, String)>,
    /// Files by id, then locale.
    files: HashMap<String, BTreeMap<String, LinkedFile>>,
    /// Addresses up to the language, for example `https://help.example.com`.
    bases: BTreeSet<String>,
    /// Addresses up to `/articles/`, by locale.
    sites: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Clone, Default)]
struct LinkedFile {
    path: String,
    url: Option<String>,
}

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// Another site, a mail address, or another page of the help center.
    External,
    /// A heading in the same text.
    SamePage { fragment: String },
    /// An article in one language.
    Article { id: String, locale: String, fragment: String },
    /// An article of this help center that the folder does not have.
    UnknownArticle { id: String },
    /// A path that does not belong to a known article; `None` if it leads out of the folder.
    Path { path: Option<String>, fragment: String },
    /// An address that cannot work for readers: an empty one, or a file on this machine.
    Invalid,
}

impl LinkIndex {
    /// Adds one language of an article, or updates it.
    pub fn add(&mut self, id: &str, locale: &str, path: &str, url: Option<&str>) {
        let place = (id.to_owned(), locale.to_owned());
        self.by_path.insert(path.to_owned(), place.clone());
        if let Some(url) = url {
            self.by_url.insert(url.to_owned(), place);
            if let Some((site, _)) = url.split_once("/articles/") {
                let base = site.rsplit_once('/').filter(|(_, last)| last.eq_ignore_ascii_case(locale));
                self.bases.insert(base.map_or(site, |(base, _)| base).to_owned());
                self.sites.entry(locale.to_owned()).or_default().insert(site.to_owned());
            }
        }
        let file = LinkedFile { path: path.to_owned(), url: url.map(str::to_owned) };
        self.files.entry(id.to_owned()).or_default().insert(locale.to_owned(), file);
    }

    /// Records the current path of a file.
    pub fn set_path(&mut self, id: &str, locale: &str, path: &str) {
        self.by_path.insert(path.to_owned(), (id.to_owned(), locale.to_owned()));
        if let Some(file) = self.files.get_mut(id).and_then(|files| files.get_mut(locale)) {
            path.clone_into(&mut file.path);
        }
    }

    /// The public address. Drafts do not have one yet; it is derived from those of other articles.
    pub fn address(&self, id: &str, locale: &str) -> Option<String> {
        let file = self.files.get(id)?.get(locale)?;
        if file.url.is_some() {
            return file.url.clone();
        }
        let mut sites = self.sites.get(locale)?.iter();
        let site = sites.next().filter(|_| sites.next().is_none())?;
        Some(format!("{site}/articles/{id}"))
    }

    /// Resolves a link in the file `from`.
    pub fn target(&self, from: &str, href: &str) -> LinkTarget {
        let href = href.trim();
        let (address, fragment) = href.split_once('#').unwrap_or((href, ""));
        if address.is_empty() {
            return if fragment.is_empty() {
                LinkTarget::Invalid
            } else {
                LinkTarget::SamePage { fragment: fragment.to_owned() }
            };
        }
        if address.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:")) {
            return LinkTarget::Invalid;
        }
        if is_absolute(address) {
            return self.target_of_url(address, fragment);
        }
        let path = address.split('?').next().unwrap_or_default();
        let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
        if first.is_some_and(is_locale) {
            return LinkTarget::External;
        }
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let candidates = [resolve_path(from, path), resolve_path(from, &decoded)];
        let known = candidates.iter().flatten().find_map(|path| self.by_path.get(path));
        match known {
            Some((id, locale)) => {
                LinkTarget::Article { id: id.clone(), locale: locale.clone(), fragment: fragment.to_owned() }
            }
            None => LinkTarget::Path {
                path: candidates.into_iter().next_back().flatten(),
                fragment: fragment.to_owned(),
            },
        }
    }

    fn target_of_url(&self, address: &str, fragment: &str) -> LinkTarget {
        let fragment = fragment.to_owned();
        if let Some((id, locale)) = self.by_url.get(address) {
            return LinkTarget::Article { id: id.clone(), locale: locale.clone(), fragment };
        }
        let Some((site, rest)) = address.split_once("/articles/") else { return LinkTarget::External };
        let (base, locale) = if self.bases.contains(site) {
            (site, None)
        } else {
            match site.rsplit_once('/') {
                Some((base, locale)) => (base, Some(locale)),
                None => return LinkTarget::External,
            }
        };
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (id, slug) = rest.split_at(digits);
        if !self.bases.contains(base) || id.is_empty() {
            return LinkTarget::External;
        }
        let Some(files) = self.files.get(id) else { return LinkTarget::UnknownArticle { id: id.to_owned() } };
        let has_locale = |other: &&String| locale.is_some_and(|locale| other.eq_ignore_ascii_case(locale));
        let is_plain = slug.is_empty() || slug.starts_with('-') && !slug.contains(['/', '?']);
        match files.keys().find(has_locale).filter(|_| is_plain) {
            Some(locale) => LinkTarget::Article { id: id.to_owned(), locale: locale.clone(), fragment },
            None => LinkTarget::External,
        }
    }

    /// The form in which an author sees this address in the file `from`.
    pub fn display<'a>(&self, from: &str, href: &'a str) -> Cow<'a, str> {
        if self.files.is_empty() {
            return href.into();
        }
        let LinkTarget::Article { id, locale, fragment } = self.target(from, href) else {
            return href.into();
        };
        let file = self.files.get(&id).and_then(|files| files.get(&locale));
        match file {
            Some(file) if fragment.is_empty() => relative_path(from, &file.path).into(),
            Some(file) => format!("{}#{fragment}", relative_path(from, &file.path)).into(),
            None => href.into(),
        }
    }
}

/// The images and articles that one file can refer to.
#[derive(Debug, Clone, Default)]
pub struct AddressMap {
    /// Path of the file.
    pub path: String,
    pub links: Arc<LinkIndex>,
    /// Addresses to send, by the links as they are written in the file.
    pub outgoing: HashMap<String, String>,
    /// Paths of downloaded images, by address without signature.
    pub image_paths: HashMap<String, String>,
}

impl AddressMap {
    /// The form in which an author sees the address of an image.
    pub fn display_image<'a>(&self, src: &'a str) -> Cow<'a, str> {
        let plain = strip_signature(src);
        match self.image_paths.get(plain) {
            Some(path) => Cow::Owned(path.clone()),
            None => Cow::Borrowed(plain),
        }
    }

    /// The form in which an author sees the address of a link.
    pub fn display_link<'a>(&self, href: &'a str) -> Cow<'a, str> {
        self.links.display(&self.path, href)
    }

    /// HTML as a file shows it: with the link addresses that an author sees, and with line feeds only.
    pub fn display_html(&self, html: &str) -> String {
        let displayed = rewrite_links(html, |href| match self.display_link(href) {
            Cow::Borrowed(_) => None,
            Cow::Owned(displayed) => Some(displayed),
        });
        normalize_line_endings(&displayed)
    }

    /// An author's HTML with the addresses to send. Links that are also in `old`, the HTML that it replaces,
    /// keep their address.
    pub fn outgoing_html<'a>(&self, html: &'a str, old: &str) -> Cow<'a, str> {
        if self.outgoing.is_empty() {
            return html.into();
        }
        let kept = addresses_by_display(old, |href| self.display_link(href).into_owned());
        rewrite_links(html, |href| {
            kept.get(self.display_link(href).as_ref()).or_else(|| self.outgoing.get(href)).cloned()
        })
    }
}

/// The link addresses in HTML, by the form in which each is displayed.
fn addresses_by_display(html: &str, display: impl Fn(&str) -> String) -> HashMap<String, String> {
    let mut found = HashMap::new();
    links(html).for_each(|(_, href)| {
        found.entry(display(&href)).or_insert_with(|| href.into_owned());
    });
    found
}

/// Whether an address is absolute: it has a scheme or starts with `//`.
pub fn is_absolute(address: &str) -> bool {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        // A single letter is a Windows drive.
        scheme.len() > 1
            && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    address.starts_with("//") || scheme.is_some_and(is_scheme)
}

/// Resolves a path in the file `from` to a path in the folder; `None` if it leads out of the folder.
pub fn resolve_path(from: &str, path: &str) -> Option<String> {
    let (mut parts, path) = match path.strip_prefix('/') {
        Some(path) => (Vec::new(), path),
        None => (from.split('/').collect(), path),
    };
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The relative path from one file to another.
pub fn relative_path(from: &str, to: &str) -> String {
    let (mut here, mut there): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    here.pop();
    while here.first().is_some_and(|first| there.len() > 1 && there.first() == Some(first)) {
        here.remove(0);
        there.remove(0);
    }
    format!("{}{}", "../".repeat(here.len()), there.join("/"))
}

/// Replaces the link addresses in HTML for which `change` returns a new one.
pub fn rewrite_links<'a>(html: &'a str, change: impl Fn(&str) -> Option<String>) -> Cow<'a, str> {
    let mut out = String::new();
    let mut copied = 0;
    for token in Scanner::new(html) {
        let TokenKind::Start { name, .. } = token.kind else { continue };
        if !name.eq_ignore_ascii_case("a") {
            continue;
        }
        let Some(value) = attribute_value(&html[token.range.clone()], "href") else { continue };
        let value = token.range.start + value.start..token.range.start + value.end;
        let href = htmlize::unescape_attribute(&html[value.clone()]);
        let Some(changed) = change(&href).filter(|changed| *changed != href) else { continue };
        out.push_str(&html[copied..value.start]);
        // An unquoted value ends at white space; a quoted one at its own quote.
        let escaped = changed.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;");
        out.push_str(&escaped.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E"));
        copied = value.end;
    }
    if copied == 0 {
        return html.into();
    }
    out.push_str(&html[copied..]);
    out.into()
}

/// Whether a text has the form of a locale, for example `en`, `pt-BR` or `zh-CN`.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && text.len() <= 16
        && parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> LinkIndex {
        let mut links = LinkIndex::default();
        links.add("12", "en", "billing/12-refunds.en.md", Some("https://h.test/en/articles/12-refunds"));
        links.add("12", "fr", "billing/12-refunds.fr.md", Some("https://h.test/fr/articles/12-retours"));
        links.add("13", "en", "13-draft.en.md", None);
        links
    }

    #[test]
    fn a_path_and_an_address_have_the_same_target() {
        let links = links();
        let refunds = |fragment: &str| LinkTarget::Article {
            id: "12".into(),
            locale: "en".into(),
            fragment: fragment.into(),
        };
        for (from, href) in [
            ("13-draft.en.md", "billing/12-refunds.en.md#a"),
            ("billing/x.md", "12-refunds.en.md#a"),
            ("guides/x.md", "../billing/./12-refunds.en.md#a"),
            ("guides/x.md", "/billing/12-refunds.en.md#a"),
            ("x.md", "billing/12%2Drefunds.en.md?plain=1#a"),
            ("x.md", "https://h.test/en/articles/12-refunds#a"),
            ("x.md", "https://h.test/en/articles/12-an-older-title#a"),
            ("x.md", "https://h.test/EN/articles/12#a"),
        ] {
            assert_eq!(links.target(from, href), refunds("a"), "{from} {href}");
        }
        assert_eq!(links.display("guides/x.md", "https://h.test/en/articles/12-y#a"), {
            "../billing/12-refunds.en.md#a"
        });
        assert_eq!(links.display("billing/x.md", "https://h.test/fr/articles/12"), "12-refunds.fr.md");
    }

    #[test]
    fn addresses_outside_this_help_center_are_left_alone() {
        let links = links();
        for href in [
            "https://support.other.example/en/articles/777-x",
            "https://h.test/en/collections/12",
            "https://h.test/en/articles/12-refunds?utm=1",
            "https://h.test/de/articles/12",
            "mailto:a@b.test",
            "//cdn.test/x",
            "/en/articles/12",
        ] {
            assert_eq!(links.target("x.md", href), LinkTarget::External, "{href}");
            assert_eq!(links.display("x.md", href), href);
        }
        let unknown = LinkTarget::UnknownArticle { id: "777".into() };
        for href in ["https://h.test/en/articles/777-x", "https://h.test/fr/articles/777"] {
            assert_eq!(links.target("x.md", href), unknown, "{href}");
        }
        let path =
            |path: Option<&str>| LinkTarget::Path { path: path.map(str::to_owned), fragment: String::new() };
        assert_eq!(links.target("a/x.md", "../../y.md"), path(None));
        assert_eq!(links.target("a/x.md", "y%20z.md"), path(Some("a/y z.md")));
        for href in ["", "#", "file:///home/a.html"] {
            assert_eq!(links.target("a/x.md", href), LinkTarget::Invalid, "{href}");
        }
        assert_eq!(links.target("x.md", "C:/a.md"), path(Some("C:/a.md")));
    }

    #[test]
    fn the_address_of_a_draft_is_derived() {
        assert_eq!(links().address("13", "en").as_deref(), Some("https://h.test/en/articles/13"));
        assert_eq!(links().address("13", "fr"), None);
    }

    #[test]
    fn only_link_addresses_are_rewritten() {
        let to = |href: &str| (href == "o.md").then(|| "https://h.test/?a=1&b=2".to_owned());
        let html =
            "<p data-x='o.md'><a class=x href=\"o.md\">o.md</a> <A HREF=o.md>y</A> <a href='p'>z</a></p>";
        assert_eq!(
            rewrite_links(html, to),
            "<p data-x='o.md'><a class=x href=\"https://h.test/?a=1&amp;b=2\">o.md</a> \
             <A HREF=https://h.test/?a=1&amp;b=2>y</A> <a href='p'>z</a></p>"
        );
    }
}
