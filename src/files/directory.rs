//! Directories made for files that may never come.

use std::fs;
use std::path::PathBuf;

/// Directories that were made on the way to a file. Dropped, it removes those that are still
/// empty, so that work which fails leaves none behind and work which succeeds keeps all.
#[derive(Debug, Default)]
#[must_use = "dropped at once, it removes the directories again"]
pub struct Directory {
    /// Outermost first.
    made: Vec<PathBuf>,
}

impl Directory {
    /// Answers for one more, inside the ones before.
    pub(super) fn push(&mut self, path: PathBuf) {
        self.made.push(path);
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for path in self.made.iter().rev() {
            // Refused where it is not empty, which is the point.
            if fs::remove_dir(path).is_err() {
                break;
            }
        }
    }
}
