//! An error together with everything behind it.

use std::error::Error;
use std::iter::successors;

/// The error and its causes, outermost first, in one line.
pub(crate) fn in_one_line(error: &dyn Error) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
