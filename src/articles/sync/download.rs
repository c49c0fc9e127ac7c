//! Downloads the images of articles into the folder.
//!
//! An image is stored once, under a name derived from its address without the signature. Images are never
//! uploaded: the API takes addresses only, and the stored HTML has them.

use std::collections::BTreeSet;

use super::error::Error;
use super::folder::{Folder, sha256};
use super::layout::slug;
use super::manifest::Manifest;
use crate::api::Idempotency;
use crate::api::client::Client;
use crate::articles::convert::html::scan::{Scanner, TokenKind};
use crate::articles::convert::html::tree::{HtmlNode, parse};
use crate::articles::convert::normalize::strip_signature;

/// Largest image to download.
const MAX_BYTES: usize = 50 << 20;

/// Downloads the images that are not in the folder yet.
///
/// # Errors
/// When an image cannot be downloaded or written; earlier ones are kept.
pub async fn download_images(
    client: &Client,
    folder: &Folder,
    manifest: &mut Manifest,
    bodies: impl Iterator<Item = &str>,
) -> Result<(), Error> {
    let mut sources = BTreeSet::new();
    bodies.for_each(|body| sources.extend(image_addresses(body)));
    for source in sources {
        let address = strip_signature(&source).to_owned();
        if manifest.images.get(&address).is_some_and(|path| folder.has(path)) {
            continue;
        }
        let path = image_path(&address);
        if !folder.has(&path) {
            let content = fetch(client, &source).await?;
            folder.write(&path, &content)?;
        }
        manifest.images.insert(address, path);
    }
    Ok(())
}

/// The absolute addresses of all images in a body.
fn image_addresses(body: &str) -> Vec<String> {
    let tags = Scanner::new(body).filter_map(|token| match token.kind {
        TokenKind::Start { name, .. } if name.eq_ignore_ascii_case("img") => Some(&body[token.range]),
        _ => None,
    });
    let source = |tag: &str| match parse(tag)?.first()? {
        HtmlNode::Element(image) => image.attribute("src").map(str::to_owned),
        HtmlNode::Text(_) => None,
    };
    tags.filter_map(source)
        .filter(|address| address.starts_with("https://") || address.starts_with("http://"))
        .collect()
}

fn image_path(address: &str) -> String {
    let name = address.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "img"));
    let extension: String = extension.chars().filter(char::is_ascii_alphanumeric).take(5).collect();
    let extension = if extension.is_empty() { "img".to_owned() } else { extension.to_ascii_lowercase() };
    format!("images/{}-{}.{extension}", &sha256(address.as_bytes())[..10], slug(stem))
}

async fn fetch(client: &Client, address: &str) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::Unusable(format!("image {}: {reason}", strip_signature(address)));
    let url = reqwest::Url::parse(address).map_err(|error| failed(error.to_string()))?;
    let request = reqwest::Request::new(reqwest::Method::GET, url);
    let mut response = client.transport().download(request, Idempotency::Idempotent).await?;
    let mut content = Vec::new();
    while let Some(piece) = response.chunk().await? {
        content.extend_from_slice(&piece);
        if content.len() > MAX_BYTES {
            return Err(failed(format!("larger than {} MB", MAX_BYTES >> 20)));
        }
    }
    Ok(content)
}
