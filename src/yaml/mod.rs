//! Files that people write in YAML, read so that every mistake can be shown in its place. What
//! stands in them is others' business: rules, jobs.
//!
//! ```text
//!  text ──► tree ──► node      asks for what should stand somewhere, reports what does not
//!             ▲        └─────► problem   what is wrong, where, what to do
//!             └── search ◄───────┘       where something stands: only looked up for messages
//! ```

mod node;
mod problem;
mod search;
mod tree;

pub(crate) use node::{Context, Fields, Node, Site, read};
pub use problem::{Place, Problem, ProblemKind, Problems, RuleId, SourceText};
pub(crate) use tree::{Anchor, Yaml};
