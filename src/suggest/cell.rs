//! Recurrent cells of TF1, taken apart as Keras has them.

use std::collections::{BTreeMap, BTreeSet};

use super::old::{Old, Origin};
use super::side::Named;
use crate::catalog::VariableName;
use crate::mapping::CellKind;
use crate::mapping::cell::{BIAS, CANDIDATE, GATES, KERNEL};
use crate::names::unnumbered;
use crate::tensor::{DType, Shape, TensorSpec};

/// A cell's parts, and the variables they are made of.
pub(super) struct Cell<'c> {
    pub(super) parts: Vec<Old>,
    pub(super) taken: Vec<&'c VariableName>,
}

/// Variables by their names below a scope.
type Below<'c> = BTreeMap<&'c str, (&'c VariableName, &'c TensorSpec)>;

/// Every recurrent cell that has a counterpart of its shape.
pub(super) fn cells<'c>(
    free: &BTreeMap<&'c VariableName, &'c TensorSpec>,
    wanted: &BTreeSet<Vec<u64>>,
) -> Vec<Cell<'c>> {
    let mut scopes: BTreeMap<&str, Below<'c>> = BTreeMap::new();
    for (name, spec) in free {
        for (at, _) in name.as_str().match_indices('/') {
            let (Some(scope), Some(leaf)) = (name.as_str().get(..at), name.as_str().get(at + 1..))
            else {
                continue;
            };
            scopes.entry(scope).or_default().insert(leaf, (name, spec));
        }
    }
    scopes.iter().filter_map(|(scope, below)| cell(scope, below, wanted)).collect()
}

fn cell<'c>(scope: &str, below: &Below<'c>, wanted: &BTreeSet<Vec<u64>>) -> Option<Cell<'c>> {
    let base = unnumbered(scope.rsplit('/').next()?);
    let one = |names: &[&str], folder: &str| {
        names.iter().find_map(|name| below.get(format!("{folder}{name}").as_str()).copied())
    };
    let two =
        |folders: &[&str], names: &[&str]| folders.iter().find_map(|folder| one(names, folder));
    let kernel = one(KERNEL, "");
    let bias = one(BIAS, "");
    let size = |found: (&VariableName, &TensorSpec)| found.1.shape().dims().to_vec();
    let (kind, units, inputs, all): (_, u64, u64, Vec<_>) = match (kernel, bias, below.len()) {
        (Some(kernel), Some(bias), 2) => {
            let [rows, columns] = size(kernel).try_into().ok()?;
            let [bias_size] = size(bias).try_into().ok()?;
            let kind = match base {
                "cudnn_compatible_lstm_cell" => CellKind::CudnnLstm,
                _ if base.to_lowercase().contains("lstm") => CellKind::Lstm,
                _ if base.to_lowercase().contains("rnn") => CellKind::Rnn,
                _ if columns % 4 == 0 => CellKind::Lstm,
                _ => CellKind::Rnn,
            };
            let gates = if kind == CellKind::Rnn { 1 } else { 4 };
            if bias_size != columns || columns % gates != 0 {
                return None;
            }
            let units = columns / gates;
            (kind, units, rows.checked_sub(units)?, vec![kernel, bias])
        }
        _ => {
            let (gates, gates_bias) = (two(GATES, KERNEL)?, two(GATES, BIAS)?);
            let [_, columns] = size(gates).try_into().ok()?;
            let [rows, _] = size(gates).try_into().ok()?;
            let units = columns / 2;
            if let (Some(kernel), Some(bias), 4) =
                (two(CANDIDATE, KERNEL), two(CANDIDATE, BIAS), below.len())
            {
                let all = vec![gates, gates_bias, kernel, bias];
                (CellKind::Gru, units, rows.checked_sub(units)?, all)
            } else if below.len() == 6 && base == "cudnn_compatible_gru_cell" {
                let all = below.values().copied().collect();
                (CellKind::CudnnGru, units, rows.checked_sub(units)?, all)
            } else {
                return None;
            }
        }
    };
    let columns = units.checked_mul(match kind {
        CellKind::Rnn => 1,
        CellKind::Lstm | CellKind::CudnnLstm => 4,
        CellKind::Gru | CellKind::CudnnGru => 3,
    })?;
    // What is called a cell is one, anything else only if nothing has its shape as it is; and the
    // new model must have such a one.
    let base = base.to_lowercase();
    let called = ["cell", "lstm", "gru", "rnn"].iter().any(|word| base.contains(word));
    let whole = wanted.contains(&vec![inputs.checked_add(units)?, columns]);
    let shaped = wanted.contains(&vec![units, columns]) && wanted.contains(&vec![inputs, columns]);
    if !shaped || (whole && !called) || units == 0 || inputs == 0 {
        return None;
    }
    let dtype = all.first().map(|(_, spec)| spec.dtype())?;
    let bias = if kind == CellKind::CudnnGru { vec![2, columns] } else { vec![columns] };
    let leaves = [
        ("kernel", vec![inputs, columns]),
        ("recurrent_kernel", vec![units, columns]),
        ("bias", bias),
    ];
    let variables: Vec<VariableName> = all.iter().map(|(name, _)| (*name).clone()).collect();
    let parts: Option<Vec<Old>> = leaves
        .into_iter()
        .map(|(leaf, dims)| {
            let origin =
                Origin::Cell { kind, scope: scope.to_owned(), variables: variables.clone(), leaf };
            let views = vec![format!("{scope}/{leaf}")];
            Some(Old { named: Named { views, spec: spec(dtype, dims)? }, origin })
        })
        .collect();
    Some(Cell { parts: parts?, taken: all.iter().map(|(name, _)| *name).collect() })
}

fn spec(dtype: DType, dims: Vec<u64>) -> Option<TensorSpec> {
    TensorSpec::new(dtype, Shape::new(dims).ok()?).ok()
}
