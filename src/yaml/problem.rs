//! What is wrong, where it stands, and what to do: one type for files and plans.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::search::Search;
use super::tree::{Anchor, Step};

/// A part of a rule file that can be pointed at: a rule, a recorded layer, a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) usize);

/// A file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceText {
    /// How messages call it.
    pub name: String,
    /// Its content.
    pub text: String,
    search: Search,
}

impl SourceText {
    /// A file, by what messages call it.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), search: Search::default() }
    }

    /// The byte at which the value or key at the end of `path` begins.
    pub(crate) fn locate(&self, path: &[Step], anchor: Anchor) -> Option<usize> {
        self.search.find(&self.text, path, anchor)
    }
}

/// A stretch of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<SourceText>,
    /// Bytes of its text.
    pub span: Range<usize>,
}

impl Place {
    /// Line, counted from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.before().rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }

    fn before(&self) -> &str {
        self.source.text.get(..self.span.start).unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line(), self.column())
    }
}

/// What sort of problem; the word `--json` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The rules are for something else; before everything else.
    Fit,
    /// The file is no YAML.
    Yaml,
    /// A key that does not exist, is missing, or stands twice.
    Key,
    /// A value of the wrong kind.
    Value,
    /// A pattern that is no regular expression.
    Pattern,
    /// A target or replacement that cannot be read or filled in.
    Template,
    /// An auto-scope recording that does not fit the checkpoint.
    Scope,
    /// A rule that never matched.
    Unused,
    /// Two variables that get one name.
    Name,
    /// Two values for one target.
    Collision,
    /// A value that its transforms or its target do not fit.
    Shape,
    /// Optimizer state nobody decided about.
    Optimizer,
    /// A variable that no rule claims.
    Unmatched,
    /// A target that gets no value.
    Missing,
    /// A source that cannot be converted at all.
    Source,
}

impl ProblemKind {
    /// The word `--json` shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Yaml => "yaml",
            Self::Key => "key",
            Self::Value => "value",
            Self::Pattern => "pattern",
            Self::Template => "template",
            Self::Scope => "scope",
            Self::Unused => "unused",
            Self::Name => "name",
            Self::Collision => "collision",
            Self::Shape => "shape",
            Self::Optimizer => "optimizer",
            Self::Unmatched => "unmatched",
            Self::Missing => "missing",
            Self::Source => "source",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What sort.
    pub kind: ProblemKind,
    /// The rule it is about.
    pub rule: Option<RuleId>,
    /// Where to look.
    pub place: Option<Place>,
    /// What is wrong, in one line.
    pub message: String,
    /// A word at the place, under the caret.
    pub label: Option<String>,
    /// Another place that has to do with it.
    pub related: Option<(Place, String)>,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            rule: None,
            place: None,
            message: message.into(),
            label: None,
            related: None,
            help: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, rule: Option<RuleId>, place: Option<Place>) -> Self {
        self.rule = rule;
        self.place = place;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Puts a word under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// What tells which of two is said first.
    fn order(&self) -> (bool, bool, Option<(&str, usize)>) {
        let details = self.kind != ProblemKind::Fit;
        let place = self.place.as_ref().map(|at| (at.source.name.as_str(), at.span.start));
        (details, place.is_none(), place)
    }

    /// Points at another place as well.
    #[must_use]
    pub fn related(mut self, place: Option<Place>, word: impl Into<String>) -> Self {
        self.related = place.map(|place| (place, word.into()));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// All problems of a rule file or a plan; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts by place; `None` where there is nothing wrong.
    pub fn new(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then(|| Self::sorted(problems))
    }

    /// One problem, and what else is wrong.
    pub fn with(problem: Problem, mut others: Vec<Problem>) -> Self {
        others.push(problem);
        Self::sorted(others)
    }

    fn sorted(mut problems: Vec<Problem>) -> Self {
        // That the rules are for something else explains the rest; then problems with a place, in
        // the order of the file.
        problems.sort_by(|a, b| a.order().cmp(&b.order()));
        problems.dedup();
        Self(problems)
    }

    /// A single problem.
    pub fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// The problems, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
