//! What all documents for machines have in common.

use serde_json::{Value as Document, json};

use crate::mapping::{Place, Problem};

/// The number that tells readers how to understand the rest.
pub(super) const SCHEMA: u32 = 1;

/// Adds a key to an object.
pub(super) fn insert(document: &mut Document, key: &str, value: Document) {
    if let Document::Object(keys) = document {
        keys.insert(key.to_owned(), value);
    }
}

/// Where something stands in a rule file.
pub(super) fn place(place: &Place) -> Document {
    json!({ "file": place.source.name, "line": place.line(), "column": place.column() })
}

/// One problem.
pub(super) fn problem(problem: &Problem) -> Document {
    json!({
        "kind": problem.kind.word(),
        "message": problem.message,
        "place": problem.place.as_ref().map(place),
        "related": problem.related.as_ref().map(|(at, word)| json!({ "place": place(at), "message": word })),
        "help": problem.help,
    })
}
