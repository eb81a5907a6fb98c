//! Variables by the components of their names. What is numbered and alike stands once:
//! `layer_{0..11}`.
//!
//! Two places are alike if the same leaves of the same dtypes and shapes stand below them. Each
//! kind of place gets a number, from the leaves up, so that alike ones are found by comparing two
//! numbers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io;

use super::text::{beside, totals};
use super::{Listing, Row};
use crate::names::{counted, natural};
use crate::report::display_name;
use crate::report::numbers::human;
use crate::report::page::{Ink, Page};
use crate::tensor::TensorSpec;

/// Components of a name that are places of their own; the rest of a longer name is one.
const DEEPEST: usize = 48;

/// What alike places have in common.
type Kind = usize;

/// A component of names.
#[derive(Default)]
struct Place {
    below: BTreeMap<String, usize>,
    row: Option<usize>,
    kind: Kind,
    /// Variables here and below that have rows, and their bytes.
    variables: usize,
    bytes: u64,
}

/// What makes two places alike.
#[derive(PartialEq, Eq, Hash)]
struct Shape<'r> {
    spec: Option<&'r TensorSpec>,
    beside: String,
    below: Vec<(String, Kind)>,
}

/// Places side by side that are shown as one.
struct Run<'t> {
    first: &'t str,
    last: &'t str,
    /// The first of them.
    place: &'t Place,
    /// How many there are.
    times: usize,
}

struct Tree<'r> {
    rows: Vec<Row<'r>>,
    places: Vec<Place>,
    by_size: bool,
}

/// The tree, and a last line with totals.
pub(in crate::report) fn text(
    listing: &Listing<'_>,
    by_size: bool,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let tree = Tree::new(listing, by_size);
    let mut lines = Vec::new();
    if let Some(root) = tree.places.first() {
        tree.lines(root, None, &mut lines);
    }
    page.table(&[Ink::Plain, Ink::Faint, Ink::Faint], lines)?;
    totals(listing, page)
}

impl<'r> Tree<'r> {
    fn new(listing: &Listing<'r>, by_size: bool) -> Self {
        let mut tree = Self { rows: listing.rows(), places: vec![Place::default()], by_size };
        for at in 0..tree.rows.len() {
            tree.insert(at);
        }
        // Places are made from the top down, so that those below come last.
        let mut kinds = HashMap::new();
        for place in (0..tree.places.len()).rev() {
            tree.number(place, &mut kinds);
        }
        tree
    }

    fn insert(&mut self, row: usize) {
        let Some(name) = self.rows.get(row).map(|row| display_name(row.name.as_str())) else {
            return;
        };
        let mut place = 0;
        for component in name.splitn(DEEPEST, '/') {
            let next = self.places.len();
            let Some(above) = self.places.get_mut(place) else { return };
            place = *above.below.entry(component.to_owned()).or_insert(next);
            if place == next {
                self.places.push(Place::default());
            }
        }
        if let Some(place) = self.places.get_mut(place) {
            place.row = Some(row);
        }
    }

    fn number(&mut self, at: usize, kinds: &mut HashMap<Shape<'r>, Kind>) {
        let Some(place) = self.places.get(at) else { return };
        let row = place.row.and_then(|row| self.rows.get(row));
        let (mut variables, mut bytes) = row.map_or((0, 0), |row| (1, row.variable.bytes()));
        let mut below = Vec::with_capacity(place.below.len());
        for (label, &child) in &place.below {
            let Some(child) = self.places.get(child) else { continue };
            variables += child.variables;
            bytes = u64::saturating_add(bytes, child.bytes);
            below.push((label.clone(), child.kind));
        }
        let shape = Shape {
            spec: row.map(|row| &row.variable.spec),
            beside: row.map(beside).unwrap_or_default(),
            below,
        };
        let next = kinds.len();
        let kind = *kinds.entry(shape).or_insert(next);
        if let Some(place) = self.places.get_mut(at) {
            (place.kind, place.variables, place.bytes) = (kind, variables, bytes);
        }
    }

    /// What stands below a place, in order, numbered ones that are alike as one.
    fn runs<'t>(&'t self, place: &'t Place) -> Vec<Run<'t>> {
        let mut children: Vec<(&str, &Place)> = place
            .below
            .iter()
            .filter_map(|(label, at)| Some((label.as_str(), self.places.get(*at)?)))
            .collect();
        children.sort_by(|(a, _), (b, _)| natural(a, b));
        let mut runs: Vec<Run<'t>> = Vec::new();
        for (label, place) in children {
            match runs.last_mut() {
                Some(run) if run.place.kind == place.kind && run.goes_on(label) => {
                    (run.last, run.times) = (label, run.times + 1);
                }
                _ => runs.push(Run { first: label, last: label, place, times: 1 }),
            }
        }
        if self.by_size {
            runs.sort_by_key(|run| Reverse(run.place.bytes.saturating_mul(run.times as u64)));
        }
        runs
    }

    /// A line for each run below a place.
    fn lines(&self, place: &Place, guides: Option<&str>, lines: &mut Vec<[String; 5]>) {
        let runs = self.runs(place);
        let last = runs.len().saturating_sub(1);
        for (at, run) in runs.iter().enumerate() {
            let (branch, trunk) = match guides {
                None => ("", ""),
                Some(_) if at == last => ("└ ", "  "),
                Some(_) => ("├ ", "│ "),
            };
            let guides = guides.unwrap_or_default();
            let (mut label, mut place) = (run.label(), run.place);
            // A way without a turn needs no lines of its own.
            while place.row.is_none()
                && place.below.len() == 1
                && let Some((next, at)) = place.below.first_key_value()
                && let Some(below) = self.places.get(*at)
            {
                label = format!("{label}/{next}");
                place = below;
            }
            if !place.below.is_empty() {
                label.push('/');
            }
            let times = |text: String| match run.times {
                1 => text,
                n => format!("{n} × {text}"),
            };
            let row = place.row.and_then(|row| self.rows.get(row));
            let spec = row.map(|row| &row.variable.spec);
            let shape = match spec {
                Some(spec) => spec.shape().to_string(),
                None => times(counted(place.variables, "variable")),
            };
            lines.push([
                format!("{guides}{branch}{label}"),
                spec.map(|spec| spec.dtype().name().into_owned()).unwrap_or_default(),
                shape,
                times(human(place.bytes)),
                row.map(beside).unwrap_or_default(),
            ]);
            self.lines(place, Some(&format!("{guides}{trunk}")), lines);
        }
    }
}

impl Run<'_> {
    /// Whether `label` is the next one.
    fn goes_on(&self, label: &str) -> bool {
        let ((stem, number), (next_stem, next)) = (numbered(self.last), numbered(label));
        if number.is_empty() || self.times == 1 && label.strip_prefix(self.first) == Some("_1") {
            // The first of TensorFlow's own numbers is left out.
            return self.times == 1 && label.strip_prefix(self.first) == Some("_1");
        }
        let zeros = |digits: &str| digits.len() > 1 && digits.starts_with('0');
        let alike = number.len() == next.len() || !(zeros(number) || zeros(next));
        let follows =
            || Some(number.parse::<u64>().ok()?.checked_add(1)? == next.parse::<u64>().ok()?);
        stem == next_stem && alike && follows() == Some(true)
    }

    /// `layer_{0..11}`, `conv2d{,_1..5}`.
    fn label(&self) -> String {
        if self.times == 1 {
            return self.first.to_owned();
        }
        let (stem, last) = numbered(self.last);
        let dots = if self.times > 2 { ".." } else { "," };
        match self.first.strip_prefix(stem) {
            Some(first) if !first.is_empty() => format!("{stem}{{{first}{dots}{last}}}"),
            _ if self.times == 2 => format!("{}{{,_{last}}}", self.first),
            _ => format!("{}{{,_1..{last}}}", self.first),
        }
    }
}

/// A label without the digits at its end, and these.
fn numbered(label: &str) -> (&str, &str) {
    let stem = label.trim_end_matches(|c: char| c.is_ascii_digit());
    label.split_at_checked(stem.len()).unwrap_or((label, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(labels: &[&str]) -> Option<String> {
        let place = Place::default();
        let mut labels = labels.iter();
        let first = labels.next()?;
        let mut run = Run { first, last: first, place: &place, times: 1 };
        for label in labels {
            if !run.goes_on(label) {
                return None;
            }
            (run.last, run.times) = (label, run.times + 1);
        }
        Some(run.label())
    }

    #[test]
    fn labels_of_runs() {
        let is = |labels: &[&str], label: &str| assert_eq!(run(labels).as_deref(), Some(label));
        is(&["layer_0"], "layer_0");
        is(&["layer_0", "layer_1"], "layer_{0,1}");
        is(&["layer_9", "layer_10", "layer_11"], "layer_{9..11}");
        is(&["block_009", "block_010", "block_011"], "block_{009..011}");
        is(&["conv2d", "conv2d_1"], "conv2d{,_1}");
        is(&["conv2d", "conv2d_1", "conv2d_2"], "conv2d{,_1..2}");
        is(&["h0", "h1", "h2"], "h{0..2}");
        is(&["0", "1", "2"], "{0..2}");
        is(&["fc1", "fc1_1"], "fc1{,_1}");
        for other in [
            &["layer_0", "layer_2"][..],
            &["a_1", "b_2"],
            &["w_08", "w_9"],
            &["w_1", "w_1_1_1"],
            &["a", "b"],
            &["w_18446744073709551615", "w_18446744073709551616"],
        ] {
            assert_eq!(run(other), None, "{other:?}");
        }
    }
}
