//! The checksum of a variable.

use super::error::ShowError;
use super::find::Found;
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::{Region, TensorSpec};

/// Bytes that are read and summed at once.
const BLOCK: u64 = 1 << 20;

/// A variable whose bytes are what they were when they were written.
#[derive(Debug, Clone)]
pub struct Checksum {
    /// The variable.
    pub name: VariableName,
    /// What it is.
    pub spec: TensorSpec,
    /// What the checkpoint has stored; `None` where it is another thing that is summed: slices,
    /// records, or numbers whose bytes stand the other way round.
    pub stored: Option<Crc>,
    /// What its bytes add up to, in storage form.
    pub computed: Crc,
}

/// Reads all of a variable, checks every checksum it has, and gives that of its bytes.
pub fn checksum(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    progress: &dyn Progress,
) -> Result<Checksum, ShowError> {
    let Found { name, variable, slice, .. } = found;
    if let Some(slice) = slice {
        return Err(ShowError::HashOfSlice(slice.clone()));
    }
    let spec = &variable.spec;
    verify(reader, found, progress)?;
    let stored = reader.extent(name)?.map(|(_, stored)| stored);
    let computed = match (stored, spec.dtype().size()) {
        (Some(proved), _) => proved,
        (None, Some(width)) => {
            let mut sum = Crc::default();
            blocks(reader, name, spec, width, progress, |bytes| {
                sum = sum.extend(bytes);
                Ok(())
            })?;
            sum
        }
        (None, None) => reader.read(name)?.checksum(),
    };
    Ok(Checksum { name: (*name).clone(), spec: spec.clone(), stored, computed })
}

/// Checks the checksums of a variable.
pub(super) fn verify(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    progress: &dyn Progress,
) -> Result<(), ShowError> {
    progress.begin(found.variable.bytes());
    reader.verify(found.name, &|bytes| progress.advance(bytes))?;
    if progress.cancelled() { Err(ShowError::Interrupted) } else { Ok(()) }
}

fn blocks(
    reader: &dyn CheckpointReader,
    name: &VariableName,
    spec: &TensorSpec,
    width: u64,
    progress: &dyn Progress,
    mut each: impl FnMut(&[u8]) -> Result<(), ShowError>,
) -> Result<(), ShowError> {
    let mut bytes = Vec::new();
    for region in Region::blocks(spec.shape(), BLOCK / width) {
        if progress.cancelled() {
            return Err(ShowError::Interrupted);
        }
        bytes.resize(usize::try_from(region.elements() * width).unwrap_or_default(), 0);
        reader.read_region(name, &region, &mut bytes)?;
        each(&bytes)?;
    }
    Ok(())
}
