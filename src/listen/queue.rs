//! The durable queue: a small SQLite file with the notifications that still need work, and the ids seen before.
//!
//! One thread owns the file, and commits everything that waits at that moment in one transaction, so that a burst costs
//! few syncs of the disk. A reply is sent after the commit, never before. A notification is removed as soon as no work
//! on it is left; its id is remembered longer than Intercom repeats it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::error::Error;
use crate::config::private_folder;
use crate::data::io_reason::io_reason;
use crate::data::locked_file::LockedFile;

/// How long ids are remembered, in seconds.
const MEMORY: i64 = 14 * 24 * 60 * 60;
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
const BUSY: Duration = Duration::from_secs(10);

/// Requests that wait for the thread, and those in one transaction.
const WAITING: usize = 256;

/// Limits of one read: notifications, and bytes of their bodies.
const READ_COUNT: i64 = 100;
const READ_BYTES: usize = 1 << 20;

/// Marks the file as a queue.
const APPLICATION_ID: i32 = 0x4950_5751;
const VERSION: i32 = 1;
const SCHEMA: &str = "
    CREATE TABLE notifications (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        received_at INTEGER NOT NULL,
        signature TEXT NOT NULL,
        content_type TEXT,
        body BLOB NOT NULL
    );
    CREATE TABLE work (
        kind TEXT NOT NULL,
        seq INTEGER NOT NULL REFERENCES notifications (seq),
        PRIMARY KEY (kind, seq)
    ) WITHOUT ROWID;
    CREATE INDEX work_by_seq ON work (seq);
    CREATE TABLE seen (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX seen_by_time ON seen (at);
";

/// What is done with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Print,
    Forward,
    /// Fetch the records that it names into the mirror.
    Apply,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Work::Print => "print",
            Work::Forward => "forward",
            Work::Apply => "apply",
        }
    }
}

/// A notification to store.
#[derive(Debug)]
pub struct Incoming {
    /// Its id; without one, repeats cannot be recognized.
    pub id: Option<String>,
    pub signature: String,
    pub content_type: Option<String>,
    /// As received.
    pub body: Vec<u8>,
}

/// A notification that needs work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub seq: i64,
    pub signature: String,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

enum Request {
    Store(Incoming),
    /// Notifications after this one.
    Next(Work, i64),
    Finish(Work, Vec<i64>),
    Count(Work),
    Close,
}

enum Reply {
    Stored(bool),
    Batch(Vec<Stored>),
    Finished,
    Count(u64),
}

struct Call {
    request: Request,
    reply: oneshot::Sender<Result<Reply, String>>,
}

/// A handle to the queue. The file is released when the last one is dropped.
#[derive(Clone)]
pub struct Queue {
    path: PathBuf,
    calls: mpsc::Sender<Call>,
    stored: watch::Receiver<u64>,
}

impl Queue {
    /// Opens the queue, or creates it. New notifications get this work.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process works on it, [`Error::NotAQueue`] if the file is something else.
    pub fn open(path: &Path, works: Vec<Work>) -> Result<Self, Error> {
        let lock = prepare(path)?;
        let failed = |error: rusqlite::Error| Error::Queue { path: path.to_owned(), reason: reason(&error) };
        let connection = Connection::open(path).map_err(failed)?;
        set_up(&connection, path)?;
        forget(&connection).map_err(failed)?;
        let (calls, waiting) = mpsc::channel(WAITING);
        let (count, stored) = watch::channel(0);
        let worker = Worker { connection, works, count, forgotten: Instant::now(), _lock: lock };
        let spawned = std::thread::Builder::new().name("queue".to_owned()).spawn(move || worker.run(waiting));
        spawned.map_err(|error| Error::Queue { path: path.to_owned(), reason: io_reason(&error) })?;
        Ok(Queue { path: path.to_owned(), calls, stored })
    }

    /// Stores a notification for good. Returns `false` if its id was seen before.
    ///
    /// # Errors
    /// If it is not stored.
    pub async fn store(&self, incoming: Incoming) -> Result<bool, Error> {
        Ok(matches!(self.call(Request::Store(incoming)).await?, Reply::Stored(true)))
    }

    /// The oldest notifications that need this work; the same ones until they are finished.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn next(&self, work: Work) -> Result<Vec<Stored>, Error> {
        self.next_after(work, 0).await
    }

    /// The oldest notifications after this one that need this work.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn next_after(&self, work: Work, seq: i64) -> Result<Vec<Stored>, Error> {
        match self.call(Request::Next(work, seq)).await? {
            Reply::Batch(batch) => Ok(batch),
            _ => Ok(Vec::new()),
        }
    }

    /// Records that this work is done.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn finish(&self, work: Work, seqs: Vec<i64>) -> Result<(), Error> {
        self.call(Request::Finish(work, seqs)).await.map(drop)
    }

    /// How many notifications need this work.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn count(&self, work: Work) -> Result<u64, Error> {
        match self.call(Request::Count(work)).await? {
            Reply::Count(count) => Ok(count),
            _ => Ok(0),
        }
    }

    /// Releases the file for all handles, without remnants of finished notifications.
    ///
    /// # Errors
    /// If the file cannot be written. What was stored is safe anyway.
    pub async fn close(&self) -> Result<(), Error> {
        self.call(Request::Close).await.map(drop)
    }

    /// Changes whenever a notification is stored.
    pub fn stored(&self) -> watch::Receiver<u64> {
        self.stored.clone()
    }

    async fn call(&self, request: Request) -> Result<Reply, Error> {
        let (reply, answer) = oneshot::channel();
        let failed = |reason: String| Error::Queue { path: self.path.clone(), reason };
        let stopped = || failed("its thread has stopped".to_owned());
        self.calls.send(Call { request, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?.map_err(failed)
    }
}

/// Owns the file.
struct Worker {
    connection: Connection,
    works: Vec<Work>,
    count: watch::Sender<u64>,
    forgotten: Instant,
    _lock: LockedFile,
}

impl Worker {
    fn run(mut self, mut waiting: mpsc::Receiver<Call>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut calls = vec![first];
            while calls.len() < WAITING
                && let Ok(call) = waiting.try_recv()
            {
                calls.push(call);
            }
            let closing = calls.iter().position(|call| matches!(call.request, Request::Close));
            let closing = closing.map(|at| calls.remove(at).reply);
            let (requests, replies): (Vec<_>, Vec<_>) =
                calls.into_iter().map(|call| (call.request, call.reply)).unzip();
            let results = self.commit(&requests).map_err(|error| reason(&error));
            match results {
                Ok(results) => {
                    let stored =
                        results.iter().filter(|result| matches!(result, Reply::Stored(true))).count();
                    // A caller that has left needs no reply.
                    replies.into_iter().zip(results).for_each(|(reply, result)| {
                        let _ = reply.send(Ok(result));
                    });
                    if stored > 0 {
                        self.count.send_modify(|count| *count += stored as u64);
                    }
                }
                Err(reason) => replies.into_iter().for_each(|reply| {
                    let _ = reply.send(Err(reason.clone()));
                }),
            }
            if let Some(reply) = closing {
                let closed = checkpoint(&self.connection);
                drop(self);
                let _ = reply.send(closed.map(|()| Reply::Finished).map_err(|error| reason(&error)));
                return;
            }
            if self.forgotten.elapsed() > FORGET_EVERY {
                self.forgotten = Instant::now();
                // What cannot be forgotten now is forgotten later.
                let _ = forget(&self.connection).and_then(|()| checkpoint(&self.connection));
            }
        }
    }

    /// Answers all requests in one transaction.
    fn commit(&mut self, requests: &[Request]) -> rusqlite::Result<Vec<Reply>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let replies = requests
            .iter()
            .map(|request| answer(&transaction, request, &self.works))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(replies)
    }
}

fn answer(transaction: &Transaction, request: &Request, works: &[Work]) -> rusqlite::Result<Reply> {
    Ok(match request {
        Request::Store(incoming) => Reply::Stored(store(transaction, incoming, works)?),
        Request::Next(work, after) => Reply::Batch(next(transaction, *work, *after)?),
        Request::Finish(work, seqs) => {
            finish(transaction, *work, seqs)?;
            Reply::Finished
        }
        Request::Close => Reply::Finished,
        Request::Count(work) => {
            let sql = "SELECT count(*) FROM work WHERE kind = ?1";
            let count: i64 = transaction.query_row(sql, [work.name()], |row| row.get(0))?;
            Reply::Count(count.unsigned_abs())
        }
    })
}

fn store(transaction: &Transaction, incoming: &Incoming, works: &[Work]) -> rusqlite::Result<bool> {
    let now = Timestamp::now().as_second();
    if let Some(id) = &incoming.id {
        let mut statement =
            transaction.prepare_cached("INSERT OR IGNORE INTO seen (id, at) VALUES (?1, ?2)")?;
        if statement.execute(params![id, now])? == 0 {
            return Ok(false);
        }
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO notifications (received_at, signature, content_type, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let seq = statement.insert(params![now, incoming.signature, incoming.content_type, incoming.body])?;
    let mut statement = transaction.prepare_cached("INSERT INTO work (kind, seq) VALUES (?1, ?2)")?;
    works.iter().try_for_each(|work| statement.execute(params![work.name(), seq]).map(drop))?;
    Ok(true)
}

fn next(transaction: &Transaction, work: Work, after: i64) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = transaction.prepare_cached(
        "SELECT seq, signature, content_type, body FROM work JOIN notifications USING (seq)
         WHERE kind = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![work.name(), after, READ_COUNT])?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while bytes < READ_BYTES
        && let Some(row) = rows.next()?
    {
        let body: Vec<u8> = row.get(3)?;
        bytes += body.len();
        batch.push(Stored { seq: row.get(0)?, signature: row.get(1)?, content_type: row.get(2)?, body });
    }
    Ok(batch)
}

fn finish(transaction: &Transaction, work: Work, seqs: &[i64]) -> rusqlite::Result<()> {
    let mut done = transaction.prepare_cached("DELETE FROM work WHERE kind = ?1 AND seq = ?2")?;
    let mut remove = transaction.prepare_cached(
        "DELETE FROM notifications WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM work WHERE work.seq = ?1)",
    )?;
    for seq in seqs {
        done.execute(params![work.name(), seq])?;
        remove.execute([seq])?;
    }
    Ok(())
}

fn forget(connection: &Connection) -> rusqlite::Result<()> {
    let oldest = Timestamp::now().as_second() - MEMORY;
    connection.execute("DELETE FROM seen WHERE at < ?1", [oldest]).map(drop)
}

/// Empties the write-ahead log, which contains removed notifications.
fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Creates the folder and the file for their owner only, and locks the queue.
fn prepare(path: &Path) -> Result<LockedFile, Error> {
    let failed = |error: std::io::Error| Error::Queue { path: path.to_owned(), reason: io_reason(&error) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        private_folder(folder).map_err(failed)?;
    }
    let open = |path: &Path| {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    };
    // Must precede SQLite, which gives its `-wal` and `-shm` files the mode of the database.
    open(path).map_err(failed)?;
    let mut lock = path.to_owned().into_os_string();
    lock.push(".lock");
    let lock = open(Path::new(&lock)).map_err(failed)?;
    LockedFile::try_lock(lock).map_err(|(_, error)| match error {
        std::fs::TryLockError::WouldBlock => Error::Busy { path: path.to_owned() },
        std::fs::TryLockError::Error(error) => failed(error),
    })
}

/// Checks whose file it is, and creates the tables of a new one.
fn set_up(connection: &Connection, path: &Path) -> Result<(), Error> {
    let not_a_queue = || Error::NotAQueue { path: path.to_owned() };
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => not_a_queue(),
        _ => Error::Queue { path: path.to_owned(), reason: reason(&error) },
    };
    connection.busy_timeout(BUSY).map_err(failed)?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) =
        (number("application_id").map_err(failed)?, number("user_version").map_err(failed)?);
    let table = connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(())).optional();
    let is_empty = table.map_err(failed)?.is_none();
    match (application, is_empty) {
        (APPLICATION_ID, _) if version > VERSION => {
            return Err(Error::LaterVersion { path: path.to_owned() });
        }
        (APPLICATION_ID, false) | (_, true) => {}
        (_, false) => return Err(not_a_queue()),
    }
    let set_up = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An answer promises that a notification survives a power failure, too.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Bodies are messages of customers.
        connection.pragma_update(None, "secure_delete", true)?;
        if is_empty {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
        }
        Ok(())
    };
    set_up().map_err(failed)
}

fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(id: Option<&str>, body: &str) -> Incoming {
        let (id, signature) = (id.map(str::to_owned), format!("signature of {body}"));
        Incoming { id, signature, content_type: Some("application/json".to_owned()), body: body.into() }
    }

    fn bodies(batch: &[Stored]) -> Vec<&str> {
        batch.iter().map(|stored| std::str::from_utf8(&stored.body).unwrap()).collect()
    }

    #[tokio::test]
    async fn notifications_are_kept_until_all_work_is_done_and_ids_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/queue.db");
        let queue = Queue::open(&path, vec![Work::Print, Work::Forward]).unwrap();
        assert!(queue.store(incoming(Some("a"), "1")).await.unwrap());
        assert!(!queue.store(incoming(Some("a"), "2")).await.unwrap());
        assert!(queue.store(incoming(None, "3")).await.unwrap());
        assert!(queue.store(incoming(None, "3")).await.unwrap());
        assert!(queue.stored().has_changed().unwrap());
        let batch = queue.next(Work::Print).await.unwrap();
        assert_eq!(bodies(&batch), ["1", "3", "3"]);
        assert_eq!(batch[0].signature, "signature of 1");
        queue.finish(Work::Print, vec![batch[0].seq, batch[1].seq]).await.unwrap();
        assert_eq!(queue.count(Work::Print).await.unwrap(), 1);
        queue.close().await.unwrap();
        let queue = Queue::open(&path, vec![Work::Print]).unwrap();
        assert_eq!(bodies(&queue.next(Work::Print).await.unwrap()), ["3"]);
        assert_eq!(bodies(&queue.next(Work::Forward).await.unwrap()), ["1", "3", "3"]);
        assert!(!queue.store(incoming(Some("a"), "4")).await.unwrap());
        let seqs = queue.next(Work::Forward).await.unwrap().iter().map(|stored| stored.seq).collect();
        queue.finish(Work::Forward, seqs).await.unwrap();
        let connection = Connection::open(&path).unwrap();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM notifications"), 1, "the one that is not printed");
    }

    #[tokio::test]
    async fn ids_are_forgotten_after_two_weeks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let queue = Queue::open(&path, vec![]).unwrap();
        for id in ["old", "new"] {
            queue.store(incoming(Some(id), "")).await.unwrap();
        }
        queue.close().await.unwrap();
        let connection = Connection::open(&path).unwrap();
        let sql = "UPDATE seen SET at = at - 14 * 86400 - 60 WHERE id = 'old'";
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
        drop(connection);
        let queue = Queue::open(&path, vec![]).unwrap();
        assert!(queue.store(incoming(Some("old"), "")).await.unwrap());
        assert!(!queue.store(incoming(Some("new"), "")).await.unwrap());
    }

    #[tokio::test]
    async fn a_closed_queue_keeps_no_finished_message() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::open(&folder.path().join("queue.db"), vec![Work::Print]).unwrap();
        queue.store(incoming(Some("a"), "a private message")).await.unwrap();
        let seqs = queue.next(Work::Print).await.unwrap().iter().map(|stored| stored.seq).collect();
        queue.finish(Work::Print, seqs).await.unwrap();
        queue.close().await.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let content = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!String::from_utf8_lossy(&content).contains("private"));
        }
        assert!(queue.store(incoming(None, "")).await.is_err(), "a closed queue promises nothing");
    }

    #[test]
    fn a_file_of_somebody_else_is_refused_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let (text, database) = (folder.path().join("text"), folder.path().join("mirror.db"));
        std::fs::write(&text, "not a database, but long enough to be one ".repeat(100)).unwrap();
        Connection::open(&database).unwrap().execute_batch("CREATE TABLE contacts (id)").unwrap();
        for path in [text, database] {
            let before = std::fs::read(&path).unwrap();
            assert!(matches!(Queue::open(&path, vec![]), Err(Error::NotAQueue { .. })), "{path:?}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    #[test]
    fn only_one_process_works_on_a_queue() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let _queue = Queue::open(&path, vec![]).unwrap();
        assert!(matches!(Queue::open(&path, vec![]), Err(Error::Busy { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_queue() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("listen/queue.db");
        let _queue = Queue::open(&path, vec![]).unwrap();
        for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
