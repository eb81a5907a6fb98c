//! Which versions of the two formats are read; both say it in the same message.

use super::error::IndexError;
use crate::proto::VersionDef;

/// The version that this code reads.
const CONSUMER: i32 = 1;

/// Refuses what was written for later readers. Who wrote it does not matter, nor whether anything
/// is said at all.
pub(super) fn check(version: &VersionDef) -> Result<(), IndexError> {
    let &VersionDef { producer, min_consumer, ref bad_consumers } = version;
    let needed = if bad_consumers.contains(&CONSUMER) { CONSUMER + 1 } else { min_consumer };
    if needed > CONSUMER { Err(IndexError::Version { producer, needed }) } else { Ok(()) }
}
