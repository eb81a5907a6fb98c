//! The source's variables while rules are shared out among them.

use std::collections::BTreeMap;

use super::Fate;
use super::template::Template;
use crate::catalog::{Catalog, Variable, VariableName};
use crate::mapping::Pattern;

/// One source variable.
#[derive(Debug)]
pub(super) struct Source<'c> {
    /// Its name in the checkpoint; messages show this one.
    pub(super) name: &'c VariableName,
    /// Its name after `rename` and `leaves`; rules see this one.
    pub(super) current: String,
    /// Another name rules may use: the `full_name` of an object-based checkpoint's variable.
    pub(super) other: Option<&'c str>,
    /// What it is.
    pub(super) variable: &'c Variable,
    /// Who has claimed it.
    pub(super) fate: Option<Fate>,
}

impl Source<'_> {
    /// The names that rules may call it by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.current.as_str()).chain(self.other)
    }

    /// The name by which a pattern finds it.
    pub(super) fn matched(&self, pattern: &Pattern) -> Option<&str> {
        self.names().find(|name| pattern.is_match(name))
    }

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
    /// A TF1 variable goes by its key, a TF2 one by its path.
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        let objects = Template::new(catalog, &[]).and_then(Result::ok);
        let paths: BTreeMap<&str, (&str, &'c str)> = objects
            .iter()
            .flat_map(|objects| &objects.leaves)
            .map(|leaf| (leaf.target.key(), (leaf.shown.as_str(), leaf.full_name)))
            .collect();
        let all = catalog
            .variables
            .iter()
            .map(|(name, variable)| {
                let known = paths.get(name.as_str());
                let current = known.map_or(name.as_str(), |(path, _)| path).to_owned();
                let other = known.map(|(_, full_name)| *full_name).filter(|name| !name.is_empty());
                Source { name, current, other, variable, fate: None }
            })
            .collect();
        Self { all, by_name: BTreeMap::new() }
    }

    /// The variable the checkpoint calls `name`.
    pub(super) fn named(&mut self, name: &VariableName) -> Option<&mut Source<'c>> {
        // In the order of the catalog, which is sorted by name.
        let at = self.all.binary_search_by(|source| source.name.cmp(name)).ok()?;
        self.all.get_mut(at)
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
