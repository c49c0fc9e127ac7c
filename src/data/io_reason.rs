//! Why a file could not be read or written, in words for people.
//!
//! The texts of the standard library name error numbers, and those of other crates the temporary files that they use.

use std::io::{Error, ErrorKind};

/// The reason, without the name of the file.
pub fn io_reason(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or folder".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        ErrorKind::NotADirectory => "a part of its path is not a folder".to_owned(),
        ErrorKind::AlreadyExists => "it exists already".to_owned(),
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        ErrorKind::InvalidData if error.to_string().contains("UTF-8") => "it is not UTF-8 text".to_owned(),
        _ => without_number(&error.to_string()),
    }
}

fn without_number(text: &str) -> String {
    let text = text.split(" at path \"").next().unwrap_or(text);
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_numbers_and_no_temporary_names() {
        for (error, reason) in [
            (Error::from(ErrorKind::NotFound), "no such file or folder"),
            (Error::from_raw_os_error(20), "a part of its path is not a folder"),
            (Error::other("broken (os error 99) at path \"/x/.tmpAB\""), "broken"),
            (Error::other("lost"), "lost"),
        ] {
            assert_eq!(io_reason(&error), reason);
        }
    }
}
