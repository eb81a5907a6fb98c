//! Comma-separated values, as RFC 4180 has them, for spreadsheets and data frames.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Listing, bytes, slices};
use crate::report::escape;
use crate::stats::Moments;

/// A line of titles and one for each variable, slots included. Shapes are written as in Python.
pub(in crate::report) fn csv(listing: &Listing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut titles =
        vec!["name", "dtype", "shape", "elements", "bytes", "slices", "slot_of", "slot"];
    if listing.statistics.is_some() {
        titles.extend(["min", "max", "mean", "std", "zero", "nan", "infinite"]);
    }
    writeln!(out, "{}", titles.join(","))?;
    for (name, variable) in listing.variables {
        let (dtype, shape) = (variable.spec.dtype(), variable.spec.shape());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let slot = listing.slots.get(*name);
        let mut row: Vec<Option<String>> = vec![
            Some(escape(name.as_str()).into_owned()),
            Some(dtype.name().into_owned()),
            Some(shape.to_string()),
            number(Some(shape.elements())),
            number(bytes(variable)),
            Some(slices(variable).unwrap_or(1).to_string()),
            slot.map(|slot| escape(slot.variable.as_str()).into_owned()),
            slot.map(|slot| escape(&slot.name).into_owned()),
        ];
        if listing.statistics.is_some() {
            let moments = listing.moments(name);
            let float = |float: Option<f64>| float.map(|float| format!("{float:?}"));
            let range = moments.and_then(Moments::range).unzip();
            row.extend([
                float(range.0),
                float(range.1),
                float(moments.and_then(Moments::mean)),
                float(moments.and_then(Moments::deviation)),
                number(moments.map(|moments| moments.zero)),
                number(moments.map(|moments| moments.nan)),
                number(moments.map(|moments| moments.infinite)),
            ]);
        }
        let cells: Vec<_> = row.iter().map(|cell| quoted(cell.as_deref().unwrap_or(""))).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// In quotes where a comma, a quote or a blank at an end would be taken for something else.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', '"']) || cell.trim() != cell {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}
