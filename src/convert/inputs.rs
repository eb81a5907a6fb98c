//! What a plan reads from.

use crate::catalog::{Variable, VariableName};
use crate::plan::Value;
use crate::source::CheckpointReader;
use crate::tensor::TensorSpec;

/// What a plan reads from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The checkpoint that is converted.
    pub source: &'a dyn CheckpointReader,
    /// The template, if there is one.
    pub template: Option<&'a dyn CheckpointReader>,
}

/// A variable that stands in one of the two, and who reads it.
pub(crate) type Stored<'a, 'v> = (&'a dyn CheckpointReader, &'v VariableName);

impl<'a> Inputs<'a> {
    /// The stored variable at the bottom of a value, and who reads it; `None` for a constant.
    pub(crate) fn stored<'v>(&self, value: &'v Value) -> Option<Stored<'a, 'v>> {
        match value {
            Value::Variable(name) => Some((self.source, name)),
            Value::Template(name) => Some((self.template?, name)),
            Value::Constant(_) => None,
            Value::Apply(_, of) => self.stored(of),
            Value::Concat { parts, .. } => parts.iter().find_map(|part| self.stored(part)),
        }
    }

    /// Every stored variable of a value, first to last.
    pub(crate) fn all_stored<'v>(&self, value: &'v Value) -> Vec<Stored<'a, 'v>> {
        match value {
            Value::Concat { parts, .. } => {
                parts.iter().flat_map(|part| self.all_stored(part)).collect()
            }
            Value::Apply(_, of) => self.all_stored(of),
            _ => self.stored(value).into_iter().collect(),
        }
    }

    /// The stored variable whose bytes, all of them in their order, are the value.
    pub(crate) fn taken_over<'v>(&self, value: &'v Value) -> Option<Stored<'a, 'v>> {
        match value {
            Value::Variable(_) | Value::Template(_) => self.stored(value),
            Value::Apply(transform, of) => {
                let stored = self.taken_over(of)?;
                let spec = self.spec(of)?;
                (transform.op().stretch(&spec)? == (0..spec.bytes()?)).then_some(stored)
            }
            Value::Constant(_) | Value::Concat { .. } => None,
        }
    }

    /// What a value is.
    pub(crate) fn spec(&self, value: &Value) -> Option<TensorSpec> {
        value.spec(&|leaf| Some(self.variable(leaf)?.spec.clone())).ok()
    }

    /// What is known of the variable at the bottom of a value.
    pub(super) fn variable(&self, value: &Value) -> Option<&'a Variable> {
        let (reader, name) = self.stored(value)?;
        reader.catalog().variables.get(name)
    }

    /// Whether it is the source that reads.
    pub(super) fn is_source(&self, reader: &dyn CheckpointReader) -> bool {
        std::ptr::addr_eq(reader, self.source)
    }
}
