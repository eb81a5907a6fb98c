//! What NumPy 1.26 prints, word for word.

use super::digits::Digits;
use super::element::{Element, Float};
use super::float::FloatForm;
use super::python;
use super::scalar::scalar;
use crate::tensor::{DType, SmallFloat};

fn row(numbers: &[f32]) -> String {
    let numbers = numbers.iter().map(|&number| Float::Single(number));
    let form = FloatForm::of(numbers.clone(), false);
    numbers.map(|number| form.write(number)).collect::<Vec<_>>().join(" ")
}

#[test]
fn points_stand_below_one_another() {
    assert_eq!(row(&[1.0, -2.5, 0.125]), " 1.    -2.5    0.125");
    assert_eq!(row(&[0.1, 1.0 / 3.0]), "0.1        0.33333334");
    assert_eq!(row(&[0.0, -0.0]), " 0. -0.");
    assert_eq!(row(&[1.0, f32::NAN]), " 1. nan");
    assert_eq!(row(&[1.0, f32::NEG_INFINITY]), "  1. -inf");
    assert_eq!(row(&[f32::INFINITY, f32::NAN]), "inf nan");
}

#[test]
fn powers_of_ten_where_they_are_needed() {
    assert_eq!(row(&[1.0, 1e8]), "1.e+00 1.e+08");
    assert_eq!(row(&[1.0, 1000.0]), "   1. 1000.");
    assert_eq!(row(&[1.0, 1001.0]), "1.000e+00 1.001e+03");
    assert_eq!(row(&[-2.5e-5, 0.0, f32::NAN]), "-2.5e-05  0.0e+00      nan");
}

#[test]
fn scalars_have_all_their_digits() {
    let shown = |number: f64| scalar(Element::Real(Float::Double(number)));
    assert_eq!(shown(0.1 + 0.2), "0.30000000000000004");
    assert_eq!(shown(1.0), "1.0");
    assert_eq!(shown(1e16), "1e+16");
    assert_eq!(shown(123_456_789.0), "123456789.0");
    assert_eq!(shown(-1.5e-5), "-1.5e-05");
    assert_eq!(shown(-0.0), "-0.0");
    let complex = |re: f32, im: f32| scalar(Element::Complex(Float::Single(re), Float::Single(im)));
    assert_eq!(complex(1.0, -2.5), "(1-2.5j)");
    assert_eq!(complex(0.0, 2.0), "2j");
    assert_eq!(complex(f32::NAN, f32::INFINITY), "(nan+infj)");
}

/// As few digits as there can be: one fewer would be another number, or there is only one.
#[test]
fn small_numbers_have_few_digits() {
    let kind = SmallFloat::of(DType::BFloat16).unwrap();
    let shown = |bits| scalar(Element::Real(Float::Small(kind, bits)));
    assert_eq!(shown(half::bf16::from_f32(1.1).to_bits()), "1.1");
    assert_eq!(shown(half::bf16::from_f32(std::f32::consts::PI).to_bits()), "3.14");
    assert_eq!(shown(half::bf16::MAX.to_bits()), "3.39e+38");
    assert_eq!(shown(1), "9e-41");
    for bits in 0..=u16::MAX {
        let number = half::f16::from_bits(bits);
        if number.is_finite() {
            let kind = SmallFloat::of(DType::Half).unwrap();
            let (whole, fraction) = Digits::positional(Float::Small(kind, bits), None);
            let back = format!("{whole}.{fraction}").parse::<f64>().unwrap();
            assert_eq!(half::f16::from_f64(back), half::f16::from_bits(bits & 0x7fff), "{bits:x}");
        }
    }
}

#[test]
fn bytes_as_python_spells_them() {
    assert_eq!(python::repr(b"a\n\x1b[31m\xff\\"), r"b'a\n\x1b[31m\xff\\'");
    assert_eq!(python::repr(b"it's"), r#"b"it's""#);
    assert_eq!(python::repr(b"'\""), r#"b'\'"'"#);
}
