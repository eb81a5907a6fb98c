//! What transforms take in memory.

use crate::tensor::TensorSpec;

/// What filling a block of the output takes beside the block itself, at worst: less if the input
/// lies in memory.
///
/// Along a pipeline the `own` of all transforms add up, each for the block that the one after it
/// asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Bytes allocated at a time while the block is being filled, without those that reading the
    /// input allocates.
    pub own: u64,
    /// Bytes of the largest block of the input that is asked for at a time.
    pub asked: u64,
}

impl Cost {
    /// For a transform that asks for no more than `asked` bytes at a time, into the block itself.
    pub(super) fn direct(input: &TensorSpec, asked: u64) -> Self {
        Self { own: descriptions(input.shape().rank()), asked: within(input, asked) }
    }

    /// For one that asks for no more than `asked` bytes at a time, into memory of its own.
    pub(super) fn staged(input: &TensorSpec, asked: u64) -> Self {
        let asked = within(input, asked);
        Self { own: descriptions(input.shape().rank()).saturating_add(asked), asked }
    }

    /// The same where there are more axes to describe than the input has.
    pub(super) fn described(self, axes: usize) -> Self {
        Self { own: self.own.max(descriptions(axes)), ..self }
    }
}

/// A block is at least an element, and never more than there is.
fn within(input: &TensorSpec, bytes: u64) -> u64 {
    let all = input.bytes().unwrap_or(u64::MAX);
    bytes.max(input.dtype().size().unwrap_or(1)).min(all)
}

/// Shapes and boxes that say what is read and where it goes: some numbers for each axis.
fn descriptions(axes: usize) -> u64 {
    let axes = u64::try_from(axes).unwrap_or(u64::MAX);
    axes.saturating_add(8).saturating_mul(512)
}
