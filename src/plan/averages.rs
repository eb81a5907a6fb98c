//! Averages that TF1 kept beside its variables: which of the two values a conversion takes.

use std::collections::BTreeSet;

use super::Fate;
use super::claim::Planner;
use crate::catalog::VariableName;
use crate::mapping::{Averages, Ema, Problem, ProblemKind};

/// What became of averages; always reported, because raw values and averages look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AverageCounts {
    /// Whether averages were taken where there are some, or left behind.
    pub taken: bool,
    /// How many averages there are.
    pub averages: usize,
    /// Variables that have none, so that their own value is taken.
    pub without: Vec<VariableName>,
}

/// What `ExponentialMovingAverage(zero_debias=True)` keeps beside an average.
const BESIDE: &[&str] = &["biased", "local_step"];

/// Leaves of variables that no optimizer trains, and that may have no average.
const NOT_TRAINED: &[&str] = &[
    "global_step",
    "moving_mean",
    "moving_stddev",
    "moving_variance",
    "renorm_mean",
    "renorm_stddev",
    "renorm_mean_weight",
    "renorm_stddev_weight",
];

impl Planner<'_> {
    /// Lets each variable stand for the value that is wanted of it, before any rule sees it.
    pub(super) fn take_averages(&mut self) {
        let unsaid = Averages::unsaid();
        let Some(averages) = self.mapping.averages.as_ref().or(unsaid.as_ref()) else { return };
        // Objects have no such names.
        if self.catalog.graph.is_some() {
            return;
        }
        let found = self.shadows(averages);
        if found.is_empty() {
            if let Some(suffix) =
                averages.written.as_ref().filter(|_| averages.choice != Some(Ema::Only))
            {
                let message = format!("no variable's name ends in `/{suffix}`");
                let help = "`list` shows what averages are called";
                self.problems.push(Problem::new(ProblemKind::Unused, message).help(help));
            }
            if let Some(choice) = averages.choice.filter(|choice| *choice == Ema::Only) {
                let message = format!("`ema: {}`: the checkpoint has no averages", choice.word());
                let help = "their names end in something else? say it: `{use: only, suffix: …}`";
                self.problems.push(Problem::new(ProblemKind::Unmatched, message).help(help));
            }
            return;
        }
        if averages.choice.is_none() {
            let message = format!(
                "the checkpoint holds averages of {} variables: `{}`, …",
                found.len(),
                found.first().map(|(shadow, _)| shadow.as_str()).unwrap_or_default()
            );
            let help = "write `ema: prefer` for averages where there are some, `ema: only` if every \
                        trainable variable must have one, or `ema: ignore` for raw values";
            self.problems.push(Problem::new(ProblemKind::Unmatched, message).help(help));
        }
        let taken = matches!(averages.choice, Some(Ema::Prefer | Ema::Only));
        let beside: BTreeSet<VariableName> = found
            .iter()
            .flat_map(|(shadow, _)| {
                BESIDE.iter().filter_map(move |leaf| VariableName::new(format!("{shadow}/{leaf}")))
            })
            .collect();
        for name in &beside {
            if let Some(source) = self.sources.named(name) {
                source.fate = Some(Fate::AverageDropped);
            }
        }
        let mut stood_for = BTreeSet::new();
        for (shadow, variable) in &found {
            let raw = VariableName::new(variable.as_str());
            let raw = raw.filter(|raw| self.catalog.variables.contains_key(raw));
            if let Some(source) = self.sources.named(shadow) {
                if taken {
                    source.current.clone_from(variable);
                    self.shadows.insert(shadow.clone());
                } else {
                    source.fate = Some(Fate::AverageDropped);
                }
            }
            if let Some(raw) = raw.filter(|_| taken) {
                if let Some(source) = self.sources.named(&raw) {
                    source.fate = Some(Fate::Averaged);
                }
                self.raw.insert(shadow.clone(), raw);
            }
            stood_for.insert(variable.as_str());
        }
        let shadows: BTreeSet<&VariableName> = found.iter().map(|(shadow, _)| shadow).collect();
        let names = self.catalog.variables.keys();
        let without: Vec<VariableName> = names
            .filter(|name| !shadows.contains(name) && !beside.contains(*name))
            .filter(|name| !stood_for.contains(name.as_str()))
            .cloned()
            .collect();
        self.averages = Some(AverageCounts { taken, averages: found.len(), without });
    }

    /// `ema: only`: a variable that is trained and converted must have had an average.
    pub(super) fn check_averages(&mut self) {
        let only = |averages: &Averages| averages.choice == Some(Ema::Only);
        if !self.mapping.averages.as_ref().is_some_and(only) {
            return;
        }
        let without = self.averages.iter().flat_map(|counts| counts.without.iter().cloned());
        let without: BTreeSet<VariableName> = without.collect();
        let updates = &self.catalog.facts.updates;
        let trained = |name: &VariableName| {
            if updates.is_empty() {
                let leaf = name.as_str().rsplit('/').next().unwrap_or_default();
                !NOT_TRAINED.contains(&leaf)
            } else {
                updates.iter().any(|update| update.variable == name.as_str())
            }
        };
        let raw: Vec<&VariableName> = self
            .sources
            .all
            .iter()
            .filter(|source| matches!(source.fate, Some(Fate::Mapped(_))))
            .map(|source| source.name)
            .filter(|name| without.contains(*name) && trained(name))
            .collect();
        let problems: Vec<Problem> = raw
            .into_iter()
            .map(|name| {
                let message = format!("`ema: only`: `{name}` has no average");
                let help = "`ema: prefer` takes its own value";
                Problem::new(ProblemKind::Unmatched, message).help(help)
            })
            .collect();
        self.problems.extend(problems);
    }

    /// Every average, with the name of the variable it is the average of.
    fn shadows(&self, averages: &Averages) -> Vec<(VariableName, String)> {
        let variables = &self.catalog.variables;
        let shadow = |name: &VariableName| {
            let name = name.as_str();
            let variable = name
                .match_indices('/')
                .map(|(at, _)| at)
                .filter(|&at| name.get(at + 1..).is_some_and(|rest| averages.suffix.is_match(rest)))
                .find_map(|at| name.get(..at))?;
            // What has another shape is something else.
            let fits = variables.get(variable).is_none_or(|raw| {
                variables.get(name).is_some_and(|shadow| shadow.spec == raw.spec)
            });
            fits.then(|| variable.to_owned())
        };
        let found = variables.keys().filter_map(|name| Some((name.clone(), shadow(name)?)));
        found.collect()
    }
}
