//! Layers in the order of their making, and the recording of them. All that is no recording stands
//! behind `#`: what is printed is a part of a rule file as it is.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Value as Document, json};

use super::document::SCHEMA;
use super::escape;
use super::page::{Page, Style};
use crate::layers::{Layer, LayerVariable, Layers, Scope};
use crate::mapping::{dollars, scalar};
use crate::names::counted;
use crate::object;

/// The table of layers, and then the recording; `by_name` calls targets by their names.
pub(super) fn text(
    layers: &Layers,
    origin: &str,
    by_name: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    // A line that was broken would no longer be a comment.
    let page = &mut Page::new(Style { width: None, ..style }, out);
    let all = layers.scopes.iter().flat_map(|scope| &scope.layers);
    let all = all.filter(|layer| !layer.is_scope()).count();
    writeln!(
        page,
        "# {} of {}, in the order in which TF1 made them",
        counted(all, "layer"),
        escape(origin)
    )?;
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for scope in &layers.scopes {
        let layers = scope.layers.iter().filter(|layer| !layer.is_scope());
        rows.extend(layers.map(|layer| (layer.number, row(scope, layer))));
    }
    rows.sort_by_key(|(number, _)| *number);
    page.table(&[], rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>())?;
    if !layers.loose.is_empty() {
        let mut names: Vec<_> = layers.loose.iter().take(12).map(|name| escape(name)).collect();
        if names.len() < layers.loose.len() {
            names.push("…".into());
        }
        writeln!(page, "# in no layer: {}", names.join(", "))?;
    }
    if layers.unsaved > 0 {
        writeln!(page, "# not in the checkpoint: {}", counted(layers.unsaved, "variable"))?;
    }
    if all == 0 {
        return Ok(());
    }
    writeln!(page, "# on the right, write what the layer is called in the new model")?;
    writeln!(page, "scopes:")?;
    // What all scopes lie in says nothing about a layer.
    let mut around = layers.scopes.iter().map(|scope| scope.within.split('/'));
    let mut common: Vec<&str> = around.next().into_iter().flatten().collect();
    for scope in around {
        let same = common.iter().zip(scope).take_while(|(a, b)| **a == *b).count();
        common.truncate(same);
    }
    let common = common.join("/");
    layers.scopes.iter().try_for_each(|scope| recording(scope, &common, by_name, page))
}

/// `# 3  model/dense  dense  bias [5], kernel [5, 5]  trainable  model_variables`.
fn row(scope: &Scope, layer: &Layer) -> Vec<String> {
    let name = scope.path(layer);
    let variable = |variable: &LayerVariable| {
        let spec = variable.spec.as_ref();
        let shape = spec.map_or("not saved".to_owned(), |spec| spec.shape().to_string());
        format!("{} {shape}", escape(&variable.leaf))
    };
    let variables: Vec<String> = layer.variables.iter().map(variable).collect();
    vec![
        "#".to_owned(),
        layer.number.to_string(),
        escape(&name).into_owned(),
        layer.kind.unwrap_or_default().to_owned(),
        variables.join(", "),
        trainable(layer),
        collections(layer).join(", "),
    ]
}

fn trainable(layer: &Layer) -> String {
    let known: Option<Vec<bool>> =
        layer.variables.iter().map(|variable| variable.trainable).collect();
    let Some(known) = known else { return String::new() };
    match known.iter().filter(|trainable| **trainable).count() {
        0 => "not trainable".to_owned(),
        all if all == known.len() => "trainable".to_owned(),
        some => format!("{some} of {} trainable", known.len()),
    }
}

/// Collections that say more than `trainable`.
fn collections(layer: &Layer) -> Vec<Cow<'_, str>> {
    let mut names: Vec<&str> = layer
        .variables
        .iter()
        .flat_map(|variable| &variable.collections)
        .map(String::as_str)
        .filter(|name| !matches!(*name, "variables" | "trainable_variables"))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(escape).collect()
}

/// An entry of `scopes`.
fn recording(scope: &Scope, common: &str, by_name: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut begin = "  - ";
    if !scope.within.is_empty() {
        writeln!(out, "{begin}within: {}", scalar(&dollars(&scope.within)))?;
        begin = "    ";
    }
    if by_name {
        writeln!(out, "{begin}target: names")?;
        begin = "    ";
    }
    writeln!(out, "{begin}layers:")?;
    for layer in &scope.layers {
        for skipped in &layer.skipped {
            writeln!(out, "      - {}", scalar(&dollars(skipped)))?;
        }
        let base = scalar(&dollars(&layer.base));
        if !layer.is_saved() {
            writeln!(out, "      - {base}")?;
        } else if layer.is_cell() {
            writeln!(
                out,
                "      - {base}  # its gates stand in another order in Keras: a `cell` rule"
            )?;
        } else if KEYS.contains(&layer.base.as_str()) {
            writeln!(out, "      - {base}  # a key of `scopes` has this name: a rule")?;
        } else {
            let path = scope.path(layer);
            let to = path.strip_prefix(common).unwrap_or(&path).trim_start_matches('/');
            // A dot in a path would stand for something else.
            let labels = to.split('/').map(object::escape).collect::<Vec<_>>().join("/");
            let to = if by_name { to } else { labels.as_str() };
            writeln!(out, "      - {base}: {}", scalar(&dollars(to)))?;
        }
    }
    Ok(())
}

/// What an entry of `layers` may begin with that is no layer.
const KEYS: &[&str] = &["repeat", "scope"];

/// The same for machines.
pub(super) fn document(layers: &Layers, origin: &str) -> Document {
    let variable = |variable: &LayerVariable| {
        json!({
            "name": variable.leaf,
            "dtype": variable.spec.as_ref().map(|spec| spec.dtype().name()),
            "shape": variable.spec.as_ref().map(|spec| spec.shape().dims()),
            "trainable": variable.trainable,
            "collections": variable.collections,
        })
    };
    let mut all: Vec<(usize, Document)> = Vec::new();
    for scope in &layers.scopes {
        all.extend(scope.layers.iter().map(|layer| {
            let document = json!({
                "within": scope.within,
                "name": layer.name,
                "kind": layer.kind,
                "recorded": { "skipped": layer.skipped, "base": layer.base },
                "variables": layer.variables.iter().map(variable).collect::<Vec<_>>(),
            });
            (layer.number, document)
        }));
    }
    all.sort_by_key(|(number, _)| *number);
    json!({
        "schema": SCHEMA,
        "checkpoint": origin,
        "layers": all.into_iter().map(|(_, layer)| layer).collect::<Vec<_>>(),
        "in_no_layer": layers.loose,
        "not_in_the_checkpoint": layers.unsaved,
    })
}
