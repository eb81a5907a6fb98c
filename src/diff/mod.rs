//! Two checkpoints side by side: names, dtypes, shapes, values bit for bit, and objects.
//!
//! ```text
//!  names ──► pairs ──► sums ──► values      what stands where, that it is sound, that it is equal
//!  objects ──────────► graph
//! ```
//! Values are compared by their bytes, a block of each at a time, and never by their checksums
//! alone; but every checksum of both is checked too, so that damage is told from difference.

mod error;
mod graph;
mod pairs;
mod sums;
mod values;

use crate::catalog::{Catalog, Variable, VariableName};
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding};
use crate::tensor::TensorSpec;

pub use error::CompareError;
pub use graph::GraphDifference;
pub(crate) use graph::compare as compare_graphs;
pub(crate) use sums::Sums;
pub use values::Unequal;
pub(crate) use values::{compare_blocks, compare_whole};

/// What two checkpoints differ in.
#[derive(Debug)]
pub struct Diff {
    /// How messages call the first one.
    pub left: String,
    /// How messages call the second one.
    pub right: String,
    /// Variables that both have.
    pub common: usize,
    /// Bytes of the values that were compared, those of one side.
    pub bytes: u64,
    /// Every variable that is not the same in both, by name.
    pub differences: Vec<Difference>,
    /// Where the object graphs part.
    pub graph: Option<GraphDifference>,
    /// Variables that could not be read; they count neither as equal nor as different.
    pub unreadable: Vec<Finding>,
    /// Keys of either that are no text: their tensors are not compared.
    pub not_text: Vec<Vec<u8>>,
}

/// A variable that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name; where both have it under different keys, the first one's.
    pub name: VariableName,
    /// What is different.
    pub what: What,
}

/// How two tensors of one name can differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// There is no second one.
    OnlyLeft(TensorSpec),
    /// There is no first one.
    OnlyRight(TensorSpec),
    /// Another dtype or another shape; values are not compared then.
    Spec {
        /// What the first one is.
        left: TensorSpec,
        /// What the second one is.
        right: TensorSpec,
    },
    /// Other values in the same dtype and shape.
    Values(Unequal),
}

impl Diff {
    /// Whether nothing is different, as far as it could be compared.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.graph.is_none()
    }

    /// Whether everything could be compared.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && self.not_text.is_empty()
    }
}

/// Compares two checkpoints. Both are read wholly, in blocks.
pub fn diff(
    left: &dyn CheckpointReader,
    right: &dyn CheckpointReader,
    progress: &dyn Progress,
) -> Result<Diff, CompareError> {
    let (a, b) = (left.catalog(), right.catalog());
    let mut pairs = pairs::pairs(a, b);
    // Each byte is read once for its sum, and once more where there is something to compare.
    progress
        .begin(bytes(a) + bytes(b) + pairs.both.iter().map(|both| 2 * both.bytes()).sum::<u64>());
    let mut sums = Sums::default();
    sums.check(left, a.variables.keys(), progress)?;
    let left_damage = sums.take_damaged();
    sums.check(right, b.variables.keys(), progress)?;
    let right_damage = sums.take_damaged();

    let mut differences: Vec<Difference> = pairs.lonely;
    let mut compared = 0;
    let common = pairs.both.len();
    pairs.both.sort_by_key(|both| both.left.1.position());
    for both in &pairs.both {
        let (left_name, right_name) = (both.left.0, both.right.0);
        if left_damage.contains(left_name) || right_damage.contains(right_name) {
            continue;
        }
        compared += both.bytes();
        let what = match both.equal_spec() {
            Some(spec) => values::compare(spec, (left, left_name), (right, right_name), progress)?
                .map(What::Values),
            None => Some(What::Spec {
                left: both.left.1.spec.clone(),
                right: both.right.1.spec.clone(),
            }),
        };
        differences.extend(what.map(|what| Difference { name: left_name.clone(), what }));
    }
    differences.sort_by(|one, other| one.name.cmp(&other.name));
    let mut not_text: Vec<_> = a.unnamable.iter().chain(&b.unnamable).cloned().collect();
    not_text.sort();
    not_text.dedup();
    Ok(Diff {
        left: a.origin.clone(),
        right: b.origin.clone(),
        common,
        bytes: compared,
        differences,
        graph: graph::compare(a.graph.as_ref(), b.graph.as_ref()),
        unreadable: sums.findings,
        not_text,
    })
}

/// Bytes of all values.
fn bytes(catalog: &Catalog) -> u64 {
    catalog.variables.values().map(Variable::bytes).sum()
}
