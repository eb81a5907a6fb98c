//! Variables as machines read them.

use serde_json::{Value as Document, json};

use super::Listing;
use crate::catalog::{Storage, Variable, VariableName};
use crate::report::diff::unreadable_document;
use crate::report::document::{SCHEMA, insert};
use crate::stats::Moments;

/// Every variable, slots included.
pub(in crate::report) fn document(listing: &Listing<'_>) -> Document {
    let catalog = listing.catalog;
    let variable = |(name, variable): &(&VariableName, &Variable)| {
        let storage = match variable.storage {
            Storage::Whole { shard, offset, bytes } => {
                json!({ "shard": shard, "offset": offset, "bytes": bytes })
            }
            Storage::Slices(slices) | Storage::Records(slices) => {
                json!({ "slices": slices, "bytes": variable.spec.bytes() })
            }
        };
        let mut fields = json!({
            "name": name.as_str(),
            "dtype": variable.spec.dtype().name(),
            "shape": variable.spec.shape().dims(),
            "storage": storage,
        });
        if let Some(slot) = listing.slots.get(*name) {
            insert(
                &mut fields,
                "slot_of",
                json!({ "variable": slot.variable.as_str(), "slot": slot.name }),
            );
        }
        if let Some(moments) = listing.moments(name) {
            insert(&mut fields, "statistics", statistics(moments));
        }
        fields
    };
    let mut document = json!({
        "schema": SCHEMA,
        "checkpoint": catalog.origin,
        "format": catalog.format,
        "shards": catalog.shards,
        "object_based": catalog.graph.is_some(),
        "variables": listing.variables.iter().map(variable).collect::<Vec<_>>(),
        "not_text": catalog.unnamable.iter().map(|key| key.escape_ascii().to_string()).collect::<Vec<_>>(),
        "notes": catalog.facts.notes,
    });
    if let Some(statistics) = listing.statistics {
        insert(&mut document, "unreadable", json!(unreadable_document(&statistics.unreadable)));
    }
    document
}

fn statistics(moments: &Moments) -> Document {
    let (min, max) = moments.range().unzip();
    json!({
        "min": min,
        "max": max,
        "mean": moments.mean(),
        "std": moments.deviation(),
        "finite": moments.finite,
        "zero": moments.zero,
        "nan": moments.nan,
        "infinite": moments.infinite,
    })
}
