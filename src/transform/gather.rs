//! Rows in another order, some of them twice, some of them new.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::error::reshaped;
use super::strip::{self, Move};
use super::view::View;
use super::{Along, Cost, Op, Regions, Transform, TransformError, axis, block, fill};
use crate::tensor::{Number, Region, TensorSpec};

/// `gather: rows.txt`, as `tf.gather`: row i of the output is the row of the input that the list
/// names, or one of a number where it names none.
#[derive(Debug, Clone, PartialEq)]
pub struct Gather {
    axis: i64,
    rows: Arc<[Option<u64>]>,
    missing: Number,
    shown: String,
    /// The largest row: only a list that has one too large is searched for it.
    highest: Option<u64>,
    /// Whether a row is missing.
    gaps: bool,
    /// How many rows the input must have, if the list was made for so many.
    of: Option<u64>,
}

impl Gather {
    /// `shown` is how the list is called where people read it.
    pub fn new(
        axis: i64,
        rows: Arc<[Option<u64>]>,
        missing: Number,
        shown: String,
    ) -> Result<Self, String> {
        let highest = rows.iter().copied().flatten().max();
        let gaps = rows.iter().any(Option::is_none);
        Ok(Self { axis, rows, missing, shown, highest, gaps, of: None })
    }

    /// The same, for an input of exactly so many rows.
    #[must_use]
    pub fn of(self, rows: u64) -> Self {
        Self { of: Some(rows), ..self }
    }

    /// Whether the list has rows that the input does not hold.
    pub fn has_gaps(&self) -> bool {
        self.gaps
    }

    fn element(&self, input: &TensorSpec) -> Result<Vec<u8>, TransformError> {
        fill::element(input.dtype(), self.missing).ok_or_else(|| {
            let reason = format!("{} cannot hold {}", input.dtype(), self.missing);
            TransformError::fit(self, input, reason)
        })
    }
}

impl fmt::Display for Gather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gather: {}", self.shown)
    }
}

impl Op for Gather {
    fn infer(&self, input: &TensorSpec) -> Result<TensorSpec, TransformError> {
        block::size(self, input)?;
        let (axis, size) = axis::one(self, input, self.axis)?;
        if self.gaps {
            self.element(input)?;
        }
        if let Some(rows) = self.of.filter(|rows| *rows != size) {
            let reason = format!("it has {size} rows, the old vocabulary {rows} tokens");
            return Err(TransformError::fit(self, input, reason));
        }
        if self.highest.is_some_and(|highest| highest >= size) {
            let beyond = |row: &Option<u64>| row.filter(|&row| row >= size);
            let found = self.rows.iter().enumerate().find_map(|(i, row)| Some((i, beyond(row)?)));
            let (position, row) = found.unwrap_or_default();
            let reason = format!(
                "position {position} names row {row}, and axis {axis} has {size} of them, counted \
                 from 0"
            );
            return Err(TransformError::fit(self, input, reason));
        }
        let mut dims = input.shape().dims().to_vec();
        if let (Some(dim), Ok(rows)) = (dims.get_mut(axis), u64::try_from(self.rows.len())) {
            *dim = rows;
        }
        reshaped(self, input, dims)
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
        let spec = input.spec().clone();
        let (size, (axis, _)) = (block::size(self, &spec)?, axis::one(self, &spec, self.axis)?);
        let wanted = block::ranges(out).get(axis).cloned().and_then(|range| {
            self.rows.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
        });
        let misfit = || TransformError::fit(self, &spec, "the block lies outside");
        let wanted = wanted.ok_or_else(misfit)?;
        if wanted.contains(&None) {
            fill::fill(into, &self.element(&spec)?);
        }
        let moves = |places: Range<usize>, first: u64| {
            let moves = wanted.iter().enumerate().skip(places.start).take(places.len());
            moves.filter_map(move |(to, row)| {
                let from = row.as_ref()?.checked_sub(first)?;
                Some(Move { from, to: u64::try_from(to).ok()?, rows: 1 })
            })
        };
        if View::whole(input).is_some() {
            let all = 0..axis::one(self, &spec, self.axis)?.1;
            let mut unused = Vec::new();
            let view = strip::read(self, out, axis, all, input, &mut unused)?;
            strip::place(out, axis, size, &view, into, &moves(0..wanted.len(), 0));
            return Ok(());
        }
        let mut staged = Vec::new();
        for (places, strip) in strips(wanted) {
            let first = strip.start;
            let view = strip::read(self, out, axis, strip, input, &mut staged)?;
            strip::place(out, axis, size, &view, into, &moves(places, first));
        }
        Ok(())
    }

    fn cost(&self, input: &TensorSpec, block: u64) -> Cost {
        Cost::staged(input, block.saturating_mul(2))
    }

    fn invert(&self, input: &TensorSpec) -> Option<Transform> {
        let (_, size) = axis::one(self, input, self.axis).ok()?;
        if u64::try_from(self.rows.len()) != Ok(size) {
            return None;
        }
        let mut inverse = vec![None; self.rows.len()];
        for (position, row) in (0_u64..).zip(self.rows.iter()) {
            let place = inverse.get_mut(usize::try_from((*row)?).ok()?)?;
            if place.replace(position).is_some() {
                return None;
            }
        }
        let shown = format!("the inverse of {}", self.shown);
        Self::new(self.axis, inverse.into(), self.missing, shown).ok().map(Transform::Gather)
    }

    fn along(&self) -> Along {
        if self.gaps && !fill::zero(self.missing) {
            Along::Never("rows that are filled with a number have no state of their own")
        } else {
            Along::As(Transform::Gather(self.clone()))
        }
    }
}

/// Which places of a block are filled from which strip of the input: all from one if that is at
/// most twice as much as they are, else rows that follow each other from one.
fn strips(wanted: &[Option<u64>]) -> impl Iterator<Item = (Range<usize>, Range<u64>)> + '_ {
    let named = || wanted.iter().copied().flatten();
    let all = match (named().min(), named().max()) {
        (Some(low), Some(high))
            if usize::try_from(high - low).is_ok_and(|span| span / 2 < wanted.len()) =>
        {
            Some((0..wanted.len(), low..high.saturating_add(1)))
        }
        _ => None,
    };
    // Found one by one: a list of them could be longer than the block.
    let mut rest = if all.is_some() { 0..0 } else { 0..wanted.len() };
    let row = move |place: usize| wanted.get(place).copied().flatten();
    let following = std::iter::from_fn(move || {
        let (first, start) = rest.find_map(|place| Some((place, row(place)?)))?;
        let (mut places, mut rows) = (first..first + 1, start..start.saturating_add(1));
        while places.end < rest.end && row(places.end) == Some(rows.end) {
            places.end += 1;
            rows.end += 1;
        }
        rest.start = places.end;
        Some((places, rows))
    });
    all.into_iter().chain(following)
}

#[cfg(test)]
mod tests {

    #[test]
    fn rows_that_follow_each_other_are_read_together() {
        let strips = |wanted: &[Option<u64>]| super::strips(wanted).collect::<Vec<_>>();
        assert_eq!(strips(&[Some(3), None, Some(1)]), [(0..3, 1..4)]);
        let far = [Some(7), Some(8), None, Some(9), Some(1000), Some(1001)];
        assert_eq!(strips(&far), [(0..2, 7..9), (3..4, 9..10), (4..6, 1000..1002)]);
        assert_eq!(strips(&[None, None]), []);
        assert_eq!(strips(&[Some(0), Some(u64::MAX - 1)]).len(), 2);
    }
}
