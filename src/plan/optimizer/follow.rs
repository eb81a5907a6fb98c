//! Slots take the way their variables took: the same expression, over slots.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::Origin;
use crate::catalog::VariableName;
use crate::mapping::{OptimizerBlock, Problem, ProblemKind, RuleId};
use crate::object::Target;
use crate::optimizer::{Found, Kind, Role};
use crate::plan::Value;
use crate::plan::claim::{Planner, misfit};
use crate::plan::pipeline::Flow;
use crate::plan::spot::Spot;
use crate::transform::{Scale, Transform};

const WAYS_OUT: &str =
    "`optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's";

/// One optimizer's slots, and where they go.
#[derive(Debug)]
pub(super) struct Following<'f> {
    pub(super) block: &'f OptimizerBlock,
    pub(super) optimizer: &'f Found,
    pub(super) origin: &'f Origin,
    pub(super) kind: Kind,
    /// What every slot is multiplied by.
    pub(super) scale: Option<Scale>,
}

/// Why slots cannot follow, by the rule that moves their variables: how many, and of which first.
type Stuck = BTreeMap<(RuleId, String), (usize, String)>;

impl Following<'_> {
    /// The slot that a variable has for the role number so-and-so.
    fn slot(&self, variable: &VariableName, role: usize) -> Option<&VariableName> {
        self.origin.slots.get(variable)?.get(role)?.as_ref()
    }
}

impl Planner<'_> {
    /// Every target with the variables its value is made of; of averages, the variables they are
    /// averages of.
    pub(super) fn followers(&self) -> Vec<(Target, Vec<VariableName>)> {
        let made = self.values.values().map(|assignment| {
            let sources = assignment.value.sources().into_iter();
            let raw = sources.map(|name| self.raw.get(name).unwrap_or(name).clone());
            (assignment.target.clone(), raw.collect::<Vec<_>>())
        });
        made.filter(|(_, sources)| !sources.is_empty()).collect()
    }

    /// Gives every slot of a converted variable its place.
    pub(super) fn slots(&mut self, following: &Following<'_>) {
        let followers = self.followers();
        let block = following.block;
        let mut placed: BTreeSet<VariableName> = BTreeSet::new();
        let mut stuck = Stuck::new();
        for (at, role) in following.kind.roles().iter().enumerate() {
            for (target, variables) in &followers {
                let slots = variables.iter().filter_map(|variable| following.slot(variable, at));
                let slots: Vec<VariableName> = slots.cloned().collect();
                let Some(first) = slots.first() else { continue };
                match self.slot_spot(following.optimizer, role, target) {
                    Ok(Some(spot)) => {
                        self.follow(following, (role, at), target, spot, &mut stuck);
                        placed.extend(slots);
                    }
                    Ok(None) => {}
                    Err(reason) => {
                        let message = format!("no place for `{first}`: {reason}");
                        self.report(block.id, Problem::new(ProblemKind::Optimizer, message));
                        placed.extend(slots);
                    }
                }
            }
        }
        for ((rule, reason), (count, first)) in stuck {
            let others = match count - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let message = format!("{first}{others} cannot follow its variable: {reason}");
            self.report(rule, Problem::new(ProblemKind::Optimizer, message).help(WAYS_OUT));
        }
        self.homeless(following, &followers, &placed);
    }

    /// Slots of converted variables that the target has no place for.
    fn homeless(
        &mut self,
        following: &Following<'_>,
        followers: &[(Target, Vec<VariableName>)],
        placed: &BTreeSet<VariableName>,
    ) {
        let converted: BTreeSet<&VariableName> = followers.iter().flat_map(|(_, of)| of).collect();
        let mut homeless: BTreeMap<&str, usize> = BTreeMap::new();
        for (variable, slots) in &following.origin.slots {
            if !converted.contains(variable) {
                continue;
            }
            for (role, slot) in following.kind.roles().iter().zip(slots) {
                let Some(slot) = slot else { continue };
                self.consume(slot, following.block);
                if !placed.contains(slot) {
                    *homeless.entry(role.name).or_default() += 1;
                }
            }
        }
        for (role, count) in homeless {
            let message = format!(
                "`{}` has no place for {count} {role} values; they are left behind",
                following.optimizer.shown
            );
            self.warn(following.block.id, Problem::new(ProblemKind::Optimizer, message));
        }
    }

    fn slot_spot(
        &self,
        found: &Found,
        role: &Role,
        target: &Target,
    ) -> Result<Option<Spot>, String> {
        let Some(template) = &self.template else { return Ok(None) };
        let Some(leaf) = template.of_target(target) else {
            return Ok(None);
        };
        let slot = found.slot(template.graph, role, leaf.node, leaf.full_name)?;
        Ok(slot.and_then(|node| template.of_node(node)).and_then(|leaf| self.leaf(leaf)))
    }

    /// One slot of the target, from the slots of the variables its variable is made of.
    fn follow(
        &mut self,
        following: &Following<'_>,
        (role, at): (&Role, usize),
        variable: &Target,
        spot: Spot,
        stuck: &mut Stuck,
    ) {
        // Where the variable does not fit, that its slots do not either is no news.
        if self.troubled.contains(variable) {
            return self.excuse([&spot]);
        }
        let Some(assignment) = self.values.get(variable) else { return };
        let slot = |name: &VariableName| {
            let owner = self.raw.get(name).unwrap_or(name);
            let slot = following.slot(owner, at).cloned();
            slot.ok_or_else(|| format!("it is joined with `{owner}`, which has no {}", role.name))
        };
        // A slot's way has no other values at its bottom.
        let spec = |leaf: &Value| match leaf {
            Value::Variable(name) => Some(self.catalog.variables.get(name)?.spec.clone()),
            _ => None,
        };
        let flow = assignment.value.along(&slot).and_then(|value| {
            if value.has_new() && !role.starts_at_zero {
                return Err(format!("the {} of new elements must not be zero", role.name));
            }
            let flow = Flow { spec: value.spec(&spec)?, value };
            match &following.scale {
                Some(scale) => flow.apply(Transform::Scale(scale.clone())),
                None => Ok(flow),
            }
        });
        let rule = assignment.rule.unwrap_or(following.block.id);
        let Flow { value, spec } = match flow {
            Ok(flow) => flow,
            Err(reason) => {
                let first = format!("the {} of `{}`", role.name, assignment.path);
                stuck.entry((rule, reason)).or_insert((0, first)).0 += 1;
                return self.excuse([&spot]);
            }
        };
        let name = value.sources().first().map(ToString::to_string).unwrap_or_default();
        if let Some(problem) = misfit(&name, &spec, &spot) {
            self.report(following.block.id, problem);
        }
        self.assign(spot, spec, value, Some(following.block.id));
    }
}
