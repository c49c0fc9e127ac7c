//! The handle of a local copy.

use std::path::Path;

use super::rows::RowCollector;
use super::{
    Error, Refreshed, Rows, SearchOptions, SearchResults, SlaOptions, SlaReport, Stored, SyncOptions,
    SyncProgress, SyncReport,
};
use crate::api::client::Client;
use crate::api::types;
use crate::mirror::sql::{SqlLimits, SqlSession};
use crate::mirror::{self, Event, RecordRefresh, ResourceName, Store};
use crate::report::{sla, timeline_cache};

/// A local copy of one workspace, in one SQLite file.
///
/// The file contains customers' messages, so only its owner can read it. Several programs may read a mirror while one
/// syncs it. All functions block except those that send requests; those block as well while they write to the file,
/// which takes milliseconds.
#[derive(Debug)]
pub struct Mirror {
    store: Store,
}

impl Mirror {
    /// Opens a mirror for syncing and reading. Creates the file and its folder if they do not exist.
    ///
    /// # Errors
    /// [`ErrorKind::File`](super::ErrorKind::File) if it cannot be created, and
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported) if it is another program's database, or was written by a
    /// later version of this crate.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Mirror { store: Store::open(path.as_ref())? })
    }

    /// Opens an existing mirror for reading. Functions that store records then fail.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`](super::ErrorKind::Missing) if nothing was ever synced to this path, and as
    /// [`Mirror::open`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Mirror { store: Store::open_read_only(path.as_ref())? })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Brings the mirror up to date. Dropping the future interrupts the sync, and the next one resumes it.
    ///
    /// A resource that fails does not stop the others: see [`SyncReport::is_complete`].
    ///
    /// # Errors
    /// [`ErrorKind::Api`](super::ErrorKind::Api) if the token is refused or the API cannot be reached,
    /// [`ErrorKind::OtherWorkspace`](super::ErrorKind::OtherWorkspace) if the token belongs to another workspace,
    /// [`ErrorKind::Locked`](super::ErrorKind::Locked) during another sync, and
    /// [`ErrorKind::Database`](super::ErrorKind::Database).
    pub async fn sync(&mut self, client: &Client, options: SyncOptions) -> Result<SyncReport, Error> {
        self.sync_with_progress(client, options, |_| {}).await
    }

    /// As [`Mirror::sync`], and calls `progress` after each stored page.
    ///
    /// # Errors
    /// Those of [`Mirror::sync`].
    pub async fn sync_with_progress(
        &mut self,
        client: &Client,
        options: SyncOptions,
        mut progress: impl FnMut(&SyncProgress) + Send,
    ) -> Result<SyncReport, Error> {
        let mut observer = |event: &Event| {
            if let Some(event) = SyncProgress::of(event) {
                progress(&event);
            }
        };
        let summary = mirror::sync(client, &mut self.store, &options.into_inner(), &mut observer).await?;
        self.store.index()?;
        timeline_cache::refresh(&self.store)?;
        self.store.checkpoint()?;
        Ok(summary.into())
    }

    /// Fetches one conversation with its parts and stores it, for example when a webhook reports a change. Takes two
    /// requests: the first makes sure that the token belongs to the workspace of the mirror.
    ///
    /// # Errors
    /// If the request or the database fails, and [`ErrorKind::OtherWorkspace`](super::ErrorKind::OtherWorkspace) if the
    /// token belongs to another workspace than the mirror.
    pub async fn refresh_conversation(
        &mut self,
        client: &Client,
        id: impl AsRef<str>,
    ) -> Result<Refreshed, Error> {
        let mut refresh = self.refresh(client).await?;
        let stored = refresh.thread(id.as_ref()).await?;
        self.finish_refresh(stored)
    }

    /// Fetches one contact and stores it, or the contact that it was merged into. Conversations, notes and segments of the
    /// contact are not fetched.
    ///
    /// # Errors
    /// As [`Mirror::refresh_conversation`].
    pub async fn refresh_contact(
        &mut self,
        client: &Client,
        id: impl AsRef<str>,
    ) -> Result<Refreshed, Error> {
        let mut refresh = self.refresh(client).await?;
        let stored = refresh.contact(id.as_ref()).await?;
        self.finish_refresh(stored)
    }

    async fn refresh<'a>(&'a mut self, client: &'a Client) -> Result<RecordRefresh<'a>, Error> {
        let mut refresh = RecordRefresh::new(client, &mut self.store);
        refresh.bind().await?;
        Ok(refresh)
    }

    fn finish_refresh(&mut self, stored: Option<String>) -> Result<Refreshed, Error> {
        let Some(id) = stored else { return Ok(Refreshed::Gone) };
        self.store.index()?;
        Ok(Refreshed::Stored { id })
    }

    /// Response and resolution times.
    ///
    /// # Errors
    /// [`ErrorKind::NothingSynced`](super::ErrorKind::NothingSynced) if conversations or their parts were never synced.
    /// What the mirror lacks otherwise is in [`SlaReport::missing`].
    pub fn sla(&self, options: SlaOptions) -> Result<SlaReport, Error> {
        timeline_cache::prepare(&self.store)?;
        Ok(sla::sla(&self.store, &options.into_inner())?)
    }

    /// Searches messages, subjects, articles, tickets, names and email addresses: words that must all occur, `"phrases"`,
    /// `prefix*`, `AND`, `OR`, `NOT`. Returns the best 20 records.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`](super::ErrorKind::InvalidQuery) if the text is too long, or has no letter or digit.
    pub fn search(&self, text: &str) -> Result<SearchResults, Error> {
        self.search_with(text, &SearchOptions::default())
    }

    /// As [`Mirror::search`], with filters and another limit.
    ///
    /// # Errors
    /// Those of [`Mirror::search`].
    pub fn search_with(&self, text: &str, options: &SearchOptions) -> Result<SearchResults, Error> {
        // Without write access, what another program stored since its last sync is not found yet.
        let _ = self.store.update_index()?;
        Ok(self.store.search(text, options)?)
    }

    /// Runs one SQL statement that reads, and collects all rows. The statement can never change the mirror or open another
    /// file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`](super::ErrorKind::InvalidQuery) if the statement is invalid or does more than read.
    pub fn query(&self, sql: &str) -> Result<Rows, Error> {
        self.query_with(sql, SqlLimits::default())
    }

    /// As [`Mirror::query`], but stops at a number of rows or after a time; see [`Rows::is_complete`].
    ///
    /// # Errors
    /// Those of [`Mirror::query`].
    pub fn query_with(&self, sql: &str, limits: SqlLimits) -> Result<Rows, Error> {
        let mut rows = RowCollector::default();
        let end = SqlSession::open(self.path())?.query(sql, limits, &mut rows)?;
        Ok(Rows { columns: rows.columns, rows: rows.rows, end })
    }

    /// A contact; `None` if the mirror does not have it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn contact(&self, id: impl AsRef<str>) -> Result<Option<Stored<types::Contact>>, Error> {
        self.document(ResourceName::Contacts, id)?.map(Stored::read).transpose()
    }

    /// A conversation with its parts; `None` if the mirror does not have it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn conversation(&self, id: impl AsRef<str>) -> Result<Option<Stored<types::Conversation>>, Error> {
        self.document(ResourceName::Conversations, id)?.map(Stored::read).transpose()
    }

    /// The JSON document of any record as received, conversations and tickets with their parts; `None` if the mirror does
    /// not have it.
    ///
    /// # Errors
    /// If the database fails.
    pub fn document(&self, resource: ResourceName, id: impl AsRef<str>) -> Result<Option<String>, Error> {
        Ok(self.store.with_parts(resource, id.as_ref())?)
    }
}
