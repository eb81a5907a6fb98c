//! What goes in comes out: random checkpoints through the file system, random graphs through their
//! message, random values through transforms and back.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ckptmap::catalog::{Variable, VariableName};
use ckptmap::check::check;
use ckptmap::convert::{self, Inputs, convert};
use ckptmap::crc::Crc;
use ckptmap::files::{Extent, Location, Share};
use ckptmap::mapping::{Files, Mapping, Problems};
use ckptmap::object::{
    Attribute, Edge, GraphBuilder, Node, ObjectGraph, ObjectPath, RegisteredSaver, Slot, Target,
};
use ckptmap::plan::{self, Plan};
use ckptmap::progress::Silent;
use ckptmap::reverse::reverse;
use ckptmap::source::{CheckpointReader, open};
use ckptmap::target::{CheckpointWriter, Committed, Options, SharedFile, Sharing, always, create};
use ckptmap::tensor::{DType, Region, Shape, Tensor, TensorSpec, strings};
use ckptmap::transform::{Regions, Reshape, Transform, TransformError, Transpose};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FAST: Options =
    Options { overwrite: true, sync: false, update_state: false, shard_size: None, record: None };

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
            let len = tensor.data().len() as u64;
            let place = writer.reserve(target, tensor.spec(), len).unwrap();
            // From the last block to the first: places are all that counts.
            for (number, bytes) in tensor.data().chunks(*block).enumerate().rev() {
                writer.write(place.after((number * block) as u64), bytes).unwrap();
            }
            writer.seal(target, tensor.checksum()).unwrap();
        }
        _ => writer.put(target, tensor).unwrap(),
    }
}

/// The file an extent lies in, linked.
fn link(writer: &mut dyn CheckpointWriter, extent: &Extent) -> SharedFile {
    match writer.share(extent.blob.as_ref(), Share::Link).unwrap() {
        Sharing::Done(file) => file,
        Sharing::Refused(error) => panic!("{error:?}"),
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

    /// Data files that are another checkpoint's as well, under other names and under two at once.
    #[cfg(unix)]
    #[test]
    fn tensors_in_linked_files_are_the_same(tensors in checkpoints(), ways in ways()) {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (Location::from(dir.path()).join("old"), Location::from(dir.path()).join("new"));
        write(&old, &tensors, &ways, None);
        let reader = open(&old).unwrap();
        let mut writer = create(&new, &FAST, &[]).unwrap();
        let mut expected = Tensors::new();
        let mut shared = None;
        for (name, variable) in &reader.catalog().variables {
            let (extent, crc) = reader.extent(name).unwrap().unwrap();
            let (target, alias) = (format!("x/{name}"), format!("y/{name}"));
            let named = Target::named(target.as_str());
            let file = *shared.get_or_insert_with(|| link(writer.as_mut(), &extent));
            let at = (file, extent.offset, extent.len);
            writer.refer(&named, &variable.spec, at, crc).unwrap();
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

// Rules, there and back.

/// Variables as `name dtype sizes; …`; every element tells where it stood, in numbers that any
/// arithmetic here leaves exact.
fn variables(text: &str) -> Tensors {
    let mut next = 0_u16;
    let lines = text.split(';').map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let sizes = words[1].split(',').filter(|size| *size != "-");
            let shape = Shape::new(sizes.map(|size| size.parse().unwrap()).collect::<Vec<u64>>());
            let spec = TensorSpec::new(DType::Float, shape.unwrap()).unwrap();
            let mut data = Vec::new();
            for _ in 0..spec.shape().elements() {
                next += 1;
                data.extend(f32::from(next).to_le_bytes());
            }
            (words[0].to_owned(), Tensor::new(spec, data).unwrap())
        })
        .collect()
}

/// Files beside the rules.
#[derive(Debug)]
struct Beside;

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        match path {
            "turned.txt" => Ok("2\n0\n1\n".to_owned()),
            "fewer.txt" => Ok("2\n0\n".to_owned()),
            _ => Err("there is no such file".to_owned()),
        }
    }
}

/// A checkpoint that rules made another of.
struct Journey {
    dir: tempfile::TempDir,
    mapping: Mapping,
    old: Tensors,
}

impl Journey {
    fn new(rules: &str, text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rules = format!("version: 1\n{rules}");
        let mapping = Mapping::parse("rules.yaml", &rules, &BTreeMap::new(), &Beside).unwrap();
        let journey = Self { dir, mapping, old: variables(text) };
        write(&journey.at("old"), &journey.old, &[Way::Put], None);
        let old = open(&journey.at("old")).unwrap();
        let plan = plan::plan(old.catalog(), &journey.mapping, None, &plan::Options::default());
        let plan = plan.unwrap_or_else(|problems| panic!("{rules}: {problems}"));
        journey.convert("new", &plan, old.as_ref(), None);
        journey
    }

    fn at(&self, name: &str) -> Location {
        Location::from(self.dir.path()).join(name)
    }

    fn convert(
        &self,
        to: &str,
        plan: &Plan,
        source: &dyn CheckpointReader,
        template: Option<&dyn CheckpointReader>,
    ) {
        let writer = create(&self.at(to), &FAST, &[]).unwrap();
        let how = convert::Options::default();
        convert(plan, &Inputs { source, template }, writer, &how, &Silent).unwrap();
    }

    /// Every value of the new checkpoint becomes another one, as training would have it.
    fn train(&self) {
        let new = open(&self.at("new")).unwrap();
        let trained = |(name, variable): (&VariableName, &Variable)| {
            let tensor = new.read(name).unwrap();
            let (floats, doubles) =
                (tensor.data().as_chunks::<4>().0, tensor.data().as_chunks::<8>().0);
            let data: Vec<u8> = match variable.spec.dtype() {
                DType::Float => floats
                    .iter()
                    .flat_map(|x| (f32::from_le_bytes(*x) + 4096.0).to_le_bytes())
                    .collect(),
                DType::Double => doubles
                    .iter()
                    .flat_map(|x| (f64::from_le_bytes(*x) + 4096.0).to_le_bytes())
                    .collect(),
                _ => tensor.data().to_vec(),
            };
            (name.as_str().to_owned(), Tensor::new(variable.spec.clone(), data).unwrap())
        };
        let tensors: Tensors = new.catalog().variables.iter().map(trained).collect();
        let graph = new.catalog().graph.clone();
        drop(new);
        write(&self.at("new"), &tensors, &[Way::Put], graph.as_ref());
    }

    /// The way back: what came of every old variable, and what was said.
    fn back(&self, has_data: bool) -> Result<(Tensors, Vec<String>), Problems> {
        let (old, new) = (open(&self.at("old")).unwrap(), open(&self.at("new")).unwrap());
        let options =
            plan::Options { keep_missing: true, backwards: true, ..plan::Options::default() };
        let forward = plan::plan(old.catalog(), &self.mapping, Some(new.catalog()), &options)?;
        let plan = reverse(&forward, old.catalog(), new.catalog(), &|_| has_data)?;
        self.convert("back", &plan, new.as_ref(), Some(old.as_ref()));
        let back = open(&self.at("back")).unwrap();
        let names = back.catalog().variables.keys();
        let tensors = names.map(|name| (name.as_str().to_owned(), back.read(name).unwrap()));
        let warnings = plan.warnings.iter().map(|warning| warning.message.clone());
        Ok((tensors.collect(), warnings.collect()))
    }
}

const CELLS: &[(&str, &str)] = &[
    ("basic_rnn_cell", "c/kernel 5,2; c/bias 2"),
    ("lstm_cell", "c/kernel 5,8; c/bias 8"),
    ("lstm_cell", "c/weights 2,8; c/biases 8"),
    ("cudnn_lstm", "c/kernel 5,8; c/bias 8"),
    ("gru_cell", "c/gates/kernel 5,4; c/gates/bias 4; c/candidate/kernel 5,2; c/candidate/bias 2"),
    (
        "cudnn_gru",
        "c/gates/kernel 5,4; c/gates/bias 4; c/candidate/input_projection/kernel 3,2; \
         c/candidate/input_projection/bias 2; c/candidate/hidden_projection/kernel 2,2; \
         c/candidate/hidden_projection/bias 2",
    ),
];

/// Rules that lose nothing, with variables for them.
fn lossless() -> Vec<(String, &'static str)> {
    let apply = |to: &str, apply: &str| format!("{{from: a, to: {to}, apply: [{apply}]}}");
    let join = |apply: &str| format!("{{from: ['a', 'b'], to: x, apply: [{apply}]}}");
    let mut cases = vec![
        (join("{concat: -1}"), "a 2,3; b 2,1"),
        (join("{concat: 0}"), "a 3; b 0"),
        (join("transpose, {concat: 1}, {reshape: [-1]}"), "a 2,3; b 4,3"),
        (join("{stack: 0}"), "a 2,3; b 2,3"),
        (join("{stack: -1}"), "a -; b -"),
        (join("{flip: 0}, {stack: 1}, {transpose: [2, 0, 1]}"), "a 2,3; b 2,3"),
        ("{from: ['a', 'b'], to: [y, x], apply: [transpose]}".to_owned(), "a 2,3; b 4,1"),
        (
            r"{from: 'w_\d+', to: x, apply: [{concat: 0}]}".to_owned(),
            "w_0 1; w_1 2; w_2 3; w_3 1; w_4 1; w_5 1; w_6 1; w_7 1; w_8 1; w_9 1; w_10 2",
        ),
        (apply("[x, y, z]", "{split: -1}"), "a 2,6"),
        (apply("[z, y, x]", "{split: 0}, transpose"), "a 6,2"),
        (apply("[x, y]", "{split: {axis: 1, sizes: [1, 4]}}"), "a 2,5"),
        (apply("[x, y]", "{split: {axis: 0, sizes: [0, 4]}}"), "a 4,2"),
        (apply("[x, y]", "transpose, {split: 0}, {expand_dims: 0}"), "a 3,4"),
        (apply("[x, y, z]", "{unstack: 1}"), "a 2,3,2"),
        (apply("[x, y, z]", "{unstack: 0}"), "a 3"),
        (apply("[x, y]", ""), "a 3"),
        (apply("x", "{unpartition: {strategy: mod, parts: 3}}"), "a 8,2"),
        (apply("x", "{unpartition: {strategy: mod, parts: 9}}"), "a 4"),
        (apply("x", "{gather: turned.txt}"), "a 3,2"),
        (apply("x", "{gather: {rows: turned.txt, axis: 1}}, transpose"), "a 2,3"),
        (apply("x", "{pad: {by: [[1, 2], [0, 1]], with: 7}}"), "a 2,3"),
        (apply("x", "{flip: [0, 1]}, {expand_dims: 1}, {squeeze: 1}"), "a 2,3"),
        (apply("x", "{split_axis: {axis: 0, into: [2, -1]}}, {merge_axes: [1, 2]}"), "a 4,3"),
        (apply("x", "{gates: {order: [2, 0, 1], add: [0, 8, 16]}}"), "a 2,6"),
        (apply("x", "{cast: float64}, {add: 5}"), "a 2,3"),
        (apply("x", "{add: 5}, {scale: 4}"), "a 2,3"),
        (apply("[x, y]", "{slice: '0:2'}"), "a 2,3"),
    ];
    for (kind, variables) in CELLS {
        cases.push((format!("{{cell: {kind}, from: c, to: [x, y/cell]}}"), variables));
    }
    cases
}

/// What is calculated with comes back rounded, and of several values one is taken: nothing else is
/// worth a word.
fn assert_said(rule: &str, said: &[String]) {
    let rounds = ["add", "scale", "{cell: lstm_cell"].iter().any(|word| rule.contains(word));
    let tied = rule.contains("[x, y") && !rule.contains("split");
    let rounded = |line: &&String| line.contains("comes back rounded");
    let several = |line: &&String| line.contains("went to several values");
    assert_eq!(said.iter().any(|line| rounded(&line)), rounds, "{rule}: {said:?}");
    assert!(tied || !said.iter().any(|line| several(&line)), "{rule}: {said:?}");
    assert!(said.iter().all(|line| rounded(&line) || several(&line)), "{rule}: {said:?}");
}

/// From the old index and the new checkpoint alone.
#[test]
fn there_and_back_bit_for_bit() {
    for (rule, text) in lossless() {
        let journey = Journey::new(&format!("rules: [{rule}]"), text);
        let (back, said) =
            journey.back(false).unwrap_or_else(|problems| panic!("{rule}: {problems}"));
        assert!(back == journey.old, "{rule}: {back:?}\n{:?}", journey.old);
        assert_said(&rule, &said);
    }
}

/// What was trained since comes back, and nothing of the old checkpoint beside it.
#[test]
fn what_was_trained_comes_back() {
    for (rule, text) in lossless() {
        let journey = Journey::new(&format!("rules: [{rule}]"), text);
        journey.train();
        let (back, said) =
            journey.back(true).unwrap_or_else(|problems| panic!("{rule}: {problems}"));
        assert_said(&rule, &said);
        for (name, tensor) in &journey.old {
            let same = back[name] == *tensor && !tensor.data().is_empty();
            assert!(!same, "{rule}: `{name}` is the old one");
        }
    }
}

/// Where there is no way back the old value stands beside new ones, and that is said.
#[test]
fn old_values_beside_new_ones_are_named() {
    let cases = [
        // A part of it, parts of it, and parts that overlap.
        ("rules: [{from: a, to: x, apply: [{slice: '1:'}]}, {from: b, to: b}]", "a 3; b 2", "a"),
        ("rules: [{from: a, to: x, apply: [{slice: '::2'}]}, {from: b, to: b}]", "a 4; b 2", "a"),
        ("rules: [{from: a, to: x, apply: [{gather: fewer.txt}]}]", "a 3,2", "a"),
        ("rules: [{from: a, to: x, apply: [{cast: float16}]}]", "a 3", "a"),
        ("rules: [{from: a, to: x, apply: [{scale: 0}]}]", "a 3", "a"),
        // Cut where the two meet, and elsewhere.
        (
            "rules: [{from: ['a', 'b'], to: [x, y], apply: [{concat: 0}, {split: 0}]}]",
            "a 2; b 4",
            "a b",
        ),
        // Its average was converted in its place.
        ("ema: prefer\nrules: [{from: a, to: a}]", "a 2; a/ExponentialMovingAverage 2", "a"),
        // It was left behind for its average's sake.
        (
            "ema: ignore\nrules: [{from: a, to: a}]",
            "a 2; a/ExponentialMovingAverage 2",
            "a/ExponentialMovingAverage",
        ),
    ];
    for (rules, text, stale) in cases {
        let journey = Journey::new(rules, text);
        journey.train();
        let (back, said) =
            journey.back(true).unwrap_or_else(|problems| panic!("{rules}: {problems}"));
        for (name, tensor) in &journey.old {
            let expected = stale.split(' ').any(|one| one == name);
            assert_eq!(back[name] == *tensor, expected, "{rules}: {name}");
            let named = said.iter().any(|line| line.contains(&format!("`{name}`")));
            assert_eq!(named, expected, "{rules}: {name}, but {said:?}");
        }
    }
}

/// The same without the old data: refused, and why.
#[test]
fn what_cannot_be_worked_out_is_refused() {
    for (rule, why) in [
        ("{from: a, to: x, apply: [{slice: '1:'}]}", "its transform has no inverse"),
        ("{drop: a}", "the rules do not convert it"),
    ] {
        let journey = Journey::new(&format!("rules: [{rule}, {{from: b, to: b}}]"), "a 3; b 2");
        let problems = journey.back(false).unwrap_err();
        assert_eq!(problems.to_string(), format!("`a` cannot be worked out: {why}"));
    }
}
