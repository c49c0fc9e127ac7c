//! The keyring of the operating system, if there is one.
//!
//! On Linux this is the Secret Service of a desktop session; servers and containers have none and use the config
//! file. An unreachable keyring is treated as absent: reading never fails, and writing returns `false`, so that the
//! caller can fall back to the config file.

#[cfg(feature = "keyring")]
use std::sync::OnceLock;

#[cfg(feature = "keyring")]
use crate::config::env_var;

/// What an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    Token,
    /// The secret that signs the webhooks of the app.
    Client,
}

#[cfg(feature = "keyring")]
impl Secret {
    /// Service name of the entries.
    fn service(self) -> &'static str {
        match self {
            Secret::Token => "intercom-pp-cli",
            Secret::Client => "intercom-pp-cli client secret",
        }
    }
}

#[cfg(feature = "keyring")]
fn entry(secret: Secret, profile: Option<&str>) -> Option<keyring_core::Entry> {
    static IS_OPEN: OnceLock<bool> = OnceLock::new();
    let is_available = !cfg!(target_os = "linux") || env_var("DBUS_SESSION_BUS_ADDRESS").is_some();
    let is_enabled = is_available && env_var("INTERCOM_NO_KEYRING").is_none();
    let is_open = is_enabled && *IS_OPEN.get_or_init(|| open().is_ok());
    is_open.then(|| keyring_core::Entry::new(secret.service(), &user(profile)).ok())?
}

/// Connects to the keyring. Entries then refer to it.
#[cfg(feature = "keyring")]
fn open() -> keyring_core::Result<()> {
    #[cfg(all(unix, not(target_os = "macos")))]
    let store = dbus_secret_service_keyring_store::Store::new()?;
    #[cfg(target_os = "macos")]
    let store = apple_native_keyring_store::keychain::Store::new()?;
    #[cfg(windows)]
    let store = windows_native_keyring_store::Store::new()?;
    keyring_core::set_default_store(store);
    Ok(())
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

/// A secret of a profile.
#[cfg(feature = "keyring")]
pub fn read(secret: Secret, profile: Option<&str>) -> Option<String> {
    entry(secret, profile)?.get_password().ok()
}

/// Stores a secret; `false` without a keyring.
#[cfg(feature = "keyring")]
pub fn write(secret: Secret, profile: Option<&str>, text: &str) -> bool {
    entry(secret, profile).is_some_and(|entry| entry.set_password(text).is_ok())
}

/// Deletes a secret; `true` if there was one.
#[cfg(feature = "keyring")]
pub fn remove(secret: Secret, profile: Option<&str>) -> bool {
    entry(secret, profile).is_some_and(|entry| entry.delete_credential().is_ok())
}

#[cfg(not(feature = "keyring"))]
pub fn read(_secret: Secret, _profile: Option<&str>) -> Option<String> {
    None
}

#[cfg(not(feature = "keyring"))]
pub fn write(_secret: Secret, _profile: Option<&str>, _text: &str) -> bool {
    false
}

#[cfg(not(feature = "keyring"))]
pub fn remove(_secret: Secret, _profile: Option<&str>) -> bool {
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
