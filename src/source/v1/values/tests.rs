//! Values packed, split and scattered, of every type.

use proptest::prelude::*;

use super::*;
use crate::tensor::TensorSpec;

/// A field with bytes.
fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(number << 3 | 2, &mut out);
    varint::write(content.len() as u64, &mut out);
    out.extend(content);
    out
}

fn record(tensor: &[u8]) -> Vec<u8> {
    bytes(2, &bytes(3, tensor))
}

/// Each number of a value of the type with these bytes, as it is written.
fn numbers(encoding: Encoding, data: &[u8]) -> Vec<Vec<u8>> {
    let size = usize::try_from(encoding.dtype.size().unwrap()).unwrap();
    match encoding.kind {
        Kind::Fixed(width) => data.chunks_exact(width).map(<[u8]>::to_vec).collect(),
        _ => data.chunks_exact(size).map(|value| varint_of(encoding.dtype, value)).collect(),
    }
}

fn varint_of(dtype: DType, value: &[u8]) -> Vec<u8> {
    let signed = matches!(
        dtype,
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 | DType::QInt8 | DType::QInt32
    );
    let fill = if signed && value.last().unwrap() & 0x80 != 0 { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide[..value.len()].copy_from_slice(value);
    let mut out = Vec::new();
    varint::write(u64::from_le_bytes(wide), &mut out);
    out
}

/// A tensor with these values, packed in chunks of these lengths; a zero is for one that is not
/// packed.
fn tensor(encoding: Encoding, data: &[u8], chunks: &[usize]) -> Vec<u8> {
    let mut left = numbers(encoding, data).into_iter().peekable();
    let mut out = Vec::new();
    let mut chunks = chunks.iter().cycle();
    while left.peek().is_some() {
        match chunks.next().copied().unwrap_or(usize::MAX) {
            0 => {
                let kind = match encoding.kind {
                    Kind::Varint => 0,
                    Kind::Fixed(8) => 1,
                    _ => 5,
                };
                varint::write(encoding.field << 3 | kind, &mut out);
                out.extend(left.next().unwrap());
            }
            many => {
                let chunk: Vec<u8> = left.by_ref().take(many).flatten().collect();
                out.extend(bytes(encoding.field, &chunk));
            }
        }
        out.extend(b"\xf8\x06\x01");
    }
    out
}

fn types() -> impl Iterator<Item = Encoding> {
    let all = DType::ALL.iter().filter_map(|&dtype| Encoding::of(dtype));
    all.filter(|encoding| encoding.kind != Kind::Bytes)
}

/// Bytes that are values of the type.
fn valid(encoding: Encoding, mut data: Vec<u8>) -> Vec<u8> {
    if encoding.dtype == DType::Bool {
        for byte in &mut data {
            *byte &= 1;
        }
    }
    data
}

fn parse(record: &[u8], encoding: Encoding, elements: u64) -> Result<Values, RecordError> {
    Values::parse(record, encoding.dtype, elements, |_| ())
}

#[test]
fn fifteen_types_and_strings() {
    assert_eq!(types().count(), 15);
}

#[test]
fn every_type_comes_back_however_it_is_written() {
    for encoding in types() {
        let size = encoding.dtype.size().unwrap();
        let shape = Shape::new([5, 3]).unwrap();
        let data: Vec<u8> = (0..15 * size).map(|at| u8::try_from(at * 37 % 256).unwrap()).collect();
        let data = valid(encoding, data);
        for chunks in [&[99][..], &[1], &[0], &[0, 3, 0, 0, 1, 2], &[7, 0]] {
            let record = record(&tensor(encoding, &data, chunks));
            let values = parse(&record, encoding, 15).unwrap();
            let mut out = vec![0; data.len()];
            values.read(&record, &shape, &Region::whole(&shape), &mut out).unwrap();
            assert_eq!(out, data, "{encoding:?} {chunks:?}");
            let column = Region::new(&shape, &[1..4, 1..2]).unwrap();
            let width = usize::try_from(size).unwrap();
            let mut out = vec![0; 3 * width];
            values.read(&record, &shape, &column, &mut out).unwrap();
            let expected: Vec<u8> =
                [4, 7, 10].iter().flat_map(|&at| &data[at * width..][..width]).copied().collect();
            assert_eq!(out, expected, "{encoding:?} {chunks:?}");
        }
    }
}

#[test]
fn counts_are_exact() {
    let got = |error: RecordError| match error {
        RecordError::Count { got, .. } => got,
        other => panic!("{other}"),
    };
    for encoding in types() {
        let size = usize::try_from(encoding.dtype.size().unwrap()).unwrap();
        let record = record(&tensor(encoding, &vec![0; 4 * size], &[3]));
        assert!(parse(&record, encoding, 4).is_ok());
        for wrong in [0, 3, 5, u64::MAX] {
            assert_eq!(got(parse(&record, encoding, wrong).unwrap_err()), 4 * encoding.numbers);
        }
        assert_eq!(got(parse(b"", encoding, 1).unwrap_err()), 0);
        assert!(parse(b"", encoding, 0).is_ok());
    }
}

#[test]
fn what_is_no_value_is_refused() {
    let error = |dtype, tensor: &[u8], elements| {
        Values::parse(&record(tensor), dtype, elements, |_| ()).unwrap_err()
    };
    let out_of_range = error(DType::Int8, &bytes(7, b"\x01\x80\x01"), 2);
    assert_eq!(out_of_range.to_string(), "value 1 is 128, which is no int8");
    assert!(matches!(error(DType::Float, &bytes(5, b"\0\0\0"), 1), RecordError::Message(_)));
    assert!(matches!(error(DType::Int64, &bytes(10, b"\x80"), 1), RecordError::Message(_)));
    assert!(matches!(error(DType::Int64, &bytes(10, &[0x80; 20]), 1), RecordError::Message(_)));
    assert_eq!(error(DType::Float, &bytes(4, b"\0\0\0\0"), 1), RecordError::Content);
    assert_eq!(error(DType::BFloat16, b"", 0), RecordError::DType(DType::BFloat16));
}

#[test]
fn strings() {
    let tensor = [bytes(8, b"ab"), bytes(8, b""), vec![0x28, 1], bytes(8, b"\xff")].concat();
    let record = record(&tensor);
    let values = Values::parse(&record, DType::String, 3, |_| ()).unwrap();
    assert_eq!(values.strings(&record).unwrap(), [&b"ab"[..], b"", b"\xff"]);
    assert!(Values::parse(&record, DType::String, 2, |_| ()).is_err());
}

#[test]
fn a_long_record_is_given_back_and_read_from_the_middle() {
    let encoding = Encoding::of(DType::Int32).unwrap();
    let count = 5_000_000_u32;
    let data: Vec<u8> =
        (0..count).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let record = record(&tensor(encoding, &data, &[usize::MAX]));
    let mut passed = Vec::new();
    let values = Values::parse(&record, DType::Int32, count.into(), |part| passed.push(part));
    let values = values.unwrap();
    assert!(passed.len() > 2 && passed.iter().all(|part| part.len() <= WINDOW + 16));
    assert!(passed.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert!(values.weight() < record.len() / 100);
    let shape = Shape::new([u64::from(count)]).unwrap();
    let range = 4_000_001..4_000_003;
    let middle = Region::new(&shape, std::slice::from_ref(&range)).unwrap();
    let mut out = [0; 8];
    values.read(&record, &shape, &middle, &mut out).unwrap();
    assert_eq!(out, data[16_000_004..16_000_012]);
}

proptest! {
    #[test]
    fn any_region_of_any_record(
        which in 0..15_usize,
        dims in prop::collection::vec(1..6_u64, 1..4),
        chunks in prop::collection::vec(0..9_usize, 1..6),
        seed in prop::collection::vec(any::<u8>(), 1..40),
        corner in any::<[u64; 6]>(),
    ) {
        let encoding = types().nth(which).unwrap();
        let shape = Shape::new(dims.clone()).unwrap();
        let spec = TensorSpec::new(encoding.dtype, shape.clone()).unwrap();
        let len = usize::try_from(spec.bytes().unwrap()).unwrap();
        let data = valid(encoding, seed.iter().copied().cycle().take(len).collect());
        let record = record(&tensor(encoding, &data, &chunks));
        let values = parse(&record, encoding, shape.elements()).unwrap();
        let ranges: Vec<Range<u64>> = dims.iter().enumerate().map(|(axis, &dim)| {
            let start = corner[axis] % dim;
            start..start + 1 + corner[axis + 3] % (dim - start)
        }).collect();
        let region = Region::new(&shape, &ranges).unwrap();
        let width = encoding.dtype.size().unwrap();
        let mut expected: Vec<u8> = Vec::new();
        region.for_each_run(&shape, |at, count| {
            let (at, count) = (at * width, count * width);
            expected.extend(&data[usize::try_from(at).unwrap()..usize::try_from(at + count).unwrap()]);
            Ok::<_, ()>(())
        }).unwrap();
        let mut out = vec![0xaa; expected.len()];
        values.read(&record, &shape, &region, &mut out).unwrap();
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn any_bytes_are_values_or_an_error(
        which in 0..15_usize,
        content in prop::collection::vec(prop_oneof![0_u8..0x50, any::<u8>()], 0..40),
    ) {
        let encoding = types().nth(which).unwrap();
        for record in [content.clone(), record(&content), record(&bytes(encoding.field, &content))] {
            for elements in 0..4 {
                if let Ok(values) = parse(&record, encoding, elements) {
                    let shape = Shape::new([elements]).unwrap();
                    let len = usize::try_from(elements * encoding.dtype.size().unwrap()).unwrap();
                    let mut out = vec![0; len];
                    values.read(&record, &shape, &Region::whole(&shape), &mut out).unwrap();
                }
            }
        }
    }
}
