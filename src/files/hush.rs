//! Standard error closed for a while to what writes there past everybody.

use std::fs::File;
use std::os::fd::OwnedFd;

/// Until it is dropped, what is written to standard error is lost.
#[derive(Debug)]
pub(crate) struct Hush {
    before: Option<OwnedFd>,
}

impl Hush {
    /// Where it cannot be done, nothing is: messages are not worth an error.
    pub(crate) fn new() -> Self {
        let nowhere = File::options().write(true).open("/dev/null").ok();
        let before = rustix::io::dup(rustix::stdio::stderr()).ok();
        let pair = nowhere.zip(before);
        let before = pair.and_then(|(nowhere, before)| {
            rustix::stdio::dup2_stderr(&nowhere).ok()?;
            Some(before)
        });
        Self { before }
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = rustix::stdio::dup2_stderr(before);
        }
    }
}
