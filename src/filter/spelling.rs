//! Slips of the finger: what somebody may have meant.

/// Whether two names differ by one letter, or by two that changed places.
pub(super) fn is_close(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([], []) => true,
        ([a, b, one @ ..], [c, d, other @ ..]) if a == d && b == c && one == other => true,
        _ => {
            let skip = |letters: &[char], count: usize| letters.get(count..).map(<[char]>::to_vec);
            [(0, 1), (1, 0), (1, 1)]
                .iter()
                .any(|(a, b)| skip(one, *a).is_some_and(|rest| Some(rest) == skip(other, *b)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_close_and_two_are_not() {
        for (one, other) in
            [("state", "staet"), ("team", "tem"), ("tem", "team"), ("team", "tean"), ("a", "a")]
        {
            assert!(is_close(one, other), "{one} {other}");
        }
        assert!(!is_close("state", "stat2s") && !is_close("team", "tags"));
    }
}
