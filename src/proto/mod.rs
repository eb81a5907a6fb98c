//! The messages inside a checkpoint's index and object graph, and the text message in its state
//! file. Only bytes and fields: what they mean is `source`'s and `target`'s business.
//!
//! The code in `generated.rs` is made from `proto/*.proto` and checked in; a test keeps the two
//! together.

mod checkpoint_state;
#[rustfmt::skip]
#[allow(clippy::pedantic, unreachable_pub, reason = "it is not written by hand")]
mod generated;
mod text;

pub(crate) use checkpoint_state::CheckpointState;
pub(crate) use generated::*;
