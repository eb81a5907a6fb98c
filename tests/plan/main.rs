//! What rules make of a checkpoint, sentence by sentence of the rule file's reference.
//!
//! Each test is a rule file, the variables of a checkpoint, and the plan or the problems in short.

mod averages;
mod cells;
mod first;
mod fit;
mod fresh;
mod harness;
mod include;
mod joins;
mod mistakes;
mod names;
mod optimizers;
mod order;
mod rules;
mod scopes;
mod slots;
mod templates;
mod values;
