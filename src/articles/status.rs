//! `articles status`: what changed here, what changed in the help center, and where both did.

use futures::StreamExt;

use super::article::Article;
use super::error::Error;
use super::folder::Folder;
use super::manifest::Manifest;
use super::outcome::{Outcome, Status};
use super::{pull, push, remote};
use crate::api::client::Client;

/// Tells about everything that is not as it was when it was last pulled or pushed.
///
/// # Errors
/// As [`push::push`].
pub async fn status(
    client: &Client,
    folder: &Folder,
    only: &super::only::Only,
    tell: &mut dyn FnMut(Outcome),
) -> Result<(), Error> {
    let options = push::Options { only: only.clone(), plan_only: true, ..push::Options::default() };
    let mut met = push::walk(client, folder, &options, &mut |outcome| {
        let status = match outcome.status {
            Status::WouldUpdate => Status::Modified,
            Status::WouldCreate => Status::New,
            Status::Unchanged => return,
            other => other,
        };
        tell(Outcome { status, ..outcome });
    })
    .await?;
    let Some(manifest) = Manifest::read(folder)? else { return Ok(()) };
    let mut pages = std::pin::pin!(remote::pages(client)?);
    let mut seen = std::collections::BTreeSet::new();
    while let Some(page) = pages.next().await {
        for article in page?.into_iter().filter_map(Article::read) {
            if seen.insert(article.id.clone()) {
                met.note(only, &article.id, &[], article.contents.keys());
                remote_side(folder, &manifest, only, &article, tell)?;
            }
        }
    }
    for id in manifest.articles.keys().filter(|id| !seen.contains(*id) && only.article(id, &[])) {
        if matches!(remote::article(client, id).await, Err(Error::Api(error)) if error.is_gone()) {
            tell(Outcome::new(Status::DeletedUpstream, Some(id), None, None));
        }
    }
    met.missing(only).into_iter().for_each(tell);
    Ok(())
}

fn remote_side(
    folder: &Folder,
    manifest: &Manifest,
    only: &super::only::Only,
    article: &Article,
    tell: &mut dyn FnMut(Outcome),
) -> Result<(), Error> {
    let known = manifest.articles.get(&article.id).cloned().unwrap_or_default();
    for locale in article.contents.keys().filter(|it| only.locale(it)) {
        let entry = known.files.get(locale);
        let path = entry.map(|it| it.path.as_str());
        let same = match entry {
            Some(entry) => pull::is_same(folder, manifest, article, locale, entry)?,
            None => false,
        };
        if !same && only.article(&article.id, &path.into_iter().collect::<Vec<_>>()) {
            tell(Outcome::new(Status::RemoteChanged, Some(&article.id), Some(locale), path));
        }
    }
    Ok(())
}
