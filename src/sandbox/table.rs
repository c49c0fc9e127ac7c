//! Records of one kind by id, with the order that lists and searches walk in.
//!
//! The order is worked out on the first read after a write, so that paging through an idle
//! workspace never sorts twice.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Anything a [`Table`] holds.
pub trait Record {
    fn id(&self) -> &str;
    /// Epoch seconds of the last change.
    fn updated_at(&self) -> i64;
}

/// Records of one kind.
#[derive(Debug)]
pub struct Table<T> {
    rows: HashMap<String, T>,
    newest_first: OnceLock<Vec<(i64, String)>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: HashMap::new(), newest_first: OnceLock::new() }
    }
}

impl<T: Record> Table<T> {
    pub fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(id)
    }

    /// The record for changing it; its place in the order is worked out again afterwards.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.newest_first.take();
        self.rows.get_mut(id)
    }

    /// Adds the record, or replaces the one with its id.
    pub fn insert(&mut self, record: T) {
        self.newest_first.take();
        self.rows.insert(record.id().to_owned(), record);
    }

    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.newest_first.take();
        self.rows.remove(id)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All records in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// All records for changing them, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.newest_first.take();
        self.rows.values_mut()
    }

    /// All records, last changed first; ties go by descending id.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let order = self.newest_first.get_or_init(|| {
            let mut order: Vec<_> =
                self.rows.values().map(|row| (row.updated_at(), row.id().to_owned())).collect();
            order.sort_unstable_by(|a, b| b.cmp(a));
            order
        });
        order.iter().filter_map(|(_, id)| self.rows.get(id))
    }
}
