//! Numbers in names: where an item stands in which series.

use super::tokens::tokens;
use super::words::is_automatic;

/// A place in a series: `block_#/unit_#` at `[2, 1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    /// The series: what stands before the end, numbers left out. Names of another view are another
    /// series.
    pub(super) series: String,
    /// The numbers that were left out.
    pub(super) index: Vec<u64>,
    /// Where the name was cut.
    pub(super) end: usize,
    /// Whether a program counted: the first member goes without a number, or its name is that of a
    /// sort of layers.
    pub(super) counted: bool,
    /// Whether it is a series only among those that have all earlier numbers in common.
    pub(super) local: bool,
}

impl Cut {
    /// Whether the name is the one that TensorFlow keeps beside a path.
    pub(super) fn is_full_name(&self) -> bool {
        self.series.starts_with('1')
    }
}

/// Every place a name has in a series. `is_numbered` tells whether a path without a number is the
/// first of such that have one: `conv2d`, `conv2d_1`, ….
pub(super) fn cuts(
    name: &str,
    view: usize,
    is_numbered: &dyn Fn(&str) -> bool,
    bared: &dyn Fn(&str) -> bool,
) -> Vec<Cut> {
    let mut found = Vec::new();
    let mut skeleton = format!("{view} ");
    let mut index: Vec<u64> = Vec::new();
    // Up to where the name is in the skeleton.
    let mut done = 0;
    let mut all = tokens(name).into_iter().peekable();
    let mut slashes: Vec<usize> = name.match_indices('/').map(|(at, _)| at).collect();
    slashes.push(name.len());
    let mut slashes = slashes.into_iter().peekable();
    let cut = |found: &mut Vec<Cut>,
               skeleton: &mut String,
               index: &mut Vec<u64>,
               done: &mut usize,
               (start, end): (usize, usize),
               mark: &str,
               value: u64| {
        let text = name.get(*done..start).unwrap_or_default();
        // The same series among those that have all earlier numbers in common.
        let fixed = format!("{view}={}{mark}", name.get(..start).unwrap_or_default());
        skeleton.push_str(text);
        skeleton.push_str(mark);
        let base = name.get(..start).unwrap_or_default();
        let base = base.strip_suffix('_').unwrap_or(base);
        let own = base.rsplit('/').next().unwrap_or_default();
        let counted = end == start || bared(base) || is_automatic(own);
        let several = !index.is_empty();
        index.push(value);
        *done = end;
        found.push(Cut {
            series: skeleton.clone(),
            index: index.clone(),
            end,
            counted,
            local: false,
        });
        if several {
            found.push(Cut { series: fixed, index: vec![value], end, counted, local: true });
        }
    };
    loop {
        let slash = slashes.peek().copied();
        match (all.peek().copied(), slash) {
            (Some(token), Some(slash)) if token.start < slash => {
                all.next();
                let letter = token.behind_number && token.text.len() == 1;
                let (mark, value) = match token.text.bytes().next() {
                    _ if token.is_number => ("#", token.text.parse().unwrap_or(u64::MAX)),
                    Some(letter_value) if letter => ("@", letter_value.into()),
                    _ => continue,
                };
                let (start, end) = (token.start, token.end());
                cut(&mut found, &mut skeleton, &mut index, &mut done, (start, end), mark, value);
            }
            (_, Some(slash)) => {
                slashes.next();
                let path = name.get(..slash).unwrap_or_default();
                let unmarked = done < slash;
                if unmarked && is_numbered(path) {
                    cut(&mut found, &mut skeleton, &mut index, &mut done, (slash, slash), "_#", 0);
                }
            }
            _ => break,
        }
    }
    // The name as a whole.
    if !index.is_empty() && done < name.len() {
        skeleton.push_str(name.get(done..).unwrap_or_default());
        let counted = found.iter().any(|cut| cut.counted);
        found.push(Cut { series: skeleton, index, end: name.len(), counted, local: false });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str) -> Vec<(String, Vec<u64>)> {
        let numbered = |base: &str| base == "a/conv2d";
        let cuts = cuts(name, 0, &numbered, &numbered);
        cuts.into_iter().filter(|cut| !cut.local).map(|cut| (cut.series, cut.index)).collect()
    }

    #[test]
    fn places_in_series() {
        let of = |called: &str, index: &[u64]| (format!("0 {called}"), index.to_vec());
        assert_eq!(series("b/layer_3/x1"), [of("b/layer_#", &[3]), of("b/layer_#/x#", &[3, 1])]);
        // The first of a count has no number.
        assert_eq!(series("a/conv2d/w"), [of("a/conv2d_#", &[0]), of("a/conv2d_#/w", &[0])]);
        assert_eq!(series("a/conv2d_2/w"), [of("a/conv2d_#", &[2]), of("a/conv2d_#/w", &[2])]);
        // `2b`: a number and a letter.
        let letter = u64::from(b'b');
        assert_eq!(
            series("block2b_x/w"),
            [of("block#", &[2]), of("block#@", &[2, letter]), of("block#@_x/w", &[2, letter])]
        );
        assert_eq!(series("conv2d_3x3/w"), []);
    }
}
