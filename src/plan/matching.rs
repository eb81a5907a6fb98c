//! Rules meet names: `rename` and `leaves`, then recordings, then rules from top to bottom. Each
//! sees only what nobody above it has claimed.

use std::collections::BTreeSet;

use regex::Captures;

use super::Fate;
use super::batch::{Batch, Turn};
use super::claim::{Claim, Planner};
use crate::mapping::{
    Action, MapRule, Pattern, Patterns, Problem, ProblemKind, RecordedLayer, Rename, Rule,
    TOGETHER, TargetTemplate,
};
use crate::names::nearest;

impl Planner<'_> {
    /// Gives every variable the name rules see.
    pub(super) fn names(&mut self) {
        let mapping = self.mapping;
        let mut problems = Vec::new();
        let mut renamed = vec![false; mapping.renames.len()];
        // Names go through all renames, a few of which at a time are looked for.
        for (renames, used) in mapping.renames.chunks(TOGETHER).zip(renamed.chunks_mut(TOGETHER)) {
            let finds: Vec<&Pattern> = renames.iter().map(|rename| &rename.find).collect();
            let mut finds = Patterns::new(&finds);
            for source in self.sources.all.iter_mut().filter(|source| source.is_free()) {
                let mut done = 0;
                while let Some(&at) = finds.find(&source.current).iter().find(|at| **at >= done) {
                    done = at + 1;
                    let Some((rename, used)) = renames.get(at).zip(used.get_mut(at)) else { break };
                    match replace(rename, &source.current) {
                        Ok(None) => {}
                        Ok(Some(name)) => {
                            *used = true;
                            source.current = name;
                        }
                        Err(reason) => {
                            *used = true;
                            let message = format!("`{}` cannot be renamed: {reason}", source.name);
                            problems
                                .push((rename.id, Problem::new(ProblemKind::Template, message)));
                        }
                    }
                }
            }
        }
        for source in self.sources.all.iter_mut().filter(|source| source.is_free()) {
            if let Some(leaf) = mapping.leaves.get(source.leaf()) {
                let stem = source.current.len() - source.leaf().len();
                source.current.truncate(stem);
                source.current.push_str(leaf);
            }
        }
        let unused = mapping.renames.iter().zip(renamed).filter(|(_, used)| !used);
        for (rename, _) in unused.filter(|(rename, _)| !rename.optional) {
            let message = format!("`{}` is found in no variable's name", rename.find.text());
            let problem = Problem::new(ProblemKind::Unused, message);
            problems.push((
                rename.id,
                problem.help("correct it, leave it out, or say `optional: true`"),
            ));
        }
        for (rule, problem) in problems {
            self.report(rule, problem);
        }
        for (first, second) in self.sources.settle() {
            // Which of the two a rule means cannot be known, so neither is asked about again.
            if let Some(hidden) = self.sources.all.get_mut(first) {
                hidden.fate = Some(Fate::Unmatched);
            }
            let (Some(first), Some(second)) =
                (self.sources.all.get(first), self.sources.all.get(second))
            else {
                continue;
            };
            let message = format!(
                "`{}` and `{}` are both called `{}` after `rename` and `leaves`",
                first.name, second.name, second.current
            );
            let help = "keep in `replace` what tells them apart";
            self.problems.push(Problem::new(ProblemKind::Name, message).help(help));
        }
    }

    /// Recorded layers take what lies below the scopes TF1 gave them.
    pub(super) fn recordings(&mut self) {
        let mapping = self.mapping;
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for recording in &mapping.recordings {
            for layer in &recording.layers {
                if !taken.insert(&layer.scope) && layer.to.is_some() {
                    let message = format!("`{}` is recorded twice", layer.scope);
                    let help = "layers that share their variables are recorded once";
                    self.report(layer.id, Problem::new(ProblemKind::Scope, message).help(help));
                    continue;
                }
                self.layer(layer, recording.by_name);
            }
        }
        self.left_over(&taken);
    }

    fn layer(&mut self, layer: &RecordedLayer, by_name: bool) {
        let named = layer.to.as_ref().map(|to| match to {
            TargetTemplate::Path { template, .. } if by_name => {
                TargetTemplate::Name { template: template.clone(), all: false }
            }
            other => other.clone(),
        });
        let Some(to) = &named else { return };
        let below = self.sources.below(&layer.scope).to_vec();
        if below.is_empty() {
            let message = format!("the checkpoint has no variables below `{}`", layer.scope);
            let names = self.sources.names().filter_map(|name| Some(name.rsplit_once('/')?.0));
            let help = match self.guesses.nearest(&layer.scope, names) {
                Some(near) => format!("the nearest scope that has some is `{near}`"),
                None => "a layer without variables needs no entry".to_owned(),
            };
            self.report(layer.id, Problem::new(ProblemKind::Scope, message).help(help));
            return;
        }
        self.found.insert(layer.id);
        let mut leaves = BTreeSet::new();
        for &i in &below {
            let Some(source) = self.sources.all.get(i).filter(|source| source.fate.is_none())
            else {
                continue;
            };
            let leaf = source.leaf().to_owned();
            let mut labels = source.labels_below(&layer.scope);
            // A template knows its leaves; without one the dialect does.
            let dialect = self.mapping.dialect.filter(|_| self.template.is_none());
            if let Some(dialect) = dialect
                && let Some(last) = labels.pop()
            {
                let layers = labels.iter().map(String::as_str).chain([layer.base.as_str()]);
                let last = dialect.leaf(layers, &last);
                labels.push(last);
            }
            let apply = layer.apply.get(&leaf).map(Vec::as_slice).unwrap_or_default();
            leaves.insert(leaf);
            let to = std::slice::from_ref(to);
            let (optional, skip_mismatch, rule) = (false, false, layer.id);
            let claim = Claim { to, apply, optional, skip_mismatch, rule };
            self.claim(&[i], claim, None, &labels);
        }
        for leaf in layer.apply.keys().filter(|leaf| !leaves.contains(*leaf)) {
            let message = format!("`{}` has no leaf `{leaf}` to transform", layer.scope);
            let near = nearest(leaf, leaves.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let problem = Problem { help, ..Problem::new(ProblemKind::Scope, message) };
            self.report(layer.id, problem);
        }
    }

    /// `conv2d_3` exists, but only three were recorded: the recording is short, or in disorder.
    fn left_over(&mut self, taken: &BTreeSet<&str>) {
        let mapping = self.mapping;
        for recording in &mapping.recordings {
            let mut bases: BTreeSet<(&str, &str)> = BTreeSet::new();
            for layer in &recording.layers {
                if !bases.insert((&layer.parent, &layer.base)) {
                    continue;
                }
                let found = self.instances(&layer.parent, &layer.base);
                let missed: Vec<&String> =
                    found.iter().filter(|scope| !taken.contains(scope.as_str())).collect();
                let Some(first) = missed.first() else { continue };
                self.excused.extend(missed.iter().map(|scope| format!("{scope}/")));
                let recorded = found.len() - missed.len();
                let message = format!(
                    "{recorded} `{}` are recorded in `{}`, the checkpoint has {}: `{first}` is left over",
                    layer.base,
                    if layer.parent.is_empty() { "/" } else { &layer.parent },
                    found.len(),
                );
                let help = "record it in its place, as a bare entry to leave it to the rules, \
                            or `rename` it if no layer made it";
                self.report(layer.id, Problem::new(ProblemKind::Scope, message).help(help));
            }
        }
    }

    /// The scopes `base`, `base_1`, … below `parent` that hold variables.
    fn instances(&self, parent: &str, base: &str) -> BTreeSet<String> {
        let numbered = |name: &str| {
            name.strip_prefix(base).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix('_').is_some_and(|number| {
                        // TF1 numbers from 1 and writes no zero in front.
                        !number.starts_with('0') && number.parse::<u64>().is_ok()
                    })
            })
        };
        let start = if parent.is_empty() { 0 } else { parent.len() + 1 };
        let below = self.sources.below(parent);
        below
            .iter()
            .filter_map(|&i| {
                let name = &self.sources.all.get(i)?.current;
                let (first, _) = name.get(start..)?.split_once('/')?;
                numbered(first).then(|| name.get(..start + first.len()).map(str::to_owned))?
            })
            .collect()
    }

    /// Rules, top to bottom.
    pub(super) fn rules(&mut self) {
        let mut rest = self.mapping.rules.as_slice();
        while let Some((rules, after)) = rest.split_at_checked(Batch::size(rest)) {
            let mut batch = Batch::new(rules, &self.sources);
            for (at, rule) in rules.iter().enumerate() {
                let turn = batch.turn(at);
                match &rule.action {
                    Action::Map(map) if map.joins() => self.join(rule, map, turn),
                    Action::Map(map) => self.map(rule, map, turn),
                    Action::Cell(cell) => self.cells(rule, cell, turn),
                    Action::Zip(zip) => self.zip(rule.id, zip, &turn),
                    Action::Drop(patterns) => self.leave(rule, patterns, &turn),
                }
            }
            rest = after;
        }
    }

    fn map(&mut self, rule: &Rule, map: &MapRule, mut turn: Turn<'_, '_>) {
        let Some(pattern) = map.from.first() else { return };
        let mut matched = false;
        for i in turn.wanted(&self.sources) {
            let Some(source) = self.sources.all.get(i) else { continue };
            let Some(name) = source.matched(pattern).map(str::to_owned) else { continue };
            matched = true;
            self.found.insert(rule.id);
            self.claim(&[i], Claim::of(rule, map), pattern.captures(&name).as_ref(), &[]);
        }
        if !matched && !map.optional {
            self.unused(rule, pattern, turn.first(0, &self.sources));
        }
    }

    fn leave(&mut self, rule: &Rule, patterns: &[Pattern], turn: &Turn<'_, '_>) {
        for i in turn.wanted(&self.sources) {
            let Some(source) = self.sources.all.get_mut(i) else { continue };
            if patterns.iter().any(|pattern| source.matched(pattern).is_some()) {
                source.fate = Some(Fate::Dropped(rule.id));
            }
        }
    }

    /// A rule that matches nothing nearly always has a mistake in its pattern, or stands too low.
    /// `first` is a variable that it does match.
    pub(super) fn unused(&mut self, rule: &Rule, pattern: &Pattern, first: Option<usize>) {
        let claimed = first.and_then(|i| self.sources.all.get(i));
        if claimed.is_some() {
            self.found.insert(rule.id);
        }
        let message = format!("`{}` matches no variable", pattern.text());
        let mut problem = Problem::new(ProblemKind::Unused, message);
        match claimed.map(|source| (source.name, source.fate)) {
            Some((name, Some(Fate::Mapped(other) | Fate::Dropped(other)))) => {
                problem.message =
                    format!("`{}` matches only what is claimed above", pattern.text());
                let place = self.place_of(other);
                problem = problem
                    .related(place, format!("this takes `{name}`"))
                    .help("the first rule that matches a variable takes it: move this rule up");
            }
            Some((name, Some(Fate::OptimizerDropped))) => {
                let help =
                    format!("`{name}` is optimizer state, which `optimizer` takes before any rule");
                problem = problem.help(help);
            }
            _ => {
                let literal = literal(pattern.text());
                let near = self.guesses.nearest(&literal, self.sources.names());
                problem.help = near.map(|near| format!("the nearest name that exists is `{near}`"));
            }
        }
        self.report(rule.id, problem);
    }
}

/// One pass over the name: what was put in place is not searched again.
fn replace(rename: &Rename, name: &str) -> Result<Option<String>, String> {
    let mut replaced = String::new();
    let mut end = None;
    for captures in rename.find.captures_iter(name) {
        let (start, stop) = span(&captures);
        replaced.push_str(name.get(end.unwrap_or(0)..start).unwrap_or_default());
        replaced.push_str(&rename.replace.expand(Some(&captures))?);
        end = Some(stop);
    }
    Ok(end.map(|end| replaced + name.get(end..).unwrap_or_default()))
}

fn span(captures: &Captures<'_>) -> (usize, usize) {
    captures.get(0).map_or((0, 0), |all| (all.start(), all.end()))
}

/// A pattern's text with the signs taken out: what a name it was meant for looks like.
fn literal(pattern: &str) -> String {
    pattern
        .replace(r"\d+", "0")
        .replace(r"\d", "0")
        .chars()
        .filter(|c| !matches!(c, '\\' | '(' | ')' | '[' | ']' | '?' | '+' | '*' | '^' | '$' | '|'))
        .collect()
}
