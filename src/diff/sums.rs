//! Checking every checksum before values are compared: bytes that are damaged are no difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::CompareError;
use crate::catalog::{Variable, VariableName};
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding};
use crate::workers;

/// What came of checking sums.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// Everything that cannot be read.
    pub(crate) findings: Vec<Finding>,
    damaged: BTreeSet<VariableName>,
}

impl Sums {
    /// Checks the sums of `names`. A tensor that cannot be used is a finding, and the others go on;
    /// a file that cannot be read ends it.
    pub(crate) fn check<'n>(
        &mut self,
        reader: &dyn CheckpointReader,
        names: impl IntoIterator<Item = &'n VariableName>,
        progress: &dyn Progress,
    ) -> Result<(), CompareError> {
        let variables = &reader.catalog().variables;
        let mut names: Vec<&VariableName> = names.into_iter().collect();
        names.sort_by_key(|name| variables.get(*name).map(Variable::position));
        let found = Mutex::new(BTreeMap::new());
        workers::each(
            names.len(),
            || (),
            |(), number| {
                if progress.cancelled() {
                    return Err(CompareError::Interrupted);
                }
                let Some(&name) = names.get(number) else { return Ok(()) };
                match reader.verify(name, &|bytes| progress.advance(bytes)) {
                    Ok(()) => Ok(()),
                    Err(error) if error.is_about_one_variable() => {
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.insert(number, (name, error));
                        Ok(())
                    }
                    Err(error) => Err(error.into()),
                }
            },
        )?;
        for (name, error) in
            found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values()
        {
            self.damaged.insert(name.clone());
            self.findings.push(Finding { variable: Some(name.as_str().to_owned()), error });
        }
        Ok(())
    }

    /// The variables that cannot be used, of those checked since this was asked last.
    pub(crate) fn take_damaged(&mut self) -> BTreeSet<VariableName> {
        std::mem::take(&mut self.damaged)
    }
}
