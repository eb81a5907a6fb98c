//! A value as something that can be read in parts: the source's variable at the bottom, a layer
//! for each transform on top.

use super::Inputs;
use crate::catalog::VariableName;
use crate::plan::Value;
use crate::source::CheckpointReader;
use crate::tensor::{Constant, Region, TensorSpec};
use crate::transform::{Op, Regions, TransformError};

/// The value's parts, on demand.
pub(crate) fn regions<'v>(
    value: &'v Value,
    inputs: &Inputs<'v>,
) -> Result<Box<dyn Regions + 'v>, TransformError> {
    Ok(match value {
        Value::Variable(_) | Value::Template(_) => {
            let missing = || TransformError::Input("there is no checkpoint to read it from".into());
            let (reader, name) = inputs.stored(value).ok_or_else(missing)?;
            let variable = reader.catalog().variables.get(name);
            let missing = || TransformError::Input(format!("there is no `{name}`").into());
            Box::new(Stored { reader, name, spec: &variable.ok_or_else(missing)?.spec })
        }
        Value::Constant(constant) => Box::new(Uniform(constant)),
        Value::Apply(transform, of) => {
            let input = regions(of, inputs)?;
            let spec = transform.op().infer(input.spec())?;
            Box::new(Applied { op: transform.op(), input, spec })
        }
    })
}

struct Stored<'v> {
    reader: &'v dyn CheckpointReader,
    name: &'v VariableName,
    spec: &'v TensorSpec,
}

impl Regions for Stored<'_> {
    fn spec(&self) -> &TensorSpec {
        self.spec
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        let read = self.reader.read_region(self.name, region, out);
        read.map_err(|error| TransformError::Input(error.into()))
    }
}

struct Uniform<'v>(&'v Constant);

impl Regions for Uniform<'_> {
    fn spec(&self) -> &TensorSpec {
        self.0.spec()
    }

    fn read(&mut self, _: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        for element in out.chunks_exact_mut(self.0.element().len().max(1)) {
            element.copy_from_slice(self.0.element());
        }
        Ok(())
    }
}

struct Applied<'v> {
    op: &'v dyn Op,
    input: Box<dyn Regions + 'v>,
    spec: TensorSpec,
}

impl Regions for Applied<'_> {
    fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        self.op.pull(region, self.input.as_mut(), out)
    }
}
