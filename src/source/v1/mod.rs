//! The V1 format: what TensorFlow wrote before 0.12, and still writes where it is told to.
//!
//! ```text
//! P                  a table: "" → variables with shape, type and slices
//!                    name and slice → the values of that slice, as a message
//! P-00000-of-00002 ┐ the same in several files, each a table of its own that lists
//! P-00001-of-00002 ┘ what is in it; a variable may have slices in all of them
//! ```
//! The files are mapped, as values stand inside of messages inside of blocks. Opening reads the
//! lists, the small scalars and the `.meta`. A block is summed when something in it is wanted.

mod check;
mod content;
mod encoding;
mod meta;
mod names;
mod record;
mod shards;
#[cfg(test)]
mod tests;
mod values;
mod wire;

use std::collections::BTreeMap;

use content::{Content, Piece, United};
use encoding::Encoding;
use shards::Shards;

use super::error::{RecordError, SourceError, TensorError};
use super::spoiled;
use super::stitch::{self, Layout, Stitched};
use super::{CheckpointReader, Format, meta as graph_file};
use crate::catalog::{Catalog, Facts, Storage, Variable, VariableName};
use crate::crc::Crc;
use crate::files::{Extent, Location, store};
use crate::tensor::{Region, Tensor, strings};

pub(super) use names::{Sharded, checkpoints, is_table, sets};

/// Tables that hold values.
pub(super) const FORMAT: Format = Format { name: "V1 table", detect, open, check: check::check };

/// At most so many scalars are read when a checkpoint is opened.
const MAX_SCALARS: usize = 4096;

/// An open V1 checkpoint.
#[derive(Debug)]
struct V1 {
    /// What it was opened as.
    name: Location,
    /// The same without the pattern that stands for several files.
    prefix: Location,
    files: Vec<Location>,
    catalog: Catalog,
    variables: BTreeMap<VariableName, Stitched<Piece>>,
    shards: Shards,
}

/// A checkpoint in several files, if that is what `name` is the name of.
fn several(name: &Location) -> Result<Option<Sharded>, SourceError> {
    let sharded = Sharded::of(name).filter(|sharded| sharded.all);
    // A file may be called so too.
    Ok(if store(name).status(name)?.is_some() { None } else { sharded })
}

fn detect(name: &Location) -> Result<bool, SourceError> {
    Ok(several(name)?.is_some() || is_table(name)?)
}

fn open(name: &Location) -> Result<Box<dyn CheckpointReader>, SourceError> {
    let several = several(name)?;
    let mut shards = Shards::new();
    let mut files = Vec::new();
    match &several {
        None => files.push(name.clone()),
        Some(sharded) => {
            for file in sharded.files() {
                if store(&file).status(&file)?.is_none() {
                    return Err(SourceError::missing(&file, name));
                }
                files.push(file);
            }
        }
    }
    for file in &files {
        shards.add(file.clone())?;
    }
    let content = Content::read(&shards, &mut Err)?;
    let United { variables, unnamable, joined } = content.unite();
    let prefix = several.map_or_else(|| name.clone(), |sharded| sharded.prefix);
    let mut facts = Facts::default();
    graph_file::read(&prefix, &mut facts);
    spoiled::rename(&joined, &mut facts);
    facts.notes.extend(stitch::flaws(&variables));
    let listed = variables.iter().map(|(name, variable)| {
        let storage = Storage::Records(variable.slices());
        (name.clone(), Variable { spec: variable.spec.clone(), storage, parts: variable.rows() })
    });
    let catalog = Catalog {
        origin: name.to_string(),
        format: FORMAT.name,
        shards: u32::try_from(files.len()).unwrap_or(u32::MAX),
        variables: listed.collect(),
        unnamable,
        graph: None,
        facts,
    };
    let mut open = V1 { name: name.clone(), prefix, files, catalog, variables, shards };
    open.catalog.facts.scalars = open.scalars();
    Ok(Box::new(open))
}

impl V1 {
    /// A variable, and where its slices lie.
    fn variable(&self, name: &VariableName) -> Result<(&Stitched<Piece>, Layout<'_>), SourceError> {
        let absent = || SourceError::NoVariable { path: self.name.clone(), name: name.clone() };
        let variable = self.variables.get(name).ok_or_else(absent)?;
        if Encoding::of(variable.spec.dtype()).is_none() {
            let error = RecordError::DType(variable.spec.dtype());
            return Err(self.unfit(name, error.into()));
        }
        let flawed = |flaw| SourceError::slices(&self.name, name, flaw);
        Ok((variable, variable.layout().map_err(flawed)?))
    }

    fn unfit(&self, name: &VariableName, error: TensorError) -> SourceError {
        SourceError::whole(&self.name, name, error)
    }

    /// The values of small variables, as far as they can be read.
    fn scalars(&self) -> BTreeMap<VariableName, Tensor<'static>> {
        let small = self.variables.iter().filter(|(_, variable)| {
            variable.spec.shape().rank() == 0 && variable.spec.bytes().is_some()
        });
        let read = |(name, _): (&VariableName, _)| Some((name.clone(), self.read(name).ok()?));
        small.take(MAX_SCALARS).filter_map(read).collect()
    }

    /// A variable of strings.
    fn strings(
        &self,
        name: &VariableName,
        variable: &Stitched<Piece>,
        layout: Layout<'_>,
    ) -> Result<Vec<u8>, SourceError> {
        let record = |piece| self.shards.record(name, &variable.spec, piece);
        let records = variable.parts.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let elements = records.iter().map(|record| record.strings(name));
        let elements = elements.collect::<Result<Vec<_>, _>>()?;
        Ok(strings::encode(&layout.elements(variable.spec.shape(), &elements)))
    }
}

impl CheckpointReader for V1 {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn prefix(&self) -> &Location {
        &self.prefix
    }

    fn files(&self) -> Vec<Location> {
        self.files.clone()
    }

    fn read(&self, name: &VariableName) -> Result<Tensor<'static>, SourceError> {
        let (variable, layout) = self.variable(name)?;
        let spec = &variable.spec;
        let bytes = match spec.bytes() {
            Some(len) => stitch::whole(self, name, spec, len)?,
            None => self.strings(name, variable, layout)?,
        };
        Tensor::new(spec.clone(), bytes).map_err(|error| self.unfit(name, error.into()))
    }

    fn read_region(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let (variable, layout) = self.variable(name)?;
        let spec = &variable.spec;
        let unfit = || self.unfit(name, TensorError::Region);
        let width = variable.width(region, out).ok_or_else(unfit)?;
        layout.read(region, width, out, |part, region, out| match variable.parts.get(part) {
            Some(piece) => self.shards.record(name, spec, piece)?.read(name, region, out),
            None => Ok(()),
        })
    }

    /// Advances by the bytes of values, in storage form.
    fn verify(&self, name: &VariableName, advance: &dyn Fn(u64)) -> Result<(), SourceError> {
        let (variable, _) = self.variable(name)?;
        let width = variable.spec.dtype().size().unwrap_or_default();
        variable.parts.iter().try_for_each(|piece| {
            let record = self.shards.record(name, &variable.spec, piece)?;
            advance(record.elements().saturating_mul(width));
            Ok(())
        })
    }

    fn extent(&self, name: &VariableName) -> Result<Option<(Extent, Crc)>, SourceError> {
        self.variable(name).map(|_| None)
    }
}
