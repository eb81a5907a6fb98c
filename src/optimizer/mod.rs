//! Optimizer state: what TF1 calls it, where TF2 keeps it, and what it means.
//!
//! TF1 keeps state in variables beside the model's, told apart by their names only. TF2 has three
//! ways: Keras's older optimizers hang slots on pairs of a variable and an optimizer; those of
//! Keras 2.11 and later, and of Keras 3, keep lists. A [`Kind`] says which piece is which in each.

mod kind;
mod slots;
mod steps;
mod tf1;
mod tf2;

pub use kind::{Kind, Role};
pub use slots::{SlotOf, slots};
pub use steps::{momentum_product, steps_taken};
pub use tf1::{Slot, State, detect};
pub use tf2::{Dialect, Found, optimizers, ways};
