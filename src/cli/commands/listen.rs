//! `listen`: receives the webhooks of an app, prints them as lines, forwards them, and keeps the mirror current.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use reqwest::Url;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::api::identity::identity;
use crate::cli::context::Context;
use crate::cli::error::{Error, Exit, Hint, InvalidValue};
use crate::cli::files::OwnerFile;
use crate::cli::mirror_paths::{self, MirrorFlag};
use crate::cli::output::{Deliver, Extent, Format, List, Output, OutputFlags, notice, warn};
use crate::cli::registry::{Effect, HandwrittenCommand};
use crate::cli::signals::stop_on_signals;
use crate::cli::{client_secret, duration};
use crate::config::data_folder;
use crate::listen::{
    self, Applier, ApplierOptions, Forwarder, Queue, Receiver, ReceiverOptions, Reporter, TopicPattern,
    TopicPatterns, Work,
};

/// A sync takes some requests even if nothing changed.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// Receive webhooks until interrupted: print them, forward them or update the mirror
#[derive(Args)]
#[group(skip)]
#[command(after_help = "\
The client secret of the app is read from INTERCOM_CLIENT_SECRET, or was saved with `auth set-client-secret`.

Each notification is verified, stored in a queue and answered, and then printed, forwarded or applied. Repeats are dropped.

With --apply, the mirror is synced at the start, every --sync-every, and when notifications may have been missed. \
Meanwhile, each record that a notification names is fetched again, usually within a second.

Example: intercom-pp-cli listen --events 'conversation.*,contact.deleted'")]
pub struct ReceiveWebhooks {
    /// Port; 0 means any free port
    #[arg(long, value_name = "PORT", default_value = "4242")]
    port: u16,
    /// Address to listen on; others than this machine need 0.0.0.0 or ::
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Path that notifications are sent to; GET /healthz always answers
    #[arg(long, value_name = "ROUTE", default_value = "/", value_parser = route)]
    path: String,
    /// Send each notification to this address, unchanged and with its signature
    #[arg(long, value_name = "URL", value_parser = url)]
    forward_to: Option<Url>,
    /// Keep the mirror current: fetch each record that a notification names
    #[arg(long)]
    apply: bool,
    /// With --apply, time between two syncs
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = interval, requires = "apply")]
    sync_every: Duration,
    #[command(flatten)]
    mirror: MirrorFlag,
    /// Only these topics: conversation.*,contact.deleted; other notifications are answered and dropped
    #[arg(long, value_name = "TOPICS", value_delimiter = ',', value_parser = pattern)]
    events: Vec<TopicPattern>,
    /// Print each notification as a line; the default without --forward-to and --apply
    #[arg(long)]
    print: bool,
    /// File of the queue [default: one per profile in the data folder]
    #[arg(long, value_name = "FILE")]
    queue: Option<OwnerFile>,
}

impl HandwrittenCommand for ReceiveWebhooks {
    const WORDS: &'static str = "listen";
    const EFFECT: Effect = Effect::Terminal;

    async fn run(self, context: &Context) -> Result<(), Error> {
        let address = SocketAddr::new(self.bind, self.port);
        let path = self.queue_path(context)?;
        let prints = self.print || (self.forward_to.is_none() && !self.apply);
        if context.globals.consent.dry_run {
            let shown = json!({
                "dry_run": true, "action": "receive webhooks", "address": address, "path": self.path,
                "print": prints, "forward": self.forward_to.is_some(), "apply": self.apply, "queue": path,
            });
            return Output::open(&context.globals.output)?.value(&shown).await;
        }
        let flags = if prints { line_flags(&context.globals.output)? } else { OutputFlags::default() };
        let client_secret = client_secret::required(context)?;
        self.events.iter().for_each(doubt);
        let works =
            [(Work::Print, prints), (Work::Forward, self.forward_to.is_some()), (Work::Apply, self.apply)];
        let works: Vec<Work> = works.into_iter().filter(|(_, is_on)| *is_on).map(|(work, _)| work).collect();
        let reporter =
            Arc::new(Reporter::new(|is_problem, text| if is_problem { warn(text) } else { notice(text) }));
        let queue = Queue::open(&path, works.clone()).map_err(failed)?;
        let options = ReceiverOptions {
            path: self.path.clone(),
            client_secret,
            topics: TopicPatterns::new(self.events),
            queue: queue.clone(),
            reporter: Arc::clone(&reporter),
        };
        let applier = if self.apply {
            Some(applier(context, &self.mirror, self.sync_every, &queue, &reporter).await?)
        } else {
            None
        };
        let forwarder = self.forward_to.map(|url| Forwarder::new(url, queue.clone(), reporter));
        let forwarder = forwarder.transpose().map_err(failed)?;
        let receiver = Receiver::bind(address, options).await.map_err(failed)?;
        let (stop, received) = (CancellationToken::new(), CancellationToken::new());
        stop_on_signals(stop.clone(), "stopping: working on what was received");
        notice(&format!(
            "listening on http://{}{}: in the Developer Hub, set the endpoint URL of the app's webhooks to an https \
             address that leads here",
            receiver.address(),
            self.path
        ));
        report_others(&queue, &path, &works).await?;
        let serving: JoinHandle<Result<(), listen::Error>> = tokio::spawn({
            let (stop, received) = (stop.clone(), received.clone());
            async move {
                let result = receiver.serve(stop).await;
                received.cancel();
                result
            }
        });
        let forwarding = tokio::spawn({
            let received = received.clone();
            async move {
                match forwarder {
                    Some(forwarder) => forwarder.run(&received).await,
                    None => Ok(()),
                }
            }
        });
        let applying = applier.map(|applier| applier.spawn(received.clone())).transpose().map_err(failed)?;
        let applying = async {
            match applying {
                Some(end) => end.await.map_or_else(
                    |error| Err(Error::Output(std::io::Error::other(error))),
                    |end| end.map_err(failed),
                ),
                None => Ok(()),
            }
        };
        let printing = async {
            if prints {
                print(&queue, &flags, &received).await?;
            }
            Ok(())
        };
        let worked = tokio::try_join!(printing, applying, async { joined(forwarding.await) });
        stop.cancel();
        let served = joined(serving.await);
        report_left(&queue, &path, &works).await?;
        worked.map(drop).and(served).and(queue.close().await.map_err(failed))
    }
}

impl ReceiveWebhooks {
    /// One queue per profile, because each may have another app.
    fn queue_path(&self, context: &Context) -> Result<PathBuf, Error> {
        if let Some(file) = &self.queue {
            return file.path();
        }
        let sanitize =
            |letter: char| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '_' };
        let name = match context.profile()? {
            None => "queue.db".to_owned(),
            Some(profile) => format!("queue-{}.db", profile.chars().map(sanitize).collect::<String>()),
        };
        Ok(data_folder()?.join("listen").join(name))
    }
}

/// Opens the mirror of the workspace that the token belongs to.
async fn applier(
    context: &Context,
    mirror: &MirrorFlag,
    sync_every: Duration,
    queue: &Queue,
    reporter: &Arc<Reporter>,
) -> Result<Applier, Error> {
    let client = context.client()?;
    let mirror = match mirror_paths::explicit(context, mirror)? {
        Some(path) => path,
        None => mirror_paths::for_writing(context, &identity(&client).await?.workspace)?,
    };
    let (queue, reporter) = (queue.clone(), Arc::clone(reporter));
    Applier::open(ApplierOptions { client, mirror, queue, reporter, sync_every }).await.map_err(failed)
}

fn interval(text: &str) -> Result<Duration, InvalidValue> {
    match duration::parse(text) {
        Ok(interval) if interval >= SHORTEST_INTERVAL => Ok(interval),
        Ok(_) => Err("--sync-every: expected 10s or more".to_owned().into()),
        Err(reason) => Err(format!("--sync-every: {reason}").into()),
    }
}

fn route(text: &str) -> Result<String, InvalidValue> {
    let is_path = text.starts_with('/') && text.chars().all(|letter| letter.is_ascii_graphic());
    if !is_path || text.contains(['?', '#']) {
        return Err(format!("--path: invalid path {text:?}: expected / or, for example, /intercom").into());
    }
    Ok(text.to_owned())
}

fn url(text: &str) -> Result<Url, InvalidValue> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        // Not quoted, because an address may contain a secret.
        _ => Err("--forward-to: invalid address: expected one that begins with http:// or https://"
            .to_owned()
            .into()),
    }
}

fn pattern(text: &str) -> Result<TopicPattern, InvalidValue> {
    text.parse().map_err(|error: listen::InvalidPattern| format!("--events: {error}").into())
}

/// Warns about a pattern that matches no known topic.
fn doubt(pattern: &TopicPattern) {
    if let Some(close) = pattern.doubt() {
        let advice = if close.is_empty() { String::new() } else { format!(": did you mean {close:?}?") };
        warn(&format!("--events: no known topic matches {:?}{advice}", pattern.as_str()));
    }
}

/// The flags for lines. Output that never ends can neither be collected nor delivered.
fn line_flags(flags: &OutputFlags) -> Result<OutputFlags, Error> {
    let flags = match flags.format() {
        None => flags.clone().with_format(Format::Ndjson),
        Some(_) => flags.clone().for_stream(),
    };
    if *flags.deliver() != Deliver::Stdout {
        let hint = Hint::new("send notifications elsewhere with ").flag("forward-to");
        return Err(Error::usage_with_hint("listen cannot deliver its output: it never ends", hint));
    }
    let is_lines =
        matches!(flags.format_or_default(), Format::Ndjson | Format::Csv | Format::Plain | Format::Quiet);
    if !is_lines || flags.jq.is_some() {
        let hint =
            Hint::new("use ").flag("format").text(" ndjson, csv, plain or quiet, and pipe the lines to jq");
        return Err(Error::usage_with_hint("listen prints lines, because its output never ends", hint));
    }
    Ok(flags)
}

/// Prints what is in the queue until `received`, and then the rest.
async fn print(queue: &Queue, flags: &OutputFlags, received: &CancellationToken) -> Result<(), Error> {
    let mut stored = queue.stored();
    let mut list: Option<List> = None;
    loop {
        let batch = queue.next(Work::Print).await.map_err(failed)?;
        if batch.is_empty() {
            if received.is_cancelled() {
                break;
            }
            tokio::select! {
                _ = stored.changed() => {}
                () = received.cancelled() => {}
            }
            continue;
        }
        // Only what was verified and read before is in the queue.
        let lines: Vec<_> = batch.iter().filter_map(|stored| listen::line(&stored.body).ok()).collect();
        let list = match &mut list {
            Some(list) => list,
            // The first lines determine the columns.
            none => none.insert(Output::open(flags)?.list("notifications", &lines)?),
        };
        lines.iter().try_for_each(|line| list.raw(line))?;
        list.flush()?;
        let seqs = batch.iter().map(|stored| stored.seq).collect();
        queue.finish(Work::Print, seqs).await.map_err(failed)?;
    }
    match list {
        Some(list) => list.end(json!({ "source": "live" }), &Extent::complete("notifications")).await,
        None => Ok(()),
    }
}

/// Reports work of earlier runs that this one does not do.
async fn report_others(queue: &Queue, path: &Path, works: &[Work]) -> Result<(), Error> {
    for (work, what, flag) in [
        (Work::Print, "printed", "print"),
        (Work::Forward, "forwarded", "forward-to URL"),
        (Work::Apply, "applied", "apply"),
    ] {
        let count = queue.count(work).await.map_err(failed)?;
        if count > 0 && !works.contains(&work) {
            let waiting = waiting(count);
            notice(&format!("{waiting} in {} to be {what}: --{flag} does it", path.display()));
        }
    }
    Ok(())
}

/// Reports what could not be forwarded or applied.
async fn report_left(queue: &Queue, path: &Path, works: &[Work]) -> Result<(), Error> {
    for (work, what) in [(Work::Forward, "forwarded"), (Work::Apply, "applied")] {
        let count = queue.count(work).await.map_err(failed)?;
        if count > 0 && works.contains(&work) {
            notice(&format!("{} in {} to be {what} by the next run", waiting(count), path.display()));
        }
    }
    Ok(())
}

fn waiting(count: u64) -> String {
    if count == 1 { "1 notification waits".to_owned() } else { format!("{count} notifications wait") }
}

/// The result of a task. One that panicked has been reported.
fn joined(result: Result<Result<(), listen::Error>, tokio::task::JoinError>) -> Result<(), Error> {
    match result {
        Ok(result) => result.map_err(failed),
        Err(error) => Err(Error::Output(error.into())),
    }
}

fn failed(error: listen::Error) -> Error {
    let error = match error {
        listen::Error::Mirror(error) => return error.into(),
        error => error,
    };
    let (exit, hint) = match &error {
        listen::Error::Address { .. } => {
            let hint = Hint::new("choose another port with ").flag("port").text("; 0 means any free one");
            (Exit::Failure, Some(hint))
        }
        listen::Error::Busy { .. } => {
            let hint = Hint::new("stop the other one, or name another file with ").flag("queue");
            (Exit::Busy, Some(hint))
        }
        listen::Error::NotAQueue { .. } | listen::Error::LaterVersion { .. } => {
            (Exit::Configuration, Some(Hint::new("name another file with ").flag("queue")))
        }
        _ => (Exit::Failure, None),
    };
    Error::Failed { message: error.to_string(), exit, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_beginning_of_an_address() {
        for path in ["/", "/intercom", "/a/b-c"] {
            assert_eq!(route(path).unwrap(), path);
        }
        for path in ["", "intercom", "/a b", "/a?b=1", "/a#b"] {
            assert!(route(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_refused_address_is_not_quoted() {
        let error = url("ftp://user:secret@example.com").unwrap_err();
        assert!(!error.message.contains("secret"), "{}", error.message);
        assert!(url("https://example.com/hook").is_ok());
    }
}
