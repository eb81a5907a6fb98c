//! What a tensor is: dtype, shape and bytes. No I/O, nothing of checkpoints.
//!
//! Bytes are always in *storage form*: row-major, little-endian, one byte per element for types
//! below a byte; strings and variants as a bundle's data file holds them. A tensor that nobody
//! transforms can therefore travel without being understood.

mod constant;
mod data;
mod dtype;
mod order;
mod reals;
mod region;
mod shape;
mod small_float;
pub mod strings;
pub mod variants;

pub use constant::{Constant, Number};
pub use data::{DataError, Tensor, TensorSpec, checksum};
pub use dtype::DType;
pub use order::ByteOrder;
pub use reals::{is_real, reals};
pub use region::Region;
pub use shape::{MAX_RANK, Shape, ShapeError};
pub use small_float::SmallFloat;
