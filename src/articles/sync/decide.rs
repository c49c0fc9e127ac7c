//! The three-way decision: what a command has to do when the file, the help center or both changed.
//!
//! Status, diff, pull and push all decide here, so that they agree. The decision is pure: it depends on what
//! each side did since the last pull or push, never on the command, and it must never lose an edit.

/// What one side did with a text since it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SideState {
    /// The side does not have it.
    Absent,
    Unchanged,
    Changed,
}

impl SideState {
    /// The state of a value that exists on a side.
    pub fn of<T: PartialEq>(value: T, base: T) -> Self {
        if value == base { SideState::Unchanged } else { SideState::Changed }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Nothing,
    /// Only the file changed.
    TakeOurs,
    /// Only the help center changed.
    TakeTheirs,
    /// Both changed, or both have a text that was never recorded.
    Merge,
    /// Only the folder has it, and it was never recorded.
    CreateArticle,
    /// Only the help center has it, and it was never recorded.
    CreateFile,
    /// The file was deleted. A conflict if the help center changed.
    DeleteArticle {
        is_changed: bool,
    },
    /// The text was deleted in the help center. A conflict if the file has edits.
    DeleteFile {
        is_edited: bool,
    },
    /// Both sides deleted it.
    Forget,
}

/// Decides about one text from whether it was recorded, and from what each side did since. An unrecorded text
/// counts as changed wherever it exists.
pub fn decide(is_recorded: bool, ours: SideState, theirs: SideState) -> Decision {
    use SideState::{Absent, Changed, Unchanged};
    match (is_recorded, ours, theirs) {
        (true, Unchanged, Unchanged) | (false, Absent, Absent) => Decision::Nothing,
        (true, Changed, Unchanged) => Decision::TakeOurs,
        (true, Unchanged, Changed) => Decision::TakeTheirs,
        (true, Changed, Changed) | (false, Unchanged | Changed, Unchanged | Changed) => Decision::Merge,
        (true, Absent, Unchanged | Changed) => Decision::DeleteArticle { is_changed: theirs == Changed },
        (true, Unchanged | Changed, Absent) => Decision::DeleteFile { is_edited: ours == Changed },
        (true, Absent, Absent) => Decision::Forget,
        (false, Unchanged | Changed, Absent) => Decision::CreateArticle,
        (false, Absent, Unchanged | Changed) => Decision::CreateFile,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_decision() {
        use Decision::*;
        use SideState::{Absent, Changed, Unchanged};
        let states = [Absent, Unchanged, Changed];
        // Rows are our states, columns are theirs, in this order.
        let recorded = [
            [Forget, DeleteArticle { is_changed: false }, DeleteArticle { is_changed: true }],
            [DeleteFile { is_edited: false }, Nothing, TakeTheirs],
            [DeleteFile { is_edited: true }, TakeOurs, Merge],
        ];
        let unrecorded =
            [[Nothing, CreateFile, CreateFile], [CreateArticle, Merge, Merge], [CreateArticle, Merge, Merge]];
        for (is_recorded, table) in [(true, recorded), (false, unrecorded)] {
            for (ours, row) in states.into_iter().zip(table) {
                for (theirs, expected) in states.into_iter().zip(row) {
                    assert_eq!(
                        decide(is_recorded, ours, theirs),
                        expected,
                        "{is_recorded} {ours:?} {theirs:?}"
                    );
                }
            }
        }
    }
}
