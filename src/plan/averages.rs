//! Averages that TF1 kept beside its variables: which of the two values a conversion takes.

use std::collections::BTreeSet;

use super::Fate;
use super::claim::Planner;
use crate::catalog::VariableName;
use crate::mapping::{Averages, Ema, Problem, ProblemKind};
use crate::names::counted;

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
                "the checkpoint holds averages of {}: `{}`{}",
                counted(found.len(), "variable"),
                found.first().map(|(shadow, _)| shadow.as_str()).unwrap_or_default(),
                if found.len() > 1 { ", …" } else { "" }
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
        let names: BTreeSet<String> = found.iter().map(|(shadow, _)| shadow.to_string()).collect();
        let (twice, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(_, variable)| names.contains(variable));
        // An average of an average is no variable's.
        let beside = beside.into_iter().chain(twice.into_iter().map(|(shadow, _)| shadow));
        for name in &beside.collect::<Vec<_>>() {
            if let Some(source) = self.sources.named(name) {
                source.fate = Some(Fate::AverageDropped);
            }
        }
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
        }
        self.averages = Some(AverageCounts { taken, averages: found.len(), without: Vec::new() });
    }

    /// Raw values are wanted, and there are none: that may explain what is missing.
    pub(super) fn only_averages(&mut self) {
        let Some(averages) =
            self.mapping.averages.as_ref().filter(|averages| averages.choice == Some(Ema::Ignore))
        else {
            return;
        };
        let found = self.shadows(averages);
        let raw = |variable: &str| self.catalog.variables.contains_key(variable);
        let alone: Vec<&str> =
            found.iter().map(|(_, variable)| variable.as_str()).filter(|name| !raw(name)).collect();
        let Some(first) = alone.first() else { return };
        let message = format!(
            "`ema: ignore`: of {} there is nothing but the average: `{first}`{}",
            counted(alone.len(), "variable"),
            if alone.len() > 1 { ", …" } else { "" }
        );
        let problem = Problem::new(ProblemKind::Fit, message).help("`ema: prefer` takes it");
        let missing = |problem: &Problem| problem.kind == ProblemKind::Missing;
        if self.problems.iter().any(missing) {
            self.problems.push(problem);
        } else {
            self.warnings.push(problem);
        }
    }

    /// `ema: only`: a variable that is trained and converted must have had an average.
    pub(super) fn check_averages(&mut self) {
        if self.averages.is_none() {
            return;
        }
        let mapped = self
            .sources
            .all
            .iter()
            .filter(|source| matches!(source.fate, Some(Fate::Mapped(_) | Fate::Skipped(_))));
        let raw = mapped.map(|source| source.name).filter(|name| !self.shadows.contains(*name));
        let without: Vec<VariableName> = raw.cloned().collect();
        let only = |averages: &Averages| averages.choice == Some(Ema::Only);
        if self.mapping.averages.as_ref().is_some_and(only) {
            let updates = &self.catalog.facts.updates;
            let trained = |name: &&VariableName| {
                if updates.is_empty() {
                    let leaf = name.as_str().rsplit('/').next().unwrap_or_default();
                    !NOT_TRAINED.contains(&leaf)
                } else {
                    updates.iter().any(|update| update.variable == name.as_str())
                }
            };
            for name in without.iter().filter(trained) {
                let message = format!("`ema: only`: `{name}` has no average");
                let help = "`ema: prefer` takes its own value";
                self.problems.push(Problem::new(ProblemKind::Unmatched, message).help(help));
            }
        }
        if let Some(counts) = &mut self.averages {
            counts.without = without;
        }
    }

    /// Every average, with the name of the variable it is the average of.
    fn shadows(&self, averages: &Averages) -> Vec<(VariableName, String)> {
        let variables = &self.catalog.variables;
        let owned = |shadow: &VariableName, variable: &str| {
            let raw = variables.get(variable)?;
            (raw.spec == variables.get(shadow)?.spec).then(|| variable.to_owned())
        };
        let found: Vec<(VariableName, &str)> = variables
            .keys()
            .filter_map(|name| Some((name.clone(), averages.variable(name.as_str())?)))
            .collect();
        let scope = self.scope_of(&found);
        let owner = |(shadow, variable): &(VariableName, &str)| {
            owned(shadow, variable.strip_prefix(scope.as_str()).unwrap_or(variable))
        };
        let owners: Vec<Option<String>> = found.iter().map(owner).collect();
        // Beside averages of variables, a number that has none is the average of a loss.
        let beside = owners.iter().any(Option::is_some);
        let pairs = found.into_iter().zip(owners);
        pairs
            .filter_map(|((shadow, variable), owner)| {
                // What has another shape than its variable is something else.
                let scalar =
                    |name| variables.get(name).is_some_and(|one| one.spec.shape().rank() == 0);
                let loss = beside && scalar(&shadow);
                let alone = || !loss && !variables.contains_key(variable);
                let owner = owner.or_else(|| alone().then(|| variable.to_owned()));
                Some((shadow.clone(), owner?))
            })
            .collect()
    }

    /// The scope that was open when averages were made, with a slash: it stands in front of the
    /// names of all of them, and no variable is called so itself.
    fn scope_of(&self, found: &[(VariableName, &str)]) -> String {
        let variables = &self.catalog.variables;
        let known = |name: &str| variables.contains_key(name);
        let Some((_, first)) = found.first() else { return String::new() };
        if found.iter().any(|(_, variable)| known(variable)) {
            return String::new();
        }
        let scopes = first.match_indices('/').filter_map(|(at, _)| first.get(..=at));
        let fits = |scope: &&str| {
            let inside = found.iter().all(|(_, variable)| variable.starts_with(*scope));
            inside
                && found.iter().any(|(_, variable)| variable.get(scope.len()..).is_some_and(known))
        };
        let mut scopes = scopes.filter(fits);
        scopes.next().unwrap_or_default().to_owned()
    }
}
