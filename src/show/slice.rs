//! `[0:3, ..., -1]`: a part of a tensor as NumPy's users write it.

use std::str::FromStr;

use super::selection::{Axis, Selection};
use crate::tensor::Shape;

/// Why a slice is none, or none of this tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SliceError {
    /// Something that is neither an index nor a range.
    #[error("`{0}` is neither an index such as `-1`, nor a range such as `0:10:2`, nor `...`")]
    Word(String),
    /// Steps that lead nowhere or back.
    #[error("the step of `{0}` is below 1; only steps forward can be taken")]
    Step(String),
    /// More than one `...`.
    #[error("`...` stands there more than once; it is for all axes that are not named")]
    Ellipses,
    /// Nothing between the brackets.
    #[error("nothing stands between the brackets; `[...]` is all of it")]
    Empty,
    /// More indices than axes.
    #[error("it has {indices} indices, and there {axes}", axes = axes(*rank))]
    Rank {
        /// How many indices there are.
        indices: usize,
        /// How many axes the tensor has.
        rank: usize,
    },
    /// An index beyond the end.
    #[error("index {index} is outside of axis {axis}, which {elements}", elements = elements(*size))]
    Outside {
        /// The index.
        index: i64,
        /// The axis, counted from 0.
        axis: usize,
        /// Its size.
        size: u64,
    },
}

fn axes(rank: usize) -> String {
    match rank {
        0 => "are no axes: it is a scalar".to_owned(),
        1 => "is 1 axis".to_owned(),
        _ => format!("are {rank} axes"),
    }
}

fn elements(size: u64) -> String {
    match size.checked_sub(1) {
        None => "has no elements".to_owned(),
        Some(0) => "has element 0 only".to_owned(),
        Some(last) => format!("goes from 0 to {last}"),
    }
}

/// A part of a tensor, of whatever shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice(Vec<Item>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Index(i64),
    Range { start: Option<i64>, stop: Option<i64>, step: u64 },
    Ellipsis,
}

/// All of an axis.
const ALL: Item = Item::Range { start: None, stop: None, step: 1 };

impl FromStr for Slice {
    type Err = SliceError;

    /// Reads what stands between the brackets.
    fn from_str(text: &str) -> Result<Self, SliceError> {
        if text.trim().is_empty() {
            return Err(SliceError::Empty);
        }
        // Python takes a comma behind the last one too.
        let trimmed = text.trim();
        let words = trimmed.strip_suffix(',').unwrap_or(trimmed).split(',');
        let items = words.map(|word| item(word.trim())).collect::<Result<Vec<_>, _>>()?;
        if items.iter().filter(|item| **item == Item::Ellipsis).count() > 1 {
            return Err(SliceError::Ellipses);
        }
        Ok(Self(items))
    }
}

fn item(word: &str) -> Result<Item, SliceError> {
    let wrong = || SliceError::Word(word.to_owned());
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong());
    let optional =
        |text: Option<&str>| text.filter(|text| !text.trim().is_empty()).map(number).transpose();
    if word == "..." {
        return Ok(Item::Ellipsis);
    }
    if !word.contains(':') {
        return number(word).map(Item::Index);
    }
    let mut parts = word.split(':');
    let (start, stop) = (optional(parts.next())?, optional(parts.next())?);
    let step = optional(parts.next())?.unwrap_or(1);
    if parts.next().is_some() {
        return Err(wrong());
    }
    let step = u64::try_from(step).ok().filter(|step| *step > 0);
    Ok(Item::Range { start, stop, step: step.ok_or_else(|| SliceError::Step(word.to_owned()))? })
}

impl Slice {
    /// The elements it names of a tensor of this shape. As in NumPy, a range may stick out, an
    /// index may not, and axes that are not mentioned are taken whole.
    pub fn of(&self, shape: &Shape) -> Result<Selection, SliceError> {
        let rank = shape.rank();
        let indices = self.0.iter().filter(|item| **item != Item::Ellipsis).count();
        let left_out = rank.checked_sub(indices).ok_or(SliceError::Rank { indices, rank })?;
        let mut items = Vec::with_capacity(rank);
        for &item in &self.0 {
            match item {
                Item::Ellipsis => items.extend(std::iter::repeat_n(ALL, left_out)),
                item => items.push(item),
            }
        }
        items.resize(rank, ALL);
        let axes = items.into_iter().zip(shape.dims()).enumerate();
        let axes = axes.map(|(axis, (item, &size))| axis_of(item, axis, size));
        Ok(Selection::new(axes.collect::<Result<_, _>>()?))
    }
}

fn axis_of(item: Item, axis: usize, size: u64) -> Result<Axis, SliceError> {
    // Counted from the end below zero. Sizes fit 63 bits, so this fits 65.
    let from_start = |index: i64| i128::from(index) + if index < 0 { i128::from(size) } else { 0 };
    let clamped =
        |index: i64| u64::try_from(from_start(index).max(0)).map_or(size, |i| i.min(size));
    match item {
        Item::Index(index) => {
            let start = u64::try_from(from_start(index)).ok().filter(|start| *start < size);
            let start = start.ok_or(SliceError::Outside { index, axis, size })?;
            Ok(Axis { start, step: 1, count: 1, kept: false })
        }
        Item::Range { start, stop, step } => {
            let (start, stop) = (start.map_or(0, clamped), stop.map_or(size, clamped));
            let count = stop.saturating_sub(start).div_ceil(step);
            Ok(Axis { start, step, count, kept: true })
        }
        Item::Ellipsis => Ok(Axis { start: 0, step: 1, count: size, kept: true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_slice() {
        let error = |text: &str| text.parse::<Slice>().unwrap_err();
        assert_eq!(error(" "), SliceError::Empty);
        assert_eq!(error("a"), SliceError::Word("a".to_owned()));
        assert_eq!(error("1,,2"), SliceError::Word(String::new()));
        assert_eq!(error("0:1:2:3"), SliceError::Word("0:1:2:3".to_owned()));
        assert_eq!(error("::0"), SliceError::Step("::0".to_owned()));
        assert_eq!(error("::-1"), SliceError::Step("::-1".to_owned()));
        assert_eq!(error("..., ..."), SliceError::Ellipses);
        assert_eq!(error("99999999999999999999"), SliceError::Word("9".repeat(20)));
    }

    #[test]
    fn what_does_not_fit() {
        let shape = Shape::new([3, 4]).unwrap();
        let error = |text: &str| text.parse::<Slice>().unwrap().of(&shape).unwrap_err();
        assert_eq!(error("0, 0, 0"), SliceError::Rank { indices: 3, rank: 2 });
        assert_eq!(error("3"), SliceError::Outside { index: 3, axis: 0, size: 3 });
        assert_eq!(error("..., -5"), SliceError::Outside { index: -5, axis: 1, size: 4 });
    }
}
