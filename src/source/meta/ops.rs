//! The ops that update a variable by its gradient, and what their inputs are, by position.
//!
//! Names of nodes tell nothing: an optimizer may be called anything, and with a schedule no node
//! is called `learning_rate`. Positions are part of an op's definition and never change.

/// An op, for variables of both kinds and gradients of both kinds.
///
/// Its inputs: the variable, slots, powers, and the rest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// Without `Resource` and `Sparse`.
    pub(super) op: &'static str,
    /// How many slots.
    pub(super) slots: usize,
    /// How many powers of beta.
    pub(super) powers: usize,
    /// Names of the inputs behind them.
    pub(super) rest: &'static [&'static str],
}

/// Inputs that are no settings. Where the gradient is sparse, its indices follow it.
pub(super) const GRADIENTS: [&str; 2] = ["grad", "delta"];

/// The step, another input that is no setting.
pub(super) const STEP: &str = "global_step";

const fn row(
    op: &'static str,
    slots: usize,
    powers: usize,
    rest: &'static [&'static str],
) -> Signature {
    Signature { op, slots, powers, rest }
}

/// As TensorFlow 2.15 registers them; those of 1.15 are among them.
const SIGNATURES: &[Signature] = &[
    row("ApplyAdaMax", 2, 1, &["lr", "beta1", "beta2", "epsilon", "grad"]),
    row("ApplyAdadelta", 2, 0, &["lr", "rho", "epsilon", "grad"]),
    row("ApplyAdagrad", 1, 0, &["lr", "grad"]),
    row("ApplyAdagradDA", 2, 0, &["grad", "lr", "l1", "l2", STEP]),
    row("ApplyAdagradV2", 1, 0, &["lr", "epsilon", "grad"]),
    row("ApplyAdam", 2, 2, &["lr", "beta1", "beta2", "epsilon", "grad"]),
    row("ApplyAdamWithAmsgrad", 3, 2, &["lr", "beta1", "beta2", "epsilon", "grad"]),
    row("ApplyAddSign", 1, 0, &["lr", "alpha", "sign_decay", "beta", "grad"]),
    row("ApplyCenteredRMSProp", 3, 0, &["lr", "rho", "momentum", "epsilon", "grad"]),
    row("ApplyFtrl", 2, 0, &["grad", "lr", "l1", "l2", "lr_power"]),
    row("ApplyFtrlV2", 2, 0, &["grad", "lr", "l1", "l2", "l2_shrinkage", "lr_power"]),
    row("ApplyGradientDescent", 0, 0, &["alpha", "delta"]),
    row("ApplyKerasMomentum", 1, 0, &["lr", "grad", "momentum"]),
    row("ApplyMomentum", 1, 0, &["lr", "grad", "momentum"]),
    row("ApplyPowerSign", 1, 0, &["lr", "logbase", "sign_decay", "beta", "grad"]),
    row("ApplyProximalAdagrad", 1, 0, &["lr", "l1", "l2", "grad"]),
    row("ApplyProximalGradientDescent", 0, 0, &["alpha", "l1", "l2", "delta"]),
    row("ApplyRMSProp", 2, 0, &["lr", "rho", "momentum", "epsilon", "grad"]),
];

/// Whether gradients come with indices, and what else the inputs of this op are.
pub(super) fn signature(op: &str) -> Option<(bool, &'static Signature)> {
    let op = op.strip_prefix("Resource").unwrap_or(op);
    let dense = op.strip_prefix("Sparse");
    let op = dense.unwrap_or(op);
    SIGNATURES.iter().find(|row| row.op == op).map(|row| (dense.is_some(), row))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `op_def_registry` of TensorFlow 2.15 says of every op with `Apply` in its name and a
    /// variable in its first place.
    const REGISTRY: &str = "\
ApplyAdaMax var m v beta1_power lr beta1 beta2 epsilon grad
ApplyAdadelta var accum accum_update lr rho epsilon grad
ApplyAdagrad var accum lr grad
ApplyAdagradDA var gradient_accumulator gradient_squared_accumulator grad lr l1 l2 global_step
ApplyAdagradV2 var accum lr epsilon grad
ApplyAdam var m v beta1_power beta2_power lr beta1 beta2 epsilon grad
ApplyAddSign var m lr alpha sign_decay beta grad
ApplyCenteredRMSProp var mg ms mom lr rho momentum epsilon grad
ApplyFtrl var accum linear grad lr l1 l2 lr_power
ApplyFtrlV2 var accum linear grad lr l1 l2 l2_shrinkage lr_power
ApplyGradientDescent var alpha delta
ApplyMomentum var accum lr grad momentum
ApplyPowerSign var m lr logbase sign_decay beta grad
ApplyProximalAdagrad var accum lr l1 l2 grad
ApplyProximalGradientDescent var alpha l1 l2 delta
ApplyRMSProp var ms mom lr rho momentum epsilon grad
ResourceApplyAdaMax var m v beta1_power lr beta1 beta2 epsilon grad
ResourceApplyAdadelta var accum accum_update lr rho epsilon grad
ResourceApplyAdagrad var accum lr grad
ResourceApplyAdagradDA var gradient_accumulator gradient_squared_accumulator grad lr l1 l2 global_step
ResourceApplyAdagradV2 var accum lr epsilon grad
ResourceApplyAdam var m v beta1_power beta2_power lr beta1 beta2 epsilon grad
ResourceApplyAdamWithAmsgrad var m v vhat beta1_power beta2_power lr beta1 beta2 epsilon grad
ResourceApplyAddSign var m lr alpha sign_decay beta grad
ResourceApplyCenteredRMSProp var mg ms mom lr rho momentum epsilon grad
ResourceApplyFtrl var accum linear grad lr l1 l2 lr_power
ResourceApplyFtrlV2 var accum linear grad lr l1 l2 l2_shrinkage lr_power
ResourceApplyGradientDescent var alpha delta
ResourceApplyKerasMomentum var accum lr grad momentum
ResourceApplyMomentum var accum lr grad momentum
ResourceApplyPowerSign var m lr logbase sign_decay beta grad
ResourceApplyProximalAdagrad var accum lr l1 l2 grad
ResourceApplyProximalGradientDescent var alpha l1 l2 delta
ResourceApplyRMSProp var ms mom lr rho momentum epsilon grad
ResourceSparseApplyAdadelta var accum accum_update lr rho epsilon grad indices
ResourceSparseApplyAdagrad var accum lr grad indices
ResourceSparseApplyAdagradDA var gradient_accumulator gradient_squared_accumulator grad indices lr l1 l2 global_step
ResourceSparseApplyAdagradV2 var accum lr epsilon grad indices
ResourceSparseApplyCenteredRMSProp var mg ms mom lr rho momentum epsilon grad indices
ResourceSparseApplyFtrl var accum linear grad indices lr l1 l2 lr_power
ResourceSparseApplyFtrlV2 var accum linear grad indices lr l1 l2 l2_shrinkage lr_power
ResourceSparseApplyKerasMomentum var accum lr grad indices momentum
ResourceSparseApplyMomentum var accum lr grad indices momentum
ResourceSparseApplyProximalAdagrad var accum lr l1 l2 grad indices
ResourceSparseApplyProximalGradientDescent var alpha l1 l2 grad indices
ResourceSparseApplyRMSProp var ms mom lr rho momentum epsilon grad indices
SparseApplyAdadelta var accum accum_update lr rho epsilon grad indices
SparseApplyAdagrad var accum lr grad indices
SparseApplyAdagradDA var gradient_accumulator gradient_squared_accumulator grad indices lr l1 l2 global_step
SparseApplyAdagradV2 var accum lr epsilon grad indices
SparseApplyCenteredRMSProp var mg ms mom lr rho momentum epsilon grad indices
SparseApplyFtrl var accum linear grad indices lr l1 l2 lr_power
SparseApplyFtrlV2 var accum linear grad indices lr l1 l2 l2_shrinkage lr_power
SparseApplyMomentum var accum lr grad indices momentum
SparseApplyProximalAdagrad var accum lr l1 l2 grad indices
SparseApplyProximalGradientDescent var alpha l1 l2 grad indices
SparseApplyRMSProp var ms mom lr rho momentum epsilon grad indices";

    #[test]
    fn positions_are_those_of_tensorflow() {
        let mut seen = std::collections::BTreeSet::new();
        for line in REGISTRY.lines() {
            let (op, inputs) = line.split_once(' ').unwrap();
            let mut inputs: Vec<&str> = inputs.split(' ').collect();
            let (sparse, found) = signature(op).unwrap_or_else(|| panic!("{op}"));
            seen.insert(found.op);
            if sparse {
                let indices = inputs.iter().position(|input| *input == "indices").unwrap();
                assert!(GRADIENTS.contains(&inputs[indices - 1]), "{op}");
                inputs.remove(indices);
            }
            assert_eq!(inputs[0], "var", "{op}");
            let (slots, others) = inputs[1..].split_at(found.slots);
            let (powers, rest) = others.split_at(found.powers);
            let is_power = |name: &&str| name.starts_with("beta") && name.ends_with("_power");
            assert!(!slots.iter().any(is_power) && powers.iter().all(is_power), "{op}");
            assert!(!rest.iter().any(is_power), "{op}");
            // The one that calls its gradient otherwise where that is sparse.
            let rest: Vec<&str> = match op.strip_suffix("SparseApplyProximalGradientDescent") {
                Some(_) => rest.iter().map(|&n| if n == "grad" { "delta" } else { n }).collect(),
                None => rest.to_vec(),
            };
            assert_eq!(rest, found.rest, "{op}");
        }
        assert_eq!(seen.len(), SIGNATURES.len());
    }

    #[test]
    fn other_ops_are_none_of_ours() {
        for op in ["AccumulatorApplyGradient", "MatMul", "Sparse", "Resource", "ApplyAdam2", ""] {
            assert_eq!(signature(op), None, "{op}");
        }
    }
}
