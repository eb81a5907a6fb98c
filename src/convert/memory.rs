//! How much memory values take on their way, so that it is known before anything is read.

use super::inputs::Stored;
use super::{ConvertError, Inputs};
use crate::catalog::Variable;
use crate::object::Target;
use crate::plan::{Assignment, Plan, Value};
use crate::tensor::TensorSpec;
use crate::workers;

/// Bytes of a value that are worked out at a time from what is in memory: they stay in a
/// processor's cache until they are written.
const BLOCK: u64 = 1 << 20;

/// Rows that a block has at the least, where they are not too long: a transpose reads memory by
/// lines of a cache, and one that gets a few numbers of each line reads everything several times.
const ROWS: u64 = 16;

/// But a block is not made larger than this for them.
const LARGEST: u64 = 16 << 20;

/// A block is not made smaller than this, or one element: that would take forever.
const LEAST: u64 = 16 << 10;

/// A smaller budget is taken for this one: as much is used for buffers anyway.
const FLOOR: u64 = 1 << 20;

/// Bytes that it takes to keep an element of a length of its own apart.
const ELEMENT: u64 = 40;

/// Memory that was used before is used again for what needs no more than so much less.
const WASTE: usize = 1 << 20;

/// How a value is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// All that it is made of is read into memory first, each byte once; then blocks are made.
    Loaded(u64),
    /// In blocks of so many bytes, for each of which what it is made of is read.
    Streamed(u64),
}

/// What a single thread may take of the budget.
pub(super) fn share(budget: u64) -> u64 {
    budget.max(FLOOR) / workers::count() as u64
}

/// The best way to make a value in `share` bytes.
pub(super) fn way(
    assignment: &Assignment,
    inputs: &Inputs<'_>,
    share: u64,
) -> Result<Way, ConvertError> {
    let Assignment { target, value, .. } = assignment;
    let beside =
        |block: u64| need(target, value, block, inputs).map(|need| need.saturating_add(block));
    let mut stored = inputs.all_stored(value);
    stored.sort_by_key(|(reader, name)| (!inputs.is_source(*reader), *name));
    stored.dedup_by_key(|(reader, name)| (!inputs.is_source(*reader), *name));
    let block = comfortable(&assignment.spec);
    let mut loaded = beside(block)?;
    for (reader, name) in stored {
        let bytes = reader.catalog().variables.get(name).map_or(0, Variable::bytes);
        // What is put together of parts is there twice for a moment.
        let times = if lies_together(target, (reader, name))? { 1 } else { 2 };
        loaded = loaded.saturating_add(bytes.saturating_mul(times));
    }
    if loaded <= share {
        return Ok(Way::Loaded(block));
    }
    let mut block = assignment.spec.bytes().unwrap_or_default().min(share);
    while block > LEAST && beside(block)? > share {
        block /= 2;
    }
    Ok(Way::Streamed(block))
}

/// Bytes of a block of which there are enough rows.
fn comfortable(spec: &TensorSpec) -> u64 {
    let rows = spec.shape().dims().first().copied().unwrap_or(1).max(1);
    let row = spec.bytes().unwrap_or_default() / rows;
    row.saturating_mul(ROWS).clamp(BLOCK, LARGEST)
}

/// Bytes that making a block of so many takes beside the block.
fn need(
    target: &Target,
    value: &Value,
    block: u64,
    inputs: &Inputs<'_>,
) -> Result<u64, ConvertError> {
    Ok(match value {
        Value::Constant(_) => 0,
        Value::Variable(_) | Value::Template(_) => match inputs.stored(value) {
            // A part of a slice is read into memory of its own.
            Some(stored) if !lies_together(target, stored)? => block,
            _ => 0,
        },
        Value::Apply(transform, of) => {
            let Some(spec) = inputs.spec(of) else { return Ok(0) };
            let cost = transform.op().cost(&spec, block);
            cost.own.saturating_add(need(target, of, cost.asked, inputs)?)
        }
        Value::Concat { parts, .. } => {
            let mut most = 0;
            for part in parts {
                most = need(target, part, block, inputs)?.max(most);
            }
            block.saturating_add(most)
        }
    })
}

/// Whether a variable's bytes stand in a file as they are.
fn lies_together(target: &Target, (reader, name): Stored<'_, '_>) -> Result<bool, ConvertError> {
    Ok(reader.extent(name).map_err(ConvertError::read(target, name))?.is_some())
}

/// Makes room for exactly so many bytes, in memory that is there if it fits: never in two places at
/// a time, and never much more.
pub(super) fn room(buffer: &mut Vec<u8>, bytes: usize) {
    if buffer.capacity() < bytes || buffer.capacity() - bytes > WASTE {
        *buffer = Vec::new();
        buffer.reserve_exact(bytes);
    }
    buffer.resize(bytes, 0);
}

/// Refuses a plan with a value that cannot be made within the budget.
pub(super) fn check(plan: &Plan, inputs: &Inputs<'_>, budget: u64) -> Result<(), ConvertError> {
    let threads = workers::count() as u64;
    let mut first = None;
    let mut pass = 0;
    for assignment in &plan.assignments {
        let least = least(assignment, inputs)?;
        if least > share(budget) {
            let needed = least.saturating_mul(threads);
            pass = pass.max(needed);
            first.get_or_insert((assignment, needed));
        }
    }
    match first {
        Some((assignment, needed)) => {
            let target = assignment.target.clone();
            Err(ConvertError::Memory { target, needed, budget, pass })
        }
        None => Ok(()),
    }
}

/// Bytes without which a value cannot be made.
fn least(assignment: &Assignment, inputs: &Inputs<'_>) -> Result<u64, ConvertError> {
    let Assignment { target, value, spec, .. } = assignment;
    let Some(bytes) = spec.bytes() else {
        // Elements with lengths of their own are read whole. Those that are not in storage form
        // are taken apart and put together.
        let bytes = inputs.variable(value).map_or(0, Variable::bytes).saturating_mul(2);
        let apart = match inputs.stored(value) {
            Some(stored) if !lies_together(target, stored)? => spec.shape().elements(),
            _ => 0,
        };
        return Ok(bytes.saturating_add(apart.saturating_mul(ELEMENT)));
    };
    if inputs.taken_over(value).is_some() {
        return Ok(0);
    }
    let block = LEAST.min(bytes).max(spec.dtype().size().unwrap_or(1));
    Ok(need(target, value, block, inputs)?.saturating_add(block))
}
