//! What a conversion will do, worked out before anything is read: a pure function of what the
//! source holds and what the rules say. No I/O, no clock, no environment.
//!
//! Everything that is wrong comes out at once, and every source variable ends as mapped, dropped,
//! not needed, or unmatched.

mod account;
mod claim;
mod graph;
mod matching;
mod sources;

use std::collections::BTreeMap;

use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Mapping, Problem, Problems, RuleId};
use crate::object::{ObjectGraph, ObjectPath, Target};
use crate::tensor::{Constant, TensorSpec};
use crate::transform::Transform;

/// How the result will be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// By `tf.train.Checkpoint.restore`, which asks for a `save_counter`.
    #[default]
    Restore,
    /// By `tf.train.Checkpoint.read` or `load_weights`, which must not find one.
    Read,
}

/// What the command line adds to the rules.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How the result will be restored.
    pub purpose: Purpose,
    /// Lists untouched tensors under their TF1 names too.
    pub keep_names: bool,
    /// The value of `save_counter`; 1 if absent.
    pub save_counter: Option<u32>,
}

/// Everything a conversion will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How messages call the source.
    pub origin: String,
    /// Every value of the target, by path.
    pub assignments: Vec<Assignment>,
    /// What becomes of every source variable.
    pub fates: BTreeMap<VariableName, Fate>,
    /// Further keys for tensors that are written: the TF1 name and the target that has its bytes.
    pub aliases: Vec<(Target, Target)>,
    /// The objects of the target.
    pub graph: ObjectGraph,
    /// What is worth knowing, though nothing is wrong.
    pub warnings: Vec<Problem>,
}

/// One value of the target.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The key it gets.
    pub target: Target,
    /// The object it belongs to.
    pub path: ObjectPath,
    /// dtype and shape it arrives with.
    pub spec: TensorSpec,
    /// Where it comes from.
    pub value: Value,
    /// The rule that said so.
    pub rule: Option<RuleId>,
}

/// Where a value comes from: an expression that `plan` works out on specs and `convert` on bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A variable of the source.
    Variable(VariableName),
    /// The same element throughout.
    Constant(Constant),
    /// Another value, transformed.
    Apply(Transform, Box<Value>),
}

impl Value {
    /// The source variable whose bytes these are, unchanged.
    pub fn untouched(&self) -> Option<&VariableName> {
        match self {
            Self::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// The source variable this is made of, if any.
    pub fn source(&self) -> Option<&VariableName> {
        match self {
            Self::Variable(name) => Some(name),
            Self::Constant(_) => None,
            Self::Apply(_, of) => of.source(),
        }
    }

    /// The transforms on the way, first to last.
    pub fn transforms(&self) -> Vec<&Transform> {
        match self {
            Self::Apply(transform, of) => {
                let mut transforms = of.transforms();
                transforms.push(transform);
                transforms
            }
            _ => Vec::new(),
        }
    }
}

/// What becomes of a source variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// A rule gives it a place.
    Mapped(RuleId),
    /// A rule says it is not converted.
    Dropped(RuleId),
    /// `optimizer: drop` says so.
    OptimizerDropped,
    /// `unmatched: drop` says so.
    UnmatchedDropped,
    /// No rule claims it, and `unmatched: warn` lets that pass.
    Unmatched,
    /// A step counter that nothing asks for.
    NotNeeded,
}

/// Works out what `mapping` makes of `source`.
pub fn plan(source: &Catalog, mapping: &Mapping, options: &Options) -> Result<Plan, Problems> {
    let mut planner = claim::Planner::new(source, mapping);
    planner.check_source();
    planner.optimizer();
    planner.names();
    planner.recordings();
    planner.rules();
    planner.fills();
    planner.save_counter(options);
    let fates = planner.account();
    let graph = planner.graph();
    planner.finish(fates, graph, options)
}
