//! The records of one kind: indexed by id, in insertion order, and in the order of lists and searches.
//!
//! The sort order is computed on the first read after a write, so that paging through an unchanged workspace
//! sorts only once. Every write passes through here, so this is also where changes are recorded, for notifications: what
//! a record was before, once per record. Unless somebody asked for it, nothing is recorded.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::OnceLock;

use super::response::ErrorResponse;

/// An element of a [`RecordSet`].
pub trait WorkspaceRecord: Clone {
    fn id(&self) -> &str;
    /// Time of the last change, in epoch seconds.
    fn updated_at(&self) -> i64;
    /// Notes a change at this time. Times of changes never move back.
    fn touch(&mut self, at: i64);
}

/// Implements [`WorkspaceRecord`] for types with the fields `id` and `updated_at`.
macro_rules! workspace_records {
    ($($record:ty),+) => {$(
        impl $crate::sandbox::record_set::WorkspaceRecord for $record {
            fn id(&self) -> &str {
                &self.id
            }
            fn updated_at(&self) -> i64 {
                self.updated_at
            }
            fn touch(&mut self, at: i64) {
                self.updated_at = self.updated_at.max(at);
            }
        }
    )+};
}
pub(super) use workspace_records;

/// Records of one type, in insertion order.
#[derive(Debug)]
pub struct RecordSet<T> {
    records: Vec<T>,
    positions: HashMap<String, usize>,
    newest_first: OnceLock<Vec<usize>>,
    /// `None` while nobody wants changes.
    recorded: Option<RecordedChanges<T>>,
}

#[derive(Debug)]
struct RecordedChanges<T> {
    ids: HashSet<String>,
    changes: Vec<RecordChange<T>>,
}

/// A record that was written, and what it was before; `None` if it did not exist.
#[derive(Debug, Clone)]
pub struct RecordChange<T> {
    pub id: String,
    pub before: Option<T>,
}

impl<T> Default for RecordSet<T> {
    fn default() -> Self {
        RecordSet {
            records: Vec::new(),
            positions: HashMap::new(),
            newest_first: OnceLock::new(),
            recorded: None,
        }
    }
}

impl<T> Deref for RecordSet<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.records
    }
}

impl<T: WorkspaceRecord> RecordSet<T> {
    pub fn get(&self, id: &str) -> Option<&T> {
        self.positions.get(id).map(|position| &self.records[*position])
    }

    /// A mutable reference to a record. Invalidates the sort order.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.newest_first.take();
        self.record_before(id);
        self.positions.get(id).map(|position| &mut self.records[*position])
    }

    /// The record, or the generic 404.
    pub fn find(&self, id: &str) -> Result<&T, ErrorResponse> {
        self.get(id).ok_or_else(ErrorResponse::record_not_found)
    }

    /// Like [`RecordSet::get_mut`], with the generic 404.
    pub fn find_mut(&mut self, id: &str) -> Result<&mut T, ErrorResponse> {
        self.get_mut(id).ok_or_else(ErrorResponse::record_not_found)
    }

    /// Adds a record, or replaces the one with the same id.
    pub fn insert(&mut self, record: T) {
        self.newest_first.take();
        self.record_before(record.id());
        match self.positions.get(record.id()) {
            Some(position) => self.records[*position] = record,
            None => {
                self.positions.insert(record.id().to_owned(), self.records.len());
                self.records.push(record);
            }
        }
    }

    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.newest_first.take();
        self.record_before(id);
        let removed = self.positions.remove(id)?;
        for position in self.positions.values_mut().filter(|position| **position > removed) {
            *position -= 1;
        }
        Some(self.records.remove(removed))
    }

    /// Mutable references to all records. Ids must not be changed. Invalidates the sort order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.matching_mut(|_| true)
    }

    /// Like [`RecordSet::iter_mut`], for some of the records.
    pub fn matching_mut(&mut self, matches: impl Fn(&T) -> bool) -> impl Iterator<Item = &mut T> {
        self.newest_first.take();
        if self.recorded.is_some() {
            let matching = self.records.iter().filter(|record| matches(record));
            let ids: Vec<_> = matching.map(|record| record.id().to_owned()).collect();
            ids.iter().for_each(|id| self.record_before(id));
        }
        self.records.iter_mut().filter(move |record| matches(record))
    }

    /// Records the changes from now on.
    pub fn start_recording(&mut self) {
        self.recorded = Some(RecordedChanges { ids: HashSet::new(), changes: Vec::new() });
    }

    /// Stops recording, and returns the records that were written, in the order of their first writes.
    pub fn stop_recording(&mut self) -> Vec<RecordChange<T>> {
        self.recorded.take().map_or_else(Vec::new, |recorded| recorded.changes)
    }

    fn record_before(&mut self, id: &str) {
        let before = self.positions.get(id).map(|position| &self.records[*position]);
        if let Some(recorded) = self.recorded.as_mut()
            && recorded.ids.insert(id.to_owned())
        {
            recorded.changes.push(RecordChange { id: id.to_owned(), before: before.cloned() });
        }
    }

    /// All records, last updated first; records with equal times in order of descending id.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let order = self.newest_first.get_or_init(|| {
            let mut order: Vec<_> = (0..self.records.len()).collect();
            order.sort_unstable_by_key(|position| {
                let record = &self.records[*position];
                Reverse((record.updated_at(), record.id()))
            });
            order
        });
        order.iter().map(|position| &self.records[*position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct TimedRecord {
        id: String,
        updated_at: i64,
    }

    workspace_records!(TimedRecord);

    fn record(id: &str, updated_at: i64) -> TimedRecord {
        TimedRecord { id: id.to_owned(), updated_at }
    }

    #[test]
    fn every_write_updates_the_order() {
        let mut records = RecordSet::default();
        for (id, updated_at) in [("a", 1), ("b", 3), ("c", 3)] {
            records.insert(record(id, updated_at));
        }
        let order = |records: &RecordSet<TimedRecord>| {
            records.newest_first().map(|record| record.id.as_str()).collect::<String>()
        };
        assert_eq!(order(&records), "cba");
        records.get_mut("a").unwrap().touch(9);
        assert_eq!(order(&records), "acb");
        records.insert(record("b", 10));
        assert_eq!(order(&records), "bac");
        assert_eq!(records.remove("a").unwrap().updated_at, 9);
        assert_eq!(order(&records), "bc");
        assert_eq!(records.find("c").unwrap().updated_at, 3);
        assert!(records.remove("a").is_none() && records.find("a").is_err() && records.len() == 2);
    }

    #[test]
    fn removing_a_record_keeps_the_insertion_order() {
        let mut records = RecordSet::default();
        ["a", "b", "c", "d"].iter().for_each(|id| records.insert(record(id, 1)));
        records.remove("b");
        assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<String>(), "acd");
        assert!(["a", "c", "d"].iter().all(|id| records.get(id).unwrap().id == *id));
    }

    #[test]
    fn changes_are_recorded_once_with_what_was_before() {
        let mut records = RecordSet::default();
        records.insert(record("a", 1));
        records.start_recording();
        records.insert(record("b", 2));
        records.get_mut("a").unwrap().touch(5);
        records.matching_mut(|record| record.id == "a").for_each(|record| record.touch(7));
        records.remove("b");
        let changes = records.stop_recording();
        let ids: Vec<_> = changes.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(changes[0].before, None);
        assert_eq!(changes[1].before, Some(record("a", 1)));
        records.insert(record("c", 3));
        assert!(records.stop_recording().is_empty(), "not asked for");
    }
}
