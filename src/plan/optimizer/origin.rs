//! One optimizer's state in the source, whatever keeps it there.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Hyperparameter, Update, VariableName};
use crate::mapping::{OptimizerBlock, Problem, ProblemKind};
use crate::optimizer::{Found, Kind, State};
use crate::plan::claim::Planner;

/// State of one optimizer.
#[derive(Debug)]
pub(super) struct Origin {
    /// By what rule it updates.
    pub(super) kind: Kind,
    /// What TF1 calls it.
    pub(super) name: Option<String>,
    /// Whether a TF1 optimizer made it: momentum means something else there.
    pub(super) is_tf1: bool,
    /// Slots by variable, in the order of the kind's roles.
    pub(super) slots: BTreeMap<VariableName, Vec<Option<VariableName>>>,
    /// The variable that counts steps.
    pub(super) step: Option<VariableName>,
    /// Powers of beta 1 and 2.
    pub(super) powers: Vec<VariableName>,
    /// Hyper-parameters the source knows, by Keras's names.
    pub(super) hyperparameters: BTreeMap<String, f64>,
    /// Hyper-parameters the source computes, with the op that does.
    pub(super) computed: BTreeMap<String, String>,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            kind: Kind::GradientDescent,
            name: None,
            is_tf1: true,
            slots: BTreeMap::new(),
            step: None,
            powers: Vec::new(),
            hyperparameters: BTreeMap::new(),
            computed: BTreeMap::new(),
        }
    }
}

/// What Keras calls the inputs of TF1's ops.
const HYPERPARAMETERS: &[(&str, &str)] = &[
    ("alpha", "learning_rate"),
    ("beta1", "beta_1"),
    ("beta2", "beta_2"),
    ("l1", "l1_regularization_strength"),
    ("l2", "l2_regularization_strength"),
    ("lr", "learning_rate"),
    ("lr_power", "learning_rate_power"),
    ("momentum", "momentum"),
    ("rho", "rho"),
];

fn refuse(message: String, help: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(ProblemKind::Optimizer, message).help(help))
}

impl Planner<'_> {
    /// The state of one of a TF1 program's optimizers.
    pub(super) fn named_origin(
        &self,
        block: &OptimizerBlock,
        blocks: &[OptimizerBlock],
        number: usize,
        state: &State,
    ) -> Result<Origin, Box<Problem>> {
        let mine = |variable: &VariableName| {
            block.variables.as_ref().is_none_or(|pattern| pattern.is_match(variable.as_str()))
        };
        let mut slots: BTreeMap<VariableName, Vec<(usize, VariableName)>> = BTreeMap::new();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (name, slot) in &state.slots {
            let leaf = name.as_str().rsplit('/').next().unwrap_or_default();
            let listed = block.slots.is_empty() || block.slots.iter().any(|known| known == leaf);
            let named = block.name.as_deref().is_none_or(|wanted| wanted == slot.optimizer);
            let scoped = block.scope.as_deref().is_none_or(|scope| {
                name.as_str().strip_prefix(scope).is_some_and(|rest| rest.starts_with('/'))
            });
            if mine(&slot.variable) && listed && named && scoped {
                names.insert(&slot.optimizer);
                slots.entry(slot.variable.clone()).or_default().push((slot.number, name.clone()));
            }
        }
        let name = match names.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => None,
            [one] => Some(*one),
            several => {
                let message = format!(
                    "the checkpoint has slots of several optimizers: {}",
                    several.join(", ")
                );
                let help = "write a list of blocks, each with `name:` and, if they train different \
                            variables, `variables:`";
                return Err(refuse(message, help));
            }
        };
        for slots in slots.values_mut() {
            slots.sort();
        }
        let updates: Vec<&Update> = self.updates_of(&slots);
        let kind = kind(block, name, &slots, &updates)?;
        let slots = slots
            .into_iter()
            .map(|(variable, slots)| {
                (variable, slots.into_iter().map(|(_, name)| Some(name)).collect())
            })
            .collect();
        let powers = powers(block, blocks, number, state, &updates);
        let beta1 = |name: &&VariableName| name.as_str().contains("beta1_power");
        if powers.iter().filter(beta1).count() > 1 {
            let names: Vec<String> = powers.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "two optimizers of the kind `{}` were at work: there are {}",
                kind.word(),
                names.join(", ")
            );
            let help = "write a list of blocks, each with `to:` and the `variables:` it trains";
            return Err(refuse(message, help));
        }
        let (hyperparameters, computed) = self.known(&updates);
        Ok(Origin {
            kind,
            name: name.map(str::to_owned),
            is_tf1: true,
            slots,
            // One step counter counts the steps of one optimizer.
            step: state.step.clone().filter(|_| blocks.len() == 1),
            powers,
            hyperparameters,
            computed,
        })
    }

    /// The graph's updates that use these slots.
    fn updates_of(
        &self,
        slots: &BTreeMap<VariableName, Vec<(usize, VariableName)>>,
    ) -> Vec<&Update> {
        let names: BTreeSet<&str> =
            slots.values().flatten().map(|(_, name)| name.as_str()).collect();
        let updates = self.catalog.facts.updates.iter();
        if names.is_empty() {
            return updates.filter(|update| update.slots.is_empty()).collect();
        }
        updates
            .filter(|update| update.slots.iter().any(|slot| names.contains(slot.as_str())))
            .collect()
    }

    /// Hyper-parameters that all updates agree about.
    fn known(&self, updates: &[&Update]) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
        let (mut values, mut computed) = (BTreeMap::new(), BTreeMap::new());
        for (input, name) in HYPERPARAMETERS {
            let given: Vec<&Hyperparameter> =
                updates.iter().filter_map(|update| update.hyperparameters.get(input)).collect();
            let Some(first) = given.first().filter(|first| given.iter().all(|one| one == *first))
            else {
                continue;
            };
            match first {
                Hyperparameter::Value(value) => {
                    values.insert((*name).to_owned(), *value);
                }
                Hyperparameter::Variable(variable) => {
                    if let Some(value) = self.catalog.scalar(variable) {
                        values.insert((*name).to_owned(), value);
                    }
                }
                Hyperparameter::Computed(op) => {
                    computed.insert((*name).to_owned(), op.clone());
                }
            }
        }
        (values, computed)
    }

    /// The state of an optimizer of an object-based source.
    pub(super) fn object_origin(
        &self,
        block: &OptimizerBlock,
        blocks: usize,
        found: &[Found],
    ) -> Result<Origin, Box<Problem>> {
        let Some(graph) = &self.catalog.graph else { return Ok(Origin::default()) };
        let path = block.to.join("/");
        let same = found.iter().find(|source| source.shown == path);
        let Some(source) = same.or(found.first().filter(|_| found.len() == 1 && blocks == 1))
        else {
            let known: Vec<&str> = found.iter().map(|source| source.shown.as_str()).collect();
            let message =
                format!("the source has no optimizer at `{path}`, but {}", known.join(", "));
            return Err(refuse(message, "blocks of several optimizers pair by their paths"));
        };
        for (key, given) in [
            ("variables", block.variables.is_some()),
            ("name", block.name.is_some()),
            ("scope", block.scope.is_some()),
            ("slots", !block.slots.is_empty()),
            ("powers", !block.powers.is_empty()),
        ] {
            if given {
                let message = format!("`{key}:` is about TF1 names, and the source has objects");
                return Err(refuse(message, "leave it out"));
            }
        }
        let kind = block.kind.or_else(|| source.kind(graph));
        let counted = source.hyperparameters.len() + usize::from(source.iterations.is_some());
        if kind.is_none() && source.owned.len() > counted {
            let message =
                format!("the state of the source's `{}` is of no known kind", source.shown);
            return Err(refuse(message, "write `optimizer: keep` to begin with the template's"));
        }
        let kind = kind.unwrap_or(Kind::GradientDescent);
        let key = |node: usize| {
            let value = graph.nodes().get(node)?.attributes.first()?;
            self.catalog.variables.get_key_value(value.key.as_str()).map(|(name, _)| name.clone())
        };
        let mut slots: BTreeMap<VariableName, Vec<Option<VariableName>>> = BTreeMap::new();
        for (node, attribute) in graph.attributes().filter(|(node, _)| !source.owned.contains(node))
        {
            let of_role = |role| source.slot(graph, role, node, &attribute.full_name);
            let found: Result<Vec<Option<usize>>, String> =
                kind.roles().iter().map(of_role).collect();
            let found =
                found.map_err(|reason| refuse(reason, "give that layer a name of its own"))?;
            if let Some(variable) = key(node).filter(|_| found.iter().any(Option::is_some)) {
                slots.insert(variable, found.into_iter().map(|slot| slot.and_then(key)).collect());
            }
        }
        let hyperparameters = source
            .hyperparameters
            .iter()
            .filter_map(|(name, node)| {
                Some((name.clone(), self.catalog.scalar(key(*node)?.as_str())?))
            })
            .collect();
        Ok(Origin {
            kind,
            is_tf1: false,
            slots,
            step: source.iterations.and_then(key),
            hyperparameters,
            ..Origin::default()
        })
    }
}

/// The kind, by what the rule file says, what the graph does, or the names and numbers of slots.
fn kind(
    block: &OptimizerBlock,
    name: Option<&str>,
    slots: &BTreeMap<VariableName, Vec<(usize, VariableName)>>,
    updates: &[&Update],
) -> Result<Kind, Box<Problem>> {
    let said = block.kind;
    if let (None, Some(wanted)) = (name, &block.name) {
        let message = format!("no variable has slots called `{wanted}`");
        return Err(refuse(
            message,
            "`name:` is what the TF1 optimizer was called: `list` shows slots",
        ));
    }
    let Some(name) = name else { return Ok(said.unwrap_or(Kind::GradientDescent)) };
    if let Some(reason) = Kind::refusal(name) {
        let message = format!("the state of `{name}` cannot be converted: {reason}");
        return Err(refuse(message, "write `optimizer: drop`"));
    }
    let counts: BTreeSet<usize> = slots.values().map(Vec::len).collect();
    let count = match counts.iter().copied().collect::<Vec<_>>().as_slice() {
        [count] => *count,
        _ => {
            let message = format!("variables have different numbers of `{name}` slots: {counts:?}");
            let help = "two optimizers share a name: write a list of blocks with `variables:` or \
                        `slots: [Adam, Adam_1]` each";
            return Err(refuse(message, help));
        }
    };
    if let Some(kind) = said {
        let needed = kind.roles().len();
        if needed == count {
            return Ok(kind);
        }
        let message = format!(
            "every variable has {count} `{name}` slots, and `{}` keeps {needed}",
            kind.word()
        );
        return Err(refuse(message, "leave `kind:` out where names and numbers of slots tell it"));
    }
    let penalty = |update: &&Update| {
        let given = |input| match update.hyperparameters.get(input) {
            Some(Hyperparameter::Value(value)) => *value != 0.0,
            other => other.is_some(),
        };
        update.op == "ApplyProximalAdagrad" && (given("l1") || given("l2"))
    };
    if updates.iter().any(penalty) {
        let message = "proximal Adagrad with penalties has no counterpart in TF2".to_owned();
        return Err(refuse(message, "write `optimizer: drop`"));
    }
    let from_graph = updates.first().and_then(|update| Kind::from_op(update.op));
    if let Some(kind) = from_graph.filter(|kind| kind.roles().len() == count) {
        return Ok(kind);
    }
    if let Some(kind) = Kind::from_slots(name, count) {
        return Ok(kind);
    }
    if count > 2 && Kind::from_slots(name, count / 2).is_some() && count % 2 == 0 {
        let message = format!("every variable has {count} `{name}` slots: two optimizers train it");
        let help = format!(
            "write a list of blocks, the first with `slots: [{name}, {name}_1]`, the second with the others"
        );
        return Err(refuse(message, help));
    }
    let choices: Vec<&str> = Kind::with_slots(count).map(Kind::word).collect();
    let message = format!("`{name}` is no known optimizer, and has {count} slots per variable");
    Err(refuse(message, format!("say which it is: `kind: {}`", choices.join(" | "))))
}

/// The powers of beta of one optimizer: those the rule file names, those the graph says, or those
/// numbered as the blocks are.
fn powers(
    block: &OptimizerBlock,
    blocks: &[OptimizerBlock],
    number: usize,
    state: &State,
    updates: &[&Update],
) -> Vec<VariableName> {
    let find = |names: &[String]| -> Vec<VariableName> {
        names.iter().filter_map(|name| state.powers.get(name.as_str()).cloned()).collect()
    };
    if !block.powers.is_empty() {
        return find(&block.powers);
    }
    let known: BTreeSet<&String> = updates.iter().flat_map(|update| &update.powers).collect();
    if !known.is_empty() {
        let name = |name: &&String| state.powers.get(name.as_str()).cloned();
        return known.iter().filter_map(name).collect();
    }
    if blocks.len() == 1 {
        return state.powers.iter().cloned().collect();
    }
    let suffix = if number == 0 { String::new() } else { format!("_{number}") };
    ["beta1_power", "beta2_power"]
        .iter()
        .filter_map(|power| state.powers.get(format!("{power}{suffix}").as_str()).cloned())
        .collect()
}
