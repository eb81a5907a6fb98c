//! `gather`: which rows, from a list of numbers or from two vocabularies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compiler::Compiler;
use super::node::Node;
use super::numbers::{NUMBERS, constant, optional_integer};
use super::yaml::Yaml;
use crate::tensor::Number;
use crate::transform::Gather;

/// Reads `gather: rows.txt`, or a map: `rows` with a file of row numbers, or `from` and `to` with
/// the old and the new vocabulary; `axis` and `missing` (what new rows hold) beside either.
pub(super) fn read(node: &Node<'_>, compiler: &Compiler<'_>) -> Option<Result<Gather, String>> {
    let Yaml::Map(_) = node.yaml else {
        let name = compiler.text(node)?;
        let rows = numbers(&compiler.file(node, &name)?);
        return Some(rows.and_then(|rows| gather(0, rows, None, name)));
    };
    let fields = node.fields(&["rows", "from", "to", "axis", "missing"])?;
    let axis = optional_integer(&fields, "axis", 0, compiler)?;
    let missing = match fields.get("missing") {
        Some(node) => Some(constant(node, compiler, NUMBERS)?),
        None => None,
    };
    let file = |node: &Node<'_>| {
        let name = compiler.text(node)?;
        Some((compiler.file(node, &name)?, name))
    };
    let (rows, shown) = match (fields.get("rows"), fields.get("from"), fields.get("to")) {
        (Some(rows), None, None) => {
            let (text, name) = file(rows)?;
            (numbers(&text), name)
        }
        (None, Some(from), Some(to)) => {
            let ((old, from), (new, to)) = (file(from)?, file(to)?);
            (tokens(&old, &new), format!("{{from: {from}, to: {to}}}"))
        }
        _ => (Err("give `rows`, or `from` and `to`".to_owned()), String::new()),
    };
    Some(rows.and_then(|rows| gather(axis, rows, missing, shown)))
}

/// What new rows hold must be said where there are some.
fn gather(axis: i64, rows: Rows, missing: Option<Number>, shown: String) -> Result<Gather, String> {
    let new = rows.iter().position(Option::is_none);
    match (new, missing) {
        _ if rows.is_empty() => Err(format!("`{shown}` names no rows")),
        (Some(row), None) => Err(format!(
            "row {row} has no source: say what it holds, as `gather: {{rows: …, missing: zeros}}`"
        )),
        (_, missing) => Gather::new(axis, rows, missing.unwrap_or(Number::Integer(0)), shown),
    }
}

type Rows = Arc<[Option<u64>]>;

/// One row number per line, counted from 0; `-1` is a new row.
fn numbers(text: &str) -> Result<Rows, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| match line.trim() {
            "-1" => Ok(None),
            number => number
                .parse()
                .map(Some)
                .map_err(|_| format!("line {} is `{number}`, which is no row number", at + 1)),
        })
        .collect()
}

/// Where each token of the new vocabulary stood in the old one.
fn tokens(old: &str, new: &str) -> Result<Rows, String> {
    let mut rows = BTreeMap::new();
    for (row, token) in (0..).zip(old.lines()) {
        if let Some(first) = rows.insert(token, row) {
            let token = token.escape_debug();
            return Err(format!("`{token}` stands in the old vocabulary as {first} and as {row}"));
        }
    }
    Ok(new.lines().map(|token| rows.get(token).copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_number_and_by_token() {
        assert_eq!(*numbers("2\n-1\n\n0\n").unwrap(), [Some(2), None, Some(0)]);
        assert!(numbers("1\nx\n").unwrap_err().contains("line 2"));
        assert_eq!(*tokens("a\nb\nc\n", "c\nd\na\n").unwrap(), [Some(2), None, Some(0)]);
        assert!(tokens("a\na\n", "a").unwrap_err().contains("0 and as 1"));
    }
}
