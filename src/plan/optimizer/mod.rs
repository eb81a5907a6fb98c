//! Optimizer state finds its place: slots follow their variables, the step and the
//! hyper-parameters go where the template keeps them.

mod follow;
mod numbers;
mod origin;

use std::collections::{BTreeMap, BTreeSet};

use super::Fate;
use super::claim::Planner;
use crate::catalog::VariableName;
use crate::mapping::{OptimizerBlock, OptimizerPolicy, Problem, ProblemKind};
use crate::object::NodeId;
use crate::optimizer::{self, Found, Kind, State};
use crate::transform::Scale;
use follow::Following;
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
        let followers = self.followers();
        let converted: BTreeSet<&VariableName> = followers.iter().flat_map(|(_, of)| of).collect();
        let fate = |name: &VariableName| fates.get(name).copied().flatten();
        let alone: Vec<&VariableName> = state
            .slots
            .iter()
            .filter(|(slot, of)| {
                fate(slot) == Some(Fate::OptimizerDropped)
                    // Where a rule has a mistake, its variables went nowhere.
                    && converted.contains(&of.variable)
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
            let help = if found == Kind::GradientDescent {
                // One that keeps nothing, or one that had not begun to.
                "it has no slots: build the optimizer before the template is saved \
                 (`optimizer.build(model.trainable_variables)`), or write `optimizer: drop`"
            } else {
                "build the template with the same kind of optimizer, or write `optimizer: keep` to \
                 begin with its state"
            };
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
        self.slots(&Following { block, optimizer, origin, kind, scale });
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
}

impl Planner<'_> {
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
