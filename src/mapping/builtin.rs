//! Rule files that come with the program: ordinary ones, for models many people have.

use crate::names::nearest;
use crate::yaml::{Problem, ProblemKind};

/// What stands before the name of one, wherever a rule file can be named.
pub const PREFIX: &str = "builtin:";

/// A rule file that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// What follows `builtin:`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

impl Builtin {
    /// The first line of its comment: from what to what it leads.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

/// A file of `mappings/` by its name.
macro_rules! builtins {
    ($($name:literal,)*) => {
        /// Every one of them, by name.
        pub const BUILTINS: &[Builtin] = &[$(Builtin {
            name: $name,
            text: include_str!(concat!("../../mappings/", $name, ".yaml")),
        }),*];
    };
}

builtins![
    "albert-hf",
    "albert-kerashub",
    "albert-model-garden",
    "bert-hf",
    "bert-kerashub",
    "bert-model-garden",
    "cudnn-rnn-keras",
    "densenet-keras",
    "efficientnet-keras",
    "electra-generator-hf",
    "electra-hf",
    "electra-kerashub",
    "estimator-dnn-keras",
    "estimator-linear-keras",
    "gpt2-hf",
    "gpt2-kerashub",
    "inception-resnet-v2-keras",
    "inception-v3-keras",
    "mobilenet-v1-keras",
    "mobilenet-v2-keras",
    "resnet-v1-keras",
    "resnet-v2-keras",
    "rnn-keras",
    "t5-hf",
    "t5-kerashub",
    "vgg-keras",
];

/// The rule file of that name, or which was meant.
pub fn find(name: &str) -> Result<&'static Builtin, Box<Problem>> {
    let names = || BUILTINS.iter().map(|one| one.name);
    BUILTINS.iter().find(|one| one.name == name).ok_or_else(|| {
        let help = match nearest(name, names()) {
            Some(near) => format!("did you mean `{PREFIX}{near}`?"),
            None => "`ckptmap mappings` lists all of them".to_owned(),
        };
        let message = format!("there is no built-in mapping `{name}`");
        Box::new(Problem::new(ProblemKind::Value, message).help(help))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Mapping, NoFiles};
    use std::collections::BTreeMap;

    #[test]
    fn every_one_is_read_without_a_problem() {
        for one in BUILTINS {
            let name = format!("{PREFIX}{}", one.name);
            let mapping = Mapping::parse(&name, one.text, &BTreeMap::new(), &NoFiles).unwrap();
            assert!(mapping.problems.is_empty(), "{name}: {:?}", mapping.problems);
            assert!(mapping.optimizer.is_none(), "{name} decides about optimizers");
        }
    }

    #[test]
    fn every_file_is_listed_and_says_what_it_is_for() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
            .collect();
        files.sort();
        let names: Vec<&str> = BUILTINS.iter().map(|one| one.name).collect();
        assert_eq!(names, files, "mappings/ and the list must name the same, sorted");
        for one in BUILTINS {
            assert!(one.title().contains("->"), "{}: {}", one.name, one.title());
            for part in ["# Source: ", "# Target: ", "# Tried with: ", "# For equal outputs: "] {
                assert!(one.text.contains(part), "{}: no `{part}`", one.name);
            }
        }
    }
}
