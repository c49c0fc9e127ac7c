//! Finds the name that a misspelled one most likely means. Used for suggestions only: never resolve a name by
//! it.

/// Whether two names differ by one letter or by two swapped letters.
pub fn is_close(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let common = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[common..], &other[common..]);
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

/// The name that `wanted` most likely means: the same except for case and separators, one typo away, or a
/// part.
pub fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Option<&'n str> {
    let canonical = |name: &str| -> String {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = canonical(wanted);
    if wanted.is_empty() {
        return None;
    }
    let first =
        |is_match: &dyn Fn(&str) -> bool| names.iter().find(|name| is_match(&canonical(name))).copied();
    first(&|name| name == wanted).or_else(|| first(&|name| is_close(name, &wanted))).or_else(|| {
        first(&|name| name.len() > 1 && wanted.len() > 1 && (name.contains(&wanted) || wanted.contains(name)))
    })
}

/// `did you mean "name"? ` for the nearest name, to insert into a message; empty without one.
pub fn did_you_mean(wanted: &str, names: &[&str]) -> String {
    nearest(wanted, names).map(|name| format!("did you mean {name:?}? ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_typo_is_close_and_two_are_not() {
        for (one, other) in
            [("state", "staet"), ("team", "tem"), ("tem", "team"), ("team", "tean"), ("a", "a")]
        {
            assert!(is_close(one, other), "{one} {other}");
        }
        assert!(!is_close("state", "stat2s") && !is_close("team", "tags"));
    }

    #[test]
    fn the_nearest_name_differs_in_case_or_by_a_typo_or_is_a_part() {
        let names = ["open", "closed", "in_progress", "email"];
        for (wanted, meant) in
            [("opened", "open"), ("In progress", "in_progress"), ("e-mail", "email"), ("closd", "closed")]
        {
            assert_eq!(nearest(wanted, &names), Some(meant), "{wanted}");
        }
        assert_eq!(nearest("high", &names), None);
        assert_eq!(nearest("-", &names), None);
    }
}
