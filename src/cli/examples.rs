//! What people do with each command: shown by `--help` and in the man pages, and run by
//! `tests/cli/examples.rs`.

use std::fmt::Write as _;

use clap::Command;

/// A purpose, and the line to type.
pub(super) type Example = (&'static str, &'static str);

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "list",
        &[
            ("Everything that is stored", "ckptmap list old/model.ckpt-1000"),
            (
                "The kernels of a folder's latest checkpoint, the largest first",
                "ckptmap list old '*kernel' --sort size",
            ),
            (
                "A table of all values' statistics",
                "ckptmap list old/model.ckpt-1000 --stats --csv >variables.csv",
            ),
        ],
    ),
    (
        "graph",
        &[
            ("The objects of a TF2 checkpoint", "ckptmap graph fresh/ckpt"),
            ("As a drawing", "ckptmap graph fresh/ckpt --dot >graph.dot"),
        ],
    ),
    (
        "show",
        &[
            ("Two rows of a matrix", "ckptmap show old/model.ckpt-1000 'model/dense/kernel[:2]'"),
            (
                "All of it, for NumPy",
                "ckptmap show old/model.ckpt-1000 model/dense/kernel --npy kernel.npy",
            ),
        ],
    ),
    (
        "scopes",
        &[(
            "The layers of the old program, ready for a rule file",
            "ckptmap scopes old/model.ckpt-1000",
        )],
    ),
    (
        "suggest",
        &[
            (
                "A rule file to begin with",
                "ckptmap suggest old/model.ckpt-1000 --like fresh/ckpt -o suggested.yaml",
            ),
            (
                "Why is that one not certain?",
                "ckptmap suggest old/model.ckpt-1000 --like fresh/ckpt \\\n    --explain model/dense/kernel",
            ),
            (
                "With something that only you know",
                "ckptmap suggest old/model.ckpt-1000 --like fresh/ckpt \\\n    --hint model/dense/kernel=model/hidden_1/kernel",
            ),
        ],
    ),
    (
        "plan",
        &[
            (
                "The whole mapping",
                "ckptmap plan old/model.ckpt-1000 --map rules.yaml --like fresh/ckpt",
            ),
            (
                "As a page to look through",
                "ckptmap plan old/model.ckpt-1000 --map rules.yaml --like fresh/ckpt \\\n    --quiet --html plan.html",
            ),
        ],
    ),
    (
        "convert",
        &[
            (
                "Into the objects of a fresh checkpoint of the new model",
                "ckptmap convert old/model.ckpt-1000 --map rules.yaml \\\n    --like fresh/ckpt -o new/ckpt",
            ),
            (
                "Back again, to TF1 names",
                "ckptmap convert new/ckpt --map rules.yaml --reverse \\\n    --like old/model.ckpt-1000 -o back/model.ckpt-1000",
            ),
        ],
    ),
    ("check", &[("Is every byte what it was?", "ckptmap check old fresh/ckpt")]),
    (
        "diff",
        &[
            ("Two steps of one training", "ckptmap diff old/model.ckpt-1000 old/model.ckpt-2000"),
            (
                "Where did every tensor go?",
                "ckptmap diff old/model.ckpt-1000 fresh/ckpt --by-content",
            ),
        ],
    ),
    (
        "verify",
        &[(
            "A conversion, replayed and compared",
            "ckptmap convert old/model.ckpt-1000 --map rules.yaml \\\n    --like fresh/ckpt -o new/ckpt --quiet\n\
             ckptmap verify new/ckpt --against old/model.ckpt-1000 \\\n    --map rules.yaml --like fresh/ckpt",
        )],
    ),
    (
        "batch",
        &[
            ("What would be done?", "ckptmap batch jobs.yaml --dry-run"),
            ("All of it, with a report", "ckptmap batch jobs.yaml --report report.json"),
            (
                "In two shares, on two machines",
                "ckptmap batch jobs.yaml --shard 0/2 --report reports/0.json\n\
                 ckptmap batch jobs.yaml --shard 1/2 --report reports/1.json\n\
                 ckptmap batch --merge-reports reports/*.json --report report.json",
            ),
        ],
    ),
    (
        "mappings",
        &[
            ("Which models are known?", "ckptmap mappings"),
            ("One to copy and edit", "ckptmap mappings bert-hf >bert.yaml"),
        ],
    ),
    (
        "schema",
        &[(
            "For an editor; a rule file names it: `# yaml-language-server: $schema=rules.schema.json`",
            "ckptmap schema rules >rules.schema.json",
        )],
    ),
    (
        "completions",
        &[
            ("For this bash", "source <(ckptmap completions bash)"),
            (
                "For every bash from now on",
                "mkdir -p ~/.local/share/bash-completion/completions\n\
                 ckptmap completions bash >~/.local/share/bash-completion/completions/ckptmap",
            ),
        ],
    ),
    (
        "man",
        &[
            ("Read one", "ckptmap man convert >ckptmap-convert.1"),
            ("Install all", "ckptmap man --output ~/.local/share/man/man1"),
        ],
    ),
];

/// The examples of a command.
pub(super) fn examples(command: &str) -> &'static [Example] {
    EXAMPLES
        .iter()
        .find(|(name, _)| *name == command)
        .map(|(_, examples)| *examples)
        .unwrap_or_default()
}

/// A command whose `--help` ends with its examples.
pub(super) fn with_examples(command: Command) -> Command {
    let mut text = String::from("Examples:");
    for (purpose, lines) in examples(command.get_name()) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  # {purpose}");
        for line in lines.lines() {
            let _ = write!(text, "\n  {line}");
        }
    }
    command.after_long_help(text)
}
