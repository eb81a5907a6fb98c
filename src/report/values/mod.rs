//! Values of a variable as NumPy prints them, and as JSON.

mod digits;
mod document;
mod element;
mod float;
mod layout;
mod python;
mod scalar;
#[cfg(test)]
mod tests;
mod words;

use std::io::{self, Write};

use super::numbers::human;
use super::{display_name, escape};
use crate::show::{Checksum, Saved, Shown};
use crate::tensor::TensorSpec;

pub(super) use document::{checksum_document, document, saved_document};
use layout::Layout;
use words::Words;

/// What it is on the first line, then its values.
pub(super) fn text(shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    let Shown { name, spec, slice, shape, elements, edges } = shown;
    let name = display_name(name.as_str());
    match slice {
        None => writeln!(out, "{name}  {spec}")?,
        Some(slice) => {
            let (dtype, slice) = (spec.dtype(), escape(slice));
            writeln!(out, "{name}{slice}  {dtype} {shape} of {}", spec.shape())?;
        }
    }
    let words = Words::new(spec.dtype(), elements);
    if shape.rank() == 0 {
        return writeln!(out, "{}", words.scalar());
    }
    if shape.elements() == 0 {
        return writeln!(out, "[]");
    }
    Layout::new(shape, edges).write(&mut words.iter(), out)?;
    writeln!(out)
}

/// One line.
pub(super) fn checksum(checksum: &Checksum, out: &mut dyn Write) -> io::Result<()> {
    let Checksum { name, spec, stored, computed } = checksum;
    let how = match stored {
        Some(_) => "as stored",
        None => "of the values; every stored checksum is right",
    };
    writeln!(out, "{}  {spec}  crc32c {computed} ({how})", display_name(name.as_str()))
}

/// One line.
pub(super) fn saved(saved: &Saved, out: &mut dyn Write) -> io::Result<()> {
    let Saved { name, dtype, shape, at, bytes, form } = saved;
    let (name, at) = (display_name(name.as_str()), at.to_string());
    let (at, size, descr) = (escape(&at), human(*bytes), form.descr);
    writeln!(out, "wrote {at} ({size}): {name}, {dtype} {shape} as `{descr}`")
}

/// What JSON says of a variable besides its values.
fn head(name: &str, spec: &TensorSpec) -> serde_json::Value {
    serde_json::json!({
        "schema": super::document::SCHEMA,
        "name": name,
        "dtype": spec.dtype().name(),
        "shape": spec.shape().dims(),
    })
}
