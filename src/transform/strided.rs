//! Every so many-th element, without reading much of what lies between.

use super::view::{View, number};
use super::walk::{Axis, Walk};
use super::{Regions, TransformError, block};
use crate::tensor::{Region, Shape};

/// What is taken along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    /// The first element.
    pub(super) start: u64,
    /// How many.
    pub(super) count: u64,
    /// From one to the next.
    pub(super) step: u64,
}

impl Steps {
    /// Elements from the first to the last.
    fn span(self) -> u64 {
        self.count
            .saturating_sub(1)
            .saturating_mul(self.step)
            .saturating_add(u64::from(self.count > 0))
    }
}

/// Fills `into` with what `axes` names. Elements that nobody asked for are read only where the
/// span of a part is no larger than the block itself.
pub(super) fn read(
    op: &impl ToString,
    axes: &[Steps],
    input: &mut dyn Regions,
    into: &mut [u8],
) -> Result<(), TransformError> {
    let size = block::size(op, input.spec())?;
    let counts = Shape::new(axes.iter().map(|axis| axis.count).collect::<Vec<_>>())
        .map_err(|source| TransformError::Shape { transform: op.to_string(), source })?;
    if counts.elements() == 0 {
        return Ok(());
    }
    if View::whole(input).is_some() {
        let from = spanned(op, axes, &Region::whole(&counts), input)?;
        let mut unused = Vec::new();
        let view = View::read(op, &from, input, &mut unused)?;
        steps(&view, axes, counts.dims(), size, into);
        return Ok(());
    }
    let mut staged = Vec::new();
    let mut rest = into;
    for part in Region::blocks(&counts, limit(axes, counts.elements())) {
        let from = spanned(op, axes, &part, input)?;
        let bytes = number(part.elements()).saturating_mul(size);
        let Some((block, after)) = std::mem::take(&mut rest).split_at_mut_checked(bytes) else {
            return Err(TransformError::fit(op, input.spec(), "the block is too small"));
        };
        if from.elements() == part.elements() {
            input.read(&from, block)?;
        } else {
            let view = View::read(op, &from, input, &mut staged)?;
            steps(&view, axes, part.size(), size, block);
        }
        rest = after;
    }
    Ok(())
}

/// The box of the input that holds all of `part` of what is taken.
fn spanned(
    op: &impl ToString,
    axes: &[Steps],
    part: &Region,
    input: &dyn Regions,
) -> Result<Region, TransformError> {
    let taken = axes.iter().zip(part.start().iter().zip(part.size()));
    let ranges: Vec<_> = taken
        .map(|(axis, (&first, &count))| {
            let start = axis.start.saturating_add(first.saturating_mul(axis.step));
            start..start.saturating_add(Steps { start, count, ..*axis }.span())
        })
        .collect();
    block::region(op, input.spec(), &ranges)
}

/// Fills `into` with `counts` elements along each axis, as many apart as `axes` says.
fn steps(view: &View<'_>, axes: &[Steps], counts: &[u64], size: usize, into: &mut [u8]) {
    let walk = view.axes(counts).into_iter().zip(axes).map(|(axis, steps)| Axis {
        stride: axis.stride.saturating_mul(number(steps.step)),
        ..axis
    });
    Walk::new(walk, size).copy(view.origin(), into);
}

/// How many elements may be taken at a time, if what they span may not be more than `budget`: all
/// of the inner axes, a stretch of the next.
fn limit(axes: &[Steps], budget: u64) -> u64 {
    let (mut span, mut elements) = (1_u64, 1_u64);
    for axis in axes.iter().rev() {
        match span.checked_mul(axis.span()).filter(|&span| span <= budget) {
            Some(wider) => {
                span = wider;
                elements = elements.saturating_mul(axis.count);
            }
            None => {
                let steps = (budget / span.max(1)).saturating_sub(1) / axis.step.max(1) + 1;
                return elements.saturating_mul(steps);
            }
        }
    }
    elements.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(taken: &[(u64, u64)]) -> Vec<Steps> {
        taken.iter().map(|&(count, step)| Steps { start: 0, count, step }).collect()
    }

    #[test]
    fn parts_span_no_more_than_the_block() {
        // Everything at once where nothing is left out.
        assert_eq!(limit(&axes(&[(4, 1), (5, 1)]), 20), 20);
        // Half of it: the span of ten is nineteen.
        assert_eq!(limit(&axes(&[(10, 2)]), 10), 5);
        // Rows far apart are read one by one, but whole.
        assert_eq!(limit(&axes(&[(16, 1 << 40), (64, 1)]), 1024), 64);
        // Elements far apart are read one by one.
        assert_eq!(limit(&axes(&[(4, 1), (4, 1 << 40)]), 16), 1);
        assert_eq!(limit(&[], 1), 1);
        assert_eq!(limit(&axes(&[(1, u64::MAX), (2, 3)]), 2), 1);
    }
}
