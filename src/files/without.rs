//! What stands in for buckets where they were not built in.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use super::{
    Action, Blob, Claim, Directory, FileError, Location, Mapped, Share, Shared, Staged, Status,
    Store, Turn,
};

/// Refuses everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithoutBuckets;

fn refused<T>(action: Action, at: &Location) -> Result<T, FileError> {
    let what = "this `ckptmap` was built without buckets: build one that has them with \
                `cargo install --path . --features cloud`";
    Err(FileError::new(action, at)(io::Error::new(ErrorKind::Unsupported, what)))
}

impl Store for WithoutBuckets {
    fn status(&self, at: &Location) -> Result<Option<Status>, FileError> {
        refused(Action::Look, at)
    }

    fn open(&self, at: &Location) -> Result<Arc<dyn Blob>, FileError> {
        refused(Action::Open, at)
    }

    fn map(&self, at: &Location) -> Result<Mapped, FileError> {
        refused(Action::Open, at)
    }

    fn list(&self, prefix: &Location) -> Result<Vec<Location>, FileError> {
        refused(Action::List, prefix)
    }

    fn directory(&self, at: &Location) -> Result<Directory, FileError> {
        refused(Action::MakeDirectory, at)
    }

    fn stage(&self, near: &Location) -> Result<Box<dyn Staged>, FileError> {
        refused(Action::Create, near)
    }

    fn share(&self, _: &dyn Blob, near: &Location, _: Share) -> Result<Shared, FileError> {
        refused(Action::Copy, near)
    }

    fn settle(&self, at: &Location) -> Result<(), FileError> {
        refused(Action::Sync, at)
    }

    fn turn(&self, _: &Location) -> Option<Turn> {
        None
    }

    fn claim(&self, at: &Location) -> Result<Option<Claim>, FileError> {
        refused(Action::Create, at)
    }

    fn remove(&self, at: &Location) -> Result<(), FileError> {
        refused(Action::Remove, at)
    }

    fn abandoned(&self, near: &Location) -> Result<Vec<Location>, FileError> {
        refused(Action::List, near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{read_all, store};

    #[test]
    fn it_says_what_to_build() {
        let Ok(at) = "s3://bucket/m".parse::<Location>();
        let refused = store(&at).status(&at).unwrap_err();
        assert_eq!(refused.to_string(), "cannot look at `s3://bucket/m`");
        assert!(refused.source.to_string().ends_with("--features cloud`"));
        assert!(read_all(&at, 1).is_err() && store(&at).turn(&at).is_none());
    }
}
