//! Shapes whose constructor proves that the number of elements can be counted.

use std::fmt;

/// The highest rank TensorFlow accepts; 255 makes it abort.
pub const MAX_RANK: usize = 254;

/// Why a list of sizes is no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A stored dimension below zero.
    #[error("dimension {axis} is {size}, which is below zero")]
    Negative {
        /// Which dimension.
        axis: usize,
        /// What the file says.
        size: i64,
    },
    /// More dimensions than [`MAX_RANK`].
    #[error("rank {0} is above the {MAX_RANK} dimensions TensorFlow accepts")]
    Rank(usize),
    /// The product of the dimensions does not fit 63 bits.
    #[error("the shape has more elements than can be counted")]
    Overflow,
}

/// Sizes of a tensor's dimensions, outermost first; a scalar has none.
///
/// Invariants: at most [`MAX_RANK`] dimensions; their product, zeros left out, is below 2^63, so
/// that no later arithmetic on strides can overflow.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<u64>);

impl Shape {
    /// Proves the invariants.
    pub fn new(dims: impl Into<Vec<u64>>) -> Result<Self, ShapeError> {
        let dims = dims.into();
        if dims.len() > MAX_RANK {
            return Err(ShapeError::Rank(dims.len()));
        }
        let mut product = 1_u64;
        for &size in dims.iter().filter(|&&size| size != 0) {
            product = product
                .checked_mul(size)
                .filter(|&product| product < 1 << 63)
                .ok_or(ShapeError::Overflow)?;
        }
        Ok(Self(dims))
    }

    /// Sizes as a file stores them: signed, so that a broken one can be told.
    pub fn from_stored(dims: &[i64]) -> Result<Self, ShapeError> {
        let unsigned = dims
            .iter()
            .enumerate()
            .map(|(axis, &size)| {
                u64::try_from(size).map_err(|_| ShapeError::Negative { axis, size })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(unsigned)
    }

    /// The shape of a single value.
    pub fn scalar() -> Self {
        Self::default()
    }

    /// Sizes, outermost first.
    pub fn dims(&self) -> &[u64] {
        &self.0
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements; 1 for a scalar.
    pub fn elements(&self) -> u64 {
        self.0.iter().product()
    }

    /// How many elements one step along each axis is worth.
    pub fn strides(&self) -> Vec<u64> {
        let mut stride = 1;
        let mut strides: Vec<u64> = self
            .0
            .iter()
            .rev()
            .map(|&dim| {
                let inner = stride;
                stride *= dim.max(1);
                inner
            })
            .collect();
        strides.reverse();
        strides
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.pad(&format!("[{}]", dims.join(", ")))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shape{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert_eq!(Shape::from_stored(&[2, -1]), Err(ShapeError::Negative { axis: 1, size: -1 }));
        assert_eq!(Shape::new(vec![1; 255]), Err(ShapeError::Rank(255)));
        assert_eq!(Shape::new([1 << 32, 1 << 31]), Err(ShapeError::Overflow));
        // A zero elsewhere must not hide an overflow: strides would still meet it.
        assert_eq!(Shape::new([0, 1 << 32, 1 << 31]), Err(ShapeError::Overflow));
    }

    #[test]
    fn strides_and_elements() {
        let shape = Shape::new([2, 3, 4]).unwrap();
        assert_eq!(shape.strides(), [12, 4, 1]);
        assert_eq!(shape.elements(), 24);
        assert_eq!(Shape::scalar().elements(), 1);
        assert_eq!(Shape::new([3, 0]).unwrap().elements(), 0);
        assert_eq!(shape.to_string(), "[2, 3, 4]");
    }
}
