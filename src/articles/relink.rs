//! Turns links between articles into paths at the end of a pull.
//!
//! A file may link to an article whose path was not known when the file was written. Files with local edits
//! must not be rewritten.

use super::blocks::Document;
use super::error::Error;
use super::front_matter;
use super::manifest;
use super::pull::PullSession;

impl PullSession<'_> {
    /// Rewrites files that link to articles which were added or moved after the file was written.
    pub(super) fn relink(&mut self) -> Result<(), Error> {
        let files = self.manifest.articles.iter().flat_map(|(id, known)| {
            known.files.iter().map(move |(locale, file)| (id.clone(), locale.clone(), file.path.clone()))
        });
        let files: Vec<_> = files
            .filter(|(id, locale, _)| self.moved || self.to_relink.contains(&(id.clone(), locale.clone())))
            .collect();
        for (id, locale, path) in files {
            let Some(Ok(text)) = self.folder.read(&path)?.map(String::from_utf8) else { continue };
            let known = self.manifest.file(&id, &locale).map(|known| known.markdown_sha256.as_str());
            let Ok((_, body)) = front_matter::parse(&text) else { continue };
            if known != Some(manifest::markdown_sha256(&text).as_str()) {
                continue;
            }
            let Ok(html) = manifest::read_html(self.folder, &id, &locale) else { continue };
            let head = &text[..text.len() - body.len()];
            let markdown = Document::read(&html, &self.manifest.address_map(&path)).markdown();
            let file = format!("{head}\n{markdown}");
            if file == text {
                continue;
            }
            self.folder.write(&path, file.as_bytes())?;
            let known = self.manifest.articles.get_mut(&id).and_then(|known| known.files.get_mut(&locale));
            if let Some(known) = known {
                known.markdown_sha256 = manifest::markdown_sha256(&file);
            }
        }
        Ok(())
    }
}
