//! `gather`: which rows, from a list of numbers or from two vocabularies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compiler::{Compiler, Rows};
use super::numbers::{NUMBERS, constant, optional_integer};
use crate::tensor::Number;
use crate::transform::Gather;
use crate::yaml::{Node, Yaml};

/// Rows that one list may name; a row takes sixteen bytes.
const MAX_ROWS: usize = 1 << 24;

/// Reads `gather: rows.txt`, or a map: `rows` with a file of row numbers, or `from` and `to` with
/// the old and the new vocabulary; `axis` and `missing` (what new rows hold) beside either.
pub(super) fn read(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Result<Gather, String>> {
    let Yaml::Map(_) = node.yaml else {
        let name = compiler.text(node)?;
        let rows = by_number(node, &name, compiler)?;
        return Some(rows.and_then(|rows| gather(0, rows, None, name)));
    };
    let fields = node.fields(&["rows", "from", "to", "axis", "missing"])?;
    let axis = optional_integer(&fields, "axis", 0, compiler)?;
    let missing = match fields.get("missing") {
        Some(node) => Some(constant(node, compiler, NUMBERS)?),
        None => None,
    };
    let (rows, shown) = match (fields.get("rows"), fields.get("from"), fields.get("to")) {
        (Some(rows), None, None) => {
            let name = compiler.text(rows)?;
            (by_number(rows, &name, compiler)?, name)
        }
        (None, Some(from), Some(to)) => {
            let (old, new) = (compiler.text(from)?, compiler.text(to)?);
            let rows = compiler.rows(&old, &new, || {
                let (old, new) = (compiler.file(from, &old)?, compiler.file(to, &new)?);
                Some(tokens(&old, &new))
            })?;
            (rows, format!("{{from: {old}, to: {new}}}"))
        }
        _ => (Err("give `rows`, or `from` and `to`".to_owned()), String::new()),
    };
    Some(rows.and_then(|rows| gather(axis, rows, missing, shown)))
}

fn by_number(node: &Node<'_>, name: &str, compiler: &Compiler<'_>) -> Option<Result<Rows, String>> {
    compiler.rows(name, "", || Some(numbers(&compiler.file(node, name)?)))
}

/// What new rows hold must be said where there are some.
fn gather(axis: i64, rows: Rows, missing: Option<Number>, shown: String) -> Result<Gather, String> {
    let Rows { list, of } = rows;
    let new = list.iter().position(Option::is_none);
    match (new, missing) {
        _ if list.is_empty() => Err(format!("`{shown}` names no rows")),
        (Some(row), None) => Err(format!(
            "row {row} has no source: say what it holds, as `gather: {{rows: …, missing: zeros}}`"
        )),
        (_, missing) => {
            let gather = Gather::new(axis, list, missing.unwrap_or(Number::Integer(0)), shown)?;
            Ok(of.into_iter().fold(gather, Gather::of))
        }
    }
}

fn within(count: usize) -> Result<(), String> {
    let most = format!("{count} rows are more than {MAX_ROWS}");
    if count > MAX_ROWS { Err(most) } else { Ok(()) }
}

/// One row number per line, counted from 0; `-1` is a new row.
fn numbers(text: &str) -> Result<Rows, String> {
    let lines = || lines(text).enumerate().filter(|(_, line)| !line.trim().is_empty());
    within(lines().count())?;
    let list: Result<Arc<[Option<u64>]>, String> = lines()
        .map(|(at, line)| match line.trim() {
            "-1" => Ok(None),
            number => number.parse().map(Some).map_err(|_| {
                let line = at + 1;
                format!("line {line} is `{number}`, which is no row number; rows count from 0")
            }),
        })
        .collect();
    Ok(Rows { list: list?, of: None })
}

/// Where each token of the new vocabulary stood in the old one.
fn tokens(old: &str, new: &str) -> Result<Rows, String> {
    within(lines(old).count().max(lines(new).count()))?;
    let mut rows = BTreeMap::new();
    for (row, token) in (0..).zip(lines(old)) {
        if let Some(first) = rows.insert(token, row) {
            let token = token.escape_debug();
            return Err(format!("`{token}` stands in the old vocabulary as {first} and as {row}"));
        }
    }
    let list = lines(new).map(|token| rows.get(token).copied()).collect();
    Ok(Rows { list, of: Some(rows.len() as u64) })
}

/// Lines without the mark that some editors put before the first.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_number_and_by_token() {
        assert_eq!(*numbers("2\n-1\n\n0\n").unwrap().list, [Some(2), None, Some(0)]);
        assert!(numbers("1\nx\n").unwrap_err().contains("line 2"));
        let rows = tokens("\u{feff}a\nb\nc\n", "c\nd\na\n").unwrap();
        assert_eq!((&*rows.list, rows.of), (&[Some(2), None, Some(0)][..], Some(3)));
        assert!(tokens("a\na\n", "a").unwrap_err().contains("0 and as 1"));
    }
}
