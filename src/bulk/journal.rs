//! The journal of a run: the plan, and what became of each record, on disk before and after it happens.
//!
//! One file a run in the data folder. The whole plan is on the disk before the first change is sent. A
//! record that was being sent when the process ended is known as such, and nothing is ever concluded
//! about it without asking the workspace.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Error;
use super::log::Log;
use super::plan::{Head, Record};
use crate::config::{data_folder, private_folder};

/// What is known of a record of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Status {
    /// Nothing was sent.
    Planned,
    /// It was sent, and nobody has seen what became of it.
    Sending,
    /// The record shows the change. `before` is its state right before the call, `after` the one that was
    /// seen afterwards.
    Done {
        #[serde(default, skip_serializing_if = "Value::is_null")]
        before: Value,
        after: Value,
    },
    /// Somebody else had made the change by the time it was to be sent. It is not this run's to undo.
    FoundDone { state: Value },
    /// The record did not pass the filter of the run any more, so nothing was sent.
    Unmatched,
    /// The workspace answered with success, and the record's document does not show whether it has changed.
    /// `before` is its state right before the call.
    Unconfirmed {
        #[serde(default, skip_serializing_if = "Value::is_null")]
        before: Value,
    },
    /// The workspace refused it, or was never reached.
    Failed { error: Value },
}

impl Status {
    /// Whether a call may have reached the workspace that nobody has seen the effect of.
    pub fn was_sent(&self) -> bool {
        matches!(self, Status::Sending | Status::Unconfirmed { .. })
    }
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
enum Line<'a> {
    Run(Head),
    Record(Record),
    /// The plan is whole.
    Planned {
        records: usize,
    },
    Change {
        id: std::borrow::Cow<'a, str>,
        #[serde(flatten)]
        status: Status,
        /// Epoch seconds.
        at: i64,
    },
    /// Every record was dealt with.
    Finished {
        at: i64,
    },
}

/// A run with its journal, open for going on.
#[derive(Debug)]
pub struct Journal {
    log: Log,
    run: Run,
}

/// What a journal tells.
#[derive(Debug, Clone)]
pub struct Run {
    pub path: PathBuf,
    pub head: Head,
    pub records: Vec<Record>,
    statuses: HashMap<String, Status>,
    whole: bool,
    pub finished: bool,
}

/// How many records of a run stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub records: usize,
    pub done: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Not sent yet, or nobody knows.
    pub open: usize,
}

impl Run {
    fn read(path: &Path, lines: &[String]) -> Result<Self, Error> {
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let Some(Line::Run(head)) = lines.next() else {
            return Err(Error::NotOne { path: path.to_owned(), what: "journal of a run" });
        };
        let path = path.to_owned();
        let mut run =
            Run { path, head, records: Vec::new(), statuses: HashMap::new(), whole: false, finished: false };
        for line in lines {
            run.take(line);
        }
        Ok(run)
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Run(_) => {}
            Line::Record(record) => self.records.push(record),
            Line::Planned { records } => self.whole = records == self.records.len(),
            Line::Change { id, status, .. } => drop(self.statuses.insert(id.into_owned(), status)),
            Line::Finished { .. } => self.finished = true,
        }
    }

    pub fn status(&self, id: &str) -> &Status {
        self.statuses.get(id).unwrap_or(&Status::Planned)
    }

    /// The state of a record right before this run changed it, as far as it was seen.
    pub fn before<'a>(&'a self, record: &'a Record) -> &'a Value {
        match self.status(&record.id) {
            Status::Done { before, .. } | Status::Unconfirmed { before } if !before.is_null() => before,
            _ => &record.before,
        }
    }

    /// Records that something is still to be sent for. One that failed is tried again.
    pub fn due(&self) -> impl Iterator<Item = &Record> {
        let records = self.records.iter().filter(|_| self.whole);
        let is_settled = |record: &Record| {
            matches!(
                self.status(&record.id),
                Status::Done { .. } | Status::FoundDone { .. } | Status::Unmatched
            )
        };
        records.filter(move |record| record.is_due() && !is_settled(record))
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts { records: self.records.len(), ..Counts::default() };
        for record in &self.records {
            match self.status(&record.id) {
                _ if !record.is_due() => counts.skipped += 1,
                Status::Done { .. } => counts.done += 1,
                Status::FoundDone { .. } | Status::Unmatched => counts.skipped += 1,
                Status::Failed { .. } => counts.failed += 1,
                Status::Planned | Status::Sending | Status::Unconfirmed { .. } => counts.open += 1,
            }
        }
        counts
    }
}

impl Journal {
    /// Begins the journal of a run. When this returns, the whole plan is on the disk.
    ///
    /// # Errors
    /// When it cannot be written: then nothing must be sent.
    pub fn begin(head: Head, records: Vec<Record>) -> Result<Self, Error> {
        let folder = folder()?;
        private_folder(&folder).map_err(Error::file(&folder))?;
        let path = folder.join(format!("{}.jsonl", head.run));
        let failed = Error::file(&path);
        let (mut log, _) = Log::open(&path).map_err(&failed)?;
        let lines = std::iter::once(Line::Run(head.clone()))
            .chain(records.iter().cloned().map(Line::Record))
            .chain([Line::Planned { records: records.len() }]);
        log.append(lines).and_then(|()| log.sync()).map_err(failed)?;
        let run = Run { path, head, records, statuses: HashMap::new(), whole: true, finished: false };
        Ok(Journal { log, run })
    }

    /// Opens a run to go on with it.
    ///
    /// # Errors
    /// [`Error::NoRun`] when there is none of this name, [`Error::Busy`] when another process has it.
    pub fn open(name: &str) -> Result<Self, Error> {
        let path = path_of(name)?;
        let (log, lines) = Log::open(&path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Error::Busy(name.to_owned()),
            _ => Error::file(&path)(error),
        })?;
        Ok(Journal { log, run: Run::read(&path, &lines)? })
    }

    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Notes what happens to a record. With `safely` it is on the disk itself before this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, id: &str, status: Status, safely: bool) -> Result<(), Error> {
        let at = Timestamp::now().as_second();
        self.append(Line::Change { id: id.to_owned().into(), status, at })?;
        if safely {
            self.log.sync().map_err(Error::file(&self.run.path))?;
        }
        Ok(())
    }

    /// Notes that nothing is left to do.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.append(Line::Finished { at: Timestamp::now().as_second() })?;
        self.log.sync().map_err(Error::file(&self.run.path))
    }

    fn append(&mut self, line: Line) -> Result<(), Error> {
        self.log.append([&line]).map_err(Error::file(&self.run.path))?;
        self.run.take(line);
        Ok(())
    }
}

/// A name for a run that begins now: sorts by time, also within a second, and differs from that of any
/// other process.
pub fn new_name() -> String {
    let now = Timestamp::now();
    let moment = now.strftime("%Y%m%dT%H%M%S");
    let micros = now.subsec_nanosecond().unsigned_abs() / 1_000;
    format!("{moment}-{micros:06}{}", std::process::id() % 10)
}

/// Whether a text has the shape of a run's name, as [`new_name`] makes them.
pub fn is_name(text: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|it| it.is_ascii_digit());
    let parts = text.split_once('T').and_then(|(day, rest)| Some((day, rest.split_once('-')?)));
    parts.is_some_and(|(day, (time, rest))| digits(day, 8) && digits(time, 6) && digits(rest, 7))
}

/// What the journal of a run tells, also while another process is writing it.
///
/// # Errors
/// [`Error::NoRun`] when there is none of this name.
pub fn read(name: &str) -> Result<Run, Error> {
    let path = path_of(name)?;
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    Run::read(&path, &text.lines().map(str::to_owned).collect::<Vec<_>>())
}

/// All runs, the newest first. Files that are no journals are passed over.
///
/// # Errors
/// When there is no home directory.
pub fn runs() -> Result<Vec<Run>, Error> {
    let entries = std::fs::read_dir(folder()?).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort_unstable();
    let mut runs: Vec<Run> = names.iter().rev().filter_map(|name| read(name).ok()).collect();
    // Stable: runs of one second stay in the order of their names.
    runs.sort_by_key(|run| std::cmp::Reverse(run.head.started_at));
    Ok(runs)
}

fn path_of(name: &str) -> Result<PathBuf, Error> {
    let is_name = !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    let path = folder()?.join(format!("{name}.jsonl"));
    match is_name && path.is_file() {
        true => Ok(path),
        false => Err(Error::NoRun(name.to_owned())),
    }
}

fn folder() -> Result<PathBuf, Error> {
    Ok(data_folder()?.join("runs"))
}
