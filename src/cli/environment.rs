//! Variables of the environment, where they count as settings.

/// A variable that is set and not empty.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}
