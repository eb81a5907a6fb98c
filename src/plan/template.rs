//! The template: which values it wants, and how they may be named.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::catalog::{Catalog, VariableName};
use crate::names::{Guesses, shared_components};
use crate::object::{NodeId, ObjectGraph, ObjectPath, Target, VARIABLE_VALUE, escape};
use crate::optimizer::{Found, optimizers, ways};
use crate::tensor::TensorSpec;

/// A variable of the template.
#[derive(Debug, Clone)]
pub(super) struct Leaf<'t> {
    /// Its object.
    pub(super) node: NodeId,
    /// The key its value stands under.
    pub(super) target: Target,
    /// What it must be.
    pub(super) spec: &'t TensorSpec,
    /// The name it has in a TF1 graph.
    pub(super) full_name: &'t str,
    /// A way to it, as people write it.
    pub(super) shown: String,
}

/// A template, with every variable in it.
#[derive(Debug)]
pub(super) struct Template<'t> {
    pub(super) catalog: &'t Catalog,
    pub(super) graph: &'t ObjectGraph,
    pub(super) leaves: Vec<Leaf<'t>>,
    by_node: BTreeMap<NodeId, usize>,
    by_target: BTreeMap<Target, usize>,
    by_full_name: BTreeMap<&'t str, Vec<usize>>,
    /// Leaves below `root`, with their paths from there.
    below: Vec<(usize, String)>,
    /// Components that the names of all leaves below `root` begin with, but for an optimizer's.
    common: Vec<&'t str>,
    /// Labels below objects that were looked at.
    labels: RefCell<BTreeMap<NodeId, Rc<[&'t str]>>>,
    guesses: Guesses,
}

impl<'t> Template<'t> {
    /// `None` where the checkpoint has no objects; the error says why `root` does not lead anywhere.
    pub(super) fn new(catalog: &'t Catalog, root: &[String]) -> Option<Result<Self, String>> {
        let graph = catalog.graph.as_ref()?;
        let optimizers = optimizers(graph);
        let ways: BTreeMap<NodeId, Vec<String>> = ways(graph, 0, &optimizers).into_iter().collect();
        let mut leaves = Vec::new();
        let mut by_node = BTreeMap::new();
        let mut by_target = BTreeMap::new();
        for (node, attribute) in graph.attributes() {
            let variable = catalog.variables.get(attribute.key.as_str());
            let Some(variable) = variable.filter(|_| attribute.name == VARIABLE_VALUE) else {
                continue;
            };
            let way = ways.get(&node).and_then(|labels| ObjectPath::new(labels.clone()).ok());
            // Slots cannot be reached along edges; their key says where they belong.
            let shown = way.map_or_else(
                || attribute.key.trim_end_matches("/.ATTRIBUTES/VARIABLE_VALUE").to_owned(),
                |path| path.to_string(),
            );
            by_node.insert(node, leaves.len());
            by_target.insert(Target::named(attribute.key.as_str()), leaves.len());
            leaves.push(Leaf {
                node,
                target: Target::named(attribute.key.as_str()),
                spec: &variable.spec,
                full_name: &attribute.full_name,
                shown,
            });
        }
        let mut template = Self {
            catalog,
            graph,
            leaves,
            by_node,
            by_target,
            by_full_name: BTreeMap::new(),
            below: Vec::new(),
            common: Vec::new(),
            labels: RefCell::default(),
            guesses: Guesses::default(),
        };
        Some(template.enter(root, &optimizers).map(|()| template))
    }

    fn enter(&mut self, root: &[String], optimizers: &[Found]) -> Result<(), String> {
        let root = self.graph.walk(root).map_err(|at| self.lost(root, at))?;
        for (node, way) in ways(self.graph, root, optimizers) {
            if let Some(&leaf) = self.by_node.get(&node) {
                let labels: Vec<String> = way.iter().map(|label| escape(label)).collect();
                self.below.push((leaf, labels.join("/")));
            }
        }
        for (i, _) in &self.below {
            if let Some(leaf) = self.leaves.get(*i).filter(|leaf| !leaf.full_name.is_empty()) {
                self.by_full_name.entry(leaf.full_name).or_default().push(*i);
            }
        }
        // A compiled model has its optimizer below it, whose names begin as they like.
        let owned: BTreeSet<NodeId> =
            optimizers.iter().flat_map(|found| found.owned.iter().copied()).collect();
        let is_models = |leaf: &&Leaf<'_>| !owned.contains(&leaf.node);
        let below = self.below.iter().filter_map(|(i, _)| self.leaves.get(*i)).filter(is_models);
        let names: BTreeSet<&str> =
            below.map(|leaf| leaf.full_name).filter(|name| !name.is_empty()).collect();
        self.common = shared_components(names.into_iter());
        Ok(())
    }

    /// The labels below an object, sorted. An object may have very many, and be asked for often.
    fn labels(&self, node: NodeId) -> Rc<[&'t str]> {
        let mut known = self.labels.borrow_mut();
        let labels = known.entry(node).or_insert_with(|| {
            let children = self.graph.nodes().get(node).map(|node| &node.children[..]);
            let labels: BTreeSet<&str> =
                children.unwrap_or_default().iter().map(|edge| edge.label.as_str()).collect();
            labels.into_iter().collect()
        });
        Rc::clone(labels)
    }

    /// Why `labels` do not lead anywhere.
    fn lost(&self, labels: &[String], (done, at): (usize, NodeId)) -> String {
        let missing = labels.get(done).map(String::as_str).unwrap_or_default();
        let so_far = labels.get(..done).unwrap_or_default().join("/");
        let known = self.labels(at);
        let place =
            if so_far.is_empty() { "the template".to_owned() } else { format!("`{so_far}`") };
        let hint = match self.guesses.nearest(missing, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "nothing lies below it".to_owned(),
            None => {
                let shown: Vec<&str> = known.iter().copied().take(12).collect();
                let more = if known.len() > shown.len() { ", …" } else { "" };
                format!("it has {}{more}", shown.join(", "))
            }
        };
        format!("{place} has no `{missing}`; {hint}")
    }

    /// The leaf that `labels` lead to. A last label that does not exist may stand for its form with
    /// an underscore, which Keras 3 uses for most weights.
    pub(super) fn by_path(&self, labels: &[String]) -> Option<usize> {
        self.by_node.get(&self.object(labels).ok()?).copied()
    }

    fn object(&self, labels: &[String]) -> Result<NodeId, (usize, NodeId)> {
        self.graph.walk(labels).or_else(|(done, at)| {
            let hidden = labels.last().filter(|_| done + 1 == labels.len());
            let found = hidden.and_then(|last| self.graph.child(at, &format!("_{last}")));
            found.ok_or((done, at))
        })
    }

    /// Why `labels` lead to no leaf.
    pub(super) fn lacks_path(&self, labels: &[String]) -> String {
        let node = match self.object(labels) {
            Ok(node) => node,
            Err(at) => return self.lost(labels, at),
        };
        let path = labels.join("/");
        let children = self.graph.nodes().get(node).map(|node| &node.children[..]);
        let children = children.unwrap_or_default().iter().take(6);
        let below: Vec<&str> = children.map(|edge| edge.label.as_str()).collect();
        match below.as_slice() {
            [] => format!("`{path}` is no variable of the template"),
            _ => format!(
                "`{path}` is no variable of the template, but an object; it has {}",
                below.join(", ")
            ),
        }
    }

    /// Why no leaf is called `name`.
    pub(super) fn lacks_name(&self, name: &str) -> String {
        let reason = format!("the template has no variable called `{name}` there");
        match self.guesses.nearest(name, self.names()) {
            Some(near) => format!("{reason}; did you mean `{near}`?"),
            None => format!("{reason}; `ckptmap graph` shows what its variables are called"),
        }
    }

    /// The leaf whose value stands under a key.
    pub(super) fn of_target(&self, target: &Target) -> Option<&Leaf<'t>> {
        self.leaves.get(*self.by_target.get(target)?)
    }

    /// The leaf of an object.
    pub(super) fn of_node(&self, node: NodeId) -> Option<usize> {
        self.by_node.get(&node).copied()
    }

    /// Leaves below `root` whose `full_name` is `name`; leading components that all of them share
    /// may be left out, and the longer spelling wins.
    pub(super) fn by_name(&self, name: &str) -> Vec<usize> {
        let spellings = (0..=self.common.len())
            .map(|left_out| self.common.get(..left_out).unwrap_or_default().join("/"));
        for prefix in spellings {
            let wanted =
                if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if let Some(found) = self.by_full_name.get(wanted.as_str()) {
                return found.clone();
            }
        }
        Vec::new()
    }

    /// A `full_name` without the components that all names below `root` begin with.
    pub(super) fn short_name<'n>(&self, name: &'n str) -> &'n str {
        let len: usize = self.common.iter().map(|component| component.len() + 1).sum();
        name.get(len..).unwrap_or(name)
    }

    /// Every name below `root`.
    pub(super) fn names(&self) -> impl Iterator<Item = &'t str> {
        self.by_full_name.keys().copied()
    }

    /// Leaves below `root` with their paths from there.
    pub(super) fn below(&self) -> impl Iterator<Item = (usize, &str)> {
        self.below.iter().map(|(leaf, path)| (*leaf, path.as_str()))
    }

    /// Tensors of the template that belong to no variable: tables, iterators, Python state.
    pub(super) fn others(&self) -> impl Iterator<Item = (&'t VariableName, &'t TensorSpec)> {
        let keys: BTreeSet<&str> = self.leaves.iter().map(|leaf| leaf.target.key()).collect();
        self.catalog
            .variables
            .iter()
            .filter(move |(name, _)| !keys.contains(name.as_str()))
            .map(|(name, variable)| (name, &variable.spec))
    }
}
