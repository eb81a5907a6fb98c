//! What goes in comes out: random checkpoints through the file system, random graphs through their
//! message, random values through transforms and back.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use ckptmap::catalog::VariableName;
use ckptmap::check::check;
use ckptmap::crc::Crc;
use ckptmap::files::Location;
use ckptmap::object::{
    Attribute, Edge, GraphBuilder, Node, ObjectGraph, ObjectPath, RegisteredSaver, Slot, Target,
};
use ckptmap::source::{CheckpointReader, open};
use ckptmap::target::{CheckpointWriter, Committed, Options, always, create};
use ckptmap::tensor::{DType, Region, Shape, Tensor, TensorSpec, strings};
use ckptmap::transform::{Regions, Reshape, Transform, TransformError, Transpose};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FAST: Options =
    Options { overwrite: true, sync: false, update_state: false, shard_size: None };

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// Random tensors.

fn shapes() -> impl Strategy<Value = Shape> {
    vec(prop_oneof![1 => Just(0), 9 => 1..5_u64], 0..5).prop_map(|dims| Shape::new(dims).unwrap())
}

fn length(shape: &Shape) -> usize {
    usize::try_from(shape.elements()).unwrap()
}

/// One element of a variant tensor after the other, as TensorFlow stores them.
fn variants(elements: &[Vec<u8>]) -> Vec<u8> {
    let (mut data, mut sum) = (Vec::new(), Crc::default());
    for element in elements {
        data.push(u8::try_from(element.len()).unwrap());
        data.extend(element);
        sum = sum.extend(&(element.len() as u64).to_le_bytes()).extend(element);
        let stored = sum.masked().to_le_bytes();
        data.extend(stored);
        sum = sum.extend(&stored);
    }
    data
}

fn tensors() -> impl Strategy<Value = Tensor<'static>> {
    (select(DType::ALL), shapes()).prop_flat_map(|(dtype, shape)| {
        let spec = TensorSpec::new(dtype, shape.clone()).unwrap();
        let texts = vec(vec(any::<u8>(), 0..40), length(&shape));
        match (dtype, spec.bytes()) {
            (DType::String, _) => texts.prop_map(|texts| strings::encode(&texts)).boxed(),
            (_, Some(bytes)) => vec(any::<u8>(), usize::try_from(bytes).unwrap()).boxed(),
            (_, None) => texts.prop_map(|texts| variants(&texts)).boxed(),
        }
        .prop_map(move |data| Tensor::new(spec.clone(), data).unwrap())
    })
}

/// Names as people give them, and such as nobody should; a NUL in front begins the key of a slice.
fn names() -> impl Strategy<Value = String> {
    let long = (1..300_usize).prop_map(|n| "scope/".repeat(n));
    prop_oneof![
        4 => "[a-z]{1,4}(/[a-z_]{1,8}(_[0-9])?){0,3}",
        2 => "[a-zS./ :0-9]{1,12}",
        2 => "\\PC{1,8}",
        2 => any::<String>(),
        1 => long,
    ]
    .prop_filter("a name", |name| !name.is_empty() && !name.starts_with('\0'))
}

type Tensors = BTreeMap<String, Tensor<'static>>;

fn checkpoints() -> impl Strategy<Value = Tensors> {
    btree_map(names(), tensors(), 0..12)
}

/// How a tensor is handed over.
#[derive(Debug, Clone)]
enum Way {
    Put,
    Stream(usize),
}

fn ways() -> impl Strategy<Value = Vec<Way>> {
    vec(prop_oneof![Just(Way::Put), (1..50_usize).prop_map(Way::Stream)], 1..4)
}

fn write(to: &Location, tensors: &Tensors, ways: &[Way], graph: Option<&ObjectGraph>) -> Committed {
    let mut writer = create(to, &FAST, &[]).unwrap();
    for ((name, tensor), way) in tensors.iter().zip(ways.iter().cycle()) {
        give(writer.as_mut(), &Target::named(name.as_str()), tensor, way);
    }
    writer.finish(graph, &always).unwrap()
}

fn give(writer: &mut dyn CheckpointWriter, target: &Target, tensor: &Tensor<'_>, way: &Way) {
    match (way, tensor.spec().bytes()) {
        (Way::Stream(block), Some(_)) => {
            let mut sink = writer.begin(target, tensor.spec()).unwrap();
            for block in tensor.data().chunks(*block) {
                sink.write(block).unwrap();
            }
            sink.finish().unwrap();
        }
        _ => writer.put(target, tensor).unwrap(),
    }
}

/// Everything a reader says of a checkpoint is what went in.
fn compare(at: &Location, tensors: &Tensors) -> Box<dyn CheckpointReader> {
    let reader = open(at).unwrap();
    let catalog = reader.catalog();
    let found: Vec<&str> = catalog.variables.keys().map(VariableName::as_str).collect();
    let wanted: Vec<&str> = tensors.keys().map(String::as_str).collect();
    assert_eq!(found, wanted);
    assert!(catalog.unnamable.is_empty());
    for (name, variable) in &catalog.variables {
        let tensor = &tensors[name.as_str()];
        assert_eq!(&variable.spec, tensor.spec());
        assert_eq!(variable.bytes(), tensor.data().len() as u64);
        assert_eq!(&reader.read(name).unwrap(), tensor);
        reader.verify(name, &|_| ()).unwrap();
        let (extent, crc) = reader.extent(name).unwrap().unwrap();
        assert_eq!((extent.len, crc), (tensor.data().len() as u64, tensor.checksum()));
        if let Some(scalar) = catalog.facts.scalars.get(name) {
            assert_eq!(scalar, tensor);
        }
    }
    assert_eq!(check(at).unwrap().findings, [""; 0]);
    reader
}

fn names_in(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn a_checkpoint_comes_back(tensors in checkpoints(), ways in ways()) {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path()).join("ckpt");
        write(&at, &tensors, &ways, None);
        let reader = compare(&at, &tensors);
        prop_assert!(reader.catalog().graph.is_none());
    }

    /// Whatever stood there, the new one is read and nothing of the old one is left.
    #[test]
    fn again_and_again_at_one_place(
        versions in vec((checkpoints(), ways()), 2..5),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path()).join("ckpt");
        for (tensors, ways) in &versions {
            let done = write(&at, tensors, ways, None);
            compare(&at, tensors);
            prop_assert!(done.notes.is_empty(), "{:?}", done.notes);
            let mut files: Vec<String> = done.files.iter().map(|file| file.at.name()).collect();
            files.sort();
            prop_assert_eq!(names_in(dir.path()), files);
        }
    }

    /// Bytes taken over as they lie, under other names and under two at once.
    #[test]
    fn adopted_tensors_are_the_same(tensors in checkpoints(), ways in ways()) {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Location::from(dir.path()).join("old"), Location::from(dir.path()).join("new"));
        write(&old, &tensors, &ways, None);
        let reader = open(&old).unwrap();
        let mut writer = create(&new, &FAST, &[]).unwrap();
        let mut expected = Tensors::new();
        for (name, variable) in &reader.catalog().variables {
            let (extent, crc) = reader.extent(name).unwrap().unwrap();
            let (target, alias) = (format!("x/{name}"), format!("y/{name}"));
            let mut advance = |_| ControlFlow::Continue(());
            let named = Target::named(target.as_str());
            writer.adopt(&named, &variable.spec, &extent, crc, &mut advance).unwrap();
            writer.alias(&Target::named(alias.as_str()), &named).unwrap();
            expected.insert(target, tensors[name.as_str()].clone());
            expected.insert(alias, tensors[name.as_str()].clone());
        }
        writer.finish(None, &always).unwrap();
        compare(&new, &expected);
    }

    #[test]
    fn any_part_can_be_read(tensor in tensors(), cuts in vec(any::<(Index, Index)>(), 5)) {
        let spec = tensor.spec().clone();
        prop_assume!(spec.bytes().is_some());
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path()).join("ckpt");
        let name = VariableName::new("v").unwrap();
        write(&at, &Tensors::from([("v".to_owned(), tensor.clone())]), &[Way::Put], None);
        let region = part(spec.shape(), &cuts);
        let mut memory = Memory(tensor);
        let mut expected = vec![0; size(&region, &spec)];
        memory.read(&region, &mut expected).unwrap();
        let mut found = vec![0; expected.len()];
        open(&at).unwrap().read_region(&name, &region, &mut found).unwrap();
        prop_assert_eq!(found, expected);
    }
}

// Random object graphs.

fn labels() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ab]",
        2 => "[a-zS./]{1,5}",
        1 => any::<String>(),
    ]
    .prop_filter("a label", |label| !label.is_empty() && !label.starts_with('\0'))
}

fn paths() -> impl Strategy<Value = Vec<ObjectPath>> {
    vec(vec(labels(), 1..4).prop_map(|labels| ObjectPath::new(labels).unwrap()), 0..12)
}

/// What the graph is after a trip through a file.
fn stored(graph: &ObjectGraph, tensors: &Tensors) -> ObjectGraph {
    let dir = tempfile::tempdir().unwrap();
    let at = Location::from(dir.path()).join("ckpt");
    write(&at, tensors, &[Way::Put], Some(graph));
    let reader = compare(&at, tensors);
    reader.catalog().graph.clone().unwrap()
}

fn below(upper: &ObjectPath, lower: &ObjectPath) -> bool {
    lower.labels().len() > upper.labels().len() && lower.labels().starts_with(upper.labels())
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let edge = (any::<String>(), any::<usize>()).prop_map(|(label, node)| Edge { label, node });
    let attribute =
        any::<[String; 3]>().prop_map(|[name, full_name, key]| Attribute { name, full_name, key });
    let slot = any::<(usize, String, usize)>().prop_map(|(variable, name, node)| Slot {
        variable,
        name,
        node,
    });
    let saver = any::<Option<[String; 2]>>()
        .prop_map(|saver| saver.map(|[name, object]| RegisteredSaver { name, object }));
    let parts =
        (vec(edge, 0..4), vec(attribute, 0..3), vec(slot, 0..3), saver, any::<Option<bool>>());
    let node = parts.prop_map(|(children, attributes, slots, saver, has_values)| Node {
        children,
        attributes,
        slots,
        saver,
        has_values,
    });
    vec(node, 1..8).prop_map(|mut nodes| {
        // References to nodes that exist.
        let count = nodes.len();
        for node in &mut nodes {
            node.children.iter_mut().for_each(|edge| edge.node %= count);
            for slot in &mut node.slots {
                slot.variable %= count;
                slot.node %= count;
            }
        }
        nodes
    })
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn paths_lead_back_from_their_text(path in vec(labels(), 1..5)) {
        let path = ObjectPath::new(path).unwrap();
        prop_assert_eq!(ObjectPath::parse(&path.to_string()).unwrap(), path);
    }

    /// Every path that was taken leads to its value, and a path is refused exactly when it lies
    /// above or below another.
    #[test]
    fn a_graph_holds_its_paths(paths in paths()) {
        let mut builder = GraphBuilder::default();
        let mut taken: Vec<ObjectPath> = Vec::new();
        for path in paths {
            let clash = taken.iter().any(|other| below(other, &path) || below(&path, other));
            let inserted = builder.insert(&path, &format!("full {path}"));
            prop_assert_eq!(inserted.is_err(), clash, "{:?}", inserted);
            if !clash && !taken.contains(&path) {
                taken.push(path);
            }
        }
        let graph = builder.finish();
        for path in &taken {
            let node = path.labels().iter().fold(0, |node, label| {
                let edges = &graph.nodes()[node].children;
                edges.iter().find(|edge| edge.label == *label).unwrap().node
            });
            let [attribute] = &graph.nodes()[node].attributes[..] else { panic!("{graph:?}") };
            prop_assert_eq!(&attribute.key, &path.key());
            prop_assert_eq!(&attribute.full_name, &format!("full {path}"));
        }
        prop_assert_eq!(graph.attributes().count(), taken.len());
        // Breadth-first: nobody stands before whoever first leads there, and no number is free.
        let edges: Vec<usize> = graph
            .nodes()
            .iter()
            .flat_map(|node| node.children.iter().map(|edge| edge.node))
            .collect();
        prop_assert!(edges.into_iter().eq(1..graph.nodes().len()));
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn a_built_graph_comes_back(paths in paths()) {
        let mut builder = GraphBuilder::default();
        let mut tensors = Tensors::new();
        for path in paths {
            if builder.insert(&path, "").is_ok() {
                tensors.insert(path.key(), Tensor::string(b"value"));
            }
        }
        let graph = builder.finish();
        prop_assert_eq!(stored(&graph, &tensors), graph);
    }

    #[test]
    fn any_graph_comes_back(nodes in nodes()) {
        let graph = ObjectGraph::new(nodes).unwrap();
        prop_assert_eq!(stored(&graph, &Tensors::new()), graph);
    }
}

// Transforms.

/// A tensor in memory, read the slow and certain way: element by element.
struct Memory<'a>(Tensor<'a>);

impl Regions for Memory<'_> {
    fn spec(&self) -> &TensorSpec {
        self.0.spec()
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        let size = usize::try_from(self.spec().dtype().size().unwrap()).unwrap();
        let dims = self.spec().shape().dims();
        assert_eq!(out.len(), usize::try_from(region.elements()).unwrap() * size);
        for (index, element) in indices(region.size()).zip(out.chunks_exact_mut(size)) {
            let at = index.iter().zip(region.start()).map(|(i, start)| i + start);
            let flat = usize::try_from(flat(dims, at)).unwrap();
            element.copy_from_slice(&self.0.data()[flat * size..(flat + 1) * size]);
        }
        Ok(())
    }
}

/// A transform on top of another value.
struct Applied<'a>(&'a Transform, Box<dyn Regions + 'a>, TensorSpec);

impl Regions for Applied<'_> {
    fn spec(&self) -> &TensorSpec {
        &self.2
    }

    fn read(&mut self, region: &Region, out: &mut [u8]) -> Result<(), TransformError> {
        self.0.op().pull(region, self.1.as_mut(), out)
    }
}

fn apply<'a>(transforms: &'a [Transform], tensor: &'a Tensor<'a>) -> Box<dyn Regions + 'a> {
    let mut value: Box<dyn Regions> = Box::new(Memory(tensor.clone()));
    for transform in transforms {
        let spec = transform.op().infer(value.spec()).unwrap();
        value = Box::new(Applied(transform, value, spec));
    }
    value
}

/// All indices below `dims`, row-major.
fn indices(dims: &[u64]) -> impl Iterator<Item = Vec<u64>> {
    let count: u64 = dims.iter().product();
    (0..count).map(|mut flat| {
        let mut index: Vec<u64> = dims
            .iter()
            .rev()
            .map(|dim| {
                let at = flat % dim;
                flat /= dim;
                at
            })
            .collect();
        index.reverse();
        index
    })
}

fn flat(dims: &[u64], index: impl Iterator<Item = u64>) -> u64 {
    index.zip(dims).fold(0, |flat, (at, dim)| flat * dim + at)
}

fn size(region: &Region, spec: &TensorSpec) -> usize {
    usize::try_from(region.elements() * spec.dtype().size().unwrap()).unwrap()
}

/// A box inside `shape`, chosen by `cuts`.
fn part(shape: &Shape, cuts: &[(Index, Index)]) -> Region {
    let range = |(dim, (a, b)): (&u64, &(Index, Index))| -> Range<u64> {
        let cut = |index: &Index| index.index(usize::try_from(*dim).unwrap() + 1) as u64;
        cut(a).min(cut(b))..cut(a).max(cut(b))
    };
    let ranges: Vec<Range<u64>> = shape.dims().iter().zip(cuts).map(range).collect();
    Region::new(shape, &ranges).unwrap()
}

fn whole(value: &mut dyn Regions) -> Vec<u8> {
    let all = Region::whole(value.spec().shape());
    read(value, &all)
}

fn read(value: &mut dyn Regions, region: &Region) -> Vec<u8> {
    let mut out = vec![0xaa; size(region, value.spec())];
    value.read(region, &mut out).unwrap();
    out
}

/// Raw choices, made into transforms that fit.
type Choice = (bool, Vec<Index>);

fn numbers() -> impl Strategy<Value = Tensor<'static>> {
    let fixed: Vec<DType> = DType::ALL.iter().copied().filter(|d| d.size().is_some()).collect();
    (select(fixed), shapes()).prop_map(|(dtype, shape)| {
        let spec = TensorSpec::new(dtype, shape).unwrap();
        let bytes = spec.bytes().unwrap();
        // Every byte tells where it stood.
        let data: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect();
        Tensor::new(spec, data).unwrap()
    })
}

fn choices() -> impl Strategy<Value = Vec<Choice>> {
    vec((any::<bool>(), vec(any::<Index>(), 6)), 1..4)
}

fn permutation(rank: usize, choice: &[Index]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..rank).collect();
    choice.iter().take(rank).map(|index| left.remove(index.index(left.len()))).collect()
}

/// Another shape with as many elements; one size may be left to be worked out.
fn reshape(shape: &Shape, choice: &[Index]) -> Reshape {
    let mut left = shape.elements();
    let mut dims: Vec<i64> = Vec::new();
    if left > 0 {
        for index in choice.iter().take(3) {
            let divisors: Vec<u64> = (1..=left).filter(|d| left.is_multiple_of(*d)).collect();
            let dim = *index.get(&divisors);
            left /= dim;
            dims.push(dim.try_into().unwrap());
        }
        dims.push(left.try_into().unwrap());
        let free = choice[4].index(dims.len() * 2);
        if let Some(dim) = dims.get_mut(free) {
            *dim = -1;
        }
    } else {
        dims = vec![3, 0];
    }
    Reshape::new(&dims).unwrap()
}

fn transforms(spec: &TensorSpec, choices: &[Choice]) -> Vec<Transform> {
    let mut spec = spec.clone();
    let mut made = Vec::new();
    for (transpose, choice) in choices {
        let rank = spec.shape().rank();
        let transform = match transpose {
            true if choice[5].index(4) == 0 => Transform::Transpose(Transpose::new(None).unwrap()),
            true => Transform::Transpose(Transpose::new(Some(permutation(rank, choice))).unwrap()),
            false => Transform::Reshape(reshape(spec.shape(), choice)),
        };
        spec = transform.op().infer(&spec).unwrap();
        made.push(transform);
    }
    made
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn transpose_is_numpys(tensor in numbers(), choice in vec(any::<Index>(), 6)) {
        let spec = tensor.spec();
        let axes = permutation(spec.shape().rank(), &choice);
        let transform = [Transform::Transpose(Transpose::new(Some(axes.clone())).unwrap())];
        let mut value = apply(&transform, &tensor);
        let dims = spec.shape().dims();
        let out: Vec<u64> = axes.iter().map(|&axis| dims[axis]).collect();
        prop_assert_eq!(value.spec().shape().dims(), &out[..]);
        let size = usize::try_from(spec.dtype().size().unwrap()).unwrap();
        let mut expected: Vec<u8> = Vec::new();
        for index in indices(&out) {
            let mut from = vec![0; axes.len()];
            for (&axis, at) in axes.iter().zip(index) {
                from[axis] = at;
            }
            let at = usize::try_from(flat(dims, from.into_iter())).unwrap();
            expected.extend(&tensor.data()[at * size..(at + 1) * size]);
        }
        prop_assert_eq!(whole(value.as_mut()), expected);
    }

    #[test]
    fn reshape_moves_nothing(tensor in numbers(), choice in vec(any::<Index>(), 6)) {
        let transform = [Transform::Reshape(reshape(tensor.spec().shape(), &choice))];
        let mut value = apply(&transform, &tensor);
        prop_assert_eq!(value.spec().shape().elements(), tensor.spec().shape().elements());
        prop_assert_eq!(whole(value.as_mut()), tensor.data());
    }

    /// What `infer` says is what `pull` fills, and any part of it is that part of the whole.
    #[test]
    fn parts_are_parts_of_the_whole(
        tensor in numbers(),
        choices in choices(),
        limit in 1..40_u64,
        cuts in vec(any::<(Index, Index)>(), 5),
    ) {
        let transforms = transforms(tensor.spec(), &choices);
        let mut value = apply(&transforms, &tensor);
        let spec = value.spec().clone();
        prop_assert_eq!(spec.dtype(), tensor.spec().dtype());
        let all = whole(value.as_mut());
        prop_assert_eq!(all.len() as u64, spec.bytes().unwrap());
        let mut pieces = Vec::new();
        for block in Region::blocks(spec.shape(), limit) {
            pieces.extend(read(value.as_mut(), &block));
        }
        prop_assert_eq!(&pieces, &all);
        let part = part(spec.shape(), &cuts);
        let expected = read(&mut Memory(Tensor::new(spec, all).unwrap()), &part);
        prop_assert_eq!(read(value.as_mut(), &part), expected);
    }

    #[test]
    fn what_is_undone_is_as_before(tensor in numbers(), choices in choices()) {
        let mut transforms = transforms(tensor.spec(), &choices);
        let mut specs = vec![tensor.spec().clone()];
        for transform in &transforms {
            specs.push(transform.op().infer(&specs[specs.len() - 1]).unwrap());
        }
        let back: Vec<Transform> = transforms
            .iter()
            .zip(&specs)
            .rev()
            .map(|(transform, input)| transform.op().invert(input).unwrap())
            .collect();
        transforms.extend(back);
        let mut value = apply(&transforms, &tensor);
        prop_assert_eq!(value.spec(), tensor.spec());
        prop_assert_eq!(whole(value.as_mut()), tensor.data());
    }
}
