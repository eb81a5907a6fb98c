//! Rule files: from YAML to rules that can be applied, with every mistake in its place.
//!
//! The reader collects problems instead of stopping at the first; only broken YAML ends it at once.
//! A rule that cannot be read is left out, and the rest can still be planned, so that a user sees
//! everything that is wrong in one run. Nothing here has seen a checkpoint.

mod apply;
mod dialect;
mod expression;
mod file;
mod fill;
mod node;
mod optimizer;
mod pattern;
mod problem;
mod recording;
mod rules;
mod scopes;
mod template;
mod yaml;
mod zip;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::transform::Transform;

pub use dialect::Dialect;
pub use fill::{Fill, FillValue};
pub use optimizer::{Iterations, OptimizerBlock, OptimizerPolicy};
pub use pattern::Pattern;
pub use problem::{Place, Problem, ProblemKind, Problems, SourceText};
pub use recording::{RecordedLayer, Recording};
pub use template::Template;
pub use zip::{Onto, Order, ZipRule};

use node::Site;

/// A part of a rule file that can be pointed at: a rule, a recorded layer, a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(usize);

/// A rule file, read.
#[derive(Debug, Clone)]
pub struct Mapping {
    source: Arc<SourceText>,
    sites: Vec<Site>,
    /// Mistakes in the file; what they are about is left out below.
    pub problems: Vec<Problem>,
    /// Labels every relative target begins with.
    pub root: Vec<String>,
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
    /// What becomes of variables no rule claims.
    pub unmatched: Unmatched,
    /// What becomes of optimizer state.
    pub optimizer: Option<OptimizerPolicy>,
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
    /// Pairs variables with leaves of the template by their order.
    Zip(ZipRule),
    /// Accounts for variables that are not converted.
    Drop(Vec<Pattern>),
}

/// `{from: pattern, to: targets, apply: transforms}`.
#[derive(Debug, Clone)]
pub struct MapRule {
    /// Which variables.
    pub from: Pattern,
    /// Where they go: each target gets the value.
    pub to: Vec<TargetTemplate>,
    /// What is done to the value on the way.
    pub apply: Vec<Transform>,
    /// Whether matching nothing is fine.
    pub optional: bool,
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
    /// Reads a rule file; `set` gives parameters other values than the file does.
    pub fn parse(name: &str, text: &str, set: &BTreeMap<String, String>) -> Result<Self, Problems> {
        // Some editors put a mark before the text that is no part of it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        file::parse(SourceText::new(name, text), set)
    }

    /// Where a rule stands.
    pub fn place(&self, id: RuleId) -> Option<Place> {
        self.sites.get(id.0)?.place(&self.source, None)
    }

    /// The rule file as it was read.
    pub fn source(&self) -> &SourceText {
        &self.source
    }
}
