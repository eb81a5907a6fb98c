//! Whether regions are a partition: every element in exactly one of them.

use crate::source::error::SliceError;
use crate::tensor::{Region, Shape};

/// Comparisons along one axis that are spent on proving that the slices of a variable do not
/// overlap. A million slices along one of four axes take a quarter of it.
const MAX_STEPS: usize = 1 << 24;

/// Proves that every element lies in exactly one of these regions of `shape`.
pub(super) fn partition(shape: &Shape, regions: &[Region]) -> Result<(), SliceError> {
    let elements = shape.elements();
    disjoint(regions.iter().filter(|region| region.elements() > 0).collect())?;
    // Disjoint regions inside of it are all of it if there are enough elements in them.
    let there: u64 = regions.iter().map(Region::elements).sum();
    if there < elements {
        return Err(SliceError::Gap { missing: elements - there, elements });
    }
    Ok(())
}

/// Whether no two of these share an element. A plane that cuts through none of them leaves two
/// smaller questions; where there is none, each is compared with each.
fn disjoint(regions: Vec<&Region>) -> Result<(), SliceError> {
    let count = regions.len();
    let mut steps = 0;
    let mut spend = |work: usize| {
        steps = work.saturating_add(steps);
        if steps > MAX_STEPS { Err(SliceError::Tangled(count)) } else { Ok(()) }
    };
    let mut open = vec![regions];
    while let Some(group) = open.pop() {
        if group.len() < 2 {
            continue;
        }
        let rank = group.first().map_or(0, |region| region.start().len());
        spend(group.len().saturating_mul(rank))?;
        if let Some(groups) = (0..rank).find_map(|axis| cut(&group, axis)) {
            open.extend(groups);
            continue;
        }
        spend((group.len() * group.len() / 2).saturating_mul(rank.max(1)))?;
        for (number, region) in group.iter().enumerate() {
            if group.iter().take(number).any(|other| region.overlaps(other)) {
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
