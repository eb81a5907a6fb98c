//! What the old checkpoint has to give: its variables without state, taken apart where the new model
//! may want the parts.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::cells;
use super::side::Named;
use super::tokens::is_usual;
use crate::catalog::{Catalog, VariableName};
use crate::mapping::{Averages, CellKind};
use crate::object::{SAVE_COUNTER, VARIABLE_VALUE, escape};
use crate::optimizer::{self, detect, optimizers, ways};
use crate::tensor::{Shape, TensorSpec};

/// Something that can be given to one place of the new model.
#[derive(Debug, Clone)]
pub(super) struct Old {
    /// How it is called, and what it is.
    pub(super) named: Named,
    /// What it is made of.
    pub(super) origin: Origin,
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A variable.
    Whole(VariableName),
    /// One of three equal parts along the last axis.
    Part(VariableName, usize),
    /// A leaf of a recurrent cell as Keras has it: the scope, and all variables of it.
    Cell {
        /// Which sort.
        kind: CellKind,
        /// Where its variables are.
        scope: String,
        /// They.
        variables: Vec<VariableName>,
        /// What Keras calls the part.
        leaf: &'static str,
    },
}

impl Origin {
    /// Every variable that is read.
    pub(super) fn sources(&self) -> Vec<VariableName> {
        match self {
            Self::Whole(name) | Self::Part(name, _) => vec![name.clone()],
            Self::Cell { variables, leaf, .. } => {
                let read = |name: &&VariableName| match *leaf {
                    "bias" => is_bias(name),
                    "kernel" => !is_bias(name) && !name.as_str().contains("hidden_projection"),
                    _ => !is_bias(name) && !name.as_str().contains("input_projection"),
                };
                variables.iter().filter(read).cloned().collect()
            }
        }
    }
}

/// Whether a cell's variable is one of its biases.
fn is_bias(name: &VariableName) -> bool {
    let leaf = name.as_str().rsplit('/').next().unwrap_or_default();
    matches!(leaf, "bias" | "biases" | "Bias")
}

/// Words of heads that only help training.
const ASIDE: &[&str] = &["aux", "auxiliary"];

/// Whether something belongs to a head that only helps training.
pub(super) fn is_aside(name: &str) -> bool {
    super::words::words(name).iter().any(|word| ASIDE.contains(&word.as_str()))
}

/// Everything that is not in the run for a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Left {
    /// Slots, powers and the step.
    pub(super) state: BTreeSet<VariableName>,
    /// Of that, what no rule sees.
    pub(super) hidden: BTreeSet<VariableName>,
    /// Averages of variables.
    pub(super) averages: BTreeSet<VariableName>,
    /// The variable that each is the average of.
    pub(super) raw: BTreeMap<VariableName, VariableName>,
    /// What rules call an object's value.
    called: BTreeMap<VariableName, String>,
    /// Whether there is state of an optimizer.
    pub(super) has_slots: bool,
    /// Whether there is a count of steps.
    pub(super) has_step: bool,
    /// Whether it is an object-based checkpoint.
    pub(super) has_objects: bool,
}

impl Left {
    /// What rules call a variable.
    pub(super) fn called(&self, name: &VariableName) -> String {
        self.called.get(name).map_or(name.as_str(), String::as_str).to_owned()
    }
}

/// What a fused projection is called.
const FUSED: &[&str] = &["c_attn", "qkv", "in_proj", "query_key_value"];
/// What its parts are called, in order.
const FUSED_PARTS: [&str; 3] = ["query", "key", "value"];

/// What is left when state and averages are taken away.
pub(super) fn left(catalog: &Catalog) -> Left {
    let mut left = Left::default();
    left.state.extend(optimizer::slots(catalog).into_keys());
    left.has_slots = !left.state.is_empty();
    let Some(graph) = &catalog.graph else {
        let state = detect(catalog, &[]);
        left.state.extend(state.powers);
        left.has_step = state.step.is_some();
        left.state.extend(state.step);
        left.hidden.clone_from(&left.state);
        left.state.extend(factored(catalog));
        if let Some(averages) = Averages::unsaid() {
            for name in catalog.variables.keys() {
                let Some(raw) = averages.variable(name.as_str()) else { continue };
                left.averages.insert(name.clone());
                left.raw.extend(VariableName::new(raw).map(|raw| (name.clone(), raw)));
            }
        }
        return left;
    };
    left.has_objects = true;
    let optimizers = optimizers(graph);
    let paths: BTreeMap<_, _> = ways(graph, 0, &optimizers).into_iter().collect();
    let owned: BTreeSet<_> = optimizers.into_iter().flat_map(|found| found.owned).collect();
    left.has_step = !owned.is_empty();
    let mut counters: BTreeSet<VariableName> = BTreeSet::new();
    for (node, value) in graph.attributes() {
        let Some(name) = VariableName::new(&value.key) else { continue };
        let path = paths.get(&node).filter(|labels| !labels.is_empty());
        let counts = path.is_some_and(|path| path.as_slice() == [SAVE_COUNTER]);
        if counts {
            // Rules see it, and nothing is made of it.
            left.called.insert(name.clone(), SAVE_COUNTER.to_owned());
            counters.insert(name);
        } else if owned.contains(&node) || value.name != VARIABLE_VALUE {
            left.state.insert(name);
        } else if let Some(labels) = path {
            let labels: Vec<String> = labels.iter().map(|label| escape(label)).collect();
            left.called.insert(name, labels.join("/"));
        }
    }
    left.state
        .extend(catalog.variables.keys().filter(|name| !left.called.contains_key(*name)).cloned());
    left.hidden.clone_from(&left.state);
    left.state.extend(counters);
    left
}

/// What follows a variable's name in that of Adafactor's state, in Mesh TensorFlow: `kernel_slot_vr`
/// stands beside `kernel`.
pub(super) const FACTORED: &str = "_slot_";

/// The variable that such state would be of.
pub(super) fn factored_owner(name: &str) -> Option<&str> {
    name.rsplit_once(FACTORED).map(|(owner, _)| owner)
}

/// All such state.
fn factored(catalog: &Catalog) -> impl Iterator<Item = VariableName> {
    let is_slot = |name: &&VariableName| {
        let owner = factored_owner(name.as_str());
        owner.is_some_and(|owner| catalog.variables.contains_key(owner))
    };
    catalog.variables.keys().filter(is_slot).cloned()
}

/// Everything that can be given; `wanted` tells the shapes of the new model.
pub(super) fn items(catalog: &Catalog, left: &Left, wanted: &BTreeSet<Vec<u64>>) -> Vec<Old> {
    let free: BTreeMap<&VariableName, &TensorSpec> = catalog
        .variables
        .iter()
        .filter(|(name, _)| !left.state.contains(*name) && !left.averages.contains(*name))
        .filter(|(name, _)| is_usual(&left.called(name)))
        .map(|(name, variable)| (name, &variable.spec))
        .collect();
    let mut found: Vec<Old> = Vec::new();
    let mut taken: BTreeSet<&VariableName> = BTreeSet::new();
    if catalog.graph.is_none() {
        for cell in cells(&free, wanted) {
            taken.extend(cell.taken);
            found.extend(cell.parts);
        }
    }
    for (name, spec) in free {
        if taken.contains(name) {
            continue;
        }
        match parts(name, spec, wanted) {
            Some(parts) => found.extend(parts),
            None => found.push(Old {
                named: Named { views: vec![left.called(name)], spec: spec.clone() },
                origin: Origin::Whole(name.clone()),
            }),
        }
    }
    found
}

/// Query, key and value of a projection that has all of them side by side, where the new model has
/// nothing of its size.
fn parts(name: &VariableName, spec: &TensorSpec, wanted: &BTreeSet<Vec<u64>>) -> Option<Vec<Old>> {
    let (scope, leaf) = name.as_str().rsplit_once('/')?;
    let own = scope.rsplit('/').next()?;
    let dims = spec.shape().dims();
    let (last, front) = dims.split_last()?;
    let fused = FUSED.contains(&own) && last % 3 == 0 && *last > 0;
    if !fused || wanted.iter().any(|dims| same_size(dims, spec.shape().elements())) {
        return None;
    }
    let mut dims = front.to_vec();
    dims.push(last / 3);
    let spec = TensorSpec::new(spec.dtype(), Shape::new(dims).ok()?).ok()?;
    let part = |(at, called): (usize, &&str)| Old {
        named: Named { views: vec![format!("{scope}/{called}/{leaf}")], spec: spec.clone() },
        origin: Origin::Part(name.clone(), at),
    };
    Some(FUSED_PARTS.iter().enumerate().map(part).collect())
}

fn same_size(dims: &[u64], elements: u64) -> bool {
    dims.iter().try_fold(1_u64, |all, dim| all.checked_mul(*dim)) == Some(elements)
}
