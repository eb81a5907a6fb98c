//! What a checkpoint holds: every variable with its spec and storage, the object graph if there is
//! one, and facts that cost next to nothing to know. Values, not access: reading is `source`'s.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::object::ObjectGraph;
use crate::tensor::{Tensor, TensorSpec};

/// The key a variable is stored under: a TF1 name, or a TF2 checkpoint key.
///
/// Invariant: not empty (the empty key is the bundle's header).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableName(String);

impl VariableName {
    /// `None` for the empty name.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        (!name.is_empty()).then_some(Self(name))
    }

    /// The name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Borrow<str> for VariableName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How a variable's bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In one piece.
    Whole {
        /// The file, counted from 0.
        shard: u32,
        /// First byte in it.
        offset: u64,
        /// Bytes there; the only place that knows the size of strings.
        bytes: u64,
    },
    /// In so many pieces: a partitioned variable.
    Slices(usize),
    /// As values in so many records of a V1 table, one for each slice.
    Records(usize),
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// dtype and shape, as a whole.
    pub spec: TensorSpec,
    /// Where its bytes are.
    pub storage: Storage,
    /// Rows of each part, if it is cut along its first axis alone; else empty.
    pub parts: Vec<u64>,
}

impl Variable {
    /// Size in bytes; of strings and variants the stored one, 0 where only reading them would tell.
    pub fn bytes(&self) -> u64 {
        match self.storage {
            Storage::Whole { bytes, .. } => bytes,
            Storage::Slices(_) | Storage::Records(_) => self.spec.bytes().unwrap_or_default(),
        }
    }

    /// File and first byte, so that files are read from front to back; last, what lies in pieces.
    pub fn position(&self) -> (u32, u64) {
        match self.storage {
            Storage::Whole { shard, offset, .. } => (shard, offset),
            Storage::Slices(_) | Storage::Records(_) => (u32::MAX, 0),
        }
    }
}

/// Things known about a checkpoint beyond its variables.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Values of small numeric variables of rank 0: steps, powers, hyper-parameters.
    pub scalars: BTreeMap<VariableName, Tensor<'static>>,
    /// Names of variables in the order in which the program created them, if its graph lies
    /// beside the checkpoint.
    pub creation_order: Vec<String>,
    /// Which variables the program put into which collection, likewise: `trainable_variables`.
    pub collections: BTreeMap<String, BTreeSet<String>>,
    /// How the program's optimizers update its variables, likewise.
    pub updates: Vec<Update>,
    /// What was noticed on opening, in sentences.
    pub notes: Vec<String>,
}

/// An op that updates a variable by its gradient, as the graph beside a checkpoint has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The op without `Resource` and `Sparse`: `ApplyAdam`.
    pub op: &'static str,
    /// The variable, as the checkpoint calls it.
    pub variable: String,
    /// Its slots in the order of the op's inputs.
    pub slots: Vec<String>,
    /// Powers of beta that the op reads, likewise.
    pub powers: Vec<String>,
    /// Learning rate and the like, by the name of the op's input: `lr`, `beta1`, `epsilon`.
    pub hyperparameters: BTreeMap<&'static str, Hyperparameter>,
    /// The attribute `use_nesterov`.
    pub nesterov: bool,
}

/// A number an optimizer was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Hyperparameter {
    /// A constant of the graph.
    Value(f64),
    /// A variable: its value is in the checkpoint, under this name.
    Variable(String),
    /// The result of this op: a schedule.
    Computed(String),
}

/// A checkpoint's content.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// How messages call the checkpoint.
    pub origin: String,
    /// The format it is stored in.
    pub format: &'static str,
    /// Number of data files.
    pub shards: u32,
    /// Every variable by name.
    pub variables: BTreeMap<VariableName, Variable>,
    /// Keys that are no text; they cannot be named in a rule.
    pub unnamable: Vec<Vec<u8>>,
    /// The objects of a TF2 checkpoint.
    pub graph: Option<ObjectGraph>,
    /// What else is known.
    pub facts: Facts,
}

impl Catalog {
    /// The value of a small numeric variable of rank 0.
    pub fn scalar(&self, name: &str) -> Option<f64> {
        self.facts.scalars.get(name)?.number()
    }
}
