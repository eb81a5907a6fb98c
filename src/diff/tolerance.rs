//! How far apart two numbers may be that count as equal.

/// When two values are equal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tolerance {
    near: Option<Near>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    relative: f64,
    absolute: f64,
}

/// A tolerance that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tolerance is a number from 0 on")]
pub struct BadTolerance;

impl Tolerance {
    /// Values are equal if all of their bits are.
    pub const EXACT: Self = Self { near: None };

    /// Values are equal if their bits are, if both are NaN, or if `|a − b| ≤ absolute + relative ×
    /// |b|`, as in NumPy's `isclose`. What are no numbers stays exact.
    pub fn new(relative: f64, absolute: f64) -> Result<Self, BadTolerance> {
        let fine = |number: f64| number.is_finite() && number >= 0.0;
        if fine(relative) && fine(absolute) {
            Ok(Self { near: Some(Near { relative, absolute }) })
        } else {
            Err(BadTolerance)
        }
    }

    /// Whether only equal bits are equal.
    pub fn is_exact(self) -> bool {
        self.near.is_none()
    }

    /// Whether numbers so far `apart`, the second of which is `size` from 0, are equal.
    pub(super) fn covers(self, apart: f64, size: f64) -> bool {
        // Infinity is near to nothing but itself.
        self.near
            .is_some_and(|near| apart.is_finite() && apart <= near.absolute + near.relative * size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_numpy_has_it() {
        let near = Tolerance::new(1e-2, 1e-3).unwrap();
        assert!(near.covers(0.0109, 1.0) && !near.covers(0.0111, 1.0));
        assert!(near.covers(0.001, 0.0) && !near.covers(0.0011, 0.0));
        assert!(!near.covers(f64::INFINITY, f64::INFINITY) && !near.covers(f64::NAN, 1.0));
        assert!(!Tolerance::EXACT.covers(0.0, 1.0));
        for (relative, absolute) in [(-1.0, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)] {
            assert_eq!(Tolerance::new(relative, absolute), Err(BadTolerance));
        }
    }
}
