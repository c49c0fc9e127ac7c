//! The records of one kind: indexed by id, in insertion order, and in the order of lists and searches.
//!
//! The sort order is computed on the first read after a write, so that paging through an unchanged workspace
//! sorts only once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::OnceLock;

use super::response::ErrorResponse;

/// An element of a [`RecordSet`].
pub trait WorkspaceRecord {
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
}

impl<T> Default for RecordSet<T> {
    fn default() -> Self {
        RecordSet { records: Vec::new(), positions: HashMap::new(), newest_first: OnceLock::new() }
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
        let removed = self.positions.remove(id)?;
        for position in self.positions.values_mut().filter(|position| **position > removed) {
            *position -= 1;
        }
        Some(self.records.remove(removed))
    }

    /// Mutable references to all records. Ids must not be changed. Invalidates the sort order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.newest_first.take();
        self.records.iter_mut()
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
}
