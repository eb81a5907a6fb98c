//! Series on both sides that run alike: as many members, of the same sizes in the same order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::index::Cut;
use super::side::{Side, size};

/// Members of a series: how many must differ for its order to be told by sizes alone.
const RIGID: usize = 3;

/// Items that one layer of many has at least, so that their order in a graph is that of the layers.
const BLOCK: usize = 6;

/// What is said of a series that lies beside another one, before that one's name.
pub(super) const BESIDE: &str = "what lies in the layers of ";

/// How much a series is worth whose order somebody else may have seen in another way.
const DOUBTFUL: f64 = 0.5;

/// Items of each member, by the numbers that tell it.
type Members<'m> = BTreeMap<&'m [u64], Vec<usize>>;

/// Dtypes and numbers of elements.
type Sizes = Vec<(i32, u64)>;

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
    numbers: usize,
    /// Whether its order need not be that of any layers: positions in a graph, order of creation.
    loose: bool,
    /// Whether a program counted its members.
    counted: bool,
    /// Whether it may be laid along a part of a longer one.
    partial: bool,
    /// Whether it is one only among those that have all earlier numbers in common.
    local: bool,
    /// How much it is worth.
    trust: f64,
    /// Sizes of each member.
    sizes: Vec<Sizes>,
}

/// Two series that run alike.
#[derive(Debug, Clone)]
pub(super) struct Alike {
    /// That of the old side.
    pub(super) old: String,
    /// That of the new side.
    pub(super) new: String,
    /// Members.
    pub(super) length: usize,
    /// How much that is worth.
    pub(super) trust: f64,
}

/// All pairs of series, and for each item of both sides its places in them.
#[derive(Debug, Default)]
pub(super) struct Alikes {
    /// Every pair.
    pub(super) pairs: Vec<Alike>,
    /// By item of the old side: pair and member.
    old: Vec<Vec<(usize, usize)>>,
    /// By item of the new side.
    new: Vec<Vec<(usize, usize)>>,
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
            let loose = in_graph && !blocks;
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
    fn is_rigid(&self) -> bool {
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
fn sizes(side: &Side, items: &[usize]) -> Sizes {
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

impl Alikes {
    /// Lays every series of one side along those of the other.
    pub(super) fn new(
        (old_side, old): (&Side, &[Series]),
        (new_side, new): (&Side, &[Series]),
    ) -> Self {
        let mut by_sizes: HashMap<&[Sizes], Vec<&Series>> = HashMap::new();
        for series in old {
            by_sizes.entry(&series.sizes).or_default().push(series);
        }
        let mut alikes = Self {
            pairs: Vec::new(),
            old: vec![Vec::new(); old_side.items.len()],
            new: vec![Vec::new(); new_side.items.len()],
        };
        for new in new {
            let along = by_sizes.get(new.sizes.as_slice()).map(Vec::as_slice).unwrap_or_default();
            let rigid = new.is_rigid();
            for old in along {
                let loose =
                    old.loose || new.loose || old.numbers != new.numbers || old.local != new.local;
                if rigid || !loose {
                    let members = (0..new.members.len()).map(|at| (at, at));
                    alikes.add(old, new, members);
                }
            }
            if rigid && new.partial {
                let longer =
                    old.iter().filter(|old| old.partial && old.members.len() > new.members.len());
                for old in longer {
                    if let Some(forced) = forced(&old.sizes, &new.sizes) {
                        alikes.add(old, new, forced.into_iter());
                    }
                }
            }
        }
        alikes
    }

    /// Lays series beside others that are decided: where `conv2d_7` has become of a layer, what lies
    /// below that layer may become `batch_normalization_7`. `partner` tells what became an item of
    /// the new side.
    pub(super) fn beside(
        old_side: &Side,
        (new_side, new): (&Side, &[Series]),
        partner: &dyn Fn(usize) -> Option<usize>,
    ) -> Self {
        let mut alikes = Self {
            pairs: Vec::new(),
            old: vec![Vec::new(); old_side.items.len()],
            new: vec![Vec::new(); new_side.items.len()],
        };
        for decided in new.iter().filter(|series| series.counted) {
            // The layer that each member came from.
            let layers: Option<Vec<u32>> = decided
                .members
                .iter()
                .map(|items| {
                    let old = items.iter().find_map(|item| partner(*item))?;
                    old_side.items.get(old)?.layers.first().copied()
                })
                .collect();
            let Some(layers) = layers else { continue };
            for series in new.iter().filter(|series| series.counted) {
                if series.called == decided.called || series.members.len() != layers.len() {
                    continue;
                }
                let below = |layer: &u32| -> Vec<usize> {
                    let items = old_side.below.get(layer).map(Vec::as_slice).unwrap_or_default();
                    let lies_in = |item: usize| old_side.items.get(item)?.layers.first().copied();
                    items.iter().copied().filter(|item| lies_in(*item) != Some(*layer)).collect()
                };
                let members: Vec<Vec<usize>> = layers.iter().map(below).collect();
                if members
                    .iter()
                    .map(|items| sizes(old_side, items))
                    .eq(series.sizes.iter().cloned())
                {
                    let old = Self::beside_series(decided, members, series);
                    alikes.add(&old, series, (0..layers.len()).map(|at| (at, at)));
                }
            }
        }
        alikes
    }

    fn beside_series(decided: &Series, members: Vec<Vec<usize>>, series: &Series) -> Series {
        let called = format!("{BESIDE}{}", decided.called);
        Series { called, members, trust: DOUBTFUL, ..series.clone() }
    }

    /// Takes over the pairs of another one of the same sides.
    pub(super) fn append(&mut self, more: Self) {
        let first = self.pairs.len();
        self.pairs.extend(more.pairs);
        for (mine, theirs) in [(&mut self.old, more.old), (&mut self.new, more.new)] {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.extend(theirs.into_iter().map(|(pair, member)| (pair + first, member)));
            }
        }
    }

    fn add(&mut self, old: &Series, new: &Series, members: impl Iterator<Item = (usize, usize)>) {
        let pair = self.pairs.len();
        self.pairs.push(Alike {
            old: old.called.clone(),
            new: new.called.clone(),
            length: new.members.len(),
            trust: old.trust * new.trust,
        });
        for (member, (in_old, in_new)) in members.enumerate() {
            note(&mut self.old, old.members.get(in_old), (pair, member));
            note(&mut self.new, new.members.get(in_new), (pair, member));
        }
    }

    /// How much speaks for the same member, and how much for others.
    pub(super) fn votes(&self, old: usize, new: usize) -> (f64, f64) {
        let (mut same, mut other) = (0.0, 0.0);
        self.each(
            old,
            new,
            |alike, is_same| {
                if is_same { same += alike.trust } else { other += alike.trust }
            },
        );
        (same, other)
    }

    /// Every pair of series that has both, and whether in the same member.
    pub(super) fn each(&self, old: usize, new: usize, mut say: impl FnMut(&Alike, bool)) {
        let (Some(old), Some(new)) = (self.old.get(old), self.new.get(new)) else { return };
        let mut rest = new.iter().peekable();
        for (pair, place) in old {
            while rest.next_if(|(other, _)| other < pair).is_some() {}
            if let Some((_, at)) = rest.peek().filter(|(other, _)| other == pair)
                && let Some(alike) = self.pairs.get(*pair)
            {
                say(alike, at == place);
            }
        }
    }
}

fn note(places: &mut [Vec<(usize, usize)>], items: Option<&Vec<usize>>, place: (usize, usize)) {
    for item in items.into_iter().flatten() {
        if let Some(places) = places.get_mut(*item) {
            places.push(place);
        }
    }
}

/// Where a shorter series must lie in a longer one: members that every way of laying it along puts
/// into the same place, by their places in both.
fn forced<T: PartialEq>(long: &[T], short: &[T]) -> Option<Vec<(usize, usize)>> {
    let mut first = Vec::new();
    let mut places = long.iter().enumerate();
    for wanted in short {
        first.push(places.by_ref().find(|(_, size)| *size == wanted)?.0);
    }
    let mut last = Vec::new();
    let mut places = long.iter().enumerate().rev();
    for wanted in short.iter().rev() {
        last.push(places.by_ref().find(|(_, size)| *size == wanted)?.0);
    }
    last.reverse();
    let same = first.iter().zip(&last).enumerate().filter(|(_, (first, last))| first == last);
    Some(same.map(|(at, (place, _))| (*place, at)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_forced() {
        assert_eq!(forced(b"abcd", b"abd"), Some(vec![(0, 0), (1, 1), (3, 2)]));
        assert_eq!(forced(b"abbd", b"abd"), Some(vec![(0, 0), (3, 2)]));
        assert_eq!(forced(b"abd", b"adb"), None);
    }

    #[test]
    fn numbers_that_tell() {
        let varying = |rows: &[&[u64]]| varying(rows.iter().copied());
        assert_eq!(varying(&[&[1, 0, 0], &[1, 1, 1]]), 1);
        assert_eq!(varying(&[&[1, 0], &[1, 1], &[2, 0]]), 2);
        assert_eq!(varying(&[&[1, 5], &[2, 6]]), 1);
    }
}
