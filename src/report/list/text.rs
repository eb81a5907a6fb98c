//! The table, as people read it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::{Listing, Row, bytes, slices};
use crate::names::{counted, natural};
use crate::report::display_name;
use crate::report::numbers::{human, short};
use crate::report::page::{Ink, Page};
use crate::stats::Moments;
use crate::tensor::{DType, Shape};

/// A line for each variable, and a last one with totals.
pub(in crate::report) fn text(listing: &Listing<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let rows = listing.rows();
    // Many variables have few shapes.
    let mut shapes: HashMap<&Shape, String> = HashMap::new();
    for row in &rows {
        let shape = row.variable.spec.shape();
        shapes.entry(shape).or_insert_with(|| shape.to_string());
    }
    let plain = |row| plain(row, &shapes);
    match listing.statistics {
        None => page.table(&[Ink::Plain, Ink::Faint, Ink::Faint], rows.iter().map(plain))?,
        Some(_) if rows.is_empty() => {}
        Some(statistics) => {
            let unreadable = statistics.unreadable.iter();
            let unreadable: HashSet<&str> =
                unreadable.filter_map(|finding| finding.variable.as_deref()).collect();
            let damaged = |row: &Row<'_>| unreadable.contains(row.name.as_str());
            let cells: Vec<[String; 4]> = rows
                .iter()
                .map(|row| numbers(row.variable.spec.dtype(), listing.moments(row.name)))
                .collect();
            let cells = right(["min", "max", "mean", "std"], cells);
            let head = ["", "", "", ""].into_iter().map(Cow::from).collect::<Vec<_>>();
            let with = |start: Vec<Cow<'static, str>>, numbers: &[String; 4], end: String| {
                let numbers = numbers.iter().cloned().map(Cow::from);
                start.into_iter().chain(numbers).chain([end.into()]).collect::<Vec<_>>()
            };
            let mut table = Vec::with_capacity(rows.len() + 1);
            let mut cells = cells.iter();
            table.extend(cells.next().map(|titles| with(head, titles, String::new())));
            table.extend(rows.iter().zip(cells).map(|(row, numbers)| {
                let [name, dtype, shape, size, beside] =
                    plain(row).map(|cell| cell.into_owned().into());
                let mut end = vec![beside];
                end.extend(listing.moments(row.name).map(|moments| oddities(moments).into()));
                end.extend(damaged(row).then(|| "unreadable".into()));
                end.retain(|part: &Cow<'_, str>| !part.is_empty());
                with(vec![name, dtype, shape, size], numbers, end.join(", "))
            }));
            let inks = [Ink::Plain, Ink::Faint, Ink::Faint, Ink::Plain];
            let inks = [&inks[..], &[Ink::Active; 4], &[Ink::Alarming]].concat();
            page.table(&inks, table)?;
        }
    }
    for key in &listing.catalog.unnamable {
        writeln!(page, "{}  (not text)", key.escape_ascii())?;
    }
    totals(listing, page)
}

/// What a row says of its variable without its values.
fn plain<'r>(row: &Row<'r>, shapes: &'r HashMap<&Shape, String>) -> [Cow<'r, str>; 5] {
    let spec = &row.variable.spec;
    [
        display_name(row.name.as_str()),
        spec.dtype().name(),
        shapes.get(spec.shape()).map_or("", String::as_str).into(),
        bytes(row.variable).map_or("?".into(), |bytes| human(bytes).into()),
        beside(row).into(),
    ]
}

/// Slices and slots of a variable.
pub(super) fn beside(row: &Row<'_>) -> String {
    let slices = slices(row.variable).map(|n| format!("{n} slices"));
    let slots = (!row.slots.is_empty()).then(|| {
        // A partitioned variable may have hundreds.
        let mut shown = row.slots.clone();
        shown.sort_by(|a, b| natural(a, b));
        shown.truncate(4);
        let shown: Vec<_> = shown.into_iter().map(display_name).collect();
        let more = if shown.len() < row.slots.len() { ", …" } else { "" };
        format!("+ {}{more}", shown.join(", "))
    });
    slices.into_iter().chain(slots).collect::<Vec<_>>().join(", ")
}

/// `6 variables, 264 B; 12 slots, 528 B`, and of how many.
pub(super) fn totals(listing: &Listing<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let sum = |slots: bool| {
        let all = listing.variables.iter().filter(|(name, _)| listing.is_slot(name) == slots);
        all.fold((0, 0_u64), |(n, sum), (_, variable)| {
            (n + 1, sum.saturating_add(variable.bytes()))
        })
    };
    let ((variables, bytes), (slots, slot_bytes)) = (sum(false), sum(true));
    let mut line = format!("{}, {}", counted(variables, "variable"), human(bytes));
    if slots > 0 {
        line = format!("{line}; {}, {}", counted(slots, "slot"), human(slot_bytes));
    }
    let all = listing.catalog.variables.len();
    if listing.variables.len() < all {
        let together = listing.catalog.variables.values();
        let together = together.fold(0_u64, |sum, variable| sum.saturating_add(variable.bytes()));
        line = format!("{line}; of {all}, {}", human(together));
    }
    writeln!(page, "{}", page.paint(Ink::Strong, &line).into_owned())
}

/// Least, most, mean, deviation.
fn numbers(dtype: DType, moments: Option<&Moments>) -> [String; 4] {
    let number =
        |number: Option<f64>| number.map(|number| short(number, dtype)).unwrap_or_default();
    let float = |of: Option<f64>| of.map(|number| short(number, DType::Float)).unwrap_or_default();
    let range = moments.and_then(Moments::range).unzip();
    [
        number(range.0),
        number(range.1),
        float(moments.and_then(Moments::mean)),
        float(moments.and_then(Moments::deviation)),
    ]
}

/// What is odd about values.
fn oddities(moments: &Moments) -> String {
    let mut parts = Vec::new();
    for (n, word) in [(moments.nan, "NaN"), (moments.infinite, "infinite")] {
        parts.extend((n > 0).then(|| format!("{n} {word}")));
    }
    if moments.zero > 0 && moments.zero == moments.count() && moments.count() > 1 {
        parts.push("all zero".to_owned());
    }
    parts.join(", ")
}

/// Titles and cells, all of a column as wide as each other and at its right.
fn right<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>) -> Vec<[String; N]> {
    let mut all = vec![titles.map(str::to_owned)];
    all.extend(rows);
    let mut widths = [0; N];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &mut all {
        for (cell, width) in row.iter_mut().zip(widths) {
            if !cell.is_empty() {
                *cell = format!("{cell:>width$}");
            }
        }
    }
    all
}
