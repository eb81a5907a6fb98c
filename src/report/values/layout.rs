//! Brackets, lines and blanks of an array: NumPy's `array2string`, with its width of 75 columns.

use std::io::{self, Write};

use crate::show::{EDGE, Edges};
use crate::tensor::Shape;

/// Columns of a line, as in NumPy.
const WIDTH: usize = 75;

/// Stands for what is left out.
const DOTS: &str = "...";

/// How the words of an array are arranged.
#[derive(Debug)]
pub(super) struct Layout<'s> {
    dims: &'s [u64],
    edges: &'s Edges,
}

/// The words, in row-major order.
type Words<'w> = dyn Iterator<Item = String> + 'w;

impl<'s> Layout<'s> {
    /// An array of this shape, of which those elements are shown.
    pub(super) fn new(shape: &'s Shape, edges: &'s Edges) -> Self {
        Self { dims: shape.dims(), edges }
    }

    pub(super) fn write(&self, words: &mut Words<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.axis(0, words, out)
    }

    fn axis(&self, axis: usize, words: &mut Words<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(&size) = self.dims.get(axis) else { return Ok(()) };
        let (is_cut, left) = (self.edges.leaves_out(size), self.dims.len() - axis);
        let shown = if is_cut { 2 * EDGE } else { size };
        if left == 1 {
            return row(axis + 1, (shown, is_cut), words, out);
        }
        let indent = " ".repeat(axis + 1);
        let next = format!("{}{indent}", "\n".repeat(left - 1));
        out.write_all(b"[")?;
        for element in 0..shown {
            if element > 0 {
                out.write_all(next.as_bytes())?;
            }
            if is_cut && element == EDGE {
                write!(out, "{DOTS}{next}")?;
            }
            self.axis(axis + 1, words, out)?;
        }
        out.write_all(b"]")
    }
}

/// The last axis: as many words on a line as fit it.
fn row(
    indent: usize,
    (shown, is_cut): (u64, bool),
    words: &mut Words<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(b"[")?;
    // A bracket will follow.
    let width = WIDTH.saturating_sub(indent);
    let (mut line, mut used) = (String::new(), indent);
    let mut put = |word: &str, is_last: bool| {
        if used + word.len() > width && used > indent {
            write!(out, "{}\n{:indent$}", line.trim_end(), "")?;
            line.clear();
            used = indent;
        }
        let gap = if is_last { "" } else { " " };
        line.extend([word, gap]);
        used += word.len() + gap.len();
        if is_last { write!(out, "{line}]") } else { Ok(()) }
    };
    put_all(shown, is_cut, words, &mut put)
}

/// Every word of a row, the dots among them.
fn put_all(
    shown: u64,
    is_cut: bool,
    words: &mut Words<'_>,
    put: &mut dyn FnMut(&str, bool) -> io::Result<()>,
) -> io::Result<()> {
    for (element, word) in (0..shown).zip(words) {
        if is_cut && element == EDGE {
            put(DOTS, false)?;
        }
        put(&word, element + 1 == shown)?;
    }
    Ok(())
}
