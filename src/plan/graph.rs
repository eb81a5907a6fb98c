//! The target's object graph: the template's, or one built from the paths of the values.

use super::claim::Planner;
use super::missing::OBJECT_CONFIG;
use super::{Purpose, Value};
use crate::catalog::VariableName;
use crate::mapping::{Problem, ProblemKind};
use crate::object::{
    Attribute, GraphBuilder, Node, ObjectGraph, ObjectPath, SAVE_COUNTER, Target, VARIABLE_VALUE,
};

impl Planner<'_> {
    /// The graph; paths that no graph can hold together are problems.
    pub(super) fn graph(&mut self) -> ObjectGraph {
        match &self.template {
            Some(template) => {
                let graph = template.graph.clone();
                self.taken_over(graph)
            }
            None => self.built(),
        }
    }

    /// The template's graph with as few changes as possible.
    fn taken_over(&mut self, mut graph: ObjectGraph) -> ObjectGraph {
        graph.retain_attributes(|attribute| attribute.name != OBJECT_CONFIG);
        match (graph.child(0, SAVE_COUNTER), self.options.purpose) {
            (Some(counter), Purpose::Read) => graph.remove(counter),
            (None, Purpose::Restore) => graph.add_child(SAVE_COUNTER, counter()),
            _ => {}
        }
        let mut unnamed = Vec::new();
        for attribute in graph.attributes_mut().filter(|value| !value.full_name.is_empty()) {
            let target = Target::named(attribute.key.as_str());
            let Some(assignment) = self.values.get(&target) else { continue };
            let untouched = assignment.value.untouched().map(VariableName::as_str);
            let is_tf1 = self.catalog.graph.is_none()
                && self.catalog.variables.contains_key(attribute.full_name.as_str());
            let average =
                assignment.value.untouched().is_some_and(|name| self.shadows.contains(name));
            // Saver would find the value by a TF1 name that is not, or not only, its own, and
            // restore it wrong without a word.
            if (is_tf1 || average) && untouched != Some(attribute.full_name.as_str()) {
                unnamed.push(attribute.full_name.clone());
                attribute.full_name.clear();
            }
        }
        if !unnamed.is_empty() {
            let message = format!(
                "{} values lose names that mean other TF1 variables or bytes, so that TF1's Saver does not restore them: {}",
                unnamed.len(),
                unnamed.join(", ")
            );
            self.warnings.push(Problem::new(ProblemKind::Name, message));
        }
        graph
    }

    fn built(&mut self) -> ObjectGraph {
        let mut builder = GraphBuilder::default();
        let mut conflicts = Vec::new();
        // The counter last, where TensorFlow has it.
        let is_counter =
            |path: &ObjectPath| matches!(path.labels(), [label] if label == SAVE_COUNTER);
        let mut paths = std::mem::take(&mut self.paths);
        paths.sort_by(|a, b| is_counter(a).cmp(&is_counter(b)).then_with(|| a.cmp(b)));
        for path in &paths {
            let Some(assignment) = self.values.get(&Target::variable(path)) else { continue };
            // The TF1 name only where the bytes are the TF1 variable's own: Saver looks values up
            // by it and would restore a transformed one wrong without a word.
            let full_name = match &assignment.value {
                Value::Variable(name) => name.as_str(),
                _ => "",
            };
            if let Err(conflict) = builder.insert(path, full_name) {
                conflicts.push((assignment.rule, conflict));
            }
        }
        for (rule, conflict) in conflicts {
            let other = self.values.get(&Target::variable(&conflict.variable));
            let other = other.and_then(|other| other.rule).filter(|other| Some(*other) != rule);
            let related = other.and_then(|other| self.place_of(other));
            let place = rule.and_then(|rule| self.place_of(rule));
            let problem = Problem::new(ProblemKind::Collision, conflict.to_string());
            let problem = problem.help("give one of them another target").at(rule, place);
            self.problems.push(problem.related(related, "the other one comes from here"));
        }
        builder.finish()
    }
}

/// The object that counts saves.
fn counter() -> Node {
    let key = ObjectPath::new([SAVE_COUNTER.to_owned()]).map(|path| path.key()).unwrap_or_default();
    let value =
        Attribute { name: VARIABLE_VALUE.to_owned(), full_name: SAVE_COUNTER.to_owned(), key };
    Node { attributes: vec![value], has_values: Some(true), ..Node::default() }
}
