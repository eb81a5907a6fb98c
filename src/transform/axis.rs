//! Axes as a rule file names them: from the front, or below zero from the end.

use std::fmt;

use super::TransformError;
use crate::tensor::TensorSpec;

/// Which of `rank` axes is meant, as NumPy counts.
pub(crate) fn resolve(axis: i64, rank: usize) -> Option<usize> {
    let at = match usize::try_from(axis) {
        Ok(at) => at,
        Err(_) => rank.checked_sub(usize::try_from(axis.unsigned_abs()).ok()?)?,
    };
    (at < rank).then_some(at)
}

/// The one axis of `input` that `op` works on, and its size.
pub(super) fn one(
    op: &impl ToString,
    input: &TensorSpec,
    axis: i64,
) -> Result<(usize, u64), TransformError> {
    let dims = input.shape().dims();
    resolve(axis, dims.len())
        .and_then(|at| Some((at, *dims.get(at)?)))
        .ok_or_else(|| missing(op, input, axis, dims.len()))
}

/// Axes out of `rank`, in the order in which they are named, none of them twice.
pub(super) fn several(
    op: &impl ToString,
    input: &TensorSpec,
    axes: &[i64],
    rank: usize,
) -> Result<Vec<usize>, TransformError> {
    let mut named = Vec::with_capacity(axes.len());
    for &axis in axes {
        let at = resolve(axis, rank).ok_or_else(|| missing(op, input, axis, rank))?;
        // At most `rank` of them get this far.
        if named.contains(&at) {
            let reason = format!("axis {at} is named twice");
            return Err(TransformError::fit(op, input, reason));
        }
        named.push(at);
    }
    Ok(named)
}

fn missing(op: &impl ToString, input: &TensorSpec, axis: i64, rank: usize) -> TransformError {
    let reason = match rank {
        0 => format!("there is no axis {axis}, it has none"),
        1 => format!("there is no axis {axis}, only axis 0"),
        _ => format!("there is no axis {axis}, they go from 0 to {}", rank - 1),
    };
    TransformError::fit(op, input, reason)
}

/// Whether a list of axes makes sense before anything is known about the tensor.
pub(super) fn check(axes: &[i64]) -> Result<(), String> {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    if sorted.is_empty() {
        return Err("at least one axis must stand here".to_owned());
    }
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(axis, next)| axis == next) {
        Some((axis, _)) => Err(format!("axis {axis} stands here twice")),
        None => Ok(()),
    }
}

/// Axes as a rule file writes them: one alone, several as a list.
pub(super) struct Written<'a>(pub(super) &'a [i64]);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [axis] => axis.fmt(f),
            axes => write!(f, "{axes:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_count_from_either_end() {
        assert_eq!(resolve(0, 3), Some(0));
        assert_eq!(resolve(-1, 3), Some(2));
        assert_eq!(resolve(-3, 3), Some(0));
        for axis in [3, -4, i64::MIN, i64::MAX] {
            assert_eq!(resolve(axis, 3), None, "{axis}");
        }
        assert_eq!(resolve(0, 0), None);
        assert_eq!(resolve(-1, 0), None);
    }

    #[test]
    fn lists_are_checked_before_a_tensor_is_known() {
        assert!(check(&[0, -1]).is_ok());
        assert_eq!(check(&[]).unwrap_err(), "at least one axis must stand here");
        assert_eq!(check(&[1, 0, 1]).unwrap_err(), "axis 1 stands here twice");
    }
}
