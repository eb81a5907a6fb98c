//! `ema`: what becomes of averages that TF1 kept beside the variables.

use super::compiler::{Compiler, pattern};
use super::pattern::Pattern;
use crate::yaml::{Node, Yaml};

/// What TF1 calls the average of `v`: `v/ExponentialMovingAverage`.
const SUFFIX: &str = "ExponentialMovingAverage";

/// What becomes of averages.
#[derive(Debug, Clone)]
pub struct Averages {
    /// Which value is taken; `None` where the rule file does not say.
    pub choice: Option<Ema>,
    /// What follows the variable's name and a slash.
    pub suffix: Pattern,
    /// That, if the rule file says it.
    pub written: Option<String>,
}

/// Which of the two values of a variable is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ema {
    /// The average where there is one.
    Prefer,
    /// The average; a trainable variable without one is a problem.
    Only,
    /// The raw one.
    Ignore,
}

const CHOICES: &[(&str, Ema)] =
    &[("prefer", Ema::Prefer), ("only", Ema::Only), ("ignore", Ema::Ignore)];

impl Ema {
    /// The word for it.
    pub fn word(self) -> &'static str {
        CHOICES.iter().find(|(_, choice)| *choice == self).map_or("", |(word, _)| word)
    }
}

impl Averages {
    /// The variable that something called so is the average of.
    pub fn variable<'n>(&self, name: &'n str) -> Option<&'n str> {
        let mut slashes = name.match_indices('/').map(|(at, _)| at);
        let at =
            slashes.find(|at| name.get(at + 1..).is_some_and(|rest| self.suffix.is_match(rest)))?;
        name.get(..at)
    }

    /// What holds where the rule file has no such key.
    pub fn unsaid() -> Option<Self> {
        Some(Self { choice: None, suffix: Pattern::whole(SUFFIX).ok()?, written: None })
    }
}

/// Reads the value of `ema`: a word, or a map with `use` and `suffix`.
pub(super) fn read(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Averages> {
    let Yaml::Map(_) = node.yaml else {
        return Some(Averages { choice: Some(node.choice(CHOICES)?), ..Averages::unsaid()? });
    };
    let fields = node.fields(&["use", "suffix"])?;
    let used = fields.require("use")?.choice(CHOICES)?;
    let Some(suffix) = fields.get("suffix") else {
        return Some(Averages { choice: Some(used), ..Averages::unsaid()? });
    };
    let suffix = pattern(suffix, compiler, Pattern::whole)?;
    let written = Some(suffix.text().to_owned());
    Some(Averages { choice: Some(used), suffix, written })
}
