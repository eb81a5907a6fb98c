//! Series of names that differ in numbers, and layers in an order that no number tells.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Cut;
use super::side::{Side, size};

/// Members of a series: how many must differ for its order to be told by sizes alone.
const RIGID: usize = 3;

/// Items that one layer of many has at least, so that their order in a graph is that of the layers.
const BLOCK: usize = 6;

/// How much a series is worth whose order somebody else may have seen in another way.
pub(super) const DOUBTFUL: f64 = 0.5;

/// Items of each member, by the numbers that tell it.
type Members<'m> = BTreeMap<&'m [u64], Vec<usize>>;

/// Dtypes and numbers of elements.
pub(super) type Sizes = Vec<(i32, u64)>;

/// Items of a layer, and where they stand in an order.
type Placed = (usize, Vec<usize>);

/// A series of one side.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// What its members are called, with marks for their numbers.
    pub(super) called: String,
    /// Items of each member.
    pub(super) members: Vec<Vec<usize>>,
    /// How many numbers tell a member.
    pub(super) numbers: usize,
    /// Whether its order need not be that of any layers: positions in a graph, order of creation.
    pub(super) loose: bool,
    /// Whether a program counted its members.
    pub(super) counted: bool,
    /// Whether it may be laid along a part of a longer one.
    pub(super) partial: bool,
    /// Whether it is one only among those that have all earlier numbers in common.
    pub(super) local: bool,
    /// How much it is worth.
    pub(super) trust: f64,
    /// Sizes of each member.
    pub(super) sizes: Vec<Sizes>,
}

/// Places in the graph of objects, which follow neither names nor creation.
pub(super) const LOOSE: &[&str] =
    &["layer_with_weights-#", "layer-#", "_operations/#", "_layers/#"];

/// An order in which a side's items can be gone through.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// What it is called.
    pub(super) called: &'static str,
    /// The items.
    pub(super) items: Vec<usize>,
}

impl Series {
    /// Every series of numbered names among items that are wanted.
    pub(super) fn of(side: &Side, wanted: &dyn Fn(usize) -> bool) -> Vec<Self> {
        let mut found: BTreeMap<&str, (&Cut, Members<'_>)> = BTreeMap::new();
        for (at, item) in side.items.iter().enumerate().filter(|(at, _)| wanted(*at)) {
            for cut in &item.cuts {
                let (_, members) =
                    found.entry(&cut.series).or_insert_with(|| (cut, BTreeMap::new()));
                members.entry(&cut.index).or_default().push(at);
            }
        }
        let mut known: BTreeSet<(bool, bool, Vec<Vec<usize>>)> = BTreeSet::new();
        let mut all = Vec::new();
        for (called, (cut, members)) in found {
            if members.len() < 2 {
                continue;
            }
            let numbers = varying(members.keys().copied());
            let members: Vec<Vec<usize>> = members.into_values().collect();
            let items = || members.iter().flatten().filter_map(|at| side.items.get(*at));
            let in_graph = LOOSE.iter().any(|mark| called.contains(mark));
            let blocks = items().all(|item| {
                let block = item.block.and_then(|block| side.below.get(&block));
                block.is_some_and(|items| items.len() >= BLOCK)
            });
            // A full name tells when a layer was made, which need not be where it is called.
            let made =
                cut.counted && cut.is_full_name() && items().any(|item| item.block.is_none());
            let loose = (in_graph && !blocks) || made;
            let trust = if in_graph || made { DOUBTFUL } else { 1.0 };
            // The same members in the same order under another name are the same series.
            if !known.insert((loose, trust < 1.0, members.clone())) {
                continue;
            }
            all.push(Self {
                called: called.to_owned(),
                numbers,
                loose,
                counted: cut.counted,
                partial: cut.counted || in_graph,
                local: cut.local,
                trust,
                sizes: members.iter().map(|items| sizes(side, items)).collect(),
                members,
            });
        }
        all
    }

    /// Layers with the same sort of variables, in an order that no number tells.
    pub(super) fn ordered(side: &Side, order: &Order, wanted: &dyn Fn(usize) -> bool) -> Vec<Self> {
        let mut layers: BTreeMap<u32, (usize, Vec<usize>)> = BTreeMap::new();
        for (place, item) in order.items.iter().enumerate().filter(|(_, item)| wanted(**item)) {
            let Some(layer) = side.items.get(*item).and_then(|item| item.layers.first()) else {
                continue;
            };
            layers.entry(*layer).or_insert_with(|| (place, Vec::new())).1.push(*item);
        }
        let mut sorts: BTreeMap<(Vec<_>, usize), Vec<Placed>> = BTreeMap::new();
        for (place, items) in layers.into_values() {
            let items_of = || items.iter().filter_map(|at| side.items.get(*at));
            let roles: BTreeSet<_> = items_of().map(|item| item.role).collect();
            // What slim adds and what it leaves out: kernels alone say which layers are alike.
            let telling = items_of().filter(|item| item.tells());
            let rank = telling.map(|item| item.dims().len()).max().unwrap_or(0);
            let sort = if rank > 0 { Vec::new() } else { roles.into_iter().collect() };
            sorts.entry((sort, rank)).or_default().push((place, items));
        }
        let lists = sorts.into_iter().filter(|(_, layers)| layers.len() > 1);
        lists
            .map(|(_, mut layers)| {
                layers.sort();
                let members: Vec<Vec<usize>> = layers.into_iter().map(|(_, items)| items).collect();
                Self {
                    called: order.called.to_owned(),
                    numbers: 0,
                    loose: true,
                    counted: false,
                    partial: true,
                    local: false,
                    trust: DOUBTFUL,
                    sizes: members.iter().map(|items| sizes(side, items)).collect(),
                    members,
                }
            })
            .collect()
    }

    /// Whether the order of sizes is that of no other walk through the members: many differ, and it
    /// reads otherwise from behind.
    pub(super) fn is_rigid(&self) -> bool {
        let different: BTreeSet<&Sizes> = self.sizes.iter().collect();
        let backwards = self.sizes.iter().rev().eq(&self.sizes);
        !backwards && different.len() >= RIGID && different.len() * 8 >= self.sizes.len()
    }
}

/// How many numbers tell members apart: those that are the same everywhere, and those that another
/// one repeats, are not counted.
fn varying<'i>(indexes: impl Iterator<Item = &'i [u64]>) -> usize {
    let mut columns: Vec<Vec<u64>> = Vec::new();
    for index in indexes {
        columns.resize(index.len().max(columns.len()), Vec::new());
        columns.iter_mut().zip(index).for_each(|(column, number)| column.push(*number));
    }
    // From the first on: `hiddenlayer_2/batchnorm_2` has one number.
    let steps = columns.into_iter().map(|column| {
        let first = column.first().copied().unwrap_or_default();
        column.into_iter().map(|number| number.wrapping_sub(first)).collect::<Vec<_>>()
    });
    let different: BTreeSet<Vec<u64>> =
        steps.filter(|column| column.iter().any(|step| *step != 0)).collect();
    different.len()
}

/// Sizes of what tells a layer's; where nothing does, of everything.
pub(super) fn sizes(side: &Side, items: &[usize]) -> Sizes {
    let of = |tells: bool| -> Sizes {
        let items = items.iter().filter_map(|at| side.items.get(*at));
        items.filter(|item| item.tells() || !tells).map(|item| size(&item.spec)).collect()
    };
    let mut sizes = of(true);
    if sizes.is_empty() {
        sizes = of(false);
        sizes.sort_unstable();
        sizes.dedup();
    }
    sizes.sort_unstable();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_tell() {
        let varying = |rows: &[&[u64]]| varying(rows.iter().copied());
        assert_eq!(varying(&[&[1, 0, 0], &[1, 1, 1]]), 1);
        assert_eq!(varying(&[&[1, 0], &[1, 1], &[2, 0]]), 2);
        assert_eq!(varying(&[&[1, 5], &[2, 6]]), 1);
    }
}
