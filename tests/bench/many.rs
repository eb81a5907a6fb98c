//! Very many small variables, and very many rules for them.

use std::fmt::Write as _;
use std::path::Path;

use crate::bundle::{self, Variable};
use crate::source::Make;

/// The names below one encoder: so many layers of so many dense layers with a kernel and a bias.
const LAYERS: usize = 10;
const DENSE: usize = 10;
const LEAVES: [(&str, &[u64]); 2] = [("kernel", &[2, 2]), ("bias", &[2])];
const PER_ENCODER: usize = LAYERS * DENSE * LEAVES.len();

/// So many variables; every encoder of two hundred has a rule of its own.
pub(crate) struct Many {
    pub(crate) variables: usize,
    /// Whether rules are to be found, not followed.
    pub(crate) suggested: bool,
}

impl Many {
    fn encoders(&self) -> usize {
        self.variables.div_ceil(PER_ENCODER)
    }

    /// A file of one rule for each encoder.
    fn rules_of(&self, rule: impl Fn(usize) -> String) -> String {
        let mut text = "version: 1\nroot: model\nrules:\n".to_owned();
        for encoder in 0..self.encoders() {
            writeln!(text, "  - {}", rule(encoder)).unwrap();
        }
        text
    }
}

impl Make for Many {
    fn write(&self, at: &Path) {
        bundle::write(at, (0..self.variables).map(variable).collect());
    }

    fn rules(&self) -> Vec<(&'static str, String)> {
        let renamed = self.rules_of(|n| {
            format!(r"{{from: 'enc_{n:03}/layer_(\d+)/(.+)', to: 'encoders/{n}/layers/$1/$2'}}")
        });
        let patterns = self.rules_of(|n| {
            format!(r"{{from: '(\w+)_{n:03}/layer_(\d+)/(.+)', to: '$1/{n}/layers/$2/$3'}}")
        });
        vec![("renamed", renamed), ("patterns", patterns)]
    }

    fn steps(&self) -> &'static [&'static str] {
        if self.suggested {
            return &["convert renamed", "suggest --no-builtin", "suggest"];
        }
        &[
            "list",
            "check",
            "plan renamed",
            "plan patterns",
            "convert renamed",
            "list new",
            "check new",
            "convert renamed --link=require",
        ]
    }
}

fn variable(number: usize) -> Variable {
    let (leaf, dims) = LEAVES[number % LEAVES.len()];
    let dense = number / LEAVES.len() % DENSE;
    let layer = number / LEAVES.len() / DENSE % LAYERS;
    let encoder = number / PER_ENCODER;
    Variable::new(format!("enc_{encoder:03}/layer_{layer}/dense_{dense}/{leaf}"), dims)
}
