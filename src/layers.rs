//! The layers of a TF1 program in the order in which it made them, as the graph beside a checkpoint
//! (`.meta`) tells, and how to record them so that TF1's numbers come out again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalog::Catalog;
use crate::mapping::Counter;
use crate::names::unnumbered;
use crate::tensor::TensorSpec;

/// Numbers that a recording may skip by bare entries; whoever skips more gave the name himself.
const MOST_SKIPPED: usize = 64;

/// Scopes of slim that lie in the layer whose output they normalize.
const NORMALIZERS: &[&str] = &["BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm"];

/// Scopes that are layers although they hold others.
const WHOLE: &[&str] = &[
    "basic_lstm_cell",
    "basic_rnn_cell",
    "cudnn_gru",
    "cudnn_lstm",
    "gru_cell",
    "lstm_cell",
    "separable_conv1d",
    "separable_conv2d",
];

/// All layers of a program.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// By the scope they were made in, in the order in which the program made its first one.
    pub scopes: Vec<Scope>,
    /// Variables that are in no layer, in order: `global_step`, and what has no scope.
    pub loose: Vec<String>,
    /// Variables of the graph that the checkpoint has not.
    pub unsaved: usize,
}

/// Layers that were made in one scope.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Its name; empty for the root.
    pub within: String,
    /// They, in order.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What it is called in its scope.
    pub name: String,
    /// What to record, in front of it, so that it gets its number: entries that only count.
    pub skipped: Vec<String>,
    /// The name to record it under.
    pub base: String,
    /// What sort of layer it is, where its variables tell.
    pub kind: Option<&'static str>,
    /// Its variables in order.
    pub variables: Vec<LayerVariable>,
    /// Its place among all layers, counted from 1.
    pub number: usize,
}

/// A variable of a layer.
#[derive(Debug, Clone)]
pub struct LayerVariable {
    /// Its name below the layer.
    pub leaf: String,
    /// What it is; `None` where the checkpoint has it not.
    pub spec: Option<TensorSpec>,
    /// Whether it is trained; `None` where the graph does not say.
    pub trainable: Option<bool>,
    /// Collections it stands in.
    pub collections: Vec<String>,
}

/// Why there are no layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayersError {
    /// The objects of a checkpoint have no creation order.
    #[error(
        "it is a TF2 checkpoint: its objects stand in a graph, not in an order; `ckptmap graph` \
         shows them"
    )]
    Objects,
    /// Nothing tells the order.
    #[error(
        "no graph lies beside it that tells the order of layers: `.meta` of the same checkpoint, or \
         of another one of the same program under this one's name; without it, record the layers by \
         hand from the names that `ckptmap list` shows"
    )]
    NoGraph,
}

/// Finds the layers of the program that wrote a checkpoint.
pub fn layers(catalog: &Catalog) -> Result<Layers, LayersError> {
    let order = &catalog.facts.creation_order;
    if order.is_empty() {
        return Err(match catalog.graph {
            Some(_) => LayersError::Objects,
            None => LayersError::NoGraph,
        });
    }
    let state = State::new(catalog);
    let names: Vec<&String> = order.iter().filter(|name| !state.has(name)).collect();
    // Scopes that hold variables themselves.
    let holding: BTreeSet<&str> =
        names.iter().filter_map(|name| Some(name.rsplit_once('/')?.0)).collect();
    let mut members: HashMap<&str, Vec<String>> = HashMap::new();
    for (key, names) in &catalog.facts.collections {
        for name in names {
            members.entry(name).or_default().push(key.clone());
        }
    }
    let mut found = Layers::default();
    let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut scopes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = 0;
    for name in names {
        found.unsaved += usize::from(!catalog.variables.contains_key(name.as_str()));
        let Some(scope) = layer_of(name, &holding) else {
            found.loose.push(name.clone());
            continue;
        };
        let (within, own) = scope.rsplit_once('/').unwrap_or(("", scope));
        let (place, at) = *places.entry(scope).or_insert_with(|| {
            let place = *scopes.entry(within).or_insert_with(|| {
                found.scopes.push(Scope { within: within.to_owned(), layers: Vec::new() });
                found.scopes.len() - 1
            });
            let layers = found.scopes.get_mut(place).map(|scope| &mut scope.layers);
            let at = layers.as_ref().map_or(0, |layers| layers.len());
            count += 1;
            if let Some(layers) = layers {
                layers.push(Layer::new(own, count));
            }
            (place, at)
        });
        let layer = found.scopes.get_mut(place).and_then(|scope| scope.layers.get_mut(at));
        if let Some(layer) = layer {
            let leaf = name.get(scope.len() + 1..).unwrap_or_default();
            let collections = members.get(name.as_str()).cloned().unwrap_or_default();
            layer.variables.push(variable(catalog, name, leaf, collections));
        }
    }
    found.count_scopes();
    for scope in &mut found.scopes {
        scope.record();
    }
    found.inner_first();
    Ok(found)
}

impl Layers {
    /// A scope that took a number from layers beside it stands among them, without variables.
    fn count_scopes(&mut self) {
        let firsts = self
            .scopes
            .iter()
            .filter_map(|scope| Some((scope.within.clone(), scope.layers.first()?.number)));
        let firsts: Vec<(String, usize)> = firsts.collect();
        let places: HashMap<String, usize> =
            firsts.iter().enumerate().map(|(at, (within, _))| (within.clone(), at)).collect();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for (within, number) in &firsts {
            let ends = within.match_indices('/').map(|(at, _)| at).chain([within.len()]);
            for path in ends.filter_map(|end| within.get(..end)).filter(|path| !path.is_empty()) {
                let (around, own) = path.rsplit_once('/').unwrap_or(("", path));
                let place = places.get(around).filter(|_| known.insert(path));
                let Some(scope) = place.and_then(|at| self.scopes.get_mut(*at)) else { continue };
                let base = unnumbered(own);
                let beside = scope.layers.iter().any(|layer| unnumbered(&layer.name) == base);
                if beside && scope.layers.iter().all(|layer| layer.name != own) {
                    let at = scope.layers.partition_point(|layer| layer.number < *number);
                    scope.layers.insert(at, Layer::new(own, *number));
                }
            }
        }
    }

    /// Puts scopes inside layers in front of them: a layer that is recorded takes whatever is left
    /// below it.
    fn inner_first(&mut self) {
        let all =
            self.scopes.iter().flat_map(|scope| scope.layers.iter().map(|layer| scope.path(layer)));
        let all: BTreeSet<String> = all.collect();
        let lies_in_one = |scope: &Scope| {
            let ends = scope.within.match_indices('/').map(|(at, _)| at);
            ends.chain([scope.within.len()])
                .any(|end| scope.within.get(..end).is_some_and(|above| all.contains(above)))
        };
        if self.scopes.iter().any(lies_in_one) {
            self.scopes.sort_by_key(|scope| {
                Reverse(scope.within.split('/').count() * usize::from(!scope.within.is_empty()))
            });
        }
    }
}

/// What belongs to optimizers, averages and the like: whatever lies below a variable.
struct State<'c> {
    variables: BTreeSet<&'c str>,
    updated: BTreeSet<&'c str>,
}

impl<'c> State<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        let updates = catalog.facts.updates.iter();
        let updated = updates.flat_map(|update| update.slots.iter().chain(&update.powers));
        Self {
            variables: catalog.facts.creation_order.iter().map(String::as_str).collect(),
            updated: updated.map(String::as_str).collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        let above = |(at, _)| name.get(..at).is_some_and(|above| self.variables.contains(above));
        self.updated.contains(name) || name.match_indices('/').any(above)
    }
}

/// The scope of the layer that a variable is in: the one it stands in, unless that is a part of a
/// cell, or normalizes what the layer around it makes.
fn layer_of<'n>(name: &'n str, holding: &BTreeSet<&str>) -> Option<&'n str> {
    let base = |scope: &'n str| unnumbered(scope.rsplit('/').next().unwrap_or(scope));
    let mut scopes = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
    if let Some(cell) = scopes.find(|scope| WHOLE.contains(&base(scope))) {
        return Some(cell);
    }
    let (own, _) = name.rsplit_once('/')?;
    let around = own.rsplit_once('/').map(|(around, _)| around);
    let around =
        around.filter(|around| NORMALIZERS.contains(&base(own)) && holding.contains(around));
    around.or(Some(own)).filter(|scope| !scope.is_empty())
}

fn variable(catalog: &Catalog, name: &str, leaf: &str, collections: Vec<String>) -> LayerVariable {
    let trained = catalog.facts.collections.get("trainable_variables");
    LayerVariable {
        leaf: leaf.to_owned(),
        spec: catalog.variables.get(name).map(|variable| variable.spec.clone()),
        trainable: trained.map(|trained| trained.contains(name)),
        collections,
    }
}

impl Layer {
    fn new(name: &str, number: usize) -> Self {
        let (name, base) = (name.to_owned(), name.to_owned());
        Self { name, base, skipped: Vec::new(), kind: None, variables: Vec::new(), number }
    }

    /// Whether it is a scope that only took a number.
    pub fn is_scope(&self) -> bool {
        self.variables.is_empty()
    }

    /// Whether it is a recurrent cell, whose gates stand in another order in Keras.
    pub fn is_cell(&self) -> bool {
        let base = unnumbered(&self.name);
        WHOLE.contains(&base) && !base.starts_with("separable")
    }

    /// Whether the checkpoint has any of it.
    pub fn is_saved(&self) -> bool {
        self.variables.iter().any(|variable| variable.spec.is_some())
    }
}

impl Scope {
    /// What a layer's scope is called from the root on.
    pub fn path(&self, layer: &Layer) -> String {
        match self.within.as_str() {
            "" => layer.name.clone(),
            within => format!("{within}/{}", layer.name),
        }
    }

    /// Works out under which names its layers get their numbers.
    fn record(&mut self) {
        let names: BTreeSet<String> = self.layers.iter().map(|layer| layer.name.clone()).collect();
        let mut opened: BTreeSet<String> = BTreeSet::new();
        let mut counter = Counter::default();
        // By base, a number below which none is free.
        let mut first_free: HashMap<String, u64> = HashMap::new();
        for layer in &mut self.layers {
            layer.kind = kind(layer);
            let base = unnumbered(&layer.name);
            // Numbers in front of it that nothing has taken, and that nothing will take later:
            // where there is no first one, the program gave the name.
            let from = first_free.entry(base.to_owned()).or_default();
            while opened.contains(&numbered(base, *from)) {
                *from += 1;
            }
            let skip = if names.contains(base) {
                skipped(base, &layer.name, *from, &opened, &names)
            } else {
                None
            };
            if let Some(free) = skip {
                for name in &free {
                    counter.layer("", base);
                    opened.insert(name.clone());
                }
                layer.skipped = free.iter().map(|_| base.to_owned()).collect();
                layer.base = base.to_owned();
            }
            counter.layer("", &layer.base);
            opened.insert(layer.name.clone());
        }
    }
}

/// What TF1 calls the layer number so-and-so.
fn numbered(base: &str, number: u64) -> String {
    if number == 0 { base.to_owned() } else { format!("{base}_{number}") }
}

/// Names with smaller numbers that are still free, none of them below `from`; `None` where counting
/// does not lead to `name`, or to one of `names` that comes later.
fn skipped(
    base: &str,
    name: &str,
    from: u64,
    opened: &BTreeSet<String>,
    names: &BTreeSet<String>,
) -> Option<Vec<String>> {
    if base == name {
        return Some(Vec::new());
    }
    let number: u64 = name.strip_prefix(base)?.strip_prefix('_')?.parse().ok()?;
    // Nobody counts with zeros in front.
    if number == 0 || numbered(base, number) != name {
        return None;
    }
    let mut free = Vec::new();
    for smaller in (from..number).map(|smaller| numbered(base, smaller)) {
        if opened.contains(&smaller) {
            continue;
        }
        if names.contains(&smaller) || free.len() >= MOST_SKIPPED {
            return None;
        }
        free.push(smaller);
    }
    Some(free)
}

/// What sort of layer has such variables.
fn kind(layer: &Layer) -> Option<&'static str> {
    let cells = [
        ("basic_lstm_cell", "LSTM cell"),
        ("basic_rnn_cell", "RNN cell"),
        ("cudnn_gru", "cuDNN GRU"),
        ("cudnn_lstm", "cuDNN LSTM"),
        ("gru_cell", "GRU cell"),
        ("lstm_cell", "LSTM cell"),
    ];
    let base = unnumbered(&layer.name);
    if let Some((_, kind)) = cells.iter().find(|(name, _)| *name == base) {
        return Some(kind);
    }
    let rank = |leaves: &[&str]| {
        let of =
            layer.variables.iter().find(|variable| leaves.contains(&variable.leaf.as_str()))?;
        Some(of.spec.as_ref().map_or(0, |spec| spec.shape().rank()))
    };
    let has = |leaves: &[&str]| rank(leaves).is_some();
    if has(&["depthwise_kernel", "depthwise_weights"]) {
        let separable = has(&["pointwise_kernel", "pointwise_weights"]);
        return Some(if separable { "separable convolution" } else { "depthwise convolution" });
    }
    match rank(&["kernel", "weights", "w"]) {
        Some(2) => return Some("dense"),
        Some(3..=5) => {
            let transposed = base.ends_with("transpose");
            return Some(if transposed { "transposed convolution" } else { "convolution" });
        }
        _ => {}
    }
    if has(&["moving_mean", "moving_variance"]) {
        return Some("batch normalization");
    }
    if has(&["gamma", "beta"]) {
        return Some("normalization");
    }
    has(&["embeddings", "embedding_weights", "word_embeddings"]).then_some("embedding")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What to record for layers of these names: bare entries end in `!`.
    fn recorded(names: &[&str]) -> String {
        let layers = names.iter().enumerate();
        let layers = layers.map(|(at, name)| Layer::new(name, at + 1)).collect();
        let mut scope = Scope { within: String::new(), layers };
        scope.record();
        let entry = |layer: &Layer| {
            let skipped = layer.skipped.iter().map(|base| format!("{base}!"));
            skipped.chain([layer.base.clone()]).collect::<Vec<_>>()
        };
        // What is recorded must give the names again.
        let mut counter = Counter::default();
        for layer in &scope.layers {
            layer.skipped.iter().for_each(|base| drop(counter.layer("", base)));
            assert_eq!(counter.layer("", &layer.base), layer.name, "{names:?}");
        }
        scope.layers.iter().flat_map(entry).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn recordings_give_the_names_again() {
        assert_eq!(recorded(&["dense", "conv2d", "dense_1"]), "dense conv2d dense");
        assert_eq!(recorded(&["dense", "dense_2"]), "dense dense! dense");
        assert_eq!(recorded(&["dense_1"]), "dense_1");
        assert_eq!(recorded(&["dense_1", "dense", "dense_2"]), "dense_1 dense dense");
        assert_eq!(recorded(&["dense_2", "dense", "dense_1"]), "dense_2 dense dense");
        assert_eq!(recorded(&["layer_0", "layer_1"]), "layer_0 layer_1");
        assert_eq!(recorded(&["layer_00", "layer_01"]), "layer_00 layer_01");
        assert_eq!(recorded(&["dense_99999999999999999999"]), "dense_99999999999999999999");
        assert_eq!(recorded(&["dense_1000000"]), "dense_1000000");
        assert_eq!(recorded(&["a_1_1", "a_1", "a"]), "a_1_1 a_1 a");
        let many: Vec<String> = (0..20_000).map(|number| numbered("dense", number)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(recorded(&many), vec!["dense"; 20_000].join(" "));
        let late: Vec<&str> = many.iter().rev().copied().collect();
        assert!(recorded(&late).ends_with("dense_2 dense_1 dense"));
    }
}
