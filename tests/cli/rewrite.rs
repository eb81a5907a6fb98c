//! Sound checkpoints that differ from another one as a test wants it.

use std::collections::BTreeMap;

use ckptmap::catalog::VariableName;
use ckptmap::object::{ObjectGraph, Target};
use ckptmap::source::open;
use ckptmap::target::{Options, always, create};
use ckptmap::tensor::{Tensor, TensorSpec};

use crate::harness::Place;

/// Everything in a checkpoint, to be changed.
pub(crate) struct Content {
    pub(crate) tensors: BTreeMap<String, Tensor<'static>>,
    pub(crate) graph: Option<ObjectGraph>,
}

impl Content {
    /// The tensor whose key begins with `start`; only one may.
    pub(crate) fn tensor(&mut self, start: &str) -> &mut Tensor<'static> {
        let mut found = self.tensors.iter_mut().filter(|(key, _)| key.starts_with(start));
        let (_, tensor) = found.next().unwrap();
        assert!(found.next().is_none(), "more than one tensor begins with `{start}`");
        tensor
    }

    /// Changes bytes of a tensor.
    pub(crate) fn edit(&mut self, start: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let tensor = self.tensor(start);
        let mut bytes = tensor.data().to_vec();
        edit(&mut bytes);
        *tensor = Tensor::new(tensor.spec().clone(), bytes).unwrap();
    }

    /// Says that a tensor's bytes are of another spec.
    pub(crate) fn respec(&mut self, start: &str, spec: TensorSpec) {
        let tensor = self.tensor(start);
        *tensor = Tensor::new(spec, tensor.data().to_vec()).unwrap();
    }

    /// Lets two tensors change places.
    pub(crate) fn swap(&mut self, one: &str, other: &str) {
        let first = self.tensor(one).clone();
        let second = std::mem::replace(self.tensor(other), first);
        *self.tensor(one) = second;
    }
}

/// Writes `from` again as `to`, changed.
pub(crate) fn rewrite(place: &Place, from: &str, to: &str, change: impl FnOnce(&mut Content)) {
    let at = |name: &str| place.path(name).to_str().unwrap().parse().unwrap();
    let old = open(&at(from)).unwrap();
    let read = |name: &VariableName| (name.as_str().to_owned(), old.read(name).unwrap());
    let mut content = Content {
        tensors: old.catalog().variables.keys().map(read).collect(),
        graph: old.catalog().graph.clone(),
    };
    change(&mut content);
    let mut writer = create(&at(to), &Options::default(), &[]).unwrap();
    for (key, tensor) in &content.tensors {
        writer.put(&Target::named(key.as_str()), tensor).unwrap();
    }
    writer.finish(content.graph.as_ref(), &always).unwrap();
}

/// Writes a checkpoint of these tensors alone.
pub(crate) fn written(place: &Place, at: &str, tensors: &[(&str, Tensor<'static>)]) {
    rewrite(place, "testdata/conv3", at, |new| {
        let named = |(name, tensor): &(&str, _)| ((*name).to_owned(), Tensor::clone(tensor));
        *new = Content { tensors: tensors.iter().map(named).collect(), graph: None };
    });
}

/// Writes `from` again as `to`, every tensor under another name.
pub(crate) fn renamed(place: &Place, from: &str, to: &str) {
    rewrite(place, from, to, |new| {
        let tensors = std::mem::take(&mut new.tensors).into_iter();
        new.tensors = tensors.map(|(name, tensor)| (format!("other/{name}"), tensor)).collect();
    });
}
