//! Tensors that are equal under different names. Checksums and sizes say which may be; only bytes
//! that were compared say which are.

use std::collections::{BTreeMap, BTreeSet};

use super::pairs::Named;
use super::together::{Outcome, Pair, Together};
use super::{CompareError, Difference, Tolerance, What, compare_whole};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::source::CheckpointReader;
use crate::tensor::{DType, Region, Shape, TensorSpec};

/// Bytes that are read and summed at once.
const BLOCK: u64 = 256 << 10;

/// Groups of equal sums whose members are compared at most: there are never several unless
/// somebody made them so.
const MOST_ROUNDS: usize = 8;

/// Tensors of two checkpoints that have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Same {
    /// Those of the first one, with their shapes.
    pub left: Vec<(VariableName, TensorSpec)>,
    /// Those of the second one.
    pub right: Vec<(VariableName, TensorSpec)>,
}

impl Same {
    fn of(members: &[Member<'_>]) -> Self {
        let side = |wanted| -> Vec<(VariableName, TensorSpec)> {
            let members = members.iter().filter(|(side, ..)| *side == wanted);
            members.map(|(_, (name, of), _)| ((*name).clone(), of.spec.clone())).collect()
        };
        Self { left: side(Side::Left), right: side(Side::Right) }
    }

    /// Whether all of them have one shape too.
    pub fn is_of_one_shape(&self) -> bool {
        let mut specs = self.left.iter().chain(&self.right).map(|(_, spec)| spec);
        specs.next().is_none_or(|first| specs.all(|spec| spec == first))
    }
}

/// Where a tensor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

/// A tensor that has no equal of its name, and its sum.
type Member<'m> = (Side, Named<'m>, Crc);

/// What tensors that may be equal have in common.
type Key = (DType, Vec<u64>, u32);

/// Finds equal tensors among those that `differences` says have none of their name, and takes these
/// differences away.
pub(super) fn same(
    together: &Together<'_>,
    differences: &mut Vec<Difference>,
    unreadable: &BTreeSet<VariableName>,
) -> Result<Vec<Same>, CompareError> {
    let mut open: Vec<Member<'_>> = Vec::new();
    for difference in &*differences {
        let sides: &[Side] = match difference.what {
            What::OnlyLeft(_) => &[Side::Left],
            What::OnlyRight(_) => &[Side::Right],
            What::Spec { .. } | What::Values(_) => &[Side::Left, Side::Right],
        };
        for side in sides {
            let (reader, name) = match side {
                Side::Left => (together.left, &difference.name),
                Side::Right => {
                    (together.right, difference.right.as_ref().unwrap_or(&difference.name))
                }
            };
            let Some(named) = reader.catalog().variables.get_key_value(name) else { continue };
            if unreadable.contains(name) {
                continue;
            }
            open.push((*side, named, sum(reader, named)?));
        }
    }
    let mut found = Vec::new();
    // Zeros are equal whatever their shape: one is for those that have no equal of their own.
    let open = pair(together, open, |shape| shape.dims().to_vec(), &mut found)?;
    pair(together, open, |shape| vec![shape.elements()], &mut found)?;
    let paired = |side: fn(&Same) -> &Vec<(VariableName, TensorSpec)>| -> BTreeSet<&VariableName> {
        found.iter().flat_map(side).map(|(name, _)| name).collect()
    };
    let (left, right) = (paired(|same| &same.left), paired(|same| &same.right));
    differences.retain(|difference| {
        let of_right = difference.right.as_ref().unwrap_or(&difference.name);
        match difference.what {
            What::OnlyLeft(_) => !left.contains(&difference.name),
            What::OnlyRight(_) => !right.contains(of_right),
            What::Spec { .. } | What::Values(_) => {
                !left.contains(&difference.name) || !right.contains(of_right)
            }
        }
    });
    found.sort_by(|one, other| {
        one.left.first().map(|(name, _)| name).cmp(&other.left.first().map(|(name, _)| name))
    });
    Ok(found)
}

/// Adds to `found` those that are equal and alike in what `size` says of their shapes, and gives
/// the others.
fn pair<'m>(
    together: &Together<'_>,
    members: Vec<Member<'m>>,
    size: fn(&Shape) -> Vec<u64>,
    found: &mut Vec<Same>,
) -> Result<Vec<Member<'m>>, CompareError> {
    let mut groups: BTreeMap<Key, Vec<Member<'_>>> = BTreeMap::new();
    for member in members {
        let (_, (_, variable), sum) = member;
        let key = (variable.spec.dtype(), size(variable.spec.shape()), sum.masked());
        groups.entry(key).or_default().push(member);
    }
    let crosses = |members: &[Member<'_>]| {
        let has = |side| members.iter().any(|(of, ..)| *of == side);
        has(Side::Left) && has(Side::Right)
    };
    let mut rest = Vec::new();
    for mut group in groups.into_values() {
        for _ in 0..MOST_ROUNDS {
            if !crosses(&group) {
                break;
            }
            let (class, others) = class(together, group)?;
            if crosses(&class) {
                found.push(Same::of(&class));
            } else {
                rest.extend(class);
            }
            group = others;
        }
        rest.append(&mut group);
    }
    Ok(rest)
}

/// Those of a group that are equal to its first, and the others.
fn class<'m>(
    together: &Together<'_>,
    group: Vec<Member<'m>>,
) -> Result<(Vec<Member<'m>>, Vec<Member<'m>>), CompareError> {
    let mut group = group.into_iter();
    let (mut same, mut others) = (Vec::new(), Vec::new());
    let Some(first) = group.next() else { return Ok((same, others)) };
    same.push(first);
    let reader = |side| match side {
        Side::Left => together.left,
        Side::Right => together.right,
    };
    let (side, one, _) = first;
    for member in group {
        let (of, other, _) = member;
        let (left, right) = (reader(side), reader(of));
        let sides = Together { left, right, tolerance: Tolerance::EXACT, ..*together };
        let spec = &one.1.spec;
        let equal = if other.1.spec == *spec {
            let pair = Pair { spec, left: one.0, right: other.0 };
            matches!(sides.compare(&[pair])?.first(), Some(Outcome::Equal))
        } else {
            flat(&sides, one, other)?
        };
        if equal { same.push(member) } else { others.push(member) }
    }
    Ok((same, others))
}

/// Whether two tensors of different shapes have the same elements, read in step.
fn flat(together: &Together<'_>, left: Named<'_>, right: Named<'_>) -> Result<bool, CompareError> {
    if left.1.spec.bytes().is_none() {
        // Elements with lengths of their own cannot be asked for by region.
        let (left, right) = (together.left.read(left.0)?, together.right.read(right.0)?);
        return Ok(compare_whole(&left, &right).is_none());
    }
    let (mut one, mut other) = (Stream::new(left), Stream::new(right));
    loop {
        if together.progress.cancelled() {
            return Err(CompareError::Interrupted);
        }
        one.fill(together.left)?;
        other.fill(together.right)?;
        let len = one.bytes.len().min(other.bytes.len());
        if len == 0 {
            return Ok(one.bytes.len() == other.bytes.len());
        }
        if one.bytes.drain(..len).ne(other.bytes.drain(..len)) {
            return Ok(false);
        }
    }
}

/// The bytes of a tensor, one block after the other.
struct Stream<'s> {
    name: &'s VariableName,
    size: u64,
    blocks: Box<dyn Iterator<Item = Region> + 's>,
    bytes: Vec<u8>,
}

impl<'s> Stream<'s> {
    fn new((name, variable): Named<'s>) -> Self {
        let size = variable.spec.dtype().size().unwrap_or(1);
        let blocks = Box::new(Region::blocks(variable.spec.shape(), BLOCK / size));
        Self { name, size, blocks, bytes: Vec::new() }
    }

    /// Reads on where nothing is left.
    fn fill(&mut self, reader: &dyn CheckpointReader) -> Result<(), CompareError> {
        if self.bytes.is_empty()
            && let Some(region) = self.blocks.next()
        {
            let len = region.elements().saturating_mul(self.size);
            self.bytes.resize(usize::try_from(len).unwrap_or_default(), 0);
            reader.read_region(self.name, &region, &mut self.bytes)?;
        }
        Ok(())
    }
}

/// What the bytes of a sound tensor add up to in storage form.
fn sum(reader: &dyn CheckpointReader, named: Named<'_>) -> Result<Crc, CompareError> {
    let (name, variable) = named;
    if variable.spec.shape().elements() == 0 {
        // No strings at all are stored in more ways than one.
        return Ok(Crc::default());
    }
    if let Some((_, stored)) = reader.extent(name)? {
        return Ok(stored);
    }
    if variable.spec.bytes().is_none() {
        return Ok(reader.read(name)?.checksum());
    }
    let mut stream = Stream::new(named);
    let mut sum = Crc::default();
    loop {
        stream.fill(reader)?;
        if stream.bytes.is_empty() {
            return Ok(sum);
        }
        sum = sum.extend(&stream.bytes);
        stream.bytes.clear();
    }
}
