//! The source's variables while rules are shared out among them.

use std::collections::{BTreeMap, BTreeSet};

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

    /// Whether nobody has claimed it yet.
    pub(super) fn is_free(&self) -> bool {
        self.fate.is_none()
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
    /// Numbers of those that rules see, sorted by name; filled once names are settled.
    by_name: Vec<usize>,
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
        Self { all, by_name: Vec::new() }
    }

    /// The variable the checkpoint calls `name`.
    pub(super) fn named(&mut self, name: &VariableName) -> Option<&mut Source<'c>> {
        // In the order of the catalog, which is sorted by name.
        let at = self.all.binary_search_by(|source| source.name.cmp(name)).ok()?;
        self.all.get_mut(at)
    }

    /// Sets the names rules see; returns pairs of numbers that got the same one.
    pub(super) fn settle(&mut self) -> Vec<(usize, usize)> {
        let Self { all, by_name } = self;
        let name = |i: &usize| all.get(*i).map(|source| source.current.as_str());
        by_name.extend((0..all.len()).filter(|&i| all.get(i).is_some_and(Source::is_free)));
        by_name.sort_by(|a, b| name(a).cmp(&name(b)));
        // Equal names stand in the order of the checkpoint; the last of them keeps the name.
        let pairs = by_name.windows(2).filter_map(|pair| match pair {
            [one, next] if name(one) == name(next) => Some((*one, *next)),
            _ => None,
        });
        let mut clashes: Vec<(usize, usize)> = pairs.collect();
        clashes.sort_unstable_by_key(|(_, second)| *second);
        let hidden: BTreeSet<usize> = clashes.iter().map(|(first, _)| *first).collect();
        by_name.retain(|i| !hidden.contains(i));
        clashes
    }

    /// Numbers of the variables below `scope`, claimed or not, sorted by name.
    pub(super) fn below(&self, scope: &str) -> &[usize] {
        let from = if scope.is_empty() { String::new() } else { format!("{scope}/") };
        let name = |i: &usize| self.all.get(*i).map_or("", |source| source.current.as_str());
        let start = self.by_name.partition_point(|i| name(i) < from.as_str());
        let rest = self.by_name.get(start..).unwrap_or_default();
        let len = rest.partition_point(|i| name(i).starts_with(&from));
        rest.get(..len).unwrap_or_default()
    }

    /// Whether nobody has claimed this one yet.
    pub(super) fn is_free(&self, i: usize) -> bool {
        self.all.get(i).is_some_and(Source::is_free)
    }

    /// All variables that nobody has claimed yet with their numbers, sorted by name.
    pub(super) fn free(&self) -> impl Iterator<Item = (usize, &Source<'c>)> {
        let all = self.by_name.iter().filter_map(|&i| Some((i, self.all.get(i)?)));
        all.filter(|(_, source)| source.is_free())
    }

    /// Every name rules can see.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().filter_map(|&i| Some(self.all.get(i)?.current.as_str()))
    }
}
