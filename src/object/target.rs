//! Where a value goes.

use std::fmt;

use super::ObjectPath;

/// The key a tensor gets in the bundle that is written: an object's value, or a plain TF1 name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(String);

impl Target {
    /// The value of the variable that `path` leads to.
    pub fn variable(path: &ObjectPath) -> Self {
        Self(path.key())
    }

    /// A name-based key, as TF1 looks variables up, or a key taken from an existing object graph.
    pub fn named(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as it stands in the index.
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
