//! A collection of records of one type, indexed by id, with the sort order of lists and searches.
//!
//! The order is computed on the first read after a write, so that paging through an unchanged workspace sorts
//! only once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::OnceLock;

/// An element of a [`Table`].
pub trait Record {
    fn id(&self) -> &str;
    /// Time of the last change, in epoch seconds.
    fn updated_at(&self) -> i64;
}

/// Records of one type, in insertion order until one is removed.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<T>,
    positions: HashMap<String, usize>,
    newest_first: OnceLock<Vec<usize>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), positions: HashMap::new(), newest_first: OnceLock::new() }
    }
}

impl<T: Record> Table<T> {
    pub fn get(&self, id: &str) -> Option<&T> {
        self.positions.get(id).map(|position| &self.rows[*position])
    }

    /// A mutable reference to a record. Invalidates the sort order.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.newest_first.take();
        self.positions.get(id).map(|position| &mut self.rows[*position])
    }

    /// Adds a record, or replaces the one with the same id.
    pub fn insert(&mut self, record: T) {
        self.newest_first.take();
        match self.positions.get(record.id()) {
            Some(position) => self.rows[*position] = record,
            None => {
                self.positions.insert(record.id().to_owned(), self.rows.len());
                self.rows.push(record);
            }
        }
    }

    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.newest_first.take();
        let position = self.positions.remove(id)?;
        let record = self.rows.swap_remove(position);
        if let Some(moved) = self.rows.get(position) {
            self.positions.insert(moved.id().to_owned(), position);
        }
        Some(record)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter()
    }

    /// Mutable references to all records. Ids must not be changed. Invalidates the sort order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.newest_first.take();
        self.rows.iter_mut()
    }

    /// All records, last updated first; records with equal times in order of descending id.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let order = self.newest_first.get_or_init(|| {
            let mut order: Vec<_> = (0..self.rows.len()).collect();
            order.sort_unstable_by_key(|position| {
                let row = &self.rows[*position];
                Reverse((row.updated_at(), row.id()))
            });
            order
        });
        order.iter().map(|position| &self.rows[*position])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str, i64);

    impl Record for Row {
        fn id(&self) -> &str {
            self.0
        }
        fn updated_at(&self) -> i64 {
            self.1
        }
    }

    #[test]
    fn every_write_updates_the_order() {
        let mut table = Table::default();
        for row in [Row("a", 1), Row("b", 3), Row("c", 3)] {
            table.insert(row);
        }
        let order = |table: &Table<Row>| table.newest_first().map(|row| row.0).collect::<String>();
        assert_eq!(order(&table), "cba");
        table.get_mut("a").unwrap().1 = 9;
        assert_eq!(order(&table), "acb");
        table.insert(Row("b", 10));
        assert_eq!(order(&table), "bac");
        assert_eq!(table.remove("a").unwrap().1, 9);
        assert_eq!(order(&table), "bc");
        assert_eq!(table.get("c").unwrap().1, 3);
        assert!(table.remove("a").is_none() && table.len() == 2);
    }
}
