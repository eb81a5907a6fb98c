//! A bundle read by a real TensorFlow: values come from its `RestoreV2`, checksums are checked by
//! its own code. Which variables there are, and of which types and shapes, is known from the index
//! as [`open`](super::open) reads it: no op of TensorFlow lists a bundle.
//!
//! TensorFlow ends the process on indices that make no sense, so that only bundles that our own
//! reader has opened come this far. A tensor is in memory as a whole, as TensorFlow hands it out;
//! never two at a time.

mod base64;
mod library;
mod restore;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CheckpointReader, SourceError, TensorError};
use crate::catalog::{Catalog, VariableName};
use crate::crc::Crc;
use crate::files::{Extent, Location};
use crate::tensor::{Region, Tensor};

pub use library::{LibraryError, load};
use restore::Restore;

/// A checkpoint that TensorFlow reads.
#[derive(Debug)]
pub struct TensorflowReader<'i> {
    /// What tells which variables there are.
    inner: &'i dyn CheckpointReader,
    version: String,
    not_judged: Vec<VariableName>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    restore: Restore,
    /// What was read last: parts are asked for one after the other.
    last: Option<(VariableName, Tensor<'static>)>,
}

impl<'i> TensorflowReader<'i> {
    /// Lets TensorFlow read what `inner` has opened; its library must have been [loaded](load).
    pub fn new(inner: &'i dyn CheckpointReader) -> Result<Self, LibraryError> {
        let version = library::version()?;
        let mut restore = Restore::new(&inner.prefix().to_string())?;
        let variables = inner.catalog().variables.iter();
        let not_judged = variables
            .filter(|(_, variable)| !restore.knows(variable.spec.dtype()))
            .map(|(name, _)| name.clone())
            .collect();
        let state = Mutex::new(State { restore, last: None });
        Ok(Self { inner, version, not_judged, state })
    }

    /// The version of TensorFlow that reads.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Variables of types that TensorFlow has no op to hand out: our own reader reads them.
    pub fn not_judged(&self) -> &[VariableName] {
        &self.not_judged
    }

    fn is_judged(&self, name: &VariableName) -> bool {
        self.not_judged.binary_search(name).is_err()
    }

    /// The variable, in `state` behind the lock.
    fn fetch(&self, name: &VariableName) -> Result<MutexGuard<'_, State>, SourceError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.as_ref().is_some_and(|(last, _)| last == name) {
            return Ok(state);
        }
        let prefix = self.inner.prefix();
        let variable =
            self.inner.catalog().variables.get(name).ok_or_else(|| SourceError::NoVariable {
                path: prefix.clone(),
                name: name.clone(),
            })?;
        state.last = None;
        let tensor = state.restore.tensor(name.as_str(), &variable.spec).map_err(|said| {
            let version = self.version.clone();
            SourceError::whole(prefix, name, TensorError::TensorFlow { version, said })
        })?;
        state.last = Some((name.clone(), tensor));
        Ok(state)
    }
}

impl CheckpointReader for TensorflowReader<'_> {
    fn catalog(&self) -> &Catalog {
        self.inner.catalog()
    }

    fn prefix(&self) -> &Location {
        self.inner.prefix()
    }

    fn files(&self) -> Vec<Location> {
        self.inner.files()
    }

    fn read(&self, name: &VariableName) -> Result<Tensor<'static>, SourceError> {
        if !self.is_judged(name) {
            return self.inner.read(name);
        }
        let mut state = self.fetch(name)?;
        let last = state.last.take().map(|(_, tensor)| tensor);
        let prefix = self.inner.prefix();
        last.ok_or_else(|| SourceError::NoVariable { path: prefix.clone(), name: name.clone() })
    }

    fn read_region(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        if !self.is_judged(name) {
            return self.inner.read_region(name, region, out);
        }
        let state = self.fetch(name)?;
        let part = state.last.as_ref().and_then(|(_, tensor)| part(tensor, region, out));
        part.ok_or_else(|| SourceError::whole(self.inner.prefix(), name, TensorError::Region))
    }

    fn verify(&self, name: &VariableName, advance: &dyn Fn(u64)) -> Result<(), SourceError> {
        if !self.is_judged(name) {
            return self.inner.verify(name, advance);
        }
        // TensorFlow checks the sum of whatever it reads.
        let state = self.fetch(name)?;
        advance(state.last.as_ref().map_or(0, |(_, tensor)| tensor.data().len() as u64));
        Ok(())
    }

    fn extent(&self, _: &VariableName) -> Result<Option<(Extent, Crc)>, SourceError> {
        // Nobody shall read past TensorFlow.
        Ok(None)
    }
}

/// Copies a part of a tensor.
fn part(tensor: &Tensor<'_>, region: &Region, out: &mut [u8]) -> Option<()> {
    let (spec, data) = (tensor.spec(), tensor.data());
    let size = spec.dtype().size()?;
    let bytes = |elements: u64| usize::try_from(elements.checked_mul(size)?).ok();
    let mut rest = &mut *out;
    let copied = region.for_each_run(spec.shape(), |offset, len| {
        let run = || data.get(bytes(offset)?..)?.get(..bytes(len)?);
        let run = run().ok_or(())?;
        let (now, later) = std::mem::take(&mut rest).split_at_mut_checked(run.len()).ok_or(())?;
        now.copy_from_slice(run);
        rest = later;
        Ok::<(), ()>(())
    });
    (copied.is_ok() && rest.is_empty()).then_some(())
}
