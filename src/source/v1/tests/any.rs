//! Whatever is written in V1 form comes back, and whatever is not is refused.

use proptest::prelude::*;

use super::*;

/// A variable: which type, its sizes, where it is cut, and what its values are made of.
type Sketch = (usize, Vec<u64>, Vec<(usize, usize, u64)>, Vec<u8>);

fn sketch() -> impl Strategy<Value = Sketch> {
    prop::collection::vec(1..6_u64, 0..4).prop_flat_map(|dims| {
        let rank = dims.len().max(1);
        let cuts = prop::collection::vec((0..8_usize, 0..rank, 0..6_u64), 0..5);
        (0..15_usize, Just(dims), cuts, prop::collection::vec(any::<u8>(), 1..30))
    })
}

/// Its value, and its slices.
fn drawn((which, dims, cuts, seed): Sketch) -> (Tensor<'static>, Vec<Region>) {
    let types = DType::ALL.iter().copied().filter(|&dtype| dtype.size().is_some());
    let dtype = types.filter(|&dtype| Encoding::of(dtype).is_some()).nth(which).unwrap();
    let spec = spec(dtype, &dims);
    let len = usize::try_from(spec.bytes().unwrap()).unwrap();
    let mut data: Vec<u8> = seed.into_iter().cycle().take(len).collect();
    if dtype == DType::Bool {
        for byte in &mut data {
            *byte &= 1;
        }
    }
    let mut parts: Vec<Vec<Range<u64>>> = vec![dims.iter().map(|&dim| 0..dim).collect()];
    for (part, axis, at) in cuts.into_iter().filter(|_| !dims.is_empty()) {
        let part = part % parts.len();
        let range = parts[part][axis].clone();
        // No slice is empty: two of those would have one key.
        let at = range.start + at;
        if at > range.start && at < range.end {
            let mut other = parts[part].clone();
            other[axis] = at..range.end;
            parts[part][axis] = range.start..at;
            parts.push(other);
        }
    }
    let regions = parts.iter().map(|part| Region::new(spec.shape(), part).unwrap()).collect();
    (Tensor::new(spec, data).unwrap(), regions)
}

/// The bytes of one part of a tensor.
fn cut(tensor: &Tensor<'_>, region: &Region) -> Vec<u8> {
    let width = tensor.spec().dtype().size().unwrap();
    let mut out = Vec::new();
    let place = |at: u64| usize::try_from(at * width).unwrap();
    let done = region.for_each_run(tensor.spec().shape(), |at, len| {
        out.extend(&tensor.data()[place(at)..place(at + len)]);
        Ok::<_, ()>(())
    });
    done.unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_variables_in_any_slices_in_any_files(
        sketches in prop::collection::vec(sketch(), 1..6),
        count in 1..4_usize,
        corner in any::<[u64; 6]>(),
    ) {
        let mut files = vec![File::default(); count];
        let mut variables = Vec::new();
        for (number, sketch) in sketches.into_iter().enumerate() {
            let name = format!("v{number}");
            let (tensor, regions) = drawn(sketch);
            for (at, region) in regions.iter().enumerate() {
                let axes = region.start().iter().zip(region.size());
                let ranges: Vec<_> = axes.zip(tensor.spec().shape().dims()).map(|((&start, &len), &dim)| {
                    (len < dim || corner[0] % 2 == 0).then_some(start..start + len)
                }).collect();
                let file = (at + number) % count;
                let values = cut(&tensor, region);
                files[file] = std::mem::take(&mut files[file]).with(&name, tensor.spec(), &slice(&ranges), &values);
            }
            variables.push((named(&name), tensor));
        }
        let (_dir, reader) = opened(&files);
        prop_assert_eq!(reader.catalog().variables.len(), variables.len());
        for (name, tensor) in variables {
            prop_assert_eq!(&reader.read(&name).unwrap(), &tensor);
            let dims = tensor.spec().shape().dims();
            let ranges: Vec<Range<u64>> = dims.iter().enumerate().map(|(axis, &dim)| {
                let start = corner[axis] % dim;
                start..start + 1 + corner[axis + 3] % (dim - start)
            }).collect();
            let region = Region::new(tensor.spec().shape(), &ranges).unwrap();
            let expected = cut(&tensor, &region);
            let mut out = vec![0; expected.len()];
            reader.read_region(&name, &region, &mut out).unwrap();
            prop_assert_eq!(out, expected);
        }
    }

    /// Sums are right here, so nothing but the reader stands between bytes and values.
    #[test]
    fn any_bytes_in_a_table_are_read_or_refused(
        meta in prop::collection::vec(prop_oneof![0_u8..0x30, any::<u8>()], 0..40),
        value in prop::collection::vec(prop_oneof![0_u8..0x50, any::<u8>()], 0..40),
        which in 0..3,
    ) {
        let mut file = File::default().whole("w", &floats(&[2], [1.0, 2.0]));
        match which {
            0 => file.more = meta,
            1 => drop(file.records.insert(b"\0w\0\x01\x01\x01\x80\x7f".to_vec(), value)),
            _ => drop(file.records.insert(
                b"\0w\0\x01\x01\x01\x80\x7f".to_vec(), field(2, &field(3, &value)))),
        }
        let (_dir, name) = written(&[file]);
        if let Ok(reader) = open(&name) {
            for name in reader.catalog().variables.keys() {
                let _ = reader.read(name);
            }
        }
        findings(&name);
    }
}
