//! The tree, as people read it.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::{Role, View, label};
use crate::catalog::Catalog;
use crate::names::counted;
use crate::object::{Attribute, NodeId, ObjectGraph, VARIABLE_VALUE};
use crate::report::page::{Ink, Page};
use crate::report::{display_name, escape};

/// Lines that would be longer go on in the next one, where no terminal says how long they may be.
const WIDTH: usize = 80;

/// Below this there is no room beside the branches.
const NARROWEST: usize = 40;

/// What lies deeper is a tree of its own further down: it would stand outside the window, and the
/// indentation of a deep chain would take the square of its length.
const DEEPEST: usize = 16;

/// The tree, what is not in it, and a last line that counts.
pub(in crate::report) fn text(
    catalog: &Catalog,
    graph: &ObjectGraph,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let view = View::new(catalog, graph);
    let width = page.width().unwrap_or(WIDTH).max(NARROWEST);
    let mut sheet = Sheet { view: &view, page, width, later: VecDeque::from([0]) };
    sheet.trees()?;
    if !view.tree.tops().is_empty() {
        writeln!(sheet.page, "\nnot reachable from the root:")?;
        sheet.later.extend(view.tree.tops());
        sheet.trees()?;
    }
    writeln!(sheet.page, "{}", summary(&view))
}

/// Something that stands below an object.
#[derive(Clone, Copy)]
enum Item<'c> {
    Value(&'c Attribute),
    Edge(usize),
    Slot(usize),
}

/// Items of one object that are being shown.
struct Open<'c> {
    node: NodeId,
    guides: String,
    items: std::iter::Peekable<std::vec::IntoIter<Item<'c>>>,
}

struct Sheet<'v, 'c, 'o> {
    view: &'v View<'c>,
    page: &'v mut Page<'o>,
    width: usize,
    /// Tops of trees that are still to come.
    later: VecDeque<NodeId>,
}

impl<'c> Sheet<'_, 'c, '_> {
    fn trees(&mut self) -> io::Result<()> {
        while let Some(top) = self.later.pop_front() {
            let mut pieces = vec![self.view.name(top)];
            pieces.extend(self.own(top));
            let items = self.items(top);
            self.line("", if items.is_empty() { "  " } else { "│ " }, &pieces)?;
            self.tree(top, items)?;
        }
        Ok(())
    }

    fn tree(&mut self, node: NodeId, items: Vec<Item<'c>>) -> io::Result<()> {
        let open = |node, guides, items: Vec<_>| Open {
            node,
            guides,
            items: items.into_iter().peekable(),
        };
        let mut way = vec![open(node, String::new(), items)];
        while let Some(Open { node, guides, items }) = way.last_mut() {
            let Some(item) = items.next() else {
                way.pop();
                continue;
            };
            let (branch, trunk) =
                if items.peek().is_some() { ("├ ", "│ ") } else { ("└ ", "  ") };
            let (head, below) = (format!("{guides}{branch}"), format!("{guides}{trunk}"));
            let (mut pieces, child) = self.item(*node, item);
            let mut items = child.map(|child| self.items(child)).unwrap_or_default();
            if let Some(child) = child.filter(|_| way.len() >= DEEPEST && !items.is_empty()) {
                pieces.push(format!("(goes on below as {})", self.view.name(child)));
                self.later.push_back(child);
                items.clear();
            }
            let next = if items.is_empty() { "  " } else { "│ " };
            self.line(&head, &format!("{below}{next}"), &pieces)?;
            if let Some(child) = child.filter(|_| !items.is_empty()) {
                way.push(open(child, below, items));
            }
        }
        Ok(())
    }

    /// What stands below an object; its main value stands beside it.
    fn items(&self, node: NodeId) -> Vec<Item<'c>> {
        let Some(object) = self.view.node(node) else { return Vec::new() };
        let main = self.main(node);
        let values = object.attributes.iter();
        let values = values.filter(|value| main.is_none_or(|main| !std::ptr::eq(*value, main)));
        let edges = (0..object.children.len()).map(Item::Edge);
        let slots = (0..object.slots.len()).map(Item::Slot);
        values.map(Item::Value).chain(edges).chain(slots).collect()
    }

    /// The value of a variable.
    fn main(&self, node: NodeId) -> Option<&'c Attribute> {
        self.view.node(node)?.attributes.iter().find(|value| value.name == VARIABLE_VALUE)
    }

    /// What to say of an item, and the object that is shown there.
    fn item(&self, node: NodeId, item: Item<'c>) -> (Vec<String>, Option<NodeId>) {
        let object = self.view.node(node);
        match item {
            Item::Value(value) => {
                // No label begins with a single dot.
                let mut pieces = vec![format!(".{}", label(&value.name))];
                pieces.extend(self.value(node, value));
                (pieces, None)
            }
            Item::Edge(at) => {
                let Some(edge) = object.and_then(|object| object.children.get(at)) else {
                    return (Vec::new(), None);
                };
                let (label, to) = (label(&edge.label), edge.node);
                let after = match self.view.role(node, at, to) {
                    Role::Tree => return self.shown(label, to),
                    Role::Alias => "",
                    Role::Cycle => " (cycle)",
                    Role::Shadowed => " (behind another edge of this name)",
                };
                (vec![label, format!("-> {}{after}", self.view.name(to))], None)
            }
            Item::Slot(at) => {
                let Some(slot) = object.and_then(|object| object.slots.get(at)) else {
                    return (Vec::new(), None);
                };
                let head =
                    format!("slot {} of {}", label(&slot.name), self.view.name(slot.variable));
                if self.view.is_here(node, at, slot.node) {
                    return self.shown(head, slot.node);
                }
                (vec![head, format!("-> {}", self.view.name(slot.node))], None)
            }
        }
    }

    fn shown(&self, head: String, node: NodeId) -> (Vec<String>, Option<NodeId>) {
        let mut pieces = vec![head];
        pieces.extend(self.view.number(node));
        pieces.extend(self.own(node));
        (pieces, Some(node))
    }

    /// What stands beside an object: its value and its saver.
    fn own(&self, node: NodeId) -> Vec<String> {
        let value = self.main(node).map(|value| self.value(node, value));
        let saver = self.view.node(node).and_then(|node| node.saver.as_ref());
        let saver =
            saver.map(|saver| format!("saver {} ({})", escape(&saver.name), escape(&saver.object)));
        value.into_iter().flatten().chain(saver).collect()
    }

    fn value(&self, node: NodeId, value: &Attribute) -> Vec<String> {
        let (spec, parts) = (self.view.spec(value), self.view.parts(value));
        let missing = spec.is_none() && parts.is_empty();
        let mut pieces = Vec::new();
        pieces.extend(spec.map(ToString::to_string));
        pieces.extend(parts.iter().map(|(part, spec)| format!("{} {spec}", escape(part))));
        if !value.full_name.is_empty() {
            pieces.push(format!("name {}", escape(&value.full_name)));
        }
        let usual = self.view.usual_key(node, &value.name);
        if missing || usual.is_none_or(|usual| usual != value.key) {
            pieces.push(format!("key {}", display_name(&value.key)));
        }
        pieces.extend(missing.then(|| "(not in the checkpoint)".to_owned()));
        pieces
    }

    /// A line of these pieces, or as many as it takes; `rest` stands before what does not fit.
    fn line(&mut self, head: &str, rest: &str, pieces: &[String]) -> io::Result<()> {
        let mut line = self.page.paint(Ink::Faint, head).into_owned();
        let mut width = head.chars().count();
        for (at, piece) in pieces.iter().enumerate() {
            let more = piece.chars().count() + 2;
            // What it is called stands out from what is said of it.
            let shown = self.page.paint(if at > 0 { Ink::Faint } else { Ink::Plain }, piece);
            if at > 0 && width + more > self.width {
                writeln!(self.page, "{line}")?;
                line = format!("{}  {shown}", self.page.paint(Ink::Faint, rest));
                width = rest.chars().count() + more;
                continue;
            }
            line.push_str(if at > 0 && is_alias(piece) {
                " "
            } else if at > 0 {
                "  "
            } else {
                ""
            });
            line.push_str(&shown);
            width += more;
        }
        writeln!(self.page, "{line}")
    }
}

fn is_alias(piece: &str) -> bool {
    piece.starts_with("-> ")
}

/// `25 objects, 8 values; 6 aliases, 2 of them on cycles; 4 slots; 1 not reachable from the root`.
fn summary(view: &View<'_>) -> String {
    let roles = || view.edges().map(|(from, at, edge)| view.role(from, at, edge.node));
    let cycles = roles().filter(|role| *role == Role::Cycle).count();
    let shadowed = roles().filter(|role| *role == Role::Shadowed).count();
    let aliases = roles().filter(|role| *role == Role::Alias).count() + cycles;
    let values = view.nodes().iter().map(|node| node.attributes.len()).sum();
    let mut parts =
        vec![format!("{}, {}", counted(view.nodes().len(), "object"), counted(values, "value"))];
    if aliases > 0 {
        let on = if cycles > 0 { format!(", {cycles} of them on cycles") } else { String::new() };
        let es = if aliases == 1 { "" } else { "es" };
        parts.push(format!("{aliases} alias{es}{on}"));
    }
    let slots = view.slots().count();
    parts.extend((slots > 0).then(|| counted(slots, "slot")));
    parts.extend(
        (shadowed > 0).then(|| format!("{} behind another of its name", counted(shadowed, "edge"))),
    );
    let unreachable = view.tree.unreachable().len();
    parts.extend((unreachable > 0).then(|| format!("{unreachable} not reachable from the root")));
    parts.join("; ")
}
