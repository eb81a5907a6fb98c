//! How much memory values take on their way, so that it is known before anything is read.

use super::inputs::Stored;
use super::{ConvertError, Inputs};
use crate::catalog::Variable;
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
pub(super) fn way(assignment: &Assignment, inputs: &Inputs<'_>, share: u64) -> Way {
    let value = &assignment.value;
    let mut stored = inputs.all_stored(value);
    stored.sort_by_key(|(reader, name)| (!inputs.is_source(*reader), *name));
    stored.dedup_by_key(|(reader, name)| (!inputs.is_source(*reader), *name));
    let bytes = stored
        .iter()
        .filter_map(|(reader, name)| reader.catalog().variables.get(*name).map(Variable::bytes));
    let block = comfortable(&assignment.spec);
    let loaded = bytes.fold(beside(value, block, inputs), u64::saturating_add);
    if loaded <= share {
        return Way::Loaded(block);
    }
    let mut block = assignment.spec.bytes().unwrap_or_default().min(share);
    while block > LEAST && beside(value, block, inputs) > share {
        block /= 2;
    }
    Way::Streamed(block)
}

/// Bytes of a block of which there are enough rows.
fn comfortable(spec: &TensorSpec) -> u64 {
    let rows = spec.shape().dims().first().copied().unwrap_or(1).max(1);
    let row = spec.bytes().unwrap_or_default() / rows;
    row.saturating_mul(ROWS).clamp(BLOCK, LARGEST)
}

/// Bytes for a block of so many, and for what making it takes.
fn beside(value: &Value, block: u64, inputs: &Inputs<'_>) -> u64 {
    block.saturating_add(need(value, block, inputs))
}

/// Bytes that making a block of so many takes beside the block.
fn need(value: &Value, block: u64, inputs: &Inputs<'_>) -> u64 {
    match value {
        Value::Constant(_) => 0,
        Value::Variable(_) | Value::Template(_) => {
            // A part of a slice is read into memory of its own.
            let together = inputs.stored(value).is_none_or(lies_together);
            if together { 0 } else { block }
        }
        Value::Apply(transform, of) => {
            let Some(spec) = inputs.spec(of) else { return 0 };
            let cost = transform.op().cost(&spec, block);
            cost.own.saturating_add(need(of, cost.asked, inputs))
        }
        Value::Concat { parts, .. } => {
            let parts = parts.iter().map(|part| need(part, block, inputs));
            block.saturating_add(parts.max().unwrap_or_default())
        }
    }
}

/// Whether a variable's bytes stand in a file as they are.
fn lies_together((reader, name): Stored<'_, '_>) -> bool {
    matches!(reader.extent(name), Ok(Some(_)))
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
    let too_much = plan.assignments.iter().filter_map(|assignment| {
        let least = least(assignment, inputs);
        (least > share(budget)).then(|| (assignment, least.saturating_mul(threads)))
    });
    let mut first = None;
    let mut pass = 0;
    for (assignment, needed) in too_much {
        pass = pass.max(needed);
        first.get_or_insert((assignment, needed));
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
fn least(assignment: &Assignment, inputs: &Inputs<'_>) -> u64 {
    let value = &assignment.value;
    if assignment.spec.bytes().is_none() {
        // Elements with lengths of their own are read whole. Those that are not in storage form
        // are taken apart and put together.
        let bytes = inputs.variable(value).map_or(0, Variable::bytes).saturating_mul(2);
        let apart = inputs.stored(value).is_some_and(|stored| !lies_together(stored));
        let elements = if apart { assignment.spec.shape().elements() } else { 0 };
        return bytes.saturating_add(elements.saturating_mul(ELEMENT));
    }
    if inputs.taken_over(value).is_some() {
        return 0;
    }
    let element = assignment.spec.dtype().size().unwrap_or(1);
    let block = LEAST.min(assignment.spec.bytes().unwrap_or_default()).max(element);
    beside(value, block, inputs)
}
