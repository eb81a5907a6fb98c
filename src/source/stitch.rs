//! Many parts, one tensor: where each part lies is proved once, then any region can be read.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::CheckpointReader;
use super::error::{SliceError, SourceError};
use crate::catalog::VariableName;
use crate::tensor::{Region, Shape, TensorSpec};

/// Work that is spent on proving that slices do not overlap. A million slices along one axis take
/// a fiftieth of it.
const MAX_STEPS: usize = 1 << 26;

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

    /// How many slices it is said to have.
    pub(super) fn slices(&self) -> usize {
        self.slices
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

    /// Whether the parts of several variables of the same spec are one whole variable.
    pub(super) fn fit(several: &[&Self]) -> bool {
        let regions = several.iter().flat_map(|one| one.regions.iter().cloned());
        let shape = several.first().map(|first| first.spec.shape());
        shape.is_some_and(|shape| partition(shape, &regions.collect::<Vec<_>>()).is_ok())
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

/// Proves that every element lies in exactly one of these regions of `shape`.
fn partition(shape: &Shape, regions: &[Region]) -> Result<(), SliceError> {
    let elements = shape.elements();
    disjoint(regions.iter().filter(|region| region.elements() > 0).collect())?;
    // Disjoint regions inside of it are all of it if there are enough elements in them.
    let there: u64 = regions.iter().map(Region::elements).sum();
    if there < elements {
        return Err(SliceError::Gap { missing: elements - there, elements });
    }
    Ok(())
}

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
        // Elements are numbered through all parts; the numbers are put together like values.
        const WIDTH: usize = size_of::<u64>();
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

/// Whether no two of these share an element. A plane that cuts through none of them leaves two
/// smaller questions; where there is none, each is compared with each.
fn disjoint(regions: Vec<&Region>) -> Result<(), SliceError> {
    let count = regions.len();
    let mut steps = 0;
    let mut spend = |work: usize| {
        steps += work;
        if steps > MAX_STEPS { Err(SliceError::Tangled(count)) } else { Ok(()) }
    };
    let mut open = vec![regions];
    while let Some(group) = open.pop() {
        if group.len() < 2 {
            continue;
        }
        spend(group.len())?;
        let rank = group.first().map_or(0, |region| region.start().len());
        if let Some(groups) = (0..rank).find_map(|axis| cut(&group, axis)) {
            open.extend(groups);
            continue;
        }
        spend(group.len() * group.len() / 2)?;
        for (number, region) in group.iter().enumerate() {
            if group.iter().take(number).any(|other| region.intersection(other).is_some()) {
                return Err(SliceError::Overlap);
            }
        }
    }
    Ok(())
}

/// The groups between planes across `axis` that cut through no region; `None` where no plane does.
fn cut<'r>(regions: &[&'r Region], axis: usize) -> Option<Vec<Vec<&'r Region>>> {
    let start = |region: &Region| region.start().get(axis).copied().unwrap_or_default();
    let end =
        |region: &Region| start(region) + region.size().get(axis).copied().unwrap_or_default();
    let mut sorted = regions.to_vec();
    sorted.sort_by_key(|region| start(region));
    let mut groups: Vec<Vec<&Region>> = Vec::new();
    let mut reach = 0;
    for region in sorted {
        match groups.last_mut() {
            Some(group) if start(region) < reach => group.push(region),
            _ => groups.push(vec![region]),
        }
        reach = reach.max(end(region));
    }
    (groups.len() > 1).then_some(groups)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::*;

    use super::*;

    fn regions(shape: &Shape, parts: &[&[Range<u64>]]) -> Vec<Region> {
        parts.iter().map(|ranges| Region::new(shape, ranges).unwrap()).collect()
    }

    /// The whole, where each part holds its elements' places in the whole.
    fn read(regions: &[Region], shape: &Shape, wanted: &Region) -> Vec<u8> {
        let mut out = vec![0xaa; usize::try_from(wanted.elements()).unwrap()];
        let read = |part: usize, region: &Region, out: &mut [u8]| {
            let mut content = Vec::new();
            let place = |at: u64, len: u64| {
                content.extend((at..at + len).map(|at| u8::try_from(at).unwrap()));
                Ok::<_, ()>(())
            };
            regions[part].for_each_run(shape, place).unwrap();
            let mut done = 0;
            region.for_each_run(&regions[part].shape().unwrap(), |at, len| {
                let (at, len) = (usize::try_from(at).unwrap(), usize::try_from(len).unwrap());
                out[done..done + len].copy_from_slice(&content[at..at + len]);
                done += len;
                Ok::<_, ()>(())
            })
        };
        Layout { regions }.read(wanted, 1, &mut out, read).unwrap();
        out
    }

    #[test]
    fn what_is_no_partition() {
        let shape = Shape::new([4, 2]).unwrap();
        let error =
            |parts: &[&[Range<u64>]]| partition(&shape, &regions(&shape, parts)).unwrap_err();
        let gap = SliceError::Gap { missing: 2, elements: 8 };
        assert_eq!(error(&[&[0..1, 0..2], &[2..4, 0..2]]), gap);
        assert_eq!(error(&[&[0..3, 0..2], &[2..4, 0..2]]), SliceError::Overlap);
        assert_eq!(error(&[&[0..4, 0..2], &[0..4, 0..2]]), SliceError::Overlap);
        // As many elements as there should be, but not all of them.
        let crossing: [&[Range<u64>]; 3] = [&[0..2, 0..2], &[1..3, 0..1], &[2..3, 1..2]];
        assert_eq!(error(&crossing), SliceError::Overlap);
        let whole = regions(&shape, &[&[0..3, 0..2], &[3..4, 0..2], &[2..2, 0..2]]);
        assert!(partition(&shape, &whole).is_ok());
        assert!(partition(&Shape::new([0, 2]).unwrap(), &[]).is_ok());
        assert!(partition(&Shape::scalar(), &regions(&Shape::scalar(), &[&[]])).is_ok());
    }

    /// Five parts around a middle one: no plane cuts through none of them.
    #[test]
    fn a_pinwheel_is_a_partition() {
        let shape = Shape::new([3, 3]).unwrap();
        let parts: [&[Range<u64>]; 5] =
            [&[0..1, 0..2], &[0..2, 2..3], &[2..3, 1..3], &[1..3, 0..1], &[1..2, 1..2]];
        let parts = regions(&shape, &parts);
        partition(&shape, &parts).unwrap();
        assert_eq!(read(&parts, &shape, &Region::whole(&shape)), (0..9).collect::<Vec<u8>>());
    }

    #[test]
    fn many_slices_are_told_apart_quickly_or_refused() {
        let rows = Shape::new([1 << 18, 2]).unwrap();
        let row = |row: u64| Region::new(&rows, &[row..row + 1, 0..2]).unwrap();
        let mut parts: Vec<Region> = (0..1 << 18).map(row).collect();
        assert!(partition(&rows, &parts).is_ok());
        parts.push(Region::whole(&rows));
        let error = partition(&rows, &parts).unwrap_err();
        assert_eq!(error, SliceError::Tangled((1 << 18) + 1));
    }

    /// A box cut at random: which axis, and where.
    fn cuts() -> impl Strategy<Value = (Vec<u64>, Vec<(usize, usize, u64)>)> {
        let dims = proptest::collection::vec(1..6_u64, 1..4);
        dims.prop_flat_map(|dims| {
            let rank = dims.len();
            (Just(dims), proptest::collection::vec((0..16_usize, 0..rank, 0..6_u64), 0..8))
        })
    }

    proptest! {
        #[test]
        fn any_region_of_any_partition((dims, cuts) in cuts(), corner in any::<[u64; 6]>()) {
            let shape = Shape::new(dims.clone()).unwrap();
            let mut parts: Vec<Vec<Range<u64>>> = vec![dims.iter().map(|&dim| 0..dim).collect()];
            for (which, axis, at) in cuts {
                let which = which % parts.len();
                let range = parts[which][axis].clone();
                let at = range.start + at.min(range.end - range.start);
                let mut other = parts[which].clone();
                other[axis] = at..range.end;
                parts[which][axis] = range.start..at;
                parts.push(other);
            }
            let slices: Vec<&[Range<u64>]> = parts.iter().map(Vec::as_slice).collect();
            let mut regions = regions(&shape, &slices);
            partition(&shape, &regions).unwrap();
            let ranges: Vec<Range<u64>> = dims.iter().enumerate().map(|(axis, &dim)| {
                let start = corner[axis] % dim;
                start..start + 1 + corner[axis + 3] % (dim - start)
            }).collect();
            let wanted = Region::new(&shape, &ranges).unwrap();
            let mut expected = Vec::new();
            wanted.for_each_run(&shape, |at, len| {
                expected.extend((at..at + len).map(|at| u8::try_from(at).unwrap()));
                Ok::<_, ()>(())
            }).unwrap();
            prop_assert_eq!(read(&regions, &shape, &wanted), expected);
            regions.push(wanted);
            prop_assert_eq!(partition(&shape, &regions).unwrap_err(), SliceError::Overlap);
        }
    }
}
