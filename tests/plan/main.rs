//! What rules make of a checkpoint, sentence by sentence of the rule file's reference.
//!
//! Each test is a rule file, the variables of a checkpoint, and the plan or the problems in short.

mod harness;
mod mistakes;
mod names;
mod optimizers;
mod order;
mod rules;
mod scopes;
mod templates;
mod values;
