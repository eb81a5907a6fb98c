//! The variables that a program registered, in the order in which it made them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use prost::Message;

use super::error::MetaError;
use super::wire::{Span, Wire};
use super::{MAX_MESSAGE, MAX_NAME, MAX_NODES};
use crate::proto::VariableDef;

/// Keys of collections that hold variables, and where their content goes: slots are in the first
/// one too, and the second one adds nothing unless a program kept variables out of the first.
const KEYS: [&str; 2] = ["variables", "trainable_variables"];

/// What collections say of variables.
#[derive(Debug, Default)]
pub(super) struct Collections {
    /// Names of nodes, for each of [`KEYS`].
    registered: [Vec<String>; 2],
    /// What other collections hold: names of nodes, whatever these are.
    others: BTreeMap<String, Vec<String>>,
    /// How many names are in those.
    count: u64,
    /// Parts of partitioned variables: names of nodes, and what checkpoints call the whole.
    wholes: HashMap<String, String>,
}

impl Collections {
    /// Takes over a collection: a key and its content.
    pub(super) fn scan(&mut self, wire: &mut Wire, mut entry: Span) -> Result<(), MetaError> {
        let (mut key, mut content) = (None, None);
        while let Some((field, span)) = wire.next(&mut entry)? {
            match field {
                1 => key = wire.text(span, MAX_NAME)?,
                2 => content = Some(span),
                _ => {}
            }
        }
        let of_key = |&(_, &known): &(_, &&str)| key.as_deref() == Some(known);
        let place = KEYS.iter().enumerate().find(of_key).map(|(place, _)| place);
        let Some((key, mut content)) = key.zip(content) else { return Ok(()) };
        let Some(place) = place else { return self.other(key, wire, content) };
        while let Some((field, mut list)) = wire.next(&mut content)? {
            // The other kinds of list hold no variables.
            while field == 2
                && let Some((1, definition)) = wire.next(&mut list)?
            {
                self.register(place, wire, definition)?;
            }
        }
        Ok(())
    }

    /// Takes over what a collection of any other sort says of variables, if it does: they are
    /// listed as names of outputs or as definitions.
    fn other(&mut self, key: String, wire: &mut Wire, mut content: Span) -> Result<(), MetaError> {
        let mut names = Vec::new();
        while let Some((field, mut list)) = wire.next(&mut content)? {
            while matches!(field, 1 | 2)
                && let Some((1, item)) = wire.next(&mut list)?
            {
                let name = if field == 1 {
                    wire.text(item, MAX_NAME)?
                } else {
                    // Contexts of loops and the like are not meant.
                    let bytes = wire.bytes(item, MAX_MESSAGE)?.unwrap_or_default();
                    VariableDef::decode(bytes.as_slice()).ok().map(|one| one.variable_name)
                };
                self.count += 1;
                if self.count > MAX_NODES {
                    let what = "names in collections";
                    return Err(MetaError::Many { what, limit: MAX_NODES });
                }
                names.extend(name.map(|name| node_name(&name).to_owned()));
            }
        }
        if !names.is_empty() {
            self.others.insert(key, names);
        }
        Ok(())
    }

    /// Which variables stand in which collection, as checkpoints call them; `nodes` are variables
    /// that need not be registered.
    pub(super) fn members(&self, nodes: &[String]) -> BTreeMap<String, BTreeSet<String>> {
        let variables: HashSet<&String> = self.registered.iter().flatten().chain(nodes).collect();
        let known = KEYS.iter().map(|key| (*key).to_owned()).zip(&self.registered);
        let all = known.chain(self.others.iter().map(|(key, names)| (key.clone(), names)));
        let members = |names: &Vec<String>| -> BTreeSet<String> {
            let names = names.iter().filter(|name| variables.contains(name));
            names.map(|name| self.key(name)).collect()
        };
        let all = all.map(|(key, names)| (key, members(names)));
        all.filter(|(_, members)| !members.is_empty()).collect()
    }

    fn register(&mut self, place: usize, wire: &Wire, at: Span) -> Result<(), MetaError> {
        let Some(bytes) = wire.bytes(at, MAX_MESSAGE)? else { return Ok(()) };
        let VariableDef { variable_name, save_slice_info_def } =
            VariableDef::decode(bytes.as_slice())?;
        let node = node_name(&variable_name).to_owned();
        let Some(names) = self.registered.get_mut(place) else { return Ok(()) };
        if names.len() as u64 >= MAX_NODES {
            return Err(MetaError::Many { what: "variables", limit: MAX_NODES });
        }
        names.push(node.clone());
        if let Some(part) = save_slice_info_def.filter(|part| !part.full_name.is_empty()) {
            self.wholes.insert(node, part.full_name);
        }
        Ok(())
    }

    /// What checkpoints call the variable of this node.
    pub(super) fn key(&self, node: &str) -> String {
        self.wholes.get(node).map_or(node, String::as_str).to_owned()
    }

    /// All variables in the order of their making, as checkpoints call them; `nodes` where none
    /// are registered.
    pub(super) fn order(&self, nodes: &[String]) -> Vec<String> {
        let registered: Vec<_> = self.registered.iter().flatten().collect();
        let names = if registered.is_empty() { nodes.iter().collect() } else { registered };
        let mut seen = HashSet::new();
        let keys = names.into_iter().map(|node| self.key(node));
        keys.filter(|key| seen.insert(key.clone())).collect()
    }
}

/// The node that an output or input is of: `x` for `x:0`.
pub(super) fn node_name(output: &str) -> &str {
    output.split_once(':').map_or(output, |(node, _)| node)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{field, wire};
    use super::*;
    use crate::proto::SaveSliceInfoDef;

    fn variable(name: &str, whole: &str) -> Vec<u8> {
        let part = SaveSliceInfoDef { full_name: whole.to_owned() };
        let save_slice_info_def = (!whole.is_empty()).then_some(part);
        let definition = VariableDef { variable_name: name.to_owned(), save_slice_info_def };
        field(1, &definition.encode_to_vec())
    }

    fn collection(key: &str, variables: &[Vec<u8>]) -> Vec<u8> {
        [field(1, key.as_bytes()), field(2, &field(2, &variables.concat()))].concat()
    }

    fn scanned(entries: &[Vec<u8>]) -> Collections {
        let mut collections = Collections::default();
        for entry in entries {
            let mut wire = wire(entry);
            let all = wire.all();
            collections.scan(&mut wire, all).unwrap();
        }
        collections
    }

    #[test]
    fn parts_are_one_variable_and_nothing_comes_twice() {
        let [w0, w1] = [variable("w/part_0:0", "w"), variable("w/part_1:0", "w")];
        let [a, b] = [variable("a:0", ""), variable("b:0", "")];
        let collections = scanned(&[
            collection("trainable_variables", &[w0.clone(), w1.clone(), b]),
            collection("losses", &[variable("loss:0", "")]),
            collection("variables", &[a, w0, w1]),
        ]);
        assert_eq!(collections.order(&["node".to_owned()]), ["a", "w", "b"]);
        assert_eq!(collections.key("w/part_1"), "w");
    }

    #[test]
    fn without_collections_nodes_tell_the_order() {
        let nodes = ["b".to_owned(), "a".to_owned()];
        assert_eq!(scanned(&[]).order(&nodes), ["b", "a"]);
    }

    #[test]
    fn what_is_no_definition_is_damage() {
        let entry = collection("variables", &[field(1, b"\x0a\x05ab")]);
        let mut wire = wire(&entry);
        let all = wire.all();
        assert!(Collections::default().scan(&mut wire, all).is_err());
    }
}
