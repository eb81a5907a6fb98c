//! The gates of a recurrent cell in another order.

use std::fmt;

use super::strip::{self, Move};
use super::{Along, Cost, Op, Regions, Transform, TransformError, add, axis, block, numbers, view};
use crate::tensor::{Region, TensorSpec};

/// `gates: {order: [0, 2, 1, 3], add: [0, 1, 0, 0]}`: the axis, the last unless another is named,
/// consists of as many blocks of one size; block k of the output is block `order[k]` of the input
/// plus `add[k]`. That is how the gates of a TF1 cell, whose forget bias is added at run time,
/// become those of a Keras one.
#[derive(Debug, Clone, PartialEq)]
pub struct Gates {
    axis: i64,
    order: Vec<usize>,
    /// Empty if nothing is added.
    add: Vec<f64>,
}

impl Gates {
    /// An empty `add` adds nothing; the error says why an argument makes no sense.
    pub fn new(axis: i64, order: Vec<usize>, add: Vec<f64>) -> Result<Self, String> {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted.is_empty() {
            return Err("the order of the gates must stand here".to_owned());
        }
        if sorted.into_iter().ne(0..order.len()) {
            let last = order.len() - 1;
            return Err(format!("every gate from 0 to {last} must stand in `order` once"));
        }
        if !add.is_empty() && add.len() != order.len() {
            return Err(format!("`add` has {} numbers for {} gates", add.len(), order.len()));
        }
        if let Some(number) = add.iter().find(|number| !number.is_finite()) {
            return Err(format!("{number} cannot be added"));
        }
        let add = if add.iter().all(|&number| number == 0.0) { Vec::new() } else { add };
        Ok(Self { axis, order, add })
    }

    /// The axis and the size of one block.
    fn blocks(&self, input: &TensorSpec) -> Result<(usize, u64), TransformError> {
        let (axis, size) = axis::one(self, input, self.axis)?;
        let count = self.order.len();
        match u64::try_from(count) {
            Ok(blocks) if size.is_multiple_of(blocks) => Ok((axis, size / blocks.max(1))),
            _ => {
                let reason = format!("axis {axis} has size {size}, no multiple of {count} gates");
                Err(TransformError::fit(self, input, reason))
            }
        }
    }

    /// Adds a number to rows that are where they belong.
    fn raise(
        &self,
        number: f64,
        (spec, out, axis): (&TensorSpec, &Region, usize),
        rows: Move,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let size = block::size(self, spec)?;
        let row = block::inner(out, axis).saturating_mul(size);
        let bytes = |rows: u64| view::number(rows).saturating_mul(row);
        let all = bytes(out.size().get(axis).copied().unwrap_or(1));
        let rows = bytes(rows.to)..bytes(rows.to.saturating_add(rows.rows));
        for (before, block) in (0_u64..).zip(into.chunks_exact_mut(all.max(1))) {
            let Some(elements) = block.get_mut(rows.clone()) else { continue };
            add::add(spec.dtype(), size, number, elements).map_err(|(index, value)| {
                let skipped = before.saturating_mul(u64::try_from(all / size).unwrap_or(u64::MAX));
                let start = u64::try_from(rows.start / size).unwrap_or(u64::MAX);
                TransformError::Range {
                    transform: self.to_string(),
                    value,
                    dtype: spec.dtype(),
                    position: block::position(spec.shape(), out, skipped + start + index),
                }
            })?;
        }
        Ok(())
    }

    /// Whether it adds anything.
    pub fn adds(&self) -> bool {
        self.add.iter().any(|number| *number != 0.0)
    }
}

impl fmt::Display for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gates: {")?;
        if self.axis != -1 {
            write!(f, "axis: {}, ", self.axis)?;
        }
        write!(f, "order: {:?}", self.order)?;
        if !self.add.is_empty() {
            let numbers: Vec<String> = self.add.iter().map(f64::to_string).collect();
            write!(f, ", add: [{}]", numbers.join(", "))?;
        }
        f.write_str("}")
    }
}

impl Op for Gates {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        self.blocks(input)?;
        let held = |number: f64| {
            numbers::floating(input.dtype()) && numbers::summand(input.dtype(), number).is_some()
        };
        if let Some(number) = self.add.iter().find(|&&number| number != 0.0 && !held(number)) {
            let reason = format!("{number} cannot be added to {}", input.dtype());
            return Err(TransformError::fit(self, input, reason));
        }
        Ok(input.clone())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        if out.elements() == 0 {
            return Ok(());
        }
        let spec = self.infer(input.spec())?;
        let ((axis, rows), size) = (self.blocks(&spec)?, block::size(self, &spec)?);
        let taken = block::ranges(out).get(axis).cloned().unwrap_or(0..0);
        let mut staged = Vec::new();
        for ((to, &from), gate) in (0_u64..).zip(&self.order).zip(0..) {
            let (first, last) = (taken.start.max(to * rows), taken.end.min((to + 1) * rows));
            if first >= last {
                continue;
            }
            let from = u64::try_from(from).unwrap_or(u64::MAX).saturating_mul(rows);
            let start = from.saturating_add(first - to * rows);
            let strip = start..start.saturating_add(last - first);
            let view = strip::read(self, out, axis, strip, input, &mut staged)?;
            let step = Move { from: 0, to: first - taken.start, rows: last - first };
            strip::place(out, axis, size, &view, into, &std::iter::once(step));
            if let Some(&number) = self.add.get(gate).filter(|&&number| number != 0.0) {
                self.raise(number, (&spec, out, axis), step, into)?;
            }
        }
        Ok(())
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        Cost::staged(input, block)
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        // Where each block of the input went, and what was added to it there.
        let mut order: Vec<usize> = (0..self.order.len()).collect();
        order.sort_by_key(|&block| self.order.get(block).copied());
        let taken = order.iter().filter_map(|&block| self.add.get(block));
        let add = taken.map(|number| 0.0 - number).collect();
        Some(Transform::Gates(Self { axis: self.axis, order, add }))
    }

    fn along(&self) -> Along {
        Along::As(Transform::Gates(Self { add: Vec::new(), ..self.clone() }))
    }
}
