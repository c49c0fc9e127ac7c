//! The lines at the bottom of a terminal that progress redraws in place.
//!
//! At most one block exists at a time. Notices that are printed meanwhile appear above it, so nothing else may write
//! to stderr without [`above`].

use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

static BLOCK: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Lines that are redrawn until this is dropped, which erases them.
pub struct LiveBlock(MultiProgress);

impl LiveBlock {
    pub fn begin() -> Self {
        let lines = MultiProgress::new();
        *BLOCK.lock().unwrap_or_else(PoisonError::into_inner) = Some(lines.clone());
        LiveBlock(lines)
    }

    /// Adds a line below the others, in a template of `indicatif`.
    pub fn line(&self, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        self.0.add(ProgressBar::no_length().with_style(style))
    }

    pub fn remove(&self, line: &ProgressBar) {
        line.finish_and_clear();
        self.0.remove(line);
    }
}

impl Drop for LiveBlock {
    fn drop(&mut self) {
        *BLOCK.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // The terminal may have been closed.
        let _ = self.0.clear();
    }
}

/// Prints something above the block, if there is one.
pub fn above(print: impl FnOnce()) {
    let block = BLOCK.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match block {
        Some(block) => block.suspend(print),
        None => print(),
    }
}
