//! The elements of an array as words, of one width where NumPy gives them one.

use std::borrow::Cow;

use super::element::{Element, Float};
use super::float::FloatForm;
use super::python;
use super::scalar::scalar;
use crate::show::Elements;
use crate::tensor::DType;

/// Elements and the form they share.
#[derive(Debug)]
pub(super) struct Words<'e> {
    dtype: DType,
    elements: &'e Elements,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Whole {
        width: usize,
    },
    Real(FloatForm),
    Complex(FloatForm, FloatForm),
    /// Each as it is.
    Free,
}

impl<'e> Words<'e> {
    pub(super) fn new(dtype: DType, elements: &'e Elements) -> Self {
        Self { dtype, elements, form: Form::of(dtype, elements) }
    }

    /// The only one, not in an array.
    pub(super) fn scalar(&self) -> String {
        match self.elements {
            Elements::Strings(strings) => strings.first().map(|one| python::repr(one)),
            Elements::Fixed(bytes) => Element::of(self.dtype, bytes).map(scalar),
        }
        .unwrap_or_default()
    }

    /// All of them, in their order.
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match self.elements {
            Elements::Strings(strings) => Box::new(strings.iter().map(|one| python::repr(one))),
            Elements::Fixed(bytes) => {
                Box::new(numbers(self.dtype, bytes).map(|element| self.form.write(element)))
            }
        }
    }
}

/// The numbers that bytes stand for.
pub(super) fn numbers(dtype: DType, bytes: &[u8]) -> impl Iterator<Item = Element> + Clone {
    let width = dtype.size().and_then(|size| usize::try_from(size).ok()).unwrap_or(1);
    bytes.chunks_exact(width).filter_map(move |bytes| Element::of(dtype, bytes))
}

impl Form {
    fn of(dtype: DType, elements: &Elements) -> Self {
        let Elements::Fixed(bytes) = elements else { return Self::Free };
        let all = || numbers(dtype, bytes);
        match all().next() {
            Some(Element::Whole(_)) => {
                let width = all().map(|element| scalar(element).len()).max();
                Self::Whole { width: width.unwrap_or_default() }
            }
            Some(Element::Real(_)) => Self::Real(FloatForm::of(all().filter_map(real), false)),
            Some(Element::Complex(..)) => Self::Complex(
                FloatForm::of(all().filter_map(real), false),
                FloatForm::of(all().filter_map(imaginary), true),
            ),
            Some(Element::Bool(_)) | None => Self::Free,
        }
    }

    fn write(&self, element: Element) -> String {
        match (self, element) {
            (Self::Whole { width }, element) => format!("{:>width$}", scalar(element)),
            (Self::Real(form), Element::Real(number)) => form.write(number),
            (Self::Complex(real, imaginary), Element::Complex(re, im)) => {
                let im = imaginary.write(im);
                // The letter stands at the number, blanks behind it.
                let (number, blanks) =
                    im.split_at_checked(im.trim_end().len()).unwrap_or((&im, ""));
                format!("{}{number}j{blanks}", real.write(re))
            }
            // As wide as the longer word.
            (_, Element::Bool(is)) => Cow::from(if is { " True" } else { "False" }).into_owned(),
            (_, element) => scalar(element),
        }
    }
}

fn real(element: Element) -> Option<Float> {
    match element {
        Element::Real(number) | Element::Complex(number, _) => Some(number),
        Element::Bool(_) | Element::Whole(_) => None,
    }
}

fn imaginary(element: Element) -> Option<Float> {
    match element {
        Element::Complex(_, number) => Some(number),
        _ => None,
    }
}
