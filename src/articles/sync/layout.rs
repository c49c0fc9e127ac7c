//! Names and folders of files: the article's id, title and language, and the folder of its collection.
//!
//! All languages of an article share a file name, which must stay when the title changes.

use super::folder::Folder;
use super::manifest::{ArticleRecord, Manifest};
use crate::articles::article::{Article, is_id, is_locale};

/// A title as part of a file name: lower-case ASCII letters, digits and single hyphens.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars() {
        let ascii = match letter {
            'ä' | 'Ä' => "ae",
            'ö' | 'Ö' => "oe",
            'ü' | 'Ü' => "ue",
            'ß' => "ss",
            'à'..='å' | 'À'..='Å' => "a",
            'ç' | 'Ç' => "c",
            'è'..='ë' | 'È'..='Ë' => "e",
            'ì'..='ï' | 'Ì'..='Ï' => "i",
            'ñ' | 'Ñ' => "n",
            'ò'..='ø' | 'Ò'..='Ø' => "o",
            'ù'..='û' | 'Ù'..='Û' => "u",
            '\'' | '’' => "",
            _ => {
                if letter.is_ascii_alphanumeric() {
                    slug.push(letter.to_ascii_lowercase());
                } else if !slug.ends_with('-') && !slug.is_empty() {
                    slug.push('-');
                }
                continue;
            }
        };
        slug.push_str(ascii);
    }
    slug.truncate(60);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "article".to_owned() } else { slug.to_owned() }
}

/// The name of an article's files, without language and extension.
pub fn stem(article: &Article) -> String {
    let title = article.content(&article.default_locale).map_or("", |content| content.title.as_str());
    format!("{}-{}", article.id, slug(title))
}

/// Id, locale and stem of a path such as `<id>-<slug>.<locale>.md`.
pub fn parse_name(path: &str) -> (Option<&str>, Option<&str>, &str) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".md").unwrap_or(name);
    let (stem, locale) = match stem.rsplit_once('.') {
        Some((stem, locale)) if is_locale(locale) => (stem, Some(locale)),
        _ => (stem, None),
    };
    let id = stem.split('-').next().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()) && is_id(id));
    (id, locale, stem)
}

/// The folder of a path; empty for the root.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn collection_folder<'a>(manifest: &'a Manifest, article: &Article) -> &'a str {
    let find = |id: &String| manifest.collections.iter().find(|collection| collection.id == *id);
    match article.parent_id.as_ref().and_then(find) {
        Some(collection) if manifest.tree => &collection.folder,
        _ => "",
    }
}

/// The path of a new file. `known` is the article as it was recorded before its files were written.
pub fn new_path(manifest: &Manifest, known: &ArticleRecord, article: &Article, locale: &str) -> String {
    let current = || manifest.articles.get(&article.id)?.files.values().next();
    let sibling = known.files.values().next().or_else(current);
    let stem_of = |path: &str| path.strip_suffix(".md")?.rsplit_once('.').map(|(stem, _)| stem.to_owned());
    let shared = sibling.and_then(|file| stem_of(&file.path));
    let stem = shared.unwrap_or_else(|| in_folder(collection_folder(manifest, article), &stem(article)));
    format!("{stem}.{locale}.md")
}

/// The path of a file in the folder of its article's collection; `path` if another file is already there.
pub fn collection_path(folder: &Folder, manifest: &Manifest, article: &Article, path: &str) -> String {
    let target = collection_folder(manifest, article);
    if parent(path) == target {
        return path.to_owned();
    }
    let target = in_folder(target, path.rsplit('/').next().unwrap_or(path));
    if folder.has(&target) { path.to_owned() } else { target }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_safe_everywhere() {
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("Über die Größe – l'été 😀"), "ueber-die-groesse-lete");
        assert_eq!(slug("😀😀"), "article");
        assert_eq!(slug(&"A".repeat(300)).len(), 60);
    }
}
