//! The target's object graph, built from the paths of its values.

use super::Value;
use super::claim::Planner;
use crate::mapping::{Problem, ProblemKind};
use crate::object::{GraphBuilder, ObjectGraph, SAVE_COUNTER};

impl Planner<'_> {
    /// The graph; paths that no graph can hold together are problems.
    pub(super) fn graph(&mut self) -> ObjectGraph {
        let mut builder = GraphBuilder::default();
        let mut conflicts = Vec::new();
        // The counter last, where TensorFlow has it.
        let (counter, others): (Vec<_>, Vec<_>) = self
            .values
            .values()
            .partition(|value| matches!(value.path.labels(), [label] if label == SAVE_COUNTER));
        for assignment in others.into_iter().chain(counter) {
            // The TF1 name only where the bytes are the TF1 variable's own: Saver looks values up
            // by it and would restore a transformed one wrong without a word.
            let full_name = match &assignment.value {
                Value::Variable(name) => name.as_str(),
                _ => "",
            };
            if let Err(conflict) = builder.insert(&assignment.path, full_name) {
                conflicts.push((assignment.rule, conflict));
            }
        }
        for (rule, conflict) in conflicts {
            let other = self.values.get(&conflict.variable).and_then(|other| other.rule);
            let place = rule.and_then(|rule| self.mapping.place(rule));
            let related = other.filter(|other| Some(*other) != rule);
            let related = related.and_then(|other| self.mapping.place(other));
            let problem = Problem::new(ProblemKind::Collision, conflict.to_string());
            self.problems
                .push(problem.at(rule, place).related(related, "the other one comes from here"));
        }
        builder.finish()
    }
}
