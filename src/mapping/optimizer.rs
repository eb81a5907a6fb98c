//! `optimizer:`: what becomes of slots, powers and the step.

use std::collections::BTreeMap;

use super::compiler::{Compiler, pattern};
use super::pattern::Pattern;
use super::{RuleId, numbers};
use crate::object::unescape;
use crate::optimizer::Kind;
use crate::yaml::{Node, Problem, ProblemKind, Yaml};

/// What a rule file says about optimizer state.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum OptimizerPolicy {
    /// State is accounted for and not converted.
    Drop,
    /// The source's state is dropped, the template's is kept.
    Keep,
    /// Slots are ordinary variables.
    Plain,
    /// State goes to these optimizers of the template.
    Convert(Vec<OptimizerBlock>),
}

/// One optimizer.
#[derive(Debug, Clone)]
pub struct OptimizerBlock {
    /// Where it stands.
    pub id: RuleId,
    /// Labels of the absolute path to the target's optimizer.
    pub to: Vec<String>,
    /// Hyper-parameters that the rule file gives.
    pub hyperparameters: BTreeMap<String, f64>,
    /// Takes the other hyper-parameters from the source rather than from the template.
    pub from_source: bool,
    /// The number of steps taken.
    pub iterations: Option<Iterations>,
    /// The name the TF1 optimizer was given.
    pub name: Option<String>,
    /// The scope its slots lie under.
    pub scope: Option<String>,
    /// Which optimizer it is, where names leave a choice.
    pub kind: Option<Kind>,
    /// The variables it trains; all of them if absent.
    pub variables: Option<Pattern>,
    /// The last components of its slots.
    pub slots: Vec<String>,
    /// Its powers of beta.
    pub powers: Vec<String>,
}

/// Where the number of steps comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Iterations {
    /// It is this.
    Number(u32),
    /// A variable of the source holds it; one called as a power of beta is worked out.
    Source(String),
}

/// Hyper-parameters that some TF2 optimizer keeps in its checkpoint, or that values depend on.
const HYPERPARAMETERS: &[&str] = &[
    "beta",
    "beta_1",
    "beta_2",
    "decay",
    "l1_regularization_strength",
    "l2_regularization_strength",
    "learning_rate",
    "learning_rate_power",
    "momentum",
    "rho",
];

/// What else a block may have.
const KEYS: &[&str] = &[
    "to",
    "hyperparameters",
    "iterations",
    "name",
    "scope",
    "kind",
    "variables",
    "slots",
    "powers",
];

/// Reads the value of `optimizer`: a word, a block, or a list of blocks.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<OptimizerPolicy> {
    if let Yaml::Text(_) = node.yaml {
        let words = [("drop", 0), ("keep", 1), ("plain", 2)];
        return Some(match node.choice(&words)? {
            0 => OptimizerPolicy::Drop,
            1 => OptimizerPolicy::Keep,
            _ => OptimizerPolicy::Plain,
        });
    }
    let blocks: Option<Vec<_>> =
        node.one_or_many().iter().map(|block| self::block(block, compiler)).collect();
    blocks.map(OptimizerPolicy::Convert)
}

fn block(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<OptimizerBlock> {
    let fields = node.fields(&[KEYS, HYPERPARAMETERS].concat())?;
    let to = compiler.text(fields.require("to")?)?;
    let text = |key: &str| match fields.get(key) {
        Some(node) => compiler.text(node).map(Some),
        None => Some(None),
    };
    let texts = |key: &str| -> Option<Vec<String>> {
        let items = fields.get(key).map(Node::one_or_many).unwrap_or_default();
        items.iter().map(|item| compiler.text(item)).collect()
    };
    let mut hyperparameters = BTreeMap::new();
    for key in HYPERPARAMETERS {
        if let Some(node) = fields.get(key) {
            hyperparameters.insert((*key).to_owned(), numbers::number(node, compiler)?);
        }
    }
    let from_source = match fields.get("hyperparameters") {
        Some(node) => node.choice(&[("source", true), ("template", false)])?,
        None => false,
    };
    let iterations = match fields.get("iterations") {
        Some(node) => Some(iterations(node, compiler)?),
        None => None,
    };
    let kind = match fields.get("kind") {
        Some(node) => Some(node.choice(&Kind::words())?),
        None => None,
    };
    let variables = match fields.get("variables") {
        Some(node) => Some(pattern(node, compiler, Pattern::whole)?),
        None => None,
    };
    let (name, scope) = (text("name")?, text("scope")?);
    let (slots, powers) = (texts("slots")?, texts("powers")?);
    let labels = to.trim_matches('/').split('/').map(unescape).collect();
    let id = compiler.id(node);
    Some(OptimizerBlock {
        id,
        to: labels,
        hyperparameters,
        from_source,
        iterations,
        name,
        scope,
        kind,
        variables,
        slots,
        powers,
    })
}

fn iterations(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Iterations> {
    let text = match node.yaml {
        Yaml::Integer(number) => number.to_string(),
        _ => compiler.text(node)?,
    };
    match text.parse::<i64>() {
        Ok(number) => match u32::try_from(number) {
            Ok(number) => Some(Iterations::Number(number)),
            Err(_) => {
                let message = format!("{number} is no number of steps");
                let help = "give a number from 0 on, or the name of a variable that holds it";
                node.report(Problem::new(ProblemKind::Value, message).help(help), None);
                None
            }
        },
        Err(_) => Some(Iterations::Source(text)),
    }
}
