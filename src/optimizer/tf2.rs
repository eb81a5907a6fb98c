//! Optimizers in an object graph, and where they keep what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Kind, Role};
use crate::names::shared_components;
use crate::object::{Edge, NodeId, ObjectGraph, ObjectPath, Slot};

/// How an optimizer keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Slots between a variable and the optimizer: `keras.optimizers.legacy`, TF2 up to 2.10.
    Legacy,
    /// Lists, told apart by the names of the variables in them: Keras 2.11 and later.
    Keras2,
    /// Lists in the order of `_trainable_variables`: Keras 3.
    Keras3,
}

/// An optimizer of a graph.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its object.
    pub node: NodeId,
    /// How people call it.
    pub shown: String,
    /// How it keeps its state.
    pub dialect: Dialect,
    /// Every variable that is its own.
    pub owned: BTreeSet<NodeId>,
    /// The step counter.
    pub iterations: Option<NodeId>,
    /// Hyper-parameters it keeps in variables, without a leading underscore.
    pub hyperparameters: BTreeMap<String, NodeId>,
    /// What its list attributes hold, by label; several may lead to one list.
    lists: BTreeMap<String, Arc<[NodeId]>>,
    /// Of Keras 2.11's lists, by label.
    named: BTreeMap<String, Named>,
    /// Places in the list of trained variables.
    trained: BTreeMap<NodeId, usize>,
    /// Places of slots of the older kind, by variable.
    slots: BTreeMap<NodeId, Vec<usize>>,
}

/// The objects of a list by their variables' full names.
#[derive(Debug, Clone)]
struct Named {
    objects: BTreeMap<String, Vec<NodeId>>,
    /// What all of these names begin with, a component each.
    common: Vec<String>,
}

/// An optimizer's part of a name has no more components.
const MAX_PREFIX: usize = 64;

/// Attributes that hold one value, but no hyper-parameter.
const PRODUCTS: &[&str] = &["momentum_cache", "_u_product"];

/// Every optimizer that can be reached, nearest first.
pub fn optimizers(graph: &ObjectGraph) -> Vec<Found> {
    let found = |(node, labels): (NodeId, Vec<String>)| {
        let shown = ObjectPath::new(labels).map(|path| path.to_string()).ok()?;
        let dialect = dialect(graph, node)?;
        Some(Found::new(graph, node, shown, dialect))
    };
    graph.reachable(0).into_iter().filter_map(found).collect()
}

/// Every object that can be reached from `from`, by the model's names for it: ways lead through an
/// optimizer only where there is no other one.
pub fn ways(graph: &ObjectGraph, from: NodeId, optimizers: &[Found]) -> Vec<(NodeId, Vec<String>)> {
    graph.reachable_around(from, &optimizers.iter().map(|found| found.node).collect())
}

fn dialect(graph: &ObjectGraph, node: NodeId) -> Option<Dialect> {
    let has = |label: &str| graph.child(node, label).is_some();
    if has("_variables") && has("_iterations") {
        return Some(if has("_trainable_variables") { Dialect::Keras3 } else { Dialect::Keras2 });
    }
    // TF1's own optimizers have slots too when `tf.train.Checkpoint` saves them, but they count no
    // steps, and mean other things by their slots.
    let slots = graph.nodes().get(node).is_some_and(|node| !node.slots.is_empty());
    (has("iter") && (slots || has("learning_rate") || has("decay"))).then_some(Dialect::Legacy)
}

impl Found {
    fn new(graph: &ObjectGraph, node: NodeId, shown: String, dialect: Dialect) -> Self {
        let mut found = Self {
            node,
            shown,
            dialect,
            owned: BTreeSet::new(),
            iterations: graph.child(node, "_iterations").or_else(|| graph.child(node, "iter")),
            hyperparameters: BTreeMap::new(),
            lists: BTreeMap::new(),
            named: BTreeMap::new(),
            trained: BTreeMap::new(),
            slots: BTreeMap::new(),
        };
        let Some(object) = graph.nodes().get(node) else { return found };
        let mut known = BTreeMap::new();
        for Edge { label, node: child } in &object.children {
            let list = known.entry(*child).or_insert_with(|| list(graph, *child));
            found.lists.entry(label.clone()).or_insert_with(|| Arc::clone(list));
        }
        if dialect == Dialect::Keras2 {
            let lists = found.lists.iter().filter(|(label, _)| Kind::is_list(label));
            found.named =
                lists.map(|(label, list)| (label.clone(), Named::new(graph, list))).collect();
        }
        for (at, slot) in object.slots.iter().enumerate() {
            found.slots.entry(slot.variable).or_default().push(at);
        }
        for (at, node) in found.list("_trainable_variables").to_vec().into_iter().enumerate() {
            found.trained.entry(node).or_insert(at);
        }
        let models: BTreeSet<NodeId> = found.trained.keys().copied().collect();
        let mut lists = BTreeMap::new();
        for Edge { label, node: child } in &object.children {
            let is_value =
                graph.nodes().get(*child).is_some_and(|child| !child.attributes.is_empty());
            if is_value {
                found.owned.insert(*child);
                let counts = Some(*child) == found.iterations || PRODUCTS.contains(&label.as_str());
                if !counts {
                    let name = label.trim_start_matches('_').to_owned();
                    found.hyperparameters.insert(name, *child);
                }
            } else if !label.starts_with("_trainable_variables") {
                lists.insert(*child, label);
            }
        }
        // Each list once, however many labels lead to it.
        for label in lists.into_values() {
            found.owned.extend(found.lists.get(label).into_iter().flat_map(|list| list.iter()));
        }
        found.owned.extend(object.slots.iter().map(|slot| slot.node));
        found.owned.retain(|node| !models.contains(node));
        found
    }

    /// What the optimizer calls a piece of state: the slot's name, or the list it is in.
    pub fn label(&self, graph: &ObjectGraph, node: NodeId) -> Option<String> {
        let object = graph.nodes().get(self.node)?;
        if let Some(slot) = object.slots.iter().find(|slot| slot.node == node) {
            return Some(slot.name.clone());
        }
        let labels = object.children.iter().map(|edge| edge.label.as_str());
        let mut lists = labels.filter(|label| *label != "_variables");
        let list = lists.find(|label| self.list(label).contains(&node))?;
        Some(list.trim_start_matches('_').to_owned())
    }

    /// The objects a list attribute holds, in order.
    fn list(&self, label: &str) -> &[NodeId] {
        self.lists.get(label).map(AsRef::as_ref).unwrap_or_default()
    }

    /// The piece of state that a variable has in `role`; `name` is the variable's `full_name`. The
    /// error says why it cannot be told.
    pub fn slot(
        &self,
        graph: &ObjectGraph,
        role: &Role,
        variable: NodeId,
        name: &str,
    ) -> Result<Option<NodeId>, String> {
        match self.dialect {
            Dialect::Legacy => {
                let slots = graph.nodes().get(self.node).map(|node| &node.slots[..]);
                let places = self.slots.get(&variable).into_iter().flatten();
                let mut mine = places.filter_map(|at| slots.unwrap_or_default().get(*at));
                let wanted = |slot: &&Slot| slot.name == role.legacy;
                Ok(mine.find(wanted).map(|slot| slot.node))
            }
            Dialect::Keras3 => {
                let at = self.trained.get(&variable);
                Ok(at.and_then(|at| self.role_list(role).get(*at).copied()))
            }
            Dialect::Keras2 => self.by_name(role, name),
        }
    }

    /// The list that holds `role`.
    pub fn role_list(&self, role: &Role) -> &[NodeId] {
        let mut lists = role.lists.iter().map(|label| self.list(label));
        lists.find(|list| !list.is_empty()).unwrap_or_default()
    }

    /// What the optimizer calls `role`: the slot's name, or that of the list.
    pub fn role_name<'r>(&self, role: &'r Role) -> &'r str {
        let list = role.lists.iter().find(|label| !self.list(label).is_empty());
        list.map_or(role.legacy, |label| label.trim_start_matches('_'))
    }

    /// Keras 2.11 names a slot after its variable: `Adam/m/dense/kernel`, or `m/dense/kernel`.
    fn by_name(&self, role: &Role, name: &str) -> Result<Option<NodeId>, String> {
        let list = role.lists.iter().find(|label| !self.list(label).is_empty());
        let named = list.and_then(|label| self.named.get(*label));
        let named = named.map(|named| named.after(name)).unwrap_or_default();
        match named.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            several => Err(format!("{} slots are named after `{name}`", several.len())),
        }
    }

    /// The variable that holds the product of Nadam's momentum schedule, and the schedule's decay.
    pub fn product(&self, graph: &ObjectGraph) -> Option<(NodeId, f64)> {
        let decays = [("_u_product", 1.0), ("momentum_cache", 0.004)];
        decays.into_iter().find_map(|(label, decay)| Some((graph.child(self.node, label)?, decay)))
    }

    /// What sort of optimizer it is, by what it keeps; `None` where that does not tell.
    pub fn kind(&self, graph: &ObjectGraph) -> Option<Kind> {
        if self.product(graph).is_some() {
            return Some(Kind::Nadam);
        }
        let object = graph.nodes().get(self.node)?;
        if self.dialect == Dialect::Legacy {
            let counter = self.iterations.and_then(|node| graph.nodes().get(node));
            let counter = counter.and_then(|node| node.attributes.first());
            // Adam and Adamax have slots of the same names; only the names of their own differ.
            if counter.is_some_and(|counter| counter.full_name.starts_with("Adamax/")) {
                return Some(Kind::Adamax);
            }
            let names: BTreeSet<&str> =
                object.slots.iter().map(|slot| slot.name.as_str()).collect();
            return Kind::from_legacy(&names.into_iter().collect::<Vec<_>>());
        }
        let filled = |label: &str| !self.list(label).is_empty();
        // RMSprop has this list even when it is empty; otherwise its lists are called as Adam's.
        if graph.child(self.node, "_average_gradients").is_some() {
            let centered = filled("_average_gradients");
            return Some(if centered { Kind::RmsPropCentered } else { Kind::RmsProp });
        }
        let labels = object.children.iter().map(|edge| edge.label.as_str());
        let lists: Vec<&str> =
            labels.filter(|label| Kind::is_list(label) && filled(label)).collect();
        Kind::from_lists(&lists)
    }
}

/// The objects in the list that `node` is, in order.
fn list(graph: &ObjectGraph, node: NodeId) -> Arc<[NodeId]> {
    let children = graph.nodes().get(node).map(|list| &list.children[..]).unwrap_or_default();
    let numbered = |edge: &Edge| edge.label.parse::<usize>().ok().map(|at| (at, edge.node));
    let items: BTreeMap<usize, NodeId> = children.iter().filter_map(numbered).collect();
    items.into_values().collect()
}

impl Named {
    fn new(graph: &ObjectGraph, list: &[NodeId]) -> Self {
        let full_name = |node: &NodeId| {
            let attributes = graph.nodes().get(*node).map(|node| &node.attributes[..]);
            attributes.unwrap_or_default().first().map_or("", |value| value.full_name.as_str())
        };
        // What all slots of the list begin with holds the optimizer's part of their names:
        // `a/kernel` ends like `b/a/kernel` does, but its slot has no `b` there.
        let common = shared_components(list.iter().map(full_name));
        let common = common.into_iter().take(MAX_PREFIX).map(str::to_owned).collect();
        let mut objects: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for node in list {
            objects.entry(full_name(node).to_owned()).or_default().push(*node);
        }
        Self { objects, common }
    }

    /// Those that are named after the variable called `name`.
    fn after(&self, name: &str) -> Vec<NodeId> {
        let prefixes = (0..=self.common.len()).map(|kept| self.common.get(..kept));
        let names = prefixes.flatten().map(|prefix| format!("{}/{name}", prefix.join("/")));
        names.filter_map(|name| self.objects.get(&name)).flatten().copied().collect()
    }
}
