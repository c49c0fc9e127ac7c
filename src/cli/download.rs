//! Writes a file that an operation returns: to a path, to stdout, or inside the JSON document.
//!
//! An empty response or a web page is never mistaken for the file.

use std::io::{IsTerminal, Write};

use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::context::Context;
use super::error::{Error, Exit, Hint};
use super::files::OutputFile;
use super::output::{Deliver, Format, Output};
use crate::api::client::Client;
use crate::api::operation::Operation;
use crate::api::request_builder::Arguments;
use crate::api::transport::Download;

/// Streams a file to `--out`, replacing it atomically, or to stdout if that is not a terminal.
///
/// # Errors
/// If the request fails, the response is not a file, or the file cannot be written.
pub async fn download(
    context: &Context,
    client: &Client,
    operation: &Operation,
    arguments: &Arguments,
    out: Option<&OutputFile>,
) -> Result<(), Error> {
    let format = context.globals.output.format_or_default();
    let to_terminal = format == Format::Table && std::io::stdout().is_terminal();
    if out.is_none() && *context.globals.output.deliver() == Deliver::Stdout && to_terminal {
        return Err(Error::usage(
            "a file cannot be printed to a terminal: use --out PATH, or pipe the output",
        ));
    }
    let mut download = client.download(operation, arguments).await?;
    let kind = download.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    // A login page, or an error page of a proxy.
    if kind.as_deref().is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html")) {
        return Err(not_a_file("a web page"));
    }
    match out.filter(|out| !out.is_stdout()) {
        Some(out) => {
            let mut file = out.replace()?;
            let bytes = copy(&mut download, |chunk| Ok(file.write_all(chunk)?)).await?;
            let result = json!({ "path": file.finish()?, "bytes": bytes });
            Output::open(&context.globals.output)?.report(json!({ "source": "live" }), &result).await
        }
        None if out.is_none() && format == Format::Json && context.globals.output.format().is_some() => {
            use base64::Engine;
            let mut content = Vec::new();
            let bytes = copy(&mut download, |chunk| {
                content.extend_from_slice(chunk);
                Ok(())
            })
            .await?;
            let encoded = base64::engine::general_purpose::STANDARD.encode(&content);
            let result = json!({ "bytes": bytes, "content_type": kind, "base64": encoded });
            Output::open(&context.globals.output)?.report(json!({ "source": "live" }), &result).await
        }
        None => {
            let mut file = Output::bytes(&context.globals.output)?;
            copy(&mut download, |chunk| file.write(chunk)).await?;
            file.end().await
        }
    }
}

/// Passes a file on in pieces, and returns its size in bytes.
async fn copy(
    download: &mut Download,
    mut write: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<usize, Error> {
    let mut bytes = 0;
    while let Some(chunk) = download.chunk().await? {
        write(&chunk)?;
        bytes += chunk.len();
    }
    if bytes == 0 { Err(not_a_file("nothing")) } else { Ok(bytes) }
}

fn not_a_file(content: &str) -> Error {
    Error::Failed {
        message: format!("the server sent {content} instead of the file"),
        exit: Exit::Failure,
        hint: Some(Hint::new("try again later").then("").run("doctor").text(" checks the address")),
    }
}
