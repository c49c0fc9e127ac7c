//! The keyring of the operating system, if there is one.
//!
//! On Linux this is the Secret Service of a desktop session; servers and containers have none and use the config
//! file. An unreachable keyring is treated as absent: reading never fails, and writing returns `false`, so that the
//! caller can fall back to the config file.

#[cfg(feature = "keyring")]
use crate::config::env_var;

/// Service name of the entries.
#[cfg(feature = "keyring")]
const SERVICE: &str = "intercom-pp-cli";

#[cfg(feature = "keyring")]
fn entry(profile: Option<&str>) -> Option<keyring::v1::Entry> {
    let is_available = !cfg!(target_os = "linux") || env_var("DBUS_SESSION_BUS_ADDRESS").is_some();
    let is_enabled = is_available && env_var("INTERCOM_NO_KEYRING").is_none();
    is_enabled.then(|| keyring::v1::Entry::new(SERVICE, &user(profile)).ok())?
}

/// The user name of an entry. A profile called "default" must not share the entry of the settings outside of profiles.
#[cfg(feature = "keyring")]
fn user(profile: Option<&str>) -> String {
    match profile {
        None => "default".to_owned(),
        Some("default") => "profile default".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// The token of a profile.
#[cfg(feature = "keyring")]
pub fn read(profile: Option<&str>) -> Option<String> {
    entry(profile)?.get_password().ok()
}

/// Stores a token; `false` without a keyring.
#[cfg(feature = "keyring")]
pub fn write(profile: Option<&str>, token: &str) -> bool {
    entry(profile).is_some_and(|entry| entry.set_password(token).is_ok())
}

/// Deletes the token; `true` if there was one.
#[cfg(feature = "keyring")]
pub fn remove(profile: Option<&str>) -> bool {
    entry(profile).is_some_and(|entry| entry.delete_credential().is_ok())
}

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

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use super::*;

    #[test]
    fn no_two_profiles_share_an_entry() {
        assert_eq!([user(None), user(Some("eu"))], ["default", "eu"]);
        assert_ne!(user(Some("default")), user(None));
    }
}
