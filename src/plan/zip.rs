//! `zip` rules: two sequences of the same length, paired in order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::batch::Turn;
use super::claim::{Claim, Planner};
use super::spot::Spot;
use crate::mapping::{Onto, Order, Pattern, Problem, ProblemKind, RuleId, ZipRule};
use crate::names;

/// The values of the named groups that both sides share.
type Partition = Vec<String>;

impl Planner<'_> {
    /// Pairs what is left of the sources with what is left of the template.
    pub(super) fn zip(&mut self, id: RuleId, zip: &ZipRule, turn: &Turn<'_, '_>) {
        if self.template.is_none() {
            let message = "`zip` pairs with the leaves of a template, and there is none";
            let problem = Problem::new(ProblemKind::Template, message);
            return self.report(id, problem.help("give one with `--like`"));
        }
        let creation = zip.order.0 == Order::Creation;
        if creation && self.catalog.facts.creation_order.is_empty() {
            let message = "`order: creation` needs the graph beside the checkpoint (`.meta`)";
            let help = "put it there, or choose `natural` or `text`";
            return self.report(id, Problem::new(ProblemKind::Template, message).help(help));
        }
        let wanted = turn.wanted(&self.sources);
        if creation {
            let created: BTreeSet<&str> =
                self.catalog.facts.creation_order.iter().map(String::as_str).collect();
            let unknown = wanted.iter().find_map(|&i| {
                let source = self.sources.all.get(i)?;
                let is_meant = zip.from.is_match(&source.current);
                let name = self.raw.get(source.name).unwrap_or(source.name);
                (is_meant && !created.contains(name.as_str())).then(|| name.to_string())
            });
            if let Some(unknown) = unknown {
                let message = format!("the graph beside the checkpoint does not know `{unknown}`");
                let help =
                    "it is another program's, or the variable was renamed: choose another order";
                return self.report(id, Problem::new(ProblemKind::Template, message).help(help));
            }
        }
        let shared = shared_groups(&zip.from, zip.onto.pattern());
        let mut from = self.zip_sources(&wanted, &zip.from, &shared, zip.order.0);
        let mut onto = self.zip_leaves(&zip.onto, &shared, zip.order.1);
        if from.is_empty() && onto.is_empty() && zip.optional {
            return;
        }
        let groups: BTreeSet<Partition> = from.keys().chain(onto.keys()).cloned().collect();
        if groups.is_empty() {
            let message = format!("`{}` matches no variable", zip.from.text());
            return self.report(id, Problem::new(ProblemKind::Unused, message));
        }
        self.found.insert(id);
        for group in groups {
            let (from, onto) =
                (from.remove(&group).unwrap_or_default(), onto.remove(&group).unwrap_or_default());
            if from.len() != onto.len() {
                let place = match shared.as_slice() {
                    [] => String::new(),
                    names => format!(" (where {})", named(names, &group)),
                };
                let message = format!(
                    "{} variables do not pair with {} leaves{place}",
                    from.len(),
                    onto.len()
                );
                let help = "a rule above can take those that have no partner";
                self.report(id, Problem::new(ProblemKind::Unused, message).help(help));
            }
            for (i, spot) in from.into_iter().zip(onto) {
                let claim = Claim {
                    to: &[],
                    apply: &zip.apply,
                    optional: zip.optional,
                    skip_mismatch: zip.skip_mismatch,
                    rule: id,
                };
                self.give(&[i], claim, vec![vec![spot]]);
            }
        }
    }

    fn zip_sources(
        &self,
        wanted: &[usize],
        pattern: &Pattern,
        shared: &[String],
        by: Order,
    ) -> BTreeMap<Partition, Vec<usize>> {
        let facts = &self.catalog.facts.creation_order;
        let created: BTreeMap<&str, usize> =
            facts.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut groups: BTreeMap<Partition, Vec<(String, Option<usize>, usize)>> = BTreeMap::new();
        for &i in wanted {
            let Some(source) = self.sources.all.get(i) else { continue };
            if let Some(group) = partition(pattern, &source.current, shared) {
                // An average was created long after its variable.
                let name = self.raw.get(source.name).unwrap_or(source.name);
                let at = created.get(name.as_str()).copied();
                groups.entry(group).or_default().push((source.current.clone(), at, i));
            }
        }
        let order =
            |a: &(String, Option<usize>, usize), b: &(String, Option<usize>, usize)| match by {
                Order::Creation => a.1.cmp(&b.1),
                by => compare(by, &a.0, &b.0),
            };
        groups
            .into_iter()
            .map(|(group, mut sources)| {
                sources.sort_by(order);
                (group, sources.into_iter().map(|(_, _, i)| i).collect())
            })
            .collect()
    }

    fn zip_leaves(
        &self,
        onto: &Onto,
        shared: &[String],
        by: Order,
    ) -> BTreeMap<Partition, Vec<Spot>> {
        let mut groups: BTreeMap<Partition, Vec<(String, Spot)>> = BTreeMap::new();
        for (spot, name) in self.bare(onto) {
            if let Some(group) = partition(onto.pattern(), name, shared) {
                groups.entry(group).or_default().push((name.to_owned(), spot));
            }
        }
        groups
            .into_iter()
            .map(|(group, mut leaves)| {
                leaves.sort_by(|a, b| compare(by, &a.0, &b.0));
                (group, leaves.into_iter().map(|(_, spot)| spot).collect())
            })
            .collect()
    }
}

impl Planner<'_> {
    /// Leaves below `root` that match and have no value yet, each with the name that matches.
    pub(super) fn bare<'s>(&'s self, onto: &'s Onto) -> impl Iterator<Item = (Spot, &'s str)> {
        let templates = self.template.iter();
        templates
            .flat_map(|template| template.below().map(move |(leaf, path)| (template, leaf, path)))
            .filter_map(move |(template, leaf, path)| {
                let found = template.leaves.get(leaf)?;
                // Names may leave out the components that all of them share.
                let names = match onto {
                    Onto::Path(_) => vec![path],
                    Onto::Name(_) if found.full_name.is_empty() => Vec::new(),
                    Onto::Name(_) => vec![found.full_name, template.short_name(found.full_name)],
                };
                let name = names.into_iter().find(|name| onto.pattern().is_match(name))?;
                (!self.values.contains_key(&found.target)).then(|| (Spot::leaf(found), name))
            })
    }
}

fn compare(by: Order, a: &str, b: &str) -> Ordering {
    match by {
        Order::Text => names::text(a, b),
        Order::Natural | Order::Creation => names::natural(a, b),
    }
}

fn shared_groups(from: &Pattern, onto: &Pattern) -> Vec<String> {
    let names = from.group_names();
    onto.group_names().intersection(&names).map(|name| (*name).to_owned()).collect()
}

fn partition(pattern: &Pattern, name: &str, shared: &[String]) -> Option<Partition> {
    let captures = pattern.captures(name)?;
    let value = |group: &String| {
        captures.name(group).map(|found| found.as_str().to_owned()).unwrap_or_default()
    };
    Some(shared.iter().map(value).collect())
}

fn named(names: &[String], values: &[String]) -> String {
    let pairs = names.iter().zip(values).map(|(name, value)| format!("{name} is `{value}`"));
    pairs.collect::<Vec<_>>().join(", ")
}
