//! Converts TensorFlow 1 checkpoints to object-based TensorFlow 2 checkpoints, by rules, without
//! TensorFlow.
//!
//! A TF1 checkpoint is a flat list of names, a TF2 checkpoint a graph of objects. A rule file says
//! which name becomes the value of which object; everything else follows from it.
//!
//! ```text
//!   files ──► source ──► Catalog ──┐
//!                                  ├──► plan ──► convert ──► target ──► files
//!   rule file ─────────► Mapping ──┘      │         │
//!       ▲                                 └─────────┴──► report
//!       └── suggest ◄── Catalog, template's Catalog
//! ```
//!
//! Left of `plan`: reading. [`plan`](mod@plan): a pure function from values to a value, so that
//! everything that is wrong is known before anything is touched. Right of it: writing. The `cli`
//! draws the arrows and does nothing else. [`batch`](mod@batch) draws them many times over, for a
//! job file.
//!
//! # Who may import whom
//!
//! `tests/layers.rs` enforces this table.
//!
//! | module | may import |
//! |---|---|
//! | `causes`, `crc`, `digest`, `names`, `progress`, `proto`, `recent`, `size`, `varint`, `workers` | — |
//! | `files` | `digest` |
//! | `object` | — |
//! | `table` | `crc`, `recent`, `varint` |
//! | `pieces` | `workers` |
//! | `sums` | `crc`, `files`, `workers` |
//! | `tensor` | `crc`, `varint` |
//! | `catalog` | `object`, `tensor` |
//! | `transform` | `tensor` |
//! | `optimizer` | `catalog`, `names`, `object` |
//! | `yaml` | `names` |
//! | `mapping` | `names`, `object`, `optimizer`, `tensor`, `transform`, `yaml` |
//! | `rules` | `causes`, `files`, `mapping` |
//! | `layers` | `catalog`, `mapping`, `names`, `tensor` |
//! | `plan` | `catalog`, `mapping`, `names`, `object`, `optimizer`, `tensor`, `transform` |
//! | `suggest` | `catalog`, `mapping`, `names`, `object`, `optimizer`, `plan`, `tensor`, `transform` |
//! | `source` | `catalog`, `crc`, `files`, `names`, `object`, `proto`, `recent`, `sums`, `table`, `tensor`, `varint`, `workers` |
//! | `target` | `causes`, `crc`, `files`, `object`, `proto`, `table`, `tensor` |
//! | `convert` | `catalog`, `causes`, `crc`, `files`, `object`, `plan`, `progress`, `source`, `sums`, `target`, `tensor`, `transform`, `workers` |
//! | `diff` | `catalog`, `crc`, `files`, `object`, `pieces`, `progress`, `source`, `tensor`, `transform`, `workers` |
//! | `verify` | `catalog`, `convert`, `diff`, `object`, `plan`, `progress`, `source`, `tensor` |
//! | `reverse` | `catalog`, `mapping`, `object`, `optimizer`, `plan`, `tensor`, `transform` |
//! | `batch` | `catalog`, `causes`, `convert`, `digest`, `files`, `mapping`, `names`, `plan`, `progress`, `recent`, `reverse`, `rules`, `size`, `source`, `target`, `yaml` |
//! | `check` | `catalog`, `causes`, `files`, `source` |
//! | `stats` | `catalog`, `crc`, `files`, `pieces`, `progress`, `source`, `tensor` |
//! | `show` | `catalog`, `crc`, `files`, `names`, `object`, `progress`, `source`, `tensor` |
//! | `report` | `batch`, `catalog`, `causes`, `check`, `convert`, `diff`, `files`, `layers`, `mapping`, `names`, `object`, `optimizer`, `plan`, `show`, `source`, `stats`, `suggest`, `tensor`, `verify` |
//! | `cli` (the binary) | the public API only; the compiler sees to it |
//!
//! # Where to begin
//!
//! | to | see |
//! |---|---|
//! | open a checkpoint of any format | [`source::open`], [`source::CheckpointReader`] |
//! | see what it holds | [`catalog::Catalog`] |
//! | read rules | [`rules::Rules`], [`mapping::Mapping`] |
//! | have rules proposed | [`suggest::suggest`] |
//! | know what would happen | [`plan::plan`](fn@plan::plan), [`plan::draft`] |
//! | convert | [`convert::convert`](fn@convert::convert) |
//! | prove a conversion, compare two checkpoints | [`verify::verify`](fn@verify::verify), [`diff::diff`](fn@diff::diff) |
//! | find damage | [`check::check`](fn@check::check) |
//! | do it to whole archives | [`batch::run`](fn@batch::run) |
//! | print any of it as the program does | [`report::renderer`] |
//!
//! # Reading
//!
//! ```
//! use ckptmap::source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let checkpoint = source::open(&"testdata/conv_bn_dense/model.ckpt".parse()?)?;
//! for (name, variable) in &checkpoint.catalog().variables {
//!     if name.as_str().ends_with("dense/kernel") {
//!         assert_eq!(variable.spec.to_string(), "float32 [108, 5]");
//!         // Its checksum has been checked.
//!         let tensor = checkpoint.read(name)?;
//!         assert_eq!(tensor.data().len(), 108 * 5 * 4);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is wrong with a plan
//!
//! All of it comes out at once, each problem with its place in the rule file:
//!
//! ```
//! use std::collections::BTreeMap;
//! use ckptmap::mapping::{Mapping, NoFiles};
//! use ckptmap::plan::{self, plan};
//! use ckptmap::source;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = source::open(&"testdata/conv3/model.ckpt".parse()?)?;
//! let rules = "version: 1\nrules: [{from: 'model/conv2d/(.+)', to: 'conv_1/$1'}]\n";
//! let mapping = Mapping::parse("rules.yaml", rules, &BTreeMap::new(), &NoFiles)?;
//! let problems = plan(old.catalog(), &mapping, None, &plan::Options::default()).unwrap_err();
//! // `conv2d_1` and `conv2d_2` go nowhere.
//! assert_eq!(problems.count(), 4);
//! assert!(problems.to_string().contains("model/conv2d_1/kernel"));
//! # Ok(())
//! # }
//! ```
//!
//! # A rule file that nobody has to write
//!
//! ```
//! use ckptmap::source;
//! use ckptmap::suggest::{Confidence, Options, suggest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = source::open(&"testdata/optimizers/adam".parse()?)?;
//! let fresh = source::open(&"testdata/templates/keras3_adam".parse()?)?;
//! let proposal = suggest(old.catalog(), fresh.catalog(), &Options::default())?;
//! assert!(proposal.complete && proposal.count(Confidence::Certain) > 0);
//! assert!(proposal.rules.contains("optimizer: {to: optimizer}"));
//! # Ok(())
//! # }
//! ```
//!
//! # Comparing
//!
//! ```
//! use ckptmap::diff::{Options, diff};
//! use ckptmap::{progress, source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let one = source::open(&"testdata/conv3/model.ckpt".parse()?)?;
//! let other = source::open(&"testdata/v1/conv3/model.ckpt".parse()?)?;
//! // The same values in another format.
//! let found = diff(one.as_ref(), other.as_ref(), &Options::default(), &progress::Silent)?;
//! assert!(found.is_equal() && found.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # A conversion
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use ckptmap::convert::{Inputs, Options, convert};
//! use ckptmap::mapping::{Mapping, NoFiles};
//! use ckptmap::plan::{self, plan};
//! use ckptmap::{files, progress, source, target};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let old = source::open(&"runs/model.ckpt-1000".parse()?)?;
//! let text = std::fs::read_to_string("rules.yaml")?;
//! let mapping = Mapping::parse("rules.yaml", &text, &BTreeMap::new(), &NoFiles)?;
//! let plan = plan(old.catalog(), &mapping, None, &plan::Options::default())?;
//! let new = "converted/ckpt".parse()?;
//! let writer = target::create(&new, &target::Options::default(), &files::entries(&old.files())?)?;
//! let inputs = Inputs { source: old.as_ref(), template: None };
//! let how = Options::default();
//! let done = convert(&plan, &inputs, writer, &how, &progress::Silent)?;
//! println!("{} files", done.written.files.len());
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod batch;
pub mod catalog;
mod causes;
pub mod check;
pub mod convert;
pub mod crc;
pub mod diff;
mod digest;
pub mod files;
/// Chapters that are longer than a page of documentation.
#[allow(clippy::doc_markdown, reason = "names of optimizers and models are prose")]
pub mod guide {
    /// A chapter. What its links mean here stands in front: the first definition of a label counts.
    macro_rules! chapters {
        ($($name:ident: $text:literal,)*) => {$(
            #[doc = include_str!("guide/links.txt")]
            #[doc = include_str!($text)]
            pub mod $name {}
        )*};
    }

    chapters! {
        batch: "guide/batch.md",
        buckets: "guide/buckets.md",
        comparison: "guide/comparison.md",
        cookbook: "guide/cookbook.md",
        data: "guide/data.md",
        inspecting: "guide/inspecting.md",
        json: "guide/json.md",
        mappings: "guide/mappings.md",
        optimizers: "guide/optimizers.md",
        outputs: "guide/outputs.md",
        python: "guide/python.md",
        rules: "guide/rules.md",
        security: "guide/security.md",
    }
}
pub mod layers;
pub mod mapping;
mod names;
pub mod object;
pub mod optimizer;
mod pieces;
pub mod plan;
pub mod progress;
pub mod proto;
mod recent;
pub mod report;
pub mod reverse;
pub mod rules;
pub mod show;
pub mod size;
pub mod source;
pub mod stats;
pub mod suggest;
mod sums;
pub mod table;
pub mod target;
pub mod tensor;
pub mod transform;
mod varint;
pub mod verify;
mod workers;
mod yaml;
