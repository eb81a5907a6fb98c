//! Rules that are for something else: one sentence that explains all the rest.

use super::claim::Planner;
use super::spot::ONLY_TEMPLATES;
use crate::mapping::{Action, Pattern, Problem, ProblemKind, Refusal};
use crate::names::shared_components;
use crate::object::ObjectGraph;

/// Edges of Keras models by their version: only that version has them.
const KERAS2_EDGE: &str = "layer_with_weights-";
const KERAS3_EDGES: &[&str] = &["_operations", "_functional"];

impl Planner<'_> {
    /// What the rule file itself knows about checkpoints it is not for.
    pub(super) fn refusals(&mut self) {
        for refusal in &self.mapping.refusals {
            if self.holds(refusal) {
                self.report(refusal.id, Problem::new(ProblemKind::Fit, refusal.say.as_str()));
            }
        }
    }

    fn holds(&self, refusal: &Refusal) -> bool {
        let Refusal { has, lacks, template_has, template_lacks, .. } = refusal;
        let source = |pattern: &Pattern| {
            self.sources.all.iter().any(|source| {
                pattern.is_match(source.name.as_str()) || pattern.is_match(&source.current)
            })
        };
        // Without a template nothing is known of it.
        let template = |pattern: &Pattern, wanted: bool| {
            self.template.as_ref().is_some_and(|template| {
                let mut leaves = template.below();
                leaves.any(|(leaf, path)| {
                    let name = template.leaves.get(leaf).map_or("", |leaf| leaf.full_name);
                    [path, name, template.short_name(name)].iter().any(|one| pattern.is_match(one))
                }) == wanted
            })
        };
        has.as_ref().is_none_or(source)
            && lacks.as_ref().is_none_or(|pattern| !source(pattern))
            && template_has.as_ref().is_none_or(|pattern| template(pattern, true))
            && template_lacks.as_ref().is_none_or(|pattern| template(pattern, false))
    }

    /// What explains many problems at once, where nobody has said it yet.
    pub(super) fn headline(&mut self) {
        if self.problems.iter().any(|problem| problem.kind == ProblemKind::Fit) {
            return;
        }
        let found = self.no_template().or_else(|| self.other_keras());
        if let Some(message) = found.or_else(|| self.other_source()) {
            self.problems.push(Problem::new(ProblemKind::Fit, message));
        }
    }

    /// Names, and nothing that has names.
    fn no_template(&self) -> Option<String> {
        let named = |problem: &&Problem| problem.message.ends_with(ONLY_TEMPLATES);
        let several = self.problems.iter().filter(named).count() > 1;
        (self.template.is_none() && several).then(|| {
            "the rules call targets by name: give a fresh checkpoint of the new model with `--like`"
                .to_owned()
        })
    }

    /// Paths of one version of Keras, and the template of another.
    fn other_keras(&self) -> Option<String> {
        let template = self.template.as_ref()?;
        let has = |wanted: &dyn Fn(&str) -> bool| has_edge(template.graph, wanted);
        let (keras2, keras3) = (
            has(&|label| label.starts_with(KERAS2_EDGE)),
            has(&|label| KERAS3_EDGES.contains(&label)),
        );
        let missed = |label: &str| {
            let missing = format!("has no `{label}");
            self.problems.iter().any(|problem| problem.message.contains(&missing))
        };
        let (rules, like) = match (keras2, keras3) {
            (false, true) if missed(KERAS2_EDGE) => ("Keras 2", "Keras 3"),
            (true, false) if KERAS3_EDGES.iter().any(|edge| missed(edge)) => ("Keras 3", "Keras 2"),
            _ => return None,
        };
        Some(format!("the rules name paths of a {rules} model, and the template is {like}'s"))
    }

    /// No rule found anything: the checkpoint is another model's.
    fn other_source(&self) -> Option<String> {
        let rules = &self.mapping.rules;
        let looking = rules.iter().filter(|rule| !matches!(rule.action, Action::Drop(_))).count();
        let unused = self.problems.iter().any(|problem| problem.kind == ProblemKind::Unused);
        if looking < 2 || !self.found.is_empty() || !unused || self.sources.all.is_empty() {
            return None;
        }
        let names: Vec<&str> = self.sources.all.iter().map(|source| source.name.as_str()).collect();
        let shared = shared_components(names.iter().copied().filter(|name| name.contains('/')));
        let called = match shared.as_slice() {
            [] => format!("`{}`, …", names.first().copied().unwrap_or_default()),
            shared => format!("`{}/…`", shared.join("/")),
        };
        Some(format!(
            "these rules are for another model: not one of {looking} found a variable in `{}`, \
             whose variables are called {called}",
            self.catalog.origin
        ))
    }
}

fn has_edge(graph: &ObjectGraph, wanted: &dyn Fn(&str) -> bool) -> bool {
    graph.nodes().iter().any(|node| node.children.iter().any(|edge| wanted(&edge.label)))
}
