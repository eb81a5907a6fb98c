//! What names say: their words, in one spelling for all that this field calls the same.

use std::collections::HashMap;

use super::tokens::{Token, tokens};

/// Names that Keras and TF1 give to layers by themselves, and count.
const AUTOMATIC: &[&str] = &[
    "activation",
    "basic_lstm_cell",
    "basic_rnn_cell",
    "batch_normalization",
    "bidirectional",
    "conv",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "dense",
    "depthwise_conv2d",
    "einsum_dense",
    "embedding",
    "functional",
    "group_normalization",
    "gru",
    "gru_cell",
    "layer_normalization",
    "lstm",
    "lstm_cell",
    "multi_head_attention",
    "normalization",
    "rnn",
    "separable_conv1d",
    "separable_conv2d",
    "sequential",
    "simple_rnn",
    "simple_rnn_cell",
    "time_distributed",
    "tpu_batch_normalization",
    "variable",
];

/// Whether a component is the name of a sort of layers, as programs give and count them.
pub(super) fn is_automatic(component: &str) -> bool {
    AUTOMATIC.contains(&component.to_lowercase().as_str())
}

/// Several words that are one, before single words are looked at; the first that fits wins.
const PHRASES: &[(&[&str], &[&str])] = &[
    (&["tpu", "batch", "normalization"], &["bn"]),
    (&["sync", "batch", "normalization"], &["bn"]),
    (&["batch", "normalization"], &["bn"]),
    (&["batch", "norm"], &["bn"]),
    (&["layer", "normalization"], &["norm"]),
    (&["layer", "norm"], &["norm"]),
    (&["rms", "norm"], &["norm"]),
    (&["token", "type"], &["segment"]),
    (&["feed", "forward"], &["ffn"]),
    (&["dense", "relu", "dense"], &["ffn"]),
    (&["enc", "dec", "attention"], &["cross", "attention"]),
    (&["multi", "head", "attention"], &["attention"]),
    (&["depth", "wise"], &["depthwise"]),
    (&["point", "wise"], &["pointwise"]),
    (&["basic", "lstm", "cell"], &["lstm"]),
    (&["lstm", "cell"], &["lstm"]),
    (&["gru", "cell"], &["gru"]),
    (&["basic", "rnn", "cell"], &["rnn"]),
    (&["simple", "rnn", "cell"], &["rnn"]),
    (&["simple", "rnn"], &["rnn"]),
    (&["moving", "mean"], &["mean"]),
    (&["moving", "variance"], &["variance"]),
];

/// Words that mean the same; the first of each row is the one that is used.
const SYNONYMS: &[&[&str]] = &[
    &["attention", "attn", "mha"],
    &["backward", "bw", "bwd"],
    &["beta"],
    &["bias", "biases", "b"],
    &["bn", "batchnorm"],
    &["conv", "convolution", "conv2d", "conv1d", "conv3d"],
    &["decoder", "dec"],
    &["dense", "fc", "linear"],
    &["depthwise", "dw", "dwconv"],
    &["embed", "embedding", "embeddings", "emb"],
    &["encoder", "enc"],
    &["ffn", "feedforward", "mlp", "ff"],
    &["final", "post"],
    &["forward", "fw", "fwd"],
    &["gamma", "g"],
    &["generator", "gen"],
    &["hidden", "hiddenlayer"],
    &["input", "wi"],
    &["kernel", "weights", "weight", "w", "matrix"],
    &["key", "k"],
    &["layer", "block", "blocks", "layers", "unit", "h"],
    &["logits", "predictions", "prediction", "preds", "classifier", "head", "softmax"],
    &["mean", "mu"],
    &["norm", "ln", "layernorm", "normalization"],
    &["output", "out", "o", "wo"],
    &["pointwise", "pw"],
    &["pool", "pooler", "pooled", "pooling"],
    &["position", "pos", "positional"],
    &["proj", "projection", "projector", "project"],
    &["query", "q"],
    &["segment", "type"],
    &["self"],
    &["shortcut", "skip", "downsample"],
    &["value", "v"],
    &["variance", "var"],
    &["word", "token", "words", "tokens", "vocab"],
];

/// Letters that are short for a variable's name, and mean nothing in that of an object: `body_b`
/// stands beside `body_a`.
const LEAVES: &[&str] = &["b", "g", "w"];

/// Names of components that say more than their words.
const COMPONENTS: &[(&str, &[&str])] = &[
    // GPT-2's: in front of attention, in front of the dense layers, behind all.
    ("ln_1", &["self", "attention", "norm"]),
    ("ln_2", &["ffn", "norm"]),
    ("ln_f", &["final", "norm"]),
];

/// Words with a meaning of several.
const MEANINGS: &[(&str, &[&str])] = &[
    ("wte", &["word", "embed"]),
    ("wpe", &["position", "embed"]),
    ("qkv", &["query", "key", "value"]),
    ("dwconv", &["depthwise", "conv"]),
];

/// The words of a name in order, in one spelling, without numbers.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut components = name.split('/').peekable();
    while let Some(component) = components.next() {
        match COMPONENTS.iter().find(|(known, _)| *known == component) {
            Some((_, meaning)) => found.extend(meaning.iter().map(|word| (*word).to_owned())),
            None => found.extend(words_of(component, components.peek().is_none())),
        }
    }
    found
}

fn words_of(component: &str, is_last: bool) -> Vec<String> {
    let parts = parts(component);
    let mut found: Vec<String> = Vec::new();
    let mut say = |words: &[&str]| found.extend(words.iter().map(|word| (*word).to_owned()));
    let mut rest = parts.as_slice();
    while let [word, after @ ..] = rest {
        let phrase = PHRASES.iter().find(|(phrase, _)| {
            phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(a, b)| a == b)
        });
        if let Some((phrase, meaning)) = phrase {
            say(meaning);
            rest = rest.get(phrase.len()..).unwrap_or_default();
            continue;
        }
        rest = after;
        let counts = !is_last && LEAVES.contains(&word.as_str());
        let row = || SYNONYMS.iter().find(|row| !counts && row.contains(&word.as_str()));
        match MEANINGS.iter().find(|(known, _)| known == word) {
            Some((_, meaning)) => say(meaning),
            None => say(&[row().and_then(|row| row.first().copied()).unwrap_or(word)]),
        }
    }
    found
}

/// What stands between slashes, underscores, numbers and humps, in lower case.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for token in tokens(name) {
        let Token { text, behind_number, .. } = token;
        // The letter of `2a` counts, it says nothing.
        if token.is_number || (behind_number && text.len() == 1) {
            continue;
        }
        let mut part = String::new();
        let mut before = ' ';
        for c in text.chars() {
            if c.is_uppercase() && before.is_lowercase() && !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            part.extend(c.to_lowercase());
            before = c;
        }
        parts.push(part);
    }
    parts
}

/// Words as numbers, each with how much it tells.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// The number of a word.
    pub(super) fn id(&mut self, word: &str) -> u32 {
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.insert(word.to_owned(), id);
        id
    }

    /// Every word by its number.
    pub(super) fn all(&self) -> HashMap<u32, String> {
        self.ids.iter().map(|(word, id)| (*id, word.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let same = |a: &str, b: &str| assert_eq!(words(a), words(b), "{a} {b}");
        same("layer_3/LayerNorm", "block_7/layer_norm");
        same("attn/q/w", "attention/query/kernel");
        same("mlp/c", "feedforward_c");
        same("token_type_embeddings", "segment_embedding");
        same("Conv2d_0a_1x1/weights", "conv/kernel");
        same("conv2_block1_3_conv", "conv7_block2_0_conv");
        assert_eq!(words("body_b/w"), ["body", "b", "kernel"]);
        assert_eq!(words("InceptionV3/Mixed_5b"), ["inception", "value", "mixed"]);
    }
}
