//! Finding places in a file, which takes reading its text again.
//!
//! Rules are items of lists. Where a list stands in lines (`- …`), it is cut up at its dashes, and
//! only the item that is looked for is read: a file of thousands of rules with a message about each
//! would otherwise be read as often.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::tree::{self, Anchor, Step, Yaml};

/// All searches together may read so many bytes; a file with thousands of problems shows the places
/// of the first of them.
const MAX_SEARCHED: usize = 1 << 27;

/// What has been read to find places.
#[derive(Debug, Default)]
pub(crate) struct Search {
    read: AtomicUsize,
    /// Items of lists at the top of the file, by the list's entry; none where it cannot be cut up.
    lists: Mutex<BTreeMap<usize, Arc<[Range<usize>]>>>,
}

impl PartialEq for Search {
    /// It is no part of what a text is.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Search {}

impl Search {
    /// The byte of `text` at which the value or key at the end of `path` begins.
    pub(crate) fn find(&self, text: &str, path: &[Step], anchor: Anchor) -> Option<usize> {
        self.in_item(text, path, anchor).or_else(|| self.in_all(text, path, anchor))
    }

    fn in_all(&self, text: &str, path: &[Step], anchor: Anchor) -> Option<usize> {
        let before = self.read.fetch_add(text.len(), Ordering::Relaxed);
        if before > MAX_SEARCHED { None } else { tree::locate(text, path, anchor) }
    }

    /// The same by reading one item of a list; `None` where that does not lead there.
    fn in_item(&self, text: &str, path: &[Step], anchor: Anchor) -> Option<usize> {
        let [Step::Entry(list), Step::Item(item), below @ ..] = path else { return None };
        let known = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(list).cloned();
        let items = known.unwrap_or_else(|| {
            let items: Arc<[_]> = self.cut(text, *list).unwrap_or_default().into();
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lists.entry(*list).or_insert(items))
        });
        let item = items.get(*item)?;
        let path: Vec<Step> = [Step::Item(0)].into_iter().chain(below.iter().cloned()).collect();
        let text = text.get(item.clone())?;
        self.read.fetch_add(text.len(), Ordering::Relaxed);
        tree::arrive(text, &path, anchor).map(|at| item.start + at)
    }

    /// The lines of each item of a list, if that can be proved.
    fn cut(&self, text: &str, list: usize) -> Option<Vec<Range<usize>>> {
        let Yaml::Map(entries) = tree::parse(text).ok()? else { return None };
        let (_, Yaml::List(values)) = entries.get(list)? else { return None };
        let at = |item| self.in_all(text, &[Step::Entry(list), Step::Item(item)], Anchor::Value);
        let (first, last) = (at(0)?, at(values.len().checked_sub(1)?)?);
        let starts = dashes(text, first)?;
        // Each item has its dash. As many dashes as items, the last one's among them, are theirs:
        // none stands in a text of several lines.
        let whole = starts.items.last().is_some_and(|start| {
            starts.items.len() == values.len() && text.get(*start..last).is_some_and(is_dash)
        });
        let ends = starts.items.iter().skip(1).chain([&starts.end]);
        whole.then(|| starts.items.iter().zip(ends).map(|(start, end)| *start..*end).collect())
    }
}

/// Where items of a list seem to begin, and where it ends.
struct Dashes {
    items: Vec<usize>,
    end: usize,
}

/// What stands between the beginning of a line and an item's value.
fn is_dash(before: &str) -> bool {
    before.trim() == "-" && !before.contains('\n')
}

/// Lines that begin with a dash as far in as that of the item whose value is at `first`, up to a
/// line that is none of the list's.
fn dashes(text: &str, first: usize) -> Option<Dashes> {
    // YAML knows further breaks, which nobody uses.
    let rare = |c| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
    if text.contains(rare) || text.matches('\r').count() != text.matches("\r\n").count() {
        return None;
    }
    let start = text.get(..first)?.rfind('\n').map_or(0, |at| at + 1);
    if !is_dash(text.get(start..first)?) {
        return None;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let depth = indent(text.get(start..)?);
    let mut dashes = Dashes { items: Vec::new(), end: start };
    for line in text.get(start..)?.split_inclusive('\n') {
        let content = line.trim();
        let is_item = content == "-" || content.starts_with("- ");
        if is_item && indent(line) == depth {
            dashes.items.push(dashes.end);
        } else if indent(line) <= depth && !content.is_empty() && !content.starts_with('#') {
            break;
        }
        dashes.end += line.len();
    }
    Some(dashes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every way down from the top of a file.
    fn ways(yaml: &Yaml, at: &[Step], all: &mut Vec<Vec<Step>>) {
        all.push(at.to_vec());
        let steps: Vec<(Step, &Yaml)> = match yaml {
            Yaml::List(items) => {
                items.iter().enumerate().map(|(i, item)| (Step::Item(i), item)).collect()
            }
            Yaml::Map(map) => {
                map.iter().enumerate().map(|(i, (_, value))| (Step::Entry(i), value)).collect()
            }
            _ => Vec::new(),
        };
        for (step, below) in steps {
            ways(below, &[at, &[step]].concat(), all);
        }
    }

    /// How many places were found in an item of a list.
    fn agree(text: &str) -> usize {
        let (mut all, mut cut) = (Vec::new(), 0);
        let Ok(tree) = tree::parse(text) else { return 0 };
        ways(&tree, &[], &mut all);
        let search = Search::default();
        for path in all {
            for anchor in [Anchor::Key, Anchor::Value] {
                let found = search.in_item(text, &path, anchor);
                cut += usize::from(found.is_some());
                let whole = tree::locate(text, &path, anchor);
                assert_eq!(
                    search.find(text, &path, anchor),
                    whole,
                    "{path:?} {anchor:?} of {text}"
                );
            }
        }
        cut
    }

    #[test]
    fn items_are_found_where_they_stand() {
        let rule =
            "from: a\n    to: {name: [b, c]}\n    apply:\n      - transpose\n      - cast: int32";
        for between in ["", "\n", "  # - no item\n", "# no item\n"] {
            let items = format!("  - {rule}\n{between}").repeat(3);
            let text = format!("version: 1\nrules:\n{items}fill:\n- leaf: x\n- {{leaf: y}}\n");
            assert!(agree(&text) > 40, "{text}");
            assert!(agree(&text.replace('\n', "\r\n")) > 40, "{text}");
        }
        assert_eq!(agree("rules: [{from: a},\n - {from: b}]"), 0);
        assert_eq!(agree("rules: [{from: a}, {from: b}]"), 0);
    }

    #[test]
    fn dashes_in_texts_are_no_items() {
        assert_eq!(agree("rules:\n- 'a\n- b\n\n- c'\n- d\n"), 0);
        // As many dashes as items, and not theirs.
        assert_eq!(agree("rules:\n- 'a\n- b'\n- \"c\nd\"\n- e\n"), 0);
        assert!(agree("rules:\n  - |\n    - a\n    - b\n  - c\n") > 0);
    }

    proptest! {
        #[test]
        fn reading_an_item_leads_where_reading_all_does(
            lines in prop::collection::vec(prop::sample::select(vec![
                "a:", "b:", "- x", "  - x", "- a: x", "  - a: x", "    b: y", "  b: y", "- - x",
                "- {a: x, b: [y]}", "- 'x", "y'", "  y'", "-", "    x", "# c", "", "- &n x", "- *n",
                "  - |", "    - x", "---", "- \"é\"", "  -   x", "c: [x,", " y]",
            ]), 0..12),
        ) {
            agree(&format!("a:\n{}", lines.join("\n")));
        }
    }
}
