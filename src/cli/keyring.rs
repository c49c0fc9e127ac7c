//! The operating system's keyring, where there is one.
//!
//! On Linux that is the Secret Service of a desktop session; a server or container has none, and
//! then the config file is used. A keyring that cannot be reached is as good as none: reading never
//! fails, and writing says so, so that the caller can fall back.

/// Service name of our entries.
#[cfg(feature = "keyring")]
const SERVICE: &str = "intercom-pp-cli";

#[cfg(feature = "keyring")]
fn entry(profile: Option<&str>) -> Option<keyring::v1::Entry> {
    let desktop =
        !cfg!(target_os = "linux") || super::environment::environment("DBUS_SESSION_BUS_ADDRESS").is_some();
    let wanted = desktop && super::environment::environment("INTERCOM_NO_KEYRING").is_none();
    wanted.then(|| keyring::v1::Entry::new(SERVICE, profile.unwrap_or("default")).ok())?
}

/// The token kept for a profile.
#[cfg(feature = "keyring")]
pub fn read(profile: Option<&str>) -> Option<String> {
    entry(profile)?.get_password().ok()
}

/// Keeps a token; `false` when there is no keyring to keep it in.
#[cfg(feature = "keyring")]
pub fn write(profile: Option<&str>, token: &str) -> bool {
    entry(profile).is_some_and(|entry| entry.set_password(token).is_ok())
}

/// Forgets the token; `true` when there was one.
#[cfg(feature = "keyring")]
pub fn remove(profile: Option<&str>) -> bool {
    entry(profile).is_some_and(|entry| entry.delete_credential().is_ok())
}

/// Built without a keyring: there is none.
#[cfg(not(feature = "keyring"))]
pub fn read(_profile: Option<&str>) -> Option<String> {
    None
}

#[cfg(not(feature = "keyring"))]
pub fn write(_profile: Option<&str>, _token: &str) -> bool {
    false
}

#[cfg(not(feature = "keyring"))]
pub fn remove(_profile: Option<&str>) -> bool {
    false
}
