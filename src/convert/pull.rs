//! A value as something that can be read in parts: the source's variable at the bottom, a layer
//! for each transform on top.

use super::{Inputs, Loaded};
use crate::catalog::VariableName;
use crate::plan::{Value, joined};
use crate::source::CheckpointReader;
use crate::tensor::{Constant, Region, TensorSpec};
use crate::transform::{Op, Regions, TransformError};

/// The value's parts, on demand; variables that are in memory are not read again.
pub(crate) fn regions<'v>(
    value: &'v Value,
    inputs: &Inputs<'v>,
    loaded: &'v Loaded<'_>,
) -> Result<Box<dyn Regions + 'v>, TransformError> {
    Ok(match value {
        Value::Variable(_) | Value::Template(_) => {
            let missing = || TransformError::Input("there is no checkpoint to read it from".into());
            let (reader, name) = inputs.stored(value).ok_or_else(missing)?;
            let variable = reader.catalog().variables.get(name);
            let missing = || TransformError::Input(format!("there is no `{name}`").into());
            let spec = &variable.ok_or_else(missing)?.spec;
            match loaded.get(inputs, (reader, name)) {
                Some(bytes) => Box::new(InMemory { spec, bytes }),
                None => Box::new(Stored { reader, name, spec }),
            }
        }
        Value::Constant(constant) => Box::new(Uniform(constant)),
        Value::Apply(transform, of) => {
            let input = regions(of, inputs, loaded)?;
            let spec = transform.op().infer(input.spec())?;
            Box::new(Applied { op: transform.op(), input, spec })
        }
        Value::Concat { axis, parts } => {
            let parts: Result<Vec<_>, _> =
                parts.iter().map(|part| regions(part, inputs, loaded)).collect();
            Box::new(Joined::new(*axis, parts?)?)
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

struct InMemory<'v> {
    spec: &'v TensorSpec,
    bytes: &'v [u8],
}

impl Regions for InMemory<'_> {
    fn spec(&self) -> &TensorSpec {
        self.spec
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        let wrong = || TransformError::Input("a block of no fixed size".into());
        let size = self.spec.dtype().size().ok_or_else(wrong)?;
        let mut rest = out;
        region.for_each_run(self.spec.shape(), |first, count| {
            let (start, len) = (usize::try_from(first * size), usize::try_from(count * size));
            let (Ok(start), Ok(len)) = (start, len) else { return Err(wrong()) };
            let (run, after) =
                std::mem::take(&mut rest).split_at_mut_checked(len).ok_or_else(wrong)?;
            run.copy_from_slice(self.bytes.get(start..start + len).ok_or_else(wrong)?);
            rest = after;
            Ok(())
        })
    }

    fn whole(&self) -> Option<&[u8]> {
        Some(self.bytes)
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

/// Values one after the other along an axis.
struct Joined<'v> {
    /// Each with the box of the whole that it fills.
    parts: Vec<(Region, Box<dyn Regions + 'v>)>,
    spec: TensorSpec,
}

impl<'v> Joined<'v> {
    fn new(axis: usize, parts: Vec<Box<dyn Regions + 'v>>) -> Result<Self, TransformError> {
        let wrong = || TransformError::Input("its parts do not go together".into());
        let specs: Vec<TensorSpec> = parts.iter().map(|part| part.spec().clone()).collect();
        let spec = joined(axis, &specs).map_err(|reason| TransformError::Input(reason.into()))?;
        let mut at = 0;
        let mut placed = Vec::new();
        for part in parts {
            let mut ranges: Vec<_> = part.spec().shape().dims().iter().map(|&dim| 0..dim).collect();
            let range = ranges.get_mut(axis).ok_or_else(wrong)?;
            *range = at..at + range.end;
            at = range.end;
            placed.push((Region::new(spec.shape(), &ranges).ok_or_else(wrong)?, part));
        }
        Ok(Self { parts: placed, spec })
    }
}

impl Regions for Joined<'_> {
    fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        let wrong = || TransformError::Input("a block of no fixed size".into());
        let size = self.spec.dtype().size().ok_or_else(wrong)?;
        let into = region.shape().map_err(|error| TransformError::Input(error.into()))?;
        for (place, part) in &mut self.parts {
            let Some(shared) = region.intersection(place) else { continue };
            let (from, to) = (shared.relative_to(place), shared.relative_to(region));
            let (from, to) = (from.ok_or_else(wrong)?, to.ok_or_else(wrong)?);
            let bytes = usize::try_from(shared.elements() * size).map_err(|_| wrong())?;
            let mut block = vec![0; bytes];
            part.read(&from, &mut block)?;
            let mut rest = block.as_slice();
            to.for_each_run(&into, |offset, len| {
                let (start, len) = (usize::try_from(offset * size), usize::try_from(len * size));
                let (Ok(start), Ok(len)) = (start, len) else { return Err(wrong()) };
                let (run, after) = rest.split_at_checked(len).ok_or_else(wrong)?;
                out.get_mut(start..start + len).ok_or_else(wrong)?.copy_from_slice(run);
                rest = after;
                Ok(())
            })?;
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

    fn whole(&self) -> Option<&[u8]> {
        let lies = self.op.stretch(self.input.spec())?;
        let (start, end) = (usize::try_from(lies.start).ok()?, usize::try_from(lies.end).ok()?);
        self.input.whole()?.get(start..end)
    }
}
