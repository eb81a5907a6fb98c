//! The program as people use it: a fresh directory, a command, and everything it says.

mod batch;
mod by_content;
mod check;
mod completions;
mod convert;
mod damage;
mod data;
mod diff;
mod examples;
mod further_keys;
mod graph;
mod harness;
mod hostile;
mod html;
mod interrupt;
mod json;
mod list;
mod mappings;
mod problems;
mod rewrite;
mod scopes;
mod show;
mod suggest;
mod template;
mod typed;
mod verify;
