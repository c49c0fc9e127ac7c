//! Percentiles by nearest rank: always a value that was measured, never one in between.

/// The smallest sample that at least `percent` of a hundred samples do not exceed. Changes their order.
/// `None` without samples.
pub fn nearest_rank(samples: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (samples.len() * percent.min(100)).div_ceil(100).max(1);
    (rank <= samples.len()).then(|| *samples.select_nth_unstable(rank - 1).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_example() {
        let mut samples = [50, 15, 40, 20, 35];
        let ranks = [5, 30, 40, 50, 100].map(|percent| nearest_rank(&mut samples, percent).unwrap());
        assert_eq!(ranks, [15, 20, 20, 35, 50]);
    }

    #[test]
    fn small_and_even_samples() {
        assert_eq!(nearest_rank(&mut [], 50), None);
        assert_eq!(nearest_rank(&mut [7], 50), Some(7));
        assert_eq!(nearest_rank(&mut [7], 0), Some(7));
        assert_eq!(nearest_rank(&mut [4, 1, 3, 2], 50), Some(2));
        assert_eq!(nearest_rank(&mut [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90), Some(9));
        assert_eq!(nearest_rank(&mut [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 90), Some(10));
    }
}
