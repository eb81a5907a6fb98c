//! Memory that was promised, against memory that is taken, by all threads together.

#![expect(unsafe_code, reason = "an allocator cannot count without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckptmap::convert::{Inputs, Options, convert};
use ckptmap::diff;
use ckptmap::files::Location;
use ckptmap::mapping::{Mapping, NoFiles};
use ckptmap::object::{Attribute, Edge, Node, ObjectGraph, Target};
use ckptmap::optimizer::optimizers;
use ckptmap::plan::{self, plan};
use ckptmap::progress::Silent;
use ckptmap::source::{CheckpointReader, open};
use ckptmap::stats::statistics;
use ckptmap::target::{self, always, create};
use ckptmap::tensor::{DType, Shape, Tensor, TensorSpec, strings};

const MIB: usize = 1 << 20;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// One test counts at a time.
static TURN: Mutex<()> = Mutex::new(());

struct Counting;

// SAFETY: all of it is the system's allocator. `realloc` is the default: both pieces count.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as we were called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as we were called.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most that is allocated at a time beside what was before.
fn peak(work: impl FnOnce()) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    work();
    MOST.load(Ordering::Relaxed).saturating_sub(before)
}

fn floats(dims: &[u64]) -> Tensor<'static> {
    let spec = TensorSpec::new(DType::Float, Shape::new(dims).unwrap()).unwrap();
    let bytes = usize::try_from(spec.bytes().unwrap()).unwrap();
    Tensor::new(spec, vec![0; bytes]).unwrap()
}

fn fast() -> target::Options {
    target::Options { sync: false, ..Default::default() }
}

/// A checkpoint called `name`; each tensor is made when it is written.
fn written(
    dir: &Path,
    name: &str,
    tensors: &[&dyn Fn() -> Tensor<'static>],
) -> Box<dyn CheckpointReader> {
    let at = Location::from(dir).join(name);
    let mut writer = create(&at, &fast(), &[]).unwrap();
    for (number, tensor) in tensors.iter().enumerate() {
        writer.put(&Target::named(&*format!("v{number}")), &tensor()).unwrap();
    }
    writer.finish(None, &always).unwrap();
    open(&at).unwrap()
}

/// What converting takes at the most.
fn converting(tensors: &[&dyn Fn() -> Tensor<'static>], rules: &str, memory: u64) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let source = written(dir.path(), "old", tensors);
    let mapping = Mapping::parse("rules.yaml", rules, &BTreeMap::new(), &NoFiles).unwrap();
    let plan = plan(source.catalog(), &mapping, None, &plan::Options::default()).unwrap();
    let writer = create(&Location::from(dir.path()).join("new"), &fast(), &[]).unwrap();
    let inputs = Inputs { source: source.as_ref(), template: None };
    let options = Options { memory, ..Options::default() };
    peak(|| drop(convert(&plan, &inputs, writer, &options, &Silent).unwrap()))
}

const TRANSPOSED: &str = "version: 1\nrules: [{from: '(.+)', to: 'n/$1', apply: [transpose]}]";
const KEPT: &str = "version: 1\nrules: [{from: '(.+)', to: 'n/$1'}]";

/// Buffers of eight threads and what the plan and the index take.
const SLACK: usize = 6 * MIB;

#[test]
fn a_budget_is_held_whatever_comes_after_what() {
    let _turn = TURN.lock().unwrap();
    // Some are streamed and some loaded, each a little larger than the one before, so that no
    // memory fits twice.
    let sizes = [20, 21, 3, 4, 5, 6, 7, 24, 3, 2, 1];
    let make: Vec<_> = sizes.iter().map(|&mib| move || floats(&[mib << 8, 1 << 10])).collect();
    let tensors: Vec<&dyn Fn() -> Tensor<'static>> = make.iter().map(|one| one as _).collect();
    for memory in [2, 8, 16] {
        let taken = converting(&tensors, TRANSPOSED, memory * MIB as u64);
        assert!(taken <= usize::try_from(memory).unwrap() * MIB + SLACK, "{memory}: {taken}");
    }
    let taken = converting(&tensors, KEPT, 1);
    assert!(taken <= SLACK, "{taken}");
}

/// Whatever the size of the tensors, and however many elements differ.
#[test]
fn seeing_takes_no_more_than_its_blocks() {
    let _turn = TURN.lock().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let zeros = || floats(&[12 << 8, 1 << 10]);
    let ones = || {
        let zeros = zeros();
        let bytes = 1.0_f32.to_le_bytes().repeat(zeros.data().len() / 4);
        Tensor::new(zeros.spec().clone(), bytes).unwrap()
    };
    let zeros_read = written(dir.path(), "zeros", &[&zeros, &zeros]);
    let ones_read = written(dir.path(), "ones", &[&ones, &ones]);
    let turned = || floats(&[1 << 10, 12 << 8]);
    let turned_read = written(dir.path(), "turned", &[&turned, &turned]);
    let compare = |with: &dyn CheckpointReader, by_content| {
        let options = diff::Options { by_content, ..Default::default() };
        drop(diff::diff(zeros_read.as_ref(), with, &options, &Silent).unwrap());
    };
    let names: Vec<_> = zeros_read.catalog().variables.keys().collect();
    for taken in [
        peak(|| compare(ones_read.as_ref(), false)),
        peak(|| compare(ones_read.as_ref(), true)),
        peak(|| compare(turned_read.as_ref(), true)),
        peak(|| drop(statistics(ones_read.as_ref(), &names, &Silent).unwrap())),
    ] {
        assert!(taken <= SLACK, "{taken}");
    }
}

#[test]
fn strings_take_what_is_said_of_them() {
    let _turn = TURN.lock().unwrap();
    let empty = || {
        let count = 6 * MIB;
        let spec = TensorSpec::new(DType::String, Shape::new([count as u64]).unwrap()).unwrap();
        Tensor::new(spec, strings::encode(&vec![""; count])).unwrap()
    };
    let taken = converting(&[&empty], KEPT, 64 << 20);
    assert!(taken <= 2 * 6 * MIB + SLACK, "{taken}");
}

/// An optimizer of Keras 2.11 whose attributes are made by `more`; 2 is its list, 3 an item.
fn optimizer(more: impl FnOnce(&mut [Node])) -> ObjectGraph {
    let mut nodes = vec![Node::default(); 4];
    let edge = |label: &str, node| Edge { label: label.to_owned(), node };
    nodes[0].children.push(edge("opt", 1));
    for (label, node) in [("_variables", 2), ("_iterations", 3), ("_momentums", 2)] {
        nodes[1].children.push(edge(label, node));
    }
    more(&mut nodes);
    ObjectGraph::new(nodes).unwrap()
}

#[test]
fn graphs_of_strangers_take_no_more_than_their_size() {
    let _turn = TURN.lock().unwrap();
    let count = 3000;
    let many_labels = optimizer(|nodes| {
        for number in 0..count {
            nodes[1].children.push(Edge { label: format!("l{number}"), node: 2 });
            nodes[2].children.push(Edge { label: number.to_string(), node: 3 });
        }
    });
    let taken = peak(|| assert_eq!(optimizers(&many_labels).len(), 1));
    assert!(taken < 4 * MIB, "{taken}");
    let long_name = optimizer(|nodes| {
        nodes[2].children.push(Edge { label: "0".to_owned(), node: 3 });
        let full_name = "a/".repeat(20_000) + "x";
        let (name, key) = ("VARIABLE_VALUE".to_owned(), "k".to_owned());
        nodes[3].attributes.push(Attribute { name, full_name, key });
    });
    let taken = peak(|| assert_eq!(optimizers(&long_name).len(), 1));
    assert!(taken < 4 * MIB, "{taken}");
}
