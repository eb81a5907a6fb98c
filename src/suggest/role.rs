//! What a variable is to its layer.

/// What a variable is to its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Role {
    /// A kernel, a table of embeddings, any matrix.
    Matrix,
    /// A recurrent layer's matrix over its state.
    Recurrent,
    /// A kernel with its inputs kept apart.
    Depthwise,
    /// The kernel that follows one of those.
    Pointwise,
    /// What is added: by a dense layer or a convolution.
    Bias,
    /// What is added: by a normalization.
    Beta,
    /// What is multiplied by a normalization.
    Gamma,
    /// A mean that moves.
    Mean,
    /// A variance that moves.
    Variance,
    /// Its name does not tell.
    Unknown,
}

impl Role {
    /// What the last component of a name, and the one before it, tell.
    pub(super) fn of(name: &str, rank: usize) -> Self {
        let mut components = name.rsplit('/');
        let own = components.next().unwrap_or_default().trim_start_matches('_').to_lowercase();
        let ends = |with: &[&str]| {
            with.iter().any(|end| {
                own.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
            })
        };
        match own.as_str() {
            "b" if components.next().is_some_and(|above| above.contains("ln_")) => Self::Beta,
            _ if ends(&["recurrent_kernel"]) => Self::Recurrent,
            _ if ends(&["depthwise_kernel", "depthwise_weights"]) => Self::Depthwise,
            _ if ends(&["pointwise_kernel", "pointwise_weights"]) => Self::Pointwise,
            "bias" | "biases" | "b" => Self::Bias,
            _ if ends(&["bias", "biases"]) && rank <= 1 => Self::Bias,
            _ if ends(&["beta"]) => Self::Beta,
            _ if ends(&["gamma", "scale", "g", "mul"]) && rank <= 1 => Self::Gamma,
            _ if ends(&["moving_mean", "running_mean", "mean", "mu"]) => Self::Mean,
            _ if ends(&["moving_variance", "running_var", "variance", "var"]) => Self::Variance,
            _ if ends(&["kernel", "weights", "w", "weight", "matrix"]) && rank >= 2 => Self::Matrix,
            _ if ends(&["embeddings", "embedding", "table"]) => Self::Matrix,
            _ => Self::Unknown,
        }
    }

    /// Whether one may become the other.
    pub(super) fn suits(self, other: Self) -> bool {
        use Role::{Beta, Bias, Depthwise, Matrix, Pointwise, Unknown};
        self == other
            || matches!(
                (self, other),
                (Unknown, _)
                    | (_, Unknown)
                    | (Bias, Beta)
                    | (Beta, Bias)
                    | (Matrix, Depthwise | Pointwise)
                    | (Depthwise | Pointwise, Matrix)
            )
    }

    /// Whether it has what a layer has most of.
    pub(super) fn is_matrix(self) -> bool {
        matches!(self, Self::Matrix | Self::Recurrent | Self::Depthwise | Self::Pointwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        let role = |name: &str, rank| Role::of(name, rank);
        assert_eq!(role("a/conv/weights", 4), Role::Matrix);
        assert_eq!(role("a/_kernel", 2), Role::Matrix);
        assert_eq!(role("cls/output_weights", 2), Role::Matrix);
        assert_eq!(role("model/h0/ln_1/b", 1), Role::Beta);
        assert_eq!(role("model/h0/mlp/c_fc/b", 1), Role::Bias);
        assert_eq!(role("a/scale", 1), Role::Gamma);
        assert_eq!(role("a/weight", 1), Role::Unknown);
        assert_eq!(role("bert/embeddings/word_embeddings", 2), Role::Matrix);
    }
}
