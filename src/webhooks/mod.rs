//! Notifications that Intercom sends to an app: webhooks, verified and typed.
//!
//! A receiver verifies the body as received, answers at once, and works afterwards. Notifications come at least once and
//! in any order, and their records can be older than the workspace, so a receiver reads a record again instead of
//! keeping the one in the notification.
//!
//! ```
//! use intercom::webhooks::{Event, Notification, Record, SIGNATURE_HEADER, sign};
//!
//! # let body: &[u8] = br#"{"type":"notification_event","id":"notif_1","topic":"conversation.user.replied",
//! #   "data":{"item":{"type":"conversation","id":"123"}}}"#;
//! # let header = sign("client-secret", body);
//! // `header` is the value of `SIGNATURE_HEADER`.
//! let notification = Notification::receive("client-secret", body, &header)?;
//! match notification.event() {
//!     Event::Changed(records) => assert_eq!(records, [Record::Conversation("123".into())]),
//!     Event::Deleted(record) => println!("{record:?} is gone"),
//!     _ => {}
//! }
//! # Ok::<(), intercom::webhooks::NotificationError>(())
//! ```
//!
//! *Less stable than the client:* what is here may change in any minor version. Nothing here sends or receives anything.

#![deny(missing_docs)]

mod event;
mod notification;
mod signature;
mod topics;

pub use event::{Event, Record};
pub use notification::{Notification, NotificationError};
pub use signature::{SIGNATURE_HEADER, SignatureError, sign, verify};
#[doc(hidden)]
pub use topics::TOPICS;
