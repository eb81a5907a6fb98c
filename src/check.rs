//! Reading everything a checkpoint holds, to know that nothing is damaged.

use crate::causes::in_one_line;
use crate::files::{FileError, Location, store};
use crate::source::{self, SourceError};

/// What a check found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// How messages call the checkpoint.
    pub origin: String,
    /// Variables in it, as far as its index can be read.
    pub variables: usize,
    /// Bytes of their values.
    pub bytes: u64,
    /// Everything that is wrong, a sentence each.
    pub findings: Vec<String>,
    /// Files beside it that no reader looks at, a sentence each: nothing is wrong with them.
    pub notes: Vec<String>,
}

/// Reads all of the checkpoint at `at`, however it was typed.
pub fn check(at: &Location) -> Result<Checked, SourceError> {
    let prefix = source::resolve(at)?;
    let format = source::format(&prefix)?;
    let mut checked = Checked {
        origin: prefix.to_string(),
        variables: 0,
        bytes: 0,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    if let Ok(reader) = (format.open)(&prefix) {
        let variables = &reader.catalog().variables;
        checked.variables = variables.len();
        let bytes = variables.values().map(crate::catalog::Variable::bytes);
        checked.bytes = bytes.fold(0, u64::saturating_add);
        checked.notes = strays(&prefix, &reader.files())?;
        checked.notes.extend(links(&reader.files())?);
    }
    (format.check)(&prefix, &mut |finding| checked.findings.push(in_one_line(&finding.error)))?;
    Ok(checked)
}

/// Files that have other names beside their own, a sentence each.
pub fn links(files: &[Location]) -> Result<Vec<String>, FileError> {
    let mut notes = Vec::new();
    for at in files {
        if let Some(links) = store(at).status(at)?.map(|status| status.links).filter(|&n| n > 1) {
            notes.push(format!(
                "`{at}` has {links} names: what is written into it under one of them is written \
                 into all; replacing or removing one leaves the others as they are"
            ));
        }
    }
    Ok(notes)
}

/// What runs that were killed left behind: data files that the index does not mention, and files
/// that never got their names.
fn strays(prefix: &Location, used: &[Location]) -> Result<Vec<String>, FileError> {
    let store = store(prefix);
    let mut data = store.list(&prefix.with_suffix(".data-"))?;
    data.retain(|at| !used.contains(at));
    let data = data.iter().map(|at| format!("`{at}` belongs to no tensor"));
    let scratch = store.abandoned(prefix)?;
    let scratch =
        scratch.iter().map(|at| format!("`{at}` was left behind by a run that was killed"));
    Ok(data.chain(scratch).collect())
}
