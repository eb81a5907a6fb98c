//! BERT-large as google-research/bert publishes it, and the same with more layers.

use std::path::Path;

use crate::bundle::{self, Variable};
use crate::source::Make;

const HIDDEN: u64 = 1024;
const INNER: u64 = 4 * HIDDEN;
const VOCABULARY: u64 = 30522;
const POSITIONS: u64 = 512;

/// The slots of BERT's own optimizer.
const SLOTS: [&str; 2] = ["adam_m", "adam_v"];

/// A model of so many layers, with or without its optimizer's slots.
pub(crate) struct Bert {
    layers: usize,
    slots: bool,
}

impl Bert {
    pub(crate) fn of_layers(layers: usize) -> Self {
        Self { layers, slots: false }
    }

    pub(crate) fn of_bytes(bytes: usize) -> Self {
        Self { layers: layers_within(bytes), slots: false }
    }

    pub(crate) fn with_adam_of_bytes(bytes: usize) -> Self {
        Self { layers: layers_within(bytes / (1 + SLOTS.len())), slots: true }
    }

    fn variables(&self) -> Vec<Variable> {
        let mut variables = around_layers();
        variables.extend((0..self.layers).flat_map(layer));
        if self.slots {
            let slots: Vec<Variable> = variables.iter().flat_map(slots).collect();
            variables.extend(slots);
        }
        variables
    }
}

impl Make for Bert {
    fn write(&self, at: &Path) {
        bundle::write(at, self.variables());
    }

    fn rules(&self) -> Vec<(&'static str, String)> {
        vec![
            ("renamed", rules("")),
            ("transposed", rules(TRANSPOSED)),
            ("reshaped", rules(RESHAPED)),
        ]
    }

    fn steps(&self) -> &'static [&'static str] {
        &[
            "list",
            "check",
            "plan renamed",
            "convert renamed",
            "check new",
            "convert renamed --no-verify",
            "convert renamed --link=require",
            "convert renamed --link=require --no-verify",
            "convert transposed",
            "convert transposed --memory 64MiB",
            "convert reshaped",
        ]
    }
}

/// As many layers as it takes to have so many bytes, and one at the least.
fn layers_within(bytes: usize) -> usize {
    let size = |variables: Vec<Variable>| variables.iter().map(Variable::bytes).sum::<usize>();
    bytes.saturating_sub(size(around_layers())).div_ceil(size(layer(0))).max(1)
}

fn layer(number: usize) -> Vec<Variable> {
    let at = format!("bert/encoder/layer_{number}");
    [
        dense(&format!("{at}/attention/self/query"), HIDDEN, HIDDEN),
        dense(&format!("{at}/attention/self/key"), HIDDEN, HIDDEN),
        dense(&format!("{at}/attention/self/value"), HIDDEN, HIDDEN),
        dense(&format!("{at}/attention/output/dense"), HIDDEN, HIDDEN),
        norm(&format!("{at}/attention/output/LayerNorm")),
        dense(&format!("{at}/intermediate/dense"), HIDDEN, INNER),
        dense(&format!("{at}/output/dense"), INNER, HIDDEN),
        norm(&format!("{at}/output/LayerNorm")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Embeddings, the pooler and the heads of pre-training.
fn around_layers() -> Vec<Variable> {
    let mut variables = vec![
        Variable::new("bert/embeddings/word_embeddings", &[VOCABULARY, HIDDEN]),
        Variable::new("bert/embeddings/position_embeddings", &[POSITIONS, HIDDEN]),
        Variable::new("bert/embeddings/token_type_embeddings", &[2, HIDDEN]),
        Variable::new("cls/predictions/output_bias", &[VOCABULARY]),
        Variable::new("cls/seq_relationship/output_weights", &[2, HIDDEN]),
        Variable::new("cls/seq_relationship/output_bias", &[2]),
    ];
    variables.extend(norm("bert/embeddings/LayerNorm"));
    variables.extend(dense("bert/pooler/dense", HIDDEN, HIDDEN));
    variables.extend(dense("cls/predictions/transform/dense", HIDDEN, HIDDEN));
    variables.extend(norm("cls/predictions/transform/LayerNorm"));
    variables
}

fn dense(at: &str, inputs: u64, outputs: u64) -> [Variable; 2] {
    [
        Variable::new(format!("{at}/kernel"), &[inputs, outputs]),
        Variable::new(format!("{at}/bias"), &[outputs]),
    ]
}

fn norm(at: &str) -> [Variable; 2] {
    ["beta", "gamma"].map(|leaf| Variable::new(format!("{at}/{leaf}"), &[HIDDEN]))
}

fn slots(variable: &Variable) -> [Variable; 2] {
    SLOTS.map(|slot| Variable::new(format!("{}/{slot}", variable.name), &variable.dims))
}

/// Rules that give every variable another name; `first` are those that stand above.
fn rules(first: &str) -> String {
    format!("{HEAD}{first}{RENAMED}")
}

/// Slots are moved like everything else.
const HEAD: &str = r"version: 1
root: model
optimizer: plain
rules:
  - {from: '(.+)/(adam_[mv])', to: 'slots/$2/$1', optional: true}
";

const RENAMED: &str = r"  - {from: 'bert/encoder/layer_(\d+)/(.+)', to: 'layers/$1/$2'}
  - {from: 'bert/(.+)', to: 'encoder/$1'}
  - {from: 'cls/(.+)', to: 'heads/$1'}
";

const TRANSPOSED: &str = r"  - {from: 'bert/encoder/layer_(\d+)/(.+/kernel)', to: 'layers/$1/$2', apply: [{transpose: [1, 0]}]}
  - {from: 'bert/(.+/kernel)', to: 'encoder/$1', apply: [{transpose: [1, 0]}]}
  - {from: 'cls/(.+/kernel)', to: 'heads/$1', apply: [{transpose: [1, 0]}]}
";

/// Sixteen heads.
const RESHAPED: &str = r"  - {from: 'bert/encoder/layer_(\d+)/(intermediate/dense/kernel)', to: 'layers/$1/$2', apply: [{reshape: [1024, 16, 256]}]}
  - {from: 'bert/encoder/layer_(\d+)/(.+/kernel)', to: 'layers/$1/$2', apply: [{reshape: [-1, 16, 64]}]}
  - {from: 'bert/(.+/kernel)', to: 'encoder/$1', apply: [{reshape: [1024, 16, 64]}]}
  - {from: 'cls/(.+/kernel)', to: 'heads/$1', apply: [{reshape: [1024, 16, 64]}]}
";
