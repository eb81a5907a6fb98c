//! Two checkpoints side by side: names, dtypes, shapes, values bit for bit, and objects.
//!
//! ```text
//!  names ──► pairs ──► together ──► content    what stands where; what is sound and equal; what is
//!  objects ──────────► graph                   equal under other names
//! ```
//! Values are compared by their bytes, a block of each at a time, and never by their checksums
//! alone; but every checksum of both is checked too, so that damage is told from difference.

mod content;
mod error;
mod flat;
mod graph;
mod keys;
mod pairs;
mod sums;
mod tally;
mod together;
mod tolerance;
mod values;

use pairs::Both;

use crate::catalog::{Catalog, Variable, VariableName};
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding};
use crate::tensor::TensorSpec;

pub use content::{Keyed, Same};
pub use error::CompareError;
pub use graph::GraphDifference;
pub(crate) use graph::compare as compare_graphs;
pub(crate) use sums::Sums;
pub use tally::{Gap, Unequal};
use together::{Outcome, Pair, Together};
pub use tolerance::{BadTolerance, Tolerance};
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
    /// Tensors that are equal under other names or have further ones, if these were looked for; they
    /// are no differences.
    pub same: Vec<Same>,
    /// Where the object graphs part.
    pub graph: Option<GraphDifference>,
    /// Variables that could not be read; they count neither as equal nor as different.
    pub unreadable: Vec<Finding>,
    /// Keys of either that are no text: their tensors are not compared.
    pub not_text: Vec<Vec<u8>>,
}

/// A variable that is not the same in both.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name; where both have it under different keys, the first one's.
    pub name: VariableName,
    /// The second one's, if both have it under different keys.
    pub right: Option<VariableName>,
    /// What is different.
    pub what: What,
}

/// What counts as equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How far apart values may be.
    pub tolerance: Tolerance,
    /// Whether what has no equal of its name is looked for under other names. The objects of a
    /// checkpoint are then no difference to one that has none.
    pub by_content: bool,
}

/// How two tensors of one name can differ.
#[derive(Debug, Clone, PartialEq)]
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
    /// Whether nothing is different, as far as it could be compared. Other names are not, where
    /// tensors were looked for by their content; other shapes are.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
            && self.graph.is_none()
            && self.same.iter().all(Same::is_of_one_shape)
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
    options: &Options,
    progress: &dyn Progress,
) -> Result<Diff, CompareError> {
    let (a, b) = (left.catalog(), right.catalog());
    let mut pairs = pairs::pairs(a, b);
    progress.begin(bytes(a).saturating_add(bytes(b)));
    pairs.both.sort_by_key(|both| both.left.1.position());
    let common = pairs.both.len();
    let mut differences: Vec<Difference> = pairs.lonely;
    let mut compared: Vec<Pair<'_>> = Vec::new();
    let mut others: Vec<&Both<'_>> = Vec::new();
    for both in &pairs.both {
        match both.equal_spec() {
            Some(spec) => compared.push(Pair { spec, left: both.left.0, right: both.right.0 }),
            None => others.push(both),
        }
    }
    // What is not compared is summed all the same, so that damage is told.
    let mut sums = Sums::default();
    let lonely = |wanted: fn(&What) -> bool| {
        differences.iter().filter(move |lonely| wanted(&lonely.what)).map(|lonely| &lonely.name)
    };
    let only_left = lonely(|what| matches!(what, What::OnlyLeft(_)));
    sums.check(left, others.iter().map(|both| both.left.0).chain(only_left), progress)?;
    let mut damaged = sums.take_damaged();
    let only_right = lonely(|what| matches!(what, What::OnlyRight(_)));
    sums.check(right, others.iter().map(|both| both.right.0).chain(only_right), progress)?;
    damaged.append(&mut sums.take_damaged());

    let spec = |both: &&Both<'_>| {
        let is_sound = !damaged.contains(both.left.0) && !damaged.contains(both.right.0);
        is_sound.then(|| {
            let (left, right) = (both.left.1.spec.clone(), both.right.1.spec.clone());
            Difference::of(both.left.0, both.right.0, What::Spec { left, right })
        })
    };
    differences.extend(others.iter().filter_map(spec));
    let together = Together { left, right, tolerance: options.tolerance, progress };
    let mut unreadable = sums.findings;
    let mut equal = Vec::new();
    let mut bytes = 0_u64;
    for (pair, outcome) in compared.iter().zip(together.compare(&compared)?) {
        match outcome {
            Outcome::Unreadable(findings) => {
                damaged.extend([pair.left, pair.right].map(Clone::clone));
                unreadable.extend(findings);
                continue;
            }
            Outcome::Unequal(unequal) => {
                differences.push(Difference::of(pair.left, pair.right, What::Values(unequal)));
            }
            Outcome::Equal => equal.push(*pair),
        }
        let size = a.variables.get(pair.left).map_or(0, Variable::bytes);
        bytes = bytes.saturating_add(size);
    }
    let mut same = Vec::new();
    let mut graph = graph::compare(a.graph.as_ref(), b.graph.as_ref());
    if options.by_content {
        same = content::same(&together, &equal, &mut differences, &damaged)?;
        graph = graph.filter(|_| a.graph.is_some() && b.graph.is_some());
    }
    differences.sort_by(|one, other| one.name.cmp(&other.name));
    let mut not_text: Vec<_> = a.unnamable.iter().chain(&b.unnamable).cloned().collect();
    not_text.sort();
    not_text.dedup();
    Ok(Diff {
        left: a.origin.clone(),
        right: b.origin.clone(),
        common,
        bytes,
        differences,
        same,
        graph,
        unreadable,
        not_text,
    })
}

impl Difference {
    fn of(left: &VariableName, right: &VariableName, what: What) -> Self {
        let other = (left != right).then(|| right.clone());
        Self { name: left.clone(), right: other, what }
    }

    /// Its names on both sides, where there are both.
    fn names(&self) -> (&VariableName, &VariableName) {
        (&self.name, self.right.as_ref().unwrap_or(&self.name))
    }
}

/// Bytes of all values.
fn bytes(catalog: &Catalog) -> u64 {
    catalog.variables.values().fold(0, |sum, variable| sum.saturating_add(variable.bytes()))
}
