//! Optimizer state finds its place: slots follow their variables, the step and the
//! hyper-parameters go where the template keeps them.

mod numbers;
mod origin;

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Planner, misfit};
use super::pipeline::Flow;
use super::spot::Spot;
use super::{Fate, Value};
use crate::catalog::VariableName;
use crate::mapping::{OptimizerBlock, OptimizerPolicy, Problem, ProblemKind};
use crate::object::{NodeId, Target};
use crate::optimizer::{self, Found, Kind, Role, State};
use crate::tensor::TensorSpec;
use crate::transform::{Scale, Transform};
use origin::Origin;

/// Optimizer state of the source, taken away before any rule saw it.
#[derive(Debug)]
pub(super) enum Taken {
    /// Told apart by names.
    Names(State),
    /// Told apart by objects.
    Objects(Vec<Found>),
}

impl Planner<'_> {
    /// Takes optimizer state away from the rules, as the rule file wants it.
    pub(super) fn take_state(&mut self) -> Option<Taken> {
        let blocks = match &self.mapping.optimizer {
            Some(OptimizerPolicy::Plain) => return None,
            Some(OptimizerPolicy::Convert(blocks)) => blocks.as_slice(),
            _ => &[],
        };
        let names: Vec<&str> = blocks.iter().filter_map(|block| block.name.as_deref()).collect();
        let (taken, held, summary) = match &self.catalog.graph {
            Some(graph) => {
                let found = optimizer::optimizers(graph);
                let owned: BTreeSet<NodeId> =
                    found.iter().flat_map(|found| found.owned.iter().copied()).collect();
                let keys: BTreeSet<&str> = graph
                    .attributes()
                    .filter(|(node, _)| owned.contains(node))
                    .map(|(_, attribute)| attribute.key.as_str())
                    .collect();
                let held: BTreeSet<VariableName> =
                    keys.into_iter().filter_map(VariableName::new).collect();
                let shown: Vec<String> =
                    found.iter().map(|found| format!("`{}`", found.shown)).collect();
                let summary = format!("{} values of {}", held.len(), shown.join(", "));
                (Taken::Objects(found), held, summary)
            }
            None => {
                let state = optimizer::detect(self.catalog, &names);
                let mut held: BTreeSet<VariableName> = BTreeSet::new();
                // Without slots, powers and the step are variables like others.
                if !state.is_empty() || !blocks.is_empty() {
                    held.extend(state.slots.keys().chain(&state.powers).cloned());
                }
                if !blocks.is_empty() {
                    held.extend(state.step.clone());
                }
                let summary = state.summary();
                (Taken::Names(state), held, summary)
            }
        };
        if held.is_empty() && blocks.is_empty() {
            return None;
        }
        if self.mapping.optimizer.is_none() {
            let message = format!("the checkpoint holds optimizer state: {summary}");
            let help = "write `optimizer: {to: optimizer}` to convert it for a template's optimizer, \
                        `optimizer: drop` to leave it behind, \
                        or `optimizer: plain` to let rules treat it as ordinary variables";
            self.problems.push(Problem::new(ProblemKind::Optimizer, message).help(help));
        }
        for source in self.sources.all.iter_mut().filter(|source| held.contains(source.name)) {
            source.fate = Some(Fate::OptimizerDropped);
        }
        Some(taken)
    }

    /// Gives state its places in the template's optimizers.
    pub(super) fn place_state(&mut self, taken: Option<&Taken>) {
        let Some(OptimizerPolicy::Convert(blocks)) = &self.mapping.optimizer else { return };
        let Some(template) = &self.template else {
            for block in blocks {
                let message = "optimizer state cannot be placed without a template";
                let help = "the order of a model's trainable variables is known to the model only: \
                            give a template with `--like`, or write `optimizer: drop`";
                self.report(block.id, Problem::new(ProblemKind::Optimizer, message).help(help));
            }
            return;
        };
        let found = optimizer::optimizers(template.graph);
        for (number, block) in blocks.iter().enumerate() {
            let path = block.to.join("/");
            let Some(target) = found.iter().find(|found| found.shown == path) else {
                let known: Vec<String> =
                    found.iter().map(|found| format!("`{}`", found.shown)).collect();
                let message = format!("the template has no optimizer at `{path}`");
                let help = match known.as_slice() {
                    [] => "it has none at all: write it with \
                           `tf.train.Checkpoint(model=…, optimizer=…)` after the optimizer is built"
                        .to_owned(),
                    known => format!("it has {}", known.join(", ")),
                };
                self.report(block.id, Problem::new(ProblemKind::Optimizer, message).help(help));
                continue;
            };
            let origin = match taken {
                Some(Taken::Names(state)) => self.named_origin(block, blocks, number, state),
                Some(Taken::Objects(found)) => self.object_origin(block, blocks.len(), found),
                None => Ok(Origin::default()),
            };
            match origin {
                Ok(origin) => self.place(block, target, &origin),
                Err(problem) => self.report(block.id, *problem),
            }
        }
        self.left_alone(blocks, taken);
    }

    /// Slots of converted variables that no block asked for: somebody forgot an optimizer.
    fn left_alone(&mut self, blocks: &[OptimizerBlock], taken: Option<&Taken>) {
        let Some(Taken::Names(state)) = taken else { return };
        if blocks.iter().any(|block| self.is_troubled(block.id)) {
            return;
        }
        let fates: BTreeMap<&VariableName, Option<Fate>> =
            self.sources.all.iter().map(|source| (source.name, source.fate)).collect();
        let fate = |name: &VariableName| fates.get(name).copied().flatten();
        let alone: Vec<&VariableName> = state
            .slots
            .iter()
            .filter(|(slot, of)| {
                fate(slot) == Some(Fate::OptimizerDropped)
                    && matches!(fate(&of.variable), Some(Fate::Mapped(_)))
            })
            .map(|(slot, _)| slot)
            .collect();
        let (Some(first), Some(block)) = (alone.first(), blocks.last()) else { return };
        let message = format!("{} slots belong to no block: `{first}`, …", alone.len());
        let help = "widen a block's `variables:`, `name:` or `slots:`, or add a block for them";
        let problem = Problem::new(ProblemKind::Optimizer, message).help(help);
        self.report(block.id, problem);
    }

    fn place(&mut self, block: &OptimizerBlock, optimizer: &Found, origin: &Origin) {
        let found = self.template.as_ref().and_then(|template| optimizer.kind(template.graph));
        let kind = meant(block, origin, found);
        if let Some(found) = found.filter(|found| !kind.suits(*found)) {
            let message = format!(
                "the checkpoint's state is {}'s, the template's `{}` is {}",
                kind.title(),
                optimizer.shown,
                found.title()
            );
            let help = "build the template with the same kind of optimizer, or write \
                        `optimizer: keep` to begin with its state";
            return self.report(block.id, Problem::new(ProblemKind::Optimizer, message).help(help));
        }
        let scale = match kind {
            Kind::Momentum if origin.is_tf1 && !origin.slots.is_empty() => {
                match self.learning_rate(block, optimizer, origin) {
                    Some(rate) => Some(Scale::new(-rate)),
                    None => return,
                }
            }
            _ => None,
        };
        let followers = self.followers();
        let mut placed: BTreeSet<VariableName> = BTreeSet::new();
        for (at, role) in kind.roles().iter().enumerate() {
            for (target, variables) in &followers {
                let slot = |variable: &VariableName| origin.slots.get(variable)?.get(at)?.as_ref();
                let slots: Vec<&VariableName> = variables.iter().filter_map(slot).collect();
                let Some(first) = slots.first() else { continue };
                if slots.len() < variables.len() {
                    let message = format!(
                        "`{first}` cannot follow its variable, which is joined with one that has no {}",
                        role.name
                    );
                    self.report(block.id, Problem::new(ProblemKind::Optimizer, message));
                    placed.extend(slots.into_iter().cloned());
                    continue;
                }
                match self.slot_spot(optimizer, role, target) {
                    Ok(Some(spot)) => {
                        placed.extend(slots.into_iter().cloned());
                        self.follow(block, (role, at), (target, origin), spot, scale.as_ref());
                    }
                    Ok(None) => {}
                    Err(reason) => {
                        let message = format!("no place for `{first}`: {reason}");
                        self.report(block.id, Problem::new(ProblemKind::Optimizer, message));
                        placed.extend(slots.into_iter().cloned());
                    }
                }
            }
        }
        let converted: BTreeSet<&VariableName> = followers.iter().flat_map(|(_, of)| of).collect();
        let mut homeless: BTreeMap<&str, usize> = BTreeMap::new();
        for (variable, slots) in &origin.slots {
            if !converted.contains(variable) {
                continue;
            }
            for (role, slot) in kind.roles().iter().zip(slots) {
                let Some(slot) = slot else { continue };
                self.consume(slot, block);
                if !placed.contains(slot) {
                    *homeless.entry(role.name).or_default() += 1;
                }
            }
        }
        for (role, count) in homeless {
            let message = format!(
                "`{}` has no place for {count} {role} values; they are left behind",
                optimizer.shown
            );
            self.warn(block.id, Problem::new(ProblemKind::Optimizer, message));
        }
        self.step(block, optimizer, origin, kind);
        self.hyperparameters(block, optimizer, origin, kind);
        let bert = ["adam", "AdamWeightDecayOptimizer", "BERTAdam"];
        if origin.name.as_deref().is_some_and(|name| bert.contains(&name)) {
            let why = "BERT's Adam has no bias correction and decays weights: training goes on \
                       near it, not on it";
            self.advice.push(format!("`{}`: {why}", optimizer.shown));
        }
        let advice = kind.advice().iter().map(|advice| format!("`{}`: {advice}", optimizer.shown));
        self.advice.extend(advice);
    }

    /// Every target with the variables its value is made of; of averages, the variables they are
    /// averages of.
    fn followers(&self) -> Vec<(Target, Vec<VariableName>)> {
        let made = self.values.values().map(|assignment| {
            let sources = assignment.value.sources().into_iter();
            let raw = sources.map(|name| self.raw.get(name).unwrap_or(name).clone());
            (assignment.target.clone(), raw.collect::<Vec<_>>())
        });
        made.filter(|(_, sources)| !sources.is_empty()).collect()
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

    /// Slots take the way their variables took.
    fn follow(
        &mut self,
        block: &OptimizerBlock,
        (role, at): (&Role, usize),
        (variable, origin): (&Target, &Origin),
        spot: Spot,
        scale: Option<&Scale>,
    ) {
        let Some(assignment) = self.values.get(variable) else { return };
        let slot = |name: &VariableName| {
            let owner = self.raw.get(name).unwrap_or(name);
            let slot = origin.slots.get(owner).and_then(|slots| slots.get(at)?.clone());
            slot.ok_or_else(|| format!("`{owner}` has no {}", role.name))
        };
        let flow = assignment.value.along(&slot).and_then(|value| {
            if value.has_new() && !role.starts_at_zero {
                return Err(format!("new elements of {} would begin at zero", role.name));
            }
            let spec = self.spec_of(&value)?;
            let flow = Flow { value, spec };
            match scale {
                Some(scale) => flow.apply(Transform::Scale(scale.clone())),
                None => Ok(flow),
            }
        });
        let Flow { value, spec } = match flow {
            Ok(flow) => flow,
            Err(reason) => {
                let message = format!(
                    "the {} of `{}` cannot follow it: {reason}",
                    role.name, assignment.path
                );
                let problem = Problem::new(ProblemKind::Optimizer, message).help(
                    "`optimizer: drop` leaves state behind, `optimizer: keep` keeps the template's",
                );
                return self.report(block.id, problem);
            }
        };
        let name = value.sources().first().map(ToString::to_string).unwrap_or_default();
        if let Some(problem) = misfit(&name, &spec, &spot) {
            self.report(block.id, problem);
        }
        self.assign(spot, spec, value, Some(block.id));
    }

    /// What a value over source variables is.
    fn spec_of(&self, value: &Value) -> Result<TensorSpec, String> {
        match value {
            Value::Variable(name) => {
                let variable = self.catalog.variables.get(name);
                let spec = variable.map(|variable| variable.spec.clone());
                spec.ok_or_else(|| format!("there is no `{name}`"))
            }
            Value::Constant(constant) => Ok(constant.spec().clone()),
            Value::Apply(transform, of) => {
                let spec = self.spec_of(of)?;
                transform.op().infer(&spec).map_err(|error| error.to_string())
            }
            Value::Concat { axis, parts } => {
                let flows: Result<Vec<Flow>, String> = parts
                    .iter()
                    .map(|part| Ok(Flow { value: part.clone(), spec: self.spec_of(part)? }))
                    .collect();
                let axis = i64::try_from(*axis).map_err(|error| error.to_string())?;
                Ok(Flow::concat(axis, flows?)?.spec)
            }
            Value::Template(_) => Err("the template's own value has no slots".to_owned()),
        }
    }

    fn consume(&mut self, name: &VariableName, block: &OptimizerBlock) {
        if let Some(source) = self.sources.named(name) {
            source.fate = Some(Fate::Consumed(block.id));
        }
    }
}

/// What sort of optimizer the state belongs to. Nadam's slots are called as Adam's; that the
/// target, which is of the sort `found`, keeps a momentum schedule tells them apart.
fn meant(block: &OptimizerBlock, origin: &Origin, found: Option<Kind>) -> Kind {
    let told = match (origin.kind, found) {
        (Kind::Adam, Some(Kind::Nadam)) => Kind::Nadam,
        (kind, _) => kind,
    };
    block.kind.unwrap_or(told)
}
