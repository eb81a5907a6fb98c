//! Recurrent cells: TF1 keeps the gates of a cell in one kernel over inputs and state, Keras in two
//! and in another order.
//!
//! | cell | TF1 | Keras |
//! |---|---|---|
//! | LSTM | `i, j, f, o`; adds `forget_bias` to `f` when it runs | `i, f, c, o` with `c = j` |
//! | GRU | `gates` with `r, u`, and `candidate` | `z, r, h` with `z = u` |
//!
//! Source: `BasicLSTMCell` and `GRUCell` of TF 1, `LSTM` and `GRU` of Keras, run side by side.

use std::collections::BTreeMap;

use super::Fate;
use super::batch::Turn;
use super::claim::Planner;
use super::pipeline::Flow;
use super::spot::{NoSpot, Spot};
use crate::mapping::cell::{BIAS, CANDIDATE, GATES, KERNEL};
use crate::mapping::{CellKind, CellRule, Problem, ProblemKind, Rule};
use crate::tensor::{Constant, Number, Shape, TensorSpec};
use crate::transform::{Gates, Pieces, Split, Transform};

/// The variables of a cell by what they are, whatever version of TF1 named them.
type Leaves = BTreeMap<&'static str, usize>;

/// What Keras's cells have.
const PARTS: [&str; 3] = ["kernel", "recurrent_kernel", "bias"];

/// What a cell may have that Keras's cells do not.
const REFUSED: &[(&str, &str)] = &[
    ("w_f_diag", "it has peepholes, which no Keras cell has"),
    ("w_i_diag", "it has peepholes, which no Keras cell has"),
    ("w_o_diag", "it has peepholes, which no Keras cell has"),
    ("projection/", "its output is projected, which no Keras cell does"),
    ("opaque_kernel", "it was saved as cuDNN keeps it, and only cuDNN can read that"),
];

/// A part of a Keras cell with the values it is made of.
type Made = Vec<(&'static str, Flow)>;

impl Planner<'_> {
    /// Gives every cell that the rule means its object.
    pub(super) fn cells(&mut self, rule: &Rule, cell: &CellRule, mut turn: Turn<'_, '_>) {
        let mut scopes = turn.wanted_scopes(&self.sources);
        scopes.retain(|scope| cell.from.is_match(scope));
        if scopes.is_empty() && !cell.optional {
            return self.unused(rule, &cell.from, turn.first(0, &self.sources));
        }
        for scope in scopes {
            self.cell(rule, cell, &scope);
        }
    }

    fn cell(&mut self, rule: &Rule, cell: &CellRule, scope: &str) {
        let below: Vec<usize> = self
            .sources
            .below(scope)
            .iter()
            .copied()
            .filter(|&i| self.sources.all.get(i).is_some_and(|source| source.fate.is_none()))
            .collect();
        self.found.insert(rule.id);
        self.decide(&below, Fate::Mapped(rule.id));
        let Some(captures) = cell.from.captures(scope) else { return };
        let leaves = self.leaves(cell.kind, scope, &below);
        let made = match leaves.and_then(|leaves| self.made(cell, &leaves)) {
            Ok(made) => made,
            Err(reason) => {
                let message = format!("the cell `{scope}`: {reason}");
                self.report(rule.id, Problem::new(ProblemKind::Shape, message));
                // That its parts get no value is no news.
                for (target, part) in cell.to.iter().flat_map(|to| PARTS.map(|part| (to, part))) {
                    let spots = self.spots(target, Some(&captures), &[part.to_owned()]);
                    self.excuse(spots.iter().flatten());
                }
                return;
            }
        };
        let mut absent = 0;
        for target in &cell.to {
            let found: Vec<Result<_, NoSpot>> = made
                .iter()
                .map(|(leaf, flow)| {
                    let below = [(*leaf).to_owned()];
                    Ok((self.spots(target, Some(&captures), &below)?, flow))
                })
                .collect();
            let all_absent = found.iter().all(|part| matches!(part, Err(NoSpot::Absent(_))));
            let parts: Result<Vec<_>, NoSpot> = found.into_iter().collect();
            match parts {
                Ok(parts) => self.place_cell(rule, cell, scope, &parts),
                // A target that has some of the parts is another kind of cell.
                Err(NoSpot::Absent(_)) if cell.optional && all_absent => absent += 1,
                Err(none) => {
                    let message = format!("no target for the cell `{scope}`: {}", self.why(&none));
                    self.report(rule.id, Problem::new(ProblemKind::Template, message));
                }
            }
        }
        if absent == cell.to.len() {
            self.decide(&below, Fate::NoTarget(rule.id));
        }
    }

    fn place_cell(
        &mut self,
        rule: &Rule,
        cell: &CellRule,
        scope: &str,
        parts: &[(Vec<Spot>, &Flow)],
    ) {
        for (spots, flow) in parts {
            for spot in spots {
                if let Some(wants) = spot.wants.as_ref().filter(|wants| **wants != flow.spec) {
                    let reason = misfit(cell.kind, wants, flow);
                    let message =
                        format!("the cell `{scope}` does not fit {}: {reason}", spot.called());
                    self.excuse(parts.iter().flat_map(|(spots, _)| spots));
                    return self.report(rule.id, Problem::new(ProblemKind::Shape, message));
                }
            }
        }
        for (spots, flow) in parts {
            for spot in spots {
                let Flow { value, spec } = (*flow).clone();
                self.assign(spot.clone(), spec, value, Some(rule.id));
            }
        }
    }

    /// The variables below `scope`, each by what it is.
    fn leaves(&self, kind: CellKind, scope: &str, below: &[usize]) -> Result<Leaves, String> {
        let wanted: Vec<(&'static str, Vec<String>)> = match kind {
            CellKind::Rnn | CellKind::Lstm | CellKind::CudnnLstm => {
                vec![("kernel", spelled(&[""], KERNEL)), ("bias", spelled(&[""], BIAS))]
            }
            CellKind::Gru => vec![
                ("gates/kernel", spelled(GATES, KERNEL)),
                ("gates/bias", spelled(GATES, BIAS)),
                ("candidate/kernel", spelled(CANDIDATE, KERNEL)),
                ("candidate/bias", spelled(CANDIDATE, BIAS)),
            ],
            CellKind::CudnnGru => vec![
                ("gates/kernel", spelled(GATES, KERNEL)),
                ("gates/bias", spelled(GATES, BIAS)),
                ("input/kernel", spelled(&["candidate/input_projection/"], KERNEL)),
                ("input/bias", spelled(&["candidate/input_projection/"], BIAS)),
                ("hidden/kernel", spelled(&["candidate/hidden_projection/"], KERNEL)),
                ("hidden/bias", spelled(&["candidate/hidden_projection/"], BIAS)),
            ],
        };
        let mut leaves = Leaves::new();
        for &i in below {
            let Some(source) = self.sources.all.get(i) else { continue };
            let rest = source.current.get(scope.len() + 1..).unwrap_or_default();
            if let Some((_, reason)) = REFUSED.iter().find(|(name, _)| rest.starts_with(name)) {
                return Err((*reason).to_owned());
            }
            let role = wanted.iter().find(|(_, names)| names.iter().any(|name| name == rest));
            let Some((role, _)) = role else {
                return Err(format!("it has no place for `{rest}`"));
            };
            if leaves.insert(role, i).is_some() {
                return Err(format!("it has its `{role}` twice"));
            }
        }
        match wanted.iter().find(|(role, _)| !leaves.contains_key(role)) {
            Some((role, _)) => Err(format!("it has no `{role}`")),
            None => Ok(leaves),
        }
    }

    /// What Keras's cell is made of.
    fn made(&self, cell: &CellRule, leaves: &Leaves) -> Result<Made, String> {
        let flow = |role: &str| -> Result<Flow, String> {
            let source = leaves.get(role).and_then(|&i| self.sources.all.get(i));
            let name = source.map(|source| source.name.as_str()).unwrap_or_default();
            let found = Flow::variable(self.catalog, name);
            found.ok_or_else(|| format!("it has no `{role}`"))
        };
        match cell.kind {
            CellKind::Rnn => {
                let (kernel, bias) = (flow("kernel")?, flow("bias")?);
                let units = units(&bias, 1)?;
                let (input, state) = cut(kernel, units, 1)?;
                Ok(vec![("kernel", input), ("recurrent_kernel", state), ("bias", bias)])
            }
            CellKind::Lstm | CellKind::CudnnLstm => {
                let (kernel, bias) = (flow("kernel")?, flow("bias")?);
                let units = units(&bias, 4)?;
                let (input, state) = cut(kernel, units, 4)?;
                let order = vec![0, 2, 1, 3];
                let add = vec![0.0, cell.forget_bias, 0.0, 0.0];
                let gates = |flow: Flow, add| -> Result<Flow, String> {
                    flow.apply(Transform::Gates(Gates::new(-1, order.clone(), add)?))
                };
                Ok(vec![
                    ("kernel", gates(input, Vec::new())?),
                    ("recurrent_kernel", gates(state, Vec::new())?),
                    ("bias", gates(bias, add)?),
                ])
            }
            CellKind::Gru => {
                let bias = flow("gates/bias")?;
                let units = units(&bias, 2)?;
                same_units(&flow("candidate/bias")?, units)?;
                let (gates_in, gates_state) = cut(flow("gates/kernel")?, units, 2)?;
                let (new_in, new_state) = cut(flow("candidate/kernel")?, units, 1)?;
                Ok(vec![
                    ("kernel", gated(gates_in, new_in)?),
                    ("recurrent_kernel", gated(gates_state, new_state)?),
                    ("bias", gated(bias, flow("candidate/bias")?)?),
                ])
            }
            CellKind::CudnnGru => {
                let bias = flow("gates/bias")?;
                let units = units(&bias, 2)?;
                same_units(&flow("input/bias")?, units)?;
                same_units(&flow("hidden/bias")?, units)?;
                let (input, hidden) = (flow("input/kernel")?, flow("hidden/kernel")?);
                if input.spec.shape().dims().get(1) != Some(&units) {
                    return Err(format!("a kernel over its inputs is {}", input.spec));
                }
                if hidden.spec.shape().dims() != [units, units] {
                    return Err(format!("a kernel over its state is {}", hidden.spec));
                }
                let (gates_in, gates_state) = cut(flow("gates/kernel")?, units, 2)?;
                // cuDNN has two biases for each gate, and what is saved is their sum.
                let none = Shape::new([2 * units])
                    .and_then(|shape| TensorSpec::new(bias.spec.dtype(), shape))
                    .map_err(|error| error.to_string())?;
                let none = Constant::new(none, Number::Integer(0));
                let none = none.ok_or_else(|| "its bias is no number".to_owned())?;
                let rows = vec![
                    gated(bias, flow("input/bias")?)?,
                    Flow::concat(-1, vec![Flow::constant(none), flow("hidden/bias")?])?,
                ];
                Ok(vec![
                    ("kernel", gated(gates_in, input)?),
                    ("recurrent_kernel", gated(gates_state, hidden)?),
                    ("bias", Flow::stack(0, rows)?),
                ])
            }
        }
    }
}

/// Every spelling of a leaf.
fn spelled(folders: &[&str], names: &[&str]) -> Vec<String> {
    let spell = |folder: &&str| {
        let folder = (*folder).to_owned();
        names.iter().map(move |name| format!("{folder}{name}"))
    };
    folders.iter().flat_map(spell).collect()
}

/// The number of units, from a bias of so many gates.
fn units(bias: &Flow, gates: u64) -> Result<u64, String> {
    match bias.spec.shape().dims() {
        [size] if *size > 0 && size % gates == 0 => Ok(size / gates),
        _ => Err(format!("its bias is {}, which is no multiple of {gates} units", bias.spec)),
    }
}

/// A second bias must be of as many units as the first.
fn same_units(bias: &Flow, wanted: u64) -> Result<(), String> {
    match units(bias, 1)? {
        found if found == wanted => Ok(()),
        found => Err(format!("one of its biases has {wanted} units, another {found}")),
    }
}

/// A kernel over inputs and state, as two.
fn cut(kernel: Flow, units: u64, gates: u64) -> Result<(Flow, Flow), String> {
    let rows = match kernel.spec.shape().dims() {
        [rows, columns] if *columns == units * gates => *rows,
        _ => return Err(format!("its kernel is {}, its bias has {units} units", kernel.spec)),
    };
    let inputs = rows.checked_sub(units).ok_or_else(|| {
        format!("its kernel is {}, which is less than {units} units need", kernel.spec)
    })?;
    let piece = |flow: Flow, index| {
        let split = Split::new(0, Pieces::Sizes([inputs, units].into()), index)?;
        flow.apply(Transform::Split(split))
    };
    Ok((piece(kernel.clone(), 0)?, piece(kernel, 1)?))
}

/// A GRU's `r, u` as Keras has them, `z` (which is `u`) and `r`, and the candidate behind them.
fn gated(gates: Flow, candidate: Flow) -> Result<Flow, String> {
    let swap = Transform::Gates(Gates::new(-1, vec![1, 0], Vec::new())?);
    Flow::concat(-1, vec![gates.apply(swap)?, candidate])
}

/// Why a part of a cell is not what the template has.
fn misfit(kind: CellKind, wants: &TensorSpec, flow: &Flow) -> String {
    match (kind, flow.spec.shape().rank(), wants.shape().rank()) {
        (CellKind::Gru, 1, 2) => "its target was built with `reset_after=True`, which computes \
                                  another function than TF1's cell: build it with \
                                  `reset_after=False`"
            .to_owned(),
        (CellKind::CudnnGru, 2, 1) => "its target was built with `reset_after=False`, which \
                                       computes another function than cuDNN's cell: build it \
                                       with `reset_after=True`"
            .to_owned(),
        _ => {
            let gates = match kind {
                CellKind::Rnn => 1,
                CellKind::Gru | CellKind::CudnnGru => 3,
                CellKind::Lstm | CellKind::CudnnLstm => 4,
            };
            let columns = |spec: &TensorSpec| spec.shape().dims().last().copied();
            match (columns(&flow.spec), columns(wants)) {
                (Some(have), Some(want)) if have != want && want % gates == 0 => {
                    format!("it has {} units, the template's {}", have / gates, want / gates)
                }
                _ => format!("it is {} there, and the template has {wants}", flow.spec),
            }
        }
    }
}
