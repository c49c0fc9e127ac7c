//! Keeps the images of articles in the folder.
//!
//! An image is stored once, under a name made of its address without signature, and never sent back: the
//! API takes addresses, and the HTML beside the manifest has them.

use std::collections::BTreeSet;

use super::error::Error;
use super::folder::{Folder, slug};
use super::html::scan::{Kind, Scanner};
use super::html::tree::{Node, parse};
use super::images::unsigned;
use super::manifest::{Manifest, sha256};
use crate::api::Repeat;
use crate::api::client::Client;

/// An image larger than this stays a link.
const LARGEST: usize = 50 << 20;

/// Downloads what the folder does not have yet.
///
/// # Errors
/// When one cannot be fetched or written; those before it are there.
pub async fn images(
    client: &Client,
    folder: &Folder,
    manifest: &mut Manifest,
    bodies: impl Iterator<Item = &str>,
) -> Result<(), Error> {
    let mut sources = BTreeSet::new();
    bodies.for_each(|body| sources.extend(addresses(body)));
    for source in sources {
        let plain = unsigned(&source).to_owned();
        if manifest.images.get(&plain).is_some_and(|path| folder.has(path)) {
            continue;
        }
        let path = path(&plain);
        if !folder.has(&path) {
            let content = fetch(client, &source).await?;
            folder.write(&path, &content)?;
        }
        manifest.images.insert(plain, path);
    }
    Ok(())
}

/// The addresses of all images of a body.
fn addresses(body: &str) -> Vec<String> {
    let tags = Scanner::new(body).filter_map(|token| match token.kind {
        Kind::Start { name, .. } if name.eq_ignore_ascii_case("img") => Some(&body[token.range]),
        _ => None,
    });
    let source = |tag: &str| match parse(tag)?.first()? {
        Node::Element(image) => image.attribute("src").map(str::to_owned),
        Node::Text(_) => None,
    };
    tags.filter_map(source).filter(|it| it.starts_with("https://") || it.starts_with("http://")).collect()
}

fn path(address: &str) -> String {
    let name = address.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "img"));
    let ending: String = ending.chars().filter(char::is_ascii_alphanumeric).take(5).collect();
    let ending = if ending.is_empty() { "img".to_owned() } else { ending.to_ascii_lowercase() };
    format!("images/{}-{}.{ending}", &sha256(address.as_bytes())[..10], slug(stem))
}

async fn fetch(client: &Client, address: &str) -> Result<Vec<u8>, Error> {
    let failed = |reason: String| Error::Unusable(format!("image {}: {reason}", unsigned(address)));
    let url = reqwest::Url::parse(address).map_err(|error| failed(error.to_string()))?;
    let request = reqwest::Request::new(reqwest::Method::GET, url);
    let mut response = client.transport().download(request, Repeat::Safe).await?;
    let mut content = Vec::new();
    while let Some(piece) = response.chunk().await? {
        content.extend_from_slice(&piece);
        if content.len() > LARGEST {
            return Err(failed("it is too large".into()));
        }
    }
    Ok(content)
}
