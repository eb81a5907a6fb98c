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
        data: "guide/data.md",
        inspecting: "guide/inspecting.md",
        json: "guide/json.md",
        mappings: "guide/mappings.md",
        optimizers: "guide/optimizers.md",
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
