//! Values as JSON has them.

use std::fmt::Write;

use serde_json::{Value as Document, json};

use super::digits::{Digits, power};
use super::element::{Element, Float};
use super::head;
use super::words::numbers;
use crate::report::document::SCHEMA;
use crate::show::{Checksum, Elements, Saved, Shown};
use crate::tensor::DType;

/// Values in nested lists: numbers, `true` and `false`; `"NaN"`, `"Infinity"`, `"-Infinity"`;
/// `[real, imaginary]`; strings, or `{"hex": …}` where they are no text. A tensor without elements
/// is `[]`, whatever its shape.
pub(in crate::report) fn document(shown: &Shown) -> Document {
    let Shown { name, spec, slice, shape, elements, .. } = shown;
    let mut all: Box<dyn Iterator<Item = Document>> = match elements {
        Elements::Fixed(bytes) => Box::new(numbers(spec.dtype(), bytes).map(value)),
        Elements::Strings(strings) => Box::new(strings.iter().map(|one| string(one))),
    };
    let values = if shape.elements() == 0 { json!([]) } else { nested(shape.dims(), &mut *all) };
    let mut document = head(name.as_str(), spec);
    if let Document::Object(keys) = &mut document {
        let slice = slice.as_ref().map(|text| json!({ "text": text, "shape": shape.dims() }));
        keys.insert("slice".to_owned(), json!(slice));
        keys.insert("values".to_owned(), values);
    }
    document
}

fn nested(dims: &[u64], all: &mut dyn Iterator<Item = Document>) -> Document {
    match dims.split_first() {
        None => all.next().unwrap_or_default(),
        Some((&size, inner)) => (0..size).map(|_| nested(inner, all)).collect(),
    }
}

fn value(element: Element) -> Document {
    match element {
        Element::Bool(is) => json!(is),
        Element::Whole(number) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => json!(number),
            (_, number) => json!(number.unwrap_or_default()),
        },
        Element::Real(number) => real(number),
        Element::Complex(re, im) => json!([real(re), real(im)]),
    }
}

/// The fewest digits that lead back to the same number of the same type.
fn real(number: Float) -> Document {
    let value = number.value();
    if value.is_nan() {
        return json!("NaN");
    }
    if value.is_infinite() {
        return json!(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let (first, behind, exponent) = Digits::scientific(number, usize::MAX - 1);
    let text = format!("{first}.{behind}0{}", power(exponent, 1));
    let magnitude: f64 = text.parse().unwrap_or_default();
    json!(magnitude.copysign(value))
}

fn string(bytes: &[u8]) -> Document {
    match str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => {
            let mut hex = String::with_capacity(2 * bytes.len());
            for byte in bytes {
                let _ = write!(hex, "{byte:02x}");
            }
            json!({ "hex": hex })
        }
    }
}

pub(in crate::report) fn checksum_document(checksum: &Checksum) -> Document {
    let Checksum { name, spec, stored, computed } = checksum;
    let mut document = head(name.as_str(), spec);
    if let Document::Object(keys) = &mut document {
        let stored = stored.map(|stored| stored.to_string());
        let sums = json!({ "stored": stored, "computed": computed.to_string() });
        keys.insert("crc32c".to_owned(), sums);
    }
    document
}

pub(in crate::report) fn saved_document(saved: &Saved) -> Document {
    let Saved { name, dtype, shape, at, bytes, form } = saved;
    let dtype: DType = *dtype;
    json!({
        "schema": SCHEMA,
        "name": name.as_str(),
        "dtype": dtype.name(),
        "shape": shape.dims(),
        "file": { "path": at.to_string(), "bytes": bytes, "descr": form.descr, "raw": form.raw },
    })
}
