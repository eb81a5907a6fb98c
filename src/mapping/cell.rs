//! `{cell: lstm_cell, from: scope, to: object}`: recurrent cells, whose gates TF1 keeps in another
//! order than Keras.

use super::compiler::{Compiler, collisions, pattern};
use super::pattern::Pattern;
use super::target::targets;
use super::{TargetTemplate, numbers};
use crate::yaml::{Fields, Node, Problem, ProblemKind};

/// A rule for cells.
#[derive(Debug, Clone)]
pub struct CellRule {
    /// Which sort.
    pub kind: CellKind,
    /// The scopes that hold their variables.
    pub from: Pattern,
    /// The objects that hold `kernel`, `recurrent_kernel` and `bias`.
    pub to: Vec<TargetTemplate>,
    /// What TF1 adds to the forget gate when it runs.
    pub forget_bias: f64,
    /// Whether matching nothing is fine.
    pub optional: bool,
}

/// Cells of `tf.nn.rnn_cell` and of `tf.contrib.cudnn_rnn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// `BasicRNNCell`.
    Rnn,
    /// `BasicLSTMCell`, `LSTMCell`.
    Lstm,
    /// `GRUCell`.
    Gru,
    /// `CudnnLSTM`, as it is saved.
    CudnnLstm,
    /// `CudnnGRU`, as it is saved.
    CudnnGru,
}

const KINDS: &[(&str, CellKind)] = &[
    ("basic_rnn_cell", CellKind::Rnn),
    ("basic_lstm_cell", CellKind::Lstm),
    ("lstm_cell", CellKind::Lstm),
    ("gru_cell", CellKind::Gru),
    ("cudnn_lstm", CellKind::CudnnLstm),
    ("cudnn_gru", CellKind::CudnnGru),
];

/// What versions of TF1 called the leaves of cells, and the scopes they lie in.
pub(crate) const KERNEL: &[&str] = &["kernel", "weights", "Linear/Matrix"];
pub(crate) const BIAS: &[&str] = &["bias", "biases", "Linear/Bias"];
pub(crate) const GATES: &[&str] = &["gates/", "Gates/"];
pub(crate) const CANDIDATE: &[&str] = &["candidate/", "Candidate/"];

impl CellKind {
    /// The word for it; of several, the widest.
    pub(crate) fn word(self) -> &'static str {
        let mut words = KINDS.iter().rev();
        words.find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// Reads a rule whose kind of cell stands at `cell`.
pub(super) fn read(
    cell: &Node<'_>,
    fields: &Fields<'_>,
    compiler: &Compiler<'_>,
) -> Option<CellRule> {
    for key in ["apply", "skip_mismatch"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` has no meaning beside `cell`");
            let problem = Problem::new(ProblemKind::Key, message);
            node.report_key(problem.help("leave it out"), key);
        }
    }
    let (kind, from, to) = (cell.choice(KINDS), fields.require("from"), fields.require("to"));
    let from_node = from?;
    let from = pattern(from_node, compiler, Pattern::whole)?;
    collisions(from_node, &from, compiler);
    let to = targets(to?, &compiler.names(Some(&from)))?;
    let kind = kind?;
    let forget_bias = match fields.get("forget_bias") {
        None if kind == CellKind::Lstm => 1.0,
        None => 0.0,
        Some(node) if matches!(kind, CellKind::Lstm | CellKind::CudnnLstm) => {
            numbers::number(node, compiler)?
        }
        Some(node) => {
            let message = "only LSTM cells have a forget gate";
            let problem = Problem::new(ProblemKind::Key, message);
            node.report_key(problem.help("leave it out"), "forget_bias");
            return None;
        }
    };
    let optional = fields.truth("optional")?;
    Some(CellRule { kind, from, to, forget_bias, optional })
}
