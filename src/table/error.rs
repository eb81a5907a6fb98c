//! What is wrong with a table, and at which byte.

use std::io;

use crate::crc::Crc;

/// Damage at a place in a table's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {what}")]
pub struct TableError {
    /// Where in the file; for what lies inside a compressed block, where that block begins.
    pub offset: u64,
    /// What is wrong there.
    pub what: Damage,
}

/// The ways in which a table can be damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Not even room for a footer.
    #[error("a table ends with {needed} bytes of footer, but the file has only {len}")]
    TooShort {
        /// Length of the file.
        len: u64,
        /// Length of a footer.
        needed: u64,
    },
    /// The last eight bytes are not a table's.
    #[error(
        "the file does not end as a table does (magic `{found:016x}`); it was cut off, bytes were \
         added, or it is something else"
    )]
    Magic {
        /// What stands there instead.
        found: u64,
    },
    /// Something reaches beyond what holds it.
    #[error("{what} needs {needed} bytes where only {left} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// How long it says it is.
        needed: u64,
        /// How much there is.
        left: u64,
    },
    /// A variable-length number that does not end, or is larger than it may be.
    #[error("{0} is no number")]
    Varint(&'static str),
    /// A block that begins before the one listed above it ends.
    #[error("a block begins inside the one before it, which ends at byte {previous_end}")]
    Overlap {
        /// Where the block listed before it ends.
        previous_end: u64,
    },
    /// A block whose bytes have changed.
    #[error("the block's checksum is {computed}, but {stored} is stored")]
    Checksum {
        /// What the file says.
        stored: Crc,
        /// What its bytes add up to.
        computed: Crc,
    },
    /// A way of compressing that tables do not use.
    #[error("the block has the unknown type {0}")]
    BlockType(u8),
    /// A compressed block that does not decompress.
    #[error("the block does not decompress: {0}")]
    Snappy(snap::Error),
    /// A compressed block that claims to become larger than it can.
    #[error("{stored} compressed bytes cannot become {claimed}")]
    Inflated {
        /// Bytes it has.
        stored: u64,
        /// Bytes it claims to become.
        claimed: u64,
    },
    /// No room for what a compressed block becomes.
    #[error("the block becomes {0} bytes, for which there is not enough memory")]
    Memory(u64),
    /// An entry that continues more of the previous key than there was.
    #[error("an entry continues {shared} bytes of a key that has only {len}")]
    Shared {
        /// Bytes taken over.
        shared: u64,
        /// Length of the previous key.
        len: u64,
    },
    /// Keys that are too long to be believed.
    #[error("the keys of the block add up to more than {limit} bytes")]
    Keys {
        /// What they may add up to.
        limit: u64,
    },
    /// A restart point that is not where an entry with a whole key begins; lookups land there.
    #[error("restart point {0} does not lead to an entry with a whole key")]
    Restart(usize),
    /// Keys that are not in ascending order; lookups miss them.
    #[error("key `{}` stands after `{}`", got.escape_ascii(), previous.escape_ascii())]
    OutOfOrder {
        /// The key in front.
        previous: Vec<u8>,
        /// The key that belongs before it.
        got: Vec<u8>,
    },
    /// A key that occurs again.
    #[error("key `{}` stands there twice", .0.escape_ascii())]
    Duplicate(Vec<u8>),
}

impl Damage {
    /// Whether the file does not even end as a table does.
    pub fn is_no_table(&self) -> bool {
        matches!(self, Self::TooShort { .. } | Self::Magic { .. })
    }
}

/// Why an entry cannot be added to a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The sink failed.
    #[error("cannot write the table")]
    Io(#[from] io::Error),
    /// The key does not come after the one before it.
    #[error("key `{}` does not come after `{}`", got.escape_ascii(), previous.escape_ascii())]
    OutOfOrder {
        /// The key added before.
        previous: Vec<u8>,
        /// The key that belongs before it, or equals it.
        got: Vec<u8>,
    },
    /// Lengths are stored in 32 bits.
    #[error("an entry of {0} bytes is too large for a table")]
    TooLarge(usize),
}
