//! Carrying out a plan: each value is taken over as it lies in the source, or pulled block by
//! block through its transforms. Nothing is visible at the destination before everything has been
//! read, summed and written.
//!
//! ```text
//!                    ┌─► copy   stretches of files, block by block       ┐
//!  plan ──► layout ──┤                                                   ├──► write, seal, finish
//!   where all        └─► fill   loaded or streamed, pulled in blocks     ┘
//!   will lie                    through transforms, within a budget
//! ```

mod copy;
mod error;
mod fill;
mod inputs;
mod layout;
mod loaded;
mod memory;
pub(crate) mod pull;

use crate::catalog::Variable;
use crate::files::Share;
use crate::plan::{Assignment, Plan};
use crate::progress::Progress;
use crate::target::{CheckpointWriter, Committed, TargetError, unless};

pub use error::ConvertError;
pub use inputs::Inputs;
pub(crate) use loaded::Loaded;

/// How a plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes of values that may be in memory at a time; less than 1 MiB counts as that. What only
    /// travels takes none of it.
    pub memory: u64,
    /// Whether the checksum of every value that is read is checked; without, damage goes over into
    /// the result, where what was only copied still has its old sum and can be told.
    pub verify: bool,
    /// Whether data files of the source become data files of the result, without a copy.
    pub share: Option<Sharing>,
}

/// How data files are to be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// In which way at best; where a link is refused, blocks are shared.
    pub how: Share,
    /// Whether it is an error if it cannot be done; else files are copied.
    pub required: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory: 256 << 20, verify: true, share: None }
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

/// Carries out `plan`.
pub fn convert(
    plan: &Plan,
    inputs: &Inputs<'_>,
    mut writer: Box<dyn CheckpointWriter>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Conversion, ConvertError> {
    memory::check(plan, inputs, options.memory)?;
    let bytes = plan.assignments.iter().map(|assignment| bytes(assignment, inputs));
    let bytes = bytes.fold(0, u64::saturating_add);
    progress.begin(bytes);
    let layout = layout::lay_out(plan, inputs, writer.as_mut(), options, progress)?;
    copy::copy(&layout.copies, writer.as_ref(), options, progress)?;
    let sums = fill::fill(&layout.fills, inputs, writer.as_ref(), options, progress)?;
    let copied = layout.copies.iter().filter(|copy| copy.to.is_some());
    let copied = copied.map(|copy| (copy.target, copy.crc));
    let filled = layout.fills.iter().zip(sums).map(|(fill, sum)| (&fill.assignment.target, sum));
    for (target, crc) in copied.chain(filled) {
        writer.seal(target, crc).map_err(ConvertError::write(target))?;
    }
    for (alias, target) in &plan.aliases {
        writer.alias(alias, target).map_err(ConvertError::write(alias))?;
    }
    let committed = |source| match source {
        TargetError::Interrupted => ConvertError::Interrupted,
        source => ConvertError::Commit(source),
    };
    let go_on = || unless(progress.cancelled());
    writer.sync(&go_on).map_err(committed)?;
    let mut written = writer.finish(plan.graph.as_ref(), &go_on).map_err(committed)?;
    written.notes.splice(0..0, layout.notes);
    Ok(Conversion { written, bytes })
}

fn bytes(assignment: &Assignment, inputs: &Inputs<'_>) -> u64 {
    let stored = || inputs.variable(&assignment.value).map(Variable::bytes).unwrap_or_default();
    assignment.spec.bytes().unwrap_or_else(stored)
}
