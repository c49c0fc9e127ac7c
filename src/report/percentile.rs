//! Percentiles by nearest rank, which are always a measured value and never interpolated.

/// The smallest sample that at least `percent` percent of the samples do not exceed; `None` without samples.
/// Reorders the samples.
pub fn nearest_rank(samples: &mut [i64], percent: usize) -> Option<i64> {
    let rank = (samples.len() * percent.min(100)).div_ceil(100).max(1);
    (rank <= samples.len()).then(|| *samples.select_nth_unstable(rank - 1).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_example_is_reproduced() {
        let mut samples = [50, 15, 40, 20, 35];
        let ranks = [5, 30, 40, 50, 100].map(|percent| nearest_rank(&mut samples, percent).unwrap());
        assert_eq!(ranks, [15, 20, 20, 35, 50]);
    }

    #[test]
    fn small_and_even_sample_sizes_are_correct() {
        assert_eq!(nearest_rank(&mut [], 50), None);
        assert_eq!(nearest_rank(&mut [7], 50), Some(7));
        assert_eq!(nearest_rank(&mut [7], 0), Some(7));
        assert_eq!(nearest_rank(&mut [4, 1, 3, 2], 50), Some(2));
        assert_eq!(nearest_rank(&mut [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90), Some(9));
        assert_eq!(nearest_rank(&mut [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 90), Some(10));
    }
}
