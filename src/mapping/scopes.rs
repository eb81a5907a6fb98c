//! `scopes`: auto-scope recording, as written.

use std::collections::BTreeMap;

use super::compiler::{Compiler, key_template, list};
use super::recording::{Counter, RecordedLayer, Recording, join};
use super::target::target;
use super::{apply, numbers};
use crate::yaml::{Fields, Node, Problem, ProblemKind, Yaml};

/// Repetitions that a recording may unroll to; a network with more layers is a typing error.
const MAX_LAYERS: usize = 100_000;

/// Reads all entries of `scopes`.
pub(super) fn read(fields: &Fields<'_>, compiler: &mut Compiler<'_>) -> Vec<Recording> {
    let mut seen: BTreeMap<String, Node<'_>> = BTreeMap::new();
    list(fields, "scopes", |node| {
        let recording = recording(node, compiler)?;
        if let Some(first) = seen.insert(recording.within.clone(), node.clone()) {
            let what = match recording.within.as_str() {
                "" => "the root scope is recorded a second time".to_owned(),
                within => format!("the scope `{within}` is recorded a second time"),
            };
            let problem = Problem::new(ProblemKind::Scope, what);
            let problem = problem.related(first.place(), "the first recording");
            node.report(problem.help("record all its layers in one list, in creation order"), None);
        }
        Some(recording)
    })
}

fn recording(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Recording> {
    let fields = node.fields(&["within", "target", "layers"])?;
    let by_name = match fields.get("target") {
        Some(target) => target.choice(&[("paths", false), ("names", true)])?,
        None => false,
    };
    let within = match fields.get("within") {
        Some(node) => compiler.text(node)?.trim_end_matches('/').to_owned(),
        None => String::new(),
    };
    let layers = fields.require("layers")?.list()?;
    let id = compiler.id(node);
    let mut recorder =
        Recorder { compiler, counter: Counter::default(), layers: Vec::new(), rounds: 0 };
    recorder.all(&within, &layers);
    Some(Recording { id, within, by_name, layers: recorder.layers })
}

struct Recorder<'c, 'f> {
    compiler: &'c mut Compiler<'f>,
    counter: Counter,
    layers: Vec<RecordedLayer>,
    /// Rounds of repetitions begun, empty ones too.
    rounds: usize,
}

impl Recorder<'_, '_> {
    fn all(&mut self, parent: &str, layers: &[Node<'_>]) {
        for layer in layers {
            self.one(parent, layer);
        }
    }

    /// `None` where something was reported.
    fn one(&mut self, parent: &str, node: &Node<'_>) -> Option<()> {
        if let Yaml::Text(_) = node.yaml {
            let base = self.compiler.text(node)?;
            return self.layer(parent, node, base, None);
        }
        let entries = node.entries()?;
        let has = |key: &str| entries.iter().any(|(known, _)| *known == key);
        if has("repeat") {
            return self.repeat(parent, &node.fields(&["repeat", "as", "layers"])?);
        }
        if has("scope") {
            return self.scope(parent, &node.fields(&["scope", "layers"])?);
        }
        let [(base, to)] = entries.as_slice() else {
            let problem = Problem::new(ProblemKind::Scope, "one layer should stand here");
            let help = "a layer is `base_name: target`, `base_name` alone, a `repeat` or a `scope`";
            node.report(problem.help(help), None);
            return None;
        };
        let names = self.compiler.names(None);
        let base = key_template(to, base, &names)?.expand(None).ok()?;
        self.layer(parent, node, base, Some(to))
    }

    fn layer(
        &mut self,
        parent: &str,
        node: &Node<'_>,
        base: String,
        to: Option<&Node<'_>>,
    ) -> Option<()> {
        if base.is_empty() {
            node.report(Problem::new(ProblemKind::Scope, "a layer needs a name"), None);
            return None;
        }
        // Counted before anything can go wrong: later layers must keep their numbers.
        let scope = self.counter.layer(parent, &base);
        let (target_node, apply_node) = match to.map(|to| (to, to.yaml)) {
            Some((to, Yaml::Map(entries))) if entries.iter().any(|(key, _)| key == "to") => {
                let fields = to.fields(&["to", "apply"])?;
                (fields.get("to").cloned(), fields.get("apply").cloned())
            }
            other => (other.map(|(to, _)| to.clone()), None),
        };
        let names = self.compiler.names(None);
        // A target with a mistake still counts, or the mistake would become a second one.
        let to = target_node.and_then(|node| target(&node, &names));
        let mut transforms = BTreeMap::new();
        for (leaf, node) in apply_node.as_ref().and_then(Node::entries).unwrap_or_default() {
            transforms.insert(leaf.to_owned(), apply::read_single(&node, self.compiler)?);
        }
        let id = self.compiler.id(node);
        let parent = parent.to_owned();
        self.layers.push(RecordedLayer { id, parent, base, scope, to, apply: transforms });
        Some(())
    }

    fn scope(&mut self, parent: &str, fields: &Fields<'_>) -> Option<()> {
        let name = self.compiler.text(fields.require("scope")?)?;
        let layers = fields.require("layers")?.list()?;
        let scope = join(parent, &name);
        self.counter.enter(&scope);
        self.all(&scope, &layers);
        self.counter.leave(&scope);
        Some(())
    }

    fn repeat(&mut self, parent: &str, fields: &Fields<'_>) -> Option<()> {
        let count_node = fields.require("repeat")?;
        let count = numbers::integer(count_node, self.compiler)?;
        let layers = fields.require("layers")?.list()?;
        let variable = match fields.get("as") {
            Some(node) => Some((node.text()?, node)),
            None => None,
        };
        if let Some((name, node)) = variable
            && self.compiler.params.contains_key(name)
        {
            let message = format!("`{name}` is already a parameter or an outer repetition");
            let problem = Problem::new(ProblemKind::Scope, message);
            node.report(problem.help("give it another name"), None);
            return None;
        }
        let room = MAX_LAYERS.saturating_sub(self.layers.len().max(self.rounds));
        let count = usize::try_from(count)
            .ok()
            .filter(|count| count.saturating_mul(layers.len().max(1)) <= room);
        let Some(count) = count else {
            let message = format!("a recording has between 0 and {MAX_LAYERS} layers");
            count_node.report(Problem::new(ProblemKind::Value, message), None);
            return None;
        };
        self.rounds += count;
        for i in 0..count {
            if let Some((name, _)) = variable {
                self.compiler.params.insert(name.to_owned(), i.to_string());
            }
            self.all(parent, &layers);
        }
        if let Some((name, _)) = variable {
            self.compiler.params.remove(name);
        }
        Some(())
    }
}
