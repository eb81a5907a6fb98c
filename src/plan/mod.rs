//! What a conversion will do, worked out before anything is read: a pure function of what the
//! source holds and what the rules say. No I/O, no clock, no environment.
//!
//! Everything that is wrong comes out at once, and every source variable ends as mapped, dropped,
//! not needed, or unmatched.

mod account;
mod averages;
mod batch;
mod cells;
mod claim;
mod finish;
mod fit;
mod graph;
mod join;
mod matching;
mod missing;
mod optimizer;
mod pipeline;
mod series;
mod sources;
mod spot;
mod template;
mod value;
mod zip;

use std::collections::BTreeMap;

use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Mapping, Problem, Problems, RuleId};
use crate::object::{ObjectGraph, Target};
use crate::tensor::TensorSpec;

pub use averages::AverageCounts;
pub use value::Value;
pub(crate) use value::joined;

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
    /// The value of `save_counter`; the template's or 1 if absent.
    pub save_counter: Option<u32>,
    /// Keeps the template's value wherever the rules give none.
    pub keep_missing: bool,
    /// The plan is to be reversed: the source's values need not be readable.
    pub backwards: bool,
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
    /// The objects of the target; `None` for a name-based one.
    pub graph: Option<ObjectGraph>,
    /// Powers of beta that were consumed, for the way back.
    pub powers: BTreeMap<VariableName, Power>,
    /// Step counters whose number, not whose bytes, went to a target; likewise.
    pub counters: BTreeMap<VariableName, Target>,
    /// What became of averages, if the source has any.
    pub averages: Option<AverageCounts>,
    /// What the same training still depends on in the user's program.
    pub advice: Vec<String>,
    /// What is worth knowing, though nothing is wrong.
    pub warnings: Vec<Problem>,
}

/// One value of the target.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The key it gets.
    pub target: Target,
    /// A way to the object it belongs to, as people write it.
    pub path: String,
    /// dtype and shape it arrives with.
    pub spec: TensorSpec,
    /// Where it comes from.
    pub value: Value,
    /// The rule that said so.
    pub rule: Option<RuleId>,
}

/// What a power of beta is worked out from: after t steps TF1 keeps `beta^(t + 1)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// Beta, if it is known.
    pub beta: Option<f64>,
    /// The target's step counter.
    pub iterations: Target,
}

/// What becomes of a source variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// A rule gives it a place.
    Mapped(RuleId),
    /// A rule says it is not converted.
    Dropped(RuleId),
    /// It is optimizer state that is not converted: `optimizer` says so, or its variable is not
    /// converted either.
    OptimizerDropped,
    /// `unmatched: drop` says so.
    UnmatchedDropped,
    /// The template has no place for it, and the rule is optional.
    NoTarget(RuleId),
    /// It does not fit its place in the template, and the rule lets that pass.
    Skipped(RuleId),
    /// Its average is taken in its place.
    Averaged,
    /// It is an average, or belongs to one, and raw values are taken.
    AverageDropped,
    /// It belongs to an optimizer, and its values went into this block's.
    Consumed(RuleId),
    /// No rule claims it, and `unmatched: warn` lets that pass.
    Unmatched,
    /// It goes under the TF1 name that its object remembers.
    Named,
    /// Nothing asks for it: a step counter, or what TF1 has no name for.
    NotNeeded,
}

/// A plan as far as it could be made, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The plan. With problems it is there to be looked at, not to be followed.
    pub plan: Plan,
    /// Everything that is wrong.
    pub problems: Option<Problems>,
}

/// Works out what `mapping` makes of `source`.
///
/// `template` is the object-based checkpoint whose graph the result takes over; without one the
/// graph is built from the target paths.
pub fn plan(
    source: &Catalog,
    mapping: &Mapping,
    template: Option<&Catalog>,
    options: &Options,
) -> Result<Plan, Problems> {
    let Draft { plan, problems } = draft(source, mapping, template, options)?;
    problems.map_or(Ok(plan), Err)
}

/// The same, with all that goes right beside what does not. Fails only where the template is none.
pub fn draft(
    source: &Catalog,
    mapping: &Mapping,
    template: Option<&Catalog>,
    options: &Options,
) -> Result<Draft, Problems> {
    let mut planner = claim::Planner::new(source, mapping, template, options)?;
    planner.check_source();
    planner.take_averages();
    let state = planner.take_state();
    planner.names();
    planner.refusals();
    planner.recordings();
    planner.rules();
    planner.check_averages();
    planner.fills();
    planner.place_state(state.as_ref());
    planner.save_counter();
    planner.missing();
    planner.only_averages();
    planner.headline();
    let fates = planner.account();
    let graph = planner.graph();
    Ok(planner.finish(fates, graph))
}
