//! What the template holds and nobody gave a value.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::Planner;
use super::spot::Spot;
use super::{Purpose, Value};
use crate::catalog::VariableName;
use crate::mapping::{OptimizerPolicy, Problem, ProblemKind, RuleId};
use crate::object::{NodeId, SAVE_COUNTER, Target};
use crate::optimizer::{self, Found, Kind};

/// What Keras layers of about 2019 stored beside their variables. TensorFlow restores it no more
/// and would miss an owner for it in `assert_consumed`.
pub(super) const OBJECT_CONFIG: &str = "OBJECT_CONFIG_JSON";

impl Planner<'_> {
    /// Every leaf of the template gets a value, or is a problem.
    pub(super) fn missing(&mut self) {
        let Some(template) = &self.template else { return };
        let optimizers = optimizer::optimizers(template.graph);
        let leaves: Vec<(usize, Spot)> = template
            .leaves
            .iter()
            .enumerate()
            .map(|(i, leaf)| (i, Spot::leaf(leaf)))
            .filter(|(_, spot)| !self.values.contains_key(&spot.target))
            .collect();
        let skipped = self.slots_of(&self.skipped, &optimizers);
        if !skipped.is_empty() {
            let message = "state of what was skipped begins anew, while the count of steps goes on";
            self.advice.push(message.to_owned());
        }
        let troubled = self.slots_of(&self.troubled, &optimizers);
        let mut bare: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut forgotten: BTreeSet<(usize, String)> = BTreeSet::new();
        let blocks = match &self.mapping.optimizer {
            Some(OptimizerPolicy::Convert(blocks)) => blocks.as_slice(),
            _ => &[],
        };
        let troubled_block = blocks.iter().any(|block| self.is_troubled(block.id));
        for (i, spot) in leaves {
            let node = self
                .template
                .as_ref()
                .and_then(|template| template.leaves.get(i))
                .map(|leaf| leaf.node);
            if spot.shown == SAVE_COUNTER && self.options.purpose == Purpose::Read {
                continue;
            }
            let owner = optimizers.iter().find(|found| node.is_some_and(|node| found.owns(node)));
            match (owner, &self.mapping.optimizer) {
                _ if self.options.keep_missing => self.keep(spot),
                // What begins anew begins with its own state.
                (Some(_), _) if node.is_some_and(|node| skipped.contains(&node)) => self.keep(spot),
                (Some(_), Some(OptimizerPolicy::Keep)) => self.keep(spot),
                (Some(found), None | Some(OptimizerPolicy::Drop | OptimizerPolicy::Plain)) => {
                    forgotten.insert((found.node, found.shown.clone()));
                }
                (Some(_), _) if node.is_some_and(|node| troubled.contains(&node)) => {}
                // What a block with a problem would have filled is not the thing to talk about.
                (Some(_), Some(OptimizerPolicy::Convert(_)))
                    if troubled_block || self.troubled.contains(&spot.target) => {}
                (Some(found), Some(OptimizerPolicy::Convert(_))) => {
                    let graph = self.template.as_ref().map(|template| template.graph);
                    let label = graph.zip(node).and_then(|(graph, node)| found.label(graph, node));
                    let label = label.unwrap_or_else(|| spot.shown.clone());
                    let called = self.template.as_ref().and_then(|template| template.leaves.get(i));
                    let called = called.map(|leaf| leaf.full_name).filter(|name| !name.is_empty());
                    let called = called.map_or(spot.shown, str::to_owned);
                    bare.entry((found.shown.clone(), label)).or_default().push(called);
                }
                _ => self.lacking(&spot),
            }
        }
        for ((path, label), called) in bare {
            let first = called.first().map(String::as_str).unwrap_or_default();
            let message = format!(
                "the template's `{path}` has {} `{label}` values that the checkpoint has no state for: `{first}`{}",
                called.len(),
                if called.len() > 1 { ", …" } else { "" }
            );
            let help = "is it another kind of optimizer than TF1's? build the template with the same kind, \
                        or keep its own values with `--keep-missing`";
            self.problems.push(Problem::new(ProblemKind::Optimizer, message).help(help));
        }
        for (_, path) in forgotten {
            let message = format!(
                "the template has an optimizer at `{path}`, which the rules do not mention"
            );
            let help = format!(
                "write `optimizer: {{to: {path}}}`, or `optimizer: keep` for the template's state"
            );
            self.problems.push(Problem::new(ProblemKind::Optimizer, message).help(help));
        }
        self.others();
    }

    /// State that optimizers keep of these variables.
    fn slots_of(&self, targets: &BTreeSet<Target>, optimizers: &[Found]) -> BTreeSet<NodeId> {
        let Some(template) = &self.template else { return BTreeSet::new() };
        let leaves = targets.iter().filter_map(|target| template.of_target(target));
        let slots = leaves.flat_map(|leaf| {
            optimizers.iter().flat_map(move |found| {
                let slot = |role| found.slot(template.graph, role, leaf.node, leaf.full_name);
                Kind::every_role().filter_map(move |role| slot(role).ok().flatten())
            })
        });
        slots.collect()
    }

    pub(super) fn is_troubled(&self, rule: RuleId) -> bool {
        self.problems.iter().any(|problem| problem.rule == Some(rule))
    }

    fn lacking(&mut self, spot: &Spot) {
        // What a rule with a mistake would have filled is not the thing to talk about.
        if !self.mapping.problems.is_empty() || self.troubled.contains(&spot.target) {
            return;
        }
        let spec = spot.wants.as_ref().map(ToString::to_string).unwrap_or_default();
        let message = format!("{} {spec} of the template gets no value", spot.called());
        let help =
            "give it a rule or a `fill`, or keep the template's own values with `--keep-missing`";
        self.problems.push(Problem::new(ProblemKind::Missing, message).help(help));
    }

    /// The template's own value.
    pub(super) fn keep(&mut self, spot: Spot) {
        if let (Some(key), Some(spec)) = (VariableName::new(spot.target.key()), spot.wants.clone())
        {
            self.assign(spot, spec, Value::Template(key), None);
        }
    }

    /// Tables, iterators and Python state travel as they are.
    fn others(&mut self) {
        let Some(template) = &self.template else { return };
        let tail = format!("/.ATTRIBUTES/{OBJECT_CONFIG}");
        let (configs, others): (Vec<_>, Vec<_>) =
            template.others().partition(|(name, _)| name.as_str().ends_with(&tail));
        let others: Vec<Spot> = others
            .into_iter()
            .map(|(name, spec)| Spot {
                target: Target::named(name.as_str()),
                shown: name.to_string(),
                name: String::new(),
                path: None,
                wants: Some(spec.clone()),
            })
            .collect();
        if !configs.is_empty() {
            let message = format!(
                "{} `{OBJECT_CONFIG}` attributes of the template are left out: TensorFlow does not restore them any more",
                configs.len()
            );
            self.warnings.push(Problem::new(ProblemKind::Missing, message));
        }
        for spot in others {
            if !self.values.contains_key(&spot.target) {
                self.keep(spot);
            }
        }
    }
}

impl Found {
    /// Whether a variable is this optimizer's.
    fn owns(&self, node: usize) -> bool {
        self.owned.contains(&node)
    }
}
