//! Tensors that are equal under different names. Checksums and sizes say which may be; only bytes
//! that were compared say which are.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{self, Tensors};
use super::together::{Outcome, Pair, Together};
use super::{CompareError, Difference, Tolerance, What, flat};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::tensor::{DType, Shape, TensorSpec};

/// Groups of equal sums whose members are compared at most: there are never several unless
/// somebody made them so.
const MOST_ROUNDS: usize = 8;

/// Tensors of two checkpoints that have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Same {
    /// Those of the first one.
    pub left: Vec<Keyed>,
    /// Those of the second one.
    pub right: Vec<Keyed>,
}

/// A tensor with all of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed {
    /// The key it goes by.
    pub name: VariableName,
    /// Further keys that the same checkpoint has for the same bytes, as `convert --keep-names`
    /// leaves them.
    pub further: Vec<VariableName>,
    /// Its dtype and shape.
    pub spec: TensorSpec,
}

impl Same {
    fn of(members: Vec<Member>) -> Self {
        let (left, right): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| member.side == Side::Left);
        let tensors = |side: Vec<Member>| side.into_iter().map(|member| member.tensor).collect();
        Self { left: tensors(left), right: tensors(right) }
    }

    /// Whether all of them have one shape too.
    pub fn is_of_one_shape(&self) -> bool {
        let mut specs = self.left.iter().chain(&self.right).map(|tensor| &tensor.spec);
        specs.next().is_none_or(|first| specs.all(|spec| spec == first))
    }
}

/// Where a tensor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

/// A tensor that has no equal of its name.
struct Member {
    side: Side,
    tensor: Keyed,
    sum: Crc,
}

/// What tensors that may be equal have in common.
type Key = (DType, Vec<u64>, u32);

/// Finds equal tensors among those that `differences` says have none of their name, and takes these
/// differences away. `equal` are those that have one.
pub(super) fn same(
    together: &Together<'_>,
    equal: &[Pair<'_>],
    differences: &mut Vec<Difference>,
    unreadable: &BTreeSet<VariableName>,
) -> Result<Vec<Same>, CompareError> {
    let Tensors { mut found, open } = keys::tensors(together, equal, differences, unreadable);
    let member = |(side, tensor): (Side, Keyed)| {
        let sum = flat::sum(together.reader(side), &tensor, together.progress)?;
        Ok(Member { side, tensor, sum })
    };
    let open = open.into_iter().map(member).collect::<Result<Vec<_>, CompareError>>()?;
    // Zeros are equal whatever their shape: one is for those that have no equal of their own.
    let open = pair(together, open, |shape| shape.dims().to_vec(), &mut found)?;
    pair(together, open, |shape| vec![shape.elements()], &mut found)?;
    take_away(&found, differences);
    found.sort_by(|one, other| {
        let first = |same: &Same| same.left.first().map(|tensor| tensor.name.clone());
        first(one).cmp(&first(other))
    });
    Ok(found)
}

/// Adds to `found` those that are equal and alike in what `size` says of their shapes, and gives
/// the others.
fn pair(
    together: &Together<'_>,
    members: Vec<Member>,
    size: fn(&Shape) -> Vec<u64>,
    found: &mut Vec<Same>,
) -> Result<Vec<Member>, CompareError> {
    let mut groups: BTreeMap<Key, Vec<Member>> = BTreeMap::new();
    for member in members {
        let spec = &member.tensor.spec;
        let key = (spec.dtype(), size(spec.shape()), member.sum.masked());
        groups.entry(key).or_default().push(member);
    }
    let crosses = |members: &[Member]| {
        let has = |side| members.iter().any(|member| member.side == side);
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
                found.push(Same::of(class));
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
fn class(
    together: &Together<'_>,
    group: Vec<Member>,
) -> Result<(Vec<Member>, Vec<Member>), CompareError> {
    let mut group = group.into_iter();
    let (mut same, mut others) = (Vec::new(), Vec::new());
    let Some(first) = group.next() else { return Ok((same, others)) };
    for member in group {
        let sides = Together {
            left: together.reader(first.side),
            right: together.reader(member.side),
            tolerance: Tolerance::EXACT,
            ..*together
        };
        let (one, other) = (&first.tensor, &member.tensor);
        let equal = if one.spec == other.spec {
            let pair = Pair { spec: &one.spec, left: &one.name, right: &other.name };
            matches!(sides.compare(&[pair])?.first(), Some(Outcome::Equal))
        } else {
            flat::equal(&sides, one, other)?
        };
        if equal { same.push(member) } else { others.push(member) }
    }
    same.insert(0, first);
    Ok((same, others))
}

/// Takes away the differences of tensors that were found.
fn take_away(found: &[Same], differences: &mut Vec<Difference>) {
    let keys = |side: fn(&Same) -> &Vec<Keyed>| -> BTreeSet<&VariableName> {
        let tensors = found.iter().flat_map(side);
        tensors.flat_map(|tensor| std::iter::once(&tensor.name).chain(&tensor.further)).collect()
    };
    let (left, right) = (keys(|same| &same.left), keys(|same| &same.right));
    differences.retain(|difference| {
        let (of_left, of_right) = difference.names();
        match difference.what {
            What::OnlyLeft(_) => !left.contains(of_left),
            What::OnlyRight(_) => !right.contains(of_right),
            What::Spec { .. } | What::Values(_) => {
                !left.contains(of_left) || !right.contains(of_right)
            }
        }
    });
}
