//! Norms beside kernels: what TF1 created next to a layer belongs next to what that layer became.
//!
//! A norm says nothing of its place: all that have its size are alike. But the order in which TF1
//! created its layers can be laid along the layers of one object, from a layer whose kernel is
//! decided on. Where all of the object's layers fit there, and nothing that is decided contradicts
//! it, each norm goes with its kernel.

use std::collections::{BTreeMap, HashMap};

use super::series::{Sizes, sizes};
use super::side::{Item, Side};

/// A layer among others in an order.
#[derive(Debug)]
struct Layer {
    /// The number of its name.
    id: u32,
    name: String,
    sizes: Sizes,
    /// Whether it has a kernel.
    tells: bool,
}

impl Layer {
    /// Whether the scope it was created in was open for another one too.
    fn is_in_scope_of(&self, other: &Self) -> bool {
        let Some((scope, _)) = self.name.rsplit_once('/') else { return true };
        let rest = other.name.strip_prefix(scope);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What can be laid along each other.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Layers of the old side in the order of their creation.
    created: Vec<Layer>,
    /// Where each of them stands there.
    places: HashMap<u32, usize>,
    /// Layers of each object of the new side that has norms behind kernels.
    objects: Vec<Vec<Layer>>,
}

/// Layers of one side with those of the other that they go with; nothing where there are several.
type Known = HashMap<u32, Option<u32>>;

/// Which layer of one side goes with which of the other, by the numbers of their names.
#[derive(Debug, Default)]
pub(super) struct Partners {
    of_new: Known,
    of_old: Known,
}

impl Partners {
    fn note(&mut self, old: u32, new: u32) {
        for (known, layer, partner) in [(&mut self.of_new, new, old), (&mut self.of_old, old, new)]
        {
            let known = known.entry(layer).or_insert(Some(partner));
            *known = known.filter(|known| *known == partner);
        }
    }

    /// 1 if the two belong together, -1 if one of them belongs to another one.
    pub(super) fn speak(&self, old: Option<&u32>, new: Option<&u32>) -> f64 {
        let (Some(old), Some(new)) = (old, new) else { return 0.0 };
        let of = |known: &Known, layer: &u32| known.get(layer).copied().flatten();
        match (of(&self.of_new, new), of(&self.of_old, old)) {
            (Some(partner), Some(_)) if partner == *old => 1.0,
            (None, None) => 0.0,
            _ => -1.0,
        }
    }
}

impl Beside {
    /// `created` is the order in which TF1 created its variables; empty if that is not known.
    pub(super) fn new(old_side: &Side, created: &[usize], new_side: &Side) -> Self {
        let created = layers(old_side, created.iter().copied());
        let places = created.iter().enumerate().map(|(at, layer)| (layer.id, at)).collect();
        let mut objects: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, item) in new_side.items.iter().enumerate() {
            let Some((layer, _)) = item.views.first().and_then(|path| path.rsplit_once('/')) else {
                continue;
            };
            let object = layer.rsplit_once('/').map_or("", |(object, _)| object);
            objects.entry(object).or_default().push(at);
        }
        let objects = objects.into_values().map(|items| layers(new_side, items.into_iter()));
        // Where a norm is the first, it does not tell whether it is applied before the kernel.
        let mixed = |layers: &Vec<Layer>| {
            layers.first().is_some_and(|layer| layer.tells) && !layers.iter().all(|one| one.tells)
        };
        Self { created, places, objects: objects.filter(mixed).collect() }
    }

    /// What goes with what. `decided` are pairs of layers, that of the old side first.
    pub(super) fn partners(&self, decided: impl Iterator<Item = (u32, u32)>) -> Partners {
        let mut known = Partners::default();
        decided.for_each(|(old, new)| known.note(old, new));
        let mut partners = Partners::default();
        for object in &self.objects {
            for (old, new) in self.laid_along(object, &known).unwrap_or_default() {
                partners.note(old, new);
            }
        }
        partners
    }

    /// The norms of an object with those of the old side, if all its layers fit in one way.
    fn laid_along(&self, object: &[Layer], known: &Partners) -> Option<Vec<(u32, u32)>> {
        let old = |layer: &Layer| known.of_new.get(&layer.id).filter(|_| layer.tells);
        let mut places = object.iter().enumerate();
        let (at, old) = places.find_map(|(at, layer)| Some((at, old(layer)?)))?;
        let first = self.places.get(&(*old)?)?.checked_sub(at)?;
        let created = self.created.get(first..first.checked_add(object.len())?)?;
        let along = || created.iter().zip(object);
        let fits = along().all(|(old, new)| {
            let is = |known: Option<&Option<u32>>, partner: u32| {
                known.is_none_or(|known| *known == Some(partner))
            };
            old.tells == new.tells
                && old.sizes == new.sizes
                && is(known.of_new.get(&new.id), old.id)
                && is(known.of_old.get(&old.id), new.id)
        });
        if !fits {
            return None;
        }
        let mut norms = Vec::new();
        let mut kernel: Option<(&Layer, &Layer)> = None;
        for (old, new) in along() {
            if new.tells {
                kernel = Some((old, new));
            } else if kernel.is_some_and(|(old_kernel, new_kernel)| {
                known.of_new.contains_key(&new_kernel.id) && old.is_in_scope_of(old_kernel)
            }) {
                norms.push((old.id, new.id));
            }
        }
        Some(norms)
    }
}

/// Layers in the order of what is the first of each.
fn layers(side: &Side, items: impl Iterator<Item = usize>) -> Vec<Layer> {
    let mut found: Vec<(u32, Vec<usize>)> = Vec::new();
    let mut known: HashMap<u32, usize> = HashMap::new();
    for at in items {
        let Some(id) = side.items.get(at).and_then(|item| item.layers.first()) else { continue };
        let place = *known.entry(*id).or_insert(found.len());
        match found.get_mut(place) {
            Some((_, items)) => items.push(at),
            None => found.push((*id, vec![at])),
        }
    }
    let layer = |(id, at): (u32, Vec<usize>)| {
        let mut items = at.iter().filter_map(|at| side.items.get(*at));
        let name = items.clone().find_map(|item| item.views.first()?.rsplit_once('/'));
        Layer {
            id,
            name: name.map(|(layer, _)| layer.to_owned()).unwrap_or_default(),
            tells: items.any(Item::tells),
            sizes: sizes(side, &at),
        }
    };
    found.into_iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suggest::side::{Named, Names};
    use crate::tensor::{DType, Shape, TensorSpec};

    const KERNEL: &[u64] = &[3, 3, 8, 8];
    const NORM: &[u64] = &[8];
    const CREATED: &[(&str, &[u64])] = &[
        ("block/conv2d/kernel", KERNEL),
        ("block/batch_normalization/gamma", NORM),
        ("block/conv2d_1/kernel", KERNEL),
        ("block/batch_normalization_1/gamma", NORM),
    ];
    const UNITS: &[(&str, &[u64])] = &[
        ("body_a/convolution/kernel", KERNEL),
        ("body_a/norm/gamma", NORM),
        ("body_b/convolution/kernel", KERNEL),
        ("body_b/norm/gamma", NORM),
    ];

    /// What the layers of two sides say of each other, by what is the first of each.
    struct Two {
        old: Side,
        new: Side,
        beside: Beside,
    }

    impl Two {
        fn of(new: &[(&str, &[u64])], created: &[usize]) -> Self {
            Self::with(CREATED, new, created)
        }

        fn with(old: &[(&str, &[u64])], new: &[(&str, &[u64])], created: &[usize]) -> Self {
            let mut names = Names::default();
            let mut side = |of: &[(&str, &[u64])]| {
                let named = of.iter().map(|(name, dims)| Named {
                    views: vec![(*name).to_owned()],
                    spec: TensorSpec::new(DType::Float, Shape::new(*dims).unwrap()).unwrap(),
                });
                Side::new(named.collect(), &mut names)
            };
            let (old, new) = (side(old), side(new));
            let beside = Beside::new(&old, created, &new);
            Self { old, new, beside }
        }

        /// What is said of each old norm at each new one; `decided` are pairs of items.
        fn said(&self, decided: &[(usize, usize)], new: [usize; 2]) -> [[f64; 2]; 2] {
            let layer = |side: &Side, at: usize| *side.items[at].layers.first().unwrap();
            let pairs = decided.iter().map(|(a, b)| (layer(&self.old, *a), layer(&self.new, *b)));
            let partners = self.beside.partners(pairs);
            [1, 3].map(|old| {
                let old = layer(&self.old, old);
                new.map(|new| partners.speak(Some(&old), Some(&layer(&self.new, new))))
            })
        }
    }

    #[test]
    fn norms_follow_their_kernels() {
        let two = Two::of(UNITS, &[0, 1, 2, 3]);
        assert_eq!(two.said(&[(0, 0), (2, 2)], [1, 3]), [[1.0, -1.0], [-1.0, 1.0]]);
        // Wherever those go.
        assert_eq!(two.said(&[(0, 2), (2, 0)], [1, 3]), [[-1.0, 1.0], [1.0, -1.0]]);
        assert_eq!(two.said(&[(0, 2)], [1, 3]), [[-1.0, 1.0], [0.0, -1.0]]);
        assert_eq!(two.said(&[], [1, 3]), [[0.0; 2]; 2]);
        // What is decided is not disputed.
        assert_eq!(two.said(&[(0, 0), (3, 1)], [1, 3]), [[0.0; 2]; 2]);
    }

    #[test]
    fn nothing_is_said_without_an_order_or_against_it() {
        assert_eq!(Two::of(UNITS, &[]).said(&[(0, 0), (2, 2)], [1, 3]), [[0.0; 2]; 2]);
        // Kernels first, then norms.
        let apart = Two::of(UNITS, &[0, 2, 1, 3]);
        assert_eq!(apart.said(&[(0, 0)], [1, 3]), [[0.0; 2]; 2]);
        // Norms in front of kernels, in one object.
        let flat = [
            ("bn1/gamma", NORM),
            ("conv1/kernel", KERNEL),
            ("bn2/gamma", NORM),
            ("conv2/kernel", KERNEL),
        ];
        let flat = Two::of(&flat, &[0, 1, 2, 3]);
        assert_eq!(flat.said(&[(0, 1), (2, 3)], [0, 2]), [[0.0; 2]; 2]);
    }

    #[test]
    fn layers_of_one_object_follow_each_other() {
        let flat = [
            ("conv1/kernel", KERNEL),
            ("bn1/gamma", NORM),
            ("conv2/kernel", KERNEL),
            ("bn2/gamma", NORM),
        ];
        let flat = Two::of(&flat, &[0, 1, 2, 3]);
        assert_eq!(flat.said(&[(0, 0), (2, 2)], [1, 3]), [[1.0, -1.0], [-1.0, 1.0]]);
        // Only what lies beside a kernel that is decided.
        assert_eq!(flat.said(&[(0, 0)], [1, 3]), [[1.0, -1.0], [-1.0, 0.0]]);
        // Two kernels that were exchanged fit in no one way.
        assert_eq!(flat.said(&[(0, 2), (2, 0)], [1, 3]), [[0.0; 2]; 2]);
    }

    #[test]
    fn norms_of_another_scope_are_none() {
        // Norms in front of kernels, in units that list them the other way round.
        let old = [
            ("unit_2/conv/kernel", KERNEL),
            ("unit_1/bn/gamma", NORM),
            ("unit_1/conv/kernel", KERNEL),
            ("unit_2/bn/gamma", NORM),
        ];
        let two = Two::with(&old, UNITS, &[1, 2, 3, 0]);
        assert_eq!(two.said(&[(2, 0), (0, 2)], [1, 3]), [[0.0; 2]; 2]);
    }
}
