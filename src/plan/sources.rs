//! The source's variables while rules are shared out among them.

use std::collections::BTreeMap;

use super::Fate;
use crate::catalog::{Variable, VariableName};

/// One source variable.
#[derive(Debug)]
pub(super) struct Source<'c> {
    /// Its name in the checkpoint; messages show this one.
    pub(super) name: &'c VariableName,
    /// Its name after `rename` and `leaves`; rules see this one.
    pub(super) current: String,
    /// What it is.
    pub(super) variable: &'c Variable,
    /// Who has claimed it.
    pub(super) fate: Option<Fate>,
}

impl Source<'_> {
    /// Last component of the name rules see.
    pub(super) fn leaf(&self) -> &str {
        self.current.rsplit('/').next().unwrap_or_default()
    }
}

/// All of them, found by number or by the name rules see.
#[derive(Debug, Default)]
pub(super) struct Sources<'c> {
    pub(super) all: Vec<Source<'c>>,
    /// Numbers by current name; filled once names are settled.
    by_name: BTreeMap<String, usize>,
}

impl<'c> Sources<'c> {
    pub(super) fn new(variables: &'c BTreeMap<VariableName, Variable>) -> Self {
        let all = variables
            .iter()
            .map(|(name, variable)| {
                let current = name.as_str().to_owned();
                Source { name, current, variable, fate: None }
            })
            .collect();
        Self { all, by_name: BTreeMap::new() }
    }

    /// Sets the names rules see; returns pairs of numbers that got the same one.
    pub(super) fn settle(&mut self) -> Vec<(usize, usize)> {
        let mut clashes = Vec::new();
        for (i, source) in self.all.iter().enumerate() {
            if source.fate.is_some() {
                continue;
            }
            if let Some(first) = self.by_name.insert(source.current.clone(), i) {
                clashes.push((first, i));
            }
        }
        clashes
    }

    /// Numbers of the variables below `scope`, claimed or not, sorted by name.
    pub(super) fn below(&self, scope: &str) -> Vec<usize> {
        let from = if scope.is_empty() { String::new() } else { format!("{scope}/") };
        self.by_name
            .range(from.clone()..)
            .take_while(|(name, _)| name.starts_with(&from))
            .map(|(_, &i)| i)
            .collect()
    }

    /// Numbers of all variables that nobody has claimed yet, sorted by name.
    pub(super) fn free(&self) -> Vec<usize> {
        self.by_name
            .values()
            .copied()
            .filter(|&i| self.all.get(i).is_some_and(|source| source.fate.is_none()))
            .collect()
    }

    /// Every name rules can see.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}
