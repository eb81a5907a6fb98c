//! Rule files: from YAML to rules that can be applied, with every mistake in its place.
//!
//! The reader collects problems instead of stopping at the first; only broken YAML ends it at once.
//! A rule that cannot be read is left out, and the rest can still be planned, so that a user sees
//! everything that is wrong in one run. Nothing here has seen a checkpoint.

mod apply;
mod builtin;
pub(crate) mod cell;
mod compiler;
mod dialect;
mod dtype;
mod ema;
mod expression;
mod file;
mod fill;
mod include;
mod numbers;
mod optimizer;
mod pattern;
mod patterns;
mod recording;
mod refuse;
mod rows;
mod rules;
mod scalar;
mod scopes;
mod target;
mod template;
mod zip;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use apply::Step;
pub use builtin::{BUILTINS, Builtin, PREFIX as BUILTIN_PREFIX, find as find_builtin};
pub use cell::{CellKind, CellRule};
pub use dialect::Dialect;
pub use ema::{Averages, Ema};
pub use fill::{Fill, FillValue};
pub use include::{Files, NoFiles};
pub use optimizer::{Iterations, OptimizerBlock, OptimizerPolicy};
pub use pattern::Pattern;
pub(crate) use patterns::{Patterns, TOGETHER};
pub(crate) use recording::Counter;
pub use recording::{RecordedLayer, Recording};
pub use refuse::Refusal;
pub(crate) use scalar::{dollars, scalar};
pub use template::Template;
pub use zip::{Onto, Order, ZipRule};

pub use crate::yaml::{Place, Problem, ProblemKind, Problems, RuleId, SourceText};

use crate::yaml::Site;

/// The JSON schema of rule files, with which editors complete and check them.
pub const SCHEMA: &str = include_str!("../../mappings/rules.schema.json");

/// A rule file, read.
#[derive(Debug, Clone)]
pub struct Mapping {
    source: Arc<SourceText>,
    sites: Vec<(Arc<SourceText>, Site)>,
    /// Mistakes in the file; what they are about is left out below.
    pub problems: Vec<Problem>,
    /// Parameters and their values; of several files that have one, the first.
    pub params: BTreeMap<String, String>,
    /// How to tell that the rules are not for a checkpoint.
    pub refusals: Vec<Refusal>,
    /// Labels every relative target begins with.
    pub root: Vec<String>,
    /// Whether some file has said where that is.
    rooted: bool,
    /// How leaves are called where no template says so.
    pub dialect: Option<Dialect>,
    /// Changes to source names, in order.
    pub renames: Vec<Rename>,
    /// Changes to the last components of source names.
    pub leaves: BTreeMap<String, String>,
    /// Auto-scope recordings.
    pub recordings: Vec<Recording>,
    /// Rules, top to bottom.
    pub rules: Vec<Rule>,
    /// Values for leaves that no source has.
    pub fills: Vec<Fill>,
    /// What becomes of variables no rule claims, if it is said.
    pub unmatched: Option<Unmatched>,
    /// What becomes of optimizer state.
    pub optimizer: Option<OptimizerPolicy>,
    /// What becomes of averages.
    pub averages: Option<Averages>,
}

/// A search and replacement in every source name.
#[derive(Debug, Clone)]
pub struct Rename {
    /// Where it stands.
    pub id: RuleId,
    /// What to look for, anywhere in a name.
    pub find: Pattern,
    /// What to put there.
    pub replace: Template,
    /// Whether finding nothing is fine.
    pub optional: bool,
}

/// One entry of `rules`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it stands.
    pub id: RuleId,
    /// What it does.
    pub action: Action,
}

/// What a rule does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// Gives the variables a pattern matches a place in the target.
    Map(MapRule),
    /// Gives recurrent cells a place.
    Cell(CellRule),
    /// Pairs variables with leaves of the template by their order.
    Zip(ZipRule),
    /// Accounts for variables that are not converted.
    Drop(Vec<Pattern>),
}

/// `{from: patterns, to: targets, apply: steps}`.
#[derive(Debug, Clone)]
pub struct MapRule {
    /// Which variables. Several patterns have the same named groups, which say what is joined.
    pub from: Vec<Pattern>,
    /// Where they go: each target gets the value, or one of as many as there are targets.
    pub to: Vec<TargetTemplate>,
    /// What is done to the values on the way.
    pub apply: Vec<Step>,
    /// Whether matching nothing is fine.
    pub optional: bool,
    /// Whether the template keeps its value where the shapes do not fit.
    pub skip_mismatch: bool,
}

impl MapRule {
    /// Whether several variables go through the pipeline together.
    pub fn joins(&self) -> bool {
        self.from.len() > 1 || self.apply.iter().any(Step::joins)
    }
}

/// A target with places to fill in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TargetTemplate {
    /// `a/$1/kernel`: labels between slashes; absolute if it begins with one.
    Path {
        /// The text behind the first slash of an absolute path.
        template: Template,
        /// Not below `root`.
        absolute: bool,
    },
    /// `{labels: [a, 'b/c']}`: each label as it is, slashes and dots included.
    Labels(Vec<Template>),
    /// `{name: x}`: the leaf of the template that has this `full_name`.
    Name {
        /// The name.
        template: Template,
        /// Every leaf of that name, rather than the only one.
        all: bool,
    },
    /// `{path: [a, b]}`, `{name: [a, b]}`: the first that the template has.
    First(Vec<TargetTemplate>),
}

/// `unmatched:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unmatched {
    /// A problem.
    #[default]
    Error,
    /// A warning.
    Warn,
    /// Accounted for.
    Drop,
}

impl Mapping {
    /// Reads a rule file and those it includes; `set` gives parameters other values than the files
    /// do.
    pub fn parse(
        name: &str,
        text: &str,
        set: &BTreeMap<String, String>,
        files: &dyn Files,
    ) -> Result<Self, Problems> {
        // Some editors put a mark before the text that is no part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        file::parse(SourceText::new(name, text), set, files)
    }

    /// Where a rule stands.
    pub fn place(&self, id: RuleId) -> Option<Place> {
        let (source, site) = self.sites.get(id.0)?;
        site.place(source, None)
    }

    /// The rule file as it was read.
    pub fn source(&self) -> &SourceText {
        &self.source
    }
}
