//! How the leaves of layers are called where no template says so.

use crate::names::unnumbered;

/// `target:`; the kind of objects that will restore the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Keras 2 and `tf_keras` layers.
    Keras2,
    /// Keras 3 layers.
    Keras3,
    /// `tf.Module`s: leaves are called as in the source.
    Module,
}

/// Layers whose `kernel` keeps its name in Keras 3: recurrent cells, and what stands beside them.
const KERNEL_KEPT: &[&str] =
    &["basic_lstm_cell", "basic_rnn_cell", "depthwise_conv2d", "gru_cell", "lstm_cell", "rnn_cell"];

impl Dialect {
    /// Every dialect with the word for it.
    pub(super) const ALL: &'static [(&'static str, Dialect)] =
        &[("keras2", Self::Keras2), ("keras3", Self::Keras3), ("module", Self::Module)];

    /// What leaf `leaf` is called below these layers, of which any may be a recurrent cell.
    ///
    /// Keras 3 keeps the weights of most layers in attributes with an underscore, because the
    /// plain name is a property there.
    pub fn leaf<'l>(self, layers: impl IntoIterator<Item = &'l str>, leaf: &str) -> String {
        match (self, leaf) {
            (Self::Keras3, "kernel") => {
                let kept = layers.into_iter().any(|layer| KERNEL_KEPT.contains(&unnumbered(layer)));
                if kept { "kernel" } else { "_kernel" }.to_owned()
            }
            (Self::Keras3, "embeddings") => "_embeddings".to_owned(),
            _ => leaf.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keras_3_hides_most_kernels() {
        assert_eq!(Dialect::Keras3.leaf(["conv2d"], "kernel"), "_kernel");
        assert_eq!(Dialect::Keras3.leaf(["conv2d"], "bias"), "bias");
        assert_eq!(Dialect::Keras3.leaf(["basic_lstm_cell"], "kernel"), "kernel");
        assert_eq!(Dialect::Keras2.leaf(["dense"], "kernel"), "kernel");
    }
}
