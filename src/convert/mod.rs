//! Carrying out a plan: each value is taken over as it lies in the source, or pulled block by
//! block through its transforms. Nothing is visible at the destination before everything has been
//! read, summed and written.

pub(crate) mod pull;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::catalog::{Variable, VariableName};
use crate::crc::Crc;
use crate::files::Extent;
use crate::object::Target;
use crate::plan::{Assignment, Plan, Value};
use crate::progress::Progress;
use crate::source::{CheckpointReader, SourceError};
use crate::target::{CheckpointWriter, Committed, TargetError};
use crate::tensor::Region;
use crate::transform::TransformError;

/// Bytes of a value that are in memory at a time, before its transforms take their share.
const BLOCK: u64 = 8 << 20;

/// What a plan reads from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The checkpoint that is converted.
    pub source: &'a dyn CheckpointReader,
    /// The template, if there is one.
    pub template: Option<&'a dyn CheckpointReader>,
}

impl<'a> Inputs<'a> {
    /// The stored variable at the bottom of a value, and who reads it; `None` for a constant.
    pub(crate) fn stored<'v>(
        &self,
        value: &'v Value,
    ) -> Option<(&'a dyn CheckpointReader, &'v VariableName)> {
        match value {
            Value::Variable(name) => Some((self.source, name)),
            Value::Template(name) => Some((self.template?, name)),
            Value::Constant(_) => None,
            Value::Apply(_, of) => self.stored(of),
            Value::Concat { parts, .. } => parts.iter().find_map(|part| self.stored(part)),
        }
    }

    /// Every stored variable of a value, first to last.
    pub(crate) fn all_stored<'v>(
        &self,
        value: &'v Value,
    ) -> Vec<(&'a dyn CheckpointReader, &'v VariableName)> {
        match value {
            Value::Concat { parts, .. } => {
                parts.iter().flat_map(|part| self.all_stored(part)).collect()
            }
            Value::Apply(_, of) => self.all_stored(of),
            _ => self.stored(value).into_iter().collect(),
        }
    }

    /// What is known of that variable.
    fn variable(&self, value: &Value) -> Option<&'a Variable> {
        let (reader, name) = self.stored(value)?;
        reader.catalog().variables.get(name)
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// What was written.
    pub written: Committed,
    /// Bytes of values in it.
    pub bytes: u64,
}

/// Why a plan could not be carried out; nothing has been changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The source could not be read.
    #[error("cannot make `{target}` of `{variable}`")]
    Source {
        /// What was being made.
        target: Target,
        /// What it is made of.
        variable: VariableName,
        /// Why not.
        source: Box<SourceError>,
    },
    /// A transform failed on the way.
    #[error("cannot make `{target}`")]
    Transform {
        /// What was being made.
        target: Target,
        /// Why not.
        source: TransformError,
    },
    /// A value could not be written.
    #[error("cannot write `{target}`")]
    Write {
        /// What was being written.
        target: Target,
        /// Why not.
        source: TargetError,
    },
    /// The result could not be put in place.
    #[error("cannot put the result in place")]
    Commit(#[source] TargetError),
    /// The caller asked to stop.
    #[error("interrupted; nothing was written")]
    Interrupted,
}

/// Carries out `plan`.
pub fn convert(
    plan: &Plan,
    inputs: &Inputs<'_>,
    mut writer: Box<dyn CheckpointWriter>,
    progress: &dyn Progress,
) -> Result<Conversion, ConvertError> {
    let bytes: u64 = plan.assignments.iter().map(|assignment| bytes(assignment, inputs)).sum();
    progress.begin(bytes);
    let mut work = Work { inputs, writer: writer.as_mut(), progress, verified: BTreeSet::new() };
    for assignment in in_source_order(plan, inputs) {
        work.write(assignment)?;
    }
    for (alias, target) in &plan.aliases {
        writer
            .alias(alias, target)
            .map_err(|source| ConvertError::Write { target: alias.clone(), source })?;
    }
    let committed = |source| match source {
        TargetError::Interrupted => ConvertError::Interrupted,
        source => ConvertError::Commit(source),
    };
    let go_on = || proceed(progress);
    writer.sync(&go_on).map_err(committed)?;
    let written = writer.finish(plan.graph.as_ref(), &go_on).map_err(committed)?;
    Ok(Conversion { written, bytes })
}

/// Assignments in the order in which their values lie in the source, so that what is taken over is
/// read from front to back; constants first, the template's values last.
fn in_source_order<'p>(plan: &'p Plan, inputs: &Inputs<'_>) -> Vec<&'p Assignment> {
    let place = |assignment: &'p Assignment| {
        let position = inputs.variable(&assignment.value).map(Variable::position);
        // V1 tables are sorted by name.
        let source = assignment.value.sources().first().copied();
        (matches!(assignment.value, Value::Template(_)), position, source)
    };
    let mut placed: Vec<_> =
        plan.assignments.iter().map(|assignment| (place(assignment), assignment)).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, assignment)| assignment).collect()
}

fn bytes(assignment: &Assignment, inputs: &Inputs<'_>) -> u64 {
    let stored = || inputs.variable(&assignment.value).map(Variable::bytes).unwrap_or_default();
    assignment.spec.bytes().unwrap_or_else(stored)
}

fn proceed(progress: &dyn Progress) -> ControlFlow<()> {
    if progress.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

struct Work<'w> {
    inputs: &'w Inputs<'w>,
    writer: &'w mut dyn CheckpointWriter,
    progress: &'w dyn Progress,
    /// Source variables that are known to be sound: one may go to several targets in parts.
    verified: BTreeSet<VariableName>,
}

impl Work<'_> {
    fn write(&mut self, assignment: &Assignment) -> Result<(), ConvertError> {
        if self.progress.cancelled() {
            return Err(ConvertError::Interrupted);
        }
        let read = |variable: &VariableName| {
            let (target, variable) = (assignment.target.clone(), variable.clone());
            move |source| ConvertError::Source { target, variable, source: Box::new(source) }
        };
        let taken_over = matches!(assignment.value, Value::Variable(_) | Value::Template(_));
        if let Some((reader, name)) = self.inputs.stored(&assignment.value).filter(|_| taken_over) {
            if let Some((extent, crc)) = reader.extent(name).map_err(read(name))? {
                return self.adopt(assignment, (reader, name), &extent, crc);
            }
            if assignment.spec.bytes().is_none() {
                let tensor = reader.read(name).map_err(read(name))?;
                self.progress.advance(tensor.data().len() as u64);
                let put = self.writer.put(&assignment.target, &tensor);
                return put.map_err(|source| failed(assignment, source));
            }
        }
        for (reader, name) in self.inputs.all_stored(&assignment.value) {
            let is_source = std::ptr::addr_eq(reader, self.inputs.source);
            if is_source && !self.verified.insert(name.clone()) {
                continue;
            }
            // Blocks are read without their sum, so it is checked by itself before.
            reader.verify(name, &|_| ()).map_err(read(name))?;
        }
        self.pull(assignment)
    }

    fn adopt(
        &mut self,
        assignment: &Assignment,
        (reader, name): (&dyn CheckpointReader, &VariableName),
        extent: &Extent,
        crc: Crc,
    ) -> Result<(), ConvertError> {
        let progress = self.progress;
        let mut advance = |bytes| {
            progress.advance(bytes);
            proceed(progress)
        };
        let target = &assignment.target;
        let adopted = self.writer.adopt(target, &assignment.spec, extent, crc, &mut advance);
        match adopted {
            Err(TargetError::Checksum { .. } | TargetError::Data { .. }) => {
                // The writer knows the bytes are wrong; the reader knows whose they are.
                let reread = reader.verify(name, &|_| ());
                reread.map_err(|source| ConvertError::Source {
                    target: target.clone(),
                    variable: name.clone(),
                    source: Box::new(source),
                })
            }
            _ => Ok(()),
        }?;
        adopted.map_err(|source| failed(assignment, source))
    }

    fn pull(&mut self, assignment: &Assignment) -> Result<(), ConvertError> {
        let Assignment { target, spec, value, .. } = assignment;
        let transform = |source| ConvertError::Transform { target: target.clone(), source };
        let mut regions = pull::regions(value, self.inputs).map_err(transform)?;
        let size = spec.dtype().size().unwrap_or(1);
        let mut sink =
            self.writer.begin(target, spec).map_err(|source| failed(assignment, source))?;
        let mut block = Vec::new();
        for region in Region::blocks(spec.shape(), BLOCK / size) {
            if self.progress.cancelled() {
                return Err(ConvertError::Interrupted);
            }
            let bytes = region.elements() * size;
            // At most `BLOCK`, or one element.
            block.resize(usize::try_from(bytes).unwrap_or(usize::MAX), 0);
            regions.read(&region, &mut block).map_err(transform)?;
            sink.write(&block).map_err(|source| failed(assignment, source))?;
            self.progress.advance(bytes);
        }
        sink.finish().map_err(|source| failed(assignment, source))
    }
}

fn failed(assignment: &Assignment, source: TargetError) -> ConvertError {
    match source {
        TargetError::Interrupted => ConvertError::Interrupted,
        source => ConvertError::Write { target: assignment.target.clone(), source },
    }
}
