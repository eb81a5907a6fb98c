//! Transforms that calculate.

use ckptmap::tensor::{DType, TensorSpec};
use ckptmap::transform::{Add, Cast, Gates, Scale, Transform, TransformError};
use half::{bf16, f16};
use proptest::prelude::*;
use proptest::sample::select;

use crate::harness::{Draw, agrees, all, config, draws, size, spec};

/// A number as its type holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Exact {
    Whole(i128),
    Real(f64),
}

const NUMBERS: [DType; 13] = [
    DType::Float,
    DType::Double,
    DType::Half,
    DType::BFloat16,
    DType::Bool,
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::UInt8,
    DType::UInt16,
    DType::UInt32,
    DType::UInt64,
];

/// Digits of a floating-point type and the power of two that is too large for it.
fn float(dtype: DType) -> Option<(i32, i32)> {
    match dtype {
        DType::Half => Some((11, 16)),
        DType::BFloat16 => Some((8, 128)),
        DType::Float => Some((24, 128)),
        DType::Double => Some((53, 1024)),
        _ => None,
    }
}

fn limits(dtype: DType) -> (i128, i128) {
    let bits = 8 * u32::try_from(size(dtype)).unwrap();
    match dtype {
        DType::Bool => (0, 1),
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        }
        _ => (0, (1 << bits) - 1),
    }
}

fn decode(dtype: DType, bytes: &[u8]) -> Exact {
    let mut wide = [0; 16];
    wide[..bytes.len()].copy_from_slice(bytes);
    let raw = i128::from_le_bytes(wide);
    match dtype {
        DType::Float => Exact::Real(f32::from_le_bytes(bytes.try_into().unwrap()).into()),
        DType::Double => Exact::Real(f64::from_le_bytes(bytes.try_into().unwrap())),
        DType::Half => Exact::Real(f16::from_le_bytes(bytes.try_into().unwrap()).to_f64()),
        DType::BFloat16 => Exact::Real(bf16::from_le_bytes(bytes.try_into().unwrap()).to_f64()),
        _ if raw > limits(dtype).1 => Exact::Whole(raw - (1 << (8 * bytes.len()))),
        _ => Exact::Whole(raw),
    }
}

/// The element nearest to a number, ties to even; `None` where the type has none.
fn encode(dtype: DType, number: Exact) -> Option<Vec<u8>> {
    if float(dtype).is_none() {
        let whole = match number {
            Exact::Whole(whole) => whole,
            Exact::Real(real) => {
                let whole = real as i128;
                (whole as f64 == real).then_some(whole)?
            }
        };
        let (low, high) = limits(dtype);
        return (low..=high).contains(&whole).then(|| whole.to_le_bytes()[..size(dtype)].to_vec());
    }
    let real = match number {
        Exact::Whole(whole) => whole as f64,
        Exact::Real(real) => real,
    };
    let made = match (dtype, number) {
        (DType::Double, _) => real.to_le_bytes().to_vec(),
        (DType::Float, Exact::Whole(whole)) => (whole as f32).to_le_bytes().to_vec(),
        (DType::Float, _) => (real as f32).to_le_bytes().to_vec(),
        (DType::Half, _) => near(real, 0x7c00, 65536.0, |bits| f16::from_bits(bits).to_f64()),
        _ => near(real, 0x7f80, 2_f64.powi(128), |bits| bf16::from_bits(bits).to_f64()),
    };
    let Exact::Real(kept) = decode(dtype, &made) else { unreachable!() };
    (kept.is_finite() || !real.is_finite()).then_some(made)
}

/// Searched for among all numbers of two bytes, which come in the order of their bits.
fn near(real: f64, infinity: u16, beyond: f64, value: impl Fn(u16) -> f64) -> Vec<u8> {
    if real.is_nan() {
        return (infinity | 0x40 | 0x200).to_le_bytes().to_vec();
    }
    let size = real.abs();
    let value = |bits: u16| if bits == infinity { beyond } else { value(bits) };
    let (mut low, mut high) = (0, infinity);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if value(middle) <= size { low = middle } else { high = middle }
    }
    let middle = f64::midpoint(value(low), value(high));
    let bits = match size.partial_cmp(&middle).unwrap() {
        std::cmp::Ordering::Less => low,
        std::cmp::Ordering::Greater => high,
        std::cmp::Ordering::Equal => low + low % 2,
    };
    (bits | u16::from(real.is_sign_negative()) << 15).to_le_bytes().to_vec()
}

/// An element of all kinds: small, whole, at the limits, anything.
fn element(draw: &mut Draw, dtype: DType) -> Vec<u8> {
    let bits = draw.any() << 32 | draw.any();
    if let Some((digits, power)) = float(dtype) {
        let wild = f64::from_bits(bits);
        let real = match draw.below(8) {
            0 if !wild.is_nan() => wild,
            1 => 2_f64.powi(power - 1),
            2 => f64::INFINITY,
            // Half between two numbers of a shorter type.
            3 => 1.0 + 2_f64.powi(-8) + 2_f64.powi(1 - digits),
            4 => (bits % 1000) as f64 / 8.0,
            5 => -0.0,
            _ => (bits % 300) as f64 - 20.0,
        };
        return encode(dtype, Exact::Real(real)).unwrap_or(vec![0; size(dtype)]);
    }
    let (low, high) = limits(dtype);
    let whole = match draw.below(5) {
        0 => low,
        1 => high,
        2 => low + i128::from(bits) % (high - low + 1),
        _ => i128::from(bits % 200).clamp(low, high),
    };
    whole.to_le_bytes()[..size(dtype)].to_vec()
}

/// Compares with what is wanted for each element, or finds the first that has no place.
fn numbers_agree(
    transform: &Transform,
    (from, data): (&TensorSpec, &[u8]),
    dtype: DType,
    wanted: &[Option<Vec<u8>>],
    draw: &mut Draw,
) -> Option<Vec<u8>> {
    let to = spec(dtype, from.shape().dims());
    if let Some(first) = wanted.iter().position(Option::is_none) {
        let error = all(transform, from, data).unwrap_err();
        let TransformError::Range { position, dtype: named, .. } = error else {
            panic!("{transform} of {from}: {error}")
        };
        assert_eq!((position, named), (first as u64, dtype), "{transform} of {from}");
        return None;
    }
    let wanted: Vec<u8> = wanted.iter().flatten().flatten().copied().collect();
    agrees(transform, (from, data), (&to, &wanted), draw);
    Some(wanted)
}

/// Whether `from` is among the numbers of `to`, all of it.
fn widens(from: DType, to: DType) -> bool {
    match (float(from), float(to)) {
        _ if from == to => true,
        (Some(old), Some(new)) => old.0 <= new.0 && old.1 <= new.1,
        (Some(_), None) => false,
        (None, Some((digits, _))) => {
            limits(from).1 <= 1 << digits && limits(from).0 >= -(1 << digits)
        }
        (None, None) => limits(from).0 >= limits(to).0 && limits(from).1 <= limits(to).1,
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn casts_keep_every_number_or_refuse(
        draw in draws(), from in select(&NUMBERS), to in select(&NUMBERS),
    ) {
        cast(draw, from, to);
    }

    #[test]
    fn sums_are_exact_or_rounded_once(
        draw in draws(), dtype in select(&NUMBERS), number in select(&SUMMANDS), blocks: bool,
    ) {
        if blocks && float(dtype).is_some() {
            add_to_blocks(draw, dtype, number);
        } else {
            add(draw, dtype, number);
        }
    }

    #[test]
    fn products_are_the_reference(draw in draws(), dtype in select(&NUMBERS[..4])) {
        scale(draw, dtype);
    }
}

const SUMMANDS: [f64; 7] = [1.0, -1.0, 0.5, 100.0, -3.25, 1e-3, 1e5];

/// A table with an even number of columns, and its elements.
fn table(draw: &mut Draw, dtype: DType) -> (TensorSpec, Vec<Vec<u8>>) {
    let spec = spec(dtype, &[1 + draw.below(3), 2 * (1 + draw.below(2))]);
    let elements = (0..spec.shape().elements()).map(|_| element(draw, dtype)).collect();
    (spec, elements)
}

fn cast(mut draw: Draw, from: DType, to: DType) {
    let (input, elements) = table(&mut draw, from);
    // Halves go by way of f64, whose rounding comes first where it holds less than an integer.
    let exact = |e: &Vec<u8>| match decode(from, e) {
        Exact::Whole(whole) => whole as f64 as i128 == whole,
        Exact::Real(_) => true,
    };
    if matches!(to, DType::Half | DType::BFloat16) && !elements.iter().all(exact) {
        return;
    }
    let wanted: Vec<_> = elements.iter().map(|e| encode(to, decode(from, e))).collect();
    let (cast, data) = (Transform::Cast(Cast::new(to).unwrap()), elements.concat());
    let made = numbers_agree(&cast, (&input, &data), to, &wanted, &mut draw);
    let inverse = cast.op().invert(&input);
    assert_eq!(inverse.is_some(), widens(from, to), "{cast} of {input}");
    if let Some(inverse) = inverse {
        let (output, made) = (spec(to, input.shape().dims()), made.unwrap());
        agrees(&inverse, (&output, &made), (&input, &data), &mut draw);
    }
}

/// The sum as the type rounds it.
fn sum(dtype: DType, element: &[u8], number: Exact) -> Option<Vec<u8>> {
    match (decode(dtype, element), number) {
        (Exact::Whole(a), Exact::Whole(b)) => encode(dtype, Exact::Whole(a + b)),
        (Exact::Real(a), Exact::Real(b)) if (a + b).is_finite() || !a.is_finite() => {
            encode(dtype, Exact::Real(a + b))
        }
        _ => None,
    }
}

fn add(mut draw: Draw, dtype: DType, number: f64) {
    let (input, elements) = table(&mut draw, dtype);
    let transform = Transform::Add(Add::new(number));
    // A byte can be made less by one, though it cannot be -1; a float adds what it can hold.
    let held = if float(dtype).is_some() {
        encode(dtype, Exact::Real(number)).map(|held| decode(dtype, &held))
    } else {
        (dtype != DType::Bool && number.fract() == 0.0).then_some(Exact::Whole(number as i128))
    };
    assert_eq!(transform.op().infer(&input).is_ok(), held.is_some(), "{transform} of {input}");
    let Some(number) = held else { return };
    let wanted: Vec<_> = elements.iter().map(|e| sum(dtype, e, number)).collect();
    there_and_back(&transform, (&input, &elements), &wanted, number, &mut draw);
}

/// The second half of each row becomes the first and is added to.
fn add_to_blocks(mut draw: Draw, dtype: DType, number: f64) {
    let (input, elements) = table(&mut draw, dtype);
    let gates = Transform::Gates(Gates::new(-1, vec![1, 0], vec![number, 0.0]).unwrap());
    let held = encode(dtype, Exact::Real(number)).map(|held| decode(dtype, &held));
    assert_eq!(gates.op().infer(&input).is_ok(), held.is_some(), "{gates} of {input}");
    let Some(number) = held else { return };
    let columns = usize::try_from(input.shape().dims()[1]).unwrap();
    let wanted: Vec<_> = elements
        .chunks(columns)
        .flat_map(|row| {
            let (first, second) = row.split_at(columns / 2);
            let sums = second.iter().map(|e| sum(dtype, e, number));
            sums.chain(first.iter().cloned().map(Some)).collect::<Vec<_>>()
        })
        .collect();
    there_and_back(&gates, (&input, &elements), &wanted, number, &mut draw);
}

fn there_and_back(
    transform: &Transform,
    (input, elements): (&TensorSpec, &[Vec<u8>]),
    wanted: &[Option<Vec<u8>>],
    number: Exact,
    draw: &mut Draw,
) {
    let (dtype, data) = (input.dtype(), elements.concat());
    let Some(made) = numbers_agree(transform, (input, &data), dtype, wanted, draw) else { return };
    let inverse = transform.op().invert(input).unwrap();
    // What was rounded up to the largest number can be too large on the way back.
    let Ok(back) = all(&inverse, input, &made) else { return };
    for (old, new) in elements.iter().zip(back.chunks(size(dtype))) {
        match (decode(dtype, old), decode(dtype, new), number) {
            (Exact::Real(old), Exact::Real(new), Exact::Real(number)) if old.is_finite() => {
                // The last digit of the largest number on the way.
                let ulp = 2_f64.powi(1 - float(dtype).unwrap().0) * (old.abs() + number.abs());
                assert!((old - new).abs() <= ulp, "{transform}: {old} becomes {new}");
            }
            (old, new, _) => assert_eq!(old, new, "{transform}"),
        }
    }
}

fn scale(mut draw: Draw, dtype: DType) {
    let by = [1.0, -1.0, 0.5, 3.0, -0.1, 7e-2][draw.index(6)];
    let input = spec(dtype, &[1 + draw.below(3), 1 + draw.below(4)]);
    let count = input.shape().elements();
    let numbers = (0..count).map(|_| draw.below(1000) as f64 / 8.0 - 20.0).collect::<Vec<_>>();
    let elements: Vec<_> =
        numbers.iter().map(|&real| encode(dtype, Exact::Real(real)).unwrap()).collect();
    let product = |element: &Vec<u8>| match decode(dtype, element) {
        Exact::Real(a) if dtype == DType::Double => encode(dtype, Exact::Real(a * by)),
        Exact::Real(a) => encode(dtype, Exact::Real(f64::from(a as f32 * by as f32))),
        Exact::Whole(_) => unreachable!(),
    };
    let wanted: Vec<_> = elements.iter().map(product).collect();
    let transform = Transform::Scale(Scale::new(by));
    there_and_back(&transform, (&input, &elements), &wanted, Exact::Real(0.0), &mut draw);
}

#[test]
fn numbers_without_a_place_are_named_among_many() {
    // Several that are too large: the first counts.
    let numbers = |at: &[usize]| -> Vec<u8> {
        (0..300).flat_map(|i| if at.contains(&i) { f32::MAX } else { 0.5 }.to_le_bytes()).collect()
    };
    let input = spec(DType::Float, &[3, 100]);
    let position = |transform: &Transform, at: &[usize]| match all(transform, &input, &numbers(at))
        .unwrap_err()
    {
        TransformError::Range { position, .. } => position,
        error => panic!("{transform}: {error}"),
    };
    let gates = Gates::new(-1, vec![1, 0], vec![0.0, f64::from(f32::MAX)]).unwrap();
    for (transform, at, found) in [
        (Transform::Cast(Cast::new(DType::Half).unwrap()), [131, 132], 131),
        (Transform::Cast(Cast::new(DType::BFloat16).unwrap()), [299, 298], 298),
        (Transform::Scale(Scale::new(4.0)), [64, 127], 64),
        (Transform::Add(Add::new(f64::from(f32::MAX))), [63, 200], 63),
        // What comes second in its row was first.
        (Transform::Gates(gates), [110, 249], 160),
    ] {
        assert_eq!(position(&transform, &at), found, "{transform}");
    }
}
