//! Many parts, one tensor: where each part lies is proved once, then any region can be read.

mod partition;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::convert::Infallible;

use partition::partition;

use super::CheckpointReader;
use super::error::{SliceError, SourceError};
use crate::catalog::VariableName;
use crate::tensor::{Region, Shape, TensorSpec};

/// Variables that cannot be read are named up to this number.
const MAX_NOTED: usize = 5;

/// A variable in parts. What is wrong with them is told when it is asked for.
#[derive(Debug)]
pub(super) struct Stitched<P> {
    /// What it is as a whole.
    pub(super) spec: TensorSpec,
    /// What each part is read from.
    pub(super) parts: Vec<P>,
    regions: Vec<Region>,
    slices: usize,
    flaw: Option<SliceError>,
}

impl<P> Stitched<P> {
    /// A variable whose parts lie there; the first that is wrong spoils it.
    pub(super) fn new(
        spec: &TensorSpec,
        parts: impl IntoIterator<Item = Result<(Region, P), SliceError>>,
    ) -> Self {
        let mut stitched = Self {
            spec: spec.clone(),
            parts: Vec::new(),
            regions: Vec::new(),
            slices: 0,
            flaw: None,
        };
        for part in parts {
            stitched.slices += 1;
            match part {
                Ok((region, part)) => {
                    stitched.regions.push(region);
                    stitched.parts.push(part);
                }
                Err(error) => {
                    stitched.flaw.get_or_insert(error);
                }
            }
        }
        if stitched.flaw.is_none() {
            stitched.flaw = partition(spec.shape(), &stitched.regions).err();
        }
        stitched
    }

    /// A variable of so many slices that cannot be put together.
    pub(super) fn flawed(spec: &TensorSpec, slices: usize, flaw: SliceError) -> Self {
        let (parts, regions) = (Vec::new(), Vec::new());
        Self { spec: spec.clone(), parts, regions, slices, flaw: Some(flaw) }
    }

    /// How many slices it is said to have.
    pub(super) fn slices(&self) -> usize {
        self.slices
    }

    /// Rows of each part, if it is cut along its first axis alone; else none.
    pub(super) fn rows(&self) -> Vec<u64> {
        let whole = Region::whole(self.spec.shape());
        let along =
            |region: &Region| match (region.size().split_first(), whole.size().split_first()) {
                (Some((rows, rest)), Some((_, all))) if rest == all => {
                    Some((region.start().first().copied()?, *rows))
                }
                _ => None,
            };
        let parts: Option<Vec<(u64, u64)>> = self.regions.iter().map(along).collect();
        let mut parts = parts.filter(|parts| parts.len() > 1).unwrap_or_default();
        parts.sort_unstable();
        parts.into_iter().map(|(_, rows)| rows).collect()
    }

    /// Bytes of an element, if they have a fixed number and `out` is room for just this part.
    pub(super) fn width(&self, region: &Region, out: &[u8]) -> Option<usize> {
        let width = self.spec.dtype().size()?;
        let fits = region.fits(self.spec.shape()) && region.elements() * width == out.len() as u64;
        usize::try_from(width).ok().filter(|_| fits)
    }

    /// Whether its parts are sound and only too few.
    pub(super) fn has_gaps(&self) -> bool {
        matches!(self.flaw, Some(SliceError::Gap { .. }))
    }

    /// Its parts, numbered in the order in which they lie.
    pub(super) fn numbering(&self) -> Numbering<'_> {
        let mut places: Vec<_> =
            self.regions.iter().map(|region| (region.start(), region.size())).collect();
        places.sort_unstable();
        Numbering(places.into_iter().zip(0..).collect())
    }

    /// Which parts of another variable its own are; `None` where one is none of them.
    pub(super) fn numbers_in(&self, other: &Numbering<'_>) -> Option<Vec<usize>> {
        let number = |region: &Region| other.0.get(&(region.start(), region.size())).copied();
        self.regions.iter().map(number).collect()
    }

    /// Whether the parts of several variables are one whole variable, of one spec.
    pub(super) fn fit(several: &[&Self]) -> bool {
        let regions = several.iter().flat_map(|one| one.regions.iter().cloned());
        let Some(spec) = several.first().map(|first| &first.spec) else { return false };
        several.iter().all(|one| one.spec == *spec)
            && partition(spec.shape(), &regions.collect::<Vec<_>>()).is_ok()
    }

    /// The one variable they are, which [`fit`](Self::fit) found.
    pub(super) fn joined(several: Vec<Self>) -> Option<Self> {
        let mut several = several.into_iter();
        let mut joined = several.next()?;
        for one in several {
            joined.parts.extend(one.parts);
            joined.regions.extend(one.regions);
            joined.slices += one.slices;
        }
        joined.flaw = partition(joined.spec.shape(), &joined.regions).err();
        Some(joined)
    }

    /// Where its parts lie, if they are all of it.
    pub(super) fn layout(&self) -> Result<Layout<'_>, Box<SliceError>> {
        match &self.flaw {
            Some(flaw) => Err(Box::new(flaw.clone())),
            None => Ok(Layout { regions: &self.regions }),
        }
    }
}

/// All of a variable of a fixed-size type, which has `len` bytes. Its sums are checked first: then
/// all the bytes are there that memory is taken for.
pub(super) fn whole(
    reader: &dyn CheckpointReader,
    name: &VariableName,
    spec: &TensorSpec,
    len: u64,
) -> Result<Vec<u8>, SourceError> {
    reader.verify(name, &|_| ())?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    reader.read_region(name, &Region::whole(spec.shape()), &mut bytes)?;
    Ok(bytes)
}

/// Which variables cannot be read because of their parts, in sentences: the first few, and how many
/// more there are.
pub(super) fn flaws<P>(variables: &BTreeMap<VariableName, Stitched<P>>) -> Vec<String> {
    let mut flawed =
        variables.iter().filter_map(|(name, variable)| Some((name, variable.flaw.as_ref()?)));
    let first = flawed.by_ref().take(MAX_NOTED);
    let mut notes: Vec<String> =
        first.map(|(name, flaw)| format!("`{name}` cannot be read: {flaw}")).collect();
    let more = flawed.count();
    notes.extend((more > 0).then(|| format!("{more} more variables cannot be read, likewise")));
    notes
}

/// The parts of a variable by where they lie.
#[derive(Debug)]
pub(super) struct Numbering<'r>(BTreeMap<(&'r [u64], &'r [u64]), usize>);

/// Where the parts of a variable lie.
///
/// Invariant: every element lies in exactly one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'r> {
    regions: &'r [Region],
}

impl Layout<'_> {
    /// Fills `out`, elements of `width` bytes, with the part `wanted` of the whole. `read` gives a
    /// region of one part, by the part's number and counted from where the part starts.
    ///
    /// `out` must be as long as `wanted` is large.
    pub(super) fn read<E>(
        &self,
        wanted: &Region,
        width: usize,
        out: &mut [u8],
        mut read: impl FnMut(usize, &Region, &mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Ok(shape) = wanted.shape() else { return Ok(()) };
        let mut buffer = Vec::new();
        for (number, region) in self.regions.iter().enumerate() {
            let Some(shared) = wanted.intersection(region) else { continue };
            let (Some(part), Some(place)) =
                (shared.relative_to(region), shared.relative_to(wanted))
            else {
                continue;
            };
            let bytes = |elements: u64| usize::try_from(elements).unwrap_or(usize::MAX) * width;
            let whole = place.for_each_run(&shape, |at, len| Err(bytes(at)..bytes(at + len)));
            let len = bytes(part.elements());
            if let Err(run) = whole
                && run.len() == len
                && let Some(run) = out.get_mut(run)
            {
                read(number, &part, run)?;
                continue;
            }
            buffer.resize(len, 0);
            read(number, &part, &mut buffer)?;
            let mut rest = buffer.as_slice();
            let Ok(()) = place.for_each_run(&shape, |at, len| {
                if let Some(into) = out.get_mut(bytes(at)..bytes(at + len))
                    && let Some((from, after)) = rest.split_at_checked(into.len())
                {
                    into.copy_from_slice(from);
                    rest = after;
                }
                Ok::<(), Infallible>(())
            });
        }
        Ok(())
    }

    /// The elements of the whole, where each has a length of its own: `parts` holds those of each
    /// part in its row-major order.
    pub(super) fn elements<'e>(&self, shape: &Shape, parts: &[Vec<&'e [u8]>]) -> Vec<&'e [u8]> {
        const WIDTH: usize = size_of::<u64>();
        if let [only] = parts {
            return only.clone();
        }
        // Elements are numbered through all parts; the numbers are put together like values.
        let mut firsts = Vec::with_capacity(parts.len());
        let mut count = 0;
        for part in parts {
            firsts.push(count as u64);
            count += part.len();
        }
        let mut numbers = vec![0; count * WIDTH];
        let Ok(()) = self.read(&Region::whole(shape), WIDTH, &mut numbers, |part, region, out| {
            let base = firsts.get(part).copied().unwrap_or_default();
            let of = self.regions.get(part).and_then(|region| region.shape().ok());
            let mut slots = out.chunks_exact_mut(WIDTH);
            region.for_each_run(&of.unwrap_or_default(), |at, len| {
                for number in base + at..base + at + len {
                    if let Some(slot) = slots.next() {
                        slot.copy_from_slice(&number.to_ne_bytes());
                    }
                }
                Ok::<(), Infallible>(())
            })
        });
        let all: Vec<&[u8]> = parts.iter().flatten().copied().collect();
        let (numbers, _) = numbers.as_chunks::<WIDTH>();
        let element = |number: &[u8; WIDTH]| {
            let number = usize::try_from(u64::from_ne_bytes(*number)).ok()?;
            all.get(number).copied()
        };
        numbers.iter().filter_map(element).collect()
    }
}
