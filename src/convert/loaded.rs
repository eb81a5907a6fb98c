//! Variables that are wholly in memory, because something is made of them just now.

use std::collections::BTreeMap;

use super::error::agree;
use super::inputs::Stored;
use super::{ConvertError, Inputs, memory};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::Extent;
use crate::object::Target;
use crate::source::CheckpointReader;

/// Bytes that are read and summed at a time.
const BLOCK: usize = 512 << 10;

/// Values of variables: of the source, which is `true`, and of the template.
#[derive(Debug, Default)]
pub(crate) struct Loaded<'p> {
    values: BTreeMap<(bool, &'p VariableName), Vec<u8>>,
    /// Memory that can be used again: the system takes long to give more.
    spare: Vec<u8>,
}

impl<'p> Loaded<'p> {
    /// A variable's bytes in storage form, if they are here.
    pub(crate) fn get<'s>(
        &'s self,
        inputs: &Inputs<'_>,
        (reader, name): Stored<'_, 's>,
    ) -> Option<&'s [u8]> {
        self.values.get(&(inputs.is_source(reader), name)).map(Vec::as_slice)
    }

    /// Reads the variables that something called `target` is made of, and forgets all others.
    pub(super) fn load(
        &mut self,
        target: &Target,
        wanted: &[Stored<'p, 'p>],
        inputs: &Inputs<'p>,
        verify: bool,
    ) -> Result<(), ConvertError> {
        let key = |&(reader, name): &Stored<'p, 'p>| (inputs.is_source(reader), name);
        let keys: Vec<_> = wanted.iter().map(key).collect();
        let (keep, forget) =
            std::mem::take(&mut self.values).into_iter().partition(|(key, _)| keys.contains(key));
        self.values = keep;
        let forget: BTreeMap<_, Vec<u8>> = forget;
        if let Some(largest) = forget.into_values().max_by_key(Vec::capacity) {
            self.spare = largest;
        }
        for (key, (reader, name)) in keys.into_iter().zip(wanted) {
            if !self.values.contains_key(&key) {
                let bytes = self.read(target, *reader, name, verify)?;
                self.values.insert(key, bytes);
            }
        }
        // What was not used now is too small or too large for what comes next, too.
        self.spare = Vec::new();
        Ok(())
    }

    fn read(
        &mut self,
        target: &Target,
        reader: &dyn CheckpointReader,
        name: &VariableName,
        verify: bool,
    ) -> Result<Vec<u8>, ConvertError> {
        let read = || ConvertError::read(target, name);
        let mut bytes = std::mem::take(&mut self.spare);
        let Some((Extent { blob, offset, len }, crc)) = reader.extent(name).map_err(read())? else {
            drop(bytes);
            return Ok(reader.read(name).map_err(read())?.into_data());
        };
        // It fits the budget, or it would not be loaded.
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        memory::room(&mut bytes, len);
        let mut sum = Crc::default();
        let mut at = offset;
        for block in bytes.chunks_mut(BLOCK) {
            blob.read_at(at, block).map_err(ConvertError::read(target, name))?;
            at += block.len() as u64;
            if verify {
                sum = sum.extend(block);
            }
        }
        if verify {
            agree(target, (reader, name), crc, sum)?;
        }
        Ok(bytes)
    }
}
