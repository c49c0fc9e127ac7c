//! Records of one kind by id, with the order that lists and searches walk in.
//!
//! The order is worked out on the first read after a write, so that paging through an idle
//! workspace never sorts twice.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Anything a [`Table`] holds.
pub trait Record {
    fn id(&self) -> &str;
    /// Epoch seconds of the last change.
    fn updated_at(&self) -> i64;
}

/// Records of one kind, in the order in which they were added.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<T>,
    places: HashMap<String, usize>,
    newest_first: OnceLock<Vec<usize>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), places: HashMap::new(), newest_first: OnceLock::new() }
    }
}

impl<T: Record> Table<T> {
    pub fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).map(|place| &self.rows[*place])
    }

    /// The record for changing it; its place in the order is worked out again afterwards.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.newest_first.take();
        self.places.get(id).map(|place| &mut self.rows[*place])
    }

    /// Adds the record, or replaces the one with its id.
    pub fn insert(&mut self, record: T) {
        self.newest_first.take();
        match self.places.get(record.id()) {
            Some(place) => self.rows[*place] = record,
            None => {
                self.places.insert(record.id().to_owned(), self.rows.len());
                self.rows.push(record);
            }
        }
    }

    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.newest_first.take();
        let place = self.places.remove(id)?;
        let record = self.rows.swap_remove(place);
        if let Some(moved) = self.rows.get(place) {
            self.places.insert(moved.id().to_owned(), place);
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

    /// All records for changing anything but their ids.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.newest_first.take();
        self.rows.iter_mut()
    }

    /// All records, last changed first; ties go by descending id.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        let order = self.newest_first.get_or_init(|| {
            let mut order: Vec<_> = (0..self.rows.len()).collect();
            order.sort_unstable_by_key(|place| {
                let row = &self.rows[*place];
                Reverse((row.updated_at(), row.id()))
            });
            order
        });
        order.iter().map(|place| &self.rows[*place])
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
    fn the_order_follows_every_write() {
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
