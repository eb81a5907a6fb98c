//! `{zip: {from: …, onto: …, order: …}}`: two sequences, paired from the first to the last.

use super::compiler::{Compiler, pattern};
use super::pattern::Pattern;
use super::{Step, apply};
use crate::yaml::{Fields, Node, Problem, ProblemKind, Yaml};

/// A rule that pairs variables with leaves of the template.
#[derive(Debug, Clone)]
pub struct ZipRule {
    /// Which variables.
    pub from: Pattern,
    /// Which leaves.
    pub onto: Onto,
    /// How the variables are sorted, and how the leaves are.
    pub order: (Order, Order),
    /// What is done to each value on the way.
    pub apply: Vec<Step>,
    /// Whether matching nothing is fine.
    pub optional: bool,
    /// Whether the template keeps its value where the shapes do not fit.
    pub skip_mismatch: bool,
}

/// Leaves below `root`.
#[derive(Debug, Clone)]
pub enum Onto {
    /// By path.
    Path(Pattern),
    /// By `full_name`.
    Name(Pattern),
}

impl Onto {
    /// The pattern, whatever it is matched with.
    pub fn pattern(&self) -> &Pattern {
        match self {
            Self::Path(pattern) | Self::Name(pattern) => pattern,
        }
    }
}

/// How a sequence is sorted, component by component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Digits as numbers: `conv2d_2` before `conv2d_10`.
    Natural,
    /// Byte by byte.
    Text,
    /// As the TF1 program created the variables; needs the graph beside the checkpoint.
    Creation,
}

const ORDERS: &[(&str, Order)] =
    &[("natural", Order::Natural), ("text", Order::Text), ("creation", Order::Creation)];

/// Reads what stands under `zip`, and `apply` and `optional` beside it.
pub(super) fn read(
    node: &Node<'_>,
    beside: &Fields<'_>,
    compiler: &Compiler<'_>,
) -> Option<ZipRule> {
    if let Some(to) = beside.get("to") {
        let problem = Problem::new(ProblemKind::Key, "`to` has no meaning beside `zip`");
        to.report_key(problem.help("the leaves stand under `onto`"), "to");
    }
    let fields = node.fields(&["from", "onto", "order"])?;
    let (from, onto) = (fields.require("from"), fields.require("onto"));
    let from = pattern(from?, compiler, Pattern::whole);
    let onto = onto_leaves(onto?, compiler);
    let order = match fields.get("order") {
        Some(node) => orders(node),
        None => Some((Order::Natural, Order::Natural)),
    };
    let apply = match beside.get("apply") {
        Some(node) => apply::read_single(node, compiler),
        None => Some(Vec::new()),
    };
    let optional = beside.truth("optional");
    let skip_mismatch = beside.truth("skip_mismatch");
    Some(ZipRule {
        from: from?,
        onto: onto?,
        order: order?,
        apply: apply?,
        optional: optional?,
        skip_mismatch: skip_mismatch?,
    })
}

/// Reads leaves by path, or by name: `{name: pattern}`.
pub(super) fn onto_leaves(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Onto> {
    let Yaml::Map(_) = node.yaml else {
        return pattern(node, compiler, Pattern::whole).map(Onto::Path);
    };
    let fields = node.fields(&["name"])?;
    pattern(fields.require("name")?, compiler, Pattern::whole).map(Onto::Name)
}

fn orders(node: &Node<'_>) -> Option<(Order, Order)> {
    let Yaml::Map(_) = node.yaml else {
        let order = node.choice(ORDERS)?;
        // Only TF1 leaves a record of creation; on the other side, digits are what counts.
        let onto = if order == Order::Creation { Order::Natural } else { order };
        return Some((order, onto));
    };
    let fields = node.fields(&["from", "onto"])?;
    let one = |key| match fields.get(key) {
        Some(node) => node.choice(ORDERS),
        None => Some(Order::Natural),
    };
    let (from, onto) = (one("from")?, one("onto")?);
    if onto == Order::Creation {
        let message = "no template records the order in which its leaves were created";
        fields.node.report(Problem::new(ProblemKind::Value, message), None);
        return None;
    }
    Some((from, onto))
}
