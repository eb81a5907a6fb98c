//! What text is written on: how wide it is, whether it has colours, and columns that fit it.

use std::borrow::Cow;
use std::io::{self, Write};

/// Blanks between columns.
const GAP: usize = 2;

/// Where a row goes on in a line of its own.
const INDENT: usize = 4;

/// A first column that is narrower says nothing any more.
const NARROWEST: usize = 20;

/// What the reader of an answer has in front of him.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Characters of a line; none where lines may be of any length.
    pub width: Option<usize>,
    /// Whether there are colours.
    pub colour: bool,
}

/// How a column looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ink {
    /// What is looked for.
    #[default]
    Plain,
    /// What is good to know beside it.
    Faint,
    /// What should be seen first.
    Strong,
    /// What is done to values.
    Active,
    /// What may be wrong.
    Alarming,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Faint => Some("2"),
            Self::Strong => Some("1"),
            Self::Active => Some("36"),
            Self::Alarming => Some("33"),
        }
    }
}

/// An answer that is being written.
pub(super) struct Page<'o> {
    out: &'o mut dyn Write,
    style: Style,
}

impl Write for Page<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<'o> Page<'o> {
    pub(super) fn new(style: Style, out: &'o mut dyn Write) -> Self {
        Self { out, style }
    }

    /// Characters of a line, if there is a limit.
    pub(super) fn width(&self) -> Option<usize> {
        self.style.width
    }

    /// `text` as it looks in this ink.
    pub(super) fn paint<'t>(&self, ink: Ink, text: &'t str) -> Cow<'t, str> {
        match ink.code() {
            Some(code) if self.style.colour && !text.is_empty() => {
                format!("\x1b[{code}m{text}\x1b[0m").into()
            }
            _ => text.into(),
        }
    }

    /// Columns as wide as their widest cell; nothing behind the last one. Where a line would be too
    /// long, rows go on in the next one. The rows are gone through twice, so that very many need
    /// not be held. Columns without an ink are plain.
    pub(super) fn table<R: AsRef<[S]>, S: AsRef<str>>(
        &mut self,
        inks: &[Ink],
        rows: impl IntoIterator<Item = R, IntoIter: Clone>,
    ) -> io::Result<()> {
        let rows = rows.into_iter();
        let mut widths = Vec::new();
        for row in rows.clone() {
            let row = row.as_ref();
            widths.resize(row.len().max(widths.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = len(cell.as_ref()).max(*width);
            }
        }
        let columns = Columns::fit(&widths, self.style.width);
        let mut line = String::new();
        for row in rows {
            line.clear();
            columns.write(row.as_ref(), inks, self, &mut line);
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}

fn len(text: &str) -> usize {
    text.chars().count()
}

/// Where the cells of every row stand.
#[derive(Debug, PartialEq, Eq)]
struct Columns {
    widths: Vec<usize>,
    /// Columns that begin a further line of their row.
    breaks: Vec<bool>,
}

impl Columns {
    fn fit(natural: &[usize], limit: Option<usize>) -> Self {
        let mut widths = natural.to_vec();
        let mut breaks = vec![false; widths.len()];
        let filled = || natural.iter().filter(|width| **width > 0);
        let total = filled().sum::<usize>() + GAP * filled().count().saturating_sub(1);
        let Some(limit) = limit.filter(|limit| *limit < total) else {
            return Self { widths, breaks };
        };
        let Some(first) = widths.first_mut() else { return Self { widths, breaks } };
        let rest = total - *first;
        if limit >= rest + NARROWEST {
            // Only rows whose name is too long take two lines.
            *first = limit - rest;
            return Self { widths, breaks };
        }
        let (mut at, mut behind_arrow) = (0, false);
        for (column, (width, begins)) in natural.iter().zip(&mut breaks).enumerate() {
            if *width == 0 {
                continue;
            }
            // An arrow stands before what it comes from.
            let is_arrow = *width <= GAP;
            let next = natural.get(column + 1).filter(|_| is_arrow);
            let end = at + width + next.map_or(0, |next| GAP + next);
            if at > 0 && end > limit && !behind_arrow {
                *begins = true;
                at = INDENT;
            }
            (at, behind_arrow) = (at + width + GAP, is_arrow);
        }
        Self { widths, breaks }
    }

    /// A row, in as many lines as it takes.
    fn write<S: AsRef<str>>(&self, row: &[S], inks: &[Ink], page: &Page<'_>, line: &mut String) {
        // Where the line has come to, and where the next cell stands.
        let (mut at, mut next, mut below) = (0, 0, false);
        let columns = self.widths.iter().zip(&self.breaks).zip(row).enumerate();
        for (column, ((width, begins), cell)) in columns.filter(|(_, ((width, _), _))| **width > 0)
        {
            if *begins {
                (next, below) = (INDENT, true);
            }
            let cell = cell.as_ref();
            if !cell.is_empty() {
                // A name that is too long for its column moves the rest of its row down.
                if at > 0 && (below || at + GAP > next) {
                    line.push('\n');
                    at = 0;
                }
                below = false;
                line.extend(std::iter::repeat_n(' ', next - at));
                line.push_str(&page.paint(inks.get(column).copied().unwrap_or_default(), cell));
                at = next + len(cell);
            }
            next += width + GAP;
        }
        line.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: Option<usize>, rows: &[[&str; 4]]) -> String {
        let mut out = Vec::new();
        let style = Style { width, colour: false };
        Page::new(style, &mut out).table(&[], rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    const ROWS: [[&str; 4]; 3] = [
        ["a_long_name_of_a_target", "<-", "a_long_name_of_a_source", "float32 [3]"],
        ["b", "<-", "c", "float32 [3, 3]"],
        ["d", "", "", "int64 []"],
    ];

    #[test]
    fn columns_without_a_limit() {
        insta::assert_snapshot!(written(None, &ROWS), @r"
        a_long_name_of_a_target  <-  a_long_name_of_a_source  float32 [3]
        b                        <-  c                        float32 [3, 3]
        d                                                     int64 []
        ");
    }

    #[test]
    fn long_names_stand_alone() {
        insta::assert_snapshot!(written(Some(66), &ROWS), @r"
        a_long_name_of_a_target
                               <-  a_long_name_of_a_source  float32 [3]
        b                      <-  c                        float32 [3, 3]
        d                                                   int64 []
        ");
    }

    #[test]
    fn rows_go_on_in_the_next_line() {
        insta::assert_snapshot!(written(Some(50), &ROWS), @r"
        a_long_name_of_a_target
            <-  a_long_name_of_a_source  float32 [3]
        b
            <-  c                        float32 [3, 3]
        d
                                         int64 []
        ");
    }

    #[test]
    fn no_line_is_longer_than_it_must_be() {
        for width in 10..90 {
            let text = written(Some(width), &ROWS);
            let words = ROWS.iter().flatten().filter(|cell| !cell.is_empty());
            assert!(words.clone().all(|cell| text.contains(cell)), "{text}");
            let longest = words.map(|cell| cell.len()).max().unwrap() + INDENT + GAP + 2;
            let limit = width.max(longest);
            assert!(text.lines().all(|line| line.len() <= limit), "{width}\n{text}");
        }
    }
}
