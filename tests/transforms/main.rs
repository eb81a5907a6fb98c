//! Every transform against a reference that works element by element on index vectors and shares
//! nothing with it: what it yields, that its inverse leads back, that blocks are parts of the whole,
//! and that no block needs much more memory than itself.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "rounding is what is tested"
)]

mod harness;
mod layout;
mod mistakes;
mod numbers;
