//! The differences between two sequences: of blocks, of words, of lines.
//!
//! Items are compared as numbers, so that the algorithm is compiled for one type. Must not offer a choice of algorithms:
//! `similar` would then compile all of them for each type of item, which was 0.9 MB of each program.

use std::collections::HashMap;
use std::hash::Hash;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// What turns `old` into `new`, in order, by Myers' algorithm.
pub fn differences<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let mut known: HashMap<&T, usize> = HashMap::with_capacity(old.len());
    let mut numbers = Vec::with_capacity(old.len() + new.len());
    for item in old.iter().chain(new) {
        let next = known.len();
        numbers.push(*known.entry(item).or_insert(next));
    }
    let (old, new) = numbers.split_at(old.len());
    of_numbers(old, new)
}

fn of_numbers(old: &[usize], new: &[usize]) -> Vec<DiffOp> {
    let mut operations = Compact::new(Replace::new(Capture::new()), old, new);
    match myers::diff(&mut operations, old, 0..old.len(), new, 0..new.len()) {
        Ok(()) => operations.into_inner().into_inner().into_ops(),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_ranges_of_both_sequences() {
        let old: Vec<&str> = "the quick brown fox".split(' ').collect();
        let new: Vec<&str> = "the slow brown fox jumps".split(' ').collect();
        let found = differences(&old, &new);
        let ranges: Vec<_> = found.iter().map(|op| (op.tag(), op.old_range(), op.new_range())).collect();
        let expected = [
            (similar::DiffTag::Equal, 0..1, 0..1),
            (similar::DiffTag::Replace, 1..2, 1..2),
            (similar::DiffTag::Equal, 2..4, 2..4),
            (similar::DiffTag::Insert, 4..4, 4..5),
        ];
        assert_eq!(ranges, expected);
        assert_eq!(differences::<u64>(&[], &[]), []);
    }
}
