//! The two sides that are to be brought together, in one form: what each variable is called, what
//! it is, and which names it lies below.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::index::{Cut, cuts};
use super::role::Role;
use super::series::LOOSE;
use super::tokens::{Around, around_numbers};
use super::words::{Vocabulary, is_automatic, words};
use crate::tensor::{DType, TensorSpec};

/// A value that is to be given or to be filled.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// What it is called; of the template its path and its full name.
    pub(super) views: Vec<String>,
    /// What it is to its layer.
    pub(super) role: Role,
    /// What it holds.
    pub(super) spec: TensorSpec,
    /// The words of each name, without numbers, sorted.
    pub(super) words: Vec<Vec<u32>>,
    /// A number for each set of words.
    pub(super) sets: Vec<u32>,
    /// Numbers, each with the word in front of it, sorted.
    pub(super) numbers: Vec<u32>,
    /// Names it lies below, the longest first.
    pub(super) prefixes: Vec<u32>,
    /// Its names without numbers, and without all but the last.
    pub(super) skeletons: Vec<u32>,
    /// What its layer is called; one for each name.
    pub(super) layers: Vec<u32>,
    /// The object among all of a graph's that it lies below, where names are no more than places.
    pub(super) block: Option<u32>,
    /// Places in series, by name of the series.
    pub(super) cuts: Vec<Cut>,
}

impl Item {
    /// Sizes of its axes.
    pub(super) fn dims(&self) -> &[u64] {
        self.spec.shape().dims()
    }

    /// Axes of more than one element.
    pub(super) fn rank(&self) -> usize {
        self.dims().iter().filter(|dim| **dim != 1).count()
    }

    /// Whether some name has a word.
    pub(super) fn says(&self, word: u32) -> bool {
        self.words.iter().any(|words| words.contains(&word))
    }

    /// Whether it tells its layer's sizes, as a kernel does.
    pub(super) fn tells(&self) -> bool {
        self.role.is_matrix() || (self.role == Role::Unknown && self.rank() >= 2)
    }
}

/// One of the two sides.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Every item.
    pub(super) items: Vec<Item>,
    /// Items below each name.
    pub(super) below: HashMap<u32, Vec<usize>>,
}

/// What an item is made of before its names are looked at.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// What it is called.
    pub(super) views: Vec<String>,
    /// What it holds.
    pub(super) spec: TensorSpec,
}

/// Numbers for words and names, the same for both sides.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: Vocabulary,
    numbers: Vocabulary,
    prefixes: Vocabulary,
    sets: HashMap<Vec<u32>, u32>,
}

impl Names {
    /// The number of a word.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        self.words.id(word)
    }

    /// The number of a set of words.
    fn set(&mut self, words: &[u32]) -> u32 {
        let next = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        *self.sets.entry(words.to_vec()).or_insert(next)
    }

    /// Every word by its number.
    pub(super) fn vocabulary(&self) -> HashMap<u32, String> {
        self.words.all()
    }
}

impl Side {
    /// Looks at all names.
    pub(super) fn new(named: Vec<Named>, names: &mut Names) -> Self {
        let numbered: HashSet<String> = named
            .iter()
            .flat_map(|item| item.views.iter().enumerate())
            .flat_map(|(view, name)| bases(name).into_iter().map(move |base| keyed(view, &base)))
            .collect();
        // Paths as they are, where some have numbers beside them.
        let bare: HashSet<String> = named
            .iter()
            .flat_map(|item| item.views.iter().enumerate())
            .flat_map(|(view, name)| paths(name).map(move |path| keyed(view, path)))
            .filter(|path| numbered.contains(path))
            .collect();
        let mut side = Self::default();
        for (at, Named { views, spec }) in named.into_iter().enumerate() {
            let item = Item::new(views, spec, (&numbered, &bare), names);
            for prefix in &item.prefixes {
                side.below.entry(*prefix).or_default().push(at);
            }
            side.items.push(item);
        }
        // What everything lies below says nothing about anything.
        let all = side.items.len();
        side.below.retain(|_, items| items.len() < all);
        for item in &mut side.items {
            item.prefixes.retain(|prefix| side.below.contains_key(prefix));
        }
        side
    }

    /// Dtypes and numbers of elements, with the items that have them.
    pub(super) fn sizes(&self) -> BTreeMap<(i32, u64), Vec<usize>> {
        let mut sizes: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, item) in self.items.iter().enumerate() {
            sizes.entry(size(&item.spec)).or_default().push(at);
        }
        sizes
    }
}

/// What has to be equal, whatever the layout.
pub(super) fn size(spec: &TensorSpec) -> (i32, u64) {
    (DType::number(spec.dtype()), spec.shape().elements())
}

impl Item {
    fn new(
        views: Vec<String>,
        spec: TensorSpec,
        (numbered, bare): (&HashSet<String>, &HashSet<String>),
        names: &mut Names,
    ) -> Self {
        let rank = spec.shape().dims().iter().filter(|dim| **dim != 1).count();
        let roles: Vec<Role> = views.iter().map(|name| Role::of(name, rank)).collect();
        let role = roles.iter().copied().find(|role| *role != Role::Unknown);
        let mut said: Vec<Vec<u32>> = Vec::new();
        let mut numbers: BTreeSet<u32> = BTreeSet::new();
        let mut prefixes: Vec<(usize, u32)> = Vec::new();
        let mut layers = Vec::new();
        let mut found = Vec::new();
        let mut skeletons = Vec::new();
        let mut block = None;
        for (view, name) in views.iter().enumerate() {
            let own: BTreeSet<u32> = words(name).iter().map(|word| names.words.id(word)).collect();
            said.push(own.into_iter().collect());
            let mut ends: BTreeSet<usize> = name.match_indices('/').map(|(at, _)| at).collect();
            let is_numbered = |base: &str| numbered.contains(&keyed(view, base));
            let bared = |base: &str| bare.contains(&keyed(view, base));
            // What counts layers says nothing by itself.
            let own = name.split('/').scan(0, |at, component| {
                let start = *at;
                *at += component.len() + 1;
                let path = name.get(..start + component.len()).unwrap_or_default();
                let base = crate::names::unnumbered(path);
                let own = crate::names::unnumbered(component);
                Some(if bared(base) || is_automatic(own) { "" } else { component })
            });
            let own = words_with_numbers(&own.collect::<Vec<_>>().join("/"));
            numbers.extend(own.iter().map(|word| names.numbers.id(word)));
            for cut in cuts(name, view, &is_numbered, &bared) {
                ends.insert(cut.end);
                if LOOSE.iter().any(|mark| cut.series.ends_with(mark)) {
                    let prefix = keyed(view, name.get(..cut.end).unwrap_or_default());
                    block.get_or_insert(names.prefixes.id(&prefix));
                }
                found.push(cut);
            }
            for end in ends.into_iter().filter(|end| *end < name.len()) {
                let prefix = keyed(view, name.get(..end).unwrap_or_default());
                prefixes.push((end, names.prefixes.id(&prefix)));
            }
            for skeleton in skeletons_of(name) {
                skeletons.push(names.prefixes.id(&format!("{view}# {skeleton}")));
            }
            let layer = name.rsplit_once('/').map_or("", |(layer, _)| layer);
            layers.push(names.prefixes.id(&keyed(view, layer)));
        }
        prefixes.sort_by(|a, b| b.cmp(a));
        let sets = said.iter().map(|words| names.set(words)).collect();
        Self {
            views,
            sets,
            role: role.unwrap_or(Role::Unknown),
            spec,
            words: said,
            numbers: numbers.into_iter().collect(),
            prefixes: prefixes.into_iter().map(|(_, id)| id).collect(),
            skeletons,
            layers,
            block,
            cuts: found,
        }
    }
}

/// A name among those of one view.
fn keyed(view: usize, name: &str) -> String {
    format!("{view} {name}")
}

/// `a/conv` for `a/conv_3/kernel`: what bears numbers.
fn bases(name: &str) -> Vec<String> {
    let base = |path: &str| {
        let own = crate::names::unnumbered(path);
        (own.len() < path.len() && !own.is_empty() && !own.ends_with('/')).then(|| own.to_owned())
    };
    paths(name).filter_map(base).collect()
}

/// `a`, `a/b` and `a/b/c` for `a/b/c`.
fn paths(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    ends.filter_map(|end| name.get(..end))
}

/// Numbers with what stands in front of them, `block 35`; the last one also with the one before.
fn words_with_numbers(name: &str) -> Vec<String> {
    let tokens = super::tokens::tokens(name);
    let mut found = Vec::new();
    let mut word = String::new();
    let mut numbers: Vec<&str> = Vec::new();
    for token in &tokens {
        if token.is_number {
            numbers.push(token.text.trim_start_matches('0'));
            found.push(format!("{word} {}", numbers.join(" ")));
        } else {
            numbers.clear();
            word = words(token.text).concat();
        }
    }
    found
}

/// A name with marks for its numbers, and with marks for all but the last one.
fn skeletons_of(name: &str) -> Vec<String> {
    let Around { texts, numbers } = around_numbers(name);
    let mut skeletons = vec![texts.join("#")];
    if let (Some(number), Some((behind, before))) = (numbers.last(), texts.split_last()) {
        skeletons.push(format!("{}{number}{behind}", before.join("#")));
    }
    skeletons
}
