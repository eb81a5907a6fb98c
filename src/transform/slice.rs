//! A part of each axis.

use std::fmt;
use std::ops::Range;

use super::error::reshaped;
use super::strided::{self, Steps};
use super::{Along, Cost, Op, Regions, Transform, TransformError, block};
use crate::tensor::{Region, TensorSpec};

/// `slice: '..., 1:'`, as NumPy writes it, but for one thing: NumPy silently clips a bound that lies
/// beyond an axis, and here it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `...`: as many whole axes as it takes.
    Ellipsis,
    /// `start:stop:step`.
    Part { start: Option<i64>, stop: Option<i64>, step: u64 },
}

impl Slice {
    /// Reads NumPy's notation; the error says what is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let items: Vec<Item> =
            text.split(',').map(|item| self::item(item.trim())).collect::<Result<_, _>>()?;
        match items.iter().filter(|item| matches!(item, Item::Ellipsis)).count() {
            0 | 1 => Ok(Self { items }),
            _ => Err("`...` can stand only once".to_owned()),
        }
    }

    /// These parts, one for each axis; `None` if they cannot be written.
    pub fn of(ranges: &[Range<u64>]) -> Option<Self> {
        let part = |range: &Range<u64>| {
            let (start, stop) = (i64::try_from(range.start).ok()?, i64::try_from(range.end).ok()?);
            Some(Item::Part { start: Some(start), stop: Some(stop), step: 1 })
        };
        // Without an axis there is nothing to cut, and an empty text is no slice.
        let items = ranges.iter().map(part).collect::<Option<Vec<_>>>()?;
        Some(Self { items: if items.is_empty() { vec![Item::Ellipsis] } else { items } })
    }

    /// What is taken along each axis of `input`.
    fn taken(&self, input: &TensorSpec) -> Result<Vec<Steps>, TransformError> {
        let dims = input.shape().dims();
        let named = self.items.iter().filter(|item| **item != Item::Ellipsis).count();
        let Some(others) = dims.len().checked_sub(named) else {
            let reason = format!("{named} axes are named and it has {}", dims.len());
            return Err(TransformError::fit(self, input, reason));
        };
        let mut sizes = dims.iter().copied().enumerate();
        let whole = |(_, count)| Steps { start: 0, count, step: 1 };
        let mut taken = Vec::with_capacity(dims.len());
        for item in &self.items {
            match item {
                Item::Ellipsis => taken.extend(sizes.by_ref().take(others).map(whole)),
                Item::Part { start, stop, step } => {
                    let Some((axis, size)) = sizes.next() else { break };
                    let start = self.bound(input, start.unwrap_or(0), axis, size)?;
                    let stop = stop.map_or(Ok(size), |stop| self.bound(input, stop, axis, size))?;
                    let count = stop.saturating_sub(start).div_ceil(*step);
                    taken.push(Steps { start, count, step: *step });
                }
            }
        }
        taken.extend(sizes.map(whole));
        Ok(taken)
    }

    /// Where a bound lies, counted from the end if it is below zero.
    fn bound(
        &self,
        input: &TensorSpec,
        bound: i64,
        axis: usize,
        size: u64,
    ) -> Result<u64, TransformError> {
        let at = match u64::try_from(bound) {
            Ok(at) => Some(at),
            Err(_) => size.checked_sub(bound.unsigned_abs()),
        };
        at.filter(|&at| at <= size).ok_or_else(|| {
            let reason = format!("{bound} lies beyond axis {axis}, which has size {size}");
            TransformError::fit(self, input, reason)
        })
    }
}

fn item(text: &str) -> Result<Item, String> {
    let number = |part: &str| match part.trim() {
        "" => Ok(None),
        part => part.parse::<i64>().map(Some).map_err(|_| {
            format!("`{part}` is no whole number; write a slice as NumPy does, `..., 1:`")
        }),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (start, stop, step) = match parts.as_slice() {
        ["..."] => return Ok(Item::Ellipsis),
        [""] => return Err("nothing stands for an axis; write `:` for all of it".to_owned()),
        [index] => {
            let index = number(index)?.unwrap_or_default();
            let stop = index.checked_add(1).filter(|&stop| stop != 0);
            let stop = stop.map(|stop| stop.to_string()).unwrap_or_default();
            return Err(format!(
                "`{index}` would drop the axis; write `{index}:{stop}` and `squeeze`"
            ));
        }
        [start, stop] => (start, stop, None),
        [start, stop, step] => (start, stop, number(step)?),
        _ => return Err(format!("`{text}` is no `start:stop:step`")),
    };
    let step = match u64::try_from(step.unwrap_or(1)) {
        Ok(0) => return Err("a step of 0 leads nowhere".to_owned()),
        Ok(step) => step,
        Err(_) => return Err("a step must be above 0; use `flip` to go backwards".to_owned()),
    };
    Ok(Item::Part { start: number(start)?, stop: number(stop)?, step })
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bound: &Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let items = self.items.iter().map(|item| match item {
            Item::Ellipsis => "...".to_owned(),
            Item::Part { start, stop, step: 1 } => format!("{}:{}", text(start), text(stop)),
            Item::Part { start, stop, step } => format!("{}:{}:{step}", text(start), text(stop)),
        });
        write!(f, "slice: '{}'", items.collect::<Vec<_>>().join(", "))
    }
}

impl Op for Slice {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        reshaped(self, input, self.taken(input)?.iter().map(|axis| axis.count).collect())
    }

    fn pull(
        &self,
        out: &Region,
        input: &mut dyn Regions,
        into: &mut [u8],
    ) -> Result<(), TransformError> {
        let taken = self.taken(input.spec())?;
        let axes: Vec<_> = taken
            .iter()
            .zip(block::ranges(out))
            .map(|(axis, range)| Steps {
                start: axis.start.saturating_add(range.start.saturating_mul(axis.step)),
                count: range.end - range.start,
                step: axis.step,
            })
            .collect();
        strided::read(self, &axes, input, into)
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        if self.keeps(input).is_some() {
            Cost::direct(input, block)
        } else {
            Cost::staged(input, block)
        }
    }

    fn invert(&self, _: &TensorSpec) -> Option<Transform> {
        None
    }

    fn keeps(&self, input: &TensorSpec) -> Option<Region> {
        let taken = self.taken(input).ok()?;
        let ranges = taken.iter().map(|axis| {
            (axis.step == 1 || axis.count <= 1).then(|| axis.start..axis.start + axis.count)
        });
        Region::new(input.shape(), &ranges.collect::<Option<Vec<_>>>()?)
    }

    fn along(&self) -> Along {
        Along::As(Transform::Slice(self.clone()))
    }
}
