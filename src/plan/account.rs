//! Total accounting: what became of every source variable.

use std::collections::BTreeMap;

use super::Fate;
use super::claim::Planner;
use crate::catalog::VariableName;
use crate::mapping::{Problem, ProblemKind, RuleId, Unmatched};

/// The step counter every TF1 training loop saves; alone it means nothing to a model.
const GLOBAL_STEP: &str = "global_step";

impl Planner<'_> {
    /// The fate of every source; those that nobody decided about are problems.
    pub(super) fn account(&mut self) -> BTreeMap<VariableName, Fate> {
        let mut fates = Vec::with_capacity(self.sources.all.len());
        let mut unmatched = Vec::new();
        let unmatched_policy = self.mapping.unmatched.unwrap_or_default();
        for source in &self.sources.all {
            let fate = match (source.fate, unmatched_policy) {
                (Some(fate), _) => fate,
                (None, _) if source.name.as_str() == GLOBAL_STEP => Fate::NotNeeded,
                (None, Unmatched::Drop) => Fate::UnmatchedDropped,
                (None, _) if self.excused.iter().any(|scope| source.current.starts_with(scope)) => {
                    Fate::Unmatched
                }
                (None, Unmatched::Warn | Unmatched::Error) => {
                    let message =
                        format!("`{}` {} is claimed by no rule", source.name, source.variable.spec);
                    unmatched.push(Problem::new(ProblemKind::Unmatched, message));
                    Fate::Unmatched
                }
            };
            fates.push((source.name.clone(), fate));
        }
        self.half_there();
        let help = "give it a rule, `drop` it, or write `unmatched: drop` for all that is left";
        let unmatched = unmatched.into_iter().map(|problem| problem.help(help));
        match unmatched_policy {
            Unmatched::Warn => self.warnings.extend(unmatched),
            // A rule that could not be read would have claimed some of these: its own mistake is
            // the one to show.
            _ if !self.mapping.problems.is_empty() => {}
            _ => self.problems.extend(unmatched),
        }
        fates.into_iter().collect()
    }

    /// An optional rule that finds a target for some variables and none for others may be for
    /// another version or size of the model.
    fn half_there(&mut self) {
        let mut rules: BTreeMap<RuleId, (usize, Vec<&VariableName>)> = BTreeMap::new();
        for source in &self.sources.all {
            match source.fate {
                Some(Fate::Mapped(rule)) => rules.entry(rule).or_default().0 += 1,
                Some(Fate::NoTarget(rule)) => rules.entry(rule).or_default().1.push(source.name),
                _ => {}
            }
        }
        let half =
            rules.into_iter().filter(|(_, (placed, without))| *placed > 0 && !without.is_empty());
        let half: Vec<(RuleId, String)> = half
            .map(|(rule, (placed, without))| {
                let first = without.first().map(ToString::to_string).unwrap_or_default();
                let message = format!(
                    "the template has a place for {placed} of this rule's variables and none for {}: `{first}`{}",
                    without.len(),
                    if without.len() > 1 { ", …" } else { "" },
                );
                (rule, message)
            })
            .collect();
        for (rule, message) in half {
            let help = "is the template of another size or version?";
            self.warn(rule, Problem::new(ProblemKind::Missing, message).help(help));
        }
    }
}
