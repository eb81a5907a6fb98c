//! Slices against the same done naively, and the bytes of `.npy` files.

use proptest::prelude::*;

use super::edges::Edges;
use super::npy::NpyForm;
use super::selection::Selection;
use super::slice::Slice;
use crate::source::SourceError;
use crate::tensor::{DType, Region, Shape};

/// An axis of a slice: what is typed, and the indices it stands for in an axis of `size`, taken one
/// by one; `None` where it stands for none.
#[derive(Debug, Clone)]
enum Typed {
    Index(i64),
    Range(Option<i64>, Option<i64>, Option<i64>),
}

impl Typed {
    fn text(&self) -> String {
        let word = |number: &Option<i64>| number.map_or(String::new(), |number| number.to_string());
        match self {
            Self::Index(index) => index.to_string(),
            Self::Range(start, stop, None) => format!("{}:{}", word(start), word(stop)),
            Self::Range(start, stop, step) => {
                format!("{}:{}:{}", word(start), word(stop), word(step))
            }
        }
    }

    fn indices(&self, size: i64) -> Option<Vec<i64>> {
        let from_start = |index: i64| if index < 0 { index + size } else { index };
        match *self {
            Self::Index(index) => {
                let index = from_start(index);
                (0..size).contains(&index).then(|| vec![index])
            }
            Self::Range(start, stop, step) => {
                let start = start.map_or(0, from_start).max(0);
                let stop = stop.map_or(size, from_start);
                let all = (0..size).filter(|&i| i >= start && i < stop);
                let step = step.unwrap_or(1);
                Some(all.filter(|i| (i - start) % step == 0).collect())
            }
        }
    }
}

fn typed() -> impl Strategy<Value = Typed> {
    let number = || prop::option::of(-7_i64..8);
    prop_oneof![
        (-7_i64..8).prop_map(Typed::Index),
        (number(), number(), prop::option::of(1_i64..5))
            .prop_map(|(a, b, c)| Typed::Range(a, b, c)),
    ]
}

/// Elements whose bytes say where they stand.
fn numbered(shape: &Shape) -> Vec<u8> {
    (0..shape.elements()).flat_map(|at| u16::try_from(at).unwrap().to_le_bytes()).collect()
}

/// What a reader of these bytes does.
fn reader<'b>(
    shape: &'b Shape,
    bytes: &'b [u8],
) -> impl FnMut(&Region, &mut [u8]) -> Result<(), SourceError> + 'b {
    move |region, mut out| {
        region.for_each_run(shape, |at, len| {
            let (at, len) = (usize::try_from(2 * at).unwrap(), usize::try_from(2 * len).unwrap());
            let (run, rest) = std::mem::take(&mut out).split_at_mut(len);
            run.copy_from_slice(&bytes[at..at + len]);
            out = rest;
            Ok(())
        })
    }
}

fn selected(selection: &Selection, shape: &Shape, edges: &Edges) -> Vec<u8> {
    let bytes = numbered(shape);
    let edges = edges.along(&selection.full_shape());
    let room = edges.shape();
    let mut out = vec![0xff; 2 * usize::try_from(room.elements()).unwrap()];
    for (part, place) in edges.parts() {
        let mut read = reader(shape, &bytes);
        selection.read(&part, &place, (&room, 2), &mut out, &mut read).unwrap();
    }
    out
}

proptest! {
    #[test]
    fn slices_are_what_they_are_element_by_element(
        axes in prop::collection::vec((0_u64..7, typed()), 0..4),
        mentioned in 0_usize..4,
        dots in any::<bool>(),
    ) {
        let dims: Vec<u64> = axes.iter().map(|(size, _)| *size).collect();
        let shape = Shape::new(dims).unwrap();
        let mentioned = mentioned.min(axes.len());
        let mut words: Vec<String> = axes[..mentioned].iter().map(|(_, typed)| typed.text()).collect();
        if dots || words.is_empty() {
            words.push("...".to_owned());
        }
        let found = words.join(", ").parse::<Slice>().unwrap().of(&shape);
        let mut expected = vec![0_i64];
        let mut expected_shape = Vec::new();
        for (at, (size, typed)) in axes.iter().enumerate() {
            let size = i64::try_from(*size).unwrap();
            let typed = if at < mentioned { typed.clone() } else { Typed::Range(None, None, None) };
            let Some(indices) = typed.indices(size) else {
                prop_assert!(found.is_err());
                return Ok(());
            };
            if matches!(typed, Typed::Range(..)) {
                expected_shape.push(indices.len() as u64);
            }
            expected = expected
                .iter()
                .flat_map(|from| indices.iter().map(move |index| from * size + index))
                .collect();
        }
        let selection = found.unwrap();
        prop_assert_eq!(selection.shape(), Shape::new(expected_shape).unwrap());
        let places: Vec<i64> =
            selection.places(&shape).into_iter().map(|at| i64::try_from(at).unwrap()).collect();
        if !expected.is_empty() {
            prop_assert_eq!(&places, &expected);
        }
        let bytes = selected(&selection, &shape, &Edges::none(&selection.shape()));
        let numbers: Vec<i64> =
            bytes.chunks(2).map(|at| i64::from(u16::from_le_bytes([at[0], at[1]]))).collect();
        prop_assert_eq!(numbers, expected);
    }
}

/// Far apart elements of a tensor too large to be read between them.
#[test]
fn what_lies_between_is_left_out() {
    let shape = Shape::new([1 << 40, 3]).unwrap();
    let selection = "::274877906944, ::2".parse::<Slice>().unwrap().of(&shape).unwrap();
    let room = selection.full_shape();
    assert_eq!(room.dims(), [4, 2]);
    let mut out = vec![0; 8];
    let mut read = |region: &Region, out: &mut [u8]| {
        assert!(out.len() < 4);
        let row = u8::try_from(region.start()[0] >> 38).unwrap();
        let column = u8::try_from(region.start()[1]).unwrap();
        for (at, byte) in (column..).zip(out) {
            *byte = 10 * row + at;
        }
        Ok(())
    };
    let whole = Region::whole(&room);
    selection.read(&whole, &whole, (&room, 1), &mut out, &mut read).unwrap();
    assert_eq!(out, [0, 2, 10, 12, 20, 22, 30, 32]);
}

#[test]
fn edges_are_the_first_and_last_three() {
    let shape = Shape::new([9, 2, 8]).unwrap();
    let bytes = selected(&Selection::all(&shape), &shape, &Edges::of(&shape));
    let ends = |size| (0..size).filter(move |i| *i < 3 || *i + 3 >= size);
    let expected = ends(9_u16)
        .flat_map(|i| (0..2).flat_map(move |j| ends(8).map(move |k| (i * 2 + j) * 8 + k)))
        .flat_map(u16::to_le_bytes);
    assert!(bytes.into_iter().eq(expected));
}

/// As `numpy.save` writes them.
#[test]
fn headers_are_numpys() {
    let header =
        |dims: &[u64]| NpyForm::of(DType::Float).unwrap().header(&Shape::new(dims).unwrap());
    let shown = |dims: &[u64]| String::from_utf8(header(dims)[10..].to_vec()).unwrap();
    assert_eq!(&header(&[2, 3])[..10], b"\x93NUMPY\x01\x00v\x00");
    let start = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
    assert_eq!(shown(&[2, 3]).trim_end(), format!("{start}(2, 3), }}"));
    assert_eq!(shown(&[5]).trim_end(), format!("{start}(5,), }}"));
    assert_eq!(shown(&[]).trim_end(), format!("{start}(), }}"));
    for rank in 0..=254 {
        let header = header(&vec![1; rank]);
        assert_eq!((header.len() % 64, header.last()), (0, Some(&b'\n')));
        let len = u16::from_le_bytes([header[8], header[9]]);
        assert_eq!(usize::from(len) + 10, header.len());
    }
}
