//! The graph in Graphviz's language.

use std::io::{self, Write};

use super::{Role, View, label};
use crate::catalog::Catalog;
use crate::object::{NodeId, ObjectGraph, Place, VARIABLE_VALUE};
use crate::report::escape;

/// Boxes for objects; lines for the tree, dashed ones for aliases, dotted ones for slots.
pub(in crate::report) fn dot(
    catalog: &Catalog,
    graph: &ObjectGraph,
    out: &mut dyn Write,
) -> io::Result<()> {
    let view = View::new(catalog, graph);
    writeln!(out, "digraph {} {{", quoted(&escape(&catalog.origin)))?;
    writeln!(out, "  rankdir=LR;\n  node [shape=box];")?;
    for (id, node) in view.nodes().iter().enumerate() {
        let mut lines = vec![title(&view, id)];
        for value in &node.attributes {
            let spec = view.spec(value).map(ToString::to_string);
            let name = (value.name != VARIABLE_VALUE).then(|| format!(".{}", label(&value.name)));
            let line = name.into_iter().chain(spec).collect::<Vec<_>>().join(" ");
            lines.extend((!line.is_empty()).then_some(line));
        }
        let saver = node.saver.as_ref();
        lines.extend(saver.map(|saver| format!("saver {}", escape(&saver.name))));
        writeln!(out, "  n{id} [label={}];", quoted(&lines.join("\n")))?;
    }
    for (from, at, edge) in view.edges() {
        let (to, name) = (edge.node, quoted(&label(&edge.label)));
        let how = match view.role(from, at, to) {
            // The box itself says what it is called.
            Role::Tree => String::new(),
            Role::Alias => format!(" [label={name}, style=dashed]"),
            // It must not turn the drawing upside down.
            Role::Cycle => format!(" [label={name}, style=dashed, constraint=false]"),
            Role::Shadowed => format!(" [label={name}, style=dashed, color=gray]"),
        };
        writeln!(out, "  n{from} -> n{to}{how};")?;
    }
    for (optimizer, _, slot) in view.slots() {
        let (state, variable) = (slot.node, slot.variable);
        let name = quoted(&label(&slot.name));
        writeln!(out, "  n{optimizer} -> n{state} [label={name}, style=dotted];")?;
        writeln!(
            out,
            "  n{state} -> n{variable} [style=dotted, arrowhead=none, constraint=false];"
        )?;
    }
    writeln!(out, "}}")
}

/// What is written above in an object's box.
fn title(view: &View<'_>, id: NodeId) -> String {
    let own = match view.tree.place(id) {
        Place::Child { parent, edge } => {
            view.node(parent).and_then(|node| node.children.get(edge)).map(|edge| &edge.label)
        }
        Place::Slot { optimizer, slot } => {
            view.node(optimizer).and_then(|node| node.slots.get(slot)).map(|slot| &slot.name)
        }
        Place::Top => None,
    };
    own.map_or_else(|| view.name(id), |own| label(own))
}

/// A string that is already safe to show; in labels `\N` and `&lt;` would mean something else.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('&', "&amp;");
    format!("\"{}\"", text.replace('\n', "\\n"))
}
