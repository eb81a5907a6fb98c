//! TF1's automatic names, counted as TF1 counted them.
//!
//! TF1 keeps a count per full scope name. Opening a scope adds one to its own count; leaving it
//! forgets the counts of everything below. A layer without a name takes its base name if that has
//! not been opened in the current scope, else the first `base_1`, `base_2`, … that has not, and
//! opens it. Explicit names occupy numbers just so.

use std::collections::BTreeMap;

use super::{RuleId, Step, TargetTemplate};

/// One entry of `scopes`: the layers below one `variable_scope`.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Where it stands.
    pub id: RuleId,
    /// The scope that was open; empty for the root.
    pub within: String,
    /// Whether targets are the `full_name`s of the template's layers rather than paths.
    pub by_name: bool,
    /// Layers in the order TF1 created them.
    pub layers: Vec<RecordedLayer>,
}

/// A layer, with the scope TF1 gave it.
#[derive(Debug, Clone)]
pub struct RecordedLayer {
    /// Where it stands.
    pub id: RuleId,
    /// The scope the layer was created in; empty for the root.
    pub parent: String,
    /// The name it was recorded under.
    pub base: String,
    /// The full scope that holds its variables.
    pub scope: String,
    /// The object they go to; `None` only counts.
    pub to: Option<TargetTemplate>,
    /// What is done to some of its leaves.
    pub apply: BTreeMap<String, Vec<Step>>,
}

/// TF1's counts.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    /// How often each scope was opened.
    opened: BTreeMap<String, usize>,
    /// The last number tried for each base name.
    tried: BTreeMap<String, usize>,
}

impl Counter {
    /// The scope of a layer created without a name in `parent`: opened, and left again.
    pub(crate) fn layer(&mut self, parent: &str, base: &str) -> String {
        let scope = self.free(parent, base);
        self.enter(&scope);
        self.leave(&scope);
        scope
    }

    /// Opens a `variable_scope` by its full name.
    pub(crate) fn enter(&mut self, scope: &str) {
        *self.opened.entry(scope.to_owned()).or_default() += 1;
    }

    /// Leaves a scope.
    pub(crate) fn leave(&mut self, scope: &str) {
        let below = format!("{scope}/");
        forget(&mut self.opened, &below);
        forget(&mut self.tried, &below);
    }

    fn free(&mut self, parent: &str, base: &str) -> String {
        let first = join(parent, base);
        if !self.opened.contains_key(&first) {
            return first;
        }
        // Names are only ever opened while the scope is, so what was taken once stays taken.
        let tried = self.tried.entry(first.clone()).or_default();
        loop {
            *tried += 1;
            let scope = format!("{first}_{tried}");
            if !self.opened.contains_key(&scope) {
                return scope;
            }
        }
    }
}

/// Forgets everything whose name begins with `below`.
fn forget(names: &mut BTreeMap<String, usize>, below: &str) {
    let gone: Vec<String> = names
        .range(below.to_owned()..)
        .take_while(|(name, _)| name.starts_with(below))
        .map(|(name, _)| name.clone())
        .collect();
    for name in gone {
        names.remove(&name);
    }
}

/// `name` in the scope `parent`.
pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TF1 named a program's layers: `name` a layer without name, `[name` opens a scope,
    /// `]` leaves it.
    fn names(program: &str) -> Vec<String> {
        let mut counter = Counter::default();
        let mut open: Vec<String> = Vec::new();
        let mut names = Vec::new();
        for word in program.split_whitespace() {
            let parent = open.last().cloned().unwrap_or_default();
            match (word, word.strip_prefix('[')) {
                ("]", _) => counter.leave(&open.pop().unwrap()),
                (_, Some(scope)) => {
                    open.push(join(&parent, scope));
                    counter.enter(open.last().unwrap());
                }
                (base, None) => names.push(counter.layer(&parent, base)),
            }
        }
        names
    }

    /// Each row was run in TensorFlow.
    #[test]
    fn programs() {
        assert_eq!(names("dense conv2d dense conv2d"), ["dense", "conv2d", "dense_1", "conv2d_1"]);
        assert_eq!(
            names("[a dense dense ] [b dense ] dense"),
            ["a/dense", "a/dense_1", "b/dense", "dense"]
        );
        assert_eq!(names("[a dense ] [a dense ]"), ["a/dense", "a/dense"]);
        assert_eq!(names("[dense ] dense"), ["dense_1"]);
        assert_eq!(names("[dense ] [dense ] dense"), ["dense_1"]);
        assert_eq!(names("dense dense_1 dense"), ["dense", "dense_1", "dense_2"]);
        assert_eq!(names("[dense_1 ] dense dense dense"), ["dense", "dense_2", "dense_3"]);
        assert_eq!(names("foo dense"), ["foo", "dense"]);
        assert_eq!(names("[a/dense ] [a dense ]"), ["a/dense_1"]);
        assert_eq!(names("[a [dense ] ] [a dense ]"), ["a/dense"]);
    }
}
