//! The journal of a run: its plan and the status of each record, on disk before and after each change.
//!
//! One file per run in the data folder. The whole plan is on disk before the first change is sent. If the process ended
//! while a change was being sent, its outcome must never be assumed without reading the record.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::append_log::AppendLog;
use super::error::Error;
use super::plan::{Head, PlannedRecord};
use crate::config::{data_folder, private_folder};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum RecordStatus {
    /// Nothing was sent.
    Planned,
    /// Sent, outcome unknown.
    Sending,
    /// The record shows the change. `before` is its state right before the request, `after` the state read afterwards.
    Done {
        #[serde(default, skip_serializing_if = "Value::is_null")]
        before: Value,
        after: Value,
    },
    /// Somebody else made the change before it was sent, so this run must not undo it.
    FoundDone { state: Value },
    /// Nothing was sent: the record no longer matches the filter of the run.
    Unmatched,
    /// The request succeeded, but the record does not show whether it changed. `before` is its state right before the
    /// request.
    Unconfirmed {
        #[serde(default, skip_serializing_if = "Value::is_null")]
        before: Value,
    },
    /// Refused by the workspace, or never received.
    Failed { error: Value },
}

impl RecordStatus {
    /// Whether a change was sent whose effect is unknown.
    pub fn was_sent(&self) -> bool {
        matches!(self, RecordStatus::Sending | RecordStatus::Unconfirmed { .. })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
enum JournalLine<'a> {
    Run(Head),
    Record(PlannedRecord),
    /// End of the plan.
    Planned {
        records: usize,
    },
    Change {
        id: std::borrow::Cow<'a, str>,
        #[serde(flatten)]
        status: RecordStatus,
        /// Epoch seconds.
        at: i64,
    },
    /// All records are settled.
    Finished {
        at: i64,
    },
}

/// A run and its journal, open for writing.
#[derive(Debug)]
pub struct RunJournal {
    log: AppendLog,
    run: BulkRun,
}

/// The content of a journal.
#[derive(Debug, Clone)]
pub struct BulkRun {
    pub path: PathBuf,
    pub head: Head,
    pub records: Vec<PlannedRecord>,
    statuses: HashMap<String, RecordStatus>,
    is_plan_complete: bool,
    pub finished: bool,
}

/// Number of records by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RunCounts {
    pub records: usize,
    pub done: usize,
    pub failed: usize,
    pub skipped: usize,
    /// Not sent yet, or outcome unknown.
    pub open: usize,
}

impl BulkRun {
    fn read(path: &Path, lines: &[String]) -> Result<Self, Error> {
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<JournalLine>(line).ok());
        let Some(JournalLine::Run(head)) = lines.next() else {
            return Err(Error::InvalidFile { path: path.to_owned(), what: "the journal of a run" });
        };
        let path = path.to_owned();
        let mut run = BulkRun {
            path,
            head,
            records: Vec::new(),
            statuses: HashMap::new(),
            is_plan_complete: false,
            finished: false,
        };
        for line in lines {
            run.apply(line);
        }
        Ok(run)
    }

    fn apply(&mut self, line: JournalLine) {
        match line {
            JournalLine::Run(_) => {}
            JournalLine::Record(record) => self.records.push(record),
            JournalLine::Planned { records } => self.is_plan_complete = records == self.records.len(),
            JournalLine::Change { id, status, .. } => drop(self.statuses.insert(id.into_owned(), status)),
            JournalLine::Finished { .. } => self.finished = true,
        }
    }

    pub fn status(&self, id: &str) -> &RecordStatus {
        self.statuses.get(id).unwrap_or(&RecordStatus::Planned)
    }

    /// The last known state of a record before this run changed it.
    pub fn before<'a>(&'a self, record: &'a PlannedRecord) -> &'a Value {
        match self.status(&record.id) {
            RecordStatus::Done { before, .. } | RecordStatus::Unconfirmed { before } if !before.is_null() => {
                before
            }
            _ => &record.before,
        }
    }

    /// Records with a pending change, including failed ones.
    pub fn due(&self) -> impl Iterator<Item = &PlannedRecord> {
        let records = self.records.iter().filter(|_| self.is_plan_complete);
        let is_settled = |record: &PlannedRecord| {
            matches!(
                self.status(&record.id),
                RecordStatus::Done { .. } | RecordStatus::FoundDone { .. } | RecordStatus::Unmatched
            )
        };
        records.filter(move |record| record.is_due() && !is_settled(record))
    }

    pub fn counts(&self) -> RunCounts {
        let mut counts = RunCounts { records: self.records.len(), ..RunCounts::default() };
        for record in &self.records {
            match self.status(&record.id) {
                _ if !record.is_due() => counts.skipped += 1,
                RecordStatus::Done { .. } => counts.done += 1,
                RecordStatus::FoundDone { .. } | RecordStatus::Unmatched => counts.skipped += 1,
                RecordStatus::Failed { .. } => counts.failed += 1,
                RecordStatus::Planned | RecordStatus::Sending | RecordStatus::Unconfirmed { .. } => {
                    counts.open += 1
                }
            }
        }
        counts
    }
}

impl RunJournal {
    /// Creates the journal of a run. On return, the whole plan is on disk.
    ///
    /// # Errors
    /// If it cannot be written; then nothing must be sent.
    pub fn begin(head: Head, records: Vec<PlannedRecord>) -> Result<Self, Error> {
        let folder = folder()?;
        private_folder(&folder).map_err(Error::file(&folder))?;
        let path = folder.join(format!("{}.jsonl", head.run));
        let file_error = Error::file(&path);
        let (mut log, _) = AppendLog::open(&path).map_err(&file_error)?;
        let lines = std::iter::once(JournalLine::Run(head.clone()))
            .chain(records.iter().cloned().map(JournalLine::Record))
            .chain([JournalLine::Planned { records: records.len() }]);
        log.append(lines).and_then(|()| log.sync()).map_err(file_error)?;
        let run = BulkRun {
            path,
            head,
            records,
            statuses: HashMap::new(),
            is_plan_complete: true,
            finished: false,
        };
        Ok(RunJournal { log, run })
    }

    /// Opens a run to resume it.
    ///
    /// # Errors
    /// [`Error::NoRun`] for an unknown name, [`Error::Busy`] if another process has it open.
    pub fn open(name: &str) -> Result<Self, Error> {
        let path = path_of(name)?;
        let (log, lines) = AppendLog::open(&path).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => Error::Busy(name.to_owned()),
            _ => Error::file(&path)(error),
        })?;
        Ok(RunJournal { log, run: BulkRun::read(&path, &lines)? })
    }

    pub fn run(&self) -> &BulkRun {
        &self.run
    }

    /// Records the status of a record. With `sync`, the line survives a crash of the machine.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn set_status(&mut self, id: &str, status: RecordStatus, sync: bool) -> Result<(), Error> {
        let at = Timestamp::now().as_second();
        self.append(JournalLine::Change { id: id.to_owned().into(), status, at })?;
        if sync {
            self.log.sync().map_err(Error::file(&self.run.path))?;
        }
        Ok(())
    }

    /// Marks the run as finished.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.append(JournalLine::Finished { at: Timestamp::now().as_second() })?;
        self.log.sync().map_err(Error::file(&self.run.path))
    }

    fn append(&mut self, line: JournalLine) -> Result<(), Error> {
        self.log.append([&line]).map_err(Error::file(&self.run.path))?;
        self.run.apply(line);
        Ok(())
    }
}

/// A name for a run that starts now: sorts by time, and is unique across processes.
pub fn new_name() -> String {
    let now = Timestamp::now();
    let moment = now.strftime("%Y%m%dT%H%M%S");
    let micros = now.subsec_nanosecond().unsigned_abs() / 1_000;
    format!("{moment}-{micros:06}{}", std::process::id() % 10)
}

/// Whether a text has the form of a name from [`new_name`].
pub fn is_name(text: &str) -> bool {
    let digits =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once('T').and_then(|(day, rest)| Some((day, rest.split_once('-')?)));
    parts.is_some_and(|(day, (time, rest))| digits(day, 8) && digits(time, 6) && digits(rest, 7))
}

/// Reads the journal of a run, even while another process writes it.
///
/// # Errors
/// [`Error::NoRun`] for an unknown name.
pub fn read(name: &str) -> Result<BulkRun, Error> {
    let path = path_of(name)?;
    let text = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
    BulkRun::read(&path, &text.lines().map(str::to_owned).collect::<Vec<_>>())
}

/// All runs, newest first. Other files are ignored.
///
/// # Errors
/// If the home directory is unknown.
pub fn runs() -> Result<Vec<BulkRun>, Error> {
    let entries = std::fs::read_dir(folder()?).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned))
        .collect();
    names.sort_unstable();
    let mut runs: Vec<BulkRun> = names.iter().rev().filter_map(|name| read(name).ok()).collect();
    // Stable, so that runs of the same second stay ordered by name.
    runs.sort_by_key(|run| std::cmp::Reverse(run.head.started_at));
    Ok(runs)
}

fn path_of(name: &str) -> Result<PathBuf, Error> {
    let is_name = !name.is_empty()
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    let path = folder()?.join(format!("{name}.jsonl"));
    if is_name && path.is_file() { Ok(path) } else { Err(Error::NoRun(name.to_owned())) }
}

fn folder() -> Result<PathBuf, Error> {
    Ok(data_folder()?.join("runs"))
}
