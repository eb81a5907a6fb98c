//! A conversion proved: every value is worked out again from the source and compared bit for bit
//! with what stands in the result, and so are the names and the objects.
//!
//! It shares with `convert` how a value is pulled through its transforms, and nothing of writing.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Variable, VariableName};
use crate::convert::{Inputs, Loaded, pull};
use crate::diff::{
    CompareError, GraphDifference, Sums, Tolerance, What, compare_blocks, compare_graphs,
    compare_whole,
};
use crate::object::Target;
use crate::plan::{Assignment, Plan, Value};
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding};

/// Bytes of each side that are in memory at a time: transforms are faster with large blocks.
const BLOCK: u64 = 4 << 20;

/// What came of proving a conversion.
#[derive(Debug)]
pub struct Verification {
    /// How messages call the result.
    pub new: String,
    /// How messages call the source.
    pub old: String,
    /// Values that the plan has, further names for them not counted.
    pub values: usize,
    /// Further names that the plan has for values.
    pub aliases: usize,
    /// Everything that is not as planned, by key.
    pub mismatches: Vec<Mismatch>,
    /// Where the object graph is not the planned one, which is the left of the two.
    pub graph: Option<GraphDifference>,
    /// Variables of either that could not be read; they count neither as equal nor as different.
    pub unreadable: Vec<Finding>,
    /// Keys of the result that are no text, which no plan has.
    pub not_text: Vec<Vec<u8>>,
}

/// A tensor that is not as planned.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// Its key in the result.
    pub key: Target,
    /// What the plan says of it; `None` where the plan has no such key.
    pub planned: Option<Assignment>,
    /// What is different: left is the plan, right the result.
    pub what: What,
}

impl Verification {
    /// Whether nothing is different, as far as it could be compared.
    pub fn is_equal(&self) -> bool {
        self.mismatches.is_empty() && self.graph.is_none() && self.not_text.is_empty()
    }

    /// Whether everything could be compared.
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty()
    }
}

/// Compares `new` with what `plan` makes of `inputs`, bit for bit.
pub fn verify(
    new: &dyn CheckpointReader,
    plan: &Plan,
    inputs: &Inputs<'_>,
    progress: &dyn Progress,
) -> Result<Verification, CompareError> {
    compare(new, plan, inputs, Tolerance::EXACT, progress)
}

/// Compares `new` with what `plan` makes of `inputs`. All of `new` is read, and all that the plan
/// takes from elsewhere, in blocks.
pub fn compare(
    new: &dyn CheckpointReader,
    plan: &Plan,
    inputs: &Inputs<'_>,
    tolerance: Tolerance,
    progress: &dyn Progress,
) -> Result<Verification, CompareError> {
    let (result, source) = (new.catalog(), inputs.source.catalog());
    let wanted = wanted(plan);
    let sizes = result.variables.iter().map(|(name, variable)| {
        // Once for its sum, twice for its value and what that should be.
        variable.bytes() * if wanted.contains_key(name.as_str()) { 3 } else { 1 }
    });
    // What was left behind may be damaged: that may be why.
    let used: BTreeSet<&VariableName> =
        plan.assignments.iter().flat_map(|assignment| assignment.value.sources()).collect();
    let sources = used.iter().filter_map(|name| source.variables.get(*name)).map(Variable::bytes);
    progress.begin(sizes.chain(sources).sum());
    let from_template = plan.assignments.iter().filter_map(|assignment| kept(&assignment.value));
    let mut sums = Sums::default();
    sums.check(inputs.source, used, progress)?;
    let source_damage = sums.take_damaged();
    if let Some(template) = inputs.template {
        sums.check(template, from_template, progress)?;
    }
    let template_damage = sums.take_damaged();
    let hurt = |value: &Value| {
        value.sources().into_iter().any(|name| source_damage.contains(name))
            || kept(value).is_some_and(|name| template_damage.contains(name))
    };
    sums.check(new, result.variables.keys(), progress)?;
    let damage = sums.take_damaged();

    let mut mismatches = Vec::new();
    let mut here = Vec::new();
    for (key, (target, assignment)) in &wanted {
        match result.variables.get_key_value(*key) {
            Some((name, variable)) => here.push((name, variable, *target, *assignment)),
            None => mismatches.push(Mismatch {
                key: (*target).clone(),
                planned: Some((*assignment).clone()),
                what: What::OnlyLeft(assignment.spec.clone()),
            }),
        }
    }
    here.sort_by_key(|(_, variable, ..)| variable.position());
    for (name, variable, target, assignment) in here {
        if damage.contains(name) || hurt(&assignment.value) {
            continue;
        }
        let what = Work { new, inputs, tolerance, progress }.compare(name, variable, assignment)?;
        mismatches.extend(what.map(|what| Mismatch {
            key: target.clone(),
            planned: Some(assignment.clone()),
            what,
        }));
    }
    let extra = result.variables.iter().filter(|(name, _)| !wanted.contains_key(name.as_str()));
    mismatches.extend(extra.map(|(name, variable)| Mismatch {
        key: Target::named(name.as_str()),
        planned: None,
        what: What::OnlyRight(variable.spec.clone()),
    }));
    mismatches.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(Verification {
        new: result.origin.clone(),
        old: source.origin.clone(),
        values: plan.assignments.len(),
        aliases: plan.aliases.len(),
        mismatches,
        graph: compare_graphs(plan.graph.as_ref(), result.graph.as_ref()),
        unreadable: sums.findings,
        not_text: result.unnamable.clone(),
    })
}

/// What must stand under each key: every value, and every further name for one.
fn wanted(plan: &Plan) -> BTreeMap<&str, (&Target, &Assignment)> {
    let values = plan.assignments.iter().map(|assignment| (&assignment.target, assignment));
    let mut wanted: BTreeMap<&str, (&Target, &Assignment)> =
        values.map(|(target, assignment)| (target.key(), (target, assignment))).collect();
    for (alias, of) in &plan.aliases {
        if let Some(&(_, assignment)) = wanted.get(of.key()) {
            wanted.insert(alias.key(), (alias, assignment));
        }
    }
    wanted
}

/// The template's variable that a value is made of, if any; of the rest of the template nothing is
/// taken over but the objects.
fn kept(value: &Value) -> Option<&VariableName> {
    match value {
        Value::Template(name) => Some(name),
        Value::Apply(_, of) => kept(of),
        Value::Concat { parts, .. } => parts.iter().find_map(kept),
        Value::Variable(_) | Value::Constant(_) => None,
    }
}

struct Work<'w> {
    new: &'w dyn CheckpointReader,
    inputs: &'w Inputs<'w>,
    tolerance: Tolerance,
    progress: &'w dyn Progress,
}

impl Work<'_> {
    /// What differs between a value and the variable it should be; all of their bytes are sound.
    fn compare(
        &self,
        name: &VariableName,
        variable: &Variable,
        assignment: &Assignment,
    ) -> Result<Option<What>, CompareError> {
        let Assignment { target, spec, value, .. } = assignment;
        if variable.spec != *spec {
            let (left, right) = (spec.clone(), variable.spec.clone());
            return Ok(Some(What::Spec { left, right }));
        }
        // Elements with lengths of their own cannot be read in parts, and nothing transforms them.
        let whole = self.inputs.stored(value).filter(|_| spec.bytes().is_none());
        if let Some((reader, from)) = whole {
            let (planned, found) = (reader.read(from)?, self.new.read(name)?);
            self.progress.advance((planned.data().len() + found.data().len()) as u64);
            return Ok(compare_whole(&planned, &found).map(What::Values));
        }
        let transform = |source| CompareError::Transform { target: target.clone(), source };
        let none = Loaded::default();
        let mut planned = pull::regions(value, self.inputs, &none).map_err(transform)?;
        let unequal = compare_blocks(
            spec,
            |region, out| planned.read(region, out).map_err(transform),
            |region, out| Ok(self.new.read_region(name, region, out)?),
            BLOCK,
            self.tolerance,
            self.progress,
        )?;
        Ok(unequal.map(What::Values))
    }
}
