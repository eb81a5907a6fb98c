//! What was found or done, for people and for machines: a report is a value, a renderer writes it.

mod batch;
mod diff;
mod document;
mod graph;
mod html;
mod json;
mod layers;
mod list;
mod names;
mod numbers;
mod page;
mod plan;
mod suggest;
mod text;
mod values;
mod verify;

use std::io;

use crate::batch::Summary;
use crate::catalog::{Catalog, VariableName};
use crate::check::Checked;
use crate::convert::Conversion;
use crate::diff::Diff;
use crate::layers::Layers;
use crate::mapping::{Builtin, Mapping, Problems};
use crate::object::ObjectGraph;
use crate::plan::Plan;
use crate::show::{Checksum, Saved, Shown};
use crate::suggest::{Explanation, Suggestion};
use crate::verify::Verification;

pub use html::{BEGINNING, Page};
pub use list::{Listing, Order};
pub use names::{display_name, escape};
pub use page::Style;

/// Anything a command has to say on standard output.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Report<'r> {
    /// Variables of a checkpoint.
    List(&'r Listing<'r>),
    /// The same by the components of their names.
    Tree {
        /// The variables.
        listing: &'r Listing<'r>,
        /// Whether the largest come first.
        by_size: bool,
    },
    /// The same as comma-separated values.
    Csv(&'r Listing<'r>),
    /// A checkpoint's objects as a tree.
    Graph {
        /// The checkpoint.
        catalog: &'r Catalog,
        /// Its objects.
        graph: &'r ObjectGraph,
    },
    /// The same as a drawing for Graphviz.
    Drawing {
        /// The checkpoint.
        catalog: &'r Catalog,
        /// Its objects.
        graph: &'r ObjectGraph,
    },
    /// The layers of a program.
    Layers {
        /// They.
        layers: &'r Layers,
        /// How messages call the checkpoint.
        origin: &'r str,
        /// Whether targets are recorded as names.
        by_name: bool,
    },
    /// A page with all of a plan, and of what came of it.
    Page(&'r Page<'r>),
    /// What a conversion would do.
    Plan {
        /// The plan.
        plan: &'r Plan,
        /// The rules it follows.
        mapping: &'r Mapping,
    },
    /// What a conversion did.
    Conversion {
        /// What was planned.
        plan: &'r Plan,
        /// The rules it followed.
        mapping: &'r Mapping,
        /// What was done.
        done: &'r Conversion,
    },
    /// What came of a batch.
    Batch(&'r Summary),
    /// The same as a page.
    Overview(&'r Summary),
    /// A document that comes with the program.
    Text(&'r str),
    /// Rule files that come with the program, by name.
    Builtins(&'r [Builtin]),
    /// One of them, as it is.
    Builtin(&'r Builtin),
    /// Why there is no plan.
    Problems(&'r Problems),
    /// What a check found.
    Check(&'r [Checked]),
    /// What two checkpoints differ in.
    Diff(&'r Diff),
    /// What came of proving a conversion.
    Verification {
        /// What was found.
        verification: &'r Verification,
        /// The rules of the plan.
        mapping: &'r Mapping,
        /// The plan, where what it leaves behind is to be said as well.
        plan: Option<&'r Plan>,
        /// What a TensorFlow said, if it was asked.
        judge: Option<&'r Judge>,
    },
    /// A proposal for a rule file.
    Suggestion(&'r Suggestion),
    /// What speaks for and against the candidates of some places.
    Explanations(&'r [Explanation]),
    /// Values of a variable.
    Values(&'r Shown),
    /// The checksum of a variable.
    Checksum(&'r Checksum),
    /// A `.npy` file that was written.
    Saved(&'r Saved),
}

/// What came of a TensorFlow reading a result.
#[derive(Debug)]
pub struct Judge {
    /// Its version.
    pub version: String,
    /// What came of it.
    pub verification: Verification,
    /// Variables that it cannot hand out, and that were not read by it.
    pub not_judged: Vec<VariableName>,
}

/// A form that reports can take.
pub trait Renderer {
    /// Writes the report; `style` is for people's forms.
    fn render(&self, report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()>;
}

/// Every form, by the word for it.
pub const RENDERERS: &[(&str, &dyn Renderer)] = &[("text", &text::Text), ("json", &json::Json)];

/// The form called `word`.
pub fn renderer(word: &str) -> Option<&'static dyn Renderer> {
    RENDERERS.iter().find(|(known, _)| *known == word).map(|(_, renderer)| *renderer)
}
